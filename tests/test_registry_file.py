"""What socml writes into the workspace's registry without MLflow is what MLflow itself would have written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from socml.models import open_registry, recording
from socml.models.registry import RegistryClient
from socml.models.registry_file import RegistryFile, is_schema_of_installed_mlflow, open_registry_file
from socml.project import ModelError, Project

OF_ITS_OWN = {"run_uuid", "run_id", "start_time", "end_time", "creation_time", "last_update_time", "timestamp"} | {
    "last_updated_time",
    "artifact_uri",
    "artifact_location",
    "source",
    "storage_location",
}


def a_project(root):
    root.mkdir(exist_ok=True)
    return Project(root=root, workspace=root / "workspace")


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """The same runs and versions, written by socml and by MLflow's client."""
    root = tmp_path_factory.mktemp("twins")
    ours, theirs = a_project(root / "ours"), a_project(root / "theirs")
    files = root / "files"
    (files / "model").mkdir(parents=True)
    (files / "model" / "MLmodel").write_text("{}")
    own = open_registry_file(ours)
    assert own is not None
    client = RegistryClient(open_registry(theirs), theirs)
    for registry in (own, client):
        for name in ("forest", "forest", "baseline"):
            run = registry.start_run(name, f"{name} seed 0", {"socml.table_hash": "ab"})
            registry.log(run, {"detector": name}, {"auroc": 0.5, "rows": 3.0})
            registry.store(run, files)
            registry.end_run(run, "FINISHED")
            number = registry.register(name, run)
            registry.set_alias(name, "champion", number)
            assert registry.aliases(name) == {"champion": number}
        registry.end_run(registry.start_run("forest", "broken", {}), "FAILED")
    open_registry(ours).search_experiments()  # MLflow adds its own experiment "Default" when it first opens a file
    return ours, theirs


def rows_of(project, table):
    with closing(sqlite3.connect(project.workspace / "mlflow" / "mlflow.db")) as file:
        found = file.execute(f'select * from "{table}"')
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found]
    return sorted(str({k: v for k, v in row.items() if k not in OF_ITS_OWN}) for row in rows)


def tables_of(project):
    """Return what each table and index is made of; MLflow's migrations write constraints in no order of their own."""
    with closing(sqlite3.connect(project.workspace / "mlflow" / "mlflow.db")) as file:
        found = file.execute("select type || ' ' || name, sql from sqlite_master where sql is not null")
        return {name: sorted(sql.replace(",", " ").split()) for name, sql in found}


def test_the_tables_are_those_that_mlflows_migrations_make(twins):
    ours, theirs = map(tables_of, twins)
    assert ours == theirs
    assert is_schema_of_installed_mlflow()


def test_the_rows_are_those_that_mlflows_client_writes(twins):
    ours, theirs = twins
    for name in tables_of(theirs):
        kind, table = name.split(" ", 1)
        if kind == "table":
            assert rows_of(ours, table) == rows_of(theirs, table), table


def test_mlflow_reads_what_was_written(twins):
    client = open_registry(twins[0])
    version = client.get_model_version_by_alias("forest", "champion")
    assert (str(version.version), version.status) == ("2", "READY")
    run = client.get_run(version.run_id)
    assert (run.info.status, run.data.params, run.data.metrics) == (
        "FINISHED",
        {"detector": "forest"},
        {"auroc": 0.5, "rows": 3.0},
    )
    assert [file.path for file in client.list_artifacts(version.run_id, "model")] == ["model/MLmodel"]
    assert client.create_run(run.info.experiment_id).info.experiment_id == run.info.experiment_id


def test_a_file_of_another_revision_is_left_to_mlflow(tmp_path):
    project = a_project(tmp_path / "project")
    registry = open_registry_file(project)
    with closing(sqlite3.connect(registry.path)) as file, file:
        file.execute("update alembic_version set version_num = 'another'")
    assert open_registry_file(project) is None
    with pytest.raises(ModelError, match="another version of MLflow than the one installed"), recording(project):
        pass  # MLflow says that the file is not of its own revision


def test_versions_that_are_registered_at_once_have_numbers_of_their_own(tmp_path):
    registry = open_registry_file(a_project(tmp_path / "project"))

    def one(_):
        own = RegistryFile(registry.path, registry.artifacts)
        run = own.start_run("forest", "one", {})
        return own.register("forest", run)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(8)), key=int) == [str(number) for number in range(1, 9)]


def test_a_failure_inside_leaves_nothing_half_written(tmp_path):
    registry = open_registry_file(a_project(tmp_path / "project"))
    with pytest.raises(sqlite3.Error):
        registry.start_run("forest", "one", {"key": object()})  # the run is written before its tags
    with closing(sqlite3.connect(registry.path)) as file:
        assert file.execute("select (select count(*) from runs), (select count(*) from experiments)").fetchone() == (
            0,
            0,
        )


def test_a_fit_and_a_validation_import_neither_mlflow_nor_matplotlib(tmp_path):
    code = """
import sys, numpy as np, pandas as pd, socml
from socml.project import ModelRecipe, Project
from pathlib import Path
root = Path(sys.argv[1])
project = Project(root=root, workspace=root / "workspace")
table = pd.DataFrame({"bytes": np.random.default_rng(0).normal(size=60)})
socml.fit(ModelRecipe(name="own", detector="robust-z", features="mine"), table, project=project)
assert socml.load_model("own", project=project).version == "1"
print(sorted({"mlflow", "matplotlib", "alembic", "shap", "river"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
