"""A night: what is new, once; the same bytes as if all had been made at once, or as if nothing had been killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from night_lab import flows, lab_in, night, outcome, scan, write_day

from socml.features import daily_tables
from socml.ingestion import days, ingest_files
from socml.jobs import Night, planned
from socml.jobs.daily_listing import Judged, open_listing, rank_days, read_judged
from socml.jobs.night_lock import night_lock
from socml.jobs.ranked_days import RankedDays
from socml.labels import open_labels, record_label
from socml.project import DataError, Project, TryLater, event_parts, write_json


class Killed(BaseException):
    """The process is gone: nothing catches this."""


def at_once(project: Project, folder: Path) -> Project:
    """Return the same logs in a project of their own, after one night."""
    other = lab_in(folder)
    shutil.copytree(project.root / "logs", other.root / "logs", dirs_exist_ok=True)
    return other


def made_of_days(project: Project) -> dict[str, bytes]:
    """Return what nights made, without alerts: a first night tells none of history."""
    return {name: value for name, value in outcome(project).items() if not name.startswith("alerts/")}


def test_nights_with_a_late_file_give_the_bytes_of_one_night_over_all(tmp_path: Path) -> None:
    project = lab_in(tmp_path / "a")
    for day in range(4):
        write_day(project, day, flows(day) + (scan(day) if day == 3 else []))
        if day == 2:
            write_day(project, 1, flows(1, n=2, seed=9), name="late")
        assert [int(d[-2:]) - 2 for d in night(project, day).listed] == ([day] if day != 2 else [1, 2])
    other = at_once(project, tmp_path / "b")
    assert len(night(other, 3).listed) == 4
    assert made_of_days(project) == made_of_days(other)


def test_a_second_night_over_the_same_files_reads_makes_and_tells_nothing(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    night(project, 0)
    write_day(project, 1, flows(1) + scan(1))
    assert night(project, 1).alerts >= 1
    before = outcome(project)
    again = night(project, 1)
    assert (again.added, again.listed, again.alerts, again.built) == (0, [], 0, 0)
    assert outcome(project) == before


def test_a_night_reads_the_parts_of_its_own_day_even_after_parts_were_merged(tmp_path: Path, monkeypatch) -> None:
    project = lab_in(tmp_path)
    for hour in range(9):  # nine small files of one day: eight of their parts are merged
        path = write_day(project, 0, flows(0, n=1, seed=hour), name=f"conn{hour}")
        ingest_files([path], dataset="office", project=project, final=True)
        if hour in {4, 8}:
            night(project, 0)
    assert len(event_parts(project, "office")) < 9
    write_day(project, 1, flows(1))
    read: list[Path] = []
    real = daily_tables.parquet_sql
    monkeypatch.setattr(daily_tables, "parquet_sql", lambda files: read.extend(files) or real(files))
    assert night(project, 1).built == 1
    assert {path.name for path in read} == {p.file for p in event_parts(project, "office") if p.day == "2026-03-03"}


def test_the_day_that_is_not_over_is_listed_when_it_is_or_when_asked_for(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    write_day(project, 1, flows(1))
    assert night(project, 0).listed == ["2026-03-02"]
    assert night(project, 0, today=True).listed == ["2026-03-03"]


def test_a_backfill_makes_the_days_that_are_named_again_and_the_same(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    for day in range(3):
        write_day(project, day, flows(day))
    night(project, 2)
    before = outcome(project)
    shutil.rmtree(project.workspace / "scores")
    listed = night(project, 2, first=date(2026, 3, 2), last=date(2026, 3, 3)).listed
    assert listed == ["2026-03-02", "2026-03-03"]
    night(project, 2, first=date(2026, 3, 4))
    assert outcome(project) == before


def test_a_dry_run_says_what_it_would_do_and_changes_no_byte(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    night(project, 0)
    write_day(project, 1, flows(1))
    before = {path: path.read_bytes() for path in project.workspace.rglob("*") if path.is_file()}
    plan = planned("office", project=project)
    assert [Path(name).name for name in plan.files] == ["conn.2026-03-03.log"]
    assert (plan.build, plan.watermark, plan.again) == ([], "2026-03-02", ())
    assert planned("office", project=project, night=Night(first=date(2026, 3, 1))).again == ("2026-03-02",)
    assert planned("office", project=project, night=Night(first=date(2026, 3, 3))).again == ()
    assert {path: path.read_bytes() for path in project.workspace.rglob("*") if path.is_file()} == before


def test_one_night_at_a_time_and_the_lock_of_a_killed_one_is_taken_over(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from socml.jobs.night_lock import night_lock\n"
        "with night_lock(Path(sys.argv[1]), 'office'): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TryLater, match=rf"process {holder.pid}, since 20"), night_lock(tmp_path, "office"):
            pass
        holder.send_signal(signal.SIGKILL)
    with night_lock(tmp_path, "office"):
        assert json.loads((tmp_path / "lock").read_text())["process"] == os.getpid()


@pytest.mark.parametrize("seed", range(2))
def test_killed_before_any_write_and_done_again_it_gives_the_same_bytes(tmp_path: Path, monkeypatch, seed: int) -> None:
    calm, shaken = lab_in(tmp_path / "calm"), lab_in(tmp_path / "shaken")
    real, left = Path.replace, [10**9]

    def replace(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    kills = 0
    for day in range(3):
        for project in (calm, shaken):
            write_day(project, day, flows(day) + (scan(day) if day else []))
        left[0] = 10**9
        night(calm, day)
        for step in range(60):
            left[0] = 3 * seed + 5 * step
            try:
                night(shaken, day)
            except Killed:
                kills += 1
            else:
                break
    assert kills > 5
    assert outcome(calm) == outcome(shaken)


@pytest.mark.parametrize("family", ["", "scan"])
@pytest.mark.parametrize("verdict", ["benign", "malicious"])
def test_labels_change_the_days_after_them_as_if_all_had_been_ranked_again(
    verdict: str, family: str, tmp_path: Path
) -> None:
    project = lab_in(tmp_path)
    for day, scans in enumerate(([], scan(1, n=30), scan(2, n=90) + scan(2, "10.0.0.5"))):
        write_day(project, day, flows(day) + scans)
        night(project, day)
    listing = open_listing("office", project=project)
    ranked = list(rank_days(listing.tables, listing.columns, judged=Judged(), context=listing.context))
    first = ranked[1].row_id[ranked[1].order[0]]
    if family:
        with open_labels(project) as store:
            store.reasons.give(first, family, verdict, by="ana", client_id="a", dataset="office")
    else:
        record_label(first, verdict, dataset="office", by="ana", project=project)
    judged = read_judged("office", project)
    assert {**judged.labels, **judged.reasons} == {(first, family) if family else first: verdict == "malicious"}
    assert [str(day) for day in RankedDays(listing, judged).stale()] == ["2026-03-03", "2026-03-04"]
    assert night(project, 2).listed == ["2026-03-03", "2026-03-04"]
    whole = list(rank_days(listing.tables, listing.columns, judged=judged, context=listing.context))
    assert (whole[2].learned.score != ranked[2].learned.score).sum() == 2
    remembered = RankedDays(listing, judged)
    assert remembered.stale() == []
    again = list(remembered.rank(date(2026, 3, 4)))
    assert again[0].learned.score.tolist() == whole[2].learned.score.tolist()
    assert [one.tolist() for one in again[0].recent] == [one.tolist() for one in whole[2].recent]
    assert night(project, 2).listed == []


def test_a_damaged_memory_is_made_anew_and_gives_the_same(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    for day in range(3):
        write_day(project, day, flows(day))
    night(project, 1)
    path = project.workspace / "daily" / "office" / "ranked" / "2026-03-02.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert night(project, 2).listed == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert path.read_bytes() == whole


def test_a_state_of_an_earlier_socml_is_built_again(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    night(project, 0)
    before = outcome(project)
    write_json(project.workspace / "daily" / "office" / "state.json", {"meanings": "x", "files": {}, "parts": {}})
    assert night(project, 0).built == 1
    assert outcome(project) == before


def test_a_manifest_of_an_earlier_socml_is_read_and_its_parts_get_days_as_they_are_merged(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    night(project, 0)
    before = made_of_days(project)
    path = project.workspace / "events" / "office" / "manifest.json"
    said = json.loads(path.read_text())
    del said["kept_from"]
    said |= {"version": 1, "parts": [{k: v for k, v in p.items() if k not in {"day", "origin"}} for p in said["parts"]]}
    path.write_text(json.dumps(said))
    night(project, 0)
    assert made_of_days(project) == before
    write_day(project, 1, flows(1))
    assert night(project, 1).listed == ["2026-03-03"]
    assert {part.day for part in event_parts(project, "office")} == {"", "2026-03-03"}
    assert json.loads(path.read_text())["version"] == 2
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))
    with pytest.raises(DataError, match="later socml"):
        night(project, 1)


def test_a_dataset_that_fails_stops_no_other(tmp_path: Path, monkeypatch) -> None:
    from typer.testing import CliRunner

    from socml.cli import app

    project = lab_in(tmp_path, '[sources.broken]\npaths = ["nowhere"]')
    write_day(project, 0, flows(0))
    monkeypatch.setenv("SOCML_PROJECT", str(tmp_path))
    monkeypatch.delenv("SOCML_WORKSPACE", raising=False)
    done = CliRunner().invoke(app, ["nightly", "--json"])
    assert isinstance(done.exception, DataError)
    assert "nowhere" in str(done.exception)
    assert [report["dataset"] for report in json.loads(done.stdout)] == ["office"]


def test_events_of_many_days_stay_together_and_each_day_of_them_is_read_rightly(tmp_path: Path, monkeypatch) -> None:
    project, apart = lab_in(tmp_path / "a"), lab_in(tmp_path / "b")
    text = "".join(json.dumps(record) + "\n" for day in range(2) for record in flows(day, n=4))
    for one in (project, apart):
        (one.root / "logs" / "conn.log").write_text(text)
    night(apart, 1)
    monkeypatch.setattr(days, "MOST_DAYS", 1)
    assert night(project, 1).listed == ["2026-03-02", "2026-03-03"]
    assert [part.day for part in event_parts(project, "office")] == [""]
    assert [part.day for part in event_parts(apart, "office")] == ["2026-03-02", "2026-03-03"]
    assert made_of_days(project) == made_of_days(apart)
