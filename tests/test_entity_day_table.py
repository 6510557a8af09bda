"""Tables of several feature sets side by side: against a slow version, with rows that are named twice and cells that are not there."""

from __future__ import annotations

import math
from datetime import date

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.features.entity_day_table import side_by_side

CELL = st.sampled_from([None, math.nan, -2.0, 0.0, 1.0, 2.5])
NAME = st.sampled_from(["a", "b", "é", "10.0.0.1", "10.0.0.10", ""])
ROW = st.tuples(st.sampled_from(["host", "source", "source inside"]), NAME, CELL, CELL)


def table(rows: list[tuple[str, str, float | None, float | None]]) -> pa.Table:
    columns = dict(zip(("role", "entity", "x", "y"), zip(*rows, strict=True), strict=True)) if rows else {}
    kinds = {"role": pa.string(), "entity": pa.string(), "x": pa.float64(), "y": pa.float64()}
    return pa.table({name: pa.array(columns.get(name, ()), kind) for name, kind in kinds.items()})


@settings(deadline=None)
@given(st.lists(st.lists(ROW, max_size=8), min_size=1, max_size=3))
def test_each_entity_has_one_row_with_the_largest_value_of_each_column(parts) -> None:
    found = side_by_side(date(2026, 3, 2), [(table(rows), ["y", "x"]) for rows in parts])
    expected: dict[tuple[str, str], list[float]] = {}
    for at, rows in enumerate(parts):
        for role, entity, x, y in rows:
            values = expected.setdefault((role, entity), [0.0] * 2 * len(parts))
            for c, cell in ((2 * at, y), (2 * at + 1, x)):
                values[c] = max(values[c], cell) if cell is not None and not math.isnan(cell) else values[c]
    assert list(zip(found.role.tolist(), found.entity.tolist(), strict=True)) == sorted(expected)
    assert found.values.tolist() == [expected[key] for key in sorted(expected)]


def test_counts_and_yes_or_no_are_numbers() -> None:
    rows = pa.table(
        {"role": ["host", "host"], "entity": ["b", "a"], "n": pa.array([3, None], pa.int64()), "is": [True, False]}
    )
    assert side_by_side(date(2026, 3, 2), [(rows, ["n", "is"])]).values.tolist() == [[0.0, 0.0], [3.0, 1.0]]
