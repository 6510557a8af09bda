"""Lines of syslog, as in auth.log, messages and journal exports as text → events.

Headers of RFC 3164 (no year), RFC 3339 (rsyslog's file format) and RFC 5424 are read, one by one. Messages of sshd,
sudo, su, cron, PAM, useradd and systemd-logind are taken apart; every other line is an event with its message.

A time without a year gets the recipe's `year`, for the first record, or the newest year that does not put the first
record after the file was written; a jump back by half a year or more is a New Year. Blind to logs with a gap of half
a year, and to a year that was guessed wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from socml.errors import ConfigurationError
from socml.formats._columns import text_array
from socml.formats._reader import Block, Parsed, ReadOptions, Reject, Source, head_lines, no_events
from socml.formats._syslog_messages import read_message
from socml.tables import EVENT, TIME

__all__ = ["Syslog"]

_MONTHS = {m: n for n, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_PRIORITY = r"(?:<(?P<priority>\d{1,3})>)?"
_TAG = r"(?:(?P<tag>[^\s:\[\]]+)(?:\[(?P<pid>\d+)\])?:|\[(?P<bare_tag>[\w.-]+)\]:?)"
_REST = rf"(?:(?P<host>[^\s\[\]]*[^\s\[\]:]) +)?(?:{_TAG} ?)?(?P<message>.*)"
_RFC3164 = re.compile(
    rf"{_PRIORITY}(?P<month>[A-Z][a-z]{{2}}) +(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?"
    rf"(?P<clock>\d\d:\d\d:\d\d)(?P<fraction>\.\d{{1,6}})?:? {_REST}",
    re.DOTALL,
)
_RFC3339 = re.compile(
    rf"{_PRIORITY}(?P<stamp>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?) {_REST}",
    re.DOTALL,
)
_RFC5424 = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<stamp>\S+) (?P<host>\S+) (?P<tag>\S+) (?P<pid>\S+) (?P<message_id>\S+) "
    r'(?P<data>-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<message>.*))?$',
    re.DOTALL,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Syslog's severity (0 emergency … 7 debug) on the scale of 0 to 100
_SEVERITY = (100, 90, 80, 60, 40, 20, 10, 0)


class Syslog:
    """Syslog files: RFC 3164, RFC 3339 and RFC 5424 headers."""

    name = "syslog"
    about = "syslog and auth.log lines; sshd, sudo, su, cron, PAM, useradd and logind messages are taken apart"
    specification = "https://www.rfc-editor.org/rfc/rfc5424 and https://www.rfc-editor.org/rfc/rfc3164"
    examples = (
        "Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2",
        "<86>1 2026-03-27T13:06:56+00:00 web01 sshd 1291 - - Server listening on 0.0.0.0 port 22.",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that begin with a syslog header."""
        lines = [line for line in head_lines(head, 50) if not line.startswith(b"#")]
        if not lines:
            return 0.0
        texts = [line.decode("utf-8", "replace") for line in lines]
        found = sum(_header(text) is not None for text in texts)
        wrapped = sum('"event_type"' in text for text in texts)  # Suricata behind a header is not ours
        return 0.9 * found / len(lines) if not wrapped else 0.4 * found / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events. Lines that start with # are comments."""
        clock = _Clock(_zone(options.time_zone), options.year, source.modified)
        for block in source.blocks():
            yield _parsed(block, clock)


@dataclass
class _Clock:
    """Turns times without a year or a zone into UTC, in the order of the file."""

    zone: ZoneInfo | None  # None: UTC
    year: int | None
    modified: datetime | None
    warnings: list[str] = field(default_factory=list)
    used_year: bool = False
    position: int | None = None  # of the last record in its year: 31 times the month, and the day

    def yearless(self, month: int, day: int, clock: str, fraction: str | None) -> datetime:
        """Return the time of a record that says month, day and clock. Raises ValueError if there is no such day."""
        self.used_year = True
        if self.year is None:
            self.year = self._newest_year(month, day)
            self.warnings.append(
                f"The times have no year: read as {self.year}, the newest in which the first record is not after "
                "the file was written. Set `year` in the dataset's recipe if that is wrong."
            )
        year = self._year_of(self.year, 31 * month + day)
        micros = int(float(fraction) * 1_000_000) if fraction else 0
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:8])
        try:
            return self.in_zone(datetime(year, month, day, hour, minute, min(second, 59), micros))
        except ValueError as error:
            raise ValueError(f"there is no such time in {year}: {error}") from None

    def in_zone(self, local: datetime) -> datetime:
        """Return a local time in UTC; a clock time that occurs twice is the first of the two."""
        return local.replace(tzinfo=self.zone).astimezone(UTC) if self.zone else local.replace(tzinfo=UTC)

    def _newest_year(self, month: int, day: int) -> int:
        later = (self.modified or _EPOCH) + timedelta(days=1)  # a zone east of ours may be a day ahead
        return later.year if (month, day) <= (later.month, later.day) else later.year - 1

    def _year_of(self, year: int, position: int) -> int:
        before, half_a_year = self.position, 6 * 31
        if before is not None and position - before >= 360:
            return year - 1  # 31 December, written just after 1 January
        if before is not None and before - position >= half_a_year:
            year += 1
            self.year = year
            self.warnings.append(f"The times pass a New Year: from there on read as {year}.")
        self.position = position
        return year


