"""A clock that was wrong for a while: what it dated is not the newest for ever, and nothing is removed or kept by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import make_project, make_run
from night_lab import after, flows, lab_in, night, write_day

from socml.jobs import metrics_text, night_state, night_status
from socml.jobs.night_state import NightReport, NightState, keep_report, last_reports, nights_folder
from socml.jobs.retraining import _holds
from socml.labels import accounts
from socml.labels.store import LabelStore
from socml.project import Project, audit, event_parts, list_runs, read_project, write_run

AHEAD = timedelta(days=400)
PASSWORD = "correct horse battery"


def a_night(project: Project, at: datetime, added: int) -> None:
    text = at.isoformat(timespec="seconds")
    report = NightReport(f"{at:%Y%m%dT%H%M%S}-0", "office", text, finished=text, added=added)
    keep_report(nights_folder(project, "office"), report)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = lab_in(tmp_path / "lab", sets=("daily-scan",))
    for day in range(3):
        write_day(made, day, flows(day, n=4))
        night(made, day)
    return made


def test_a_night_whose_clock_was_ahead_is_the_last_only_until_the_next(project: Project, monkeypatch) -> None:
    now, folder = datetime.now(UTC), nights_folder(project, "office")
    a_night(project, now + AHEAD, 7)
    (line,) = (one for one in night_status(project) if one.what == "last night")
    assert not line.ok
    assert "that is 9,600 hours ahead of this machine's clock" in line.text
    a_night(project, now - AHEAD, 8)
    a_night(project, now, 9)
    assert [one.added for one in last_reports(folder, 3)] == [7, 8, 9]
    assert 'socml_night_events_added{dataset="office"} 9' in metrics_text(project)
    (line,) = (one for one in night_status(project) if one.what == "last night")
    assert line.ok
    monkeypatch.setattr(night_state, "MOST_REPORTS", 2)
    a_night(project, now - AHEAD, 10)
    assert [one.added for one in last_reports(folder, 9)] == [9, 10]


def test_reports_of_an_earlier_socml_come_before(project: Project) -> None:
    folder = nights_folder(project, "office")
    for path in (folder / "reports").iterdir():
        path.rename(path.with_name("20990101T000000-0.json"))
    a_night(project, datetime.now(UTC), 9)
    assert [one.added for one in last_reports(folder, 2)][-1] == 9


def test_what_is_too_old_does_not_go_by_a_day_that_has_not_come(project: Project) -> None:
    path = project.root / "socml.toml"
    path.write_text(path.read_text() + "\n[nightly]\nkeep_events_days = 30\n")
    folder = nights_folder(project, "office")
    state = NightState.read(folder)
    state.watermark = "2027-06-01"
    state.versions["2027-06-01"] = "x"
    state.write(folder)
    assert night(read_project(project.root), 2).removed == []
    assert len(event_parts(project, "office")) == 3
    assert NightState.read(folder).watermark == "2026-03-04"


def test_problems_of_a_day_that_has_not_come_hide_none_of_the_days_that_have(project: Project) -> None:
    write_day(project, 3, flows(3, n=4)[:5])
    night(project, 3)
    checks = nights_folder(project, "office") / "checks"
    wrong = [line for line in night_status(project, now=after(3)) if line.day]
    assert wrong
    (checks / "2027-06-01.json").write_bytes((checks / "2026-03-02.json").read_bytes())
    assert [line for line in night_status(project, now=after(3)) if line.day] == wrong


def test_a_run_that_a_clock_dated_ahead_is_not_the_newest(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    first = make_run(project).run_id
    (run,) = list_runs(project)
    write_run(project, {**run, "finished": (datetime.now(UTC) + AHEAD).isoformat(timespec="seconds")})
    folder = project.workspace / "scores"
    (folder / "later").mkdir()
    for path in (folder / first).iterdir():
        (folder / "later" / path.name).write_bytes(path.read_bytes())
    write_run(project, {**run, "run_id": "later", "finished": datetime.now(UTC).isoformat(timespec="seconds")})
    assert [one["run_id"] for one in list_runs(project)] == ["later", first]


def test_a_promotion_that_came_later_is_told_whatever_its_clock_said(project: Project) -> None:
    for champion, time in (("2", datetime.now(UTC) + AHEAD), ("1", datetime.now(UTC))):
        audit(project, "promoted", model="m", champion=champion, time=time.isoformat(timespec="seconds"))
    (line,) = (one for one in night_status(project) if one.what == "model m")
    assert line.text.startswith("version 1 scores")


@pytest.mark.parametrize(("days", "holds"), [(400, True), (-400, True), (10, False)])
def test_a_model_that_was_fitted_while_the_clock_was_ahead_gets_old(
    days: int, holds: bool, project, monkeypatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr("socml.jobs.retraining._fitted", lambda champion, project: now - timedelta(days=days))
    assert _holds("age>30d", None, "office", project, now)[0] == holds  # type: ignore[arg-type]


def test_a_session_that_began_while_the_clock_was_ahead_does_not_last_until_then(monkeypatch) -> None:
    real = accounts.now
    with LabelStore("sqlite://") as store:
        store.accounts.make("ana", "analyst", PASSWORD, by="setup")
        monkeypatch.setattr(accounts, "now", lambda connection: real(connection) + AHEAD)
        token = store.accounts.sign_in("ana", PASSWORD)
        monkeypatch.setattr(accounts, "now", real)
        assert store.accounts.of(token) is None
        token = store.accounts.sign_in("ana", PASSWORD)
        monkeypatch.setattr(accounts, "now", lambda connection: real(connection) - timedelta(minutes=5))
        assert store.accounts.of(token) is not None


def test_a_clock_that_was_ahead_locks_nobody_out(monkeypatch) -> None:
    with LabelStore("sqlite://") as store:
        store.accounts.make("ana", "analyst", PASSWORD, by="setup")
        monkeypatch.setattr("socml.labels.journal.now", lambda connection: datetime.now(UTC) + AHEAD)
        for _ in range(accounts.TRIES):
            with pytest.raises(Exception, match="do not fit"):
                store.accounts.sign_in("ana", "wrong")
        monkeypatch.undo()
        assert store.accounts.sign_in("ana", PASSWORD)
