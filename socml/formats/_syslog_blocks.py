"""A block of syslog lines → events: the plain lines column by column, the others one by one, all in one clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._snort_syslog import WRITERS
from socml.formats._span_records import SpanRecords
from socml.formats._spans import text_at
from socml.formats._syslog_lines import HEADERS, SEVERITY, syslog_event
from socml.formats._syslog_messages import LAST_REPEATED, REPEATED
from socml.formats._syslog_templates import BY_PROGRAM, PAM, SAME_AS, Template
from socml.formats._times import Clock
from socml.formats._zones import utc_micros
from socml.tables import EVENT, EXTRA, TIME

__all__ = ["parse_block"]

_FACILITIES = [b"%d" % number for number in range(1000 >> 3)]
_DAY = 86_400_000_000  # microseconds
_FIRST_YEAR, _LAST_YEAR = 1971, 2098  # of a plain line, with room for a zone at both ends


def parse_block(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold."""
    from socml.kernels.syslog_lines import LOCAL

    found = _Found(block.data)
    plain, kind = found.headers.plain, found.headers.kind
    if (plain & (kind == LOCAL)).any():
        clock.used_zone = True
    micros = found.headers.micros
    odd = list(
        batches(
            found.odd_lines(block.first_line, clock),
            lambda line: syslog_event(line, clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )
    )
    rows = np.flatnonzero(plain)
    if len(rows):
        if clock.zone is not None:
            local = np.flatnonzero(plain & (kind <= LOCAL))
            micros[local] = utc_micros(micros[local], clock.zone)
        yield Parsed(
            found.events(rows, block.first_line),
            found.records(rows),
            time_is_certain=clock.is_certain,
        )
    yield from odd


class _Found:
    """What the kernels say of a block's lines."""

    def __init__(self, text: bytes) -> None:
        from socml.kernels.syslog_lines import FIELDS, scan_headers
        from socml.kernels.syslog_messages import Lines, scan_messages

        self.block = text
        headers, plan, self.templates, sets = _plan()
        self.data = np.frombuffer(text + b"".join(_FACILITIES), np.uint8)  # the facilities' numbers lie behind it
        self.headers = scan_headers(self.data[: len(text)], headers)
        at = FIELDS.index("program")
        self.programs = self._text(self.headers.starts[:, at], self.headers.ends[:, at]).dictionary_encode()
        names = [name.lower() for name in self.programs.dictionary.to_pylist()]
        of_name = np.array([*(sets.get(SAME_AS.get(name, name), 0) for name in names), 0], np.int32)
        program = np.asarray(self.programs.indices.fill_null(len(names)))
        which = of_name[program]
        self.headers.plain[np.array([*(name in WRITERS for name in names), False])[program]] = False  # no templates
        at = FIELDS.index("message")
        head = self.headers
        starts, ends = (np.ascontiguousarray(places[:, at:]) for places in (head.starts, head.ends))
        lines = Lines(head.plain, starts, ends, which, self._facilities(len(text)))
        self.fields = scan_messages(self.data, plan, lines)
        self.keys = plan.keys

    def odd_lines(self, first_line: int, clock: Clock) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are not plain; meanwhile the plain ones between them get their year, in turn.

        Lines one after the other with the same month and day have the same year, and set the clock like one of them.
        """
        from socml.kernels.syslog_lines import YEARLESS

        head = self.headers
        odd = ~head.plain
        rows = np.flatnonzero(head.plain & (head.kind == YEARLESS))
        day = head.month[rows].astype(np.int64) * 32 + head.day[rows] + (np.cumsum(odd)[rows] << 10)
        firsts = np.flatnonzero(np.diff(day, prepend=-1))
        runs = dict(zip(rows[firsts].tolist(), np.split(rows, firsts[1:]), strict=True)) if len(rows) else {}
        for row in sorted([*runs, *np.flatnonzero(odd).tolist()]):
            run = runs.get(row)
            if run is None:
                yield first_line + row, self._line(row)
                continue
            day_number = _day_number(clock.year_of(int(head.month[row]), int(head.day[row])), head, row)
            if day_number is not None:
                head.micros[run] += day_number * _DAY
                clock.used_zone = True
                continue
            head.plain[run] = False
            yield from ((first_line + other, self._line(other)) for other in run.tolist())

    def records(self, rows: NDArray[np.int64]) -> SpanRecords:
        """Return the bytes of the plain lines, which are `rows`."""
        return SpanRecords(self.block, self.headers.starts[rows, 0], self.headers.ends[rows, 0])

    def events(self, rows: NDArray[np.int64], first_line: int) -> pa.Table:
        """Return the events of the plain lines, which are `rows`."""
        from socml.kernels.message_plan import COLUMNS
        from socml.kernels.syslog_lines import FIELDS

        head, fields, every = self.headers, self.fields, len(rows) == len(self.headers.plain)

        def of(values: NDArray[Any]) -> NDArray[Any]:
            return values if every else values[rows]

        def text(starts: NDArray[np.int32], ends: NDArray[np.int32], at: int) -> pa.Array:
            return self._text(of(starts[:, at]), of(ends[:, at]))

        columns = {
            name: text(head.starts, head.ends, FIELDS.index(field))
            for name, field in {"raw": "line", "message": "message", "host_name": "host"}.items()
        }
        columns["source_line"] = pa.array(rows + first_line)
        columns["time"] = pa.array(of(head.micros)).view(TIME)
        columns["process_name"] = self.programs.dictionary.take(
            self.programs.indices if every else self.programs.indices.take(pa.array(rows))
        )
        columns["process_pid"] = _number(of(head.pid))
        if (head.priority >= 0).any():
            severity = np.array(SEVERITY, np.int32)[of(head.priority) & 7]
            columns["event_severity"] = pa.array(severity, mask=of(head.priority) < 0)
        template = of(fields.template)
        template = pa.array(np.where(template < 0, len(self.templates["event_action"]) - 1, template))
        columns |= {name: values.take(template) for name, values in self.templates.items()}
        columns |= {name: text(fields.starts, fields.ends, at) for at, name in enumerate(COLUMNS)}
        columns["source_port"] = _number(of(fields.ports[:, 0]))
        columns["destination_port"] = _number(of(fields.ports[:, 1]))
        columns["extra"] = self._extra(of, rows)
        return pa.table(columns)

    def _line(self, row: int) -> bytes:
        """Return a line, plain or not, as `Block.lines` does."""
        begin = self.headers.line_ends[row - 1] + 1 if row else 0
        return self.block[begin : self.headers.line_ends[row]].strip(b"\r\0")

    def _extra(self, of: Any, rows: NDArray[np.int64]) -> pa.Array:
        fields = self.fields
        used = slice(int(fields.offsets[-1]))
        key, starts, ends = fields.key[used], fields.value_starts[used], fields.value_ends[used]
        counts = np.diff(fields.offsets)
        offsets = fields.offsets
        if len(rows) < len(counts):
            kept = np.repeat(self.headers.plain, counts)
            key, starts, ends = key[kept], starts[kept], ends[kept]
            offsets = np.concatenate([[0], np.cumsum(counts[rows])]).astype(np.int32)
        keys = pa.array(self.keys, pa.string()).take(pa.array(key))
        return pa.MapArray.from_arrays(pa.array(offsets), keys, self._text(starts, ends)).cast(EXTRA)

    def _facilities(self, behind: int) -> NDArray[np.int32]:
        """Return where the number of each line's facility lies; -1 for none."""
        ends = np.cumsum([behind, *map(len, _FACILITIES)]).astype(np.int32)
        spans = np.stack([ends[:-1], ends[1:]], axis=1)
        priority = self.headers.priority
        return np.where(priority[:, None] < 0, np.int32(-1), spans[np.maximum(priority, 0) >> 3])

    def _text(self, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> pa.Array:
        return text_at(self.data, starts, ends)


@cache
def _plan() -> tuple[Any, Any, dict[str, pa.Array], dict[str, int]]:
    """Return the headers' patterns and the messages' plan; event columns of each template; the set of each program.

    The columns of a template that means a failure come after all templates, and after them those of no template.
    """
    from socml.kernels.message_plan import plan_of
    from socml.kernels.pattern_programs import compiled

    templates = list(dict.fromkeys((*PAM, *(t for several in BY_PROGRAM.values() for t in several))))
    number = {template: at for at, template in enumerate(templates)}
    members = [[number[template] for template in several] for several in (PAM, *BY_PROGRAM.values())]
    fails_with = {number[template]: "reason" for template in templates if template.action == "sudo_command"}
    programs = compiled([*(template.pattern for template in templates), REPEATED, LAST_REPEATED])
    sets = {name: at for at, name in enumerate(BY_PROGRAM, 1)}
    return compiled(HEADERS), plan_of(programs, members, fails_with), _columns_of(templates), sets


def _columns_of(templates: list[Template]) -> dict[str, pa.Array]:
    values = {
        "class_uid": [*(t.kind[0] for t in templates)] * 2 + [None],
        "event_category": [*(t.kind[1] for t in templates)] * 2 + ["host"],
        "event_action": [*(t.action for t in templates)] * 2 + [None],
        "event_outcome": [*(t.outcome for t in templates), *("failure" for _ in templates), None],
    }
    return {name: pa.array(several, EVENT[name].type) for name, several in values.items()}


def _day_number(year: int, head: Any, row: int) -> int | None:
    """Return the days from 1970 to a row's day; None if there is no such day in that year, or the year is far off."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, int(head.month[row]), int(head.day[row])).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None


def _number(values: NDArray[Any]) -> pa.Array:
    return pa.array(values, mask=values < 0)
