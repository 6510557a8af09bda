"""Every verb × every fault: an exit code of the documented ones, one sentence that says what to do, never a wrong result."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from faults import (
    Fault,
    alter_run,
    at,
    cut,
    empty,
    execute,
    feature_file,
    flip,
    forget_label_table,
    from_the_future,
    label_store,
    locked,
    model_file,
    of_events,
    of_run,
    overwrite,
    part,
    registry,
    run_file,
    scramble,
)
from patience import PATIENCE_S
from small_lab import DATASET, FEATURES, MODEL, Said, copy_lab, first_row, flows, make_lab, socml

from socml.labels import database
from socml.project.errors import ConfigurationError, DataError
from socml.project.project import Project, read_project
from socml.project.workspace import list_runs, open_events, read_run

DOCUMENTED = {0, 1, 2, 3, 4, 75}


@pytest.fixture(scope="session")
def whole_lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A lab that went down the line once; nobody changes it."""
    return make_lab(tmp_path_factory.mktemp("whole") / "lab")


@pytest.fixture
def damageable(whole_lab: Project, tmp_path: Path) -> Project:
    """A copy of the lab."""
    return copy_lab(whole_lab, tmp_path / "lab")


def verbs(project: Project) -> dict[str, tuple[str, ...]]:
    """Return a command line of each verb that reads or writes the workspace."""
    row, run = first_row(project), str(list_runs(project)[0]["run_id"])
    (project.root / "labels.csv").write_text(f"row_id,verdict\n{row},malicious\n")
    flows(project.root / "more.log", rows=700)
    return {
        "ingest": ("ingest", "more.log", "--dataset", DATASET),
        "features": ("features", FEATURES, DATASET),
        "fit": ("fit", MODEL, DATASET),
        "score": ("score", MODEL, DATASET),
        "explain": ("explain", row),
        "queue": ("queue", "-n", "3"),
        "label": ("label", row, "malicious"),
        "undo": ("label", "--undo", "--by", "ana"),
        "export": ("labels", "export", "out.csv"),
        "import": ("labels", "import", "labels.csv", "--dataset", DATASET),
        "report": ("labels", "report"),
        "families": ("labels", "family", "list"),
        "compare": ("compare", run, run),
        "run": ("run", "first"),
    }


def check(said: Said, code: int, *texts: str) -> None:
    """The command ended with this code and one sentence, in which the texts are."""
    assert said.code == code, said
    assert "Traceback" not in said.out + said.err
    assert "not foreseen" not in said.err
    last = said.err.rstrip().splitlines()[-1] if said.err.strip() else ""
    if code:
        assert last.startswith("socml: "), said
        assert said.out == ""
    for text in texts:
        assert text in (last if code else said.err), said


