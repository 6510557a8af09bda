"""Lines of key=value of a tool that nobody knows (logfmt) → events, by what tools usually call things; the rest is kept.

`key=value`, `key="value with blanks"`, `key='…'`, `key={…}`; a backslash escapes a quote. What stands before the first key (a syslog
header, a time, a level) is read as text. Keys may have blanks around their `=`. `socml peek FILE --write-map` writes what
was taken for what as a map to correct.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._facts import TELLS
from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import extra_of
from socml.formats._pairs import are_pairs, pairs_of, uncoloured
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, clocked, line_records
from socml.formats._stamps import ZONES, Stamp, stamp_in
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats._values import severity_of
from socml.formats.host._syslog_messages import read_text

__all__ = ["KeyValues"]

_LEVEL_BEFORE = re.compile(r"(?:\d\d:\d\d:\d\d[.,]\d{1,9}: )?[\[(<]?(?P<level>[A-Za-z]{3,13})\b")
_WRITER = re.compile(r"(?P<host>[\w.-]{1,255}) (?P<program>[\w./-]{1,64})\[(?P<pid>\d{1,9})\]")
_OTHERS = re.compile(rb"#|<\?|\{(?!:?[\"']?\w{1,60}[\"']? ?(?:=>|,\{))")  # comments, JSON: not Ruby's
_ELEMENT = re.compile(rb"<[A-Za-z][\w:.-]{0,99}[\s>/]")
_GUESS, _BELOW_XML = 0.66, 0.55


class KeyValues:
    """logfmt and other lines of key=value pairs."""

    name = "key-values"
    about = "lines of key=value of a tool that nobody knows (logfmt): columns by what tools usually call things"
    specification = "https://brandur.org/logfmt"
    examples = (
        't=2026-03-02T10:00:00Z lvl=warn msg="bad password" uname=bob remote_addr=192.0.2.4 method=POST path=/login status=401',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """A guess: as sure as the share of lines that are mostly pairs; never over 0.66."""
        lines = [line for line in head_lines(head, 30) if not _OTHERS.match(line)]
        if not lines or b"\0" in head[:4096]:
            return 0.0
        sure = _BELOW_XML if _ELEMENT.match(lines[0]) else _GUESS
        return sure * sum(are_pairs(uncoloured(line.decode("utf-8", "replace"))) for line in lines) / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), key_values_event, source, options)


def key_values_event(line: bytes, clock: Clock) -> dict[str, object]:
    """Return the event columns of one line. Raises ValueError, in words, if it holds no pair."""
    if line.startswith(b"#"):
        raise Skip("comment")
    text = uncoloured(line.decode("utf-8", "backslashreplace"))
    before, found = pairs_of(text)
    if not found:
        raise ValueError("no key=value in the line")
    row, _ = guessed_row(_with_joined_time(found), clock)
    _read_front(before, text, row, clock)
    if row.get("time") is None and (stamp := _stamp(found.get("text", ""), clock, 1)):
        row["time"] = stamp.time
    if "text" in found and TELLS.search(found["text"]):
        _fill(row, found["text"])
    return with_inner(row, row.get("message"), clock)


def _with_joined_time(found: dict[str, str]) -> dict[str, str]:
    """Return the pairs with `date` and `time` as one, where a device writes them apart."""
    day, time = found.get("date"), found.get("time")
    if day is None or time is None or ":" not in time or "-" in time or "T" in time:
        return found
    zone = found.get("tz") or found.get("timezone") or ""
    rest = {name: value for name, value in found.items() if name not in ("date", "time")}
    zone = f" {zone}" if zone in ZONES else zone if zone[:1] in "+-" and len(zone) > 4 else ""
    return {"datetime": f"{day} {time}{zone}", **rest}


def _read_front(before: str, text: str, row: dict[str, object], clock: Clock) -> None:
    """Fill what the pairs leave empty from what stands before them, and from the line as a message."""
    if not before:
        return
    header = split_header(before + " ", len(before) + 1)
    stamp = _stamp(before, clock)
    if stamp and row.get("time") is None:
        row["time"] = stamp.time
    is_word = before[:1].isdecimal() and (header.host or "").isalpha() and (header.host or "").istitle()  # `Deny a=1`
    if header.stamp and header.host and not is_word and row.get("host_name") is None:
        row["host_name"] = header.host
    if header.severity is not None and row.get("event_severity") is None:
        row["event_severity"] = header.severity
    rest = before[stamp.end :].strip() if stamp and not header.stamp else header.rest
    if stamp and not header.stamp and (written := _WRITER.fullmatch(rest)):
        row["host_name"] = row.get("host_name") or written["host"]
        row["process_name"], row["process_pid"] = written["program"], int(written["pid"])
        return
    if not rest:
        return
    row["extra"] = {**extra_of(row), "before": rest}
    if row.get("message") is None:
        row["message"] = rest
    if row.get("event_severity") is None and (level := _LEVEL_BEFORE.match(rest)):
        row["event_severity"] = severity_of(level["level"])
    _fill(row, text[text.find(rest) :])


def _stamp(text: str, clock: Clock, farthest: int = 120) -> Stamp | None:
    try:
        return stamp_in(text, clock, farthest=farthest)
    except ValueError:
        return None


def _fill(row: dict[str, object], message: str) -> None:
    """Fill what the pairs leave empty from a line as a message."""
    columns, more = read_text(message)
    own_kind = ("class_uid", "event_category", "event_action") if row.get("class_uid") else ()
    for name, value in columns.items():
        if value is not None and row.get(name) in (None, "host") and name not in own_kind:
            row[name] = value
    row["extra"] = {**more, **extra_of(row)}
