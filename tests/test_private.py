"""socml.project.private: what holds labels, logs or keys is readable by its owner alone, whatever the umask."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from builders import make_rows
from scanned_office import zeek_log

from socml.explanations.of_run import explain_run
from socml.features.build import build_feature_file, load_features, load_row_truth
from socml.ingestion.buffer import Spool
from socml.ingestion.ingestion import ingest
from socml.labels.export import write_labels
from socml.labels.intake import import_labels
from socml.labels.recording import open_labels, read_labels, record_label
from socml.models.fitting import fit
from socml.models.scoring import score_run
from socml.project.private import private_file, private_folder
from socml.project.project import init_project, read_project
from socml.project.stored import write_json
from socml.simulator.simulation import simulate


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(folder: Path) -> list[tuple[str, str]]:
    everything = [folder, *folder.rglob("*")]
    return [(str(path.relative_to(folder)), oct(mode(path))) for path in everything if mode(path) & 0o077]


def test_whatever_the_line_writes_is_its_owners(tmp_path):
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    log = tmp_path / "conn.log"
    zeek_log(log)
    log.write_text(log.read_text() + "not a record\n")
    ingest([log], dataset="office", project=project)
    path = build_feature_file("source-5min", "office", project=project)
    features = load_features("office", "source-5min", project=project)
    truth = load_row_truth("office", "source-5min", project=project)
    run = score_run(fit("source-forest", features, project=project, truth=truth), path, truth=truth, project=project)
    explain_run(run["run_id"], top=3, project=project)
    record_label(features.index[0], "malicious", dataset="office", project=project)
    simulate(project.folder("raw", "simulated"), days=1, hosts=3)
    write_json(project.workspace / "lookups" / "answer.json", {})
    with Spool(project.workspace / "spool" / "office") as spool:
        spool.write([b"line"])
    strange = tmp_path / "strange.csv"
    strange.write_text("row_id,label\nnobody,malicious\n")
    with open_labels(project) as store:
        import_labels(strange, store=store, dataset="office", by="ana", project=project)
    written = {part.name for part in project.workspace.iterdir()}
    assert written >= {
        "events",
        "quarantine",
        "truth",
        "features",
        "scores",
        "models",
        "mlflow",
        "labels.sqlite",
        "raw",
    }
    assert open_to_others(project.workspace) == []


def test_the_files_beside_the_label_store_are_its_owners_too(tmp_path):
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    with open_labels(project) as store, store._write() as connection:
        connection.exec_driver_sql("select 1")
        assert {path.name for path in project.workspace.iterdir()} >= {"labels.sqlite", "labels.sqlite-wal"}
        assert open_to_others(project.workspace) == []


def test_an_export_is_its_owners_wherever_it_goes(tmp_path):
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    make_rows(project, "r1")
    record_label("r1", "malicious", project=project)
    for ending in ("csv", "parquet", "jsonl"):
        path = write_labels(read_labels(project=project), tmp_path / "new" / "deep" / f"labels.{ending}")
        assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)


def test_recipes_of_a_new_project_are_shared_as_the_umask_says(tmp_path):
    init_project(tmp_path / "lab")
    assert mode(tmp_path / "lab" / "socml.toml") == 0o644


def test_what_exists_keeps_its_rights(tmp_path):
    shared, file = tmp_path / "shared", tmp_path / "shared" / "file"
    shared.mkdir(mode=0o755)
    file.write_text("kept")
    assert (mode(private_folder(shared)), mode(private_file(file)), file.read_text()) == (0o755, 0o644, "kept")


def test_a_label_store_that_was_made_private_is_a_database(tmp_path):
    private_file(tmp_path / "labels.sqlite")
    with sqlite3.connect(tmp_path / "labels.sqlite") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
