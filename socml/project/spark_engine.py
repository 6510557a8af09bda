"""SQL of DuckDB's dialect and Parquet files → Arrow tables and Parquet files, by Apache Spark, on this machine or many.

`SparkConnection` takes the same SQL as a sealed connection of DuckDB. A recipe reads the tables that it was given and
nothing else: `spark_sql` refuses every other table and every function that is not on its list before Spark sees the text.
One Spark session is started for each master and kept until the process ends.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from socml.project.errors import ConfigurationError, RecipeError
from socml.project.scratch import ScratchFolder
from socml.project.spark_sql import spark_sql

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession

S = TypeVar("S")
T = TypeVar("T")
LOCAL = "local[*]"
_PARTITIONS = "spark.sql.shuffle.partitions"
# Set where the master is this machine; a cluster's own settings count elsewhere.
_LOCAL_SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # a division by zero is an error, not a null
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def spark_session(master: str = LOCAL, *, memory_limit: str = "4GB") -> SparkSession:
    """Return the process's Spark session, started at a master if there is none yet.

    Parameters
    ----------
    master : "local[2]", "spark://host:7077", "yarn", "k8s://…"
    memory_limit : what the driver (locally: all of Spark) may hold, for example "4GB"

    Raises
    ------
    ConfigurationError
        If PySpark or Java 17 is not there, or the master cannot be reached.
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise ConfigurationError("The engine spark needs the extra spark: pip install 'socml[spark]'.") from error
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise ConfigurationError(
            "The engine spark needs Java 17 or later, and there is none. On Debian: apt-get install openjdk-17-jre-headless"
        )
    logging.getLogger("SQLQueryContextLogger").disabled = True  # errors are said once, in words of ours
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("socml")
    local = master.startswith("local")
    if local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nothing of this machine's Spark is reached from outside
    own = _settings_here() if local else {}
    for name, value in {**_SETTINGS, **own, "spark.driver.memory": _java_memory(memory_limit)}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise ConfigurationError(f"Spark did not start with the master {master!r}: {_first_line(error)}") from error
    if local and session.conf.get(_PARTITIONS) == "200":  # Spark's default is for a cluster
        session.conf.set(_PARTITIONS, str(2 * (os.cpu_count() or 1)))
    atexit.register(session.stop)
    return session


def _settings_here() -> dict[str, str]:
    """Return the settings of a master that is this machine: what it spills is nobody else's, and goes after a kill, too."""
    scratch = ScratchFolder("spark")
    atexit.register(scratch.cleanup)  # after the session's end, which is registered later
    folders = dict.fromkeys(("spark.local.dir", "spark.sql.warehouse.dir"), scratch.name)
    return {**_LOCAL_SETTINGS, **folders, "spark.driver.defaultJavaOptions": f'-Djava.io.tmpdir="{scratch.name}"'}


def _java_memory(limit: str) -> str:
    """Return "4GB" as Java writes it, "4g"."""
    found = re.fullmatch(r"\s*([0-9]+)\s*([KMGT])i?B\s*", limit, re.IGNORECASE)
    if not found:
        raise ConfigurationError(f"[engine] memory_limit is {limit!r}: Spark needs a number and KB, MB, GB or TB.")
    return found[1] + found[2].lower()


class SparkConnection:
    """Tables and views of one run, and what SQL says of them. Names are of this connection alone.

    Parameters
    ----------
    session : as `spark_session` returns it
    """

    def __init__(self, session: SparkSession) -> None:
        self._session = session.newSession()
        for name, value in _SETTINGS.items():
            if name.startswith("spark.sql"):
                self._session.conf.set(name, value)
        self._session.conf.set(_PARTITIONS, str(session.conf.get(_PARTITIONS)))
        self._kept: list[DataFrame] = []
        self._scratch = ScratchFolder("spark")
        self.tables: set[str] = set()

    def close(self) -> None:
        """Forget the tables."""
        for frame in self._kept:
            frame.unpersist()
        for name in self.tables:
            self._session.catalog.dropTempView(name)
        self._scratch.cleanup()

    def read_parquet(self, name: str, files: Sequence[Path | str]) -> None:
        """Make Parquet files one table; a column that a file lacks is null. Files may lie on object storage (`s3a://…`)."""
        reader = self._session.read.option("mergeSchema", "true")
        self._name(name, reader.parquet(*[str(file) for file in files]))

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table of the driver a table."""
        path = Path(self._scratch.name) / f"{len(self.tables)}.parquet"
        pq.write_table(table, path, coerce_timestamps="us")
        self._name(name, self._session.read.parquet(str(path)))

    def define(self, name: str, sql: str, *, where: str = "", keep: bool = False) -> None:
        """Make a SELECT a view, or a table that is computed once if it is to be kept."""
        frame = self.select(sql, where=where or name)
        if keep:
            frame = frame.persist()
            self._kept.append(frame)
        self._name(name, frame)

    def select(self, sql: str, *, where: str) -> DataFrame:
        """Return what a SELECT of DuckDB's dialect gives; nothing is computed yet.

        Raises
        ------
        RecipeError
            If it cannot be translated, or names what is not there.
        """
        with spark_errors(where):
            return self._session.sql(spark_sql(sql, self.tables, where=where))

    def table(self, sql: str, *, where: str) -> pa.Table:
        """Return the rows of a SELECT."""
        frame = self.select(sql, where=where)
        with spark_errors(where):
            return plain_types(frame.toArrow())

    def batches(self, frame: DataFrame, *, where: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a SELECT in its order, through files, so that the driver holds one batch at a time."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch.name))
        with spark_errors(where):
            frame.write.mode("overwrite").parquet(str(folder))
        for path in sorted(folder.glob("part-*.parquet")):
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches():
                    yield from plain_types(pa.Table.from_batches([batch])).to_batches()
        shutil.rmtree(folder)

    def broadcast(self, value: T) -> Broadcast[T]:
        """Return a value that every machine of the cluster gets once."""
        return self._session.sparkContext.broadcast(value)

    def map(self, function: Callable[[S], T], values: Sequence[S], *, where: str) -> list[T]:
        """Return what a function makes of each value, in their order; each is a task of its own.

        Raises
        ------
        RecipeError
            If a task ends its process, or raises, as often as Spark tries it.
        """
        with spark_errors(where):
            made: list[T] = self._session.sparkContext.parallelize(values, max(len(values), 1)).map(function).collect()
            return made

    def _name(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self.tables.add(name)


@contextmanager
def spark_connection(master: str, *, memory_limit: str = "4GB") -> Iterator[SparkConnection]:
    """Yield a connection to a master's session, and forget its tables after that."""
    connection = SparkConnection(spark_session(master, memory_limit=memory_limit))
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def spark_errors(where: str) -> Iterator[None]:
    """Say what Spark could not do in one sentence, with the recipe's path."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        raise RecipeError(f"{where}, on Spark: {_first_line(error)}") from error


def plain_types(table: pa.Table) -> pa.Table:
    """Return a table with the types that DuckDB gives: plain strings, no dictionaries, times in UTC."""
    fields = []
    for field in table.schema:
        kind = field.type
        if pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            kind = pa.string()
        if pa.types.is_timestamp(kind):
            kind = pa.timestamp("us", tz="UTC")
        fields.append(pa.field(field.name, kind))
    return table.replace_schema_metadata(None).cast(pa.schema(fields))


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).strip().split("\n\n")[0].split("\n")[:2])
    return text[:400]
