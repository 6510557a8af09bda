"""The bytes of a record → its `event_id`: the same record read again gets the same id.

The id depends on the record alone, not on its file, line, dataset or inferred time, so a rotated, renamed
or re-compressed file adds nothing. It is a cryptographic hash: nobody can write a log line that collides
with another and so hides it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from socml.kernels.seen_hashes import SeenHashes

_REMEMBERED = 1_000_000  # records; identical ones half of it apart in a file may count as the same record
_SIZE = 16  # bytes of a hash
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


class Occurrences:
    """Tells identical records of one file apart: the first is 0, the next 1, and so on.

    Identical records with fewer than half of `remembered` other ones between them are told apart; no more than
    `remembered` are kept.

    Attributes
    ----------
    repeats : how many records were there before

    Examples
    --------
    >>> seen = Occurrences()
    >>> [seen.count(r) for r in (b"a", b"b", b"a")], seen.repeats
    ([0, 0, 1], 1)
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self.repeats = 0
        self._seen: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}  # what was seen earlier; forgotten when `_seen` is full
        self._room = max(remembered // 2, 1)
        self._tables: SeenHashes | None = None  # take the place of both once whole blocks are counted

    def count(self, digest: bytes) -> int:
        """Return how often `digest` was counted before."""
        if self._tables is not None:
            return int(self.count_block(_words([digest]))[0])
        number = self._seen.get(digest, -1)
        number = (self._before.get(digest, -1) if number < 0 else number) + 1
        self._seen[digest] = number
        if len(self._seen) >= self._room:
            self._seen, self._before = {}, self._seen
        self.repeats += number > 0
        return number

    def count_all(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each of `digests` was counted before, as `count` does one after the other."""
        if self._tables is not None:
            return list(self.count_block(_words(digests)).tolist())
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

    def count_block(self, words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Count as `count_all` does, hashes that lie in one block.

        Parameters
        ----------
        words : shape (n, 2), the halves of each hash as they lie in memory
        """
        if self._tables is None:
            from socml.kernels.seen_hashes import SeenHashes

            self._tables = SeenHashes(self._room, self._seen, self._before)
            self._seen, self._before = {}, {}
        numbers = self._tables.count(words)
        self.repeats += int(np.count_nonzero(numbers))
        return numbers


def event_ids(records: Iterable[bytes], seen: Occurrences) -> list[str]:
    """Return one id a record, 32 hexadecimal digits. `seen` is one file's, in reading order.

    Line ends and NUL padding do not count.

    Examples
    --------
    >>> one, again = event_ids([b"x", b"x"], Occurrences())
    >>> one == event_ids([b"x\\r\\n"], Occurrences())[0], one == again
    (True, False)
    """
    ids: list[str] = event_id_column(records, seen).to_pylist()
    return ids


def event_id_column(records: Iterable[bytes], seen: Occurrences) -> pa.Array:
    """Return the ids of `event_ids` as an Arrow column."""
    if made := getattr(records, "digests", None):  # records that lie in one block are hashed there, all at once
        words = made()
        numbers = seen.count_block(words)
    else:
        blake2b = hashlib.blake2b
        digests = [blake2b(record.strip(b"\r\n\0"), digest_size=_SIZE).digest() for record in records]
        words, numbers = _words(digests), np.array(seen.count_all(digests), np.int64)
    hashes = words.view(np.uint8).reshape(-1, _SIZE)
    repeated = np.flatnonzero(numbers)
    if len(repeated):
        hashes = hashes.copy()
    for row in repeated:
        told_apart = hashes[row].tobytes() + int(numbers[row]).to_bytes(8, "big")
        hashes[row] = np.frombuffer(hashlib.blake2b(told_apart, digest_size=_SIZE).digest(), np.uint8)
    offsets = np.arange(len(hashes) + 1, dtype=np.int32) * (2 * _SIZE)
    return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(offsets), pa.py_buffer(_HEX[hashes]))


def _words(digests: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
