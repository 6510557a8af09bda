"""How often an event happened is counted by the log's own count, whatever log it came from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from daily_events import logon, project_in, store

from socml.features.daily_tables import day_connection
from socml.project.workspace import event_files


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ({"event_count": 5}, 5),
        ({"extra": [("repeated", "4")]}, 4),  # of events that were stored before there was a column
        ({"event_count": 0}, 1),
        ({"event_count": 10**15}, 1_000_000),
        ({}, 1),
    ],
)
def test_an_event_counts_as_often_as_its_log_says(said: dict[str, Any], times: int, tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [logon("2026-03-01T10:00:00Z", "192.0.2.1", "web", "bob", "failure", **said)])
    with day_connection(event_files(project, "office"), date(2026, 3, 1), project=project) as connection:
        assert connection.execute("select repeats from meanings").fetchall() == [(times,)]
