"""`journalctl` as it is read on a terminal (`-o short-full`, `with-unit`, `short-unix`, `verbose` …) → events.

The forms whose lines are also syslog's (`short`, `short-precise`, `short-iso`) are left to `syslog`, unless messages
go on over indented lines: those are one event here. `verbose` writes an entry as a block of fields; its time is in the
cursor, in microseconds since 1970, and so certain. Traps: the other forms write local time; a zone is given by its
abbreviation only (CET), and one that several zones share (IST) is read in the recipe's zone, with a warning; a message
with control characters is only `[28B blob data]`; `-- Boot …` and other lines in dashes are remarks, and skipped.
Blind to `short-monotonic` and `cat`, which have no time, and to what `-x` explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from socml.formats._inner import header_event, journal_event
from socml.formats._iso import from_iso
from socml.formats._multiline import grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, clocked
from socml.formats._times import Clock, epoch
from socml.formats.host._syslog_headers import header

__all__ = ["JournaldText"]

_FULL = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: (?P<zone>[A-Z+-][\w+-]{0,9}))? "
)
_UNIX = re.compile(r"(?P<epoch>\d{10}\.\d{6}) (?=\S+ \S+: )")
_CURSOR = re.compile(r"\[(s=[0-9a-f]+;i=[0-9a-f]+;(?:[a-su-z]=[^;\]]*;)*t=(?P<micros>[0-9a-f]{1,16})(?:;[^\]]*)?)\]$")
_FIELD = re.compile(r" {4}(?P<name>[A-Z0-9_]{1,64})=(?P<value>.*)", re.DOTALL)
_LONGEST_HEAD = 500  # characters of a verbose entry's first line
_DEEP = b" " * 16  # the shortest stamp and host are longer
# Hours ahead of UTC. Only names that one offset has; IST, CST or BST have several.
_HOURS = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9,
          "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}  # fmt: skip
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


class JournaldText:
    """Entries of systemd's journal as text for people."""

    name = "journald-text"
    about = (
        "systemd journal as text: journalctl -o short-full, with-unit, short-unix and verbose, with lines that go on"
    )
    specification = "https://www.freedesktop.org/software/systemd/man/latest/journalctl.html#-o"
    one_a_line = False
    examples = (
        "Fri 2026-03-27 14:06:56 CET web1 sshd[1291]: Failed password for root from 192.0.2.9 port 4242 ssh2",
        "Fri 2026-03-27 14:06:57 CET web1 app[77]: a message of",
        "                                          two lines",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of entries, if what syslog does not read is among them; remarks do not count."""
        lines = [line.rstrip(b"\r") for line in head[:65536].split(b"\n")[:200] if line.strip() and not _remark(line)]
        texts = [line.decode("utf-8", "replace") for line in lines if line[:1] not in b" \t"]
        own = [_FULL.match(text) or _UNIX.match(text) for text in texts]
        if not any(own) and not any(line.startswith(_DEEP) for line in lines):
            return 0.0
        found = sum(bool(match or header(text)) for match, text in zip(own, texts, strict=True))
        return 0.95 * found / len(texts) if texts else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's entries."""
        return clocked(
            grouped_records(source, lambda line: line[:1] not in (b" ", b"\t", b"")), _event, source, options
        )


def _remark(line: bytes) -> bool:
    return line.startswith(b"-- ") or line == b"--"


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    if _remark(record):
        raise Skip("remark of journalctl")
    text = record.decode("utf-8", "backslashreplace")
    first, *more = text.split("\n")
    full = _FULL.match(first)
    if full and (cursor := _CURSOR.match(first[:_LONGEST_HEAD], full.end())):
        return journal_event(_fields(more) | {"__REALTIME_TIMESTAMP": int(cursor["micros"], 16), "__CURSOR": cursor[1]})
    stamp = full or _UNIX.match(first)
    found = header(f"1970-01-01T00:00:00Z {first[stamp.end() :]}" if stamp else first)
    if found is None:
        raise ValueError("not an entry: no line begins with a time that journalctl writes")
    parts = found.groupdict()
    indent = len(first) - len(parts["message"] or "")
    parts["message"] = "\n".join([parts["message"] or "", *(_continued(line, indent) for line in more)])
    if stamp is None:
        return header_event(parts, clock)
    row = header_event(parts, clock)
    row["time"] = _when(full["local"], full["zone"], clock) if full else epoch(stamp["epoch"])
    return row


def _continued(line: str, indent: int) -> str:
    """Return a further line of a message without its indentation, which lies under the first line's message."""
    return line[indent:] if not line[:indent].strip() else line.lstrip()


def _fields(lines: list[str]) -> dict[str, object]:
    """Return the fields of a verbose entry; one that was given more than once is a list."""
    found: dict[str, list[list[str]]] = {}
    name, indent = "", 0
    for line in lines:
        if field := _FIELD.fullmatch(line):
            name, indent = field["name"], field.start("value")
            found.setdefault(name, []).append([field["value"]])
        elif name:
            found[name][-1].append(_continued(line, indent))
        else:
            raise ValueError(f"{line.strip()[:40]!r} is not a field of an entry")
    texts = {name: ["\n".join(lines) for lines in values] for name, values in found.items()}
    return {name: values if len(values) > 1 else values[0] for name, values in texts.items()}


def _when(local: str, zone: str | None, clock: Clock) -> datetime:
    """Return a local time in UTC.

    Examples
    --------
    >>> _when("2026-10-25 02:30:00", "CET", Clock(None, None, None)).isoformat()  # the second of that night
    '2026-10-25T01:30:00+00:00'
    """
    try:
        when = from_iso(local)
    except ValueError:
        raise ValueError(f"{local!r} is not a time") from None
    if zone in _HOURS:
        return (when - timedelta(hours=_HOURS[zone])).replace(tzinfo=UTC)
    if offset := _OFFSET.fullmatch(zone or ""):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (when + ahead if offset[1] == "-" else when - ahead).replace(tzinfo=UTC)
    if zone and not clock.used_zone:
        clock.warnings.append(
            f"The zone {zone} is not one for sure: times are read in the recipe's `time_zone`, else UTC."
        )
    return clock.in_zone(when)
