"""What is read and written by two processes at once: neither is mistaken for the other, and nothing of a living one is removed."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import time
from pathlib import Path

import numpy as np
import pytest
from fitted import score_in_blocks

from socml.jobs.health_labels import labels
from socml.jobs.health_machine import leftovers, times
from socml.labels import NewLabel, open_labels
from socml.labels.store import LabelStore
from socml.models.online_run import score_online
from socml.models.scoring import anomaly_scores, load_scores, score_run
from socml.project import Project, as_it_is, clear_abandoned, read_run
from socml.project.recipes import ModelRecipe
from socml.project.stored import read_metadata, write_table


def replaced_once(path: Path, other):
    """Return a `progress` that puts another table in the place of a feature file when it is called first."""
    import pyarrow.parquet as pq

    done: list[int] = []

    def progress(rows: int, of: int) -> None:
        if not done:
            write_table(path, pq.read_table(other), read_metadata(other))
        done.append(rows)

    return progress


@pytest.fixture
def table(fitted, tmp_path):
    """A project of its own and two feature files: one to score, and the one that takes its place."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = fitted["data"]
    path, other = tmp_path / "features.parquet", tmp_path / "other.parquet"
    whole, about = pq.read_table(data.path), read_metadata(data.path)
    write_table(path, whole, about)
    write_table(other, pa.concat_tables([whole.slice(5), whole.slice(0, 2)]), about)
    return dataclasses.replace(data.project, workspace=tmp_path / "workspace"), path, other


@pytest.mark.parametrize("rows", [50, 10_000])
def test_a_feature_table_that_is_built_again_while_it_is_scored_changes_nothing_of_the_run(
    fitted, table, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, path, other = table
    score_in_blocks(monkeypatch, rows)
    run = score_run(fitted["forest"], path, project=project, progress=replaced_once(path, other))
    scores, expected = (
        load_scores(run["run_id"], project=project),
        anomaly_scores(fitted["forest"], fitted["data"].features),
    )
    assert list(scores.index) == list(expected.index)
    assert np.array_equal(scores["anomaly_score"], expected["anomaly_score"])
    assert Path(project.workspace, run["features_path"]).resolve() == path.resolve()
    assert sorted(one.name for one in path.parent.iterdir() if one.is_file()) == ["features.parquet", "other.parquet"]


def test_an_online_model_learns_one_table_whatever_takes_its_place(fitted, table, monkeypatch) -> None:
    project, path, other = table
    monkeypatch.setattr("socml.models.online_run.BLOCK", 50)
    features = str(read_metadata(path)["feature_set"])
    recipe = ModelRecipe(name="drifting", about="x", mode="online", detector="half-space-trees", features=features)
    run = score_online(recipe, path, project=project, progress=replaced_once(path, other))
    assert list(load_scores(run["run_id"], project=project).index) == list(fitted["data"].features.index)
    assert Path(project.workspace, read_run(project, run["run_id"])["features_path"]).resolve() == path.resolve()


def test_another_name_of_a_file_is_gone_afterwards_and_where_a_killed_process_left_it(
    tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"one")
    with as_it_is(path) as held:
        path.with_name("new").write_bytes(b"two")
        path.with_name("new").replace(path)
        assert (held.read_bytes(), path.read_bytes()) == (b"one", b"two")
        os.utime(held, (0, time.time() - 60))
        assert clear_abandoned(tmp_path) == 0
    os.link(path, tmp_path / held.name)
    os.utime(path, (0, time.time() - 60))
    assert clear_abandoned(tmp_path) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["x.parquet"]
    monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError()))
    with as_it_is(path) as held:
        assert held == path


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def test_the_doctor_removes_no_staging_folder_that_an_ingest_has_begun_to_fill_since_it_looked(lab: Project) -> None:
    for name in ("gone", "office"):
        (lab.folder("staging") / name / "events").mkdir(parents=True)
    (finding,) = leftovers(lab)
    assert finding.repair is not None
    with (lab.workspace / "staging" / "office.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert finding.repair() == "1 leftovers of killed runs are removed"
    assert [path.name for path in (lab.workspace / "staging").glob("*/")] == ["office"]


def test_the_doctor_removes_no_file_that_a_process_of_another_container_is_writing(lab: Project) -> None:
    path = lab.folder("features") / ".x.parquet.4194399.0123abcd"  # no process of this machine has that id
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (finding,) = leftovers(lab)
        assert finding.ok
    (finding,) = leftovers(lab)
    assert finding.repair is not None
    finding.repair()
    assert not path.exists()


def test_files_of_the_future_that_go_while_they_are_dated_stop_no_other(lab: Project) -> None:
    paths = [lab.folder("features") / name for name in ("a", "b")]
    for path in paths:
        path.write_bytes(b"x")
        os.utime(path, (time.time() + 9_000,) * 2)
    (finding,) = times(lab)
    paths[0].unlink()
    assert finding.repair is not None
    finding.repair()
    assert paths[1].stat().st_mtime <= time.time()


def test_the_doctor_finds_nothing_wrong_with_labels_that_come_while_it_looks(lab: Project, monkeypatch) -> None:
    said = LabelStore.current
    late = iter(["benign", "malicious", "false_alarm"])

    def current(store: LabelStore, **options: object) -> object:
        for verdict in late:
            store.record([NewLabel("row", verdict, by="ana", client_id=verdict)])
            break
        return said(store, **options)  # type: ignore[arg-type]

    with open_labels(lab) as store:
        store.record([NewLabel("row", "unsure", by="ana", client_id="unsure")])
    monkeypatch.setattr(LabelStore, "current", current)
    found = {finding.what: finding for finding in labels(lab)}
    assert (found["current labels"].ok, found["current labels"].found) == (True, "1 rows")
    assert found["label store"].found == "4 records, whole"
