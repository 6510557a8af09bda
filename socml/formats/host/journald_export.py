"""`journalctl -o export` → events, one a block of fields; it is also what systemd-journal-remote sends.

A field is `NAME=value` on a line, or, where the value holds a line end or other control characters, `NAME`, a line end,
its length (8 bytes, little-endian), the value and a line end. A blank line ends an entry. Traps: a value may hold what
looks like a blank line; a field may be given more than once; an entry that the file ends in is told by its missing
line end only. `source_line` counts the entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._inner import journal_event
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["JournaldExport"]

_NAME = re.compile(rb"_{0,2}[A-Z0-9][A-Z0-9_]{0,62}")
_ENTRY_LIMIT = 16 << 20  # bytes


class JournaldExport:
    """Entries of systemd's journal in its export format."""

    name = "journald-export"
    about = "systemd journal export format: blocks of NAME=value, with binary values"
    specification = "https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-export-format"
    one_a_line = False
    examples = (
        "__REALTIME_TIMESTAMP=1774616816000000",
        "_HOSTNAME=web1",
        "PRIORITY=6",
        "SYSLOG_IDENTIFIER=sshd",
        "MESSAGE=Server listening on 0.0.0.0 port 22.",
        "",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a first entry of fields, with the journal's time among them."""
        start = head[:65536].lstrip(b"\n")
        lines = start.split(b"\n\n", 1)[0].split(b"\n")
        named = _NAME.fullmatch(lines[0].partition(b"=")[0])
        return 0.98 if named and re.search(rb"(?:^|\n)__(?:REALTIME_TIMESTAMP|CURSOR)=", start) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's entries."""
        return batches(enumerate(_entries(source), 1), _event, is_text=False)


def _entries(source: Source) -> Iterator[bytes]:
    """Yield the bytes of each entry; where a length is wrong, what stands before the next blank line."""
    held = b""
    for chunk in source.chunks():
        held += chunk
        at, endless = 0, set[int]()
        while (end := _end(held, at, endless)) is not None or len(held) - at > _ENTRY_LIMIT:
            end = end or _damaged_end(held, at)
            if held[at:end].strip():
                yield held[at:end]
            at = end
        held = held[at:]
    data = held + b"\n" if held.endswith(b"\n") else held  # no blank line follows the last entry of a file
    at, endless = 0, set[int]()
    while at < len(held):
        end = min(_end(data, at, endless) or _damaged_end(held, at), len(held))
        if held[at:end].strip():
            yield held[at:end]
        at = end


def _end(data: bytes, at: int, endless: set[int]) -> int | None:
    """Return where the entry that begins at `at` ends; None if its end is not there yet.

    `endless` remembers where fields begin from which no end was found, so that no field is looked at for many entries.
    """
    passed = []
    while at not in endless and (line_end := data.find(b"\n", at)) >= 0:
        passed.append(at)
        if line_end == at:
            return at + 1
        name = data[at:line_end]
        at = line_end + 1
        if b"=" not in name and _NAME.fullmatch(name):
            at += 9 + int.from_bytes(data[at : at + 8], "little")
            if at > len(data):
                break
    endless.update(passed)
    return None


def _damaged_end(data: bytes, at: int) -> int:
    """Return where an entry is taken to end that has a length which is wrong: at the next blank line."""
    end = data.find(b"\n\n", at, at + _ENTRY_LIMIT)
    return end + 2 if end >= 0 else min(at + _ENTRY_LIMIT, len(data))


def _event(record: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    at, stop = 0, len(record.rstrip(b"\n"))
    while at < stop:
        line_end = record.find(b"\n", at)
        if line_end < 0:
            raise ValueError("the entry is cut off: its last field has no end")
        name, equals, value = record[at:line_end].partition(b"=")
        at = line_end + 1
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40].decode('utf-8', 'backslashreplace')!r} is not a field's name")
        if not equals:
            length = int.from_bytes(record[at : at + 8], "little")
            value, at = record[at + 8 : at + 8 + length], at + 9 + length
            if at > len(record):
                raise ValueError(f"the entry is cut off, or the length of {name.decode()} is wrong: {length:,} bytes")
        _note(found, name.decode(), value.decode("utf-8", "backslashreplace"))
    return journal_event(found)


def _note(found: dict[str, object], name: str, text: str) -> None:
    before = found.get(name)
    if name not in found:
        found[name] = text
    elif isinstance(before, list):
        before.append(text)
    else:
        found[name] = [before, text]
