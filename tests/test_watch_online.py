"""Online models of a watch: each event is scored once, whatever ends the watch, and what is unusual is told once."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from night_lab import MONDAY, flows, lab_in, write_day

from socml.ingestion import ingest
from socml.jobs import AlertBook, OnlineRound, score_new_events, watch, watching_online
from socml.project import Project, RecipeError, list_runs, run_folder, starter_root

MODEL = "online-half-space-trees"


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = lab_in(tmp_path / "lab")
    for name in ("features/flow.sql", "features/source-5min.sql", f"models/{MODEL}.toml"):
        shutil.copy(starter_root() / name, project.root / name)
    return project


def _comes(project: Project, number: int, records: list[dict[str, object]], name: str = "conn") -> None:
    write_day(project, number, records, name)
    ingest([project.root / "logs"], dataset="office", project=project, final=True)


def _odd(number: int) -> dict[str, object]:
    """Return a flow that is like no other."""
    one = dict(flows(number, n=1, seed=99)[0])
    at = (MONDAY + timedelta(days=number, hours=22)).timestamp()
    return {
        **one,
        "ts": at,
        "id.orig_h": "10.0.0.9",
        "id.resp_p": 6667,
        "orig_bytes": 9_000_000_000,
        "duration": 50_000.0,
    }


def _round(project: Project, model: str = MODEL) -> OnlineRound:
    return score_new_events("office", model, project=project)


def _scores(project: Project) -> list[dict[str, object]]:
    """Return the rows of all runs with their scores."""
    columns = ["row_id", "anomaly_score", "percentile", "model_version"]
    return [
        row
        for run in sorted(list_runs(project), key=lambda run: str(run["run_id"]))
        for row in pq.read_table(run_folder(project, run["run_id"]) / "scores.parquet", columns=columns).to_pylist()
    ]


def _kept(project: Project) -> dict[str, bytes]:
    """Return what a watch leaves, without the times at which it did."""
    folder = project.workspace / "online"
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return {
        **files,
        "scores": json.dumps(_scores(project)).encode(),
        "alerts": AlertBook(project, "office").path.read_bytes(),
    }


def _history(project: Project) -> None:
    for number in range(3):
        _comes(project, number, flows(number, n=60))
    _round(project)
    _comes(project, 3, [*flows(3, n=60), _odd(3)])


def test_each_row_is_scored_once_and_what_is_unusual_is_told_once(lab: Project) -> None:
    assert _round(lab) == OnlineRound(MODEL)
    for number in range(3):
        _comes(lab, number, flows(number, n=60))
    first = _round(lab)
    assert (first.rows, first.alerts) == (3 * 60 * 12, 0)
    _comes(lab, 3, [*flows(3, n=60), _odd(3)])
    second = _round(lab)
    assert second.rows == 60 * 12 + 1
    assert second.alerts >= 1
    assert _round(lab) == OnlineRound(MODEL)
    rows = _scores(lab)
    assert len(rows) == len({row["row_id"] for row in rows}) == first.rows + second.rows
    alerts = AlertBook(lab, "office").read()
    assert "10.0.0.9" in {alert.entity for alert in alerts}
    assert len({alert.key for alert in alerts}) == len(alerts) == second.alerts
    assert all(alert.headline("fr") != alert.headline("en") for alert in alerts)
    assert {alert.run_id for alert in alerts} <= {str(run["run_id"]) for run in list_runs(lab)}


def test_events_of_years_ahead_do_not_silence_today(lab: Project) -> None:
    _comes(lab, 10_000, [*flows(10_000), *flows(10_001)], "ahead")
    _history(lab)
    assert _round(lab).alerts >= 1
    assert {row["row_id"] for row in _scores(lab)}
    assert len(_scores(lab)) == 4 * 60 * 12 + 1


def test_late_rows_of_yesterday_are_scored_and_those_before_are_not(lab: Project) -> None:
    _history(lab)
    _round(lab)
    _comes(lab, 2, flows(2, n=2, seed=7), "late")
    assert _round(lab).rows == 24
    _comes(lab, 0, flows(0, n=2, seed=8), "later")
    assert _round(lab).rows == 0


@pytest.mark.parametrize("step", ["_write", "_alerts", "_save_run"])
def test_a_watch_that_is_killed_goes_on_as_if_it_had_not_been(lab: Project, step: str) -> None:
    _history(lab)
    other = Project(root=lab.root, workspace=lab.root / "other")
    shutil.copytree(lab.workspace, other.workspace)
    _round(other)
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(lab, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    _round(lab)
    assert _kept(lab) == _kept(other)


def _killed(project: Project, step: str) -> None:
    setattr(watching_online._Watched, step, lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL))
    _round(project)


def test_a_window_is_scored_once_it_is_over(lab: Project) -> None:
    (lab.root / "models" / "windows.toml").write_text(
        'about = "x"\nmode = "online"\ndetector = "half-space-trees"\nfeatures = "source-5min"\n'
    )
    records = flows(0, n=30)
    _comes(lab, 0, records)
    rows = _round(lab, "windows").rows
    newest = max(float(str(record["ts"])) for record in records)
    windows = {(record["id.orig_h"], float(str(record["ts"])) // 300) for record in records}
    assert rows == len([1 for _, window in windows if (window + 1) * 300 <= newest // 300 * 300])
    _comes(lab, 1, flows(1, n=1))
    assert _round(lab, "windows").rows >= len(windows) - rows


def test_a_model_that_is_not_online_is_refused(lab: Project) -> None:
    with pytest.raises(RecipeError, match="not of an online model"):
        watch("office", project=lab, seconds=0, online=["daily"])


def test_a_watch_scores_what_its_round_has_read(lab: Project) -> None:
    write_day(lab, 0, flows(0))
    done = watch("office", project=lab, seconds=0, online=[MODEL])
    assert done.scored == done.added == 12 * 12


def test_a_watch_counts_what_its_online_models_told(lab: Project) -> None:
    for number in range(3):
        _comes(lab, number, flows(number, n=60))
    _round(lab)
    write_day(lab, 3, [*flows(3, n=60), _odd(3)])
    done = watch("office", project=lab, seconds=0, online=[MODEL])
    told = AlertBook(lab, "office").read()
    assert done.alerts == len(told)
    assert any(alert.model_version.startswith(MODEL) for alert in told)
