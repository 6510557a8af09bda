"""A record's place → its `event_id`: the segment of a stream that it is in, its line, and which of that line's it is.

The id depends on the place alone, not on the bytes: two records that merely look alike are two events, and a file that
was rotated, renamed or compressed is the same segment (see `socml.ingestion.segments`) and so yields the same ids.
32 hexadecimal digits: 16 of line and number, scrambled so that the beginning of an id tells it from others, 16 of the
segment. The scrambling can be undone: no two places have one id, and an id tells its place.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.project import SocmlError

__all__ = ["Places", "places_of"]

_SIZE = 16  # bytes of an id
_LINE_BITS, _INDEX_BITS = 40, 24
_FAR = 1 << 30  # lines before it have a bit each: 128 MB, or twice that, at most
_ODD = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio; any odd number can be divided by again
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


class Places:
    """Gives the events of one segment their ids, block by block, in reading order.

    Examples
    --------
    >>> Places("00000000000000ab").ids(np.array([1, 3, 3])).to_pylist()[1:]
    ['05e6369d6696d77700000000000000ab', '6a6cb3baa85deb9000000000000000ab']
    """

    def __init__(self, segment: str) -> None:
        self._segment = np.frombuffer(bytes.fromhex(segment), np.uint8)
        self._key = np.uint64(int(segment, 16))
        self._seen = np.zeros(1 << 13, np.uint8)  # a bit for each line that had an event
        self._more: dict[int, int] = {}  # line → how many events it had beyond the first
        self._far: dict[int, int] = {}  # line → how many events it had, of those too far on for a bit each

    def ids(self, lines: NDArray[np.int64]) -> pa.StringArray:
        """Return one id an event.

        Parameters
        ----------
        lines : shape (n,), line or record number of each event, from 0
        """
        places = (lines.astype(np.uint64) << np.uint64(_INDEX_BITS)) | self._numbers(lines).astype(np.uint64)
        hashes = np.empty((len(lines), _SIZE), np.uint8)
        hashes[:, :8] = _scrambled(places ^ self._key).astype(">u8").view(np.uint8).reshape(-1, 8)
        hashes[:, 8:] = self._segment
        offsets = np.arange(len(hashes) + 1, dtype=np.int32) * (2 * _SIZE)
        return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(offsets), pa.py_buffer(_HEX[hashes]))

    def _numbers(self, lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of its line's events each is, from 0; lines may come in any order."""
        if not len(lines):
            return np.zeros(0, np.int64)
        if int(lines.max()) >> _LINE_BITS or lines.min() < 0:
            raise SocmlError(f"An event says that it is on line {int(lines.max()):,}. This is a bug in its reader.")
        if bool(np.all(lines[1:] > lines[:-1])):
            return self._earlier(lines, np.ones(len(lines), np.int64))
        order = np.argsort(lines, kind="stable")
        ranked = lines[order]
        begins = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        counts = np.diff(np.r_[begins, len(lines)])
        numbers = np.empty(len(lines), np.int64)
        numbers[order] = np.arange(len(lines)) - np.repeat(begins - self._earlier(ranked[begins], counts), counts)
        return numbers

    def _earlier(self, lines: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many events each of these lines had before, all different, and count `counts` more of each."""
        if int(lines[-1]) >= _FAR:  # sorted, so the last is the largest
            far = lines >= _FAR
            each = zip(lines[far].tolist(), counts[far].tolist(), strict=True)
            before = self._earlier(lines[~far], counts[~far]) if not far.all() else lines[~far]
            return np.asarray(np.r_[before, [self._count_far(line, count) for line, count in each]])
        places, bits = lines >> 3, np.left_shift(1, lines & 7).astype(np.uint8)
        if int(places[-1]) >= len(self._seen):
            self._seen = np.r_[self._seen, np.zeros(2 * int(places[-1]), np.uint8)]
        earlier = ((self._seen[places] & bits) != 0).astype(np.int64)
        for at in np.flatnonzero(earlier):
            earlier[at] += self._more.get(int(lines[at]), 0)
        then = earlier + counts
        if int(then.max()) > 1 << _INDEX_BITS:
            raise SocmlError(f"One line holds more than {1 << _INDEX_BITS:,} events. Split the file.")
        self._more |= {int(lines[at]): int(then[at]) - 1 for at in np.flatnonzero(then > 1)}
        np.bitwise_or.at(self._seen, places, bits)
        return np.asarray(earlier)

    def _count_far(self, line: int, count: int) -> int:
        earlier = self._far.get(line, 0)
        self._far[line] = earlier + count
        if earlier + count > 1 << _INDEX_BITS:
            raise SocmlError(f"One line holds more than {1 << _INDEX_BITS:,} events. Split the file.")
        return earlier


def places_of(ids: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
    """Return the segment (16 hexadecimal digits) and the line of each event id.

    Examples
    --------
    >>> segments, lines = places_of(Places("00000000000000ab").ids(np.array([7])))
    >>> segments.tolist(), lines.tolist()
    ([b'00000000000000ab'], [7])
    """
    texts = np.array(ids.to_pylist(), f"S{2 * _SIZE}")
    parts = texts.view(f"S{_SIZE}").reshape(-1, 2)
    scrambled, keys = (
        np.frombuffer(bytes.fromhex(b"".join(parts[:, half].tolist()).decode()), ">u8").astype(np.uint64)
        for half in (0, 1)
    )
    places = _unscrambled(scrambled) ^ keys
    return parts[:, 1], (places >> np.uint64(_INDEX_BITS)).astype(np.int64)


def _scrambled(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread numbers that are near over the whole range, one to one (the finish of a multiplicative hash)."""
    spread = numbers * np.uint64(_ODD)
    spread ^= spread >> np.uint64(32)
    return spread * np.uint64(_ODD)


def _unscrambled(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    inverse = np.uint64(pow(_ODD, -1, 1 << 64))
    spread = numbers * inverse
    spread ^= spread >> np.uint64(32)
    return spread * inverse
