"""socml doctor: each problem that is planted is told with what to do, and what can be made anew is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from faults import (
    alter_run,
    at,
    cut,
    execute,
    feature_file,
    flip,
    forget_label_table,
    from_the_future,
    label_store,
    locked,
    model_file,
    of_run,
    overwrite,
    part,
    registry,
    run_file,
    scramble,
)
from small_lab import DATASET, FEATURES, MODEL, Said, copy_lab, flows, make_lab, socml

from socml.jobs.health import check_up
from socml.project.leaves import LEAVES
from socml.project.project import Project


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A lab in which all is well; nobody changes it."""
    return make_lab(tmp_path_factory.mktemp("healthy") / "lab")


@pytest.fixture
def lab(healthy: Project, tmp_path: Path) -> Project:
    """A copy of the healthy lab."""
    return copy_lab(healthy, tmp_path / "lab")


def doctor(project: Project, *options: str) -> tuple[Said, dict[str, dict[str, object]]]:
    """Return what the doctor said, and its problems by what they are about."""
    said = socml(project, "doctor", "--json", *options)
    problems = {str(f["what"]): f for f in json.loads(said.out) if not f["ok"]}
    assert said.code == bool(problems)
    assert all(problem["remedy"] for problem in problems.values())
    return said, problems


def test_a_healthy_lab_has_no_problem_and_a_repair_changes_nothing(lab):
    before = {path: path.read_bytes() for path in lab.workspace.rglob("*.parquet")}
    for options in ([], ["--repair"]):
        said, problems = doctor(lab, *options)
        assert problems == {}
        assert said.err == ""
    assert {path: path.read_bytes() for path in lab.workspace.rglob("*.parquet")} == before
    shown = socml(lab, "doctor")
    assert (shown.code, "!!" in shown.out) == (0, False)


def half_copied_model(project: Project) -> None:
    """Leave what a fit that was killed leaves: a version on its way, long ago."""
    folder = project.workspace / "models" / MODEL / ".2.0123abcd"
    folder.mkdir()
    os.utime(folder, (time.time() - 3600,) * 2)


def half_scored(project: Project) -> None:
    """Leave what a scoring that was killed leaves: leaves and no run.json."""
    folder = project.workspace / "scores" / "0123456789abcdef"
    folder.mkdir()
    (folder / LEAVES).write_bytes(b"x")
    os.utime(folder, (time.time() - 3600,) * 2)


def half_written(project: Project) -> None:
    """Leave a temporary file of a process that is gone."""
    feature_file(project).with_name(f".x.parquet.{dead_process()}.0123abcd").write_bytes(b"x")


def half_ingested(project: Project) -> None:
    """Leave a staging folder whose ingest is not running."""
    folder = project.workspace / "staging" / "elsewhere" / "events"
    folder.mkdir(parents=True)
    (folder / "writing").write_bytes(b"x")


def dead_process() -> int:
    """Return the id of a process that has ended."""
    import subprocess

    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


def tomorrow(path: Path) -> None:
    """Date a file a day ahead."""
    os.utime(path, (time.time() + 86400,) * 2)


REPAIRED = [
    ("scores cut", of_run("scores.parquet", cut), "run "),
    ("scores flipped", of_run("scores.parquet", flip), "run "),
    ("scores lost", of_run("scores.parquet", Path.unlink), "run "),
    ("leaves cut", of_run(LEAVES, cut), "run "),
    ("leaves flipped", of_run(LEAVES, flip), "run "),
    ("leaves lost", of_run(LEAVES, Path.unlink), "run "),
    ("explanations", of_run("explanations.parquet", flip), "run "),
    ("features cut", at(feature_file, cut), f"features {FEATURES} of {DATASET}"),
    ("features flipped", at(feature_file, flip), f"features {FEATURES} of {DATASET}"),
    ("model files", at(model_file, cut), f"champion of {MODEL}"),
    ("temporary file", half_written, "leftovers"),
    ("staging folder", half_ingested, "leftovers"),
    ("half a run", half_scored, "leftovers"),
    ("half a model", half_copied_model, "leftovers"),
    ("a file of tomorrow", at(part, tomorrow), "times"),
]


@pytest.mark.parametrize(("plant", "what"), [pytest.param(p, w, id=name) for name, p, w in REPAIRED])
def test_what_can_be_made_anew_is_told_and_repaired(lab, plant, what):
    plant(lab)
    _, problems = doctor(lab)
    assert [name for name in problems if name.startswith(what)] == list(problems)
    assert all(problem["repairable"] for problem in problems.values())
    said, left = doctor(lab, "--repair")
    assert left == {}
    assert said.err.startswith(what)
    assert doctor(lab)[1] == {}
    assert socml(lab, "queue").code == 0


def lose_rows(project: Project) -> None:
    """Take away all that the labelled row could be a row of."""
    for folder in ("events", "features", "scores"):
        shutil.rmtree(project.workspace / folder)


def other_current_label(project: Project) -> None:
    """Let the view of current labels say something else than the events."""
    execute(
        label_store(project),
        "drop view if exists current_label",
        "drop view standing_label",
        "create view standing_label as select * from label_event where 0",
    )


