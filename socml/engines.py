"""A recipe's SELECT and Arrow tables → a stream of Arrow batches, in bounded memory, with no way out.

The connection has no file, network or configuration access once its tables are registered: a recipe can
read the tables it was given and nothing else.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from socml.errors import RecipeError, SocmlError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 100_000


@contextmanager
def sealed_connection(
    tables: dict[str, Any],
    *,
    views: dict[str, str] | None = None,
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    memory_limit: str = "4GB",
    threads: int = 0,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection that sees `tables` (Arrow tables or datasets) and cannot reach outside.

    Parameters
    ----------
    tables : mapping of name to Arrow table or dataset
    views : mapping of name to trusted SQL, made before the connection is sealed
    prepare : called with the connection before it is sealed, to make tables from files by trusted SQL
    memory_limit : what may be held before it spills to a temporary folder, for example "4GB"
    threads : 0 means as many as the machine has cores
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="socml-spill-") as spill:
        settings: dict[str, Any] = {"memory_limit": memory_limit, "temp_directory": spill}
        settings["threads"] = threads or os.cpu_count() or 1
        connection = duckdb.connect(config=settings)
        try:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set python_enable_replacements = false")
            connection.execute("set preserve_insertion_order = false")
            for name, table in tables.items():
                connection.register(name, table)
            for name, sql in (views or {}).items():
                connection.execute(f'create temp view "{name}" as {sql}')
            if prepare is not None:
                prepare(connection)
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection
        finally:
            connection.close()


def select_batches(
    connection: duckdb.DuckDBPyConnection, sql: str, *, where: str, batch_rows: int = BATCH_ROWS
) -> pa.RecordBatchReader:
    """Run one SELECT and return its rows as a stream of batches.

    Parameters
    ----------
    where : the recipe's path, named in errors

    Raises
    ------
    RecipeError
        If `sql` is not exactly one SELECT, does not run, or reaches outside.
    """
    import duckdb

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise RecipeError(f"{where}: {_first_lines(error)}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise RecipeError(f"{where} must hold exactly one SELECT.")
    try:
        return connection.sql(sql).to_arrow_reader(batch_rows)
    except duckdb.OutOfMemoryException as error:
        raise SocmlError(f"{where}: out of memory: raise memory_limit in socml.toml. {_first_lines(error)}") from error
    except duckdb.Error as error:
        raise RecipeError(f"{where}: {_first_lines(error)}") from error


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split())
