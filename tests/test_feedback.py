"""The ranking that learns: exact, undoable, and not worse than the forest it starts from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from socml.review import feedback
from socml.review.feedback import PRIOR, QUANTILE, FeedbackRanking, warm_up
from socml.review.tree_kernel import STEP, add_columns, solve_dual, tree_kernel

ROUNDED = 0.5 / 255  # how alike two rows are is kept in a byte
CHECKOUT = Path(__file__).resolve().parents[1]


def forest(n_rows: int = 300, n_trees: int = 50, seed: int = 0, kind=np.uint8) -> tuple[np.ndarray, np.ndarray]:
    """Return leaves and anomaly scores of rows in three groups; the last group scores highest."""
    rng = np.random.default_rng(seed)
    group = np.arange(n_rows) * 3 // n_rows
    leaves = (group[None] * 4 + rng.integers(0, 4, (n_trees, n_rows))).astype(kind)
    return leaves, group * 0.1 + rng.uniform(0.3, 0.4, n_rows)


def naive_kernel(leaves: np.ndarray, row: int) -> np.ndarray:
    return np.array([sum(int(tree[i] == tree[row]) for tree in leaves) for i in range(leaves.shape[1])])


def naive_ranking(leaves, anomaly_score, positions, directions, weights) -> np.ndarray:
    """The recipe as it is written down: dense kernel, plain loops, nothing kept."""
    if not positions:
        return anomaly_score.copy()
    n_trees, spread = len(leaves), anomaly_score.std()
    head = [(anomaly_score > anomaly_score[row]).sum() < len(positions) for row in positions]
    asked = sum(w for w, h in zip(weights, head, strict=True) if h)
    benign = sum(w for w, d, h in zip(weights, directions, head, strict=True) if h and d < 0)
    trust = (asked - benign + 4) / (asked + 4)
    prior = trust * PRIOR * (anomaly_score - np.quantile(anomaly_score, QUANTILE)) / spread
    shares = np.array([naive_kernel(leaves, row) / n_trees for row in positions])
    columns = (3 * shares + shares**2) / 4
    share = benign / (1 + asked)
    limits = [w * min(1, 0.01 + 2 * share) if d > 0 else w for w, d in zip(weights, directions, strict=True)]
    multipliers = np.zeros(len(positions))
    for _ in range(50):
        for i, (row, sign) in enumerate(zip(positions, directions, strict=True)):
            now = prior[row] + sum(m * d * c[row] for m, d, c in zip(multipliers, directions, columns, strict=True))
            multipliers[i] = np.clip(multipliers[i] - (sign * now - 1) / columns[i][row], 0, limits[i])
    learnt = trust * anomaly_score + spread / PRIOR * (multipliers * directions) @ columns
    return naive_guard(learnt, anomaly_score, positions, directions)


def naive_guard(learnt, anomaly_score, positions, directions) -> np.ndarray:
    """Lift the forest's first 20 rows before all others where straying further may lose more than two, or any too early."""
    first = set(np.argsort(-anomaly_score, kind="stable")[:20].tolist())
    inside = [d > 0 for p, d in zip(positions, directions, strict=True) if p in first]
    beyond = [d > 0 for p, d in zip(positions, directions, strict=True) if p not in first]
    lost = betabinom(len(beyond) + 1, 1 + sum(inside), 1 + len(inside) - sum(inside)).pmf(range(len(beyond) + 2))
    too_many = lost[sum(beyond) + 3 :].sum() > 0.02 if any(inside + beyond) else lost[1:].sum() > 0.21
    if len(positions) >= 20 or not too_many:
        return learnt
    lifted, others = sorted(first), [row for row in range(len(learnt)) if row not in first]
    gap = learnt[others].max() - learnt[lifted].min() + anomaly_score.std()
    return learnt + np.where(np.isin(np.arange(len(learnt)), lifted), max(gap, 0.0), 0.0)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("n_rows", [1, 7, 4096, 5000])
