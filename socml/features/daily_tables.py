"""The events of a dataset → one table a feature set and day, built from that day and the history only.

`workspace/daily/DATASET/features/SET/2026-03-02.parquet`: entity, role, the columns, and what they are about.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from socml.features import meanings
from socml.features.daily_state import KEY, DailyState
from socml.features.first_seen import History, Key, keys_of, parquet_sql
from socml.features.spark_features import spark_day
from socml.project import (
    DataError,
    FeatureRecipe,
    Part,
    Project,
    RecipeError,
    SparkConnection,
    checked_select,
    did_you_mean,
    event_parts,
    events_folder,
    load_feature_recipe,
    part_path,
    quoted,
    quoted_text,
    read_manifest,
    safe_name,
    sealed_connection,
    select_batches,
    write_table,
)

if TYPE_CHECKING:
    import duckdb

Step = Callable[[date, int, int], None]  # a day that begins, how many are done, how many there are to do


@dataclass(frozen=True)
class DailyTables:
    """The tables of some feature sets of a dataset, all days of them up to date.

    Attributes
    ----------
    days : the days that have events, in order
    built : how many days were built by this call; the others were up to date
    versions : day → what tells its tables from others that it might have had; it says nothing of earlier days
    events : returns the parts that hold the events of a day
    """

    folder: Path
    recipes: tuple[FeatureRecipe, ...]
    days: tuple[date, ...]
    built: int
    versions: dict[date, str]
    events: Callable[[date], list[Part]]

    def read(self, recipe: FeatureRecipe, day: date) -> pa.Table:
        """Return the table of a feature set and day."""
        return pq.read_table(_table_path(self.folder, recipe, day))

    def count(self, recipe: FeatureRecipe, day: date) -> int:
        """Return how many rows that table has."""
        rows: int = pq.read_metadata(_table_path(self.folder, recipe, day)).num_rows
        return rows


def build_daily(
    feature_sets: Sequence[str | FeatureRecipe],
    dataset: str,
    *,
    project: Project,
    inside: Sequence[IPv4Network] = (),
    step: Step | None = None,
) -> DailyTables:
    """Bring the tables of some feature sets up to date with the events of a dataset.

    A new day reads that day's events and the history. An event that comes late makes its day and the later ones stale,
    and only those are built again. The result has the same bytes as if all had been built at once.

    Parameters
    ----------
    inside : networks of the organisation, beside the private ones

    Raises
    ------
    UnknownName, RecipeError
    DataError
        If no event of the dataset has a time.
    """
    recipes = tuple(load_feature_recipe(s, project) if isinstance(s, str) else s for s in feature_sets)
    for recipe in recipes:
        _check(recipe)
    folder = daily_folder(project, dataset)
    parts = event_parts(project, dataset)
    state = _state_of(folder, parts, project, dataset, inside)
    if not state.days:
        raise DataError(f"No event of {dataset} has a time, so it has no days.")
    histories = [History(folder / "history", key) for key in keys_of(r.first_seen for r in recipes)]
    _forget_stale(state, histories, folder)
    todo = [day for day in state.days if _lacking(state, day, histories, recipes)]
    for done, day in enumerate(todo):
        if step:
            step(day, done, len(todo))
        files = [part_path(project, dataset, part) for part in state.parts_of(day, parts)]
        _build_day(day, files, state, histories, recipes, folder, project=project, inside=inside)
        state.write(folder / "state.json")
    for history in histories:
        history.compact(state.days[-1])
    return DailyTables(
        folder, recipes, tuple(state.days), len(todo), _versions(state, recipes), partial(state.parts_of, parts=parts)
    )


def days_to_build(
    feature_sets: Sequence[str | FeatureRecipe], dataset: str, *, project: Project, inside: Sequence[IPv4Network] = ()
) -> list[date]:
    """Return the days that `build_daily` would build now; nothing is written.

    Raises
    ------
    UnknownName, RecipeError
    """
    recipes = tuple(load_feature_recipe(s, project) if isinstance(s, str) else s for s in feature_sets)
    folder = daily_folder(project, dataset)
    state = _known_state(folder, inside)
    state.take(event_parts(project, dataset), lambda part: _days_in(part_path(project, dataset, part)))
    histories = [History(folder / "history", key) for key in keys_of(r.first_seen for r in recipes)]
    return [day for day in state.days if _lacking(state, day, histories, recipes)]


def daily_folder(project: Project, dataset: str) -> Path:
    """Return the folder of a dataset's daily list, whether or not it is there."""
    return project.workspace / "daily" / safe_name(dataset)


