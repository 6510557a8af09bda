from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from socml.evaluate.metrics.intervals import bootstrap
from socml.evaluate.metrics.ranking import evaluate, precision_recall, ranking_metrics, truth_of_rows
from socml.project.errors import DataError


@pytest.mark.parametrize("levels", [1000, 7])  # hardly any ties, and many
def test_average_precision_and_auroc_equal_those_of_scikit_learn(levels):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, levels, 500) / levels
    truth = rng.random(500) < 0.1 + 0.3 * scores
    found = evaluate(pd.DataFrame({"anomaly_score": scores}), pd.Series(truth))
    assert found["average_precision"] == pytest.approx(average_precision_score(truth, scores))
    assert found["auroc"] == pytest.approx(roc_auc_score(truth, scores))


def test_precision_at_k_counts_the_first_k_and_shares_ties():
    found = ranking_metrics(np.arange(20.0), np.array([1.0, 1.0, 0.0, 1.0] + [0.0] * 16))
    assert found["precision_at_10"] == pytest.approx(0.3)
    assert found["precision_at_malicious"] == pytest.approx(2 / 3)
    tied = ranking_metrics(np.zeros(20), np.array([1.0] * 5 + [0.0] * 15))
    assert tied["precision_at_10"] == pytest.approx(0.25)  # as a random order would find


def test_one_class_gives_no_auroc_and_says_why():
    found = ranking_metrics(np.arange(200.0), np.zeros(200))
    assert "auroc" not in found
    assert "average_precision" not in found
    assert found["anomaly_rate"] == 0
    assert found["absent"]["auroc"] == "no row is known to be malicious"
    every = ranking_metrics(np.arange(200.0), np.ones(200))
    assert every["absent"]["auroc"] == "every row of known truth is malicious"


def test_fewer_rows_than_k_is_absent_and_not_invented():
    found = ranking_metrics(np.arange(20.0), np.array([1.0] + [0.0] * 19))
    assert "precision_at_100" not in found
    assert found["absent"]["precision_at_100"] == "there are only 20 rows of known truth"


def test_rows_of_unknown_truth_are_left_out():
    found = ranking_metrics(np.array([1.0, 2.0, 3.0]), np.array([np.nan, 1.0, 0.0]))
    assert (found["rows"], found["malicious"], found["auroc"]) == (2, 1, 1.0)


def test_truth_comes_as_a_series_or_as_a_table_of_rows_or_events():
    rows = pd.Index(["a", "b", "c"])
    series = pd.Series([True, None], index=["a", "b"], dtype="object")
    tables = [series.rename("malicious").rename_axis(key).reset_index() for key in ("row_id", "event_id")]
    for truth in (series, *tables):
        assert np.array_equal(truth_of_rows(truth, rows), [1.0, np.nan, np.nan], equal_nan=True)


def test_truth_of_other_rows_is_an_error():
    with pytest.raises(DataError, match="about none of these rows"):
        truth_of_rows(pd.Series({"x": True}), pd.Index(["a"]))


def test_precision_recall_ends_at_the_anomaly_rate():
    precision, recall = precision_recall(np.arange(4.0), np.array([1.0, 0.0, 0.0, 0.0]))
    assert precision.tolist() == [1.0, 0.5, 1 / 3, 0.25]
    assert recall.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    "said",
    [[1, 0, None], [True, False, None], ["Attack", "normal", None], ["True", "False", np.nan], [1.0, 0.0, pd.NA]],
)
def test_truth_is_read_in_the_words_that_people_have(said):
    known = truth_of_rows(pd.Series(said, index=["a", "b", "c"], dtype=object), pd.Index(["c", "a", "b"]))
    assert np.array_equal(known, [np.nan, 1.0, 0.0], equal_nan=True)


@pytest.mark.parametrize("said", [[-1, 1], [0, 2], ["fraud", "ok"], [0.5, 1.0]])
def test_what_is_no_truth_is_refused_and_never_half_understood(said):
    with pytest.raises(DataError, match="write 1 or True for malicious"):
        truth_of_rows(pd.Series(said, index=["a", "b"]), pd.Index(["a", "b"]))
    with pytest.raises(DataError, match="whose index names the rows"):
        truth_of_rows(np.array(said), pd.Index(["a", "b"]))


def test_rows_at_infinity_are_tied_like_any_others():
    order, malicious = np.array([-np.inf, -np.inf, 1.0, np.inf, np.inf]), np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    finite = np.array([-9.0, -9.0, 1.0, 9.0, 9.0])
    assert ranking_metrics(order, malicious, at=(1,)) == ranking_metrics(finite, malicious, at=(1,))
    assert ranking_metrics(order, malicious, at=(1,))["precision_at_1"] == 0.5
    infinite, usual = (bootstrap(one, malicious, rng=np.random.default_rng(0)) for one in (order, finite))
    assert infinite == usual


def test_of_rows_of_which_nothing_is_known_there_is_no_point_of_a_curve():
    precision, recall = precision_recall(np.array([1.0, 2.0]), np.full(2, np.nan))
    assert len(precision) == len(recall) == 0
