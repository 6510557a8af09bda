"""A supervised forest beside the ranking: what it thinks, when it takes over, and that undo still restores all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import BuiltRun, make_project, make_run
from patience import wait_until

from socml.project.errors import DataError
from socml.project.project import Project
from socml.review.loop import Triage
from socml.review.oracle import replay
from socml.review.ranker_predictions import predict_rows
from socml.review.supervised_ranker import EVERY, SupervisedRanker, auc_difference, should_switch


def blobs(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows of four groups, which are malicious, and their families."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n)
    centres = np.array([[0, 0], [6, 0], [0, 6], [6, 6]])
    malicious = group >= 2
    families = np.array([None, None, "scan", "tunnel"], dtype=object)[group]
    return (centres[group] + rng.normal(size=(n, 2))).astype(np.float32), malicious, families


def test_the_forest_tells_sides_and_families_apart_and_finds_what_is_novel() -> None:
    matrix, malicious, families = blobs()
    far = np.vstack([matrix, [[30.0, -30.0]]]).astype(np.float32)
    rows = np.arange(60)
    predictions = predict_rows(far, rows, malicious[rows], families[rows])
    assert predictions is not None
    assert ((predictions.probability[:400] > 0.5) == malicious).mean() > 0.97
    named = malicious & (predictions.probability[:400] > 0.5)
    assert (predictions.family[:400][named] == families[named]).mean() > 0.95
    assert np.allclose(predictions.novelty[rows], 0)
    assert predictions.novelty.min() >= 0
    assert predictions.confidence.max() <= 1
    brute = 1 - max_shared(far, rows, malicious, families)
    assert np.allclose(predictions.novelty, brute)


def max_shared(matrix, rows, malicious, families) -> np.ndarray:
    """The largest share of leaves in common with a labelled row, by plain comparison of scikit-learn's own leaves."""
    from sklearn.ensemble import ExtraTreesClassifier

    targets = np.array([f"{int(m)}{f or ('' if m else 'benign')}" for m, f in zip(malicious, families, strict=True)])
    forest = ExtraTreesClassifier(n_estimators=100, random_state=0).fit(matrix[rows], targets[rows])
    leaves = forest.apply(matrix)
    return np.max([(leaves == leaves[row]).mean(axis=1) for row in rows], axis=0)


def test_rows_that_are_the_same_are_of_one_kind() -> None:
    matrix, malicious, families = blobs(100)
    twice = np.vstack([matrix, matrix])
    predictions = predict_rows(twice, range(40), malicious[:40], families[:40])
    assert predictions is not None
    cluster = predictions["cluster"].to_numpy()
    assert (cluster[:100] == cluster[100:]).all()
    assert len(set(cluster)) > 5


def test_labels_of_one_side_give_no_opinion() -> None:
    matrix, _, _ = blobs(50)
    assert predict_rows(matrix, [0, 1], [True, True]) is None
    assert predict_rows(matrix, [], []) is None


def test_the_same_labels_give_the_same_opinions() -> None:
    matrix, malicious, families = blobs()
    first, again = (predict_rows(matrix, range(50), malicious[:50], families[:50], seed=3) for _ in range(2))
    assert first is not None
    assert again is not None
    pd.testing.assert_frame_equal(first, again)


def test_the_difference_of_two_aurocs_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    malicious = rng.uniform(size=80) < 0.4
    first, second = rng.normal(size=80).round(1) + malicious, rng.normal(size=80).round(1)
    found, error = auc_difference(first, second, malicious)
    assert found == pytest.approx(roc_auc_score(malicious, first) - roc_auc_score(malicious, second))
    rows = [rng.integers(0, 80, 80) for _ in range(400)]
    spread = np.std([roc_auc_score(malicious[r], first[r]) - roc_auc_score(malicious[r], second[r]) for r in rows])
    assert error == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize(("leaves_tell", "expected"), [(True, False), (False, True)])
def test_the_forest_takes_over_only_where_leaves_do_not_tell_rows_apart(leaves_tell: bool, expected: bool) -> None:
    rng = np.random.default_rng(0)
    malicious = np.arange(80) % 2 == 0
    matrix = (malicious[:, None] + 0.2 * rng.normal(size=(80, 3))).astype(np.float32)
    told = malicious.astype(int) if leaves_tell else np.zeros(80, dtype=int)
    leaves = (told * 4 + rng.integers(0, 4, (50, 80))).astype(np.uint8)
    score = rng.normal(size=80)
    assert should_switch(matrix, leaves, score, np.where(malicious, 1, -1)) is expected


@pytest.mark.parametrize("malicious", [np.arange(40) % 2 == 0, np.arange(80) < 9, np.arange(80) >= 9])
def test_it_does_not_take_over_with_few_labels_or_one_side(malicious: np.ndarray) -> None:
    n = len(malicious)
    leaves, score = np.zeros((5, n), dtype=np.uint8), np.zeros(n)
    assert not should_switch(malicious[:, None].astype(np.float32), leaves, score, np.where(malicious, 1, -1))