def _state_of(
    folder: Path, parts: Sequence[Part], project: Project, dataset: str, inside: Sequence[IPv4Network]
) -> DailyState:
    """Return the state with all events known, and what is stale forgotten; begin anew if meanings have changed."""
    state = _known_state(folder, inside)
    if not state.events:  # nothing counts of what may lie there
        shutil.rmtree(folder, ignore_errors=True)
    before = set(state.events)
    manifest = read_manifest(events_folder(project, dataset))
    kept_from = manifest.kept_from if manifest else ""
    state.take(parts, lambda part: _days_in(part_path(project, dataset, part)), kept_from=kept_from)
    for day in before - set(state.events):
        for path in folder.glob(f"features/*/{day}.parquet"):
            path.unlink()
    state.write(folder / "state.json")
    return state


def _known_state(folder: Path, inside: Sequence[IPv4Network]) -> DailyState:
    """Return the state as it was written; an empty one if meanings have changed since."""
    state = DailyState.read(folder / "state.json")
    identity = "/".join([meanings.VERSION, *sorted(str(network) for network in inside)])
    return state if state.meanings == identity else DailyState(meanings=identity)


def _forget_stale(state: DailyState, histories: list[History], folder: Path) -> None:
    """Cut away what histories remember of stale days: all files if days became stale, else what a killed run wrote."""
    for history in histories:
        part = _key_part(history.key)
        built = {date.fromisoformat(day) for day in state.built(part)}
        if part in state.uncut:
            history.forget(built)
        else:
            history.drop_unfinished(built)
        history.compact(state.days[-1])  # one that was stopped halfway left keys twice
    if state.uncut:
        state.uncut -= {_key_part(history.key) for history in histories}
        state.write(folder / "state.json")


def _versions(state: DailyState, recipes: Sequence[FeatureRecipe]) -> dict[date, str]:
    of_all = "\n".join([state.meanings, *(_set_part(recipe) for recipe in recipes)])
    return {
        day: hashlib.blake2b(f"{of_all}\n{state.events[day.isoformat()]}".encode(), digest_size=16).hexdigest()
        for day in state.days
    }


def _days_in(path: Path) -> list[str]:
    found: list[tuple[date]] = []
    sql = f"select distinct cast(time as date) from {parquet_sql([path])} where time is not null"  # noqa: S608
    with sealed_connection({}, prepare=lambda c: found.extend(c.execute(sql).fetchall())):
        return sorted(day.isoformat() for (day,) in found)


def _lacking(state: DailyState, day: date, histories: list[History], recipes: Sequence[FeatureRecipe]) -> bool:
    parts = [_key_part(h.key) for h in histories] + [_set_part(r) for r in recipes]
    return any(day.isoformat() not in state.built(part) for part in parts)


def _build_day(
    day: date,
    files: Sequence[Path],
    state: DailyState,
    histories: list[History],
    recipes: Sequence[FeatureRecipe],
    folder: Path,
    *,
    project: Project,
    inside: Sequence[IPv4Network],
) -> None:
    at = day.isoformat()
    extended = [h for h in histories if at not in state.built(_key_part(h.key))]
    opened: AbstractContextManager[duckdb.DuckDBPyConnection | SparkConnection]
    if project.engine == "spark":
        opened = spark_day(files, day, histories, extended, project=project, inside=inside)
    else:
        reads = [recipe.sql for recipe in recipes if at not in state.built(_set_part(recipe))]
        opened = day_connection(files, day, histories, extended, project=project, inside=inside, reads=reads)
    with opened as connection:
        state.parts.update({_key_part(h.key): state.built(_key_part(h.key)) | {at} for h in extended})
        for recipe in recipes:
            if at not in state.built(_set_part(recipe)):
                write_table(_table_path(folder, recipe, day), rows_of_set(recipe, connection, inside))
                state.built(_set_part(recipe)).add(at)


