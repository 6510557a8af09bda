"""What package managers write: no hosts among their verbs, and records that leave lines out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from socml.formats._guess import guessed_row
from socml.formats._times import Clock
from socml.ingestion import peek

HISTORY = """
Start-Date: 2026-05-01  10:00:00
Commandline: apt-get install -y nmap
Requested-By: bob (1000)
Install: nmap:amd64 (7.93, automatic)
End-Date: 2026-05-01  10:00:05

Start-Date: 2026-05-02  11:00:00
Commandline: apt remove x
Remove: x:amd64 (1)
End-Date: 2026-05-02  11:00:02
"""


def test_a_history_of_apt_is_one_event_a_run(tmp_path: Path) -> None:
    path = tmp_path / "history.log"
    path.write_text(HISTORY, encoding="utf-8")
    found = peek(path)
    first, second = found.to_dict()["events"]
    assert (found.records - sum(found.skipped.values()), found.parsed) == (2, 2)
    assert first["time"] == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert (first["user_name"], first["process_command_line"]) == ("bob", "apt-get install -y nmap")
    assert (second.get("user_name"), second["process_command_line"]) == (None, "apt remove x")


@pytest.mark.parametrize(
    "line", ["install nmap:amd64 <none> 7.93", "status half-installed nmap:amd64 7.93", "startup archives unpack"]
)
def test_the_verbs_of_dpkg_are_no_hosts(line: str, tmp_path: Path) -> None:
    path = tmp_path / "dpkg.log"
    path.write_text(f"2026-05-01 10:00:00 {line}\n" * 3, encoding="utf-8")
    for event in peek(path).to_dict()["events"]:
        assert event["time"] == datetime(2026, 5, 1, 10, tzinfo=UTC)
        assert (event.get("host_name"), event.get("process_name")) == (None, None)
        assert line.endswith(event["message"])


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ("bob (1000)", "bob"),
        ("root(uid=0)", "root"),
        ("CORP\\ann (S-1-5-21-7-8)", "CORP\\ann"),
        ("ann (admin)", "ann (admin)"),
    ],
)
def test_a_users_number_is_no_part_of_the_name(written: str, user: str) -> None:
    assert (
        guessed_row({"user": written, "time": "2026-05-01T10:00:00Z"}, Clock(None, None, None))[0]["user_name"] == user
    )
