"""socml.make_detector: an estimator that scikit-learn's own tools take, and tables of every kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_outlier_detector
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import check_estimator

import socml
from socml.features import TableError
from socml.project import ModelError, Notice, RecipeError, UnknownName, component_names

QUICK = ["robust-z", "isolation-forest", "copod", "ecod", "hbos", "pca", "rarity", "robust-covariance", "loda"]
MATRIX = [name for name in component_names("detectors") if name != "markov"]  # which reads sequences


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    malicious = np.zeros(300, dtype=int)
    malicious[::30] = 1
    table.loc[malicious == 1] += 6.0
    return table, malicious


@pytest.mark.parametrize("name", QUICK)  # the others pass too, and take a minute: see `make results-ecosystem`
def test_every_check_of_scikit_learn_passes(name):
    detector = socml.make_detector(name)
    if "detector__n_estimators" in detector.get_params():
        detector.set_params(detector__n_estimators=5)
    results = check_estimator(detector, on_fail=None, on_skip=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []
    assert len(results) > 40


@pytest.mark.parametrize("name", MATRIX)
def test_every_detector_has_what_an_outlier_detector_has(name):
    table, malicious = rows()
    detector = socml.make_detector(name, alert_share=1 / 30).fit(table)
    assert is_outlier_detector(detector)
    assert list(detector.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(detector.predict(table) == -1, detector.decision_function(table) < 0)
    assert np.array_equal(detector.predict(table) == -1, detector.anomaly_score(table) > detector.threshold_)
    assert roc_auc_score(malicious, detector.anomaly_score(table)) > 0.8
    fixed = clone(detector).set_params(threshold=float(detector.anomaly_score(table).min()) - 1.0).fit(table)
    assert (fixed.predict(table) == -1).all()


def test_a_detectors_name_takes_parameters_and_a_models_name_too():
    assert socml.make_detector("isolation-forest", n_estimators=17)["detector"].n_estimators == 17
    assert socml.make_detector("source-forest", n_estimators=18).get_params()["detector__n_estimators"] == 18
    with pytest.raises(RecipeError, match="Did you mean 'n_estimators'"):
        socml.make_detector("isolation-forest", n_estimator=17)
    with pytest.raises(UnknownName, match="no model or detector called 'isolation-forrest'. Did you mean"):
        socml.make_detector("isolation-forrest")


@pytest.mark.parametrize("scoring", ["average_precision", "roc_auc", "f1"])
def test_cross_validation_judges_how_well_malicious_rows_are_found(scoring):
    table, malicious = rows()
    detector = socml.make_detector("robust-z", alert_share=1 / 30)
    assert cross_val_score(detector, table, malicious, cv=3, scoring=scoring).min() > 0.8


@pytest.mark.parametrize("kind", [int, bool, float, np.uint8])
def test_a_fold_without_malicious_rows_is_judged_like_the_others(kind):
    table, malicious = rows()
    detector = socml.make_detector("robust-z", alert_share=1 / 30).fit(table[malicious == 0], np.zeros(290, dtype=kind))
    assert (detector.decision_function(table)[malicious == 1] > 0).all()
    assert set(detector.predict(table)) == {0, 1}
    assert detector.predict(table).dtype == kind


def test_a_y_of_scikit_learns_own_convention_keeps_its_direction():
    table, malicious = rows()
    detector = socml.make_detector("robust-z", alert_share=1 / 30).fit(table, np.where(malicious, -1, 1))
    assert (detector.decision_function(table)[malicious == 1] < 0).mean() > 0.8
    assert set(detector.predict(table)) == {-1, 1}


def test_y_teaches_a_detector_nothing():
    table, malicious = rows()
    first, second = (socml.make_detector("isolation-forest").fit(table, y) for y in (None, malicious))
    assert np.array_equal(first.score_samples(table), second.score_samples(table))


def test_it_works_in_pipelines_and_grids():
    table, malicious = rows()
    grid = GridSearchCV(
        socml.make_detector("isolation-forest"), {"detector__n_estimators": [5, 10]}, scoring="average_precision", cv=3
    ).fit(table, malicious)
    assert grid.best_score_ > 0.8
    scaled = make_pipeline(StandardScaler(), socml.make_detector("robust-z")).fit(table)
    assert scaled.decision_function(table).shape == (300,)


def test_set_output_hands_on_tables_with_the_same_scores():
    table, _ = rows()
    plain = socml.make_detector("robust-z").fit(table)
    named = socml.make_detector("robust-z").set_output(transform="pandas").fit(table)
    assert list(named["preparation"].transform(table).columns) == ["a", "b", "c"]
    assert np.allclose(named.score_samples(table), plain.score_samples(table))


TABLES = {
    "an array": lambda t: t.to_numpy(),
    "lists": lambda t: t.to_numpy().tolist(),
    "integer names": lambda t: t.set_axis([3, 1, 2], axis=1),
    "mixed names": lambda t: t.set_axis(["a", 1, ("b", 2)], axis=1),
    "nullable types": lambda t: t.round().astype("Int64").mask(t > 6.5),
    "truth values": lambda t: t > 1,
    "texts": lambda t: t.assign(word=np.where(t["a"] > 0, "x", "y")),
    "a category": lambda t: t.assign(kind=pd.Categorical(np.where(t["a"] > 0, "x", "y"))),
    "infinities": lambda t: t.assign(a=t["a"].where(t["a"] < 6, np.inf)),
    "missing values": lambda t: t.mask(t > 5),
    "objects that are numbers": lambda t: t.astype(object),
    "a constant column": lambda t: t.assign(d=1.0),
}


@pytest.mark.parametrize("kind", TABLES)
def test_awkward_tables_give_finite_scores(kind):
    table = TABLES[kind](rows()[0])
    detector = socml.make_detector("isolation-forest", n_estimators=10).fit(table)
    assert np.isfinite(detector.score_samples(table)).all()


REFUSED = {
    "a name twice": (lambda t: t.set_axis(["a", "a", "b"], axis=1), "Column 'a' is there 2 times"),
    "integers twice": (lambda t: t.set_axis([1, "1", "b"], axis=1), "Column '1' is there 2 times"),
    "times": (lambda t: t.assign(when=pd.Timestamp("2026-01-01")), "Column 'when' is datetime64.*the hour of the day"),
    "lists in cells": (lambda t: t.assign(tags=[[1, 2]] * len(t)), "Column 'tags' holds list in its cells"),
    "mappings in cells": (lambda t: t.assign(tags=[{"a": 1}] * len(t)), "Column 'tags' holds dict in its cells"),
    "no rows": (lambda t: t.head(0), "0 sample"),
    "nothing that varies": (lambda t: t * 0, "No feature of the table varies"),
    "no columns": (lambda t: t[[]], "no feature"),
    "one dimension": (lambda t: t["a"].to_numpy(), "Reshape your data"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_that_cannot_be_learned_from_is_refused_in_a_sentence(kind):
    change, said = REFUSED[kind]
    with pytest.raises(ValueError, match=said):
        socml.make_detector("robust-z").fit(change(rows()[0]))


def test_a_lacking_column_is_named_and_the_order_does_not_matter():
    table, _ = rows()
    detector = socml.make_detector("robust-z").fit(table)
    assert np.array_equal(detector.score_samples(table[["c", "a", "b"]]), detector.score_samples(table))
    with pytest.raises(TableError, match="no column 'b'"):
        detector.score_samples(table.rename(columns={"b": "bb"}))
    with pytest.raises(ModelError, match="no column 'b'"):
        detector.score_samples(table.drop(columns="b"))


@pytest.mark.parametrize("name", ["isolation-forest", "knn", "copod"])
def test_the_number_of_threads_changes_no_bit(name):
    from threadpoolctl import threadpool_limits

    table, _ = rows()
    scores = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            detector = socml.make_detector(name)
            if "detector__n_jobs" in detector.get_params():
                detector.set_params(detector__n_jobs=threads)
            scores.append(detector.fit(table).score_samples(table))
    assert np.array_equal(*scores)


def test_a_row_at_the_threshold_is_no_alert():
    table, _ = rows()
    threshold = float(np.sort(socml.make_detector("robust-z").fit(table).anomaly_score(table))[-5])
    detector = socml.make_detector("robust-z", threshold=threshold).fit(table)
    assert (detector.predict(table) == -1).sum() == 4
    with pytest.raises(ValueError, match="threshold is NaN"):
        socml.make_detector("robust-z", threshold=float("nan")).fit(table)


@pytest.mark.parametrize("usual", ["benign", np.nan])
def test_a_y_that_is_no_two_numbers_changes_nothing(usual):
    table, malicious = rows()
    y = np.where(malicious == 1, "malicious", usual) if isinstance(usual, str) else np.where(malicious == 1, 1.0, usual)
    plain, told = (socml.make_detector("robust-z").fit(table, one) for one in (None, y))
    assert np.array_equal(told.predict(table), plain.predict(table))


@pytest.mark.parametrize("given", [None, 3, object(), OneClassSVM])
def test_what_is_no_estimator_is_refused_in_a_sentence(given):
    with pytest.raises(RecipeError, match="no estimator of scikit-learn"):
        socml.make_detector(given)
    with pytest.raises(RecipeError, match="fit takes a name or a recipe"):
        socml.fit(given, rows()[0])


@pytest.mark.parametrize("name", MATRIX)
def test_weights_are_refused_alike_by_every_detector(name):
    table, _ = rows()
    with pytest.raises(TypeError, match="learns from every row alike: fit takes X and y, and no sample_weight"):
        socml.make_detector(name).fit(table, sample_weight=np.ones(len(table)))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"alert_share": "5"}, "alert_share is '5'"),
        ({"alert_share": None}, "alert_share is None"),
        ({"threshold": "5"}, "threshold is '5'"),
    ],
)
def test_a_threshold_that_is_no_number_is_told(given, match):
    with pytest.raises(ValueError, match=match):
        socml.make_detector("robust-z", **given).fit(rows()[0])


def test_a_y_of_words_says_that_it_turns_nothing():
    table, malicious = rows()
    with pytest.warns(Notice, match="y holds words, which turn nothing"):
        socml.make_detector("robust-z").fit(table, np.where(malicious == 1, "malicious", "benign"))