@contextmanager
def day_connection(
    files: Sequence[Path],
    day: date,
    histories: Sequence[History] = (),
    extended: Sequence[History] = (),
    *,
    project: Project,
    inside: Sequence[IPv4Network] = (),
    reads: Sequence[str] = (),
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a sealed connection that has the meanings of one day's events, the views over them, and the histories.

    The day's new keys are added to the histories of `extended`.

    Parameters
    ----------
    reads : the SELECTs to come: only what they and the histories read is worked out; everything if not given
    """
    keys = " ".join(column for history in histories for column in history.key.columns)

    def prepare(connection: duckdb.DuckDBPyConnection) -> None:
        _make_meanings(connection, files, day, inside, [*reads, keys] if reads else [])

        def define(name: str, sql: str) -> None:
            connection.execute(f"create or replace temp table {quoted(name)} as {sql}")

        for history in histories:
            history.offer(define, day, history.remembered(day))
            if history in extended:
                history.extend(connection, day)

    memory, threads = project.memory_limit, project.threads
    with sealed_connection({}, prepare=prepare, memory_limit=memory, threads=threads) as connection:
        yield connection


def _make_meanings(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    day: date,
    inside: Sequence[IPv4Network],
    reads: list[str],
) -> None:
    connection.execute(f"create temp view stored_events as select * from {parquet_sql(files)}")  # noqa: S608
    sql = meanings.meanings_sql(day.isoformat(), (day + timedelta(days=1)).isoformat(), inside=inside)
    columns = connection.sql(sql).columns
    chosen = ", ".join(quoted(column) for column in (meanings.columns_read(columns, reads) if reads else columns))
    connection.execute(f"create temp table meanings as select {chosen} from ({sql})")  # noqa: S608
    for name, view in meanings.VIEWS.items():
        connection.execute(f"create temp view {name} as {view}")


def rows_of_set(
    recipe: FeatureRecipe, connection: duckdb.DuckDBPyConnection | SparkConnection, inside: Sequence[IPv4Network]
) -> pa.Table:
    """Return what a feature set says of the events of a connection, sorted by entity; rows that say nothing are left out."""
    where, (entity,) = str(recipe.path), recipe.entity
    given = _columns(connection, f"select * from ({recipe.sql}\n)", where)  # noqa: S608
    shown = sorted(set(recipe.shown_with.values()))
    for name in (entity, *recipe.columns, *shown):
        if name not in given:
            raise RecipeError(f"{where}: the SELECT does not give {name!r}.{did_you_mean(name, given)}")
    whom = quoted(entity)
    here = meanings.is_inside_sql(f"cast({whom} as varchar)", inside)
    numbers = ", ".join(f"cast({quoted(name)} as double) as {quoted(name)}" for name in recipe.columns)
    others = [quoted(name) for name in shown if name not in recipe.columns]
    texts = "".join(f", cast({name} as varchar) as {name}" for name in others)
    condition = " or ".join(f"{quoted(name)} > 0" for name in recipe.columns)
    side = "" if recipe.outside else " and " + here
    sql = f"""
        select cast({whom} as varchar) as entity,
               {quoted_text(recipe.role + " ")} || case when {here} then 'inside' else 'outside' end as role, {numbers}{texts}
        from ({recipe.sql}\n) where {whom} is not null{side} and ({condition}) order by entity, {numbers_order(recipe)}"""  # noqa: S608
    return _selected(connection, sql, where).replace_schema_metadata(None).combine_chunks()


def _columns(connection: duckdb.DuckDBPyConnection | SparkConnection, sql: str, where: str) -> list[str]:
    """Return the columns that a SELECT gives; no row is worked out."""
    if isinstance(connection, SparkConnection):
        return [str(name) for name in connection.select(sql, where=where).columns]
    return checked_select(connection, sql, where=where).columns


def _selected(connection: duckdb.DuckDBPyConnection | SparkConnection, sql: str, where: str) -> pa.Table:
    if isinstance(connection, SparkConnection):
        return connection.table(sql, where=where)
    return select_batches(connection, sql, where=where).read_all()


def numbers_order(recipe: FeatureRecipe) -> str:
    """Return SQL that orders rows of one entity, should a SELECT give several, always in the same way."""
    return ", ".join(quoted(name) for name in recipe.columns)


def _check(recipe: FeatureRecipe) -> None:
    where = str(recipe.path)
    for name, value in (("period", recipe.period), ("family", recipe.family), ("role", recipe.role)):
        if not value:
            raise RecipeError(f"{where} has no {name!r}, which a feature set of the daily list must give.")
    if len(recipe.entity) != 1:
        raise RecipeError(f"{where}: entity is {recipe.entity}; a row of the daily list is about one.")
    for name in (*recipe.new, *recipe.shown_with, *recipe.usual):
        if name not in recipe.columns:
            raise RecipeError(f"{where} names {name!r}, which is not in [columns].{did_you_mean(name, recipe.columns)}")


def _key_part(key: Key) -> str:
    return f"{KEY}{key.name}/{key.hash}"


def _set_part(recipe: FeatureRecipe) -> str:
    return f"set {recipe.name}/{recipe.hash}"


def _table_path(folder: Path, recipe: FeatureRecipe, day: date) -> Path:
    return folder / "features" / recipe.name / f"{day}.parquet"
