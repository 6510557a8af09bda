"""Leaves are stored packed, read as they were to the last bit, and those of earlier versions are read as they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from socml.project.leaves import LEAVES, check_leaves, leaves_file, load_leaves, save_leaves

SHAPES = st.tuples(st.integers(0, 20), st.integers(0, 30))


@settings(max_examples=30, deadline=None)
@given(leaves=arrays.arrays(st.sampled_from([np.uint8, np.uint16]), SHAPES))
def test_leaves_are_read_as_they_were(tmp_path_factory: pytest.TempPathFactory, leaves: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("run")
    save_leaves(folder, leaves)
    found = load_leaves(folder / LEAVES)
    assert found.dtype == leaves.dtype
    assert found.shape == leaves.shape
    assert np.array_equal(found, leaves)


def test_rows_that_are_alike_take_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 120, (200, 500), dtype=np.uint8)
    leaves = kinds[:, rng.integers(0, 500, 10_000)]  # in no order
    save_leaves(tmp_path, leaves)
    assert (tmp_path / LEAVES).stat().st_size < 30 * leaves.shape[1]


def test_leaves_of_earlier_versions_are_read_until_the_run_is_scored_again(tmp_path: Path) -> None:
    leaves = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.save(tmp_path / "leaves.npy", leaves)
    old = check_leaves(tmp_path, {"run_id": "a", "dataset": "d", "model_version": "m/1"})
    assert old is not None
    assert np.array_equal(load_leaves(old), leaves)
    save_leaves(tmp_path, leaves + 1)
    assert [path.name for path in tmp_path.iterdir()] == [LEAVES]
    new = leaves_file(tmp_path)
    assert new is not None
    assert np.array_equal(load_leaves(new), leaves + 1)