SCORES = "socml score source-odd office --version 1"
BUILT_AGAIN = "It is built again"
CASES: list[tuple[str, Fault, dict[str, tuple[int, str]]]] = [
    *[
        (
            f"{name} {how.__name__}",
            of_run(name, how),
            {"queue": (3, SCORES), "label": (3, SCORES), "undo": (3, SCORES), "score": (0, "")},
        )
        for name in ("scores.parquet", "leaves.npy")
        for how in (cut, flip, empty)
    ],
    *[
        (
            f"run.json {name}",
            fault,
            {"queue": (3, "run.json"), "label": (3, "run.json"), "explain": (3, "run.json"), "score": (0, "")},
        )
        for name, fault in [
            ("cut", of_run("run.json", cut)),
            ("empty", of_run("run.json", empty)),
            ("altered", alter_run),
            ("no object", of_run("run.json", lambda path: path.write_text("[1]"))),
        ]
    ],
    *[
        (
            f"features {how.__name__}",
            at(feature_file, how),
            {"features": (0, BUILT_AGAIN), "score": (0, BUILT_AGAIN), "fit": (0, BUILT_AGAIN), "run": (0, BUILT_AGAIN)},
        )
        for how in (cut, flip, empty)
    ],
    ("explanations", of_run("explanations.parquet", flip), {"queue": (0, "explained again"), "explain": (0, "again")}),
    *[
        (f"part {how.__name__}", of_events(how), dict.fromkeys(("features", "score"), (3, "read the dataset's files anew")))
        for how in (cut, empty, overwrite)
    ],
    *[
        (
            f"labels {name}",
            fault,
            dict.fromkeys(("queue", "label", "undo", "export", "import", "report", "families"), (code, text)),
        )
        for name, fault, code, text in [
            ("no database", at(label_store, overwrite), 3, "socml labels import"),
            ("malformed", at(label_store, scramble), 3, "socml labels import"),
            ("without its table", forget_label_table, 3, "label_event"),
            ("of a newer socml", from_the_future, 2, "Upgrade socml"),
        ]
    ],
    *[
        (f"registry {name}", fault, {"score": (4, "mlflow.db"), "fit": (4, "mlflow.db"), "queue": (0, "")})
        for name, fault in [
            ("no database", at(registry, overwrite)),
            ("malformed", at(registry, scramble)),
        ]
    ],
    ("model", at(model_file, cut), {"score": (4, "source-odd/1"), "queue": (0, "")}),
    (
        "no champion",
        at(registry, lambda path: execute(path, "delete from registered_model_aliases")),
        {"score": (2, "no version of source-odd called 'champion'")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "verb", "code", "text"),
    [
        pytest.param(fault, verb, code, text, id=f"{name}-{verb}")
        for name, fault, expected in CASES
        for verb, (code, text) in expected.items()
    ],
)
def test_a_damaged_file_is_one_sentence_or_made_anew(damageable, fault, verb, code, text):
    command = verbs(damageable)[verb]
    fault(damageable)
    check(socml(damageable, *command), code, text)


def test_what_is_made_anew_is_what_it_was(damageable):
    paths = [run_file(damageable, name) for name in ("scores.parquet", "leaves.npy")]
    before = [path.read_bytes() for path in (*paths, feature_file(damageable))]
    for path in (*paths, feature_file(damageable)):
        flip(path)
    check(socml(damageable, "score", MODEL, DATASET), 0)
    assert [path.read_bytes() for path in (*paths, feature_file(damageable))] == before


def test_no_flipped_bit_of_a_stored_table_is_ever_read_as_data(damageable):
    from socml.project.stored import read_table

    for path in (run_file(damageable, "scores.parquet"), feature_file(damageable)):
        whole, table = path.read_bytes(), read_table(path)
        for place in range(0, len(whole), max(len(whole) // 300, 1)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
            with suppress(DataError):
                assert read_table(path).equals(table)
        path.write_bytes(whole)


def test_the_newest_run_is_not_silently_another_when_one_is_damaged(damageable):
    healthy = read_run(damageable)
    other = damageable.workspace / "scores" / "other"
    shutil.copytree(run_file(damageable, "run.json").parent, other)
    (other / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"other/run.json is damaged"):
        read_run(damageable)
    assert read_run(damageable, str(healthy["run_id"])) == healthy
    assert [run["run_id"] for run in list_runs(damageable)] == [healthy["run_id"]]


@pytest.mark.parametrize("verb", ["queue", "label", "export", "import"])
def test_a_locked_label_store_is_tried_later(damageable, verb, monkeypatch):
    monkeypatch.setattr(database, "BUSY_MS", 50)
    command = verbs(damageable)[verb]
    with locked(label_store(damageable)):
        check(socml(damageable, *command), 75, "label store", "locked")


def test_a_locked_label_store_is_waited_for_once_and_not_once_an_attempt(damageable, monkeypatch):
    attempts = []

    class Counting(sqlite3.Connection):
        def execute(self, sql, *rest):
            attempts.append(sql)
            return super().execute(sql, *rest)

    monkeypatch.setattr(database, "BUSY_MS", 50)
    with (
        locked(label_store(damageable)),
        closing(sqlite3.connect(label_store(damageable), factory=Counting)) as waiting,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        database._prepare_sqlite(waiting, None)
    assert sum("journal_mode" in sql for sql in attempts) < 5


@pytest.mark.parametrize("verb", ["score", "fit", "run"])
def test_a_locked_registry_is_tried_later(damageable, verb, monkeypatch):
    monkeypatch.setattr("socml.models.versions.BUSY_S", 0.05)
    command = verbs(damageable)[verb]
    with locked(registry(damageable)):
        check(socml(damageable, *command), 75, "registry", "locked")


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
    read = Path.read_text

    def forbidden(path: Path, *arguments: object, **named: object) -> str:
        if path.suffix == ".sql":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", forbidden)
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
