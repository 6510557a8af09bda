"""Lines of syslog → the parts of their headers, and what their messages tell, each different message read once.

A line whose header is taken is printable ASCII with a header as rsyslog and journald write it by default:
`Mar 27 13:06:56 host program[pid]: message` or `2026-03-27T13:06:56.25+01:00 host program[pid]: message`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._cuts import Cuts, each_text
from socml.formats._record_kinds import RECORD_HINT
from socml.formats._records import MISFITS, arrays_of
from socml.formats._select_lines import Rows
from socml.formats.host._syslog_headers import is_host
from socml.formats.host._syslog_messages import first_word_severity, read_message
from socml.project import EVENT

__all__ = ["STAMP", "Headers", "headers", "message_columns"]

STAMP = len("Mar 27 13:06:56")
_LONGEST_PID = 18  # digits
_OF_HEADER = ("host_name", "process_pid")
_ODD, _OWN = "odd", "own "  # of columns that are no event's
_TOGETHER = 1000  # messages whose columns are made at once: of many more, the garbage collector looks at each again
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Headers:
    """The parts of some lines. `pid` is null where there is none; `program` and `message` may be ""."""

    rows: Rows
    stamp: pa.Array
    host: pa.Array
    program: pa.Array
    pid: pa.Array
    message: pa.Array

    def only(self, keep: Mask) -> Headers:
        """Return some of the lines."""
        if keep.all():
            return self
        mask = pa.array(keep)
        parts = (self.stamp, self.host, self.program, self.pid, self.message)
        return Headers(self.rows[keep], *(part.filter(mask) for part in parts))


def headers(texts: pa.Array, rows: Rows) -> Headers:
    """Return the headers of the lines that have one of the usual form; `rows` are the numbers of the lines.

    Examples
    --------
    >>> found = headers(pa.array(["Mar 27 13:06:56 web /bin/su[7]: all is well", "nothing"]), np.array([4, 5]))
    >>> found.rows.tolist(), found.program.to_pylist(), found.pid.to_pylist(), found.message.to_pylist()
    ([4], ['su'], [7], ['all is well'])
    """
    cuts = Cuts(texts)
    begins = cuts.byte(cuts.starts)
    is_zoned = (begins >= ord("0")) & (begins <= ord("9"))
    blank = cuts.starts + STAMP  # after the stamp
    blank = np.where(is_zoned, cuts.first(" ", cuts.starts), blank) if is_zoned.any() else blank
    good = cuts.byte(blank) == ord(" ")
    host = np.minimum(blank + 1, cuts.ends)
    host_end = cuts.first(" ", host)
    tag = np.minimum(host_end + 1, cuts.ends)
    colon = cuts.first(":", host)  # what is before it is the host, the program and its number
    has_pid = cuts.byte(colon - 1) == ord("]")
    tag_end = np.where(has_pid, np.minimum(cuts.first("[", tag), colon), colon)
    pid, pid_end = np.minimum(tag_end + has_pid, colon), np.maximum(colon - has_pid, tag_end)
    good &= (host_end > host) & (tag_end > tag) & (colon < cuts.ends) & (cuts.first(" ", tag) >= colon)
    good &= (cuts.first("[", host) >= tag_end) & (cuts.first("]", host) >= pid_end) & (cuts.first("[", pid) >= colon)
    good &= (cuts.first("\t", cuts.starts) >= colon) & (~has_pid | ((pid_end > pid) & (pid_end - pid <= _LONGEST_PID)))
    good &= (colon > tag) & ((cuts.byte(tag) != ord("%")) | (cuts.byte(tag + 1) != ord("%")))
    slash = cuts.first("/", tag)
    program = np.where(slash < tag_end, cuts.last("/", tag, tag_end) + 1, tag) if (slash < tag_end).any() else tag
    program = np.minimum(program, tag_end)
    message = np.minimum(colon + 1, cuts.ends)
    message = np.where(cuts.byte(message) == ord(" "), message + 1, message)
    if not good.all():
        texts, rows = texts.filter(pa.array(good)), rows[good]
    return _checked(
        cuts, rows, good, (cuts.starts, blank, host, host_end, program, tag_end, pid, pid_end, message, cuts.ends)
    )


def _checked(cuts: Cuts, rows: Rows, good: Mask, places: Sequence[Rows]) -> Headers:
    """Return the parts between places, two a part, of the lines that are good and whose parts are what they seem."""
    at = [place[good] for place in places]
    stamp, host, program, pid, message = (cuts.texts(at[i], at[i + 1]) for i in range(0, len(at), 2))
    is_number = pc.ascii_is_decimal(pid)
    keep = np.asarray(pc.or_(is_number, pc.equal(pid, "")))
    keep &= each_text(host, is_host) & each_text(
        program, lambda name: not name.isdecimal() and "{" not in name and '"' not in name
    )
    numbers = pc.if_else(is_number, pid, None).cast(pa.int64())
    return Headers(rows, stamp, host, program, numbers, message).only(keep)


def message_columns(found: Headers) -> tuple[dict[str, pa.Array], Mask]:
    """Return the columns of some lines but for their times, and which lines are for the careful reader after all."""
    key, firsts = _different(found.program, found.message)
    programs, messages = found.program.take(firsts), found.message.take(firsts)
    records = pc.match_substring_regex(messages, RECORD_HINT)  # what may be a record of another tool
    each = list(zip(programs.to_pylist(), messages.to_pylist(), records.to_pylist(), strict=True))
    parts = [_events(each[at : at + _TOGETHER]) for at in range(0, max(len(each), 1), _TOGETHER)]
    told = pa.concat_tables(parts, promote_options="default").combine_chunks().take(pa.array(key))
    columns = {name: told[name].combine_chunks() for name in told.column_names}
    odd = np.asarray(columns.pop(_ODD), bool)
    for name, header in zip(_OF_HEADER, (found.host, found.pid), strict=True):
        own = columns.pop(f"{_OWN}{name}")
        columns[name] = pc.if_else(own, columns.get(name, pa.nulls(len(key), EVENT[name].type)), header)
    return columns, odd


def _events(each: Sequence[tuple[str, str, bool]]) -> pa.Table:
    """Return what some messages tell, which of them are for the careful reader, and which tell what the header does."""
    rows = [None if is_record else _event(program, message) for program, message, is_record in each]
    columns, odd = _arrays([row or {} for row in rows])
    columns[_ODD] = pa.array(odd | np.array([row is None for row in rows], bool))
    for name in _OF_HEADER:
        columns[f"{_OWN}{name}"] = pa.array([row is not None and name in row for row in rows], pa.bool_())
    return pa.table(columns)


def _different(program: pa.Array, message: pa.Array) -> tuple[Rows, pa.Array]:
    """Return a number for each pair of program and message, and where each pair is first."""
    coded = [texts.dictionary_encode() for texts in (program, message)]
    programs, messages = (np.asarray(texts.indices, np.int64) for texts in coded)
    _, firsts, key = np.unique(messages * len(coded[0].dictionary) + programs, return_index=True, return_inverse=True)
    return key, pa.array(firsts)


def _event(program: str, message: str) -> dict[str, object] | None:
    """Return what a message tells; None if it is for the careful reader, which then says why."""
    try:
        columns, more = read_message(program, message)
    except (ValueError, ArithmeticError, RecursionError, TypeError, AttributeError, LookupError):
        return None
    if "time" in columns:
        return None
    row: dict[str, object] = {"message": message or None, "process_name": program or None}
    if (severity := first_word_severity(message)) is not None:
        row["event_severity"] = severity
    row |= columns
    row.setdefault("event_category", "host")
    row["extra"] = more
    return row


def _arrays(rows: list[dict[str, object]]) -> tuple[dict[str, pa.Array], Mask]:
    """Return the columns of some rows, and which rows hold what a column cannot."""
    odd = np.zeros(len(rows), bool)
    try:
        return arrays_of(rows), odd
    except MISFITS:
        for at, row in enumerate(rows):
            try:
                arrays_of([row])
            except MISFITS:
                odd[at] = True
    return arrays_of([{} if bad else row for row, bad in zip(rows, odd.tolist(), strict=True)]), odd
