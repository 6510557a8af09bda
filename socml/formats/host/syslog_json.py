"""Syslog messages as JSON lines, as a template of rsyslog or syslog-ng writes them → events.

The template names the fields; usual names are known: `@timestamp` or `timestamp`, `host`, `severity` (a word or a
number), `facility`, `programname` or `syslogtag`, `procid`, `message`. Messages of sshd, sudo and others are taken
apart as in `syslog`. Traps: rsyslog leaves a blank before the message; a template without structured data loses it;
templates that do not write `json` options put quotes into values unescaped, and such lines are rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._fields import Fields
from socml.formats._inner import with_inner
from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._record_kinds import is_record
from socml.formats._records import clocked, json_records
from socml.formats._syslog_header import SEVERITY
from socml.formats._times import Clock, iso
from socml.formats.host._syslog_messages import read_message

__all__ = ["SyslogJson"]

_TIME = ("@timestamp", "timestamp", "timereported", "timegenerated", "time", "ISODATE")
_PROGRAM = ("programname", "syslogtag", "app-name", "appname", "program", "PROGRAM")
_LEVEL = ("severity", "syslogseverity-text", "syslogseverity", "level", "priority", "PRIORITY", "LEVEL")
_MESSAGE = ("message", "msg", "MESSAGE")
_HOST = ("host", "hostname", "fromhost", "source", "HOST")
_TAG = re.compile(r"(?P<program>[^\s\[:]{1,200})(?:\[(?P<pid>\d{1,18})\])?:?$")
_SEVERITY = {"emerg": 100, "panic": 100, "alert": 90, "crit": 80, "err": 60, "error": 60, "warning": 40, "warn": 40,
             "notice": 20, "info": 10, "debug": 0}  # fmt: skip


class SyslogJson:
    """Syslog as JSON."""

    name = "syslog-json"
    about = "syslog messages as JSON lines, as rsyslog's and syslog-ng's templates write them"
    specification = "https://www.rsyslog.com/doc/configuration/templates.html"
    examples = (
        '{"@timestamp":"2026-03-27T13:06:56+00:00","host":"web1","severity":"info","facility":"authpriv",'
        '"programname":"sshd","procid":"1291","message":" Failed password for root from 192.0.2.9 port 4242 ssh2"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of objects with a message, a program and a severity or facility."""
        lines = head_lines(head, 10)
        return 0.93 * sum(_is_message(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(json_records(source), _event, source, options)


def _is_message(line: bytes) -> bool:
    found = as_object(line)
    names = set(found)
    return (
        bool(names & set(_MESSAGE)) and bool(names & set(_PROGRAM)) and bool(names & {*_LEVEL, "facility", "FACILITY"})
    )


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    fields = Fields(flatten(loads_exactly(record)))
    when, level = fields.take(*_TIME), fields.take(*_LEVEL)
    message = (fields.text(*_MESSAGE) or "").strip()
    tag = _TAG.match((fields.text(*_PROGRAM) or "").strip())
    program = tag["program"].rsplit("/", 1)[-1] if tag else None
    pid = fields.peek("procid", "pid", "PID") or (tag["pid"] if tag else None)
    holds_record = is_record(message)
    columns, more = ({}, {}) if holds_record else read_message(program or "", message)
    row: dict[str, object] = {
        "time": None if when is None else iso(when, clock),
        "message": message or None,
        "host_name": fields.text(*_HOST),
        "process_name": program,
        "process_pid": int(str(pid)) if str(pid).isdecimal() and len(str(pid)) < 19 else None,
        "event_severity": _severity(level),
    }
    if row["process_pid"] is not None:
        fields.take("procid", "pid", "PID")
    row |= columns
    row.setdefault("event_category", "host")
    row["extra"] = {**fields.rest(), **more}
    return with_inner(row, message, clock) if holds_record else row


def _severity(level: object) -> int | None:
    text = str(level).lower()
    return SEVERITY[int(text) & 7] if text.isdecimal() and len(text) < 4 else _SEVERITY.get(text)
