"""Bytes as they are read → the hash of all of them, and of what they begin with at given lengths.

That tells whether a file is one that was read before, or goes on from it. SHA-256, so that nobody can write a file that
passes for another and so is not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

__all__ = ["START", "Prefix", "start_length"]

START = 64 << 10  # bytes; the beginning by which candidates are found
_DIGITS = 32


class Prefix:
    """The bytes of a file so far.

    Attributes
    ----------
    bytes : how many
    at : length → hash of so many bytes, for the lengths asked for and each power of two up to `START`

    Examples
    --------
    >>> one, other = Prefix([3]), Prefix()
    >>> one.update(b"abcdef")
    >>> other.update(b"abc")
    >>> one.at[3] == other.hash, one.bytes, sorted(one.at)
    (True, 6, [1, 2, 3, 4])
    """

    def __init__(self, lengths: Iterable[int] = ()) -> None:
        self.bytes = 0
        self.at: dict[int, str] = {}
        self._hash = hashlib.sha256()
        self._marks = sorted({*lengths, *(1 << power for power in range(START.bit_length()))}, reverse=True)

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        begin, view = 0, memoryview(chunk)
        while self._marks and self._marks[-1] <= self.bytes + len(chunk):
            mark = self._marks.pop()
            end = mark - self.bytes
            if end < begin:
                continue
            self._hash.update(view[begin:end])
            begin = end
            self.at[mark] = self.hash
        self._hash.update(view[begin:])
        self.bytes += len(chunk)

    @property
    def hash(self) -> str:
        """The hash of all bytes so far, in hexadecimal digits."""
        return self._hash.hexdigest()[:_DIGITS]

    @property
    def start(self) -> tuple[int, str]:
        """The length of the beginning by which a longer file is told to be a candidate, and its hash."""
        length = start_length(self.bytes)
        return length, self.at.get(length, "")


def start_length(size: int) -> int:
    """Return the largest power of two that is at most `size` and `START`; 0 for nothing."""
    return min(1 << (size.bit_length() - 1), START) if size else 0
