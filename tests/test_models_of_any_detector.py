"""Every detector that reads a matrix can be registered, loaded, and explained from what was loaded."""

from __future__ import annotations

import numpy as np
import pytest
from fitted import planted

from socml.explanations.of_run import explain_run, headlines
from socml.models.fitting import fit
from socml.models.scoring import score_run
from socml.models.versions import load_model
from socml.project.recipes import ModelRecipe
from socml.project.registry import component_names

DETECTORS = [name for name in component_names("detectors") if name != "markov"]  # which reads sequences


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return planted(tmp_path_factory.mktemp("registered"))


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_goes_through_the_registry_and_its_top_row_has_a_headline(data, detector):
    recipe = ModelRecipe(name=f"any-{detector}", detector=detector, features="source-5min", hash="a")
    version = fit(recipe, data.features, project=data.project)
    again = load_model(recipe.name, version.version, project=data.project)
    assert np.array_equal(again.pipeline.score_samples(data.features), version.pipeline.score_samples(data.features))
    run = score_run(again, data.path, project=data.project, truth=data.truth)
    assert run["metrics"]["auroc"] > 0.9
    top = explain_run(run["run_id"], top=3, project=data.project)
    said = headlines(run["run_id"], [top["row_id"].iloc[0]], project=data.project)[0]
    assert "usually" in said or "seen by" in said, "a number beside the usual ones, or how rare a category is"
