"""A registry that goes away while a model is fitted costs no fit: the same one, asked for again, is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fitted import BASELINE, FOREST, planted

from socml.evaluate import RunRecord, record_nested
from socml.models import fit, fitting, load_model, tracking
from socml.models.registry_file import RegistryFile
from socml.project import ModelError, ModelRecipe, Notice, TryLater


@pytest.fixture
def lab(tmp_path):
    return planted(tmp_path)


@pytest.fixture
def fits(monkeypatch):
    """The rows of each fit that was made."""
    made, real = [], fitting.fit_pipeline
    monkeypatch.setattr(fitting, "fit_pipeline", lambda *given: made.append(len(given[1])) or real(*given))
    return made


def away(monkeypatch, method):
    """Let a method of the registry fail once."""
    real, waiting = getattr(RegistryFile, method), [TryLater("The model registry is away.")]

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


@pytest.mark.parametrize("other", ["rows", "values", "truth", "seed", "recipe", "experiment"])
def test_another_fit_is_made_anew(other, lab, fits, monkeypatch):
    away(monkeypatch, "register")
    given = {"features": lab.features, "truth": lab.truth, "seed": 0, "model": BASELINE, "experiment": ""}
    with pytest.raises(TryLater):
        fit(**given, project=lab.project)
    changed = {
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


def test_what_is_damaged_meanwhile_is_fitted_anew(lab, fits, monkeypatch):
    away(monkeypatch, "register")
    with pytest.raises(TryLater):
        fit(BASELINE, lab.features, project=lab.project)
    for path in (lab.project.workspace / "unrecorded").rglob("*.skops"):
        path.write_bytes(b"no model")
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
