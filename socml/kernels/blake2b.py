"""Where records lie in a block of bytes → the BLAKE2b hash of each, 16 bytes, as `hashlib` makes it.

A record of a log line is short, so most of the time of `hashlib` goes into the objects around the hash. Here eight
records are hashed at once, one in each lane of a vector; a lane that is done takes the next record.
Source: RFC 7693.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes
from socml.kernels.pointers import pointer_to, word_at

__all__ = ["SIZE", "digests", "warm"]

Ints = NDArray[np.integer[Any]]
Words = NDArray[np.uint64]
SIZE = 16  # bytes of a hash
_LANES = 8
_BLOCK = 128
_WORDS = 16  # of a block
_START = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
_FIRST = np.array([_START[0] ^ 0x01010000 ^ SIZE, *_START[1:]], np.uint64)  # one tree of one leaf, no key
_ORDER = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_ALL = ~np.uint64(0)


def digests(data: Bytes, starts: Ints, ends: Ints) -> Words:
    """Return the hashes of the records, shape (n, 2): the halves of each as they lie in memory.

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> digests(data, np.array([4]), np.array([7])).tobytes() == hashlib.blake2b(b"two", digest_size=16).digest()
    True
    """
    if sys.byteorder != "little":
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        hashes = [hashlib.blake2b(data[a:b].tobytes(), digest_size=SIZE).digest() for a, b in spans]
        return np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, 2)
    out = np.empty((len(starts), SIZE // 8), np.uint64)
    _hash_all(data, starts.astype(np.int64), ends.astype(np.int64), out)
    return out


def warm() -> None:
    """Compile."""
    digests(np.frombuffer(b"a", np.uint8), np.array([0]), np.array([1]))


def _compress(context: Any, state: Any, message: Any, counted: Any, is_last: Any) -> Any:  # noqa: C901
    """Take one block into the state of each lane.

    All are pointers to 64-bit words, lane by lane: 8 words of state, 16 of the message, the bytes so far, and all
    bits set where the block is a record's last.
    """
    word = ir.IntType(64)
    lanes = ir.VectorType(word, _LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: C901
        name = f"llvm.fshr.v{_LANES}i64"
        shift = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(lanes, [lanes] * 3), name
        )

        def every(value: int) -> Any:
            return ir.Constant(lanes, [value] * _LANES)

        def place(pointer: Any, row: int) -> Any:
            return builder.bitcast(builder.gep(pointer, [word(row * _LANES)]), lanes.as_pointer())

        def load(pointer: Any, row: int) -> Any:
            loaded = builder.load(place(pointer, row))
            loaded.align = 8
            return loaded

        def mix(a: int, b: int, c: int, d: int, *words: Any) -> None:
            for given, (turn_d, turn_b) in zip(words, ((32, 24), (16, 63)), strict=True):
                v[a] = builder.add(builder.add(v[a], v[b]), given)
                v[d] = rotated(builder.xor(v[d], v[a]), turn_d)
                v[c] = builder.add(v[c], v[d])
                v[b] = rotated(builder.xor(v[b], v[c]), turn_b)

        def rotated(value: Any, bits: int) -> Any:
            return builder.call(shift, [value, value, every(bits)])

        before = [load(arguments[0], row) for row in range(8)]
        given = [load(arguments[1], row) for row in range(_WORDS)]
        v = [*before, *map(every, _START)]
        v[12] = builder.xor(v[12], load(arguments[2], 0))
        v[14] = builder.xor(v[14], load(arguments[3], 0))
        for turn in range(12):
            m = [given[word_number] for word_number in _ORDER[turn % len(_ORDER)]]
            for i in range(4):
                mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
            for i in range(4):
                mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        for row in range(8):
            mixed = builder.xor(before[row], builder.xor(v[row], v[row + 8]))
            builder.store(mixed, place(arguments[0], row)).align = 8
        return context.get_dummy_value()

    return types.void(state, message, counted, is_last), generate


compress: Any = intrinsic(_compress)


@njit(cache=True, nogil=True)
def _hash_all(data: Bytes, starts: Ints, ends: Ints, out: Words) -> None:
    states, message = np.zeros(8 * _LANES, np.uint64), np.zeros(_WORDS * _LANES, np.uint64)
    counted, is_last = np.zeros(_LANES, np.uint64), np.zeros(_LANES, np.uint64)
    rows, at = np.full(_LANES, -1, np.int64), np.zeros(_LANES, np.int64)
    source, last, following, busy = pointer_to(data), len(data) - 8, 0, 0
    words = pointer_to(message)
    while True:
        for lane in range(_LANES):
            row = rows[lane]
            if row < 0 and following < len(starts):
                row = rows[lane] = following
                following += 1
                busy += 1
                at[lane] = starts[row]
                counted[lane] = 0
                for i in range(8):
                    states[i * _LANES + lane] = _FIRST[i]
            if row >= 0:
                end = min(at[lane] + _BLOCK, ends[row])
                _take_block(source, at[lane], end, last, words, lane)
                counted[lane] += np.uint64(end - at[lane])
                at[lane] = end
                is_last[lane] = _ALL if end == ends[row] else np.uint64(0)
        if not busy:
            return
        compress(pointer_to(states), words, pointer_to(counted), pointer_to(is_last))
        for lane in range(_LANES):
            row = rows[lane]
            if row >= 0 and is_last[lane]:
                out[row, 0], out[row, 1] = states[lane], states[_LANES + lane]
                rows[lane] = -1
                busy -= 1


@njit(cache=True, nogil=True)
def _take_block(source: Any, at: int, end: int, last: int, words: Any, lane: int) -> None:
    """Write the bytes at:end as words of a lane, zeros after them; `last` is where a word can be read last."""
    for i in range(_WORDS):
        left = end - at
        value = np.uint64(0)
        if left >= 8:
            value = word_at(source, at)
        elif left > 0 and at <= last:
            value = word_at(source, at) & (_ALL >> np.uint64(8 * (8 - left)))
        else:
            for k in range(left):
                value |= np.uint64(source[at + k]) << np.uint64(8 * k)
        words[i * _LANES + lane] = value
        at += 8
