"""socml.formats._records: a record whose values fit no column is a reject, and the others stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from socml.formats._records import UNFORESEEN, Skip, batches

WHEN = datetime(2026, 3, 12, tzinfo=UTC)
ROWS: dict[bytes, dict[str, Any]] = {
    b"good": {"time": WHEN, "user_name": "ann", "source_port": 1, "extra": {"a": "b"}},
    b"bool for text": {"user_name": True},
    b"text for number": {"source_port": "x"},
    b"too large": {"process_pid": 2**70},
    b"no time": {"time": "soon"},
    b"list in extra": {"extra": {"a": ["b"]}},
}


def read(record: bytes) -> dict[str, Any]:
    if record == b"skip":
        raise Skip("by intent")
    if record == b"divide":
        return {"duration_s": 10**400 / 3}
    return ROWS[record]


def test_a_value_that_its_column_cannot_hold_makes_its_record_a_reject_and_no_other() -> None:
    records = [*ROWS, b"good", b"skip", b"divide", b""]
    (parsed,) = batches(enumerate(records, 1), read)
    assert parsed.count == len(records)
    assert [row["source_line"] for row in parsed.events.to_pylist()] == [1, 7]
    assert parsed.records == [b"good", b"good"]
    assert [r.line for r in parsed.rejects] == [2, 3, 4, 5, 6, 9]
    reasons = [r.reason for r in parsed.rejects]
    assert reasons[0] == "user_name cannot be 'True'"
    assert reasons[-1].startswith("a number that is out of range")
    assert parsed.skips == {"by intent": 1, "blank line": 1}


def test_a_batch_of_nothing_but_misfits_is_empty() -> None:
    (parsed,) = batches([(1, b"bool for text")], read)
    assert (len(parsed.events), len(parsed.rejects)) == (0, 1)


def test_a_record_that_the_reader_did_not_foresee_is_a_reject_that_says_so_and_no_other() -> None:
    (parsed,) = batches([(1, b"unknown"), (2, b"good")], read)
    assert [reject.reason for reject in parsed.rejects] == [f"{UNFORESEEN}: KeyError: b'unknown'"]
    assert len(parsed.events) == 1


def test_an_error_that_is_none_of_the_record_stays_one() -> None:
    def fail(record: bytes) -> dict[str, Any]:
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError):
        list(batches([(1, b"good")], fail))
