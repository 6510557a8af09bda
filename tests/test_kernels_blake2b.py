"""Hashes of records in a block: those of hashlib, so that ids do not depend on the way a record was read."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.formats._span_records import SpanRecords
from socml.identity import Occurrences, event_ids
from socml.kernels.blake2b import SIZE, digests


def test_hashes_are_those_of_hashlib_whatever_the_length() -> None:
    data = np.random.default_rng(0).integers(0, 256, 1200, dtype=np.uint8)
    starts = np.arange(600) % 7
    ends = starts + np.arange(600)
    made = digests(data, starts, ends).tobytes()
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        wanted = hashlib.blake2b(data[start:end].tobytes(), digest_size=SIZE).digest()
        assert made[row * SIZE : (row + 1) * SIZE] == wanted


@settings(deadline=None)
@given(st.lists(st.text("abc ~", min_size=1, max_size=300), max_size=20))
def test_ids_do_not_depend_on_the_way_records_are_held(texts: list[str]) -> None:
    records = [text.encode() for text in texts]
    ends = np.cumsum([len(record) + 1 for record in records], dtype=np.int64) - 1
    starts = ends - [len(record) for record in records]
    held = SpanRecords(b"\n".join(records), starts, ends)
    assert list(held) == records == held[:] == [held[row] for row in range(len(held))]
    assert event_ids(held, Occurrences()) == event_ids(records, Occurrences())
