"""A few mutated records for every reader; `make fuzz` makes 100,000."""

from __future__ import annotations

import pytest

from benchmarks.fuzz import fuzz, seeds_of
from socml.registry import component_names


@pytest.mark.parametrize("name", component_names("formats"))
def test_mutated_records_break_no_reader(name: str) -> None:
    by_lines = len(max(seeds_of(name), key=len)) < 20_000
    said = fuzz(name, records=40 if by_lines else 10, seed=1)
    assert "broken" not in said, said