def _zone(name: str) -> ZoneInfo | None:
    if name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"time_zone is {name!r}, which is not a time zone such as Europe/Paris.") from None


def _header(text: str) -> re.Match[str] | None:
    first = text[:1]
    if first == "<":
        return _RFC5424.match(text) or _RFC3164.match(text) or _RFC3339.match(text)
    return _RFC3339.match(text) if first.isdigit() else _RFC3164.match(text)


def _parsed(block: Block, clock: _Clock) -> Parsed:
    records: list[bytes] = []
    numbers: list[int] = []
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    skips: dict[str, int] = {}
    for number, line in enumerate(block.lines(), block.first_line):
        if not line.strip() or line.startswith(b"#"):
            reason = "comment" if line.strip() else "blank line"
            skips[reason] = skips.get(reason, 0) + 1
            continue
        text = line.decode("utf-8", "backslashreplace")
        found = _header(text)
        if found is None:
            rejects.append(Reject(number, "no syslog header: the line does not begin with a time", line))
            continue
        try:
            row = _event(found.groupdict(), clock)
        except ValueError as error:
            rejects.append(Reject(number, str(error), line))
            continue
        rows.append(row)
        records.append(line)
        numbers.append(number)
    warnings, clock.warnings = clock.warnings, []
    if not rows:
        return Parsed(no_events(), [], rejects=rejects, skips=skips, warnings=warnings)
    columns = {"raw": text_array(records), "source_line": pa.array(numbers, pa.int64())}
    columns["time"] = pa.array([row.pop("time") for row in rows], pa.int64()).view(TIME)
    for name in dict.fromkeys(name for row in rows for name in row):
        columns[name] = pa.array([row.get(name) for row in rows], EVENT[name].type)
    certain = not clock.used_year and clock.zone is None
    return Parsed(pa.table(columns), records, None, rejects, skips, warnings, time_is_certain=certain)


def _event(found: dict[str, str | None], clock: _Clock) -> dict[str, Any]:
    tag, host, pid = found.get("tag") or found.get("bare_tag"), found.get("host"), found.get("pid")
    message = (found.get("message") or "").lstrip(" ") if found.get("data") else found.get("message") or ""
    if found.get("data") is not None:
        tag, host, pid = (None if v == "-" else v for v in (tag, host, pid))
        message = message.removeprefix("\ufeff")
    program = (tag or "").rsplit("/", 1)[-1]
    columns, more = read_message(program, message)
    row: dict[str, Any] = {"time": _micros(_when(found, clock)), "message": message or None, "host_name": host}
    row["process_name"] = program or None
    if pid and pid.isdigit() and len(pid) < 19:
        row["process_pid"] = int(pid)
    if found.get("priority"):
        priority = int(found["priority"] or 0)
        row["event_severity"] = _SEVERITY[priority & 7]
        more["facility"] = str(priority >> 3)
    for name in ("message_id", "data"):
        if found.get(name) not in (None, "-"):
            more[name.replace("data", "structured_data")] = str(found[name])
    row |= columns
    row.setdefault("event_category", "host")
    row["extra"] = list(more.items())
    return row


def _when(found: dict[str, str | None], clock: _Clock) -> datetime | None:
    stamp = found.get("stamp")
    if stamp == "-":
        return None
    if stamp:
        try:
            when = datetime.fromisoformat(stamp.replace(",", "."))
        except ValueError:
            raise ValueError(f"{stamp[:40]!r} is not a time") from None
        return when.astimezone(UTC) if when.tzinfo else clock.in_zone(when)
    month = _MONTHS.get(found["month"] or "")
    if month is None:
        raise ValueError(f"{found['month']!r} is not a month")
    day, written = int(found["day"] or 0), found["clock"] or ""
    if found.get("year"):
        text = f"{found['year']}-{month:02}-{day:02}T{written}{found['fraction'] or ''}"
        return clock.in_zone(datetime.fromisoformat(text))
    return clock.yearless(month, day, written, found["fraction"])


def _micros(when: datetime | None) -> int | None:
    if when is None:
        return None
    passed = when - _EPOCH
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds
