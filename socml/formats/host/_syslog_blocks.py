"""A block of syslog lines → events: the plain lines column by column, the others one by one, all in one clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._continued import continued
from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._select_lines import Lines, Records, iso_micros, lines_of, selected
from socml.formats._times import MONTHS, Clock, sets_back
from socml.formats.host._syslog_lines import REPETITION, begins_record, syslog_event
from socml.formats.host._syslog_messages import COLUMNS, address_of
from socml.formats.host._syslog_select import SLOTS, TEMPLATES, syslog_select
from socml.formats.host._zones import utc_micros
from socml.project import EVENT, EXTRA, TIME

if TYPE_CHECKING:
    import duckdb

__all__ = ["parse_block"]

_DAY, _SECOND = 86_400_000_000, 1_000_000  # microseconds
_FIRST_YEAR, _LAST_YEAR = 1971, 2098  # of a plain line, with room for a zone at both ends
_STAMP = 15  # characters of "Mar 27 13:06:56"
_LARGEST_PORT = 65535
_GROUPS = [list(template.pattern.groupindex) for template in TEMPLATES]  # names of a template's groups, in order


def parse_block(block: Block, clock: Clock, connection: duckdb.DuckDBPyConnection) -> Iterator[Parsed]:
    """Yield what the lines of a block hold."""
    lines = lines_of(block, ascii_only=True)
    found = selected(connection, syslog_select(), lines.table())
    stamps = _Stamps(found, len(lines.text), connection)
    if b"\n\t" in block.data or b"\n " in block.data or REPETITION in block.data:
        stamps.read_together(_gone_on(block))
    odd = list(
        batches(
            stamps.odd_lines(lines, clock),
            lambda line: syslog_event(line, clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )
    )
    rows = np.flatnonzero(stamps.plain)
    if len(rows):
        plain = found.filter(pa.array(stamps.plain[np.asarray(found["row"])]))
        texts = lines.texts(rows)
        columns = {"raw": texts, "source_line": pa.array(rows + lines.first_line), "time": stamps.times(rows, clock)}
        table = pa.table({**columns, **_columns(plain)})
        yield Parsed(table, Records(texts), time_is_certain=clock.is_certain)
    yield from odd


class _Stamps:
    """The times of a block's lines, and which lines are plain."""

    def __init__(self, found: pa.Table, lines: int, connection: duckdb.DuckDBPyConnection) -> None:
        rows, stamps = np.asarray(found["row"]), found["stamp"].combine_chunks()
        is_local = np.asarray(pc.equal(pc.binary_length(stamps), _STAMP)) & ~np.asarray(pc.starts_with(stamps, "2"))
        self.micros = np.zeros(lines, np.int64)
        self.month, self.day = np.zeros(lines, np.int64), np.zeros(lines, np.int64)
        self.local, self.plain = np.zeros(lines, bool), np.zeros(lines, bool)
        self._together: dict[int, list[int]] = {}  # a row, and those that go on with it
        self._taken: set[int] = set()  # the latter
        self._read_local(rows[is_local], stamps.filter(pa.array(is_local)))
        zoned = iso_micros(connection, stamps.filter(pa.array(~is_local)))
        good = np.asarray(zoned.is_valid())
        rows = rows[~is_local][good]
        self.micros[rows], self.plain[rows] = np.asarray(zoned.drop_null()), True

    def _read_local(self, rows: NDArray[np.intp], stamps: pa.Array) -> None:
        """Read stamps such as "Mar 27 13:06:56", which say neither year nor zone."""
        self.local[rows] = True
        if not len(rows):
            return
        coded = pc.utf8_slice_codeunits(stamps, 0, 3).dictionary_encode()
        self.month[rows] = np.array([MONTHS.get(m, 0) for m in coded.dictionary.to_pylist()])[np.asarray(coded.indices)]
        text = pa.concat_arrays([stamps]).view(pa.binary())
        codes = np.frombuffer(b"".join(text.to_pylist()), np.uint8).reshape(len(rows), _STAMP).astype(np.int64)
        digits = np.where(codes == ord(" "), 0, codes - ord("0"))
        self.day[rows] = digits[:, 4] * 10 + digits[:, 5]
        hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (7, 10, 13))
        self.micros[rows] = ((hour * 60 + minute) * 60 + second) * _SECOND
        self.plain[rows] = (self.month[rows] > 0) & (hour < 24) & (minute < 60) & (second < 60)

    def read_together(self, together: dict[int, list[int]]) -> None:
        """Note which rows go on with another: none of them is plain."""
        self._together = together
        self._taken = {row for rows in together.values() for row in rows}
        self.plain[[*together, *self._taken]] = False

    def odd_lines(self, lines: Lines, clock: Clock) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are not plain; meanwhile the plain ones between them get their year, in turn.

        Lines one after the other with the same month and day have the same year, and set the clock like one of them.
        """
        odd = ~self.plain
        rows = np.flatnonzero(self.plain & self.local)
        day = self.month[rows] * 32 + self.day[rows] + (np.cumsum(odd)[rows] << 10)
        firsts = np.flatnonzero(np.diff(day, prepend=-1))
        runs = dict(zip(rows[firsts].tolist(), np.split(rows, firsts[1:]), strict=True)) if len(rows) else {}
        for row in sorted([*runs, *np.flatnonzero(odd).tolist()]):
            run = runs.get(row)
            if run is None:
                if row not in self._taken:
                    yield from continued(lines.numbered([row, *self._together.get(row, ())]), begins_record)
                continue
            day_number = _day_number(clock.year_of(int(self.month[row]), int(self.day[row])), self, row)
            changes = clock.zone is not None and day_number is not None and _sets_back(clock.zone, day_number)
            if day_number is not None and not changes:
                self.micros[run] += day_number * _DAY
                clock.used_zone = True
                clock.say_zone()
                continue
            self.plain[run] = False
            yield from lines.numbered(run.tolist())

    def times(self, rows: NDArray[np.intp], clock: Clock) -> pa.Array:
        """Return the times of some lines, in UTC."""
        micros = self.micros[rows]
        if clock.zone is not None:
            local = self.local[rows]
            micros[local] = utc_micros(micros[local], clock.zone)
        return pa.array(micros).view(TIME)


def _day_number(year: int, stamps: _Stamps, row: int) -> int | None:
    """Return the days from 1970 to a row's day; None if there is no such day in that year, or the year is far off."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, int(stamps.month[row]), int(stamps.day[row])).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _sets_back(zone: ZoneInfo, day_number: int) -> bool:
    """Return whether a zone sets its clocks back on a day: then the order of all records tells its hours apart."""
    return sets_back(zone, date.fromordinal(day_number + date(1970, 1, 1).toordinal()))


