"""Backups and restores beside what lives: other writers, other disks, a full one, a kill at each step, names of an attacker."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import multiprocessing
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from socml.jobs import backup, make_backup, restore_backup
from socml.jobs.health_machine import place
from socml.labels import NewLabel, open_labels
from socml.project import DataError, Project, TryLater, init_project, one_at_a_time, open_components, read_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return lab_with(tmp_path / "lab", "first")


def lab_with(root: Path, row: str) -> Project:
    """Return a project with a label of a row, and some files."""
    init_project(root)
    made = read_project(root)
    label(made, row)
    for name in ("a", "b", "c"):
        (made.folder("alerts", "office") / name).write_text(f"{name} of {row}")
    (root / "respond.toml").write_text(f'allow = ["{row}.example"]\n')
    return made


def label(project: Project, row: str) -> None:
    with open_labels(project) as store:
        store.record([NewLabel(row, "benign", by="ana", client_id=row)])


def rows(project: Project) -> list[str]:
    with open_labels(project) as store:
        return sorted(store.current().index)


def archive_of(path: Path, *names: str) -> Path:
    """Write an archive, with an index, that holds files of these names."""
    index = {name: hashlib.sha256(b"x").hexdigest() for name in names}
    about = json.dumps({"socml": "1", "made": "", "files": index}).encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (*((name, b"x") for name in names), (backup.INDEX, about)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "project/detectors/.evil.py", "project/detectors/evil.so", "project/a/evil.py", "project/formats/a/b/evil.py", "project/.git/hooks/pre-commit", "project/.venv/bin/python", "project/Makefile",
        "project/models/deeper/evil.toml", "workspace/labels.sqlite-wal", "workspace/.hidden", "workspace/a/.b/c", "etc/passwd",
        "workspace/nights/office/lock", "workspace/staging/office.lock", "workspace/labels.db-journal",
        "project", "workspace/" + "a/" * 900 + "b",
    ],
)  # fmt: skip
def test_what_no_backup_holds_is_not_put_into_a_project(name: str, project: Project, tmp_path: Path) -> None:
    before = {path for path in project.root.rglob("*") if path.is_file()}
    with pytest.raises(DataError, match="is no backup of socml: it holds"):
        restore_backup(archive_of(tmp_path / "evil.tar.gz", name), project=project, replace=True)
    assert {path for path in project.root.rglob("*") if path.is_file() and path.name != "lock"} == before


def test_a_pipe_that_nobody_writes_is_no_backup_and_keeps_nobody_waiting(project: Project, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="no backup of socml"):
        restore_backup(tmp_path / "pipe", project=project)


def test_a_file_that_is_larger_than_what_the_archive_holds_of_it_is_not_written(
    project: Project, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "sparse.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("workspace/holes")
        holes = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(1 << 40)}
        member.pax_headers = {**holes, "GNU.sparse.map": f"{(1 << 40) - 1},1"}
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with tarfile.open(path) as archive:
        assert archive.getmembers()[0].size == 1 << 40
    monkeypatch.setattr(backup.shutil, "copyfileobj", lambda *_: pytest.fail("it was written"))
    with pytest.raises(DataError, match="it holds 'workspace/holes'"):
        restore_backup(path, project=project)


def test_a_file_that_grows_or_is_replaced_while_it_is_read_leaves_no_damaged_backup(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.workspace / "alerts" / "office" / "b"
    read = backup._Hashed.read

    def growing(self: backup._Hashed, size: int = -1) -> bytes:
        with path.open("ab") as file:
            file.write(b" and more")
        return read(self, size)

    monkeypatch.setattr(backup._Hashed, "read", growing)
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    monkeypatch.undo()
    other = Project(root=tmp_path / "other", workspace=tmp_path / "other" / "workspace")
    assert restore_backup(made.path, project=other).files == made.files
    assert (other.workspace / "alerts" / "office" / "b").read_text().startswith("b of first")
    assert (other.root / "respond.toml").read_text() == 'allow = ["first.example"]\n'


def test_labels_of_an_open_app_go_into_the_store_that_was_restored(project: Project, tmp_path: Path) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    with open_labels(project) as store:
        store.record([NewLabel("second", "benign", by="ana", client_id="second")])
        restore_backup(made.path, project=project, replace=True)
        store.record([NewLabel("third", "benign", by="ana", client_id="third")])
        assert sorted(store.current().index) == ["first", "third"]
    assert rows(project) == ["first", "third"]


def test_what_gives_way_keeps_the_labels_that_sqlite_had_beside_it(project: Project, tmp_path: Path) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    with open_labels(project) as store:  # open, so that its last records are beside it
        store.record([NewLabel("second", "benign", by="ana", client_id="second")])
        (file,) = project.workspace.glob("*.sqlite")
        assert file.with_name(f"{file.name}-wal").stat().st_size > 0
        restore_backup(made.path, project=project, replace=True)
        (aside,) = project.root.glob(".before-restore-*")
        assert rows(Project(root=aside, workspace=aside / "workspace")) == ["first", "second"]
    assert rows(project) == ["first"]


def test_nothing_is_restored_while_an_ingest_is_running(project: Project, tmp_path: Path) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    project.folder("events", "office")
    with (project.folder("staging") / "office.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for do in (
            lambda: restore_backup(made.path, project=project, replace=True),
            lambda: make_backup(made.path, project=project, with_events=True),
        ):
            with pytest.raises(TryLater, match="ingest of 'office'"):
                do()
        make_backup(tmp_path / "c.tar.gz", project=project)


def test_a_workspace_on_another_disk_is_restored(project: Project, tmp_path: Path, monkeypatch) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    other = lab_with(tmp_path / "other", "other")
    replace = Path.replace

    def across(self: Path, target: Path) -> Path:
        if (other.workspace in self.parents) != (other.workspace in Path(target).parents):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", across)
    monkeypatch.setattr(Path, "rename", across)
    restore_backup(made.path, project=other, replace=True)
    assert rows(other) == ["first"]
    (aside,) = other.root.glob(".before-restore-*")
    assert (aside / "workspace" / "alerts" / "office" / "a").read_text() == "a of other"


def test_a_full_disk_is_no_damaged_archive(project: Project, tmp_path: Path, monkeypatch) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup.shutil, "copyfileobj", full)
    with pytest.raises(TryLater, match="disk is full"):
        restore_backup(made.path, project=project, replace=True)
    assert not list(project.root.glob(".*restore-*"))


@pytest.mark.parametrize("step", [0, 2, 5, 9])
def test_a_restore_that_was_killed_is_told_and_goes_on(
    step: int, project: Project, tmp_path: Path, monkeypatch
) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    other = lab_with(tmp_path / "other", "other")
    move, steps = backup._move, iter(range(step))

    def killed(*given: Path) -> None:
        if next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        move(*given)

    monkeypatch.setattr(backup, "_move", killed)
    process = multiprocessing.get_context("fork").Process(
        target=restore_backup, args=(made.path,), kwargs={"project": other, "replace": True}
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    monkeypatch.undo()
    told = [finding.found for finding in place(other) if not finding.ok]
    assert len(told) == 1
    assert told[0].startswith("a restore was not finished: .restore-")
    with one_at_a_time(other.workspace / "restore" / "lock"):
        assert all(finding.ok for finding in place(other))
    restore_backup(made.path, project=other, replace=True)
    assert all(finding.ok for finding in place(other))
    assert rows(other) == ["first"]
    assert (other.workspace / "alerts" / "office" / "c").read_text() == "c of first"


@pytest.fixture
def closed_again() -> Iterator[None]:
    """Let no test after this one find what a project brings."""
    yield
    open_components(None)


@pytest.mark.usefixtures("closed_again")
def test_what_a_project_made_itself_comes_back_and_code_only_if_it_may_run(project: Project, tmp_path: Path) -> None:
    made_here = {"formats/shop.toml": "# a map", "detectors/far_out.py": "1 / 0", "formats/table/own.py": "2 / 0"}
    for name, text in {**made_here, "detectors/__pycache__/far_out.pyc": ""}.items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text)
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    other = lab_with(tmp_path / "other", "other")
    done = restore_backup(made.path, project=other, replace=True)
    assert {name: (other.root / name).is_file() for name in made_here} == {
        "formats/shop.toml": True, "detectors/far_out.py": False, "formats/table/own.py": False
    }  # fmt: skip
    assert done.left_out.startswith("2 files of code, 'project/detectors/far_out.py' first")
    assert (done.files, made.left_out) == (made.files - 2, "")
    assert not restore_backup(made.path, project=other, with_code=True).left_out
    assert {name: (other.root / name).read_text() for name in made_here} == made_here
    assert not restore_backup(made.path, project=other).left_out, "it is there already"
    assert not (other.root / "detectors" / "__pycache__").exists()
