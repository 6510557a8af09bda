"""Parameters that make no sense are told in a sentence when a model is made, of whatever kind its detector is."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

import socml
from socml.detectors import check_values
from socml.evaluate.validation.search import search_table
from socml.models import fit_pipeline, make_online
from socml.project import (
    ModelError,
    ModelRecipe,
    RecipeError,
    Search,
    Validation,
    component,
    component_names,
    find_project,
)

NONSENSE = (-1, nan, inf, "many", [1], 10**30)


@pytest.mark.parametrize("room", ["detectors", "supervised"])
def test_nonsense_is_refused_for_each_number_of_each_detector(room):
    mode = "supervised" if room == "supervised" else "batch"
    for name in component_names(room):
        for parameter, usual in component(room, name)().get_params().items():
            if type(usual) not in (int, float) or parameter in ("n_jobs", "verbose"):
                continue
            for value in NONSENSE:
                if parameter == "C" and value == inf:  # a regression that nothing holds back
                    continue
                recipe = ModelRecipe(mode=mode, detector=name, features="flow", parameters={parameter: value})
                with pytest.raises(RecipeError, match=parameter):
                    socml.make_detector(recipe)


@pytest.mark.parametrize(
    ("name", "parameters", "match"),
    [
        (
            "isolation-forest",
            {"n_estimators": 10**9},
            "n_estimators of IsolationForest is 1000000000; it must be a number, at most",
        ),
        ("isolation-forest", {"n_estimators": True}, "n_estimators of IsolationForest is True; it must be a number"),
        ("isolation-forest", {"n_estimators": 100_001}, "at most 100,000"),
        ("isolation-forest", {"max_features": 0}, "max_features"),
        ("isolation-forest", {"max_features": 1.5}, "max_features"),
        ("isolation-forest", {"max_samples": 10**30}, "beyond 64 bits"),
        ("loda", {"n_projections": 10**9}, "n_projections of Loda"),
        ("autoencoder", {"narrow": 10**9}, "narrow of Autoencoder"),
        ("ensemble", {"members": {"hbos": {"n_bins": 0}}}, "n_bins"),
        ("ensemble", {"members": {"hbos": {"bins": 3}}}, "bins"),
        ("ensemble", {"members": {"hbos": 3}}, "The model: "),
        ("ensemble", {"members": {}}, "at least one member"),
        ("ensemble", {"members": {"hbos": {}}, "weights": {"hbos": inf}}, "weights above 0"),
        ("sklearn.ensemble.IsolationForest", {"n_estimators": 10**9}, "at most 100,000"),
        ("sklearn.ensemble.IsolationForest", {"n_estimators": 0}, "n_estimators"),
        ("sklearn.svm.OneClassSVM", {"nu": 2.0}, "nu"),
    ],
)
def test_numbers_that_no_machine_would_build_are_refused_when_a_detector_is_made(name, parameters, match):
    with pytest.raises(RecipeError, match=match):
        socml.make_detector(name, **parameters)


def test_numbers_that_are_cut_at_the_rows_may_be_as_large_as_one_likes():
    table = pd.DataFrame({"a": np.arange(30.0)})
    for name, parameters in (("isolation-forest", {"max_samples": 10**9}), ("knn", {"max_rows": 10**9})):
        assert len(socml.make_detector(name, **parameters).fit(table).score_samples(table)) == 30
    assert socml.make_detector("isolation-forest", n_estimators=100_000).detector.n_estimators == 100_000


def test_an_estimator_and_the_steps_around_it_are_looked_at():
    with pytest.raises(RecipeError, match="The estimator: The 'n_estimators' parameter"):
        socml.make_detector(IsolationForest(n_estimators=0))
    steps = [{"path": "sklearn.decomposition.PCA", "n_components": -2}]
    recipe = ModelRecipe(detector="sklearn.svm.OneClassSVM", features="flow", steps=steps)
    with pytest.raises(RecipeError, match="n_components"):
        socml.make_detector(recipe)
    classifier = ModelRecipe(
        mode="supervised", detector="sklearn.linear_model.LogisticRegression", features="flow", parameters={"C": -1.0}
    )
    with pytest.raises(RecipeError, match="'C' parameter of LogisticRegression"):
        socml.make_detector(classifier)


@pytest.mark.parametrize("preparation", [{"max_values": -1}, {"min_share": 2.0}, {"log": "yes"}])
def test_the_preparation_is_looked_at_too(preparation):
    recipe = ModelRecipe(detector="hbos", features="flow", preparation=preparation)
    with pytest.raises(RecipeError, match=next(iter(preparation))):
        socml.make_detector(recipe)


def test_a_preparation_that_an_online_model_does_not_have_is_told():
    recipe = ModelRecipe(mode="online", detector="loda", features="flow", preparation={"max_values": 3})
    with pytest.raises(RecipeError, match="unknown parameter 'max_values'"):
        make_online(recipe, ["a"])


@pytest.mark.parametrize(
    ("name", "parameters", "match"),
    [
        ("half-space-trees", {"n_trees": 10**9}, "n_trees of half-space-trees is 1000000000; it must be a whole number, above 0, at most 10,000"),
        ("half-space-trees", {"height": 21}, "at most 20"),
        ("half-space-trees", {"window": 10**9}, "at most 10,000,000"),
        ("half-space-trees", {"limit": inf}, "above 0, and finite"),
        ("half-space-trees", {"n_trees": inf}, "whole number"),
        ("half-space-trees", {"seed": 10**30}, "at most 9,223,372,036,854,775,807"),
        ("half-space-trees", {"backend": "fast"}, "no backend 'fast'. Did you mean 'fastest'"),
        ("loda", {"n_bins": True}, "n_bins of loda is True"),
        ("loda", {"burst_floor": 1.5}, "burst_floor of loda is 1.5; it must be a number, 0 or more, at most 1"),
        ("one-class", {"nu": 1.5}, "above 0, at most 1"),
        ("one-class", {"rate": 1e300}, "above 0, at most 1"),
        ("quantile", {"tail": 0.6}, "at most 0.5"),
        ("random-cut-forest", {"sample_size": 10**9}, "at most 100,000"),
        ("gaussian", {"limit": 3.0}, "unknown parameter 'limit': gaussian does not have it"),
        ("quantile", {"window": 100}, "unknown parameter 'window'"),
    ],
)  # fmt: skip
def test_online_detectors_refuse_what_no_machine_would_build_and_what_they_do_not_have(name, parameters, match):
    with pytest.raises(RecipeError, match=match):
        socml.DictDetector(name, parameters)
    with pytest.raises(RecipeError, match=match):
        make_online(ModelRecipe(mode="online", detector=name, features="flow", parameters=parameters), ["a"])


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("river.anomaly.HalfSpaceTrees", {"n_trees": 10**9}),
        ("river.anomaly.HalfSpaceTrees", {"n_trees": -1}),
        ("river.anomaly.LODA", {"n_random_cuts": 10**9}),
    ],
)
def test_a_detector_of_river_that_no_machine_would_build_is_refused(path, parameters):
    recipe = ModelRecipe(mode="online", detector=path, features="flow", parameters=parameters)
    with pytest.raises(RecipeError, match="it must be a number, at most 100,000"):
        make_online(recipe, ["a"])


@pytest.mark.parametrize(("name", "value"), [("n_bins", 0), ("n_bins", 10**9), ("preparation.min_share", 2.0)])
def test_a_search_over_a_value_that_makes_no_sense_says_so(name, value):
    recipe = ModelRecipe(name="mine", detector="hbos", features="flow", search=Search(parameters={name: [value]}))
    with pytest.raises(RecipeError, match=rf"The model 'mine': \[search.parameters\] {name}: .*{name.split('.')[-1]}"):
        search_table(recipe, recipe.search, None, Validation(mode="cross-validation"), find_project())


def test_members_within_what_is_around_them_are_looked_at():
    detector = socml.make_detector("ensemble")
    detector.set_params(detector__members={"hbos": {"n_bins": 0}})
    with pytest.raises(RecipeError, match="n_bins"):
        check_values(detector, "The model")


def test_an_endless_memory_forgets_nothing():
    model = socml.DictDetector("gaussian", {"memory": inf, "grace": 10})
    for i in range(50):
        model.learn_one({"a": float(i % 5)})
    assert model.score_one({"a": 40.0}) > model.score_one({"a": 2.0})


def test_a_fit_without_enough_memory_says_so(monkeypatch):
    def full(self, X, y=None):
        raise MemoryError

    monkeypatch.setattr(component("detectors", "hbos"), "fit", full)
    recipe = ModelRecipe(name="wide", detector="hbos", features="flow")
    table = pd.DataFrame({"a": np.arange(30.0)})
    with pytest.raises(ModelError, match="30 rows and its parameters need more memory than there is"):
        fit_pipeline(recipe, table, 0, find_project())


def test_what_is_no_estimator_of_scikit_learn_says_nothing_of_its_parameters():
    check_values(object(), "The model")
