"""A recipe's SELECT, written for DuckDB → the SELECT that gives the same table on Spark, or an error that names why not.

Every function is on a list of what was compared on both engines; what is not on it is refused, since some give other values
without a word (`hash`, quantiles, a split at "."), and some reach outside (`reflect`, `read_files`). Tables are those
that were given, by name.

Blind to a division by zero, which is infinite on DuckDB and an error on Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from socml.project.errors import ConfigurationError, RecipeError, did_you_mean

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

# Functions that a recipe may call, under the names of sqlglot, that mean the same on both engines.
SAME = frozenset(
    """
    Abs AnyValue ArgMax ArgMin ArrayAgg ArrayToString Avg Case Cast Ceil Coalesce Concat ConcatWs Count Exists Exp Extract Floor
    GenerateSeries Greatest If Lag Lead Least Left Length Ln Log LogicalAnd LogicalOr Lower LTrim Max Median Min Nullif Pow RegexpExtract
    RegexpFullMatch RegexpLike RegexpReplace Replace Right Round RowNumber SHA2 Split SplitPart Sqrt Substring Sum
    Transform Trim TryCast Unnest Explode Upper And Or Xor Rank DenseRank FirstValue LastValue
    """.split()
)
# Functions that sqlglot does not know → those of Spark that do the same.
RENAMED = {
    "epoch_us": "unix_micros",
    "make_timestamptz": "timestamp_micros",
    "list_slice": "slice",
    "row": "struct",
    "split_part": "split_part",
    "rtrim": "rtrim",
    "ltrim": "ltrim",
}
# Functions that give other values on Spark, or do not exist there → what to write instead.
INSTEAD = {
    "approx_count_distinct": "count(distinct …)",
    "approx_quantile": "median(…)",
    "arbitrary": "min(…)",
    "entropy": "counts in a subquery, and -sum(share * log2(share))",
    "epoch": "epoch_us(…) // 1000000",
    "first": "arg_min(value, time)",
    "hash": "substr(sha256(…), 1, 16)",
    "kurtosis": "sums of powers of (x - mean), in a subquery",
    "last": "arg_max(value, time)",
    "list_sort": "list(x order by x)",
    "md5": "substr(sha256(…), 1, 32)",
    "mode": "arg_max(value, n) over counts in a subquery",
    "quantile_cont": "median(…)",
    "quantile_disc": "median(…)",
    "skewness": "sums of powers of (x - mean), in a subquery",
    "stddev": "sqrt(avg(x * x) - avg(x) * avg(x))",
    "strftime": "extract(… from …)",
    "time_bucket": "epoch_us(time) // microseconds",
    "variance": "avg(x * x) - avg(x) * avg(x)",
}
_SQLGLOT = {
    "ApproxDistinct": "approx_count_distinct",
    "ApproxQuantile": "approx_quantile",
    "DateBin": "time_bucket",
    "First": "first",
    "Kurtosis": "kurtosis",
    "Last": "last",
    "MD5": "md5",
    "Mode": "mode",
    "PercentileCont": "quantile_cont",
    "PercentileDisc": "quantile_disc",
    "Skewness": "skewness",
    "SortArray": "list_sort",
    "Stddev": "stddev",
    "StddevSamp": "stddev",
    "TimeToStr": "strftime",
    "Variance": "variance",
}


def spark_sql(sql: str, tables: Collection[str], *, where: str) -> str:
    """Return a SELECT of DuckDB's dialect in Spark's.

    Parameters
    ----------
    tables : names that it may read from
    where : the recipe's path, named in errors

    Raises
    ------
    RecipeError
        If it is not one SELECT, calls a function that is not the same on Spark, or reads another table.

    Examples
    --------
    >>> print(spark_sql("select extra['a'] as a, sum(1.0) as n from events group by all", ["events"], where="x.sql"))
    SELECT TRY_ELEMENT_AT(extra, 'a') AS a, SUM(1.0e0) AS n FROM events GROUP BY ALL
    """
    tree = _parsed(sql, where)
    _check_tables(tree, tables, where)
    _check_functions(tree, where)
    for node in reversed(list(tree.bfs())):  # what is inside comes first
        rule = _RULES.get(type(node).__name__)
        if rule and (new := rule(node, where)) is not node:
            node.replace(new)
    return str(tree.sql("spark"))


def _parsed(sql: str, where: str) -> Expr:
    try:
        from sqlglot import errors, exp, parse
    except ModuleNotFoundError as error:
        raise ConfigurationError("The engine spark needs the extra spark: pip install 'socml[spark]'.") from error
    try:
        statements = [s for s in parse(sql, read="duckdb") if s is not None]
    except errors.SqlglotError as error:
        raise RecipeError(f"{where}: {' '.join(str(error).split())[:300]}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise RecipeError(f"{where} must hold exactly one SELECT.")
    return statements[0]


def _check_tables(tree: Expr, tables: Collection[str], where: str) -> None:
    from sqlglot import exp

    known = {name.lower() for name in tables} | {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.db or table.name.lower() not in known:
            name = table.sql("duckdb")
            raise RecipeError(f"{where}: there is no table {name!r} for a recipe.{did_you_mean(name, sorted(known))}")


def _check_functions(tree: Expr, where: str) -> None:
    from sqlglot import exp

    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            known = name in RENAMED
        else:
            kind = type(node).__name__
            known, name = kind in SAME, _SQLGLOT.get(kind, node.sql_name().lower())
        if not known:
            _refuse(name, where)
    for join in tree.find_all(exp.Join):
        if join.args.get("method"):
            _refuse(f"{join.args['method'].lower()} join", where)


def _refuse(name: str, where: str) -> None:
    instead = INSTEAD.get(name)
    write = f"Write {instead} instead" if instead else "Write it with a function that the shipped recipes use"
    raise RecipeError(
        f"{where}: {name} does not give the same on Spark. {write}, or build the set without --engine spark."
    )


def _literal(node: Expr, where: str) -> Expr:
    # 1.0 is a DECIMAL on both, but an average of it has five places on Spark and is a DOUBLE on DuckDB
    if not node.args["is_string"] and "." in node.name and "e" not in node.name.lower():
        from sqlglot import exp

        return exp.Literal.number(f"{node.name}e0")
    return node


def _anonymous(node: Expr, where: str) -> Expr:
    return _call(RENAMED[node.name.lower()], *node.expressions)


def _bracket(node: Expr, where: str) -> Expr:
    """`list[2]`, `list[2:5]`, `map['key']`: null where there is nothing, as on DuckDB."""
    from sqlglot import exp

    (index,) = node.expressions
    if isinstance(index, exp.Slice):
        first = index.this or exp.Literal.number(1)
        if index.expression is None:
            return _call("slice", node.this, first, exp.Literal.number(2**31 - 1))
        return _call("slice", node.this, first, exp.Paren(this=index.expression.copy() - first.copy() + 1))
    if not isinstance(index, exp.Literal):
        raise RecipeError(f"{where}: an index that is no number and no text differs on Spark. Write it as one.")
    # sqlglot counts from 0, whatever the dialect
    key = index if index.is_string else exp.Literal.number(int(index.name) + 1)
    return _call("try_element_at", node.this, key)


def _collected(node: Expr, where: str) -> Expr:
    """`list(x order by a, b desc) filter (c)`: a list in that order; null if it is empty."""
    from sqlglot import exp

    condition = None
    if isinstance(node.parent, exp.Filter):  # it is translated together with its condition
        return node
    if isinstance(node, exp.Filter):
        if not isinstance(node.this, exp.ArrayAgg):
            return node
        node, condition = node.this, node.expression
    value, keys = node.this, []
    if isinstance(value, exp.Order):
        value, keys = value.this, value.expressions
    distinct = isinstance(value, exp.Distinct)
    if distinct:
        (value,) = value.expressions
        if any(key.this != value for key in keys):
            raise RecipeError(f"{where}: list(distinct x order by y) differs on Spark. Order it by x.")
    fields = [exp.alias_(key.this.copy(), f"k{i}") for i, key in enumerate(keys)]
    fields.append(exp.alias_(value.copy(), "v"))
    collected: Expr = _call("collect_set" if distinct else "collect_list", _call("struct", *fields))
    if condition is not None:
        collected = exp.Filter(this=collected, expression=condition.copy())
    ordered = _call("array_sort", collected.copy(), _comparison(keys)) if keys else collected.copy()
    values = _call("transform", ordered, _lambda(["x"], exp.column("v", table="x")))
    return exp.If(
        this=exp.EQ(this=_call("size", collected), expression=exp.Literal.number(0)), true=exp.Null(), false=values
    )


def _comparison(keys: list[Expr]) -> Expr:
    """Return `(l, r) -> …` for `array_sort`: by each key in turn, what is null last."""
    from sqlglot import exp

    case = exp.Case()
    for i, key in enumerate(keys):
        left, right = exp.column(f"k{i}", table="l"), exp.column(f"k{i}", table="r")
        smaller = -1 if not key.args.get("desc") else 1
        for test, says in (
            (exp.and_(left.copy().is_(exp.null()), exp.not_(right.copy().is_(exp.null()))), 1),
            (exp.and_(exp.not_(left.copy().is_(exp.null())), right.copy().is_(exp.null())), -1),
            (exp.LT(this=left.copy(), expression=right.copy()), smaller),
            (exp.GT(this=left.copy(), expression=right.copy()), -smaller),
        ):
            case = case.when(test, exp.Literal.number(says))
    return _lambda(["l", "r"], case.else_(exp.Literal.number(0)))


def _length(node: Expr, where: str) -> Expr:
    from sqlglot import exp

    lists = (exp.Split, exp.ArrayAgg, exp.Transform, exp.GenerateSeries)
    return _call("size", node.this) if isinstance(node.this, lists) else node


def _replaced(node: Expr, where: str) -> Expr:
    """`regexp_replace`: all of them on Spark, the first of them on DuckDB without 'g'."""
    pattern, modifiers = node.args["expression"].name, node.args.get("modifiers")
    everything = modifiers is not None and modifiers.name == "g"
    if not everything and not (modifiers is None and (pattern.endswith("$") or pattern.startswith("^"))):
        _refuse("regexp_replace without 'g'", where)
    return _call("regexp_replace", node.this, node.args["expression"], node.args["replacement"])


def _whole_match(node: Expr, where: str) -> Expr:
    from sqlglot import exp

    pattern = exp.Literal.string(f"^(?:{node.expression.name})$")
    return exp.RegexpLike(this=node.this, expression=pattern)


def _concat(node: Expr, where: str) -> Expr:
    """`concat`: what is null is left out; numbers are texts before that, or Spark would make the texts numbers."""
    from sqlglot import exp

    texts = [part if isinstance(part, exp.Literal) and part.is_string else _as_text(part) for part in node.expressions]
    return _call("concat", *texts)


def _as_text(node: Expr) -> Expr:
    from sqlglot import exp

    text = exp.Cast(this=node.copy(), to=exp.DataType.build("string", dialect="spark"))
    return exp.Coalesce(this=text, expressions=[exp.Literal.string("")])


def _integer(node: Expr, where: str) -> Expr:
    """`cast(x as bigint)`: a fraction is rounded, half to even, and not cut as Spark does."""
    from sqlglot import exp

    whole = _call("rint", node.this)
    is_double = exp.EQ(this=_call("typeof", node.this), expression=exp.Literal.string("double"))
    return exp.If(this=is_double, true=exp.Cast(this=whole, to=node.args["to"].copy()), false=node.copy())


def _cast(node: Expr, where: str) -> Expr:
    from sqlglot import exp

    integers = exp.DataType.INTEGER_TYPES
    return _integer(node, where) if node.args["to"].this in integers else _time_text(node, where)


def _time_text(node: Expr, where: str) -> Expr:
    """A time with an offset: Spark knows +00:00, not +00."""
    from sqlglot import exp

    if isinstance(node.this, exp.Literal) and node.this.is_string and node.this.name.endswith("+00"):
        return exp.Cast(
            this=exp.Literal.string(node.this.name + ":00"), to=exp.DataType.build("timestamp", dialect="spark")
        )
    return node


def _call(name: str, *arguments: Expr) -> Expr:
    from sqlglot import exp

    return exp.Anonymous(this=name.upper(), expressions=[argument.copy() for argument in arguments])


def _lambda(names: list[str], body: Expr) -> Expr:
    from sqlglot import exp

    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


_RULES: dict[str, Callable[[Expr, str], Expr]] = {
    "Anonymous": lambda node, where: _anonymous(node, where) if node.name.lower() in RENAMED else node,
    "ArrayAgg": _collected,
    "Bracket": _bracket,
    "Cast": _cast,
    "Concat": _concat,
    "Filter": _collected,
    "Length": _length,
    "Literal": _literal,
    "RegexpFullMatch": _whole_match,
    "RegexpReplace": _replaced,
}
