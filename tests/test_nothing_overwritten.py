"""A path that a user gives to be written never costs a file that socml did not write, nor a device or a pipe."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pandas as pd
import pytest
from night_lab import flows, lab_in, night, write_day

from socml.jobs import make_backup
from socml.jobs.night_metrics import write_metrics
from socml.labels import read_labels, write_labels
from socml.project import ConfigurationError, Project, UnknownName, init_project, read_project, replacing
from socml.review import BudgetCurves, check_plot, write_plot
from socml.simulator import simulate
from socml.simulator.simulation import MARK


@pytest.fixture
def project(tmp_path: Path) -> Project:
    init_project(tmp_path / "lab")
    return read_project(tmp_path / "lab")


def put(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")


def test_a_pipe_and_a_folder_are_not_replaced(tmp_path: Path, project: Project) -> None:
    pipe, folder, link = tmp_path / "pipe.csv", tmp_path / "folder.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to(pipe)
    for path in (pipe, folder, link):
        with pytest.raises(ConfigurationError, match="Name a file"):
            put(path)
        with pytest.raises(ConfigurationError, match="Name a file"):
            make_backup(path, project=project)
    with pytest.raises(ConfigurationError, match="Name a file"):
        write_labels(read_labels(project=project), pipe)
    assert pipe.is_fifo()
    assert folder.is_dir()


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    target, link, gone = tmp_path / "target", tmp_path / "link", tmp_path / "gone"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    gone.symlink_to(tmp_path / "not yet")
    put(link)
    put(gone)
    assert link.is_symlink()
    assert [target.read_text(), (tmp_path / "not yet").read_text()] == ["new", "new"]


def _archive(*names: str) -> bytes:
    """Return a packed archive of empty files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return data.getvalue()


def test_a_backup_takes_the_place_of_a_backup_only(tmp_path: Path, project: Project) -> None:
    log, backup = tmp_path / "conn.log", tmp_path / "b.tar.gz"
    for content in (b"a log\n", b"\x1f\x8b no archive", _archive("home/photo"), _archive()):
        log.write_bytes(content)
        with pytest.raises(ConfigurationError, match="is no backup of socml"):
            make_backup(log, project=project)
        assert log.read_bytes() == content
    backup.touch()  # as mktemp makes it
    for _ in range(2):
        assert make_backup(backup, project=project).files > 0


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_labels_take_the_place_of_labels_only(ending: str, tmp_path: Path, project: Project) -> None:
    path = tmp_path / f"conn{ending}"
    for content in (b"ts,host\n1,a\n", b'{"note": 1}\n{"label_id": 1}\n'):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="holds no labels of socml"):
            write_labels(read_labels(project=project), path)
        assert path.read_bytes() == content
        if ending == ".parquet":
            break
    path.unlink()
    for _ in range(2):
        write_labels(read_labels(project=project), path)
    path.write_bytes(b"")  # as mktemp makes it
    assert write_labels(read_labels(project=project), path) == path


def test_a_simulation_takes_the_place_of_a_simulation_only(tmp_path: Path) -> None:
    real = tmp_path / "auth.log"
    real.write_text("a real log\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"auth.log, which was not simulated"):
        simulate(tmp_path, days=1, hosts=2, scale=0.1)
    assert [path.name for path in tmp_path.iterdir()] == ["auth.log"]
    real.unlink()
    simulate(tmp_path, days=1, hosts=2, scale=0.1)
    first = real.read_bytes()
    (tmp_path / "truth.parquet").unlink()  # as a killed one leaves it
    simulate(tmp_path, days=1, hosts=2, scale=0.1)
    assert real.read_bytes() == first
    (tmp_path / MARK).unlink()  # as an earlier version left it
    simulate(tmp_path, days=1, hosts=2, scale=0.1, seed=8)
    assert real.read_bytes() != first


def test_metrics_take_the_place_of_metrics_only(tmp_path: Path) -> None:
    lab = lab_in(tmp_path / "lab", '[nightly]\nmetrics_file = "mine.prom"')
    write_day(lab, 0, flows(0))
    mine = lab.root / "mine.prom"
    mine.write_text("node_load1 0.5\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.prom is there, and holds no metrics"):
        night(lab, 0)
    assert mine.read_text(encoding="utf-8") == "node_load1 0.5\n"
    assert not (lab.workspace / "events").exists()  # it is told before anything is done
    mine.unlink()
    for _ in range(2):
        night(lab, 0)
    assert "socml_night_ok" in mine.read_text(encoding="utf-8")
    mine.write_bytes(b"")
    assert write_metrics(lab, "mine.prom") == mine


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_plot_takes_the_place_of_a_plot_only(ending: str, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"strategy": "s", "labels": [1, 2], "found": [0.0, 1.0], "low": 0.0, "high": 1.0, "families": 1.0}
    )
    curves, path = BudgetCurves("lab", 1, 1.0, table), tmp_path / f"holiday{ending}"
    path.write_bytes(b"\x89PNG a holiday")
    with pytest.raises(ConfigurationError, match="holds no picture of socml"):
        write_plot(curves, path)
    assert path.read_bytes() == b"\x89PNG a holiday"
    path.unlink()
    for _ in range(2):
        assert write_plot(curves, path).stat().st_size > 1000
    with pytest.raises(UnknownName, match="picture"):
        check_plot(tmp_path / "curves.txt")
