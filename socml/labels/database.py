"""A database address → an engine whose schema is current, whoever else opens it at the same moment."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa

from socml.labels.records import Entry, FamilyEdit, LabelEvent, Lease, SecondLook, fields_of
from socml.project import (
    ConfigurationError,
    DataError,
    Sentence,
    TryLater,
    as_socml_error,
    first_line,
    private_file,
    private_folder,
    store_error,
)

if TYPE_CHECKING:
    from alembic.runtime.migration import RevisionStep

HEAD = "0003"
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 30_000  # a writer holds SQLite for about a millisecond; this is for a machine that is very busy
STUCK_MS = 60_000  # a writer that asks nothing for so long was stopped, or its machine is gone: PostgreSQL lets it go
DAMAGED = "Restore it from a backup, or move it away and import an export: socml labels import. See: socml doctor"
LOCK = 7_305_108  # any number: PostgreSQL's advisory lock that puts writers of labels in one line


class Utc(sa.types.TypeDecorator[datetime]):
    """Times are stored and read as UTC, though SQLite keeps no zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        """Return the time with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Names(sa.types.TypeDecorator[frozenset[str]]):
    """A set of names is kept as a JSON array, sorted; an empty one as nothing."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: object) -> str | None:
        """Return what is stored."""
        return json.dumps(sorted(value)) if value else None

    def process_result_value(self, value: str | None, dialect: object) -> frozenset[str]:
        """Return the names."""
        return frozenset(json.loads(value or "[]"))


class Json(sa.types.TypeDecorator[dict[str, Any]]):
    """A mapping is kept as the text of a JSON object, its names sorted."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: object) -> str:
        """Return what is stored."""
        return json.dumps(value or {}, ensure_ascii=True, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: object) -> dict[str, Any]:
        """Return the mapping."""
        return dict(json.loads(value or "{}"))


_STORED: dict[type, type[sa.types.TypeEngine[Any]]] = {
    int: sa.BigInteger, float: sa.Double, str: sa.Text, bool: sa.Boolean, datetime: Utc, frozenset: Names, dict: Json,
}  # fmt: skip


def _table(name: str, record: type[NamedTuple], key: Collection[str] = ("id",)) -> sa.Table:
    """Return the table whose columns are the fields of a record."""
    columns = [
        sa.Column(field, _STORED[kind], primary_key=field in key) for field, (kind, _) in fields_of(record).items()
    ]
    return sa.Table(name, sa.MetaData(), *columns)


LABEL_EVENT = _table("label_event", LabelEvent)
STANDING_LABEL = _table("standing_label", LabelEvent)
LABEL_LEASE = _table("label_lease", Lease, ("campaign", "row_id"))
FAMILY_EDIT = _table("family_edit", FamilyEdit)
SECOND_LOOK = _table("second_look", SecondLook)
JOURNAL = _table("journal", Entry)


Query = TypeVar("Query", bound=sa.Select[Any])


def in_dataset(query: Query, table: sa.Table, dataset: str) -> Query:
    """Narrow to one dataset; what names none counts for each."""
    return query.where(sa.or_(table.c.dataset == dataset, table.c.dataset.is_(None))) if dataset else query


def last_labels(whose: Sequence[str], dataset: str = "") -> sa.Select[Any]:
    """Return a query for the label that stands for each of `whose`: row_id, or row_id and by.

    The same as the views, but within one dataset: the same record may be a row of several.
    """
    label = STANDING_LABEL.c
    order = [label.suggested, label.id.desc()]
    place = sa.func.row_number().over(partition_by=[label[name] for name in whose], order_by=order)
    ranked = in_dataset(sa.select(STANDING_LABEL, place.label("place")), STANDING_LABEL, dataset).subquery()
    return (
        sa.select(*[ranked.c[column.name] for column in STANDING_LABEL.columns])
        .where(ranked.c.place == 1)
        .order_by(ranked.c.id)
    )


class Connections:
    """Transactions on one store: many readers, and writers one after the other.

    A database that is busy, away or full is `TryLater`, a damaged one `DataError`; nothing of the transaction is
    stored then.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.engine = connect(url)
        self.writer = writing(self.engine)
        self._read_only = read_only

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Begin a transaction that only reads."""
        with _in_one_sentence(), self.engine.begin() as connection:
            yield connection

    def check_writable(self) -> None:
        """Raise ConfigurationError if whoever opened the store may only look."""
        if self._read_only:
            raise ConfigurationError(Sentence("error.viewer"))

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Begin a transaction that holds the store's write lock; it is stored when the block ends."""
        self.check_writable()
        with _in_one_sentence(), self.writer.begin() as connection:
            yield connection


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Tell what the database raises, of a NUL or half a letter too; what says nothing about the store (a constraint) is raised as it is."""
    try:
        yield
    except (sa.exc.DataError, UnicodeEncodeError, OverflowError) as error:
        why = first_line(getattr(error, "orig", None) or error)
        known = as_socml_error(error) or DataError(f"The label store cannot keep a value that it was given: {why}.")
        raise known from error
    except sa.exc.DatabaseError as error:
        failure = store_error(error, store="The label store", remedy=DAMAGED)
        if failure is None and isinstance(error, (sa.exc.OperationalError, sa.exc.InternalError)):
            failure = TryLater(Sentence("error.store_busy", why=error.orig))
        elif failure is None and isinstance(error, sa.exc.ProgrammingError):
            failure = as_socml_error(error)
        if failure is None:
            raise
        raise failure from error


def now(connection: sa.Connection) -> datetime:
    """Return the time: a team's database has one clock, whatever its analysts' machines say."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.exec_driver_sql("select clock_timestamp()").scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def connect(url: str) -> sa.Engine:
    """Return an engine for `url`, its schema made or upgraded.

    Raises
    ------
    ConfigurationError
        If the address cannot be used, or a newer socml wrote the store.
    DataError
        If it is damaged, or no label store.
    TryLater
        If the database is away, busy or full.
    """
    try:
        engine = sa.create_engine(url)
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"The label store's database needs the package {error.name}. Install it.") from error
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        raise ConfigurationError(f"The label store's address cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        if engine.url.database and not engine.url.database.startswith(("file:", ":")):
            private_folder(Path(engine.url.database).parent)
            with suppress(OSError):  # where it cannot be made, SQLite says so in its own words
                private_file(Path(engine.url.database))  # its -wal and -shm get the same rights
            sa.event.listen(engine, "checkout", partial(_check_file, engine.url.database))
        sa.event.listen(engine, "connect", _prepare_sqlite)
    elif engine.dialect.name != "postgresql":
        raise ConfigurationError(f"Labels are kept in SQLite or PostgreSQL, not in {engine.dialect.name}.")
    sa.event.listen(engine, "begin", _begin)
    try:
        with _in_one_sentence():
            _bring_up_to_date(engine)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, TryLater) and _may_not_be_written(engine):
            raise ConfigurationError(
                f"The label store may not be written: {error} Check who may write there."
            ) from error
        raise
    return engine


