"""Names too long, disks full, folders closed: one sentence each, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from damage_lab import check, verbs
from faults import (
    feature_file,
    part,
)
from patience import PATIENCE_S
from small_lab import DATASET, FEATURES, MODEL, copy_lab, first_row, socml

from socml.project.errors import ConfigurationError
from socml.project.project import Project, read_project
from socml.project.workspace import open_events

LONG = "n" * 300


@pytest.mark.parametrize(
    "command",
    [
        ("ingest", "conn.log", "--dataset", LONG),
        ("features", LONG, DATASET),
        ("features", FEATURES, LONG),
        ("fit", LONG, DATASET),
        ("fit", MODEL, LONG),
        ("score", LONG, DATASET),
        ("score", MODEL, LONG),
        ("score", MODEL, DATASET, "--version", LONG),
        ("run", LONG),
        ("queue", "--run", LONG),
        ("explain", LONG),
        ("explain", "x", "--run", LONG),
        ("label", LONG, "benign"),
        ("label", "ROW", "benign", "--by", LONG),
        ("labels", "export", f"{LONG}.csv"),
        ("labels", "import", f"{LONG}.csv"),
        ("labels", "import", "labels.csv", "--dataset", LONG),
        ("compare", LONG, LONG),
        ("errors", "--validation", LONG),
    ],
    ids=lambda command: " ".join(part[:12] for part in command),
)
def test_a_name_that_is_too_long_is_one_sentence(damageable, command):
    verbs(damageable)
    said = socml(damageable, *(first_row(damageable) if part == "ROW" else part for part in command))
    if command[:2] == ("labels", "import") and "--dataset" in command:
        assert said.code == 0  # a label's own row is refused, and counted
        assert "no such row" in said.out
        return
    assert said.code in {2, 3}, said
    check(said, said.code)
    assert len(said.err.rstrip().splitlines()[-1]) < 1000


@contextmanager
def no_room(bytes_: int) -> Iterator[None]:
    """Let no file grow beyond some bytes, as a disk that is full: works for any user, in any container."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


WRITERS = ("ingest", "features", "fit", "score", "label", "undo", "import", "export", "run")


@pytest.mark.parametrize("verb", WRITERS)
def test_a_file_that_cannot_grow_is_one_sentence_and_loses_nothing(damageable, verb):
    command = verbs(damageable)[verb]
    if verb in {"features", "score", "run"}:
        feature_file(damageable).unlink()
    before = _stored(damageable)
    with no_room(512):
        check(socml(damageable, *command), 75, "full")
    assert _stored(damageable) == before
    check(socml(damageable, *command), 0)


@pytest.fixture
def small_disk(whole_lab: Project, tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=12m", "socml", str(folder)], check=False)
    if not done or done.returncode:
        pytest.skip("no disk can be mounted here: this needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("verb", WRITERS)
def test_a_full_disk_is_one_sentence_and_loses_nothing(whole_lab, small_disk, verb):
    project = copy_lab(whole_lab, small_disk / "lab")
    command = verbs(project)[verb]
    if verb in {"features", "score", "run"}:
        feature_file(project).unlink()
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        _fill(file.fileno())
    said = socml(project, *command)
    assert said.code == 75 or (said.code == 0 and verb in {"label", "undo", "import", "export"}), said
    check(said, said.code, *(["full"] if said.code else []))
    filler.unlink()
    check(socml(project, *command), 0)
    check(socml(project, "queue"), 0)


@pytest.mark.parametrize("verb", WRITERS)
def test_a_workspace_that_is_read_only_is_one_sentence(whole_lab, small_disk, verb):
    project = copy_lab(whole_lab, small_disk / "lab")
    command = verbs(project)[verb]
    if verb in {"features", "score", "run"}:
        feature_file(project).unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        check(socml(project, *command), 2)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_sentence(damageable):
    (damageable.workspace / "features" / DATASET).chmod(0o500)
    feature_file(damageable).chmod(0)
    check(socml(damageable, "features", FEATURES, DATASET), 2, "may not be read or written")


def test_output_that_cannot_be_written_is_one_sentence(damageable):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "socml", "labels", "family", "list", "--json"],
            cwd=damageable.root, stdout=full, stderr=subprocess.PIPE, text=True, timeout=3 * PATIENCE_S, check=False,
        )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (75, False), done.stderr
    assert "full" in done.stderr


def test_what_was_not_foreseen_is_one_sentence_that_says_how_to_see_more(damageable, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("socml.review.Triage.__init__", broken)
    said = socml(damageable, "queue")
    assert said.code == 1
    assert "not foreseen" in said.err
    assert "SOCML_DEBUG=1" in said.err
    monkeypatch.setenv("SOCML_DEBUG", "1")
    with pytest.raises(IndexError):
        socml(damageable, "queue")


def test_changed_sql_is_an_error_until_the_model_is_fitted_again(damageable):
    recipe = damageable.root / "features" / f"{FEATURES}.sql"
    text = recipe.read_text()
    recipe.write_text(text.replace('"flows of the source in the hour"', '"flows an hour"'))
    check(socml(damageable, "score", MODEL, DATASET), 0)
    recipe.write_text(text.replace("count(*) as flows", "2 * count(*) as flows"))
    check(socml(damageable, "score", MODEL, DATASET), 4, "has changed since", "socml fit source-odd office --promote")
    check(socml(damageable, "fit", MODEL, DATASET, "--promote"), 0)
    check(socml(damageable, "score", MODEL, DATASET), 0)


def test_truth_that_lies_among_the_parts_is_never_read_as_events(damageable):
    import pyarrow as pa

    from socml.project.stored import write_table

    rows = open_events(damageable, DATASET).count_rows()
    truth = pa.table({"event_id": ["a", "b"], "malicious": [True, False]})
    write_table(part(damageable).with_name("truth.parquet"), truth)
    assert open_events(damageable, DATASET).count_rows() == rows
    write_table(part(damageable).with_name("truth-2.parquet"), truth)
    assert open_events(damageable, DATASET).count_rows() == rows, "no manifest names it"


def test_a_recipe_that_may_not_be_read_is_one_sentence(damageable, monkeypatch):
    read = Path.read_bytes

    def forbidden(path: Path) -> bytes:
        if path.suffix == ".sql":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    check(socml(damageable, "features", FEATURES, DATASET), 2, f"{FEATURES}.sql may not be read or written")


def test_too_long_a_name_is_refused_before_anything_is_written(tmp_path):
    from socml.project.workspace import safe_name

    assert safe_name("n" * 150)
    with pytest.raises(ConfigurationError, match="151 characters; at most 150"):
        safe_name("n" * 151)


def _stored(project: Project) -> dict[str, bytes]:
    """Return the finished tables: what must be as before when a write fails."""
    read_project(project.root)
    folders = [project.workspace / name for name in ("events", "scores")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def _fill(number: int) -> None:
    for size in (1 << 20, 1 << 12, 1):
        try:
            while True:
                os.write(number, json.dumps("x").encode() * (size // 3 + 1))
        except OSError:
            continue
