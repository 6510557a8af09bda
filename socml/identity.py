"""The bytes of a record → its `event_id`: the same record read again gets the same id.

The id depends on the record alone, not on its file, line, dataset or inferred time, so a rotated, renamed
or re-compressed file adds nothing. It is a cryptographic hash: nobody can write a log line that collides
with another and so hides it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

_REMEMBERED = 500_000  # records; two identical ones farther apart in a file count as the same record


class Occurrences:
    """Tells identical records of one file apart: the first is 0, the next 1, and so on. Bounded memory.

    Examples
    --------
    >>> seen = Occurrences()
    >>> [seen.count(r) for r in (b"a", b"b", b"a")]
    [0, 0, 1]
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._remembered = remembered

    def count(self, digest: bytes) -> int:
        """Return how often `digest` was counted before."""
        number = self._seen.get(digest, -1) + 1
        self._seen[digest] = number
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
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
    ids = []
    for record in records:
        digest = hashlib.blake2b(record.strip(b"\r\n\0"), digest_size=16).digest()
        number = seen.count(digest)
        if number:
            digest = hashlib.blake2b(digest + number.to_bytes(8, "big"), digest_size=16).digest()
        ids.append(digest.hex())
    return ids
