"""The ranking that learns loses next to nothing to the forest's own order in 20 labels, and leaves a barren top."""

from __future__ import annotations

import numpy as np
import pytest

from socml.review.feedback import BARREN, EVERY, FEWER, FIRST, RISK, UNGUIDED, FeedbackRanking, risk


def found(leaves: np.ndarray, score: np.ndarray, malicious: np.ndarray, labels: int = FIRST) -> int:
    """Return how many malicious rows an oracle finds that answers the first row of the ranking each time."""
    ranking, asked, now = FeedbackRanking(leaves, score), list[int](), score.copy()
    for _ in range(labels):
        now[asked] = -np.inf
        asked.append(int(now.argmax()))
        now = ranking.learn(asked, np.where(malicious[asked], 1, -1))
    return int(malicious[asked].sum())


def mixed_head(seed: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a table at whose head malicious and benign rows fall into the same leaves, and all else is benign."""
    rng = np.random.default_rng(seed)
    score = np.sort(rng.uniform(0.3, 0.7, 600))[::-1].copy()
    leaves = np.repeat(np.arange(60), 10)[None].repeat(40, axis=0).astype(np.uint8)
    leaves[:, :30] = rng.choice(3, (40, 30), p=[0.9, 0.05, 0.05])
    malicious = np.zeros(600, dtype=bool)
    malicious[1:20] = rng.uniform(size=19) < share
    return leaves, score, malicious


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_no_more_than_two_fewer_than_the_forest_where_labels_mislead(seed: int, share: float) -> None:
    leaves, score, malicious = mixed_head(seed, share)
    assert found(leaves, score, malicious) >= malicious[:FIRST].sum() - FEWER


def test_a_barren_head_is_left_for_what_the_labels_found() -> None:
    score = np.sort(np.random.default_rng(0).uniform(0.3, 0.7, 600))[::-1].copy()
    leaves = (np.arange(600) // 4)[None].repeat(40, axis=0).astype(np.uint8)
    malicious = np.zeros(600, dtype=bool)
    malicious[[16, *range(200, 240)]] = True
    leaves[:, malicious] = 255  # one kind; the forest finds one of them among its first rows
    assert malicious[:FIRST].sum() == 1
    assert found(leaves, score, malicious) > 10


@pytest.mark.parametrize(
    ("hits", "first", "beyond", "strays_too_far"),
    [(5, 5, 1, False), (5, 5, 2, True), (0, 4, 2, False), (0, 3, 2, True)],
)
def test_how_far_a_ranking_may_stray_depends_on_what_the_head_held(
    hits: int, first: int, beyond: int, strays_too_far: bool
) -> None:
    assert (risk(hits, first, 0, beyond) > RISK) == strays_too_far


def test_what_is_found_beyond_the_head_pays_for_what_is_left_there() -> None:
    assert risk(5, 5, 8, 9) == 0.0
    assert risk(5, 5, 8, 10) > RISK


@pytest.mark.parametrize(("benign", "strays_too_far"), [(2, True), (3, False)])
def test_nothing_is_staked_on_rows_beyond_before_one_label_is_malicious(benign: int, strays_too_far: bool) -> None:
    assert (risk(0, benign, 0, 0, fewer=0) > UNGUIDED) == strays_too_far
    assert risk(0, benign, 0, 0) == 0.0, "two may be lost once there is something to look for"


def test_two_misses_are_kept_for_rows_like_a_malicious_one() -> None:
    score = np.sort(np.random.default_rng(0).uniform(0.3, 0.7, 600))[::-1].copy()
    leaves = np.arange(600)[None].repeat(40, axis=0).astype(np.uint16)  # beyond the head each row is unlike all others
    leaves[:20, :FIRST] = 0  # at the head all are half alike
    malicious = np.zeros(600, dtype=bool)
    malicious[[5, 6, 7, *range(300, 340)]] = True
    leaves[20:, malicious] = 700
    assert found(leaves, score, malicious) > 10


@pytest.mark.parametrize(("labels", "asks_for_usual"), [(BARREN - 2, False), (BARREN + 1, True), (BARREN + 2, False)])
def test_after_twenty_benign_labels_every_third_row_is_one_of_usual_score(labels: int, asks_for_usual: bool) -> None:
    assert (BARREN + 1) % EVERY == 0 == (BARREN - 2) % EVERY
    score = np.sort(np.random.default_rng(0).uniform(0.3, 0.7, 600))[::-1].copy()
    leaves = (np.arange(600) // 60)[None].repeat(40, axis=0).astype(np.uint8)
    rows = np.arange(labels)
    now = FeedbackRanking(leaves, score).learn(rows, -np.ones(labels))
    now[rows] = -np.inf
    assert (240 <= int(now.argmax()) < 360) == asks_for_usual


def test_one_malicious_label_ends_the_search_among_rows_of_usual_score() -> None:
    score = np.sort(np.random.default_rng(0).uniform(0.3, 0.7, 600))[::-1].copy()
    leaves = (np.arange(600) // 60)[None].repeat(40, axis=0).astype(np.uint8)
    now = FeedbackRanking(leaves, score).learn(np.arange(21), [1, *[-1] * 20])
    now[:21] = -np.inf
    assert now.argmax() < 240
