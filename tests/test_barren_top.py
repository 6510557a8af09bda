"""Where the top holds nothing malicious, labels say so, and other rows are asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from socml.review.feedback import FeedbackRanking
from socml.review.strategies.mixed import mixed


def strangers(n_rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return leaves that no two rows share, and scores that fall from row to row."""
    return np.tile(np.arange(n_rows, dtype=np.uint8), (6, 1)), np.linspace(1.0, 0.0, n_rows)


def spacing(labels: int, sign: int, first: int = 0) -> float:
    """Return by how much two rows unlike any labelled one are apart after some labels, 1 as without labels."""
    leaves, score = strangers()
    rows = np.arange(first, first + labels)
    learnt = FeedbackRanking(leaves, score).learn(rows, np.full(labels, sign))
    return float((learnt[38] - learnt[39]) / (score[38] - score[39]))


@pytest.mark.parametrize("labels", [1, 4, 9])
def test_benign_labels_at_the_head_take_weight_off_the_forests_order(labels):
    assert spacing(labels, -1) == pytest.approx(4 / (labels + 4))


def test_malicious_labels_leave_the_forests_order_its_weight():
    assert spacing(9, 1) == pytest.approx(1.0)


def test_benign_labels_below_the_head_say_nothing_about_the_forests_order():
    assert spacing(9, -1, first=20) == pytest.approx(1.0)


def test_a_label_that_is_taken_back_gives_the_order_its_weight_back():
    leaves, score = strangers()
    ranking = FeedbackRanking(leaves, score)
    before = ranking.learn([0, 1], [-1, 1])
    ranking.learn([0, 1, 2], [-1, 1, -1])
    assert np.array_equal(ranking.learn([0, 1], [-1, 1]), before)


def dealt(verdicts: list[str]) -> set[str]:
    candidates = pd.DataFrame({"ranking_score": np.linspace(1, 0, 200)}, index=[f"r{i}" for i in range(200)])
    labels = pd.DataFrame({"verdict": verdicts}, index=[f"r{i}" for i in range(len(verdicts))])
    return set(mixed(candidates, labels, 20, rng=np.random.default_rng(0)))


@pytest.mark.parametrize(("malicious", "diverse"), [(0, True), (1, False), (20, False)])
def test_mixed_looks_for_diversity_only_where_the_top_is_barren(malicious, diverse):
    assert ("diverse" in dealt(["malicious"] * malicious + ["benign"] * (20 - malicious))) == diverse


def test_mixed_judges_the_top_by_the_last_twenty_labels():
    assert "diverse" not in dealt(["benign"] * 19)
    assert "diverse" not in dealt(["benign"] * 30 + ["malicious"] * 10)
    assert "diverse" in dealt(["malicious"] * 30 + ["benign"] * 20)


@pytest.mark.parametrize(("verdict", "by_lot", "diverse"), [("malicious", 3, 0), ("benign", 9, 16)])
def test_mixed_draws_few_rows_by_lot_while_the_top_finds_something(verdict, by_lot, diverse):
    candidates = pd.DataFrame({"ranking_score": np.linspace(1, 0, 200)}, index=[f"r{i}" for i in range(200)])
    labels, reasons = {}, []
    for _ in range(100):
        given = pd.DataFrame({"verdict": list(labels.values())}, index=list(labels))
        queue = mixed(candidates, given, 3, rng=np.random.default_rng(0))
        labels[queue.index[0]] = verdict
        reasons.append(queue.iloc[0])
    assert (reasons.count("random-audit"), reasons.count("diverse")) == (by_lot, diverse)
