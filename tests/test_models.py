from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import skops.io
from fitted import BASELINE, FOREST, planted_features
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from socml.evaluate import search
from socml.models.fitting import fit, make_detector
from socml.models.version import make_reference
from socml.models.version_files import FORMAT, keep_files, load_trusted, read_files, save_files
from socml.models.versions import load_model, models, open_registry, resolve_alias
from socml.project.errors import ModelError, RecipeError, UnknownName
from socml.project.project import Project, starter_root
from socml.project.recipes import ModelRecipe, load_feature_recipe, load_model_recipe, parse_recipe, recipe_names
from socml.project.registry import component_names

SHIPPED = Project(root=starter_root(), workspace=starter_root() / "workspace")
BATCH = [name for name in recipe_names("models", SHIPPED) if load_model_recipe(name, SHIPPED).mode == "batch"]


@pytest.mark.parametrize("name", BATCH)
def test_every_shipped_model_makes_a_pipeline_and_names_a_feature_set(name):
    recipe = load_model_recipe(name, SHIPPED)
    assert recipe.detector in component_names("detectors")
    assert load_feature_recipe(recipe.features, SHIPPED).columns
    assert "Blind to" in recipe.about
    assert [name for name, _ in make_detector(name, project=SHIPPED).steps] == ["preparation", "detector"]


def test_an_unknown_parameter_is_an_error_that_names_the_nearest():
    recipe = FOREST.model_copy(update={"parameters": {"n_estimator": 10}})
    with pytest.raises(RecipeError, match=r"unknown parameter 'n_estimator'.*Did you mean 'n_estimators'"):
        make_detector(recipe)
    with pytest.raises(RecipeError, match=r"'logs'.*Did you mean 'log'"):
        make_detector(FOREST.model_copy(update={"preparation": {"logs": False}}))
    with pytest.raises(UnknownName, match="Did you mean 'isolation-forest'"):
        make_detector(FOREST.model_copy(update={"detector": "isolation-forrest"}))


def test_an_online_model_is_not_fitted():
    with pytest.raises(RecipeError, match="learns as it scores and is not fitted"):
        make_detector(FOREST.model_copy(update={"mode": "online"}))


def test_the_seed_of_the_recipe_reaches_the_detector_and_can_be_replaced():
    recipe = FOREST.model_copy(update={"seed": 5})
    assert make_detector(recipe)["detector"].random_state == 5
    assert make_detector(recipe, seed=6)["detector"].random_state == 6


def test_a_pipeline_made_alone_scores_a_feature_table():
    features, truth = planted_features()
    pipeline = make_detector(FOREST).fit(features)
    lowest = np.argsort(pipeline.score_samples(features))[:6]
    assert truth.iloc[lowest].all()


def test_a_parameter_out_of_range_is_an_error_in_words(fitted):
    bad = FOREST.model_copy(update={"parameters": {"n_estimators": -1}})
    with pytest.raises(RecipeError, match=r"The model 'planted-forest': .*n_estimators"):
        fit(bad, fitted["data"].features, project=fitted["data"].project)


def test_a_recipe_without_a_file_is_called_by_its_name_in_errors():
    with pytest.raises(RecipeError, match=r"^The model 'mine' has no \[search\]"):
        search(ModelRecipe(name="mine", detector="hbos", features="flow"), "office")
    with pytest.raises(RecipeError, match=r"^The model has no \[search\]"):
        search(ModelRecipe(detector="hbos", features="flow"), "office")


@pytest.mark.parametrize("named", [["source-5min", "flow"], ["flow"], []])
def test_a_list_of_feature_sets_is_for_the_daily_list(named, tmp_path):
    with pytest.raises(RecipeError, match='features is a list, which is for mode = "daily"'):
        ModelRecipe(detector="hbos", features=named)
    with pytest.raises(RecipeError, match=r'listed.toml: features is a list, which is for mode = "daily"'):
        parse_recipe(ModelRecipe, f'detector = "hbos"\nfeatures = {named}\n', path=tmp_path / "listed.toml")


def test_a_table_of_another_feature_set_is_refused(fitted):
    other = FOREST.model_copy(update={"features": "flow"})
    with pytest.raises(ModelError, match="reads the feature set 'flow', and this is 'source-5min'"):
        fit(other, fitted["data"].features, project=fitted["data"].project)


def test_a_fitted_version_remembers_what_it_was_fitted_on_and_with(fitted):
    metadata = fitted["forest"].metadata
    assert metadata["feature_hash"] == "0123456789abcdef"
    assert metadata["events_snapshot"] == "fedcba9876543210"
    assert (metadata["rows"], metadata["seed"], metadata["dataset"]) == (1200, 0, "planted")
    assert metadata["versions"]["scikit-learn"]
    assert metadata["metrics"]["average_precision"] > 0.9
    assert metadata["metrics"]["anomaly_rate"] == 6 / 1200
    assert metadata["notices"] == ["Feature 'sensor' has one value only, and is left out."]


