"""A recipe's SELECT and Arrow tables → a stream of Arrow batches, in bounded memory and time, with no way out.

The connection has no file, network or configuration access from its first statement on, before any table or any name
from data reaches it: a recipe can read the tables it was given and nothing else. Names from data are never code: they
reach SQL through `quoted`, and nowhere else.

Blind to one call over one value: DuckDB looks at the time limit between its blocks of rows, so that a single huge list
ends at the memory limit, not at the time limit.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from socml.project.errors import ConfigurationError, DataError, RecipeError, SocmlError
from socml.project.scratch import ScratchFolder

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 100_000
_OPEN: dict[int, duckdb.DuckDBPyConnection] = {}  # the connections of this process


def quoted(name: str) -> str:
    """Return a name from data, a recipe or a user as an identifier of SQL, whatever characters it has.

    Raises
    ------
    DataError
        If it is empty or holds a NUL, which no identifier can.

    Examples
    --------
    >>> print(quoted('bytes"; drop table events --'))
    "bytes""; drop table events --"
    """
    if not name or "\0" in name:
        raise DataError(f"A column cannot be named {name[:40]!r}: a name has a character, and no NUL. Rename it.")
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """Return a text from data, a recipe or a user as a value of SQL.

    Raises
    ------
    DataError
        If it holds a NUL.

    Examples
    --------
    >>> print(quoted_text("it's"))
    'it''s'
    """
    if "\0" in text:
        raise DataError(f"{text[:40]!r} holds a NUL, which SQL cannot.")
    return "'" + text.replace("'", "''") + "'"


def memory_bytes(limit: str) -> int:
    """Return how many bytes a limit on memory stands for, as DuckDB reads it.

    Raises
    ------
    ConfigurationError
        If it is none.

    Examples
    --------
    >>> memory_bytes("4GB"), memory_bytes("512 MiB")
    (4000000000, 536870912)
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)(i?)B?\s*", limit, re.IGNORECASE)
    if not found or not found[1].replace(".", "", 1).isdigit():
        raise ConfigurationError(f"[engine] memory_limit is {limit!r}: it is a number and KB, MB, GB or TB.")
    power = " KMGT".index(found[2].upper() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


@contextmanager
def sealed_connection(
    tables: dict[str, object],
    *,
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    readable: Sequence[Path] = (),
    memory_limit: str = "4GB",
    threads: int = 0,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection that sees `tables` (Arrow tables or datasets) and cannot reach outside.

    Parameters
    ----------
    tables : mapping of name to Arrow table or dataset
    prepare : called with the connection before it is sealed, to make tables from files of the workspace by SQL that
        holds no text from data
    readable : files that stay readable once it is sealed, and no others: for views over a dataset's own Parquet files,
        which a recipe is given anyway
    memory_limit : what may be held before it spills to a temporary folder, for example "4GB"
    threads : 0 means as many as the machine has cores
    """
    import duckdb

    with ScratchFolder("spill") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": spill,
            "threads": threads or os.cpu_count() or 1,
        }
        connection = duckdb.connect(config=config)
        _OPEN[id(connection)] = connection
        try:
            _settle(connection)
            if prepare is not None:
                prepare(connection)
            _seal(connection, readable)
            for name, table in tables.items():
                connection.register(name, table)
            yield connection
        finally:
            del _OPEN[id(connection)]
            connection.close()


def interrupt_queries() -> None:
    """End what DuckDB is doing in this process, each query with `duckdb.InterruptException`; from any thread."""
    if not _OPEN:
        return
    import duckdb

    for connection in list(_OPEN.values()):
        with suppress(duckdb.Error):  # it is being closed
            connection.interrupt()


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    connection.execute("set TimeZone = 'UTC'")
    with suppress(duckdb.InvalidInputException):  # in Jupyter without ipywidgets, where there is no bar
        connection.execute("set enable_progress_bar = false")  # else shown where there is no script: python -c
    connection.execute("set python_enable_replacements = false")
    connection.execute("set preserve_insertion_order = false")


def _seal(connection: duckdb.DuckDBPyConnection, readable: Sequence[Path]) -> None:
    if readable:
        allowed = ", ".join(quoted_text(str(path)) for path in readable)
        connection.execute(f"set allowed_paths = [{allowed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def checked_select(connection: duckdb.DuckDBPyConnection, sql: str, *, where: str) -> duckdb.DuckDBPyRelation:
    """Return what a recipe's SQL selects; nothing is computed yet.

    Parameters
    ----------
    where : the recipe's path, named in errors

    Raises
    ------
    RecipeError
        If `sql` is not exactly one SELECT, names what is not there, or reaches outside.
    """
    import duckdb

    with _recipe_errors(where):
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise RecipeError(f"{where} must hold exactly one SELECT.")
        return connection.sql(sql)


def stream(
    connection: duckdb.DuckDBPyConnection,
    relation: duckdb.DuckDBPyRelation,
    *,
    where: str,
    limit_s: float | None = None,
    batch_rows: int = BATCH_ROWS,
) -> pa.RecordBatchReader:
    """Return the rows of a relation of `connection` as a stream of batches.

    Parameters
    ----------
    where : the recipe's path, named in errors
    limit_s : seconds from the first row asked for to the last; None: no limit

    Raises
    ------
    RecipeError
        If a value does not fit, or the time is over; while rows are read, too.
    """
    import pyarrow as pa

    with _recipe_errors(where), _time_limit(connection, limit_s):
        reader = relation.to_arrow_reader(batch_rows)

    def batches() -> Iterator[pa.RecordBatch]:
        with _recipe_errors(where), _time_limit(connection, limit_s):
            yield from reader

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def select_batches(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    where: str,
    limit_s: float | None = None,
    batch_rows: int = BATCH_ROWS,
) -> pa.RecordBatchReader:
    """Run one SELECT and return its rows as a stream of batches: `checked_select`, then `stream`."""
    relation = checked_select(connection, sql, where=where)
    return stream(connection, relation, where=where, limit_s=limit_s, batch_rows=batch_rows)


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, limit_s: float | None) -> Iterator[None]:
    import duckdb

    if limit_s is None:
        yield
        return
    over = threading.Event()

    def interrupt() -> None:
        over.set()
        connection.interrupt()

    timer = threading.Timer(limit_s, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (duckdb.InterruptException, OSError) as error:  # Arrow's stream knows no other class
        if over.is_set():
            raise _TimeIsOver(f"{limit_s:g} seconds") from error
        raise
    finally:
        timer.cancel()


class _TimeIsOver(Exception): ...


@contextmanager
def _recipe_errors(where: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except _TimeIsOver as error:
        raise RecipeError(
            f"{where} took more than {error}. Make it cheaper, or raise time_limit_s in [engine] of socml.toml."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise SocmlError(f"{where}: out of memory: raise memory_limit in socml.toml. {_first_lines(error)}") from error
    except (duckdb.Error, OSError) as error:
        if "Out of Memory" in str(error):
            raise SocmlError(
                f"{where}: out of memory: raise memory_limit in socml.toml. {_first_lines(error)}"
            ) from error
        raise RecipeError(f"{where}: {_first_lines(error)}") from error


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split())
