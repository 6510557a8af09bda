"""A semi-supervised classifier of scikit-learn learns from rows without a label too; any other learns from labels alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import roc_auc_score

from socml.models import fit, load_model
from socml.project import ModelRecipe, Project

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