def test_the_run_in_mlflow_has_parameters_hashes_metrics_plots_and_files(fitted):
    data, version = fitted["data"], fitted["forest"]
    client = open_registry(data.project)
    run = client.get_run(version.metadata["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["detector.n_estimators"] == "60"
    assert run.data.metrics["average_precision"] == version.metadata["metrics"]["average_precision"]
    assert run.data.tags["socml.table_hash"] == version.metadata["table_hash"]
    assert run.data.tags["version.scikit-learn"]
    files = {
        f"{f.path}" for folder in ("socml", "plots", "model") for f in client.list_artifacts(run.info.run_id, folder)
    }
    wanted = {"socml/model.skops", "socml/reference.npz", "plots/score-histogram.svg", "plots/precision-recall.svg"}
    assert wanted | {"model/model.skops", "model/MLmodel"} <= files
    assert (data.project.workspace / "mlflow" / "artifacts").is_dir()


def test_mlflow_itself_can_load_the_model(fitted):
    import mlflow.sklearn

    data, version = fitted["data"], fitted["forest"]
    source = open_registry(data.project).get_run(version.metadata["mlflow_run_id"]).info.artifact_uri
    loaded = mlflow.sklearn.load_model(f"{source}/model")
    assert np.array_equal(loaded.score_samples(data.features), version.pipeline.score_samples(data.features))


def test_nothing_is_written_outside_the_workspace(fitted):
    assert [p.name for p in fitted["data"].project.root.iterdir()] == ["workspace"]


def test_a_loaded_version_scores_bit_for_bit_as_the_fitted_one(fitted):
    data = fitted["data"]
    for name in ("forest", "baseline"):
        loaded = load_model(fitted[name].name, project=data.project)
        assert np.array_equal(
            loaded.pipeline.score_samples(data.features), fitted[name].pipeline.score_samples(data.features)
        )


def test_an_alias_is_read_without_mlflow_and_is_what_mlflow_says(fitted, monkeypatch):
    data, name = fitted["data"], fitted["forest"].name
    client = open_registry(data.project)
    number = client.get_registered_model(name).aliases["champion"]
    client.set_registered_model_alias(name, "second", number)
    monkeypatch.setattr("socml.models.versions.open_registry", None)  # a call would raise
    assert resolve_alias(name, "champion", data.project) == resolve_alias(name, "second", data.project) == str(number)
    monkeypatch.undo()
    with pytest.raises(UnknownName, match="third"):
        resolve_alias(name, "third", data.project)
    client.delete_registered_model_alias(name, "second")


def test_same_recipe_table_and_seed_give_the_same_model(fitted):
    data = fitted["data"]
    first, again = (make_detector(FOREST).fit(data.features).score_samples(data.features) for _ in range(2))
    assert np.array_equal(first, again)
    other = make_detector(FOREST, seed=1).fit(data.features).score_samples(data.features)
    assert not np.array_equal(first, other)


def test_the_first_version_becomes_champion_and_a_later_one_only_when_asked(fitted):
    data = fitted["data"]
    recipe = BASELINE.model_copy(update={"name": "promoted"})
    small = data.features.head(50)
    assert fit(recipe, small, project=data.project).version == "1"
    assert fit(recipe, small, project=data.project).version == "2"
    assert load_model("promoted", project=data.project).version == "1"
    fit(recipe, small, project=data.project, promote=True)
    assert load_model("promoted", project=data.project).version == "3"
    listed = models(project=data.project).set_index(["name", "version"])
    assert listed.loc[("promoted", "3"), "aliases"] == "champion"
    assert listed.loc[("promoted", "1"), "aliases"] == ""


def test_a_version_is_fetched_from_the_registry_when_its_copy_is_gone(fitted):
    import shutil

    data = fitted["data"]
    shutil.rmtree(data.project.workspace / "models" / "planted-baseline")
    loaded = load_model("planted-baseline", "1", project=data.project)
    assert loaded.metadata == fitted["baseline"].metadata


def test_a_model_or_version_that_is_not_there_is_named_with_the_nearest(fitted):
    project = fitted["data"].project
    with pytest.raises(UnknownName, match="Did you mean 'planted-forest'"):
        load_model("planted-forst", project=project)
    with pytest.raises(UnknownName, match="Did you mean 'champion'"):
        load_model("planted-forest", "champoin", project=project)
    with pytest.raises(UnknownName, match="no version of planted-forest called '99'"):
        load_model("planted-forest", "99", project=project)


def test_every_version_has_a_forest_whose_leaves_can_be_reranked(fitted):
    data = fitted["data"]
    assert fitted["forest"].forest is fitted["forest"].detector
    companion = fitted["baseline"].forest
    matrix = fitted["baseline"].preparation.transform(data.features)
    assert companion.leaves(matrix).shape == (100, 1200)


def test_a_file_with_anything_but_known_types_is_not_loaded(tmp_path, fitted):
    path = tmp_path / "model.skops"
    skops.io.dump(Pipeline([("detector", _Own())]), path)
    with pytest.raises(ModelError, match=r"_Own.*Not loaded"):
        load_trusted(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="is not a model that can be read"):
        load_trusted(path)


def test_the_files_of_a_newer_socml_are_refused_and_those_of_an_older_one_read(tmp_path, fitted):
    save_files(tmp_path, fitted["forest"])
    about = json.loads((tmp_path / "metadata.json").read_text(encoding="utf-8"))
    for number, refused in ((FORMAT, False), (None, False), (FORMAT + 1, True), ("x", True)):
        written = (
            {**about, "format": number} if number is not None else {n: v for n, v in about.items() if n != "format"}
        )
        (tmp_path / "metadata.json").write_text(json.dumps(written), encoding="utf-8")
        with pytest.raises(ModelError, match="newer socml|cannot be read") if refused else nullcontext():
            assert read_files(tmp_path, "m", "1").metadata.get("format") == number


def test_a_tampered_registry_copy_is_not_loaded(tmp_path, fitted):
    data = fitted["data"]
    source = data.project.workspace / "models" / "planted-forest" / "1"
    folder = keep_files(source, "tampered", "1", data.project)
    skops.io.dump(_Own(), folder / "model.skops")
    with pytest.raises(ModelError, match="Not loaded"):
        load_model("tampered", "1", project=data.project)


def test_the_percentile_is_the_share_of_reference_rows_that_are_more_normal():
    scale = make_reference(np.arange(100.0))
    assert scale.percentile(np.array([-1.0, 0.0, 49.0, 99.0])).tolist() == [100.0, 99.0, 50.0, 0.0]


def test_percentiles_of_many_rows_are_those_of_each(monkeypatch):
    monkeypatch.setattr("socml.models.version.AT_ONCE", 7)
    reference = make_reference(np.linspace(-1, 0, 50))
    scores = np.linspace(-1.2, 0.2, 31)
    one_by_one = [reference.percentile(scores[i : i + 1])[0] for i in range(len(scores))]
    assert reference.percentile(scores).tolist() == one_by_one
    assert len(reference.percentile(scores[:0])) == 0


def test_the_percentile_is_exact_among_the_most_anomalous_of_a_large_reference():
    normality = np.random.default_rng(0).permutation(200_000).astype(float)
    scale = make_reference(normality)
    assert len(scale.normality) <= 20_000
    asked = np.array([0.0, 17.0, 4_000.0, 60_000.0])
    exact = 100 * (1 - (asked + 1) / 200_000)
    assert np.allclose(scale.percentile(asked)[:3], exact[:3])
    assert abs(scale.percentile(asked)[3] - exact[3]) < 0.01


def test_a_page_shows_the_version_as_text_only(fitted):
    import dataclasses

    version = dataclasses.replace(fitted["forest"], name="<script>", metadata={"dataset": "<b>", "notices": ["<i>"]})
    page = version._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_importing_models_loads_neither_mlflow_nor_shap():
    code = "import sys, socml.models.fitting, socml.models.scoring; print(sorted({'mlflow', 'shap', 'pandas'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "mlflow" not in shown.stdout
    assert "shap" not in shown.stdout


def test_fitting_prints_nothing(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\nfrom fitted import BASELINE, planted\nfrom socml.models.fitting import fit\n"
        "data = planted(Path(sys.argv[1])); fit(BASELINE, data.features, project=data.project)"
    )
    here = str(starter_root() / "tests")
    command = [sys.executable, "-c", code, str(tmp_path), here]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    assert [p.name for p in tmp_path.iterdir()] == ["workspace"]


def test_truth_of_rows_that_are_only_partly_known_is_taken_as_it_is(fitted):
    data = fitted["data"]
    truth = data.truth.astype(object).where(np.arange(len(data.truth)) % 2 == 0, None)
    recipe = BASELINE.model_copy(update={"name": "partly"})
    version = fit(recipe, data.features, project=data.project, truth=pd.DataFrame({"malicious": truth}))
    assert version.metadata["metrics"]["rows"] == 600


class _Own(DecisionTreeClassifier):
    """A class that is no part of socml or scikit-learn."""
