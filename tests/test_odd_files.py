"""Files of usual tools in unusual dress: wrapped, coloured, proxied, continued, mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from socml.formats import ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

RECORDS = [
    {"ts": f"2026-03-02T10:00:0{n}Z", "srcIp": f"192.0.2.{n}", "user": "bob", "action": "login", "result": "failed"}
    for n in range(1, 4)
]
LOGIN = "login failed for bob from 192.0.2.1"
ACCESS = '- bob [02/Mar/2026:10:00:00 +0000] "GET /a HTTP/1.1" 404 1'
POWERSHELL = [
    {
        "Id": 4625, "LogName": "Security", "ProviderName": "Microsoft-Windows-Security-Auditing", "MachineName": "PC7",
        "TimeCreated": "/Date(1772445600000)/", "Message": "An account failed to log on.",
    }
]  # fmt: skip
# name → content, reader, number of events, values of the first
FILES: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "a list of any name, spread over lines": (
        json.dumps({"meta": {"count": 3}, "ourEvents": RECORDS}, indent=2), "any-json", 3, {"source_ip": "192.0.2.1"},
    ),
    "a list three objects deep": (
        json.dumps({"response": {"data": {"things": RECORDS}}}), "any-json", 3, {"source_ip": "192.0.2.1"},
    ),
    "a record with a list of its own": (
        json.dumps({**RECORDS[0], "roles": [{"since": "2020-01-01T00:00:00Z", "name": "x"}]}, indent=2), "any-json", 1,
        {"user_name": "bob"},
    ),
    "colours of a terminal": (
        f"2026-03-02 10:00:00 \x1b[1;31mERROR\x1b[0m app: {LOGIN}\n" * 3, "text-lines", 3,
        {"source_ip": "192.0.2.1", "user_name": "bob", "event_severity": 60, "host_name": None},
    ),
    "a coloured time": (
        f"\x1b[32m2026-03-02T10:00:00Z\x1b[0m \x1b[31mERROR\x1b[0m {LOGIN}\n" * 3, "text-lines", 3, {"event_severity": 60},
    ),
    "a trace longer than its records": (
        "2026-03-02 10:00:00 ERROR boom\njava.lang.X: y\n\tat a.b(C.java:1)\nCaused by: z\n2026-03-02 10:00:01 INFO ok\n",
        "text-lines", 2, {"event_severity": 60},
    ),
    "a virtual host without a port": (
        f"example.org 192.0.2.1 {ACCESS}\n".replace("- bob", "- bob") * 2, "access-log", 2,
        {"source_ip": "192.0.2.1", "user_name": "bob"},
    ),
    "a virtual host and an identity": (
        f"example.org 192.0.2.1 - {ACCESS[2:]}\n" * 2, "access-log", 2,
        {"source_ip": "192.0.2.1", "user_name": "bob", "host_name": "example.org"},
    ),
    "addresses of proxies": (
        f"192.0.2.1, 10.0.0.1, 10.0.0.2 - {ACCESS[2:]}\n" * 2, "access-log", 2, {"source_ip": "192.0.2.1", "user_name": "bob"},
    ),
    "events of PowerShell": (
        json.dumps(POWERSHELL, indent=2), "windows-event-json", 1,
        {"event_action": "logon", "event_outcome": "failure", "host_name": "PC7"},
    ),
    "a zone after the time is no host": (
        '2026-03-02 10:00:00.123 UTC [77] bob@shop FATAL:  password authentication failed for user "bob"\n' * 2, "text-lines", 2,
        {"user_name": "bob", "host_name": None, "event_outcome": "failure"},
    ),
    "lines of three tools": (
        "Mar  2 10:00:00 h sshd[1]: Failed password for root from 192.0.2.1 port 4022 ssh2\n"
        f'{json.dumps(RECORDS[1])}\n2026-03-02 10:00:00 ERROR {LOGIN}\n', "text-lines", 3, {"user_name": "root"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_in_unusual_dress_is_read(name: str, tmp_path: Path) -> None:
    content, reader, events, expected = FILES[name]
    path = tmp_path / "input.log"
    path.write_text(content, encoding="utf-8")
    assert detect(path)[0] == reader
    rows = [
        row
        for parsed in open_format(reader).read(FileSource(path, path.name), ReadOptions(year=2026))
        for row in parsed.events.to_pylist()
    ]
    assert len(rows) == events
    assert {column: rows[0].get(column) for column in expected} == expected
    assert all(row["time"] is not None for row in rows)