def _gone_on(block: Block) -> dict[int, list[int]]:
    """Return the rows that later lines go on with, each with those."""
    together: dict[int, list[int]] = {}
    last = -1
    for row, line in enumerate(block.lines()):
        if not line.strip():
            continue
        if begins_record(line):
            last = -1 if line.startswith(b"#") else row
        elif last >= 0:
            together.setdefault(last, []).append(row)
    return together


def _columns(found: pa.Table) -> dict[str, pa.Array]:
    """Return the columns of lines that were taken in full."""
    none = len(TEMPLATES)  # the number of a line that no template matches
    template = np.asarray(found["template"].fill_null(none))
    columns = {
        name: pa.array(values, EVENT[name].type).take(pa.array(template)) for name, values in _OF_TEMPLATES.items()
    }
    for name, column in {"host": "host_name", "program": "process_name", "message": "message"}.items():
        texts = found[name].combine_chunks()
        columns[column] = pc.if_else(pc.equal(texts, ""), None, texts)
    pid = found["pid"].combine_chunks()
    columns["process_pid"] = pc.if_else(pc.equal(pid, ""), None, pid).cast(pa.int64())
    return columns | _Groups(found["groups"].combine_chunks(), template).columns()


_OF_TEMPLATES: dict[str, list[object]] = {
    "class_uid": [*(t.kind[0] for t in TEMPLATES), None],
    "event_category": [*(t.kind[1] for t in TEMPLATES), "host"],
    "event_action": [*(t.action for t in TEMPLATES), None],
    "event_outcome": [*(t.outcome for t in TEMPLATES), None],
}


