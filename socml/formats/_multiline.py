"""The lines of a file → records of several lines, each with the line it begins on, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from socml.formats._reader import Source

__all__ = ["Broken", "grouped_records", "numbered_lines"]

RECORD_LIMIT = 4 << 20  # bytes of one record; what is longer is handed on in pieces


class Broken(bytes):
    """Bytes that are no record of their format, for `read` to reject with `reason`."""

    reason = ""

    @classmethod
    def of(cls, data: bytes, reason: str) -> Broken:
        """Return `data` with the reason why it is no record."""
        broken = cls(data)
        broken.reason = reason
        return broken


def numbered_lines(source: Source, limit: int = RECORD_LIMIT) -> Iterator[tuple[int, bytes]]:
    """Yield every line with its number, without its line end; a line over `limit` comes in pieces of one number.

    Unlike `line_records` it does not count the file's lines as its records.
    """
    held, number, begun = b"", 1, False
    for chunk in source.chunks():
        data = held + (chunk if begun else chunk.removeprefix(b"\xef\xbb\xbf"))
        begun = True
        lines = data.split(b"\n")
        held = lines.pop()
        for line in lines:
            for start in range(0, max(len(line), 1), limit):
                yield number, line[start : start + limit].strip(b"\r\0")
            number += 1
        while len(held) > limit:
            yield number, held[:limit]
            held = held[limit:]
    if held.strip(b"\r\0"):
        yield number, held.strip(b"\r\0")


def grouped_records(
    source: Source, is_start: Callable[[bytes], bool], *, limit: int = RECORD_LIMIT
) -> Iterator[tuple[int, bytes]]:
    """Yield records that begin where `is_start` says so and reach to the next, without blank lines at their ends.

    Lines before the first start are one record, for the reader to reject; so is each piece of a record over `limit`.
    """
    held: list[bytes] = []
    first = size = 0
    for number, line in numbered_lines(source, limit):
        if held and (is_start(line) or size + len(line) > limit):
            yield from _record(first, held)
            held, size = [], 0
        if not held:
            if not line.strip():
                continue  # between records
            first = number
        held.append(line)
        size += len(line) + 1
    if held:
        yield from _record(first, held)


def _record(first: int, lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
    while lines and not lines[-1].strip():
        lines.pop()
    yield first, b"\n".join(lines)
