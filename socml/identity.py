"""The bytes of a record → its `event_id`: the same record read again gets the same id.

The id depends on the record alone, not on its file, line, dataset or inferred time, so a rotated, renamed
or re-compressed file adds nothing. It is a cryptographic hash: nobody can write a log line that collides
with another and so hides it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

_REMEMBERED = 1_000_000  # records; identical ones half of it apart in a file may count as the same record


class Occurrences:
    """Tells identical records of one file apart: the first is 0, the next 1, and so on.

    Identical records with fewer than half of `remembered` other ones between them are told apart; no more than
    `remembered` are kept.

    Examples
    --------
    >>> seen = Occurrences()
    >>> [seen.count(r) for r in (b"a", b"b", b"a")]
    [0, 0, 1]
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._seen: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}  # what was seen earlier; forgotten when `_seen` is full
        self._room = max(remembered // 2, 1)

    def count(self, digest: bytes) -> int:
        """Return how often `digest` was counted before."""
        number = self._seen.get(digest, -1)
        number = (self._before.get(digest, -1) if number < 0 else number) + 1
        self._seen[digest] = number
        if len(self._seen) >= self._room:
            self._seen, self._before = {}, self._seen
        return number

    def count_all(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each of `digests` was counted before, as `count` does one after the other."""
        numbers: list[int] = []
        while len(numbers) < len(digests):
            some = digests[len(numbers) : len(numbers) + self._room - len(self._seen)]
            fresh = dict.fromkeys(some, 0)
            if (
                len(fresh) == len(some)
                and self._seen.keys().isdisjoint(fresh)
                and self._before.keys().isdisjoint(fresh)
            ):
                self._seen.update(fresh)
                if len(self._seen) >= self._room:
                    self._seen, self._before = {}, self._seen
                numbers += [0] * len(some)
            else:
                numbers += [self.count(digest) for digest in some]
        return numbers


class RepeatedOccurrences(Occurrences):
    """Occurrences that also say how many records were there before, in `repeats`."""

    repeats = 0

    def count(self, digest: bytes) -> int:
        """Count one more, as `Occurrences` does."""
        number = super().count(digest)
        self.repeats += number > 0
        return number


def event_ids(records: Iterable[bytes], seen: Occurrences) -> list[str]:
    """Return one id a record, 32 hexadecimal digits. `seen` is one file's, in reading order.

    Line ends and NUL padding do not count.

    Examples
    --------
    >>> one, again = event_ids([b"x", b"x"], Occurrences())
    >>> one == event_ids([b"x\\r\\n"], Occurrences())[0], one == again
    (True, False)
    """
    blake2b = hashlib.blake2b
    made = getattr(records, "digests", None)  # records that lie in one block are hashed there, all at once
    digests = made() if made else [blake2b(record.strip(b"\r\n\0"), digest_size=16).digest() for record in records]
    numbers = seen.count_all(digests)
    if not any(numbers):
        return [digest.hex() for digest in digests]
    return [
        (blake2b(digest + number.to_bytes(8, "big"), digest_size=16).digest() if number else digest).hex()
        for digest, number in zip(digests, numbers, strict=True)
    ]
