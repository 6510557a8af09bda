"""The simulator's Windows events, fingerprints and silences, and that no single column gives an attack away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from socml.ingestion import ingest
from socml.project import ConfigurationError, Project, open_events, starter_root
from socml.simulator import SimulatedLogs, simulate


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> SimulatedLogs:
    return simulate(tmp_path_factory.mktemp("logs"), seed=9, days=2, hosts=12, scale=0.3, noise=True)


def records(logs: SimulatedLogs, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (logs.folder / name).read_text().splitlines()]


def test_windows_events_are_read_with_host_account_and_chain(logs: SimulatedLogs, tmp_path: Path) -> None:
    project = Project(root=starter_root(), workspace=tmp_path)
    result = ingest([str(logs.folder / "windows.json")], dataset="w", project=project, final=True)
    assert result.added == logs.events["windows.json"]
    events = open_events(project, "w").to_table().to_pandas()
    started = events[events["event_action"] == "process_started"]
    assert len(started) > 100
    assert started[["host_name", "user_name", "process_name", "process_parent_name"]].notna().all().all()
    assert {"logon", "service_installed", "log_cleared", "user_added"} <= set(events["event_action"])


def test_windows_events_are_in_the_order_of_time(logs: SimulatedLogs) -> None:
    times = [record["TimeCreated"] for record in records(logs, "windows.json")]
    assert times == sorted(times)


def test_tls_clients_have_a_fingerprint_that_some_share(logs: SimulatedLogs) -> None:
    text = (logs.folder / "ssl.2026-03-02.log").read_text().splitlines()
    names = next(line for line in text if line.startswith("#fields")).split("\t")[1:]
    rows = [dict(zip(names, line.split("\t"), strict=True)) for line in text if not line.startswith("#")]
    users: dict[str, set[str]] = {}
    for row in rows:
        assert len(row["ja3"]) == 32
        users.setdefault(row["ja3"], set()).add(row["id.orig_h"])
    assert max(len(of) for of in users.values()) > 3
    assert min(len(of) for of in users.values()) < 3 < len(users)


def test_a_silenced_server_says_nothing_until_the_next_morning(tmp_path: Path) -> None:
    logs = simulate(tmp_path, seed=3, days=3, hosts=4, scale=0.2)
    stamps = []
    for line in (logs.folder / "auth.log").read_text().splitlines():
        if line[16:].startswith("db1 "):
            moment = datetime.strptime("2026 " + line[:15], "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
            stamps.append(moment.timestamp())
    gaps = np.diff(np.sort(stamps))
    assert gaps.max() > 18 * 3600
    assert np.sort(gaps)[-2] < 2 * 3600  # cron writes each hour otherwise


def test_a_tiny_organisation_with_noise_is_simulated_too(tmp_path: Path) -> None:
    assert simulate(tmp_path, seed=301, days=1, hosts=2, scale=0.02, noise=True).attacks


@pytest.mark.parametrize("hosts", [2, 40])
def test_next_to_no_traffic_is_simulated_too(tmp_path, hosts):
    found = simulate(tmp_path, days=1, scale=1e-9, hosts=hosts, noise=True)
    assert found.events["conn.2026-03-02.log"] > 1000
    assert found.truth.is_file()


@pytest.mark.parametrize(
    "wrong",
    [{"days": 1.5}, {"days": True}, {"hosts": None}, {"scale": "2"}, {"seed": "x"}, {"seed": 1.5}, {"start": None}],
)
def test_what_is_no_number_or_day_is_told(tmp_path, wrong):
    with pytest.raises(ConfigurationError, match=repr(next(iter(wrong.values())))):
        simulate(tmp_path, **wrong)
