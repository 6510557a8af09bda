"""AIDE's report as text → events, one an entry that was added, removed or changed.

    Start timestamp: 2026-11-25 02:42:21 +0000 (AIDE 0.18.3)
    Added entries:
    f+++++++++++++++++: /srv/bin/x
    Detailed information about changes:
    File: /srv/etc/passwd
     Size      : 11                               | 22

An entry and its details, which stand in a later part, become one record; a report is held until its end for that (up
to 64 MB of entries). All entries have the time when the check began. Traps: long values wrap over lines; hashes are in
base64; versions up to 0.15 write `added: /path` and separate old and new with a comma, and their times have no zone;
a log may hold many reports. The frame of the report (title, summary, rules, database attributes) is skipped, line by
line, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypedDict, cast

from socml.formats._json import extra_of, json_bytes, loads_exactly
from socml.formats._multiline import numbered_lines
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats._times import Clock, clock_of
from socml.formats.host._aide import aide_event, aide_time

__all__ = ["AideReport"]

_START = re.compile(r"Start timestamp: (?P<stamp>.{19}(?: [+-]\d{4})?)(?: \(AIDE (?P<version>[^)]{1,40})\))?")
_SECTION = re.compile(r"(Added|Removed|Changed|Detailed information|The attributes).{0,80}:$")
_ENTRY = re.compile(r"(?P<flags>[fdlbcpsDF?!|]\S? ?.{0,60}?|added|removed|changed) ?: (?P<path>/.*)$")
_OBJECT = re.compile(r"(?:File|Directory|Link|Block Device|Char Device|FIFO|Socket|Door|Port|Object): (?P<path>/.*)$")
_ATTRIBUTE = re.compile(r" {1,2}(?P<name>[A-Za-z][\w ()-]{0,20}?) {0,20}: (?P<values>.*)$")
_CHANGE = {"Added": "added", "Removed": "removed", "Changed": "changed"}
_NAMES = {"mtime": "modify_time", "ctime": "change_time", "atime": "access_time"}
_HELD = 64 << 20  # bytes of one report's entries


class _Found(TypedDict):
    """What the line of a file says."""

    path: str
    change: str
    flags: str


class _Entry(_Found):
    """A file of the report, with the lines about it."""

    number: int
    lines: list[str]
    details: dict[str, dict[str, str]]


@dataclass
class _Report:
    stamp: str | None = None
    version: str | None = None
    entries: dict[str, _Entry] = field(default_factory=dict)
    size: int = 0


class AideReport:
    """Reports of AIDE as text."""

    name = "aide-report"
    about = "AIDE reports as text: one event an added, removed or changed file"
    specification = "https://aide.github.io/doc/"
    one_a_line = False
    examples = (
        "Start timestamp: 2026-11-25 02:42:21 +0000 (AIDE 0.18.3)",
        "AIDE found differences between database and filesystem!!",
        "",
        "---------------------------------------------------",
        "Added entries:",
        "---------------------------------------------------",
        "",
        "f+++++++++++++++++: /srv/bin/x",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of AIDE's first lines."""
        start = head[:2048]
        if start.lstrip().startswith(b"{"):
            return 0.0
        has_verdict = b"AIDE found differences" in start or b"AIDE found NO differences" in start
        return 0.97 if has_verdict or re.search(rb"^Start timestamp: .{19}.{0,7}\(AIDE ", start, re.MULTILINE) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the entries of the file's reports."""
        clock = clock_of(source, options)
        return batches(_records(source), lambda record: _event(record, clock), warnings=clock.warnings)


def _records(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield each entry as JSON, and as it is each line that belongs to none."""
    report, section, about, attribute = _Report(), "", None, ""
    for number, line in numbered_lines(source):
        text = line.decode("utf-8", "backslashreplace")
        if start := _START.match(text):
            yield from _entries(report)
            report, section, about = _Report(start["stamp"], start["version"]), "", None
        elif found := _SECTION.match(text):
            section, about = found[1], None
        elif section in _CHANGE and (entry := _ENTRY.match(text)):
            _note(report, number, text, {"path": entry["path"], "change": _CHANGE[section], "flags": entry["flags"]})
            continue
        elif section.startswith("Detailed") and (found := _OBJECT.match(text)):
            about = report.entries.get(found["path"])
            if about is not None:
                about["lines"].append(text)
                continue
        elif about is not None and text.startswith(" "):
            about["lines"].append(text)
            attribute = _attribute(about["details"], text, attribute)
            continue
        if text.strip():
            yield number, line
        if report.size > _HELD:
            yield from _entries(report)
            report.entries, report.size = {}, 0
    yield from _entries(report)


def _note(report: _Report, number: int, text: str, entry: _Found) -> None:
    report.entries[entry["path"]] = {"number": number, "lines": [text], "details": {}, **entry}
    report.size += len(text) + 1000


def _attribute(details: dict[str, dict[str, str]], text: str, last: str) -> str:
    """Take a line of details: an attribute's old and new value, or what those of the last one go on with."""
    found = _ATTRIBUTE.match(text)
    if found and not text.startswith("   "):
        last = found["name"].strip().lower()
        last = _NAMES.get(last, last)
    values = found["values"] if found and not text.startswith("   ") else text
    old, bar, new = values.partition(" | ")
    if not bar:
        old, _, new = values.partition(" , ")
    sides = details.setdefault(last, {"old": "", "new": ""})
    sides["old"] += old.strip()
    sides["new"] += new.strip()
    return last


def _entries(report: _Report) -> Iterator[tuple[int, bytes]]:
    for entry in report.entries.values():
        fields = {name: value for name, value in entry.items() if name != "number"}
        yield entry["number"], json_bytes({**fields, "start_time": report.stamp, "aide_version": report.version})


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    if not record.startswith(b'{"lines":'):
        raise Skip("frame of the report")
    found = loads_exactly(record)
    when = aide_time(found["start_time"], clock)
    row = aide_event(
        str(found["path"]),
        str(found["change"]),
        str(found["flags"]).strip(),
        cast("dict[str, dict[str, object]]", found["details"]),
        when,
    )
    row["raw"] = "\n".join(cast("list[str]", found["lines"]))
    extra_of(row)["aide_version"] = found["aide_version"]
    return row
