"""Event ids → which of them a dataset holds already, in bounded memory.

The same record has the same time, so an id is looked for only in the parts whose time range it can lie in.
The ids of a part are read when they are needed, and a few parts are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_REMEMBERED_IDS = 8_000_000  # 16 bytes each
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)

Ids = np.ndarray  # shape (n, 2), uint64: the two halves of each id, sorted by the first


@dataclass(frozen=True)
class Part:
    """A file of events, and the range of its times; `open_ended` if some have none."""

    path: Path
    first: datetime | None
    last: datetime | None
    open_ended: bool
    rows: int


class KnownIds:
    """Answers which ids are stored, in the parts of a dataset and in those that are being written."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self.parts = [read_part(path) for path in parts]
        self._read: OrderedDict[Path, Ids] = OrderedDict()

    def add(self, path: Path) -> None:
        """Count a part that was just written."""
        self.parts.append(read_part(path))

    def forget(self, path: Path) -> None:
        """Do not count a part that was thrown away."""
        self.parts = [part for part in self.parts if part.path != path]
        self._read.pop(path, None)

    def are_known(self, ids: Sequence[str], times: pa.ChunkedArray | None, *, time_is_certain: bool) -> np.ndarray:
        """Return a mask, True for each id that some part holds.

        Parameters
        ----------
        times : one an id, or None if no record says when
        time_is_certain : False if the year was inferred: then day and month alone narrow the search
        """
        known = np.zeros(len(ids), bool)
        first, last = _range(times)
        parts = [part for part in self.parts if _may_hold(part, first, last, time_is_certain)]
        asked = halves(ids if parts else [])
        for part in parts:
            known |= _contains(self._ids(part), asked)
        return known

    def _ids(self, part: Part) -> Ids:
        if part.path in self._read:
            self._read.move_to_end(part.path)
            return self._read[part.path]
        ids = halves(pq.read_table(part.path, columns=["event_id"])["event_id"].to_pylist())
        ids = ids[np.argsort(ids[:, 0], kind="stable")]
        self._read[part.path] = ids
        while len(self._read) > 1 and sum(len(i) for i in self._read.values()) > _REMEMBERED_IDS:
            self._read.popitem(last=False)
        return ids


def read_part(path: Path) -> Part:
    """Return what a part's Parquet footer says about its times."""
    footer = pq.read_metadata(path)
    column = footer.schema.to_arrow_schema().get_field_index("time")
    first = last = None
    nulls = False
    for group in range(footer.num_row_groups):
        statistics = footer.row_group(group).column(_leaf(footer, "time")).statistics if column >= 0 else None
        if statistics is None or not statistics.has_min_max:
            nulls = True
            continue
        nulls |= bool(statistics.null_count)
        first = statistics.min if first is None else min(first, statistics.min)
        last = statistics.max if last is None else max(last, statistics.max)
    return Part(path, first, last, nulls or first is None, footer.num_rows)


def halves(ids: Sequence[str]) -> Ids:
    """Return ids of 32 hexadecimal digits as pairs of 64-bit numbers.

    Examples
    --------
    >>> halves(["00000000000000010000000000000002"]).tolist()
    [[1, 2]]
    """
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _leaf(footer: pq.FileMetaData, name: str) -> int:
    group = footer.row_group(0)
    return next(i for i in range(group.num_columns) if group.column(i).path_in_schema == name)


def _range(times: pa.ChunkedArray | None) -> tuple[datetime | None, datetime | None]:
    if times is None or times.null_count:
        return None, None
    bounds = pc.min_max(times).as_py()
    return bounds["min"], bounds["max"]


def _may_hold(part: Part, first: datetime | None, last: datetime | None, time_is_certain: bool) -> bool:
    if part.open_ended or first is None or last is None or part.first is None or part.last is None:
        return True
    if time_is_certain:
        return part.first <= last and first <= part.last
    if last - first > _YEAR or part.last - part.first > _YEAR:
        return True
    # The same days of any year: slide the range to the part's year and look a year to each side.
    low, high = first - 2 * _DAY, last + 2 * _DAY
    years = range(part.first.year - low.year - 1, part.last.year - low.year + 2)
    return any(part.first <= _moved(high, n) and _moved(low, n) <= part.last for n in years)


def _moved(when: datetime, years: int) -> datetime:
    return datetime(when.year + years, 1, 1, tzinfo=UTC) + (when - datetime(when.year, 1, 1, tzinfo=UTC))


def _contains(stored: Ids, asked: Ids) -> np.ndarray:
    left = np.searchsorted(stored[:, 0], asked[:, 0], "left")
    right = np.searchsorted(stored[:, 0], asked[:, 0], "right")
    found = np.zeros(len(asked), bool)
    once = np.flatnonzero(right - left == 1)
    found[once] = stored[left[once], 1] == asked[once, 1]
    for row in np.flatnonzero(right - left > 1):  # two ids that share 64 bits: made on purpose, if ever
        found[row] = asked[row, 1] in stored[left[row] : right[row], 1]
    return found
