"""DuckDB's SELECT in Spark's words: what is translated, and what is refused with its name. No Spark is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.features.meanings import VIEWS
from socml.project import Project, RecipeError, load_feature_recipe, recipe_names, spark_sql, starter_root

SHIPPED = Project(root=starter_root(), workspace=Path("unused"))
RECIPES = [load_feature_recipe(name, SHIPPED) for name in recipe_names("features", SHIPPED)]


def translated(sql: str) -> str:
    return spark_sql(sql, ["events"], where="features/x.sql")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_shipped_set_translates(recipe) -> None:
    tables = {"events", "event_templates", "table_columns", "meanings", *VIEWS}
    tables |= {name for key in recipe.first_seen for name in (key, f"{key}_sources", f"every_{key}")}
    assert spark_sql(recipe.sql, tables, where=str(recipe.path)).startswith(("SELECT", "WITH"))


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("avg(0.5)", "AVG(0.5e0)"),  # a DECIMAL's average has five places on Spark
        ("a // 3", "a DIV 3"),
        ("epoch_us(time)", "UNIX_MICROS(time)"),
        ("regexp_full_match(a, 'x|y')", "a RLIKE '^(?:x|y)$'"),
        ("regexp_extract(a, 'x')", "REGEXP_EXTRACT(a, 'x', 0)"),
        ("string_split(a, '.')", r"SPLIT(a, CONCAT('\\Q', '.', '\\E'))"),
        ("extra['it''s']", r"TRY_ELEMENT_AT(extra, 'it\'s')"),
        ("b[2:3]", "SLICE(b, 2, ((3 - 2) + 1))"),
        ("len(string_split(a, '.'))", r"SIZE(SPLIT(a, CONCAT('\\Q', '.', '\\E')))"),
        ("concat('x', 1)", "CONCAT('x', COALESCE(CAST(1 AS STRING), ''))"),
        ("a is distinct from b", "a IS DISTINCT FROM b"),
        ("cast(a as bigint)", "IF(TYPEOF(a) = 'double', CAST(RINT(a) AS BIGINT), CAST(a AS BIGINT))"),
    ],
)
def test_what_means_another_thing_on_spark_is_written_otherwise(duckdb: str, spark: str) -> None:
    assert translated(f"select {duckdb} as x from events") == f"SELECT {spark} AS x FROM events"


def test_a_list_keeps_its_order_and_is_null_when_empty() -> None:
    said = translated("select list(a order by b desc, c) filter (d) as x from events")
    assert said.startswith("SELECT IF(SIZE(COLLECT_LIST(STRUCT(b AS k0, c AS k1, a AS v)) FILTER(WHERE d)) = 0, NULL")
    assert "ARRAY_SORT" in said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select hash(a) from events", "hash .*sha256"),
        ("select kurtosis(a) from events", "kurtosis .*powers"),
        ("select approx_quantile(a, 0.5) from events", "approx_quantile .*median"),
        ("select quantile_cont(a, 0.5) from events", "quantile_cont .*median"),
        ("select time_bucket(interval 5 minutes, time) from events", "time_bucket .*epoch_us"),
        ("select mode(a) from events", "mode .*arg_max"),
        ("select regexp_replace(a, 'b', 'c') from events", "regexp_replace without 'g'"),
        ("select a from events asof join events e using (time)", "asof join"),
        ("select no_such_function(a) from events", "no_such_function .*shipped recipes use"),
        ("select reflect('java.lang.System', 'getenv', 'HOME') from events", "reflect "),
        ("select java_method('java.lang.Runtime', 'getRuntime') from events", "java_method "),
        ("select getenv('HOME') from events", "getenv "),
        ("select current_user from events", "current_user|session"),
        ("select * from other", "no table 'other'"),
        ("select * from default.events", "no table"),
        ("select * from parquet.'/etc/passwd'", "x.sql"),
        ("select * from read_csv('/etc/passwd')", "no table|read_csv"),
        ("select * from '/etc/passwd'", "no table|x.sql"),
        ("select 1; select 2", "exactly one SELECT"),
        ("drop table events", "exactly one SELECT"),
        ("create table t as select 1", "exactly one SELECT"),
        ("select from where", "x.sql"),
        ("", "exactly one SELECT"),
    ],
)
def test_what_differs_or_reaches_outside_is_refused_by_name(sql: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as caught:
        translated(sql)
    assert str(caught.value).startswith("features/x.sql")
