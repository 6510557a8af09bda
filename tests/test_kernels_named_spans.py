"""The kernels that look for bytes and gather named texts say what Python's own functions say."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from socml.kernels.byte_masks import AT_ONCE, find_byte, find_odd
from socml.kernels.named_spans import named_copies
from socml.kernels.pointers import pointer_to


@njit
def _found(data: Any, at: int, end: int, one: int) -> tuple[int, int]:
    source, last = pointer_to(data), len(data) - AT_ONCE
    return find_byte(source, at, end, last, one), find_odd(source, at, end, last)


def test_bytes_are_found_where_they_are() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        size = rng.choice([1, 5, 63, 64, 65, 127, 128, 129, 300])
        text = bytearray(rng.choices(range(32, 92), k=size))
        for _ in range(rng.choice([0, 1, 2])):
            text[rng.randrange(size)] = rng.randrange(256)
        at, one = rng.randrange(size), rng.choice([text[rng.randrange(size)], 10, 255])
        end = rng.randint(at, size)
        first = text.find(one, at, end)
        odd = (i for i in range(at, end) if not 32 <= text[i] <= 126 or text[i] == 92)
        assert _found(np.frombuffer(bytes(text), np.uint8), at, end, one) == (
            end if first < 0 else first,
            next(odd, end),
        )


def test_named_texts_are_those_that_are_there() -> None:
    rng = random.Random(2)
    for rows in (1, 2, 50):
        text = bytes(rng.choices(range(65, 91), k=90))
        starts, ends = np.full((2, 3, rows), -1, np.int32)
        for field in range(3):
            for row in range(rows):
                if rng.random() < 0.6:
                    starts[field, row], ends[field, row] = sorted(rng.choices(range(91), k=2))
        offsets, (key_offsets, keys), (value_offsets, values) = named_copies(
            np.frombuffer(text, np.uint8), starts, ends, {"second": 1, "first": 0}
        )
        said = [
            (
                keys[key_offsets[i] : key_offsets[i + 1]].tobytes(),
                values[value_offsets[i] : value_offsets[i + 1]].tobytes(),
            )
            for i in range(offsets[-1])
        ]
        pairs = [
            [
                (name, text[starts[f, row] : ends[f, row]])
                for name, f in ((b"second", 1), (b"first", 0))
                if starts[f, row] >= 0
            ]
            for row in range(rows)
        ]
        assert [said[a:b] for a, b in pairwise(offsets)] == pairs
