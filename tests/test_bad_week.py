"""A bad week: each planted problem is named by `socml status` alone, on its day and of its source; a good week is quiet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from night_lab import MONDAY, after, flows, lab_in, night, write_day
from typer.testing import CliRunner

from socml.cli import app
from socml.features import Column
from socml.jobs import night_status
from socml.jobs.day_checks import problems_of
from socml.jobs.day_profile import ColumnProfile, DayProfile, SourceProfile
from socml.jobs.drift import drift_of, score_summary, summaries_of
from socml.project import CheckSettings, ConfigurationError, Project, night_settings

SETTINGS = CheckSettings()


def a_day(number: int, **changes: object) -> DayProfile:
    columns = {"source_bytes": ColumnProfile(1000, "int64", 2500.0), "extra.vlan": ColumnProfile(500, "number", 7.0)}
    source = SourceProfile(1000, 60.0, 86_000.0, columns)
    day = (MONDAY + timedelta(days=number)).date()
    return DayProfile(str(day), "v", {"logs/conn.log": replace(source, **changes)})


def found(today: DayProfile, before: list[DayProfile] | None = None) -> list[tuple[str, str]]:
    problems = problems_of(today, before or [a_day(n) for n in range(4)], SETTINGS)
    return [(problem.check, problem.text) for problem in problems]


def columns(**changed: ColumnProfile | None) -> dict[str, ColumnProfile]:
    now = {**a_day(4).sources["logs/conn.log"].columns, **changed}
    return {name: one for name, one in now.items() if one is not None}


@pytest.mark.parametrize(
    ("changes", "check", "said"),
    [
        ({"rows": 3001}, "volume", "3,001 events, 3.0 × the 1,000 of a usual day"),
        ({"rows": 330}, "volume", "330 events"),
        ({"last": 86_000.0 - 6.1 * 3600}, "silent-source", "no event after 17:47, and until 23:53"),
        ({"first": 7 * 3600.0}, "silent-source", "no event before 07:00"),
        ({"columns": columns(new=ColumnProfile(30, "text"))}, "schema", "column new is new (30 of 1,000 rows)"),
        ({"columns": columns(source_bytes=None)}, "schema", "column source_bytes is gone"),
        ({"columns": columns(source_bytes=ColumnProfile(1000, "string"))}, "schema", "is string, and was int64"),
        ({"columns": columns(**{"extra.vlan": ColumnProfile(500, "text")})}, "schema", "extra.vlan is text"),
        ({"columns": columns(source_bytes=ColumnProfile(1000, "int64", 2.5e6))}, "units", "another unit (× 1,000)"),
        ({"columns": columns(source_bytes=ColumnProfile(1000, "int64", 2.5))}, "units", "another unit (÷ 1,000)"),
    ],
)
def test_what_is_wrong_with_a_day_is_told_once_and_by_name(changes, check: str, said: str) -> None:
    ((name, text),) = found(a_day(4, **changes))
    assert name == check
    assert said in text


def test_a_column_that_only_working_days_fill_is_not_gone_at_a_weekend() -> None:
    working = [a_day(n) for n in range(5)]
    gone = {"columns": columns(**{"extra.vlan": None})}
    assert found(a_day(5, **gone), working) == []
    weekend = [a_day(n, **gone) for n in (5, 6)]
    assert found(a_day(7, **gone), [*working, *weekend]) == [
        ("schema", "column extra.vlan is gone (it had a value in 50% of the rows)")
    ]
    assert found(a_day(12, **gone), [*working, a_day(5), a_day(6)]) == [
        ("schema", "column extra.vlan is gone (it had a value in 50% of the rows)")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rows": 2999},
        {"rows": 340},
        {"last": 86_000.0 - 5.9 * 3600},
        {"columns": columns(rare=ColumnProfile(19, "text"))},
        {"columns": columns(source_bytes=ColumnProfile(1000, "int64", 2500.0 * 290))},
    ],
)
def test_what_is_just_within_is_not_told(changes) -> None:
    assert found(a_day(4, **changes)) == []


def test_a_source_that_is_silent_all_day_is_told_and_one_that_comes_now_and_then_is_not() -> None:
    nothing = DayProfile(a_day(4).day, "v", {})
    assert [check for check, _ in found(nothing)] == ["silent-source"]
    sometimes = [a_day(0), nothing, nothing, a_day(3)]
    assert found(nothing, sometimes) == []


def test_a_first_weekend_is_not_compared_with_working_days() -> None:
    week = [a_day(n) for n in range(5)]
    assert found(a_day(5, rows=100), week) == []
    assert [c for c, _ in found(a_day(12, rows=10), [*week, a_day(5), a_day(6)])] == ["volume"]


def test_nothing_is_compared_before_there_is_history() -> None:
    assert found(a_day(2, rows=10**6), [a_day(0), a_day(1)]) == []


def test_drift_is_told_by_its_effect_whatever_the_number_of_rows() -> None:
    column = Column("flows", "s", "source", "volume", 0, 1, False, "", "", "")
    rng = np.random.default_rng(0)

    def day(n: int, mean: float) -> dict:
        roles = np.array(["source inside"] * n, object)
        return summaries_of([column], roles, np.exp(rng.normal(mean, 1, (n, 1))))

    for n in (200, 20_000):
        before = [day(n, 5.0) for _ in range(5)]
        assert drift_of("feature-drift", "d", day(n, 5.3), before, SETTINGS) == []
        (problem,) = drift_of("feature-drift", "d", day(n, 6.2), before, SETTINGS)
        assert problem.effect == pytest.approx(1.2, abs=0.2)
        assert f"n = {n:,}" in problem.text
    assert drift_of("feature-drift", "d", day(99, 9.0), before, SETTINGS) == []
    few, many = (score_summary(np.arange(1000) < k) for k in (20, 700))
    (problem,) = drift_of("score-drift", "d", {"the list": many}, [{"the list": few}] * 3, SETTINGS)
    assert "70.0% of the rows have a value, and 2.0% had" in problem.text


def test_a_column_that_remembers_is_compared_with_three_days_and_once_there_is_a_week() -> None:
    def day(share: float) -> dict:
        return {"rare": score_summary((np.arange(1000) < 1000 * share).astype(float))}

    fading = [day(1 - 0.08 * n) for n in range(10)]  # as more and more was seen before, by itself
    now = day(0.2)
    assert drift_of("feature-drift", "d", now, fading, SETTINGS, remembering=["rare"]) == []
    assert len(drift_of("feature-drift", "d", now, fading, SETTINGS)) == 1
    assert len(drift_of("feature-drift", "d", day(0.9), fading, SETTINGS, remembering=["rare"])) == 1
    assert drift_of("feature-drift", "d", day(0.0), fading[:6], SETTINGS, remembering=["rare"]) == []


def bad_week(project: Project) -> None:
    """Four good days; then a unit changes, a column is new, a burst, a source goes silent, and lines are broken."""
    for day in range(14):
        if day % 7 >= 5:
            continue
        records = flows(day)
        if day == 7:
            records = flows(day, orig_bytes=2_500_000)
        if day == 8:
            records = [{**r, "vlan": 12} for r in records]
        if day == 9:
            records += flows(day, n=60, seed=1)
        if day != 10:
            write_day(project, day, flows(day, n=6, seed=5), name="conn-b")
        path = write_day(project, day, records)
        if day == 11:
            with path.open("a") as file:
                file.write('{"_path": "conn", "ts": "yesterday"}\n' * 5)
        night(project, day)


def test_status_alone_names_each_problem_of_a_bad_week(tmp_path: Path, monkeypatch) -> None:
    project = lab_in(tmp_path, sets=("daily-scan",))
    monkeypatch.setenv("SOCML_PROJECT", str(tmp_path))
    monkeypatch.delenv("SOCML_WORKSPACE", raising=False)
    bad_week(project)
    lines = night_status(project, days=7, now=after(11))
    told = {(line.what, line.day, line.text.split(":")[0].split()[-1]) for line in lines if not line.ok and line.day}
    conn, other = "logs/conn.log", "logs/conn-b.log"
    assert ("units", "2026-03-09", conn) in told
    assert ("schema", "2026-03-10", conn) in told
    assert ("volume", "2026-03-11", conn) in told
    assert ("silent-source", "2026-03-12", other) in told
    assert any(line.what == "quarantine" and not line.ok and "5 of 221" in line.text for line in lines)
    assert not [t for t in told if t[1] < "2026-03-09"]
    shown = CliRunner().invoke(app, ["status", "--days", "7"])
    assert shown.exit_code == 1
    for word in ("units", "schema", "volume", "silent-source", "quarantine"):
        assert any(line.startswith("!!") and word in line for line in shown.stdout.splitlines()), word
    plain = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert {"dataset", "what", "ok", "text", "day", "n"} == set(plain[0])


def test_a_day_that_is_delivered_under_two_names_is_told_once_and_by_both(tmp_path: Path) -> None:
    project = lab_in(tmp_path, sets=("daily-scan",))
    first = write_day(project, 0, flows(0))
    assert night(project, 0).is_well
    write_day(project, 0, flows(0), "again")
    report = night(project, 0)
    ((check, subject, text),) = [(problem.check, problem.subject, problem.text) for problem in report.problems]
    assert (check, subject) == ("copies", "logs/again.2026-03-02.log")
    assert f"the same bytes as logs/{first.name}" in text
    assert not night(project, 0).problems
    assert [line.text for line in night_status(project, now=after(0)) if line.what == "copies"] == [
        f"{subject}: {text}"
    ]
    with pytest.raises(ConfigurationError, match="stop_on"):
        night_settings(lab_in(tmp_path / "other", '[nightly]\nstop_on = ["copies"]', sets=("daily-scan",)))


def test_a_check_that_is_to_stop_a_night_does_until_a_person_accepts(tmp_path: Path) -> None:
    project = lab_in(tmp_path, '[nightly]\nstop_on = ["units"]', sets=("daily-scan",))
    for day in range(4):
        write_day(project, day, flows(day))
        night(project, day)
    write_day(project, 4, flows(4, orig_bytes=2_500_000))
    for _ in range(2):
        stopped = night(project, 4)
        assert "units of logs/conn.log 2026-03-06" in stopped.stopped
        assert stopped.listed == []
    assert any(line.what == "stopped" and not line.ok for line in night_status(project, now=after(4)))
    assert night(project, 4, accept=frozenset({"units"})).listed == ["2026-03-06"]
    assert not night(project, 4).stopped


def test_events_that_stop_coming_are_told_and_logs_of_years_ago_are_not(tmp_path: Path) -> None:
    project = lab_in(tmp_path, sets=("daily-scan",))
    write_day(project, 0, flows(0))
    assert night(project, 900).problems == []
    write_day(project, 901, flows(901))
    assert [p.check for p in night(project, 901).problems] == []
    (late,) = night(project, 903).problems
    assert (late.check, late.text) == ("lag", "the newest event is 55 hours old")


def test_a_night_that_did_not_come_is_told(tmp_path: Path) -> None:
    project = lab_in(tmp_path, sets=("daily-scan",))
    write_day(project, 0, flows(0))
    night(project, 0)
    from datetime import UTC, datetime

    (line,) = (x for x in night_status(project, now=datetime.now(UTC) + timedelta(hours=31)) if x.what == "last night")
    assert not line.ok
    assert "31 hours ago" in line.text
