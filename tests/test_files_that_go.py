"""Files that go away while a folder is looked through, and links that lead in a circle, stop nothing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from socml.ingestion import ingest
from socml.ingestion import ingestion as ingestion_module
from socml.ingestion.discovery import find_files
from socml.jobs.health_machine import times
from socml.project import init_project, read_project

LINE = "Mar  2 10:00:00 h sshd[1]: Failed password for root from 192.0.2.1 port 4022 ssh2\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("a.log", "b.log", "c.log"):
        (folder / name).write_text(LINE * (1 + ord(name[0])), encoding="utf-8")
    return folder


def test_links_in_a_circle_are_told(logs: Path) -> None:
    (logs / "one").symlink_to("other")
    (logs / "other").symlink_to("one")
    (logs / "here").symlink_to("here")
    for paths in ([logs], [logs, logs / "one"], [str(logs / "*")]):
        found = find_files([str(path) for path in paths], base=logs)
        assert [path.name for path in found.files] == ["a.log", "b.log", "c.log"]
        assert sorted(path.name for path in found.odd) == ["here", "one", "other"]
        assert all("symbolic links" in why for why in found.odd.values())


def test_a_folder_that_a_link_leads_to_is_not_looked_into_and_said(logs: Path) -> None:
    for name in ("spool", "more"):
        (logs.parent / name).mkdir()
        (logs.parent / name / "x.log").write_text(LINE * 7, encoding="utf-8")
        (logs / name).symlink_to(logs.parent / name)
    (logs / "2026-03").mkdir()
    (logs / "2026-03" / "d.log").write_text(LINE, encoding="utf-8")
    (logs / "current").symlink_to(logs / "2026-03")  # what is in it is read where it lies
    init_project(logs.parent / "lab")
    done = ingest([str(logs)], dataset="net", project=read_project(logs.parent / "lab"), final=True)
    assert (done.files, done.failed) == (4, ())
    [said] = [warning for warning in done.warnings if "Not looked into" in warning]
    assert "logs/more leads to a folder elsewhere, and so does 1 more." in said
    assert said in done.to_dict()["warnings"]


@pytest.mark.parametrize("pattern", ["", "*"])
@pytest.mark.parametrize(("who", "followed"), [(0, True), (1234, False), (None, True)])
def test_who_can_write_into_a_folder_of_logs_does_not_choose_what_is_read(
    who: int | None, followed: bool, pattern: str, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (logs.parent / "secret").write_text(LINE, encoding="utf-8")
    (logs / "y.log").symlink_to(logs.parent / "secret")
    (logs / "z.log").symlink_to("y.log")
    looked = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        status = looked(path)
        owner = who if path.name == "y.log" and who is not None else status.st_uid
        return os.stat_result((*status[:4], owner, *status[5:10]))

    monkeypatch.setattr(Path, "lstat", lstat)
    found = find_files([logs / pattern if pattern else logs], base=logs)
    assert [path.name for path in found.files][:3] == ["a.log", "b.log", "c.log"]
    assert (len(found.files) > 3) is followed
    assert sorted(path.name for path in found.odd) == ([] if followed else ["y.log", "z.log"])
    named = find_files([logs / "y.log"], base=logs)
    assert [path.name for path in named.files] == ["y.log"]


@pytest.mark.parametrize(("who", "followed"), [(1234, False), (None, True)])
def test_nor_does_a_pattern_lead_behind_a_link_of_theirs(
    who: int | None, followed: bool, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (logs / "real", logs.parent / "secret"):
        folder.mkdir()
        (folder / "x.log").write_text(LINE, encoding="utf-8")
    (logs / "theirs").symlink_to(logs.parent / "secret")
    looked = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        status = looked(path)
        owner = who if path.name == "theirs" and who is not None else status.st_uid
        return os.stat_result((*status[:4], owner, *status[5:10]))

    monkeypatch.setattr(Path, "lstat", lstat)
    found = find_files([logs / "*" / "x.log"], base=logs)
    assert list(found.files) == [logs / "real" / "x.log", *([logs / "theirs" / "x.log"] if followed else [])]
    assert list(found.odd) == ([] if followed else [logs / "theirs" / "x.log"])


def test_a_folder_that_is_named_itself_besides_is_not_said_to_be_left_out(logs: Path) -> None:
    (logs.parent / "spool" / "deep").mkdir(parents=True)
    (logs.parent / "spool" / "deep" / "x.log").write_text(LINE, encoding="utf-8")
    (logs / "spool").symlink_to(logs.parent / "spool")
    (logs / "deep").symlink_to(logs.parent / "spool" / "deep")
    assert find_files([logs], base=logs).warnings(str) != []
    for named in (logs / "spool", logs.parent / "spool"):
        found = find_files([logs, named], base=logs)
        assert len(found.files) == 4
        assert found.warnings(str) == []


def test_a_file_that_goes_away_while_its_folder_is_listed_is_told(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.walk

    def walk(*given, **options):
        for place, folders, names in listed(*given, **options):
            (logs / "b.log").unlink(missing_ok=True)
            yield place, folders, names

    monkeypatch.setattr(os, "walk", walk)
    init_project(logs.parent / "lab")
    done = ingest([str(logs)], dataset="net", project=read_project(logs.parent / "lab"), final=True)
    assert done.files == 2
    (gone,) = done.failed
    assert Path(gone.file).name == "b.log"
    assert "No such file" in gone.reason


@pytest.mark.parametrize("final", [True, False])
def test_a_pipe_that_takes_the_place_of_a_file_keeps_nobody_waiting(
    final: bool, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = ingestion_module.input_files

    def after(*given, **options):
        files = look(*given, **options)
        (logs / "b.log").unlink()
        os.mkfifo(logs / "b.log")
        return files

    monkeypatch.setattr(ingestion_module, "input_files", after)
    init_project(logs.parent / "lab")
    project = read_project(logs.parent / "lab")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(ingest, [str(logs)], dataset="net", project=project, final=final)
        with suppress(TimeoutError):
            done.result(timeout=10)
        with suppress(OSError):  # somebody waits at the pipe: let them go
            os.close(os.open(logs / "b.log", os.O_WRONLY | os.O_NONBLOCK))
    result = done.result()
    assert result.files == 2
    (odd,) = result.failed
    assert "no regular file" in odd.reason


def test_a_file_that_a_job_removes_while_times_are_looked_at_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    project.workspace.mkdir(exist_ok=True)
    going = project.workspace / "going.parquet"
    going.write_bytes(b"x")
    is_file = Path.is_file

    def goes(path: Path) -> bool:
        found = is_file(path)
        if path == going:
            going.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "is_file", goes)
    assert [finding.ok for finding in times(project)] == [True]
    assert not going.exists()
