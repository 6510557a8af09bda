"""A search of parameters is judged on rows that it did not choose on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from known_lab import known_lab
from shell import socml

from socml.evaluate.validation import nested
from socml.evaluate.validation.nested import nested_search
from socml.evaluate.validation.run import validate
from socml.evaluate.validation.splits import make_folds
from socml.evaluate.validation.table import known_table
from socml.project.errors import DataError, RecipeError
from socml.project.recipe_sections import Validation
from socml.project.recipes import load_model_recipe

CROSSED = Validation(mode="cross-validation", folds=3, replicates=50)


def known(lab):
    with known_table(load_model_recipe("tiny-classifier", lab), "built", project=lab) as table:
        return table


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return known_lab(tmp_path_factory.mktemp("nested"))


@pytest.fixture(scope="module")
def found(lab):
    return nested_search("tiny-classifier", "built", folds=3, validation=CROSSED, project=lab)


def test_each_outer_fold_has_what_was_chosen_inside_it_and_its_figure_outside(lab, found):
    assert found.folds["fold"].tolist() == ["fold 1", "fold 2", "fold 3"]
    assert {"min_samples_leaf", "preparation.log", "inside", "outside"} <= set(found.folds.columns)
    table = known(lab)
    assert found.folds["rows"].sum() == (~np.isnan(table.malicious)).sum()
    assert found.optimism == pytest.approx((found.folds["inside"] - found.folds["outside"]).mean())


def test_the_figure_has_an_interval_around_it(found):
    low, high = found.interval
    assert low <= found.score <= high
    assert found.score == found.pooled["average_precision"]
    assert found.to_dict()["pooled"]["intervals"]["average_precision"] == found.interval


@pytest.mark.parametrize("mode", ["cross-validation", "group", "temporal"])
def test_no_search_sees_a_row_that_it_is_judged_by(lab, monkeypatch, mode):
    seen = []
    searched = nested.search_table

    def spy(recipe, asked, table, validation, project):
        seen.append((table, validation))
        return searched(recipe, asked, table, validation, project)

    monkeypatch.setattr(nested, "search_table", spy)
    asked = CROSSED.model_copy(update={"mode": mode, "folds": 2, "test_share": 0.5})
    nested_search("tiny-classifier", "built", folds=2, validation=asked, project=lab, record=False)
    whole = known(lab)
    outer = make_folds(whole.rows(), asked)
    assert len(seen) == len(outer)
    for (table, inner), fold in zip(seen, outer, strict=True):
        assert set(table.features.index) == set(whole.features.index[fold.train])
        assert not set(table.features.index) & set(whole.features.index[fold.test])
        assert len(table.malicious) == len(table.features) == len(table.family)
        assert inner.mode == mode
        if mode == "group":
            assert not set(table.features["entity"]) & set(whole.features["entity"].iloc[fold.test])
        if mode == "temporal":
            assert table.features["time"].max() < whole.features["time"].iloc[fold.test].min()


def test_with_nothing_to_choose_it_is_the_validation_of_that_model(lab):
    recipe = load_model_recipe("tiny-classifier", lab)
    asked = recipe.search.model_copy(update={"parameters": {"min_samples_leaf": [2], "n_estimators": [20]}})
    fixed = recipe.model_copy(update={"parameters": {**recipe.parameters, "min_samples_leaf": 2, "n_estimators": 20}})
    one = nested_search(
        recipe.model_copy(update={"search": asked}), "built", folds=3, validation=CROSSED, project=lab, record=False
    )
    other = validate(fixed, "built", validation=CROSSED, project=lab, record=False)
    assert one.pooled["average_precision"] == other.pooled["average_precision"]
    assert one.pooled["intervals"] == other.pooled["intervals"]


def test_before_a_cut_off_a_search_is_temporal(lab, monkeypatch):
    modes = []
    searched = nested.search_table
    monkeypatch.setattr(nested, "search_table", lambda *given: modes.append(given[3].mode) or searched(*given))
    table = known(lab)
    middle = pd.to_datetime(table.features["time"], utc=True).sort_values().iloc[len(table.features) // 2]
    asked = Validation(mode="cut-off", cut_off=middle.isoformat(), replicates=20)
    found = nested_search("tiny-classifier", "built", validation=asked, project=lab, record=False)
    assert modes == ["temporal"]
    assert len(found.folds) == 1


def test_a_nested_search_is_recorded_with_a_run_an_outer_fold(lab, found):
    from socml.models.versions import open_registry

    client = open_registry(lab)
    number = client.get_experiment_by_name("search tiny-classifier").experiment_id
    runs = client.search_runs([number])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.data.tags["socml.kind"] for run in parents] == ["nested-search"]
    assert len(runs) == 1 + len(found.folds)


def test_what_cannot_be_nested_is_said(lab):
    with pytest.raises(DataError, match="at least two outer folds, not 1"):
        nested_search("tiny-classifier", "built", folds=1, project=lab)
    with pytest.raises(RecipeError, match="has no \\[search\\]"):
        nested_search("tiny-forest", "built", project=lab)
    with pytest.raises(RecipeError, match="folds of one dataset"):
        nested_search("tiny-classifier", "built", validation=Validation(mode="datasets", datasets=["x"]), project=lab)


def test_the_command_line_prints_the_figure_with_its_interval(lab):
    arguments = ("search", "tiny-classifier", "built", "--nested", "2", "--mode", "group", "--set", "replicates=20")
    out, _ = socml(*arguments, cwd=lab.root)
    assert "of rows that were not chosen on: " in out
    assert "95 % of " in out
    assert "on average" in out
    said, _ = socml(*arguments, "--json", cwd=lab.root)
    assert len(json.loads(said)["folds"]) == 2
