"""JSON of a tool that nobody knows → events, by what tools usually call things (`_field_names.toml`); the rest is kept.

JSON lines, one array, objects spread over lines, one document with its records in a list. A text field that is itself a
record (JSON, syslog, CEF) is read by its own reader. `socml peek` shows which field was taken for what, and
`socml peek FILE --write-map` writes it down as a map to correct.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._envelope import first_objects, members
from socml.formats._guess import flat_fields, guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import as_object, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock

__all__ = ["AnyJson"]

_LISTS = (
    "records", "Records", "events", "Events", "logs", "items", "data", "results", "value", "entries", "alerts", "rows",
    "messages", "findings", "Findings", "activities", "hits", "authlogs", "log_entries", "logEvents", "detections", "resources",
)  # fmt: skip
_GUESS, _BARE_GUESS = 0.65, 0.52  # sure, of records with a time and something else that is known; of others
_HEAD = 1 << 20


class AnyJson:
    """JSON lines, arrays and documents of any tool."""

    name = "any-json"
    about = (
        "JSON of a tool that nobody knows: lines, an array, or a document; columns by what tools usually call things"
    )
    specification = "https://www.rfc-editor.org/rfc/rfc8259"
    examples = (
        '{"when":"2026-03-02T10:00:00Z","srcIp":"192.0.2.1","dst_port":2222,"userName":"root","activity":"login.failed"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """A guess: as sure as the share of objects with a time and something else that is known; never over 0.65."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:2]
        if not start.startswith((b"{", b"[")):
            return 0.0
        found = first_objects(head, *lists_of(head), limit=20)
        if not found:
            return 0.0
        clock = Clock(None, None, None)
        rows = [guessed_row(flat_fields(one), clock)[1] for one in found]
        known = sum("time" in taken and len(taken) > 1 for taken in rows)
        return _BARE_GUESS + (_GUESS - _BARE_GUESS) * known / len(rows)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(members(source, *lists_of(_head_of(source))), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    row, _ = guessed_row(flat_fields(loads_exactly(record)), clock)
    return with_inner(row, row.get("message"), clock)


def _head_of(source: Source) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for chunk in source.chunks():
        pieces.append(chunk)
        size += len(chunk)
        if size >= _HEAD:
            break
    return b"".join(pieces)


def lists_of(head: bytes) -> tuple[str, ...]:
    """Return the name of the list that a document holds its records in; none if the file's objects are its records."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"{"):
        return ()
    first, _, rest = start.partition(b"\n")
    found = as_object(first)
    if found:
        if rest.strip():
            return ()
        lists = [
            n
            for n, v in found.items()
            if n in _LISTS and isinstance(v, list) and v and all(isinstance(o, dict) for o in v)
        ]
        has_time = (
            "time"
            in guessed_row(
                {n: v for n, v in found.items() if not isinstance(v, (dict, list))}, Clock(None, None, None)
            )[1]
        )
        return () if has_time else tuple(lists[:1])
    for name in _LISTS:
        at = start.find(b'"%s"' % name.encode(), 0, 65536)
        after = start[at + len(name) + 2 : at + len(name) + 64].lstrip()
        opens_list = after.startswith(b":") and after[1:].lstrip().startswith(b"[")
        if at > 0 and opens_list and start.count(b"{", 0, at) - start.count(b"}", 0, at) == 1:
            return (name,)
    return ()
