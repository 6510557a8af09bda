"""The events of a day → what is compared with other days: rows, hours and columns of each source.

A source is a stream of files (rotation and packing left out). `workspace/nights/DATASET/profiles/2026-03-02.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from socml.ingestion import stream_name
from socml.project import Project, quoted, quoted_text, sealed_connection

MOST_SOURCES = 200  # beyond these, the smallest are one
OTHERS = "(others)"
_SAME = {
    "event_id",
    "time",
    "dataset",
    "source_file",
    "source_line",
    "raw",
    "message",
    "extra",
}  # of every event, or none
_EXTRA = """
select source, entry.key, count(*), count(try_cast(entry.value as double)),
       quantile_disc(case when try_cast(entry.value as double) > 0 then try_cast(entry.value as double) end, 0.5)
from (select source, unnest(map_entries(extra)) as entry from {joined} where extra is not null)
where entry.value is not null and entry.value <> '' group by all
"""


@dataclass(frozen=True)
class ColumnProfile:
    """A column of a source on one day: rows with a value, its type, and the median of the numbers above 0."""

    n: int
    type: str
    median: float | None = None


@dataclass(frozen=True)
class SourceProfile:
    """A source on one day. `first` and `last` are seconds of the day, 0 to 86,400."""

    rows: int
    first: float
    last: float
    columns: dict[str, ColumnProfile]


@dataclass(frozen=True)
class DayProfile:
    """All sources of one day, by name."""

    day: str
    version: str
    sources: dict[str, SourceProfile]

    @property
    def rows(self) -> int:
        """Return the events of the day."""
        return sum(source.rows for source in self.sources.values())

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, object]) -> DayProfile:
        """Return what `to_dict` made."""
        sources = {
            name: SourceProfile(
                of["rows"], of["first"], of["last"], {c: ColumnProfile(**v) for c, v in of["columns"].items()}
            )
            for name, of in record["sources"].items()  # type: ignore[attr-defined]
        }
        return cls(str(record["day"]), str(record["version"]), sources)


def profile_of(day: date, files: Sequence[Path], *, version: str, project: Project) -> DayProfile:
    """Return the profile of a day's events, which lie in these files.

    Blind to a value that is wrong but of the same type and size as before.
    """
    listed = ", ".join(quoted_text(str(path)) for path in files)
    types = {field.name: field.type for path in files for field in pq.read_schema(path)}
    columns = [name for name in types if name not in _SAME]
    found: list[tuple[object, ...]] = []
    keys: list[tuple[object, ...]] = []

    def read(connection: object) -> None:
        execute = connection.execute  # type: ignore[attr-defined]
        start, end = day.isoformat(), (day + timedelta(days=1)).isoformat()
        execute(f"""
            create temp view today as select * from read_parquet([{listed}], union_by_name = true)
            where time >= timestamptz '{start} 00:00:00+00' and time < timestamptz '{end} 00:00:00+00'""")  # noqa: S608
        names = execute("select source_file, count(*) from today group by all").fetchall()
        execute("create temp table streams (file varchar, source varchar)")
        if pairs := _sources(names):
            connection.executemany("insert into streams values (?, ?)", pairs)  # type: ignore[attr-defined]
        numbers = [name for name in columns if _is_number(types[name])]
        measures = ["source", "count(*)", "min(epoch(time))", "max(epoch(time))"]
        measures += [f"count({quoted(name)})" for name in columns]
        measures += [
            f"quantile_disc(case when {quoted(n)} > 0 then cast({quoted(n)} as double) end, 0.5)" for n in numbers
        ]
        joined = "today join streams on source_file is not distinct from file"
        found.extend(execute(f"select {', '.join(measures)} from {joined} group by source").fetchall())  # noqa: S608
        if "extra" in types:
            keys.extend(execute(_EXTRA.format(joined=joined)).fetchall())

    with sealed_connection({}, prepare=read, memory_limit=project.memory_limit, threads=project.threads):
        pass
    return DayProfile(day.isoformat(), version, _profiles(day, found, keys, columns, types))


def _sources(names: list[tuple[object, ...]]) -> list[tuple[str | None, str]]:
    """Return file → source: the stream in its folder; the smallest of very many are one."""
    rows: dict[str, int] = {}
    source_of: dict[str | None, str] = {}
    for file, n in names:
        path = Path(str(file or "unknown"))
        source = str(path.parent / stream_name(path.name).name)
        source_of[None if file is None else str(file)] = source
        rows[source] = rows.get(source, 0) + int(str(n))
    kept = set(sorted(rows, key=lambda name: (-rows[name], name))[:MOST_SOURCES])
    return [(file, source if source in kept else OTHERS) for file, source in source_of.items()]


def _profiles(
    day: date,
    found: list[tuple[object, ...]],
    keys: list[tuple[object, ...]],
    columns: list[str],
    types: dict[str, pa.DataType],
) -> dict[str, SourceProfile]:
    midnight = (day - date(1970, 1, 1)).days * 86_400
    numbers = [name for name in columns if _is_number(types[name])]
    sources: dict[str, SourceProfile] = {}
    for source, rows, first, last, *rest in sorted(found, key=str):
        medians = dict(zip(numbers, rest[len(columns) :], strict=True))
        of = {
            name: ColumnProfile(n, str(types[name]), medians.get(name))  # type: ignore[arg-type]
            for name, n in zip(columns, rest, strict=False)
            if n
        }
        sources[str(source)] = SourceProfile(
            int(str(rows)), float(str(first)) - midnight, float(str(last)) - midnight, of
        )
    for source, key, n, numeric, median in sorted(keys, key=str):
        kind = "number" if numeric == n else "text" if numeric == 0 else "mixed"
        profile = ColumnProfile(int(str(n)), kind, None if median is None else float(str(median)))
        sources[str(source)].columns[f"extra.{key}"] = profile
    return sources


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
