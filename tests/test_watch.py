"""Watching: files that grow and messages that come are in today's list within a round; nothing is told twice."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from night_lab import MONDAY, flows, lab_in, scan
from patience import wait_until

from socml.jobs import AlertBook, Night, NightReport, night_status, nightly, watch
from socml.project import Project, UnknownName, event_parts


def moved_to_now(records: list[dict[str, object]]) -> str:
    """Return records as lines of today, all of them past."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    past = max(datetime.now(UTC).timestamp() - midnight, 1.0) / 86_400
    lines = [{**r, "ts": midnight + (float(str(r["ts"])) - MONDAY.timestamp()) * past} for r in records]
    return "".join(json.dumps(line) + "\n" for line in lines)


def stored(project: Project) -> int:
    return sum(part.rows for part in event_parts(project, "office"))


def test_a_file_that_grows_is_in_todays_list_and_is_told_once(tmp_path: Path) -> None:
    project, path = lab_in(tmp_path), tmp_path / "logs" / "conn.log"
    path.write_text(moved_to_now(flows(0, n=3)))
    stop, reports = threading.Event(), []

    def after_a_round(report: NightReport) -> None:
        reports.append(report)
        if len(reports) == 1:
            with path.open("a") as file:
                file.write(moved_to_now(scan(0)))
        if len(reports) == 4:
            stop.set()

    done = watch("office", project=project, every=0.01, stop=stop, on_round=after_a_round)
    assert (done.rounds, done.added, stored(project)) == (4, 96, 96)
    assert [report.added for report in reports] == [36, 60, 0, 0]
    assert [bool(report.listed) for report in reports] == [True, True, False, False]
    assert [report.alerts for report in reports[2:]] == [0, 0]
    keys = [alert.key for alert in AlertBook(project, "office").read()]
    assert len(keys) == len(set(keys)) == done.alerts >= 1
    assert not [line for line in night_status(project) if line.what == "volume" and not line.ok]


def test_a_day_that_was_watched_is_looked_at_once_it_is_over(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    (tmp_path / "logs" / "conn.log").write_text(moved_to_now(flows(0, n=3)))
    watch("office", project=project, seconds=0)
    checks = project.workspace / "nights" / "office" / "checks"
    assert not list(checks.glob("*.json"))
    nightly("office", project=project, night=Night(now=datetime.now(UTC) + timedelta(days=1)))
    assert [path.stem for path in checks.glob("*.json")] == [f"{datetime.now(UTC):%Y-%m-%d}"]


def test_messages_are_received_while_files_are_followed_and_sigterm_ends_it(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    (tmp_path / "logs" / "conn.log").write_text(moved_to_now(flows(0, n=1)))
    command = [sys.executable, "-m", "socml", "watch", "office", "--every", "1", "--listen", "udp://127.0.0.1:0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = 0
        for line in process.stderr:
            if "Listening on" in line:
                port = int(line.split("port ")[1].split(".")[0])
                break
        threading.Thread(target=process.stderr.read, daemon=True).start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            text = f"<38>1 {now} web sshd 1 - - Accepted publickey for ana from 10.0.0.3 port 50022 ssh2"
            sender.sendto(text.encode(), ("127.0.0.1", port))
        wait_until((project.workspace / "events" / "office" / "manifest.json").is_file)
        wait_until(lambda: stored(project) >= 12)
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        assert process.wait(600) == 0
    assert "rounds" in said
    assert stored(project) == 13


def test_a_new_dataset_may_begin_with_what_is_received(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = f"<38>1 {now} web sshd 1 - - Accepted publickey for ana from 10.0.0.3 port 50022 ssh2"

    def send(host: str, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), (host, port))

    done = watch("syslog", project=project, every=0.01, seconds=0.3, address="udp://127.0.0.1:0", on_ready=send)
    assert done.rounds > 1
    assert len(event_parts(project, "syslog")) == 1
    watch("syslog", project=project, seconds=0)
    with pytest.raises(UnknownName, match="sislog"):
        watch("sislog", project=project, seconds=0)