def _may_not_be_written(engine: sa.Engine) -> bool:
    """Say whether a SQLite store lies in a folder that is read only, which SQLite tells as a file it cannot open."""
    name = engine.url.database
    return engine.dialect.name == "sqlite" and bool(name) and not os.access(Path(str(name)).parent, os.W_OK)


def writing(engine: sa.Engine) -> sa.Engine:
    """Return `engine` such that each transaction holds the store's one write lock from its start.

    One writer at a time makes the order of ids the order of commits, so a reader that has seen id n has
    seen all before it; and SQLite cannot refuse a lock halfway through a transaction.
    """
    return engine.execution_options(writing=True)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not guessed by the driver
    connection.execute(f"pragma busy_timeout = {BUSY_MS}")
    _write_ahead(connection)
    connection.execute("pragma synchronous = full")  # what was acknowledged survives a power cut
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma recursive_triggers = on")  # so that `insert or replace` meets the delete guard


def _check_file(path: str, _connection: object, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
    """Have a connection made anew if another file took the place of its own, as a restore does: its labels would be lost."""
    try:
        found = os.stat(path)
    except OSError:
        return  # SQLite says so in its own words
    file = (found.st_dev, found.st_ino)
    if record.info.setdefault("file", file) != file:
        raise sa.exc.DisconnectionError


def _write_ahead(connection: sqlite3.Connection) -> None:
    last = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() >= last:
                return  # who asks for the first row is told
            time.sleep(0.02)  # SQLite does not wait here when another process switches at the same moment
        else:
            return


def _begin(connection: sa.Connection) -> None:
    is_writing = connection.get_execution_options().get("writing", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("begin immediate" if is_writing else "begin")
    elif is_writing:
        limits = {"lock_timeout": BUSY_MS, "idle_in_transaction_session_timeout": STUCK_MS}
        limited = ", ".join(f"set_config('{name}', '{ms}', true)" for name, ms in limits.items())
        connection.exec_driver_sql(f"select {limited}")
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")


def _bring_up_to_date(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        if _revision(connection) == HEAD:  # the usual case costs one query and no import of Alembic
            return
    with writing(engine).begin() as connection:
        _upgrade(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    revision = _revision(connection)
    if revision is not None and revision not in {r.revision for r in script.walk_revisions()}:
        raise ConfigurationError(f"The label store is at revision {revision!r}: a newer socml wrote it. Upgrade socml.")

    def steps(at: str, _context: object) -> list[RevisionStep]:
        return script._upgrade_revs("head", at)

    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
