"""What every detector in `socml/detectors/` must do; each check is tried once on a detector built to break it."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from socml.features.preparation import Preparation
from socml.models.version_files import load_trusted
from socml.project.registry import component, component_names


def make(name: str) -> BaseEstimator:
    detector = component("detectors", name)()
    return detector.set_params(random_state=0) if "random_state" in detector.get_params() else detector


def reads_a_matrix(name: str) -> bool:
    """A detector of sequences says with its tags that it does not; tests/test_detectors_more.py holds it to the same."""
    return get_tags(make(name)).input_tags.two_d_array


DETECTORS = [name for name in component_names("detectors") if reads_a_matrix(name)]


def usual_rows(rows: int = 400, columns: int = 5) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(rows, columns)).astype(np.float32)


def with_outlier() -> tuple[np.ndarray, int]:
    X = usual_rows()
    X[123] = 9.0
    return X, 123


def check_planted_outlier_scores_lowest(detector):
    X, planted = with_outlier()
    assert int(detector.fit(X).score_samples(X).argmin()) == planted


def check_higher_is_more_normal_further_out(detector):
    detector.fit(usual_rows())
    middle, outside = detector.score_samples(np.array([[0.0] * 5, [6.0] * 5], dtype=np.float32))
    assert middle > outside


def check_score_does_not_depend_on_neighbours(detector):
    X, _ = with_outlier()
    detector.fit(X)
    together = detector.score_samples(X[:60])
    alone = np.concatenate([detector.score_samples(X[i : i + 1]) for i in range(60)])
    # to rounding: a matrix product of 60 rows need not round as 60 products of one row do
    np.testing.assert_allclose(alone, together, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(detector.score_samples(X[:60][::-1]), together[::-1], rtol=1e-9, atol=1e-9)


def check_one_row_is_enough(detector):
    one = usual_rows(1)
    scores = detector.fit(one).score_samples(one)
    assert scores.shape == (1,)
    assert np.isfinite(scores).all()


def check_constant_columns_are_no_trouble(detector):
    X, planted = with_outlier()
    X[:, 0] = 3.0
    scores = detector.fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert int(scores.argmin()) == planted


def check_missing_values_go_through_the_pipeline(detector):
    X, planted = with_outlier()
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]).astype(float)
    table.iloc[::17, 1] = np.nan
    table["kind"] = np.where(np.arange(len(table)) % 3, "tcp", None)
    pipeline = Pipeline([("preparation", Preparation()), ("detector", detector)]).fit(table)
    scores = pipeline.score_samples(table)
    assert np.isfinite(scores).all()
    assert int(scores.argmin()) == planted


def check_survives_saving_bit_for_bit(detector):
    import tempfile
    from pathlib import Path

    import skops.io

    X, _ = with_outlier()
    detector.fit(X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.skops"
        skops.io.dump(detector, path)
        again = load_trusted(path)
    assert np.array_equal(again.score_samples(X), detector.score_samples(X))


def check_same_seed_gives_the_same_scores(detector):
    X, _ = with_outlier()
    first = clone(detector).fit(X).score_samples(X)
    assert np.array_equal(first, clone(detector).fit(X).score_samples(X))


def check_fitting_and_scoring_change_nothing_that_was_given(detector):
    X, _ = with_outlier()
    before = X.copy()
    detector.fit(X).score_samples(X)
    assert np.array_equal(X, before)


def check_contributions_push_where_the_oddness_is(detector):
    if not hasattr(detector, "contributions"):
        return
    X = usual_rows()
    X[5, 2] = 12.0
    parts = detector.fit(X).contributions(X)
    assert parts.shape == X.shape
    assert int(parts[5].argmax()) == 2
    assert np.allclose(parts.sum(axis=1), -detector.score_samples(X))


def check_leaves_are_one_a_tree_and_row(detector):
    if not hasattr(detector, "leaves"):
        return
    X, _ = with_outlier()
    leaves = detector.fit(X).leaves(X)
    assert leaves.shape[1] == len(X)
    assert leaves.dtype in (np.uint8, np.uint16)
    assert np.array_equal(detector.leaves(X[3:4]), leaves[:, 3:4])


CHECKS = [
    check_planted_outlier_scores_lowest,
    check_higher_is_more_normal_further_out,
    check_score_does_not_depend_on_neighbours,
    check_one_row_is_enough,
    check_constant_columns_are_no_trouble,
    check_missing_values_go_through_the_pipeline,
    check_survives_saving_bit_for_bit,
    check_same_seed_gives_the_same_scores,
    check_fitting_and_scoring_change_nothing_that_was_given,
    check_contributions_push_where_the_oddness_is,
    check_leaves_are_one_a_tree_and_row,
]


class Distance(BaseEstimator):
    """A sound little detector, to break: distance from the mean."""

    def fit(self, X, y=None):
        self.mean_ = np.asarray(X, dtype=np.float64).mean(axis=0)
        return self

    def score_samples(self, X):
        return -np.abs(np.asarray(X, dtype=np.float64) - self.mean_).max(axis=1)


class Upside(Distance):
    def score_samples(self, X):
        return -super().score_samples(X)


class Neighbourly(Distance):
    def score_samples(self, X):
        return super().score_samples(X) - np.asarray(X, dtype=np.float64).mean()


class NeedsMany(Distance):
    def fit(self, X, y=None):
        super().fit(X)
        self.mean_ = self.mean_ + 0 / np.float64(len(X) - 1)
        return self


class DividesBySpread(Distance):
    def score_samples(self, X):
        X = np.asarray(X, dtype=np.float64)
        with np.errstate(all="ignore"):
            return -(np.abs(X - self.mean_) / X.std(axis=0)).max(axis=1)


class DividesByFirst(Distance):
    def score_samples(self, X):
        X = np.asarray(X, dtype=np.float64)
        with np.errstate(all="ignore"):
            return super().score_samples(X) / (X[:, 1] != np.median(X[:, 1]))


class Unsaveable(Distance):
    def fit(self, X, y=None):
        super().fit(X)
        self.score = lambda X: X
        return self


class Moody(Distance):
    mood = np.random.default_rng(1)

    def fit(self, X, y=None):
        super().fit(X)
        self.mean_ = self.mean_ + self.mood.normal(size=self.mean_.shape)
        return self


class Meddling(Distance):
    def score_samples(self, X):
        X += 1
        return super().score_samples(X)


class BlamesTheFirst(Distance):
    def contributions(self, X):
        parts = np.zeros(np.shape(X))
        parts[:, 0] = 1.0
        return parts


class MixesLeaves(Distance):
    def leaves(self, X):
        return np.arange(len(X), dtype=np.uint16)[None, :]


BROKEN = [
    (check_planted_outlier_scores_lowest, Upside),
    (check_higher_is_more_normal_further_out, Upside),
    (check_score_does_not_depend_on_neighbours, Neighbourly),
    (check_one_row_is_enough, NeedsMany),
    (check_constant_columns_are_no_trouble, DividesBySpread),
    (check_missing_values_go_through_the_pipeline, DividesByFirst),
    (check_survives_saving_bit_for_bit, Unsaveable),
    (check_same_seed_gives_the_same_scores, Moody),
    (check_fitting_and_scoring_change_nothing_that_was_given, Meddling),
    (check_contributions_push_where_the_oddness_is, BlamesTheFirst),
    (check_leaves_are_one_a_tree_and_row, MixesLeaves),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", DETECTORS)
def test_detector_keeps_the_contract(name, check):
    check(make(name))


@pytest.mark.parametrize(("check", "broken"), BROKEN, ids=lambda value: value.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_contract_catches_a_detector_built_to_break_it(check, broken):
    with pytest.raises(Exception):  # noqa: B017, PT011 (whatever it breaks with)
        check(broken())


def test_every_check_has_a_detector_that_breaks_it():
    assert {check for check, _ in BROKEN} == set(CHECKS)


def failed_checks(detector: BaseEstimator) -> set[str]:
    results = check_estimator(detector, on_fail=None, on_skip=None)
    return {result["check_name"] for result in results if result["status"] == "failed"}


@pytest.mark.parametrize("name", DETECTORS)
def test_detector_passes_the_checks_of_scikit_learn(name):
    detector = make(name)
    few = {"n_estimators": 5} if "n_estimators" in detector.get_params() else {}
    failed = failed_checks(detector.set_params(**few))
    if failed and isinstance(detector, sklearn.ensemble.IsolationForest):  # what scikit-learn's own fails, ours may too
        failed -= failed_checks(sklearn.ensemble.IsolationForest(random_state=0, **few))
    assert not failed


@pytest.mark.parametrize("name", DETECTORS)
def test_detector_says_what_it_is_blind_to_and_has_no_threshold_of_its_own(name):
    kind = component("detectors", name)
    assert "Blind to" in inspect.getdoc(kind)
    assert "predict" not in vars(kind)