class _Groups:
    """What the groups of each line's template caught: columns and further fields by the groups' names."""

    def __init__(self, groups: pa.StructArray, template: NDArray[np.integer]) -> None:
        self._rows, self._template = len(groups), template
        slots = [pc.fill_null(slot, "") for slot in groups.flatten()]
        self._texts = pa.concat_arrays(slots) if self._rows else pa.array([], pa.string())
        lengths = np.asarray(pc.binary_length(self._texts)).reshape(SLOTS, self._rows)
        self._caught = lengths > 0
        names = list(dict.fromkeys(name for several in _GROUPS for name in several))
        self._number = {name: at for at, name in enumerate(names)}
        self._named = np.full((len(TEMPLATES) + 1, SLOTS), -1)  # the name of each slot of each template
        for at, several in enumerate(_GROUPS):
            self._named[at, : len(several)] = [self._number[name] for name in several]

    def columns(self) -> dict[str, pa.Array]:
        """Return the columns, `extra` among them."""
        columns = {name: self._column(name) for name in self._number if name in COLUMNS}
        names: dict[str, pa.Array] = {}  # what stands where an address is expected, and is none
        for name, texts in list(columns.items()):
            if name.endswith("_port"):
                columns[name] = _port(texts)
            elif name.endswith("_ip"):
                coded = texts.dictionary_encode()
                known = [address_of(text) for text in coded.dictionary.to_pylist()]
                columns[name] = pa.array(known, pa.string()).take(coded.indices)
                names[name.replace("_ip", "_name")] = pc.if_else(columns[name].is_null(), texts, None)
        is_others = columns["target_user_name"].is_valid()
        columns["acting_user_name"] = pc.if_else(is_others, columns["user_name"], pa.scalar(None, pa.string()))
        columns["extra"] = self._extra(names)
        return columns

    def _column(self, name: str) -> pa.Array:
        slot = np.full(len(self._named), -1)
        templates, slots = np.nonzero(self._named == self._number[name])
        slot[templates] = slots
        of_line = slot[self._template]
        rows = np.arange(self._rows)
        there = (of_line >= 0) & self._caught[of_line, rows]
        return self._texts.take(pa.array(of_line * self._rows + rows, mask=~there))

    def _extra(self, names: dict[str, pa.Array]) -> pa.Array:
        is_extra = np.array([name not in COLUMNS for name in self._number] + [False])  # -1 is the last
        slots = self._named[self._template]
        rows, at = np.nonzero(is_extra[slots] & self._caught.T)
        keys = pa.array([name.rstrip("_") for name in self._number], pa.string()).take(pa.array(slots[rows, at]))
        values = self._texts.take(pa.array(at * self._rows + rows))
        for name, texts in names.items():
            more = np.flatnonzero(texts.is_valid())
            rows = np.append(rows, more)
            keys = pa.concat_arrays([keys, pa.repeat(pa.scalar(name), len(more))])
            values = pa.concat_arrays([values, texts.take(pa.array(more))])
        order = np.argsort(rows, kind="stable")
        offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=self._rows))).astype(np.int32)
        keys, values = keys.take(pa.array(order)), values.take(pa.array(order))
        return pa.MapArray.from_arrays(pa.array(offsets), keys, values).cast(EXTRA)


def _port(texts: pa.Array) -> pa.Array:
    digits = pc.if_else(pc.match_substring_regex(texts, "^0*[0-9]{1,5}$"), pc.utf8_ltrim(texts, "0"), None)
    numbers = pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int32())
    return pc.if_else(pc.less_equal(numbers, _LARGEST_PORT), numbers, None)
