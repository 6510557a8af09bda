"""A block of syslog lines → events: the plain lines column by column, the others one by one, all in one clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._continued import continued
from socml.formats._cuts import bytes_of
from socml.formats._inner import syslog_event
from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._select_lines import Lines, Records, iso_micros, lines_of
from socml.formats._times import MONTHS, Clock, sets_back
from socml.formats.host._syslog_cuts import STAMP, Headers, headers, message_columns
from socml.project import TIME

__all__ = ["parse_block", "parse_lines"]

_DAY, _SECOND = 86_400_000_000, 1_000_000  # microseconds
_FIRST_YEAR, _LAST_YEAR = 1971, 2098  # of a plain line, with room for a zone at both ends
_MARKS = {3: " ", 6: " ", 9: ":", 12: ":"}  # of "Mar 27 13:06:56"
_DIGITS = (5, 7, 8, 10, 11, 13, 14)
_QUARTER = 900_000_000  # microseconds; a zone changes its clocks at most once in it
_EPOCH = datetime(1970, 1, 1)
REPETITION = b"--- last message repeated "  # of macOS, in a line of its own


def parse_block(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold."""
    lines = lines_of(block, ascii_only=True)
    texts = np.flatnonzero(lines.text)
    found = headers(lines.texts(texts), texts)
    columns, for_careful = message_columns(found)
    stamps = _Stamps(found, len(lines.text))
    stamps.plain[found.rows[for_careful]] = False
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
        plain = pa.array(stamps.plain[found.rows])
        raws = lines.texts(rows)
        table = pa.table({name: values.filter(plain) for name, values in columns.items()})
        table = table.append_column("raw", raws).append_column("source_line", pa.array(rows + lines.first_line))
        table = table.append_column("time", stamps.times(rows, clock))
        yield Parsed(table, Records(raws), time_is_certain=clock.is_certain)
    yield from odd


def parse_lines(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold, read one by one."""
    return batches(
        continued(enumerate(block.lines(), block.first_line), _begins_record),
        lambda line: syslog_event(line, clock),
        warnings=clock.warnings,
        is_certain=lambda: clock.is_certain,
    )


def _begins_record(line: bytes) -> bool:
    """Return whether a line is not one that goes on with the record above it."""
    return not line.startswith((b" ", b"\t")) and REPETITION not in line[:100]


class _Stamps:
    """The times of a block's lines, and which lines are plain."""

    def __init__(self, found: Headers, lines: int) -> None:
        is_local = np.asarray(pc.equal(pc.binary_length(found.stamp), STAMP)) & ~np.asarray(
            pc.match_substring_regex(found.stamp, "^[0-9]")
        )
        self.micros = np.zeros(lines, np.int64)
        self.month, self.day = np.zeros(lines, np.int64), np.zeros(lines, np.int64)
        self.local, self.plain = np.zeros(lines, bool), np.zeros(lines, bool)
        self._together: dict[int, list[int]] = {}  # a row, and those that go on with it
        self._taken: set[int] = set()  # the latter
        self._read_local(found.rows[is_local], found.stamp.filter(pa.array(is_local)))
        zoned = iso_micros(found.stamp.filter(pa.array(~is_local)))
        good = np.asarray(zoned.is_valid())
        rows = found.rows[~is_local][good]
        self.micros[rows], self.plain[rows] = np.asarray(zoned.drop_null()), True

    def _read_local(self, rows: NDArray[np.intp], stamps: pa.Array) -> None:
        """Read stamps such as "Mar 27 13:06:56", which say neither year nor zone."""
        self.local[rows] = True
        if not len(rows):
            return
        coded = pc.utf8_slice_codeunits(stamps, 0, 3).dictionary_encode()
        self.month[rows] = np.array([MONTHS.get(m, 0) for m in coded.dictionary.to_pylist()])[np.asarray(coded.indices)]
        codes = bytes_of(stamps)[0].reshape(len(rows), STAMP)
        good = (self.month[rows] > 0) & ((codes[:, 4] == ord(" ")) | _is_digit(codes[:, 4]))
        for at, mark in _MARKS.items():
            good &= codes[:, at] == ord(mark)
        for at in _DIGITS:
            good &= _is_digit(codes[:, at])
        digits = np.where(codes == ord(" "), 0, codes.astype(np.int64) - ord("0"))
        self.day[rows] = digits[:, 4] * 10 + digits[:, 5]
        hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (7, 10, 13))
        self.micros[rows] = ((hour * 60 + minute) * 60 + second) * _SECOND
        self.plain[rows] = good & (hour < 24) & (minute < 60) & (second < 60)

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
                    yield from continued(lines.numbered([row, *self._together.get(row, ())]), _begins_record)
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


def _is_digit(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (codes >= ord("0")) & (codes <= ord("9"))


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
        if _begins_record(line):
            last = -1 if line.startswith(b"#") else row
        elif last >= 0:
            together.setdefault(last, []).append(row)
    return together


def utc_micros(local: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Return microseconds since 1970 in UTC of clock times in `zone`; one that occurs twice is the first of the two.

    Examples
    --------
    >>> utc_micros(np.array([3_600_000_000]), ZoneInfo("Europe/Paris")).tolist()
    [0]
    """
    quarters, which = np.unique(local // _QUARTER, return_inverse=True)
    begin = [_ahead(int(quarter) * _QUARTER, zone) for quarter in quarters]
    end = [_ahead(int(quarter) * _QUARTER + _QUARTER - 1, zone) for quarter in quarters]
    utc: NDArray[np.int64] = local - np.array(begin, np.int64)[which]
    for row in np.flatnonzero((np.array(begin) != np.array(end))[which]):
        utc[row] = local[row] - _ahead(int(local[row]), zone)
    return utc


def _ahead(local: int, zone: ZoneInfo) -> int:
    """Return by how much the zone is ahead of UTC at a clock time, in microseconds."""
    when = (_EPOCH + timedelta(microseconds=local)).replace(tzinfo=zone)
    return local - (when.astimezone(UTC).replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)
