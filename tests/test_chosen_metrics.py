"""Metrics by name: their values are scikit-learn's or a plain count's, and every verb of judging takes them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from known_lab import known_lab
from shell import socml
from sklearn import metrics as peer

from socml.evaluate import compare, make_folds, measure, search, validate
from socml.evaluate.validation.search import search_table
from socml.evaluate.validation.splits import Rows
from socml.evaluate.validation.table import KnownTable
from socml.models import fit, score_run
from socml.project import (
    DataError,
    ModelError,
    ModelRecipe,
    Project,
    RecipeError,
    Search,
    Validation,
    load_model_recipe,
    metric_of,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return known_lab(tmp_path_factory.mktemp("chosen"))


def some_rows(seed, levels=0):
    rng = np.random.default_rng(seed)
    malicious = (rng.random(200) < 0.2).astype(float)
    anomaly = malicious + rng.normal(scale=1.5, size=200)
    return (np.round(anomaly * levels) if levels else anomaly), malicious


@pytest.mark.parametrize("levels", [0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_the_order_equal_those_of_scikit_learn(seed, levels):
    anomaly, malicious = some_rows(seed, levels)
    found = {name: measure(name, -anomaly, malicious) for name in ("average_precision", "auroc", "ndcg", "ndcg_at_30")}
    assert found["average_precision"] == pytest.approx(peer.average_precision_score(malicious, anomaly))
    assert found["auroc"] == pytest.approx(peer.roc_auc_score(malicious, anomaly))
    assert found["ndcg"] == pytest.approx(peer.ndcg_score([malicious], [anomaly]))
    assert found["ndcg_at_30"] == pytest.approx(peer.ndcg_score([malicious], [anomaly], k=30))


@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_alerts_equal_those_of_scikit_learn(seed):
    anomaly, malicious = some_rows(seed)
    alert = anomaly > 1
    for name, of in {"f1": peer.f1_score, "accuracy": peer.accuracy_score, "precision": peer.precision_score}.items():
        assert measure(name, -anomaly, malicious, alert=alert) == pytest.approx(of(malicious, alert))
    assert measure("recall", -anomaly, malicious, alert=alert) == pytest.approx(peer.recall_score(malicious, alert))


@pytest.mark.parametrize("seed", range(5))
def test_a_budget_and_a_rate_are_counted_row_by_row(seed):
    anomaly, malicious = some_rows(seed)
    first = np.argsort(-anomaly)
    assert measure("recall_at_40", -anomaly, malicious) == pytest.approx(malicious[first[:40]].sum() / malicious.sum())
    assert measure("precision_at_40", -anomaly, malicious) == pytest.approx(malicious[first[:40]].mean())
    others = int((malicious == 0).sum())
    share = 5 / others  # a threshold that five benign rows are above, and the sixth is not
    sixth = np.sort(anomaly[malicious == 0])[::-1][5]
    assert measure(f"detection_rate_at_{share:.12f}", -anomaly, malicious) == pytest.approx(
        (anomaly[malicious == 1] > sixth).mean(), abs=1e-9
    )
    day = np.repeat(np.arange(4), 50)
    found = sum(malicious[day == d][np.argsort(-anomaly[day == d])[:7]].sum() for d in range(4))
    time_us = day * 86_400e6 + 1.0
    assert measure("recall_at_7_a_day", -anomaly, malicious, time_us=time_us) == pytest.approx(found / malicious.sum())
    assert measure("precision_at_7_a_day", -anomaly, malicious, time_us=time_us) == pytest.approx(found / 28)


@pytest.mark.parametrize("order", [np.arange(3.0), np.array([1.0, np.nan])])
def test_what_is_no_order_of_the_rows_is_refused(order):
    with pytest.raises(DataError, match="no order of 2 rows"):
        measure("average_precision", order, np.array([1.0, 0.0]))


def test_rows_that_nothing_is_known_of_change_nothing():
    anomaly, malicious = some_rows(1)
    more = np.concatenate([anomaly, [99.0] * 30]), np.concatenate([malicious, [np.nan] * 30])
    for name in ("ndcg", "recall_at_20", "detection_rate_at_0.1"):
        assert measure(name, -more[0], more[1]) == measure(name, -anomaly, malicious)


@pytest.mark.parametrize(
    ("name", "message"), [("f1", "about alerts"), ("precision_at_999", "only 200"), ("recall_at_5_a_day", "has a time")]
)
def test_what_cannot_be_measured_says_why(name, message):
    anomaly, malicious = some_rows(1)
    with pytest.raises(DataError, match=message):
        measure(name, -anomaly, malicious)


@pytest.mark.parametrize("name", ["recall_at_0", "ndcg_at_5_a_day", "detection_rate_at_2", "f2", "precision_at_ten"])
def test_a_metric_that_does_not_exist_is_an_error_that_lists_some(name):
    with pytest.raises(RecipeError, match="There is no metric"):
        metric_of(name)


def rows_in_time(count=60):
    return Rows(np.arange(count) * 1e6, np.array(["a"] * count, dtype=object), np.tile([0.0, 1.0, np.nan], count // 3))


def test_temporal_cv_judges_each_part_by_all_before_it():
    folds = make_folds(rows_in_time(), Validation(mode="temporal-cv", folds=3))
    assert [(len(f.train), len(f.test)) for f in folds] == [(15, 15), (30, 15), (45, 15)]
    assert all(f.train.max() < f.test.min() for f in folds)


def test_unlabeled_labeled_fits_on_what_is_unknown_and_judges_the_rest():
    (fold,) = make_folds(rows_in_time(), Validation(mode="unlabeled-labeled"))
    assert (fold.train % 3 == 2).all()
    assert len(fold.train) + len(fold.test) == 60
    known = Rows(np.arange(4.0), np.array(["a"] * 4, dtype=object), np.array([0.0, 1.0, 0.0, 1.0]))
    with pytest.raises(DataError, match="judged_by"):
        make_folds(known, Validation(mode="unlabeled-labeled"))


def test_validate_measures_what_is_asked_for(lab):
    asked = Validation(mode="cross-validation", folds=2, replicates=20, metrics=["recall_at_5", "f1", "ndcg"])
    found = validate("tiny-forest", "built", validation=asked, project=lab, record=False)
    assert {"recall_at_5", "f1", "ndcg"} <= found.pooled.keys()
    assert all("f1" in fold or "f1" in fold["absent"] for fold in found.folds)


def test_labels_of_analysts_judge_any_model(lab):
    recipe = load_model_recipe("tiny-forest", lab)
    from socml.features import build_feature_file, build_features

    table = build_features(recipe.features, "built", project=lab)
    version = fit(recipe, table, project=lab)
    run = score_run(version, build_feature_file(recipe.features, "built", project=lab), project=lab)
    import socml as api

    review = api.Review(run["run_id"], project=lab)
    rows = review.queue(12)["row_id"].tolist()
    review.label_many({row: "malicious" if i % 3 == 0 else "benign" for i, row in enumerate(rows)})
    asked = Validation(mode="unlabeled-labeled", judged_by="analysts", replicates=20, metrics=["recall_at_3"])
    found = validate("tiny-forest", "built", validation=asked, project=lab, record=False)
    assert (found.pooled["rows"], found.pooled["malicious"]) == (12, 4)
    assert any("12 labels of analysts" in text for text in found.notices)
    same = compare(run["run_id"], run["run_id"], judged_by="analysts", metrics=["recall_at_3", "f1"], project=lab)
    assert {line["metric"] for line in same.metrics} >= {"average_precision", "recall_at_3"}
    assert any("f1 is not measured" in text for text in same.notices)


def test_a_search_finds_by_the_metric_that_its_recipe_names(lab):
    recipe = load_model_recipe("tiny-classifier", lab)
    for name in ("f1", "recall_at_3"):
        asked = recipe.model_copy(update={"search": recipe.search.model_copy(update={"metric": name})})
        found = search(asked, "built", project=lab, record=False)
        assert found.metric == name
        assert 0 <= found.score <= 1


def test_the_command_line_takes_metrics_and_names_a_wrong_one(lab):
    out, _ = socml(
        "validate", "tiny-forest", "built", "--mode", "cross-validation", "-m", "recall_at_5", "--json", cwd=lab.root
    )
    assert "recall_at_5" in json.loads(out)["pooled"]
    _, said = socml("validate", "tiny-forest", "built", "-m", "recall@5", cwd=lab.root, code=2)
    assert "There is no metric 'recall@5'" in said


def test_a_column_that_is_the_label_is_refused_unless_forced(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"bytes": rng.normal(size=80), "state": np.where(np.arange(80) % 8 == 0, "bad", "good")})
    truth = pd.Series(np.arange(80) % 8 == 0)
    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    recipe = ModelRecipe(name="own", detector="robust-z", features="mine")
    with pytest.raises(ModelError, match=r"'state' says of every row what the truth says.*force"):
        fit(recipe, table, truth=truth, project=project)
    assert fit(recipe, table, truth=truth, project=project, force=True).version == "1"
    table.loc[0, "state"] = "good"  # one row of another word: no label any more
    assert fit(recipe, table, truth=truth, project=project).version == "2"


def test_a_search_by_alerts_counts_the_alerts_that_the_recipe_asks_for(lab):
    recipe = ModelRecipe(name="few", detector="robust-z", features="table-columns")
    asked = Search(metric="recall", parameters={"preparation.log": [True]}, min_rows=4_000)
    rows, found = known_rows(4_000), {}
    for share in (0.01, 0.4):
        parted = Validation(mode="cross-validation", folds=3, alert_share=share)
        found[share] = search_table(recipe, asked, rows, parted, lab).score
    assert found == {share: pytest.approx(share, abs=0.04) for share in found}  # of noise, as many as of all rows


def test_weights_of_an_ensemble_are_searched_with_the_members_that_they_are_of(lab):
    recipe = ModelRecipe(name="both", detector="ensemble", features="table-columns")
    weights = [{"hbos": 1.0}, {"hbos": 3.0}]
    values = {"members": [{"robust-z": {}, "hbos": {}}], "weights": weights}
    parted = Validation(mode="cross-validation", folds=3)
    found = search_table(recipe, Search(parameters=values, min_rows=600), known_rows(600), parted, lab)
    assert found.best["weights"] in weights
    wrong = Search(parameters={**values, "weights": [*weights, {"knn": 2.0}]}, min_rows=600)
    with pytest.raises(
        RecipeError,
        match=r"\[search.parameters\] members, weights: weights gives 'knn' 2.0; members are robust-z, hbos",
    ):
        search_table(recipe, wrong, known_rows(600), parted, lab)


def test_a_row_at_the_threshold_is_no_alert_in_a_search_as_in_a_validation(lab):
    recipe = ModelRecipe(name="few", detector="robust-z", features="table-columns")
    asked = Search(metric="accuracy", parameters={"preparation.log": [True]}, min_rows=4_000)
    parted = Validation(mode="cross-validation", folds=3, alert_share=0.2)
    rows = known_rows(4_000, levels=2)  # half of the rows have the highest score: a threshold that no row is above
    assert search_table(recipe, asked, rows, parted, lab).score == pytest.approx(1 - rows.malicious.mean(), abs=0.02)


def known_rows(count, levels=0):
    """A table of noise, one row in ten malicious."""
    rng = np.random.default_rng(0)
    number = rng.integers(levels, size=count).astype(float) if levels else rng.normal(size=count)
    names = pd.Index([f"r{i}" for i in range(count)], name="row_id")
    table = pd.DataFrame({"time": pd.NaT, "entity": None, "number": number}, index=names)
    table["time"] = pd.to_datetime(table["time"], utc=True)
    malicious = (np.arange(count) % 10 == 0).astype(float)
    nothing = np.full(count, "", dtype=object)
    return KnownTable("noise", table, pd.DataFrame(), None, malicious, nothing)
