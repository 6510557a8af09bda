"""`journalctl -o export` → events, one a block of fields; it is also what systemd-journal-remote sends.

A field is `NAME=value` on a line, or, where the value holds a line end or other control characters, `NAME`, a line end,
its length (8 bytes, little-endian), the value and a line end. A blank line ends an entry. Traps: a value may hold what
looks like a blank line; a field may be given more than once; an entry that the file ends in is told by its missing
line end only. `source_line` counts the entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from socml.formats._journal import journal_event
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
        return batches(enumerate(_entries(source), 1), _event)


def _entries(source: Source) -> Iterator[bytes]:
    """Yield the bytes of each entry; where a length is wrong, what stands before the next blank line."""
    held = b""
    for chunk in source.chunks():
        held += chunk
        at = 0
        while (end := _end(held, at)) is not None:
            if held[at:end].strip():
                yield held[at:end]
            at = end
        held = held[at:]
        while len(held) > _ENTRY_LIMIT:
            piece = _damaged(held)
            yield piece
            held = held[len(piece) :]
    while held.strip(b"\n"):
        end = _end(held, 0) or (len(held) if _is_whole(held) else len(_damaged(held)))
        if held[:end].strip():
            yield held[:end]
        held = held[end:]


def _end(data: bytes, at: int) -> int | None:
    """Return where the entry that begins at `at` ends; None if its end is not there yet."""
    while (line_end := data.find(b"\n", at)) >= 0:
        if line_end == at:
            return at + 1
        name = data[at:line_end]
        at = line_end + 1
        if b"=" not in name and _NAME.fullmatch(name):
            at += 9 + int.from_bytes(data[at : at + 8], "little")
            if at > len(data):
                return None
    return None


def _is_whole(data: bytes) -> bool:
    """Return whether the last entry of a file, which no blank line follows, ends with a field's end."""
    return _end(data + b"\n", 0) == len(data) + 1


def _damaged(data: bytes) -> bytes:
    end = data.find(b"\n\n")
    return data[: end + 2] if 0 <= end < _ENTRY_LIMIT else data[:_ENTRY_LIMIT]


def _event(record: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(record.rstrip(b"\n")):
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


def _note(found: dict[str, Any], name: str, text: str) -> None:
    if name not in found:
        found[name] = text
    elif isinstance(found[name], list):
        found[name].append(text)
    else:
        found[name] = [found[name], text]
