"""Numbered lines → records, each with the lines that go on with it; those are handed on as well, to be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

__all__ = ["Continued", "continued", "no_comments"]

_MOST_BYTES, _MOST_LINES = 256 << 10, 1000  # of one record; what goes on beyond is a record of its own


class Continued(bytes):
    """A line that is part of the record above it: counted, and no record of its own."""


def no_comments(line: bytes) -> bool:
    """Return False: for formats in which a line that begins with # is none."""
    return False


def continued(
    lines: Iterable[tuple[int, bytes]],
    is_start: Callable[[bytes], bool],
    *,
    is_comment: Callable[[bytes], bool] = lambda line: line.startswith(b"#"),
) -> Iterator[tuple[int, bytes]]:
    """Yield records with the number of their first line, and after each the lines that it took, as `Continued`.

    Blank lines stay what they are. A line with no record above it that began is one by itself; so is a comment.

    Examples
    --------
    >>> found = list(continued([(1, b"a"), (2, b" b"), (3, b"c")], lambda line: not line.startswith(b" ")))
    >>> found, [type(record).__name__ for _, record in found]
    ([(1, b'a\\n b'), (2, b' b'), (3, b'c')], ['bytes', 'Continued', 'bytes'])
    """
    first, held, size, is_open = 0, list[bytes](), 0, False  # open: whether the record may go on
    taken: list[tuple[int, bytes]] = []
    for number, line in lines:
        if not line.strip():
            taken.append((number, line))
            continue
        begins = is_start(line)
        if begins or not is_open or size + len(line) > _MOST_BYTES or len(held) >= _MOST_LINES:
            yield from _record(first, held, taken)
            first, held, size, taken = number, [line], len(line), []
            is_open = (begins or is_open) and not is_comment(line)
        else:
            held.append(line)
            size += len(line)
            taken.append((number, Continued(line)))
    yield from _record(first, held, taken)


def _record(first: int, held: list[bytes], taken: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    if held:
        yield first, b"\n".join(held) if len(held) > 1 else held[0]
    yield from taken
