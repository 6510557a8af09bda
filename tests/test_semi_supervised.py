"""A semi-supervised classifier of scikit-learn learns from rows without a label too; any other learns from labels alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import roc_auc_score

from socml.models import fit, load_model
from socml.project import ModelRecipe, Project, component

ROWS = 400


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(ROWS, noise=0.06, random_state=0)
    return pd.DataFrame(X, columns=["a", "b"]), y


def fitted(moons, path, tmp_path, known, **parameters):
    table, y = moons
    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    truth = pd.Series(np.where(known, y == 1, None), index=table.index).dropna()
    recipe = ModelRecipe(
        name="moons",
        mode="supervised",
        detector=path,
        features="mine",
        parameters=parameters,
        preparation={"log": False},
        training={"min_rows": 6, "min_malicious": 2},
    )
    return fit(recipe, table, truth=truth, project=project), project


def few(y, per_class=4):
    known = np.zeros(len(y), dtype=bool)
    for label in (0, 1):
        known[np.flatnonzero(y == label)[:per_class]] = True
    return known


@pytest.mark.parametrize("path", ["sklearn.semi_supervised.LabelSpreading", "sklearn.semi_supervised.LabelPropagation"])
def test_rows_without_a_label_are_learned_from(moons, tmp_path, path):
    table, y = moons
    known = few(y, 3)
    version, project = fitted(moons, path, tmp_path / "all", known, gamma=20.0)
    alone, _ = fitted((table[known], y[known]), path, tmp_path / "alone", known[known], gamma=20.0)
    found = [roc_auc_score(y, -model.pipeline.score_samples(table)) for model in (version, alone)]
    assert found[0] > 0.97
    assert found[0] > found[1]
    again = load_model("moons", project=project)
    assert np.array_equal(again.pipeline.score_samples(table), version.pipeline.score_samples(table))


def test_a_row_out_of_reach_of_every_label_is_as_likely_as_the_calibration_says(moons, tmp_path):
    version, _ = fitted(moons, "sklearn.semi_supervised.LabelPropagation", tmp_path, few(moons[1]))
    scores = version.pipeline.score_samples(pd.DataFrame({"a": [1e6], "b": [-1e6]}))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "path", ["sklearn.svm.SVC", "sklearn.tree.DecisionTreeClassifier", "sklearn.naive_bayes.GaussianNB"]
)
def test_a_classifier_named_by_its_path_learns_and_is_saved(moons, tmp_path, path):
    table, y = moons
    version, project = fitted(moons, path, tmp_path, np.arange(ROWS) % 2 == 0)
    held_out = np.arange(ROWS) % 2 == 1
    assert roc_auc_score(y[held_out], -version.pipeline.score_samples(table)[held_out]) > 0.9
    again = load_model("moons", project=project)
    assert np.array_equal(again.pipeline.score_samples(table), version.pipeline.score_samples(table))


def ring(seed=0):
    """Return a table of usual rows in the middle and malicious ones all around, and which are malicious."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, 40)
    X = np.vstack([rng.normal(size=(400, 2)), 6.0 * np.column_stack([np.cos(angle), np.sin(angle)])])
    return pd.DataFrame(X, columns=["a", "b"]), np.repeat([0, 1], [400, 40])


def test_one_class_with_labels_finds_what_no_label_was_like(tmp_path):
    table, y = ring()
    one_side = table["a"].to_numpy() > 0
    known = np.zeros(len(y), dtype=bool)
    known[[*range(5), *np.flatnonzero((y == 1) & one_side)[:5]]] = True
    other_side = ~one_side | (y == 0)
    found = {}
    for name in ("labelled-one-class", "logistic-regression", "extra-trees"):
        version, _ = fitted((table, y), name, tmp_path / name, known)
        found[name] = roc_auc_score(y[other_side], -version.pipeline.score_samples(table[other_side]))
    assert found.pop("labelled-one-class") > max(0.97, *found.values())


@pytest.mark.parametrize(("verdict", "is_usual"), [(0, True), (1, False)])
def test_a_label_says_whether_a_group_of_rows_is_usual(verdict, is_usual):
    rng = np.random.default_rng(1)
    usual, group = rng.normal(size=(300, 2)), rng.normal((6.0, 0.0), 0.3, size=(12, 2))
    far = [[0.0, 7.0], [0.0, -7.0]]
    X = np.vstack([usual[:6], group[:6], far])
    y = np.array([0] * 6 + [verdict] * 6 + [1, 1])
    classifier = component("supervised", "labelled-one-class")(random_state=0, calibration_folds=0)
    classifier.fit(X, y, unlabelled=np.vstack([usual, group]))
    assert (classifier.log_odds(group[6:]).mean() < classifier.log_odds(far).mean() / 2) == is_usual


def test_a_row_with_a_label_weighs_as_it_was_given():
    X, y = np.array([[0.0], [0.2], [4.0], [4.2]]), np.array([0, 0, 1, 1])
    certain, doubted = (
        component("supervised", "labelled-one-class")(random_state=0, calibration_folds=0)
        .fit(X, y, sample_weight=[1, 1, weight, weight], unlabelled=np.linspace(0, 4.2, 50)[:, None])
        .log_odds([[4.1]])[0]
        for weight in (1.0, 0.01)
    )
    assert certain > doubted
