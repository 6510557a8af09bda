"""`journalctl -o json` → events, one entry a line; it is what Cockpit shows.

Times are in microseconds since 1970. Traps: all values are text, numbers too; a value that is not UTF-8 is a list of
byte numbers; a field that was given twice is a list of values; a value over 4096 bytes is null (unless `--all` was
given), and so missing. `-o json-seq` puts a record separator before each line and `-o json-sse` the word `data:`; both
are read. So is `-o json-pretty`, which spreads an entry over lines: one that is cut is rejected, and the next is read.
Messages of sshd, sudo and others are taken apart as in syslog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from socml.formats._inner import journal_event
from socml.formats._json import loads_exactly
from socml.formats._multiline import grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches, json_records

__all__ = ["JournaldJson"]

_PRETTY = re.compile(rb'\s*\{\r?\n\s+"')


class JournaldJson:
    """Entries of systemd's journal as JSON."""

    name = "journald-json"
    about = "systemd journal, journalctl -o json: one entry a line, or spread over lines by json-pretty"
    specification = "https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format"
    examples = (
        '{"__REALTIME_TIMESTAMP":"1774616816000000","_HOSTNAME":"web1","PRIORITY":"6","SYSLOG_IDENTIFIER":"sshd",'
        '"_PID":"1291","MESSAGE":"Server listening on 0.0.0.0 port 22."}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that are objects with the journal's own fields."""
        if _PRETTY.match(head):
            return 0.98 if b'"__REALTIME_TIMESTAMP" :' in head[:65536] else 0.0
        lines = head_lines(head, 10)
        return 0.98 * sum(_is_entry(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's entries."""
        start = next(iter(source.chunks()), b"").removeprefix(b"\xef\xbb\xbf")
        records = grouped_records(source, _opens) if _PRETTY.match(start) else json_records(source)
        return batches(records, _event)


def _opens(line: bytes) -> bool:
    return line == b"{"  # within a value it would stand behind a tab


def _bare(line: bytes) -> bytes:
    return line.lstrip(b"\x1e").removeprefix(b"data: ")


def _is_entry(line: bytes) -> bool:
    try:
        found = orjson.loads(_bare(line))
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and "__REALTIME_TIMESTAMP" in found


def _event(line: bytes) -> dict[str, object]:
    return journal_event(loads_exactly(_bare(line)))