def test_the_kernel_counts_shared_leaves_like_the_naive_one(kind, n_rows):
    leaves = np.random.default_rng(n_rows).integers(0, 5, (30, n_rows)).astype(kind)
    columns = np.full((3, n_rows), 99, dtype=np.uint8)
    alike = np.arange(31, dtype=np.uint8)[::-1].copy()
    tree_kernel(leaves, np.array([n_rows // 2, 0]), alike, columns, np.array([2, 0]))
    assert (columns[2] == 30 - naive_kernel(leaves, n_rows // 2)).all()
    assert (columns[0] == 30 - naive_kernel(leaves, 0)).all()
    assert columns[2, n_rows // 2] == columns[0, 0] == 0
    assert (columns[1] == 99).all()


def test_the_dual_puts_rows_on_their_side_within_their_limits():
    alike = np.array(
        [[5, 1, 9], [1, 5, 9], [9, 9, 9]], dtype=np.uint8
    )  # of two labels, in a table that has room for more
    kernel = alike[:2, :2] / 5
    signs, limits = np.array([1.0, -1.0]), np.array([5.0, 5.0])
    multipliers = solve_dual(alike, 5.0, np.zeros(2), signs, limits)
    assert np.allclose(signs * (kernel @ (multipliers * signs)), 1, atol=1e-4)
    assert (solve_dual(alike, 5.0, np.zeros(2), signs, limits / 50) == 0.1).all()
    assert (solve_dual(alike, 5.0, 9 * signs, signs, limits) == 0).all(), "right already: nothing to learn"


def test_what_labelled_rows_have_in_common_is_that_of_now_whatever_was_labelled_before(monkeypatch):
    monkeypatch.setattr("socml.review.feedback.LABELS", 4)  # so that the table grows often
    leaves, score = forest()
    ranking, rng, rows = FeedbackRanking(leaves, score), np.random.default_rng(5), []
    for turn in range(60):
        if turn % 20 == 10:  # all are taken back, and given again
            assert (ranking.learn([], []) == score).all()
        free = [row for row in range(len(score)) if row not in rows]
        if rows and rng.random() < 0.4:  # a label is taken back, or given again
            again = [rows.pop(int(rng.integers(len(rows))))]
            rows += again if rng.random() < 0.5 else []
        else:
            rows += rng.choice(free, int(rng.integers(1, 6)), replace=False).tolist()
        directions = [1 if row % 3 else -1 for row in rows]
        assert (ranking.learn(rows, directions) == FeedbackRanking(leaves, score).learn(rows, directions)).all()


@pytest.mark.parametrize("malicious", [0, 1, 4, 5, 6, 40])
def test_of_very_many_labels_the_latest_of_each_side_teach(monkeypatch, malicious):
    monkeypatch.setattr("socml.review.feedback.MOST", 10)
    leaves, score = forest()
    signs = np.array([1] * malicious + [-1] * (40 - malicious))
    rows = np.random.default_rng(1).permutation(len(score))[:40]
    ranking = FeedbackRanking(leaves, score)
    ranking.learn(rows, signs)
    taught = sorted(np.flatnonzero(np.isin(rows, list(ranking._multipliers))).tolist())
    sides = {0: (0, 10), 1: (1, 9), 4: (4, 6), 5: (5, 5), 6: (5, 5), 40: (10, 0)}
    first, second = sides[malicious]
    assert taught == [*range(malicious - first, malicious), *range(40 - second, 40)]
    ranking.learn(rows[:3], signs[:3])
    assert (ranking.learn(rows, signs) == FeedbackRanking(leaves, score).learn(rows, signs)).all()


def test_a_run_of_many_rows_keeps_fewer_columns(monkeypatch):
    monkeypatch.setattr("socml.review.feedback.FEWEST", 2)
    leaves, score = forest()
    monkeypatch.setattr("socml.review.feedback.BYTES", 7 * len(score) + 1)
    ranking = FeedbackRanking(leaves, score)
    ranking.learn(np.arange(9), np.ones(9))
    assert list(ranking._multipliers) == [2, 3, 4, 5, 6, 7, 8]


def test_of_a_forest_whose_columns_take_two_bytes_a_row_half_as_many_are_kept(monkeypatch):
    monkeypatch.setattr("socml.review.feedback.FEWEST", 2)
    leaves, score = forest(n_trees=256)
    monkeypatch.setattr("socml.review.feedback.BYTES", 7 * 2 * len(score))
    ranking = FeedbackRanking(leaves, score)
    ranking.learn(np.arange(9), np.ones(9))
    assert list(ranking._multipliers) == [2, 3, 4, 5, 6, 7, 8]


def test_later_rows_are_ranked_some_at_a_time_so_that_columns_stay_within_their_memory(monkeypatch):
    leaves, score = forest()
    ranking = FeedbackRanking(leaves, score)
    ranking.learn([0, 150, 299], [-1, 1, 1])
    whole, seen, real = ranking.rank_later(leaves, score), [], feedback._Columns
    monkeypatch.setattr(feedback, "BYTES", 3 * 70)
    monkeypatch.setattr(feedback, "_Columns", lambda some: seen.append(some.shape[1]) or real(some))
    assert (ranking.rank_later(leaves, score) == whole).all()
    assert seen == [73, 73, 73, 73, 23]


def test_adding_and_taking_away_columns_leaves_no_trace():
    rng = np.random.default_rng(0)
    columns = rng.integers(0, 200, (20, 5000)).astype(np.uint8)
    changes = np.round(rng.uniform(-1, 1, 20) / STEP) * STEP
    total = np.zeros(5000)
    add_columns(total, columns, np.arange(20), changes)
    assert np.allclose(total, changes @ columns)
    add_columns(total, columns, rng.permutation(20), changes[rng.permutation(20)] * 0)
    order = rng.permutation(20)
    add_columns(total, columns, order, -changes[order])
    assert (total == 0).all()


def test_without_labels_the_ranking_is_the_anomaly_score():
    leaves, score = forest()
    assert (FeedbackRanking(leaves, score).learn([], []) == score).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_ranking_agrees_with_the_naive_one(kind):
    leaves, score = forest(kind=kind)
    positions, directions, weights = [250, 150, 299, 10], [1, -1, -1, 1], [1.0, 0.5, 1.0, 0.3]
    learnt = FeedbackRanking(leaves, score).learn(positions, directions, weights)
    naive = naive_ranking(leaves, score, positions, directions, weights)
    assert np.allclose(learnt, naive, atol=4 * (4 * STEP + ROUNDED) * score.std() / PRIOR)


def test_more_than_255_trees_do_not_overflow():
    leaves, score = forest(n_trees=300)
    learnt = FeedbackRanking(leaves, score).learn([250], [-1])
    assert np.allclose(
        learnt, naive_ranking(leaves, score, [250], [-1], [1.0]), atol=4 * (STEP + ROUNDED) * score.std() / PRIOR
    )


def test_benign_pushes_its_likes_down_and_malicious_pulls_them_up():
    leaves, score = forest()
    ranking = FeedbackRanking(leaves, score)
    benign = ranking.learn([250], [-1])
    alike = np.argsort(-score)[20:100]  # of its group, those beyond the forest's first 20, which are lifted
    assert (benign[alike] < score[alike]).all()
    assert (benign[:100] == score[:100]).all(), "rows that share no leaf are left alone"
    assert (ranking.learn([250, 50], [-1, 1])[:100] > score[:100]).all()
    both = ranking.learn([*range(200, 210), *range(10)], [-1] * 10 + [1] * 10)
    assert score[:100].max() < score[200:].min()
    assert both[:100].min() > both[200:].max(), "ten labels a side turn the order round"


labels = st.lists(
    st.tuples(st.integers(0, 119), st.sampled_from([-1, 1]), st.sampled_from([0.25, 1 / 3, 1.0])),
    max_size=40,
    unique_by=lambda label: label[0],
)


@settings(max_examples=40, deadline=None)
@given(labels, labels)
def test_the_ranking_depends_on_its_labels_alone_to_the_last_bit(before, now):
    leaves, score = forest(120, 20)
    used, fresh = FeedbackRanking(leaves, score), FeedbackRanking(leaves, score)
    for n in range(len(before) + 1):
        used.learn(*map(list, zip(*before[:n], strict=True))) if n else used.learn([], [])
    arguments = [list(part) for part in zip(*now, strict=True)] if now else [[], []]
    assert (used.learn(*arguments) == fresh.learn(*arguments)).all()
    assert (used.learn([], []) == score).all()


def test_a_forest_without_trees_leaves_the_order_as_it_is():
    score = np.array([0.3, 0.1, 0.2])
    assert (FeedbackRanking(np.empty((0, 3), dtype=np.uint8), score).learn([0], [-1]) == score).all()


def test_scores_that_are_all_equal_still_learn():
    leaves, _ = forest()
    learnt = FeedbackRanking(leaves, np.full(300, 0.5)).learn([250], [-1])
    assert learnt[200:].max() < learnt[:200].min()
    assert np.isfinite(learnt).all()


def test_mostly_malicious_labels_hardly_change_a_good_order():
    leaves, score = forest()
    top = np.argsort(-score)[:10]
    learnt = FeedbackRanking(leaves, score).learn(top[:5], np.ones(5))
    assert set(np.argsort(-learnt)[:100]) == set(np.argsort(-score)[:100])
    assert np.abs(learnt - score).max() < 3 * score.std()


def test_a_good_order_is_one_whose_head_is_malicious_wherever_benign_rows_were_found():
    leaves, score = forest()
    top, elsewhere = np.argsort(-score)[:5], np.arange(5)
    ranking = FeedbackRanking(leaves, score)
    kept = ranking.learn([*top, *elsewhere], np.repeat([1, -1], 5))
    doubted = ranking.learn([*top, *elsewhere], np.repeat([-1, 1], 5))
    assert np.abs(kept[200:] - score[200:]).max() < 3 * score.std(), "benign rows that lay deep tell nothing against it"
    assert (doubted[:100] - score[:100]).min() > 10 * score.std(), "malicious rows that lay deep pull their likes up"


@pytest.mark.parametrize(("place", "is_in_the_head"), [(4, True), (5, False)])
def test_the_head_of_an_order_has_as_many_rows_as_there_are_labels(place: int, is_in_the_head: bool) -> None:
    leaves, score = forest()
    order = np.argsort(-score)
    rows, directions = [order[place], 0, 1, 2, 3], [-1, 1, 1, 1, 1]  # five labels, four of them at the order's far end
    learnt = FeedbackRanking(leaves, score).learn(rows, directions)
    assert learnt == pytest.approx(naive_ranking(leaves, score, rows, directions, [1.0] * 5), abs=ROUNDED * 100)
    pulled = (learnt[:100] - score[:100]).min()
    if is_in_the_head:
        assert pulled > 10 * score.std(), "half of the head is benign: the malicious labels count in full"
    else:
        assert pulled < 3 * score.std(), "a benign row below the head tells nothing against the order"


def test_labels_are_not_slowed_down_by_compiling_after_warm_up():
    code = (
        "from socml.review.feedback import *; from socml.review import tree_kernel as k; warm_up();"
        "n = [len(f.signatures) for f in (k.tree_kernel, k.solve_dual, k.add_columns)];"
        "import tempfile, os; path = tempfile.mkdtemp() + '/leaves.npy';"
        "np.save(path, np.asfortranarray(np.zeros((3, 9), dtype='u1')));"
        "FeedbackRanking(np.load(path, mmap_mode='r'), np.arange(9.0)).learn([1, 2], [1, -1]);"
        "FeedbackRanking(np.zeros((300, 9), dtype='u2'), np.arange(9.0)).learn([1], [1], [0.5]);"
        "assert n == [len(f.signatures) for f in (k.tree_kernel, k.solve_dual, k.add_columns)], n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT)


def test_warm_up_may_be_called_again():
    warm_up()