def label_of_tomorrow(project: Project) -> None:
    """Let a label be stored a day ahead, as a machine whose clock is wrong does."""
    import datetime as dt

    from socml.labels import store
    from socml.labels.recording import open_labels

    class Tomorrow(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.now(tz) + dt.timedelta(days=1)

    with pytest.MonkeyPatch.context() as patch, open_labels(project) as opened:
        patch.setattr(store, "datetime", Tomorrow)
        row = opened.current().index[0]
        opened.record([store.NewLabel(str(row), "malicious", client_id="t", dataset=DATASET)])


def other_sql(project: Project) -> None:
    """Change what the feature set selects."""
    path = project.root / "features" / f"{FEATURES}.sql"
    path.write_text(path.read_text().replace("count(*)", "2 * count(*)"))


TOLD = [
    ("store no database", at(label_store, overwrite), "label store", "export"),
    ("store malformed", at(label_store, scramble), "label store", "backup"),
    ("store without its table", forget_label_table, "label store", "backup"),
    ("store of a newer socml", from_the_future, "label store", "message"),
    ("current labels", other_current_label, "current labels", "backup"),
    ("labels of lost rows", lose_rows, f"labels of dataset {DATASET}", "Ingest"),
    ("labels of tomorrow", label_of_tomorrow, "times of labels", "clock"),
    ("part cut", at(part, cut), f"events of {DATASET}", "backup"),
    ("part flipped", at(part, flip), f"events of {DATASET}", "backup"),
    ("run.json cut", of_run("run.json", cut), "run ", "Score again"),
    ("run.json altered", alter_run, "run ", "Score again"),
    ("registry no database", at(registry, overwrite), "model registry", "backup"),
    ("registry malformed", at(registry, scramble), "model registry", "backup"),
    ("no champion", at(registry, lambda p: execute(p, "delete from registered_model_aliases")), "champion", "--promote"),
    ("events of the champion", lambda p: shutil.rmtree(p.workspace / "events"), f"champion of {MODEL}", "Fit again"),
    ("other SQL", other_sql, f"champion of {MODEL}", "Fit again"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "what", "remedy"), [pytest.param(p, w, r, id=name) for name, p, w, r in TOLD])
def test_what_only_a_person_can_mend_is_told_with_what_to_do(lab, plant, what, remedy):
    plant(lab)
    _, problems = doctor(lab)
    told = [problem for name, problem in problems.items() if name.startswith(what)]
    assert told, problems
    assert remedy in str(told[0]["remedy"])
    assert not told[0]["repairable"]
    said, left = doctor(lab, "--repair")
    assert "cannot be repaired from here" in said.err
    assert any(name.startswith(what) for name in left)


def test_a_registry_that_is_locked_is_told(lab, monkeypatch):
    monkeypatch.setattr("socml.models.versions.BUSY_S", 0.05)
    with locked(registry(lab)):
        assert "locked" in str(doctor(lab)[1]["model registry"]["found"])


def test_a_feature_table_that_is_behind_the_events_is_told_and_no_problem(lab):
    flows(lab.root / "more.log", rows=700)
    assert socml(lab, "ingest", "more.log", "--dataset", DATASET).code == 0
    found = {finding.what: finding for finding in check_up(lab)}
    told = found[f"features {FEATURES} of {DATASET}"]
    assert told.ok
    assert told.found.startswith("stale: events have changed")
    doctor(lab, "--repair")
    assert {f.what: f for f in check_up(lab)}[f"features {FEATURES} of {DATASET}"].found == "current"


def test_a_run_whose_features_have_changed_is_not_said_to_be_repaired(lab):
    flip(run_file(lab, "scores.parquet"))
    flows(lab.root / "more.log", rows=700)
    assert socml(lab, "ingest", "more.log", "--dataset", DATASET).code == 0
    said, left = doctor(lab, "--repair")
    assert "was made in its place" in said.err
    assert len(left) == 1


def test_what_a_running_process_is_writing_is_no_leftover(lab):
    feature_file(lab).with_name(f".x.parquet.{os.getpid()}.0123abcd").write_bytes(b"x")
    (lab.workspace / "scores" / "0123456789abcdef").mkdir()
    assert doctor(lab)[1] == {}


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_told(lab, monkeypatch):
    monkeypatch.setattr("socml.jobs.health_machine.LEAST_SPACE", 1 << 62)

    def read_only(**_: object) -> object:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("socml.jobs.health_machine.tempfile.TemporaryFile", read_only)
    _, problems = doctor(lab)
    assert set(problems) == {"space left", "workspace"}
    assert "Read-only file system" in str(problems["workspace"]["found"])


def test_one_problem_hides_no_other(lab):
    overwrite(label_store(lab))
    overwrite(registry(lab))
    cut(part(lab))
    cut(feature_file(lab))
    _, problems = doctor(lab)
    assert {"label store", "model registry", f"events of {DATASET}", f"features {FEATURES} of {DATASET}"} <= set(
        problems
    )
