"""A registry that goes away while a model is fitted costs no fit: the same one, asked for again, is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fitted import BASELINE, FOREST, METADATA, planted
from requests import HTTPError

from socml.evaluate import RunRecord, record_nested
from socml.models import fit, fitting, load_model, tracking
from socml.models.registry_file import RegistryFile
from socml.project import ModelError, ModelRecipe, Notice, TryLater, open_components, read_project


@pytest.fixture
def lab(tmp_path):
    return planted(tmp_path)


@pytest.fixture
def fits(monkeypatch):
    """The rows of each fit that was made."""
    made, real = [], fitting.fit_pipeline
    monkeypatch.setattr(fitting, "fit_pipeline", lambda *given: made.append(len(given[1])) or real(*given))
    return made


def away(monkeypatch, method, error=None):
    """Let a method of the registry fail once."""
    real, waiting = getattr(RegistryFile, method), [error or TryLater("The model registry is away.")]

    def fail_first(*given):
        if waiting:
            raise waiting.pop()
        return real(*given)

    monkeypatch.setattr(RegistryFile, method, fail_first)


@pytest.mark.parametrize("method", ["start_run", "log", "store", "register", "set_alias"])
def test_a_fit_that_could_not_be_recorded_is_recorded_when_it_is_asked_for_again(method, lab, fits, monkeypatch):
    away(monkeypatch, method)
    with pytest.raises(TryLater, match="is away. What was fitted is kept: the same fit, asked for again"):
        fit(FOREST, lab.features, truth=lab.truth, project=lab.project)
    version = fit(FOREST, lab.features, truth=lab.truth, project=lab.project)
    assert fits == [len(lab.features)]
    direct = fit(FOREST, lab.features, truth=lab.truth, project=lab.project)
    assert len(fits) == 2
    assert load_model("planted-forest", project=lab.project).version == version.version
    assert np.array_equal(version.pipeline.score_samples(lab.features), direct.pipeline.score_samples(lab.features))
    assert version.metadata["metrics"] == direct.metadata["metrics"]
    assert not list((lab.project.workspace / "unrecorded").iterdir())


@pytest.mark.parametrize("other", ["rows", "values", "about", "truth", "seed", "recipe", "experiment"])
def test_another_fit_is_made_anew(other, lab, fits, monkeypatch):
    away(monkeypatch, "register")
    given = {"features": lab.features, "truth": lab.truth, "seed": 0, "model": BASELINE, "experiment": ""}
    with pytest.raises(TryLater):
        fit(**given, project=lab.project)
    retold = lab.features.copy()
    retold.attrs["socml"] = {**METADATA, "columns": {**METADATA["columns"], "sensor": "where it was seen"}}
    changed = {
        "about": {"features": retold},
        "rows": {"features": lab.features.iloc[:-1]},
        "values": {"features": lab.features.assign(bytes_sent=lab.features["bytes_sent"] + 1)},
        "truth": {"truth": ~lab.truth},
        "seed": {"seed": 1},
        "recipe": {"model": BASELINE.model_copy(update={"preparation": {"log": False}})},
        "experiment": {"experiment": "another"},
    }[other]
    fit(**(given | changed), project=lab.project)
    assert len(fits) == 2


def test_what_was_measured_is_worth_more_than_its_record(lab, monkeypatch):
    away(monkeypatch, "log")
    with pytest.warns(Notice, match="not, or not wholly, in the registry: The model registry is away"):
        assert record_nested("measured", RunRecord("first"), [RunRecord("inner")], project=lab.project) == ""
    assert record_nested("measured", RunRecord("second"), project=lab.project)


@pytest.mark.parametrize("name", ["model.skops", "reference.npz", "metadata.json", "rows.npz"])
def test_what_is_damaged_meanwhile_is_fitted_anew(name, lab, fits, monkeypatch):
    away(monkeypatch, "register")
    with pytest.raises(TryLater):
        fit(BASELINE, lab.features, project=lab.project)
    for path in (lab.project.workspace / "unrecorded").rglob(name):
        path.write_bytes(path.read_bytes()[:-30])
    fit(BASELINE, lab.features, project=lab.project)
    assert len(fits) == 2


def test_a_supervised_fit_is_known_by_what_taught_it(lab, fits, monkeypatch):
    recipe = ModelRecipe(name="taught", mode="supervised", detector="logistic-regression", features="source-5min")
    away(monkeypatch, "register")
    with pytest.raises(TryLater):
        fit(recipe, lab.features, truth=lab.truth, project=lab.project)
    other = pd.Series(np.roll(lab.truth.to_numpy(), 7), index=lab.truth.index)
    fit(recipe, lab.features, truth=lab.truth, project=lab.project)
    assert len(fits) == 1
    fit(recipe, lab.features, truth=other, project=lab.project)
    assert len(fits) == 2


def test_a_model_that_no_file_keeps_promises_nothing(lab, monkeypatch):
    def refuse(*given):
        raise ModelError("The model cannot be kept in a file: a generator")

    monkeypatch.setattr("socml.models.unrecorded.save_files", refuse)
    monkeypatch.setattr(tracking, "save_files", refuse)
    with pytest.raises(ModelError, match="generator$"):
        fit(BASELINE, lab.features, project=lab.project)


def test_what_went_wrong_first_is_told_and_not_that_the_run_could_not_be_ended(lab, monkeypatch):
    def gone(*given):
        raise TryLater("and gone")

    away(monkeypatch, "store")
    monkeypatch.setattr(RegistryFile, "end_run", gone)
    with pytest.raises(TryLater, match="^The model registry is away"):
        fit(BASELINE, lab.features, project=lab.project)


def test_each_of_two_fits_of_one_model_is_kept(lab, fits, monkeypatch):
    for seed in (0, 1):
        away(monkeypatch, "register")
        with pytest.raises(TryLater, match="is kept"):
            fit(FOREST, lab.features, seed=seed, project=lab.project)
    for seed in (0, 1):
        assert fit(FOREST, lab.features, seed=seed, project=lab.project).metadata["seed"] == seed
    assert len(fits) == 2
    assert not list((lab.project.workspace / "unrecorded").iterdir())


def test_the_last_fits_of_a_model_are_kept_and_no_more(lab, fits, monkeypatch):
    monkeypatch.setattr("socml.models.unrecorded.MOST", 2)
    for seed in (0, 1, 2):
        away(monkeypatch, "register")
        with pytest.raises(TryLater, match="is kept"):
            fit(BASELINE, lab.features, seed=seed, project=lab.project)
    assert len(list((lab.project.workspace / "unrecorded" / BASELINE.name).iterdir())) == 2
    for seed in (1, 2):
        fit(BASELINE, lab.features, seed=seed, project=lab.project)
    assert len(fits) == 3


def test_a_fit_is_kept_although_another_is_gone_when_the_oldest_is_looked_for(lab, fits, monkeypatch):
    others = lab.project.folder("unrecorded", BASELINE.name)
    (others / "gone").symlink_to(others / "nowhere")
    away(monkeypatch, "register")
    with pytest.raises(TryLater, match="is kept"):
        fit(BASELINE, lab.features, project=lab.project)
    fit(BASELINE, lab.features, project=lab.project)
    assert len(fits) == 1


def test_a_fit_that_cannot_be_kept_leaves_nothing(lab, monkeypatch):
    def half(folder, version):
        (folder / "model.skops").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    away(monkeypatch, "register")
    monkeypatch.setattr("socml.models.unrecorded.save_files", half)
    with pytest.raises(TryLater, match="is away.$"):
        fit(BASELINE, lab.features, project=lab.project)
    assert not list((lab.project.workspace / "unrecorded").iterdir())


def test_a_table_with_lists_in_its_cells_is_kept(lab, fits, monkeypatch):
    tagged = lab.features.assign(tags=pd.Series([["a"]] * len(lab.features), index=lab.features.index))
    away(monkeypatch, "register")
    with pytest.raises(TryLater, match="is kept"):
        fit(BASELINE, tagged, project=lab.project)
    fit(BASELINE, tagged, project=lab.project)
    assert len(fits) == 1


@pytest.mark.parametrize("status", ["413 Request Entity Too Large", "403 Forbidden"])
def test_what_a_server_of_files_refuses_is_kept_and_said_of_the_registry(status, lab, fits, monkeypatch):
    away(monkeypatch, "store", HTTPError(status))
    with pytest.raises(ModelError, match=f"^The model registry does not answer: {status}. What was fitted is kept"):
        fit(BASELINE, lab.features, project=lab.project)
    fit(BASELINE, lab.features, project=lab.project)
    assert len(fits) == 1


OWN = """
from sklearn.base import BaseEstimator

class Sum(BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self
    def score_samples(self, X):
        return SIGN * X.sum(axis=1)
"""


@pytest.mark.parametrize(
    "given", [{"detector": "sum"}, {"detector": "ensemble", "parameters": {"members": {"sum": {}}}}]
)
def test_a_fit_is_made_anew_when_the_code_of_its_own_detector_changed(given, lab, fits, monkeypatch):
    recipe = ModelRecipe(name="own", features="source-5min", **given)
    root = lab.project.root
    (root / "socml.toml").write_text("")
    (root / "detectors").mkdir()
    code = root / "detectors" / "sum.py"
    try:
        for sign in ("-1", "+1"):
            code.write_text(OWN.replace("SIGN", sign))
            read_project(root)
            away(monkeypatch, "register")
            with pytest.raises(TryLater, match="is kept"):
                fit(recipe, lab.features, project=lab.project)
    finally:
        open_components(None)
    assert len(fits) == 2
