"""The keys of a day → when each was first seen, kept as Parquet: the only memory that the daily list has.

`workspace/daily/DATASET/history/KEY/` holds one file a day with that day's new keys and nothing else, and one file a
month for the months that are over (`2026-03.parquet`). Every file has the key's columns and `first_day`, sorted. A late
event of day D makes D and the days after it stale: their keys are cut away and found again, the earlier ones stay.
A day adds at most `MOST_NEW` keys of one kind, those of the smallest hash; the others are new again the next day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.project import RecipeError, quoted, quoted_text, replacing, write_table

if TYPE_CHECKING:
    import duckdb

Define = Callable[[str, str], None]  # makes a table, by its name and a SELECT
MOST_NEW = 2_000_000  # new keys of one kind that a day adds to memory; some 100 MB


@dataclass(frozen=True)
class Key:
    """What is remembered: the columns of `meanings` that make it; the last says who used what the others name."""

    name: str
    columns: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Return what tells this key from another of the same name."""
        return hashlib.blake2b("\n".join(self.columns).encode(), digest_size=4).hexdigest()


class History:
    """The first days of one key's values."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder / f"{key.name}-{key.hash}", key
        columns: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in key.columns]
        self.schema = pa.schema([*columns, ("first_day", pa.date32())])

    def files_before(self, day: date) -> list[Path]:
        """Return the files of what was first seen before a day; the last may hold what came later, too."""
        return sorted(path for path in self.folder.glob("*.parquet") if path.stem < day.isoformat())

    def remembered(self, day: date) -> str:
        """Return SQL that reads these files as one table; empty if there are none."""
        files = self.files_before(day)
        return parquet_sql(files) if files else ""

    def _before(self, day: date, remembered: str) -> str:
        if not remembered:
            columns = ", ".join(f"cast(null as varchar) as {quoted(name)}" for name in self.key.columns)
            return f"(select {columns}, cast(null as date) as first_day where false)"
        return f"(select * from {remembered} where first_day < date '{day}')"  # noqa: S608

    @property
    def _columns(self) -> str:
        return ", ".join(quoted(column) for column in self.key.columns)

    def forget(self, keep: Iterable[date]) -> None:
        """Cut away what was first seen on other days than those of `keep`."""
        kept = pa.array(sorted(keep), pa.date32())
        for path in sorted(self.folder.glob("*.parquet")):
            table = pq.read_table(path, schema=self.schema)
            left = table.filter(pc.field("first_day").isin(kept))
            if len(left) == 0:
                path.unlink()
            elif len(left) < len(table):
                write_table(path, left)

    def drop_unfinished(self, built: set[date]) -> None:
        """Remove the files of days that were not finished: a killed run left them. Only names are looked at."""
        for path in self.folder.glob("????-??-??.parquet"):
            if date.fromisoformat(path.stem) not in built:
                path.unlink()

    def extend(self, connection: duckdb.DuckDBPyConnection, day: date) -> None:
        """Keep the keys of `day` (in the table `meanings`) that were never seen before; `offer` comes first."""
        name, columns = quoted(self.key.name), self._columns
        fresh = f"select {columns}, first_day from {name} where first_day = date '{day}'"  # noqa: S608
        ((n,),) = connection.execute(f"select count(*) from ({fresh})").fetchall()  # noqa: S608
        if n > MOST_NEW:
            smallest = f"select hash({columns}) as h from ({fresh}) order by h limit {MOST_NEW}"  # noqa: S608
            fresh += f" and hash({columns}) <= (select max(h) from ({smallest}))"  # noqa: S608
        table = connection.sql(f"select * from ({fresh}) order by {columns}").to_arrow_table().cast(self.schema)  # noqa: S608
        if len(table):
            write_table(self.folder / f"{day}.parquet", table)

    def offer(self, define: Define, day: date, remembered: str) -> None:
        """Make the tables KEY and KEY_sources of `day` from the table `meanings` and what is remembered before it.

        Only keys, and what they name, that occur on that day are in them. A key of one column has no KEY_sources, but
        `every_KEY` with all that is remembered, whether or not it occurs on that day.

        Parameters
        ----------
        define : makes a table of a SELECT
        remembered : SQL for what `files_before` hold; empty if there are none
        """
        columns, own = self._columns, self.key.name
        name, today = quoted(own), quoted(f"today_{own}")
        known = " and ".join(f"{quoted(column)} is not null" for column in self.key.columns)
        prefix = ", ".join(quoted(column) for column in self.key.columns[:-1])
        before = self._before(day, remembered)
        define(f"today_{own}", f"select distinct {columns} from meanings where {known}")  # noqa: S608
        define(
            own,
            f"""
            select {columns}, coalesce(earlier.first_day, date '{day}') as first_day,
                   coalesce((select min(first_day) from {before}), date '{day}') as began
            from {today} left join {before} as earlier using ({columns})""",  # noqa: S608
        )
        if not prefix:
            both = f"select {columns}, first_day from {name} union select {columns}, first_day from {before}"  # noqa: S608
            define(f"every_{own}", both)
            return
        define(
            f"{own}_sources",
            f"""
            with named as (select distinct {prefix} from {today}), counted as (
                select {prefix}, count(*) as n from {before} semi join named using ({prefix}) group by all
                union all
                select {prefix}, count(*) as n from {name} where first_day = date '{day}' group by all
            ) select {prefix}, date '{day}' as day, cast(sum(n) as bigint) as sources from counted group by all""",  # noqa: S608
        )

    def compact(self, latest: date) -> None:
        """Merge the days of each month before that of `latest` into one file."""
        by_month: dict[str, list[Path]] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            month = path.stem[:7]
            if month < f"{latest:%Y-%m}":
                by_month.setdefault(month, []).append(path)
        for month, paths in by_month.items():
            whole = self.folder / f"{month}.parquet"
            if paths == [whole]:
                continue
            table = pa.concat_tables([pq.read_table(path, schema=self.schema) for path in paths])
            order = [("first_day", "ascending"), *((column, "ascending") for column in self.key.columns)]
            table = _without_repeats(table.sort_by(order)).combine_chunks()
            with replacing(whole) as temporary:
                pq.write_table(table, temporary, compression="zstd", compression_level=1)
            for path in paths:
                if path != whole:
                    path.unlink()


def parquet_sql(files: Iterable[Path]) -> str:
    """Return SQL that reads Parquet files as one table; columns that a file lacks are null."""
    listed = ", ".join(quoted_text(str(path)) for path in files)
    return f"read_parquet([{listed}], union_by_name = true)"


def keys_of(declared: Iterable[dict[str, list[str]]]) -> list[Key]:
    """Return the keys that some recipes declare, each once, sorted by name.

    Two recipes that mean different columns by one name get an error.

    Raises
    ------
    RecipeError
    """
    keys: dict[str, Key] = {}
    for first_seen in declared:
        for name, columns in first_seen.items():
            key = Key(name, tuple(columns))
            if keys.setdefault(name, key) != key:
                raise RecipeError(
                    f"[first_seen] {name!r} is {list(keys[name].columns)} in one feature set and {columns} in another. "
                    "Give one of them another name."
                )
    return [keys[name] for name in sorted(keys)]


def _without_repeats(table: pa.Table) -> pa.Table:
    """Return a sorted table without rows that stand twice, as after a compaction that was stopped halfway."""
    if len(table) < 2:
        return table
    same = pa.array([True] * (len(table) - 1))
    for name in table.column_names:
        column = table[name].combine_chunks()
        same = pc.and_(same, pc.equal(column.slice(1), column.slice(0, len(column) - 1)))
    return table.filter(pa.concat_arrays([pa.array([True]), pc.invert(same)]))
