"""Every registered model is loaded and run by MLflow's own tools, and says if another version of socml wrote it."""

from __future__ import annotations

import json
import os
import warnings

import mlflow
import numpy as np
import pandas as pd
import pytest

import socml
from socml.models import mlflow_loader
from socml.project import ModelError, ModelRecipe, Notice, Project


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    root = tmp_path_factory.mktemp("mlflow")
    project = Project(root=root, workspace=root / "workspace")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "bytes": rng.lognormal(3, 1, 120),
            "ports": rng.integers(1, 9, 120),
            "encrypted": rng.random(120) > 0.5,
            "protocol": rng.choice(["tcp", "udp", None], 120),
        }
    )
    recipe = ModelRecipe(name="own-table", detector="robust-z", features="mine")
    version = socml.fit(recipe, table, project=project)
    socml.fit(recipe.model_copy(update={"name": "numbers"}), table[["bytes", "ports"]], project=project)
    levels = pd.DataFrame({"level": pd.Categorical(table["ports"], ordered=True), "bytes": table["bytes"]})
    socml.fit(recipe.model_copy(update={"name": "levels"}), levels, project=project)
    address = f"sqlite:///{project.workspace}/mlflow/mlflow.db"
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    yield version, table
    mlflow.set_tracking_uri(
        None
    )  # MLflow keeps both in the environment, where the tests after this one would find them
    mlflow.set_registry_uri(None)
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_pyfunc_gives_the_anomaly_scores(registered):
    version, table = registered
    model = mlflow.pyfunc.load_model("models:/own-table@champion")
    expected = -version.pipeline.score_samples(table)
    assert np.array_equal(model.predict(table)["anomaly_score"], expected)
    assert np.array_equal(model.predict(table.assign(ports=table["ports"].astype(float)))["anomaly_score"], expected)
    assert list(model.metadata.metadata["features"]) == list(table.columns)
    assert [column.name for column in model.metadata.get_output_schema()] == ["anomaly_score"]


def test_the_input_example_is_scored_as_a_server_would(registered):
    model = mlflow.pyfunc.load_model("models:/own-table/1")
    example = model.input_example
    assert len(example) == 5
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    sent = {"dataframe_split": json.loads(example.to_json(orient="split"))}
    parsed = infer_and_parse_data(sent, schema=model.metadata.get_input_schema())
    assert np.allclose(model.predict(parsed)["anomaly_score"], model.predict(example)["anomaly_score"])


BODIES = {
    "text/csv": lambda table: table.to_csv(index=False),
    "dataframe_split": lambda table: json.dumps({"dataframe_split": json.loads(table.to_json(orient="split"))}),
    "dataframe_records": lambda table: json.dumps({"dataframe_records": json.loads(table.to_json(orient="records"))}),
    "inputs": lambda table: json.dumps({"inputs": json.loads(table.to_json(orient="records"))}),
    "inputs by column": lambda table: json.dumps({"inputs": json.loads(pd.Series(table.to_dict("list")).to_json())}),
    "instances": lambda table: json.dumps({"instances": json.loads(table.to_json(orient="records"))}),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("later", ["as it was fitted on", "whole numbers", "one is missing", "further columns"])
@pytest.mark.parametrize("name", ["numbers", "own-table"])
def test_a_server_scores_csv_and_json(registered, body, later, name):
    from mlflow.pyfunc.scoring_server import invocations

    _, table = registered
    rows = {
        "as it was fitted on": table,
        "whole numbers": table.assign(bytes=table["bytes"].astype(int)),
        "one is missing": table.assign(ports=table["ports"].where(table.index != 3)),
        "further columns": table.assign(entity="a", row_id=range(len(table))),
    }[later][:9]
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    content_type = body if body == "text/csv" else "application/json"
    answer = invocations(BODIES[body](rows), content_type, model, model.metadata.get_input_schema())
    assert answer.status == 200
    scores = [row["anomaly_score"] for row in json.loads(answer.response)["predictions"]]
    np.testing.assert_allclose(scores, model.predict(rows)["anomaly_score"], rtol=1e-9)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"bytes": 3}], "has no column 'ports', which the model reads"),
        ([{"bytes": 3, "port": 1}], "Did you mean 'port'"),
        ([{"bytes": "many", "ports": 1}], "Column 'bytes' was a number when the model was fitted, and holds text now"),
        ([{"bytes": [1], "ports": 1}], "Column 'bytes'"),
    ],
)
def test_a_server_answers_a_wrong_table_with_a_sentence(registered, rows, said):
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc.scoring_server import invocations

    model = mlflow.pyfunc.load_model("models:/numbers@champion")
    with pytest.raises(MlflowException) as raised:
        invocations(json.dumps({"dataframe_records": rows}), "application/json", model, None)
    answer = json.loads(raised.value.serialize_as_json())
    assert said in answer["message"]
    assert "stack_trace" not in answer
    assert raised.value.get_http_status_code() == 400


def test_a_category_of_numbers_stays_one_to_a_pyfunc(registered):
    _, table = registered
    model = mlflow.pyfunc.load_model("models:/levels@champion")
    levels = pd.DataFrame({"level": pd.Categorical(table["ports"], ordered=True), "bytes": table["bytes"]})
    assert np.isfinite(model.predict(levels)["anomaly_score"]).all()


def test_a_model_of_another_version_of_socml_says_so(registered, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        mlflow.pyfunc.load_model("models:/own-table/1")
    monkeypatch.setattr(mlflow_loader, "__version__", "99.0")
    with pytest.warns(Notice, match=r"written by socml .*, and this is 99\.0: scores may differ"):
        mlflow.pyfunc.load_model("models:/own-table/1")


def test_a_pyfunc_takes_whole_numbers_where_it_was_fitted_on_others_and_a_table_without_rows(registered):
    _, table = registered
    model = mlflow.pyfunc.load_model("models:/own-table@champion")
    assert len(model.predict(table.assign(bytes=table["bytes"].astype(int)))) == len(table)
    assert list(model.predict(table[:0]).columns) == ["anomaly_score"]


def test_a_pyfunc_that_is_given_no_column_it_knows_says_so(registered):
    _, table = registered
    model = mlflow.pyfunc.load_model("models:/own-table@champion")
    with pytest.raises(ModelError, match="no column 'bytes'"):
        model.predict(table.to_numpy())


def test_a_detector_fitted_by_its_name_is_registered_by_it(tmp_path):
    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    table = pd.DataFrame({"bytes": [1.0, 2.0, 3.0, 90.0]})
    socml.fit("robust-z", table, project=project)
    scores = socml.anomaly_scores(socml.load_model("robust-z", project=project), table)
    assert scores["anomaly_score"].idxmax() == "3"


@pytest.mark.parametrize(
    "row", [{"amount": 1.0, "kind": "a"}, {"amount": np.array(1.0), "kind": "a"}, {"amount": [1.0], "kind": ["a", "b"]}]
)
def test_a_dictionary_that_is_no_table_of_columns_is_told_to_a_pyfunc(registered, row):
    model = mlflow.pyfunc.load_model("models:/own-table@champion")
    with pytest.raises(
        ModelError, match=r"A dictionary is columns by name, as many values in each; one row is \[row\]"
    ):
        model.predict(row)
