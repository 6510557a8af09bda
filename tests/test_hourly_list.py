"""socml.features.hourly_tables and jobs.hourly_listing: the daily columns by hour, and the list of a day's hours."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from daily_events import built, flow, project_in, store

from socml.cli.daily import run_hours
from socml.features import entity_hours
from socml.features.daily_tables import DailyTables
from socml.jobs import entity_hour_table, hourly_list, open_listing
from socml.project import Project, load_model_recipe

SETS = ("daily-volume", "daily-edge")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_in(tmp_path)


def hours_of(project: Project, tables: DailyTables, day: str) -> dict[int, pd.DataFrame]:
    at = next(d for d in tables.days if str(d) == day)
    names = [name for recipe in tables.recipes for name in recipe.columns]
    return {
        hour.begin.hour: pd.DataFrame(hour.rows.values, index=hour.rows.entity, columns=names)
        for hour in entity_hours(tables, at, "office", project=project)
    }


def calls(day: str, hour: int, source: str, destination: str, n: int) -> list[dict]:
    return [flow(f"{day}T{hour:02}:{minute:02}:00Z", source, destination) for minute in range(n)]


def test_an_hour_counts_its_own_events_alone(project: Project) -> None:
    store(project, calls("2026-03-02", 9, "10.0.0.1", "8.8.8.8", 5) + calls("2026-03-02", 11, "10.0.0.1", "8.8.8.8", 7))
    hours = hours_of(project, built(project, *SETS), "2026-03-02")
    assert {hour: rows.loc["10.0.0.1", "flows_1d"] for hour, rows in hours.items()} == {9: 5, 11: 7}


def test_what_was_new_at_nine_is_known_at_ten(project: Project) -> None:
    store(
        project,
        calls("2026-03-01", 9, "10.0.0.1", "10.0.0.7", 1)
        + calls("2026-03-02", 9, "10.0.0.2", "10.0.0.8", 1)
        + calls("2026-03-02", 10, "10.0.0.2", "10.0.0.8", 1)
        + calls("2026-03-02", 10, "10.0.0.3", "10.0.0.8", 1),
    )
    hours = hours_of(project, built(project, *SETS), "2026-03-02")
    assert hours[9].loc["10.0.0.2", "new_inside_edges"] == 1
    assert hours[10].loc["10.0.0.2", "new_inside_edges"] == 0
    assert hours[10].loc["10.0.0.3", "new_inside_edges"] == 0.5  # two sources by then


def test_a_later_hour_never_changes_an_earlier_row_and_a_late_event_is_taken_in(project: Project) -> None:
    store(project, calls("2026-03-02", 9, "10.0.0.1", "8.8.8.8", 5))
    before = hours_of(project, built(project, *SETS), "2026-03-02")[9]
    store(project, calls("2026-03-02", 10, "10.0.0.2", "8.8.8.8", 3), part="b")
    after = hours_of(project, built(project, *SETS), "2026-03-02")
    pd.testing.assert_frame_equal(after[9], before)
    assert after[10].loc["10.0.0.2", "flows_1d"] == 3


def test_the_hours_of_a_rebuild_have_the_same_bytes(tmp_path: Path) -> None:
    first = calls("2026-03-01", 9, "10.0.0.1", "10.0.0.7", 6)
    second = calls("2026-03-02", 9, "10.0.0.1", "10.0.0.8", 6) + calls("2026-03-02", 15, "10.0.0.2", "10.0.0.8", 9)
    files = []
    for name, parts in (("once", [first + second]), ("grown", [first, second])):
        project = project_in(tmp_path / name)
        for number, part in enumerate(parts):
            store(project, part, part=f"p{number}")
            tables = built(project, *SETS)
            for day in tables.days:
                entity_hours(tables, day, "office", project=project)
        tables_of_hours = [pd.read_parquet(path) for path in sorted((tables.folder / "hours").glob("*.parquet"))]
        files.append(pd.concat(tables_of_hours, ignore_index=True))
    pd.testing.assert_frame_equal(files[0], files[1], check_exact=True)


def test_the_list_of_the_hours_has_a_scan_first_in_its_hour(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = [
        event
        for day in ("2026-03-02", "2026-03-03")
        for hour in (9, 10, 11)
        for n in range(1, 31)
        for event in calls(day, hour, f"10.0.0.{n}", "8.8.8.8", 2)
    ]
    scan = [flow(f"2026-03-03T10:30:{n:02}Z", "10.0.0.5", f"10.0.1.{n}", 445, "S0") for n in range(1, 41)]
    store(project, usual + scan)
    model = load_model_recipe("daily", project).model_copy(update={"feature_sets": ["daily-scan", "daily-volume"]})
    listing = open_listing("office", project=project, model=model)
    hours = {hour.begin.hour: hour.frame() for hour in hourly_list("office", project=project, listing=listing)}
    assert sorted(hours) == [9, 10, 11]
    assert hours[10]["entity"].iloc[0] == "10.0.0.5"
    assert "10.0.0.5" not in set(hours[11]["entity"])
    monkeypatch.setattr("socml.cli.daily.find_project", lambda: project)
    monkeypatch.setattr("socml.jobs.open_listing", lambda *_, **__: listing)
    run_hours("daily", [Path("office")], json_=True)
    printed = json.loads(capsys.readouterr().out)["hours"]
    assert printed[1]["list"][0]["entity"] == "10.0.0.5"
    run_hours("daily", [Path("office")])
    assert "10.0.0.5" in capsys.readouterr().out
    table = entity_hour_table("office", project=project, model=model)
    assert table["failed_destinations_1d"].idxmax() == "2026-03-03T10 10.0.0.5"
