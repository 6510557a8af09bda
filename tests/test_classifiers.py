"""What every classifier in `socml/classifiers/` must do, and how supervised models are taught, scored and explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from known_lab import known_lab, two_kinds
from sklearn.calibration import _sigmoid_calibration

from socml.detectors.supervised._calibrated import platt
from socml.explanations.contributions import make_explainer
from socml.features.build import build_feature_file, build_features, load_row_truth
from socml.labels.recording import read_labels, record_label
from socml.models import load_families
from socml.models.fitting import fit
from socml.models.scored_blocks import predict_families, write_families
from socml.models.scoring import load_scores, score_run
from socml.models.training_labels import has_seen_truth, teaching_labels, training_labels_from_labels
from socml.models.version_files import load_trusted
from socml.project.errors import ModelError, RecipeError
from socml.project.project import starter_root
from socml.project.recipes import ModelRecipe, load_model_recipe, parse_recipe, recipe_names
from socml.project.registry import component, component_names

CLASSIFIERS = component_names("supervised")
SMALL = {"logistic-regression": {}, "labelled-one-class": {}, "gradient-boosting": {"max_iter": 30}}


def make(name, **parameters):
    small = SMALL.get(name, {"n_estimators": 30, "n_jobs": 1})
    return component("supervised", name)(**{**small, **parameters}, random_state=0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return known_lab(tmp_path_factory.mktemp("known"))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_malicious_rows_get_the_higher_probability_and_the_lower_normality(name):
    X, y = two_kinds()
    classifier = make(name).fit(X, y)
    probability = classifier.predict_proba(X)
    assert np.allclose(probability.sum(axis=1), 1.0)
    assert probability[y == 1, 1].mean() > 2 * probability[y == 0, 1].mean()
    assert np.array_equal(classifier.score_samples(X), -probability[:, 1])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_are_those_of_the_rows_however_rare_malicious_ones_are(name):
    X, y = two_kinds(6000, rate=0.03)
    fresh, truth = two_kinds(6000, rate=0.03, seed=1)
    probability = make(name).fit(X, y).predict_proba(fresh)[:, 1]
    assert probability.mean() == pytest.approx(truth.mean(), rel=0.25)
    likely = probability > 0.3
    assert truth[likely].mean() == pytest.approx(probability[likely].mean(), abs=0.12)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_probability_does_not_depend_on_its_neighbours_and_the_seed_decides_all(name):
    X, y = two_kinds()
    classifier, again = make(name).fit(X, y), make(name).fit(X, y)
    together = classifier.score_samples(X[:40])
    assert np.array_equal(together, again.score_samples(X[:40]))
    alone = np.concatenate([classifier.score_samples(X[i : i + 1]) for i in range(40)])
    assert np.allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_survives_saving_without_trusting_a_stranger(name, tmp_path):
    X, y = two_kinds()
    families = np.where(y == 1, np.where(X[:, 1] > 0, "scan", "exfiltration"), None)
    classifier = make(name).fit(X, y, families=families)
    skops.io.dump(classifier, tmp_path / "model.skops")
    loaded = load_trusted(tmp_path / "model.skops")
    assert np.array_equal(loaded.score_samples(X), classifier.score_samples(X))
    assert np.array_equal(loaded.family_proba(X), classifier.family_proba(X))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_families_are_told_apart_among_malicious_rows(name):
    X, y = two_kinds(1500, rate=0.3)
    families = np.where(y == 1, np.where(X[:, 1] > 0, "scan", "exfiltration"), None)
    families[np.flatnonzero(y)[0]] = "seen once"  # too few to be told apart
    classifier = make(name).fit(X, y, families=families)
    assert classifier.families_ == ["exfiltration", "scan"]
    told = np.array(classifier.families_)[classifier.family_proba(X).argmax(axis=1)]
    known = (y == 1) & (families != "seen once")
    assert (told[known] == families[known]).mean() > 0.9


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_class_alone_teaches_nothing(name):
    X, _ = two_kinds()
    with pytest.raises(ValueError, match="needs both malicious"):
        make(name).fit(X, np.zeros(len(X)))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_by_chance_are_held_out_at_chance(name):
    X, _ = two_kinds(800)
    y = (np.random.default_rng(5).random(800) < 0.3).astype(int)
    held_out = make(name).fit(X, y).held_out_
    assert np.corrcoef(held_out, y)[0, 1] < 0.15  # a fitted tree would remember them nearly all


def test_a_weight_of_two_is_two_rows():
    X, y = two_kinds(200, rate=0.3)
    twice = np.r_[np.arange(200), np.arange(50)]
    weight = np.where(np.arange(200) < 50, 2.0, 1.0)
    a = make("logistic-regression", calibration_folds=0).fit(X, y, sample_weight=weight)
    b = make("logistic-regression", calibration_folds=0).fit(X[twice], y[twice])
    # balanced class weights count rows and not weights, so that only the order of magnitude of the penalty differs
    assert np.allclose(a.log_odds(X), b.log_odds(X), atol=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_platt_scaling_equals_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    y = (rng.random(400) < 0.2).astype(int)
    log_odds = rng.normal(size=400) + 2.0 * y
    slope, intercept = platt(log_odds, y, np.ones(400))
    a, b = _sigmoid_calibration(log_odds, y)
    assert (slope, intercept) == pytest.approx((-a, -b), abs=2e-3)


def test_an_order_that_held_out_rows_refute_is_kept_but_says_nearly_nothing():
    slope, _ = platt(np.array([2.0, 1.0, -1.0, -2.0]), np.array([0, 0, 1, 1]), np.ones(4))
    assert 0 < slope <= 1e-3


@pytest.mark.parametrize("name", ["random-forest", "extra-trees"])
def test_contributions_of_a_voting_forest_equal_those_of_shap(name):
    import shap

    X, y = two_kinds(300, rate=0.3)
    classifier = make(name, n_estimators=8).fit(X, y)
    wanted = shap.TreeExplainer(classifier.estimator_).shap_values(X[:30], check_additivity=False)[:, :, 1]
    assert np.allclose(make_explainer(classifier).contributions(X[:30]), wanted, atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_value_that_was_malicious_pushes_toward_malicious(name):
    X, y = two_kinds(1500, rate=0.3)
    classifier = make(name).fit(X, y)
    explainer = make_explainer(classifier, typical=np.zeros(4, dtype=np.float32), origin=list("abcd"))
    low, high = np.zeros((1, 4), dtype=np.float32), np.array([[2.0, 0, 0, 0]], dtype=np.float32)
    assert explainer.contributions(high)[0, 0] > max(explainer.contributions(low)[0, 0], 0)
    assert explainer.contributions(high)[0].argmax() == 0


def test_verdicts_teach_by_weight_and_unsure_teaches_nothing():
    verdicts = ["malicious", "benign", "false_alarm", "unsure", "skip"]
    labels = pd.DataFrame(
        {"verdict": verdicts, "weight": [0.5, 1, 1, 1, 1], "family": ["scan", None, "x", None, None]},
        index=list("abcde"),
    )
    training_labels = training_labels_from_labels(labels, pd.Index(list("edcbaz")))
    assert np.array_equal(training_labels.malicious, [np.nan, np.nan, 0, 0, 1, np.nan], equal_nan=True)
    assert training_labels.weight[4] == 0.5
    assert training_labels.families.tolist() == [None, None, None, None, "scan", None]


def test_a_supervised_model_is_fitted_scored_and_tells_families(lab):
    features = build_features("tiny", "built", project=lab)
    truth = load_row_truth("built", "tiny", project=lab)
    version = fit("tiny-classifier", features, truth=truth, project=lab)
    assert version.metadata["taught_malicious"] == 24
    assert version.metadata["families"] == ["exfiltration", "scan"]
    assert has_seen_truth(version, "built")
    assert not has_seen_truth(version, "other")
    path = build_feature_file("tiny", "built", project=lab)
    run = score_run(version, path, project=lab)
    scores = load_scores(run["run_id"], project=lab)
    probability = version.detector.predict_proba(version.preparation.transform(features))[:, 1]
    assert np.allclose(scores["anomaly_score"], probability)
    write_families(version, path, run["run_id"], project=lab)
    told = load_families(run["run_id"], project=lab)
    assert told.equals(predict_families(version, features).rename_axis("row_id"))
    known = truth["malicious"].to_numpy(dtype=bool)
    assert (told.loc[truth.index[known], "family"] == truth["family"][known]).mean() > 0.9


def test_the_metrics_of_a_fitted_version_are_of_held_out_rows(lab):
    features = build_features("tiny", "built", project=lab)
    shuffled = load_row_truth("built", "tiny", project=lab)
    shuffled["malicious"] = np.random.default_rng(0).permutation(shuffled["malicious"].to_numpy())
    version = fit("tiny-classifier", features, truth=shuffled, project=lab)
    assert version.metadata["metrics"]["average_precision"] < 0.3  # of rows it remembers it would be near 1


def test_analysts_teach_the_model_that_asks_for_their_labels(lab):
    features = build_features("tiny", "built", project=lab)
    truth = load_row_truth("built", "tiny", project=lab)["malicious"].astype(bool)
    recipe = load_model_recipe("tiny-learner", lab)
    with pytest.raises(ModelError, match="labels of analysts, and there are none"):
        fit(recipe, features, labels=teaching_labels(recipe, "built", project=lab), project=lab)
    for row_id in truth.index[truth][:5]:
        record_label(row_id, "malicious", dataset="built", family="scan", project=lab)
    with pytest.raises(ModelError, match="all 5 labels of analysts are malicious"):
        fit(recipe, features, labels=read_labels(dataset="built", project=lab), project=lab)
    for row_id in truth.index[~truth][:5]:
        record_label(row_id, "benign", dataset="built", project=lab)
    version = fit(recipe, features, labels=teaching_labels(recipe, "built", project=lab), project=lab)
    assert (version.metadata["taught_by"], version.metadata["taught_rows"]) == ("analysts", 10)
    assert not has_seen_truth(version, "built")
    few = recipe.model_copy(update={"training": recipe.training.model_copy(update={"min_rows": 50})})
    with pytest.raises(ModelError, match="5 malicious and 5 benign or false alarms. It needs 50"):
        fit(few, features, labels=teaching_labels(few, "built", project=lab), project=lab)


def test_training_is_for_supervised_models_only():
    text = 'detector = "robust-z"\nfeatures = "flow"\n[training]\nlabels = "truth"'
    with pytest.raises(RecipeError, match="for mode = \"supervised\"; its mode is 'batch'"):
        parse_recipe(ModelRecipe, text, path=Path("models/m.toml"))


def test_every_shipped_supervised_recipe_names_a_classifier():
    from socml.project.project import Project

    shipped = Project(root=starter_root(), workspace=starter_root() / "workspace")
    recipes = [load_model_recipe(name, shipped) for name in recipe_names("models", shipped)]
    supervised = [recipe for recipe in recipes if recipe.mode == "supervised"]
    assert supervised
    for recipe in supervised:
        assert set(recipe.parameters) <= set(component("supervised", recipe.detector)().get_params())
