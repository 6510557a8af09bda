"""The check for likely label errors: it finds slips, costs little, and calls no one wrong without reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from socml.project.errors import DataError
from socml.review.label_errors import AT_MOST, FEWEST, likely_label_errors

TABLES = ["18_Ionosphere", "27_PageBlocks", "32_shuttle", "38_thyroid", "6_cardio"]


def two_clouds(n: int = 150, seed: int = 0, distance: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.vstack([rng.normal(0, 1, (n, 4)), rng.normal(distance, 1, (n, 4))])
    return features, np.repeat(np.array(["benign", "malicious"], dtype=object), n)


def flipped(labels: np.ndarray, seed: int = 1, share: float = 0.1) -> tuple[np.ndarray, set[int]]:
    rng = np.random.default_rng(seed)
    slips = rng.random(len(labels)) < share
    other = np.where(labels == "malicious", "benign", "malicious")
    return np.where(slips, other, labels), {int(i) for i in np.flatnonzero(slips)}


def test_a_tenth_of_slips_is_found_and_little_else():
    features, labels = two_clouds()
    given, slips = flipped(labels)
    found = likely_label_errors(features, given)
    called = set(found.index[found["is_error"]])
    assert len(called & slips) >= 0.9 * len(slips)
    assert len(called & slips) >= 0.8 * len(called)
    assert set(found.index[: len(slips) // 2]) <= slips, "the most probable come first"


def test_right_labels_are_hardly_ever_called_wrong():
    features, labels = two_clouds()
    assert likely_label_errors(features, labels)["is_error"].mean() < 0.03


def test_what_cannot_be_told_is_not_called_wrong_without_end():
    features, labels = two_clouds(distance=0.0)
    assert likely_label_errors(features, labels)["is_error"].mean() <= AT_MOST


def test_errors_come_first_and_then_by_probability():
    features, labels = two_clouds()
    found = likely_label_errors(features, flipped(labels)[0])
    errors = found[found["is_error"]]
    assert found["is_error"].tolist() == sorted(found["is_error"], reverse=True)
    assert errors["probability"].is_monotonic_decreasing
    assert found["probability"].between(0, 1).all()
    assert (errors["likely"] != errors["given"]).all()


def test_the_same_seed_says_the_same():
    features, labels = two_clouds()
    given, _ = flipped(labels)
    first, again = (likely_label_errors(features, given, seed=3) for _ in range(2))
    assert first.equals(again)


def test_rows_are_named_and_families_are_classes_too():
    rng = np.random.default_rng(0)
    features = np.vstack([rng.normal(6 * k, 1, (40, 3)) for k in range(3)])
    families = np.repeat(np.array(["scan", "beaconing", "benign"], dtype=object), 40)
    families[5] = "benign"
    found = likely_label_errors(features, families, row_ids=[f"r{i}" for i in range(120)])
    assert found.index[0] == "r5"
    assert found.loc["r5", ["given", "likely", "is_error"]].to_list() == ["benign", "scan", True]


@pytest.mark.parametrize("n", [0, 3, FEWEST - 1])
def test_of_a_class_with_few_labels_nothing_is_known(n):
    features, labels = two_clouds()
    found = likely_label_errors(features[: 150 + n], labels[: 150 + n])
    assert found.empty
    assert list(found.columns) == ["given", "likely", "probability", "is_error"]


def test_missing_values_are_a_value_of_their_own():
    features, labels = two_clouds()
    features[labels == "malicious", 0] = np.nan
    features[7] = features[200]
    assert likely_label_errors(features, labels).index[0] == 7


def test_shapes_that_do_not_fit_are_said_so():
    with pytest.raises(DataError, match=r"\(300, 4\).*\(10,\)"):
        features, labels = two_clouds()
        likely_label_errors(features, labels[:10])


@pytest.mark.real
@pytest.mark.parametrize("table", TABLES)
def test_on_real_tables_most_flips_are_found_and_most_that_is_found_are_flips(table, shared: Path):
    path = shared / "datasets" / "adbench" / f"{table}.npz"
    if not path.is_file():
        pytest.skip(f"the ADBench tables are not at {shared}; set SOCML_SHARED")
    data = np.load(path)
    rng = np.random.default_rng(0)
    is_malicious = data["y"].ravel() == 1
    rows = np.concatenate([rng.permutation(np.flatnonzero(side))[:150] for side in (is_malicious, ~is_malicious)])
    given, slips = flipped(np.where(is_malicious[rows], "malicious", "benign").astype(object))
    found = likely_label_errors(data["X"][rows], given)
    called = set(found.index[found["is_error"]])
    assert len(called & slips) >= 0.7 * len(slips)
    assert len(called & slips) >= 0.6 * len(called)
