"""What the verbs of nights answer: of the dataset that was meant, of the newest day, of what waits now, and once."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from night_lab import Quiet, after, flows, lab_in, night, scan, write_day
from small_lab import socml

from socml.ingestion import ingest_files
from socml.jobs import (
    AlertBook,
    Night,
    NightLog,
    Policy,
    metrics_text,
    night_status,
    nightly,
    preview_policy,
    send_alerts,
    watch,
)
from socml.jobs.alert_policy import alerting, rows_needed
from socml.jobs.night_state import last_reports, nights_folder
from socml.labels import record_label
from socml.project import ConfigurationError, DataError, Project, SocmlError, read_project

CLOSED = '[sinks.chat]\nkind = "webhook"\nurl = "http://127.0.0.1:9/hook"\n'  # the port of discard: nobody is there


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socml.jobs.outbox.time.sleep", lambda _: None)


def lab_with_alerts(folder: Path, more: str = "") -> Project:
    """Return a project after three nights, the last two of which told of a scan."""
    project = lab_in(folder, more)
    for day, records in enumerate([flows(0), flows(1) + scan(1), flows(2) + scan(2, "10.0.0.7")]):
        write_day(project, day, records)
        night(project, day, send=False)
    assert AlertBook(project, "office").read()
    return project


def waiting(project: Project) -> list[str]:
    return [line for line in metrics_text(project).splitlines() if line.startswith("socml_alerts_waiting{")]


@pytest.mark.parametrize(
    "words",
    [
        ["threshold", "set", "offcie", "--alerts-a-day", "3"],
        ["alerts", "offcie"],
        ["alerts", "offcie", "--send"],
        ["quarantine", "offcie"],
        ["nightly", "offcie", "--dry-run"],
    ],
)
def test_a_dataset_that_there_is_not_is_a_slip_and_nothing_is_written(tmp_path: Path, words: list[str]) -> None:
    project = lab_in(tmp_path / "p")
    done = socml(project, *words)
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'office'?" in done.err
    assert not (project.workspace / "nights" / "offcie").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["threshold", "set", "--alerts-a-day", "3"],
        ["threshold", "preview"],
        ["alerts"],
        ["watch", "--seconds", "0"],
    ],
)
def test_of_several_datasets_none_is_taken_for_the_one_that_was_meant(tmp_path: Path, words: list[str]) -> None:
    project = lab_in(tmp_path / "p", '[sources.plant]\npaths = ["other"]\n')
    done = socml(project, *words)
    assert (done.code, done.out) == (2, "")
    assert "Name one of [sources]: office, plant." in done.err
    assert not (project.workspace / "nights").exists()


def test_without_a_sink_nothing_can_be_sent_and_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"write \[sinks.NAME\]"):
        send_alerts("office", project=lab_in(tmp_path))


def test_days_from_the_later_to_the_earlier_are_an_error_and_not_a_night_that_does_nothing(tmp_path: Path) -> None:
    done = socml(lab_in(tmp_path / "p"), "nightly", "--from", "2026-03-07", "--to", "2026-03-01")
    assert (done.code, done.out) == (2, "")
    assert "--from 2026-03-07 is after --to 2026-03-01" in done.err
    assert Night(first=after(0).date(), last=after(0).date()).first == after(0).date()


def test_lists_that_are_made_again_up_to_an_earlier_day_are_no_logs_that_stopped(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    for day in range(5):
        write_day(project, day, flows(day))
        night(project, day)
    first = after(-1).date()
    again = night(project, 4, first=first, last=first)
    assert again.listed == [first.isoformat()]
    assert again.problems == []
    assert [one.check for one in night(project, 6, first=first, last=first).problems] == ["lag"]  # it is the fourth day


@pytest.mark.parametrize("stops", ["[]", '["lag"]'])  # what stops a night says how many hours that is so by now
def test_a_problem_that_goes_on_is_one_report_of_a_watch_and_not_one_a_minute(stops: str, tmp_path: Path) -> None:
    project = lab_in(tmp_path, f"[nightly]\nstop_on = {stops}\n")
    write_day(project, 0, flows(0))
    night(project, 0)
    folder = nights_folder(project, "office")

    def watched(hours: int) -> list[str]:
        now = after(0) + timedelta(days=3, hours=hours)
        nightly("office", project=project, night=Night(now=now, today=True), log=NightLog(f"w{hours}", stream=Quiet()))
        return [",".join(one.check for one in report.problems) for report in last_reports(folder, 99)]

    assert watched(0) == ["", "lag"]
    assert watched(1) == watched(2) == ["", "lag"]
    audited = (project.workspace / "audit.jsonl").read_text().count('"what": "night"')
    assert audited == 2
    write_day(project, 3, flows(3))
    assert watched(3) == ["", "lag", ""]  # and that it is over is told once too


def test_prometheus_is_told_what_waits_now_whatever_the_last_night_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lab_with_alerts(tmp_path, CLOSED)
    n = len(AlertBook(project, "office").read())
    of = 'socml_alerts_waiting{dataset="office",sink="chat"}'
    assert waiting(project) == [f"{of} {n}"]  # the nights sent nothing, and did not try
    monkeypatch.setattr("socml.jobs.sinks.webhook.Webhook.send", lambda *_: "")
    assert [(one.sent, one.waiting) for one in send_alerts("office", project=project)] == [(n, 0)]
    assert waiting(project) == [f"{of} 0"]
    assert f"{of} 0\n" in (project.workspace / "metrics" / "socml.prom").read_text()


def test_nothing_waits_for_a_sink_that_is_new(tmp_path: Path) -> None:
    project = lab_with_alerts(tmp_path)
    path = tmp_path / "socml.toml"
    path.write_text(path.read_text() + CLOSED)
    project = read_project(tmp_path)
    (line,) = [line for line in night_status(project) if line.what == "sink chat"]
    assert (line.ok, line.text) == (True, "all alerts are sent")
    assert [(one.sent, one.waiting) for one in send_alerts("office", project=project)] == [(0, 0)]


def test_what_is_said_of_an_alert_does_not_unmake_it_in_the_preview(tmp_path: Path) -> None:
    project = lab_with_alerts(tmp_path)

    def previewed() -> list[tuple[int, int, int]]:
        days = preview_policy("office", None, project=project)[1]
        return [(day.alerts, day.labelled, day.malicious) for day in days]

    before = previewed()
    told = [alert for alert in AlertBook(project, "office").read() if alert.day == "2026-03-04"]
    assert before[2] == (len(told), 0, 0)
    for alert in told:
        record_label(alert.row_id, "benign", dataset="office", run_id=alert.run_id, by="alice", project=project)
    night(project, 2, send=False)
    assert previewed() == [*before[:2], (len(told), len(told), 0)]


def test_a_packed_file_with_nothing_in_it_is_passed_over_as_a_plain_one_is(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    (tmp_path / "logs" / "eve.json.2.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "logs" / "eve.json.1").write_bytes(b"")
    (tmp_path / "logs" / "cut.log.gz").write_bytes(gzip.compress(b"x" * 99)[:12])
    report = night(project, 0)
    assert [reason.split(":")[0] for reason in report.failed_files] == ["logs/cut.log.gz"]
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    (alone,) = ingest_files(tmp_path / "empty.gz", dataset="other", project=project).failed
    assert alone.reason == "empty.gz is empty: it has 0 bytes."


@pytest.mark.parametrize("words", [["simulate", ""], ["ingest", "", "-d", "x"], ["run", "daily", ""], ["init", ""]])
def test_an_empty_path_is_a_variable_that_was_not_set_and_not_this_folder(tmp_path: Path, words: list[str]) -> None:
    project = lab_in(tmp_path / "p")
    write_day(project, 0, flows(0))
    before = sorted(tmp_path.rglob("*"))
    done = socml(project, *words)
    assert done.code == 2
    assert "empty; write . for this folder" in done.err
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and path not in before] == []
    with pytest.raises(SocmlError, match="paths"):
        night(lab_in(tmp_path / "q", '[sources.plant]\npaths = [""]\n'), 0)


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--days", "9999999999"],
        ["simulate", "a", "--days", "99999999"],
        ["simulate", "a", "--seed", "-1"],
        ["run", "daily", "office", "--top", "-2"],
        ["peek", "a", "-n", "-2"],
        ["app", "--port", "99999999"],
        ["watch", "office", "--seconds", "-5"],
    ],
)
def test_a_number_out_of_range_is_told_before_anything_is_done(tmp_path: Path, words: list[str]) -> None:
    done = socml(lab_in(tmp_path / "p"), *words)
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{words[-2].replace('-n', '--events')}" in done.err


def test_a_responder_that_there_is_not_is_told_before_a_case_is_asked_for(tmp_path: Path) -> None:
    done = socml(lab_in(tmp_path / "p"), "respond", "C1")
    assert done.code == 2
    assert "There is no responder called 'C1'." in done.err


def test_an_alert_names_its_role_in_the_words_of_the_list(tmp_path: Path) -> None:
    alert = AlertBook(lab_with_alerts(tmp_path), "office").read()[0]
    assert alert.role == "source inside"
    assert alert.headline().startswith(f"{alert.entity} (source inside): ")
    assert alert.headline("fr").startswith(f"{alert.entity} (source interne): ")
    assert replace(alert, role="account inside").whom() == f"{alert.entity} (account)"
    assert replace(alert, role="flow").whom("fr") == f"{alert.entity} (flow)"  # of an online model


def test_a_first_night_that_failed_was_a_night_and_status_says_why_it_is_not_done(tmp_path: Path) -> None:
    project = lab_in(tmp_path / "p")
    assert socml(project, "nightly").code == 3
    done = socml(project, "status")
    assert done.code == 1
    assert "logs holds no files" in " ".join(done.out.split())


def test_an_address_that_cannot_be_listened_on_is_told_before_the_first_round(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    write_day(project, 0, flows(0))
    with pytest.raises(ConfigurationError, match="not an address to listen on"):
        watch("office", project=project, address="nowhere", seconds=0)
    assert not (project.workspace / "events").exists()


def test_the_text_of_a_night_tells_of_what_was_removed_and_put_into_quarantine_too(tmp_path: Path) -> None:
    project = lab_in(tmp_path / "p", "max_bad_share = 1.0\n[nightly]\nkeep_events_days = 1\n")
    for day in range(4):
        write_day(project, day, flows(day))
    path = write_day(project, 4, flows(4))
    path.write_text(path.read_text() + "{not json\n")
    out = socml(project, "nightly", "office").out
    assert "  1 records in quarantine: socml quarantine office\n" in out
    assert "  removed: events before 2026-03-05: 3 parts\n" in out


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("error", [DataError("the disk has a hole"), KeyboardInterrupt()])
def test_a_night_that_did_not_come_to_its_end_is_not_ok(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, first: bool
) -> None:
    project = lab_in(tmp_path / "p")
    write_day(project, 0, flows(0))
    if not first:
        night(project, 0, send=False)

    def fail(*_: object, **__: object) -> None:
        raise error

    def ok() -> list[str]:
        text = (project.workspace / "metrics" / "socml.prom").read_text()
        return [line for line in text.splitlines() if line.startswith("socml_night_ok{")]

    monkeypatch.setattr("socml.jobs.night_run.open_listing", fail)
    with pytest.raises(type(error)):
        night(project, 1, send=False)
    assert ok() == ['socml_night_ok{dataset="office"} 0']
    monkeypatch.undo()
    night(project, 1, send=False)
    assert ok() == ['socml_night_ok{dataset="office"} 1']


def test_a_rate_that_no_single_row_can_meet_yet_says_what_it_lacks(tmp_path: Path) -> None:
    project = lab_with_alerts(tmp_path / "p")
    _, days = preview_policy("office", Policy(false_discovery_rate=0.001), project=project)
    assert [one.alerts for one in days] == [0, 0, 0]
    assert [one.lacking for one in days] == [0, 999, 998], "the first day has no row at all, the others one"
    done = socml(project, "threshold", "preview", "office", "--fdr", "0.001")
    assert "On 2 of these days no single row could alert" in done.err
    assert f"{days[-1].lacking:,} more" in done.err
    assert not any(one.lacking for one in preview_policy("office", Policy(alerts_a_day=3), project=project)[1])


def test_a_single_row_alerts_from_as_many_earlier_rows_on_as_is_said() -> None:
    scores = np.array([9.0, *[0.5] * 19])
    policy = Policy(false_discovery_rate=0.1)
    needed = rows_needed(policy, len(scores))
    before = np.linspace(0.6, 1.0, needed)
    assert alerting(policy, scores, [before]).tolist() == [True, *[False] * 19]
    assert not alerting(policy, scores, [before[1:]]).any()
