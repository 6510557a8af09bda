"""A night that was killed, or that a full disk ended, is named by `socml status` until one is finished."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import night_lab
import pytest

from socml.jobs import make_backup, night_run, night_status
from socml.project import Project, TryLater, audit, replacing


def _unfinished(project: Project) -> list[str]:
    return [line.text for line in night_status(project) if not line.ok and line.what in {"unfinished", "last night"}]


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = night_lab.lab_in(tmp_path / "lab")
    night_lab.write_day(project, 0, night_lab.flows(0))
    night_lab.night(project, 0)
    return project


def _killed_night(project: Project) -> None:
    night_run.ingest_files = lambda *paths, **options: os.kill(os.getpid(), signal.SIGKILL)
    night_lab.night(project, 0)


def test_a_killed_night_is_told_until_the_next_is_done(lab: Project) -> None:
    process = multiprocessing.get_context("fork").Process(target=_killed_night, args=(lab,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (told,) = _unfinished(lab)
    assert f"(process {process.pid}, since 20" in told
    assert "was not finished: it was killed, or the machine stopped." in told
    make_backup(lab.root.parent / "backup.tar.gz", project=lab)
    assert _unfinished(lab) == [told]
    night_lab.night(lab, 1)
    assert _unfinished(lab) == []


def _killed_while_writing(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_next_night_removes_what_a_killed_one_was_writing_and_leaves_what_is_written_now(lab: Project) -> None:
    folder = lab.workspace / "scores" / "a-run"
    process = multiprocessing.get_context("fork").Process(target=_killed_while_writing, args=(folder / "x.parquet",))
    process.start()
    process.join()
    (left,) = folder.iterdir()
    with replacing(folder / "y.parquet") as written:
        for path in (left, written):
            os.utime(path, (0, 0))
        night_lab.night(lab, 1)
        assert list(folder.iterdir()) == [written]
    assert [path.name for path in folder.iterdir()] == ["y.parquet"]


def test_why_a_night_ended_is_told(lab: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object, **options: object) -> None:
        raise TryLater("The disk is full.")

    monkeypatch.setattr(night_run, "ingest_files", full)
    with pytest.raises(TryLater):
        night_lab.night(lab, 1)
    (told,) = _unfinished(lab)
    assert "was not finished: The disk is full. Run it again" in told


def test_a_disk_that_fills_up_anywhere_in_a_night_is_told_and_stops_no_other_dataset(
    lab: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/state.json")

    monkeypatch.setattr(night_run, "open_listing", full)
    reports, errors = night_run.nightly_all(["office", "office"], project=lab)
    assert reports == []
    assert [type(error) for error in errors] == [TryLater, TryLater]
    (told,) = _unfinished(lab)
    assert "The disk is full at /data/state.json" in told


def test_a_disk_without_room_for_the_lock_is_told(lab: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("socml.jobs.night_lock._write", full)
    with pytest.raises(TryLater, match="The disk is full"):
        night_lab.night(lab, 1)


def test_a_night_that_runs_is_not_unfinished(lab: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[list[str]] = []
    read = night_run.ingest_files
    monkeypatch.setattr(
        night_run,
        "ingest_files",
        lambda *paths, **options: meanwhile.append(_unfinished(lab)) or read(*paths, **options),
    )
    night_lab.night(lab, 1)
    assert meanwhile == [[]]


def test_a_promotion_is_told_with_who_and_when(lab: Project) -> None:
    audit(lab, "promoted", model="source-forest", champion="2", previous="1")
    lines = [line for line in night_status(lab) if line.what == "model source-forest"]
    assert [line.ok for line in lines] == [True]
    assert lines[0].text.startswith("version 2 scores since 20")
