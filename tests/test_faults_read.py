"""Each small input that went wrong → the right values, as its MANIFEST says; every fault stands for a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek
from socml.project import DatasetRecipe

# file → how many events, and values of the first (or of every event, where a list)
READ: dict[str, tuple[int, dict[str, Any]]] = {
    "quoted_newline.csv": (101, {"user": ["u0"]}),
    "quoted_newline_crlf.csv": (30, {}),
    "application_levels.log": (10, {"event_severity": [10, 40, 60], "host_name": [None]}),
    "mail_rejects.log": (8, {"source_ip": ["192.0.2.110"], "event_outcome": ["failure"] * 8, "host_name": [None]}),
    "zone_after_time.log": (6, {"time": ["2026-02-25T17:04:00.008000+00:00"], "host_name": [None]}),
    "windows_two_clocks.jsonl": (5, {"time": [f"2026-03-02T10:00:0{n}.123000+00:00" for n in range(5)]}),
    "server_errors.log": (
        6,
        {
            "source_ip": ["192.0.2.20", "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10", "192.0.2.11"],
            "user_name": ["carol", "dave", "erin", "frank", "grace"],
            "event_outcome": ["failure"] * 6,
            "time": ["2026-02-12T18:43:40.160521+00:00", "2026-02-15T16:23:00+00:00", "2026-02-15T16:24:10+00:00"],
        },
    ),
    "audit_numbers.log": (2, {"extra.old": ["64", "8192"]}),
    "no_header_numbers.csv": (6, {}),
    "no_header_domains.csv": (3, {}),
    "pipe_times.log": (8, {}),
    "blank_rows.csv": (3, {}),
    "unknown_tool.jsonl": (
        6,
        {
            "source_ip": ["192.0.2.1"],
            "source_port": [40000],
            "destination_port": [2222],
            "user_name": ["root"],
            "event_action": ["honeypot.login.failed"],
        },
    ),
    "query_results.jsonl": (4, {"host_name": ["host1"], "user_name": ["alice"], "event_action": ["added"]}),
    "logfmt.log": (
        5,
        {
            "event_severity": [60],
            "source_ip": ["192.0.2.40"],
            "user_name": ["bob"],
            "http_request_method": ["POST"],
            "url_original": ["/login"],
            "http_response_status_code": [401],
            "event_outcome": ["failure"] * 5,
        },
    ),
    "sysmon_types.jsonl": (5, {"time": ["2024-11-24T15:00:00+00:00"]}),
    "eve_text_status.json": (
        2,
        {"http_response_status_code": [200], "tls_client_server_name": [None, "www.example.org"]},
    ),
    "continuations.log": (40, {"process_name": ["sandboxd"] * 40, "process_pid": [129] * 40}),
    "cut_at_the_end.json": (9, {}),
    "cef_space_before_equals.log": (
        1,
        {"source_ip": ["192.0.2.3"], "destination_ip": ["198.51.100.4"], "extra.foo": ["bar"]},
    ),
    "router_sequence.log": (
        2,
        {
            "process_name": ["%SEC-6-IPACCESSLOGP"],
            "source_ip": ["192.0.2.50", "192.0.2.51"],
            "user_name": [None, "admin"],
            "event_outcome": ["failure", "failure"],
        },
    ),
    "ftp.log": (2, {"source_ip": ["192.0.2.61"] * 2, "user_name": [None, "bob"], "event_outcome": [None, "failure"]}),
    "repeated.log": (3, {"event_count": [None, 5, None], "user_name": ["root", "root", "alice"]}),
    "windows_logons.jsonl": (
        5,
        {
            "user_name": ["alice", "bob", "carol", "dave", "bob"],
            "acting_user_name": ["svc"] * 5,
            "event_outcome": ["failure", "failure", "success", "failure", "success"],
        },
    ),
    "search_export.csv": (5, {"user_name": ["root"] * 5, "source_port": [4000, 4001], "process_name": ["sshd"]}),
}


def _value(event: dict[str, Any], name: str) -> Any:
    column, _, field = name.partition(".")
    value = event.get(column)
    if field:
        return (value or {}).get(field)
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("file", READ)
def test_what_went_wrong_is_read(shared: Path, file: str) -> None:
    count, expected = READ[file]
    found = peek(shared / "datasets" / "faults" / file, limit=count + 1)
    assert (found.parsed, found.problem) == (count, "")
    seen = {name: [_value(e, name) for e in found.events[: len(values)]] for name, values in expected.items()}
    assert seen == expected


def test_clocks_that_are_set_back_go_on(shared: Path) -> None:
    recipe = DatasetRecipe(time_zone="Europe/Paris")
    found = peek(shared / "datasets" / "faults" / "paris_autumn.log", recipe=recipe, limit=4)
    assert [e["time"].isoformat()[:16] for e in found.events] == [
        "2026-10-24T23:30",
        "2026-10-25T00:30",
        "2026-10-25T01:30",
        "2026-10-25T02:30",
    ]


def test_a_guess_is_never_very_sure(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"when":"2026-03-02T10:00:00Z","srcIp":"192.0.2.1","userName":"ann"}\n' * 20)
    found = peek(path)
    assert found.confidence is not None
    assert found.confidence < 0.9
    assert found.mapping["source_ip"] == ["srcIp"]
