"""Tables of generated dialects: whatever DuckDB's sniffer or Python's csv reads right, socml reads right."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.dialects import READERS, is_right, make_case


@pytest.mark.parametrize("seed", range(300, 340))
def test_a_table_is_never_read_worse_than_by_others(seed: int, tmp_path: Path) -> None:
    case = make_case(seed)
    path = tmp_path / "table.csv"
    path.write_bytes(case.data)
    right = {name: is_right(read(path), case.truth) for name, read in READERS.items()}
    assert right["socml"] >= max(right.values()), case.dialect


def test_a_wrong_answer_is_told_from_a_right_one(tmp_path: Path) -> None:
    case = make_case(300)
    names, rows = case.truth
    assert is_right((names, rows), case.truth)
    assert not is_right((names, rows[1:]), case.truth)
    assert not is_right((None if names else ("x",) * len(rows[0]), rows), case.truth)
    assert not is_right((names, [(*rows[0][:-1], "another"), *rows[1:]]), case.truth)