@pytest.mark.parametrize(("errors", "expected"), [(1.999, False), (2.0, False), (2.001, True)])
def test_the_forest_takes_over_above_two_standard_errors(
    errors: float, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socml.review.supervised_ranker.auc_difference", lambda *scores: (errors * 0.0625, 0.0625))
    malicious = np.arange(60) % 2 == 0
    leaves, score = np.zeros((5, 60), dtype=np.uint8), np.zeros(60)
    assert should_switch(malicious[:, None].astype(np.float32), leaves, score, np.where(malicious, 1, -1)) is expected


@pytest.mark.parametrize(
    ("malicious", "benign", "expected"),
    [(25, 25, True), (24, 25, False), (10, 40, True), (9, 41, False), (41, 9, False)],
)
def test_the_forest_takes_over_from_50_labels_on_10_of_each_side(malicious: int, benign: int, expected: bool) -> None:
    sides = np.repeat([True, False], [malicious, benign])
    leaves, score = np.zeros((5, len(sides)), dtype=np.uint8), np.zeros(len(sides))
    assert should_switch(sides[:, None].astype(np.float32), leaves, score, np.where(sides, 1, -1)) is expected


@pytest.fixture
def run(tmp_path) -> tuple[Project, BuiltRun, np.ndarray]:
    """A run whose leaves say nothing of the truth, and a matrix that says all."""
    project = make_project(tmp_path)
    built = make_run(project)
    random = np.random.default_rng(1).uniform(size=len(built.truth)) < 0.3
    built = replace(built, truth=pd.Series(random, index=built.truth.index))
    truth = built.truth.to_numpy().astype(np.float32)
    noise = np.random.default_rng(0).normal(size=(len(truth), 2)) * 0.1
    matrix = np.column_stack([truth + noise[:, 0], noise[:, 1]]).astype(np.float32)
    np.save(project.workspace / "scores" / built.run_id / "leaves.npy", np.zeros_like(built.leaves))
    return project, built, matrix


def give(triage: Triage, built: BuiltRun, n: int, start: int = 0) -> None:
    """Label `n` rows spread over the run, by the truth, with a family where malicious."""
    rows = list(built.scores.index)
    bad = [r for r in rows if built.truth[r]]
    good = [r for r in rows if not built.truth[r]]
    chosen = [row for pair in zip(bad, good, strict=False) for row in pair][start : start + n]
    for row in chosen:
        malicious = bool(built.truth[row])
        triage.label(row, "malicious" if malicious else "benign", family="scan" if malicious else "", client_id=row)


def test_a_strategy_gets_opinions_after_ten_labels(run) -> None:
    project, built, matrix = run
    with Triage(project=project, by="ana", strategy="rare-families", matrix=matrix) as triage:
        assert set(triage.queue(5)["reason"]) == {"most-anomalous"}
        give(triage, built, EVERY)
        assert set(triage.queue(5)["reason"]) == {"rare-families"}


@pytest.mark.parametrize(("given", "asked"), [(9, 0), (10, 10), (799, 790), (800, 800), (819, 800), (4_199, 4_100)])
def test_the_more_labels_the_rarer_the_forest_is_grown_anew(given: int, asked: int) -> None:
    lengths = []
    ranker = SupervisedRanker(lambda _: np.zeros((0, 1)), 5_000, lambda _: np.zeros((0, 0)), np.zeros(5_000))
    ranker._formed = lambda now, predict: lengths.append(len(now))
    ranker.after([(row, row % 2 == 0, None, 1.0) for row in range(given)], predict=True)
    assert lengths == [asked] * (asked > 0)


def test_the_forest_takes_over_from_a_ranking_that_cannot_learn_and_undo_gives_it_back(run) -> None:
    project, built, matrix = run
    with Triage(project=project, by="ana", matrix=matrix) as triage:
        give(triage, built, 49)
        before = triage.ranking()
        assert np.corrcoef(before, built.truth.astype(float))[0, 1] < 0.9
        give(triage, built, 1, start=49)
        after = triage.ranking()
        open_rows = ~after.index.isin(triage.labels().index)
        assert after[open_rows & built.truth.to_numpy()].min() > after[open_rows & ~built.truth.to_numpy()].max()
        with Triage(project=project, by="ben", matrix=matrix) as other:
            pd.testing.assert_series_equal(other.ranking(), after, check_exact=True)
        triage.undo(client_id="undo")
        pd.testing.assert_series_equal(triage.ranking(), before, check_exact=True)


def test_an_analyst_who_does_not_wait_gets_the_same_in_the_end(run) -> None:
    project, built, matrix = run
    with Triage(project=project, by="ana", matrix=matrix, wait=False) as triage:
        give(triage, built, 50)
        with Triage(project=project, by="ben", matrix=matrix) as waited:
            expected = waited.ranking()

        def has_learned() -> bool:
            triage._live.learn_again()
            return triage.ranking().equals(expected)

        wait_until(has_learned)
        pd.testing.assert_series_equal(triage.ranking(), expected, check_exact=True)


def test_without_its_features_a_strategy_that_needs_them_says_so_and_others_go_on(run) -> None:
    project, built, _ = run
    with Triage(project=project, by="ana") as triage:
        give(triage, built, 50)
        assert len(triage.queue(5)) == 5
    with pytest.raises(DataError, match="cannot be read"), Triage(project=project, by="ben", strategy="ilab"):
        pass


@pytest.mark.parametrize("strategy", ["rare-families", "aladin", "ilab", "disagreement"])
def test_an_oracle_replays_a_strategy_that_reads_opinions(run, strategy: str) -> None:
    _, built, matrix = run
    truth = pd.DataFrame({"malicious": built.truth, "family": np.where(built.truth, "scan", None)})
    result = replay((built.scores, built.leaves), truth, budget=30, strategy=strategy, matrix=matrix)
    assert len(result.answers) == 30
    assert result.answers["row_id"].is_unique
    assert strategy in set(result.answers["reason"])
