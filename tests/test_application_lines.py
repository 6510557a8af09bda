"""Lines of applications that look like syslog's, and are not: threads and modules where a host would stand."""

from __future__ import annotations

import pytest
from builders import make_project

from socml.formats.host._syslog_headers import header
from socml.ingestion import ingest
from socml.project import open_events

APPLICATIONS = [
    "2026-11-29T08:15:02.123456Z 22 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.9'",
    "2026-11-29 08:15:02.12 Logon       Error: 18456, Severity: 14, State: 8.",
    "2026-11-29 08:15:02 main [worker-1] started",
    "2026-11-29 08:15:02,123 4242 starting: all is well",
]
SYSLOG = [
    "2026-11-29T08:15:02.123456+01:00 web1 sshd[5]: Failed password for root from 203.0.113.9 port 4022 ssh2",
    "2026-11-29 08:15:02 web1 sshd[5]: Failed password for root from 203.0.113.9 port 4022 ssh2",
    "<13>2026-11-29T08:15:02Z web1 [kernel] x",
    "Nov  9 08:15:02 web1 sshd[5]: x",
]


@pytest.mark.parametrize("line", APPLICATIONS)
def test_a_thread_or_a_module_is_no_host(line):
    assert header(line) is None


@pytest.mark.parametrize("line", SYSLOG)
def test_a_host_is_one_as_before(line):
    found = header(line)
    assert found is not None
    assert found["host"] == "web1"


@pytest.mark.parametrize("blocks", [1, 200])  # read one by one, and by columns
@pytest.mark.parametrize("line", APPLICATIONS[:2])
def test_no_host_is_invented_however_the_file_is_read(tmp_path, line, blocks):
    project = make_project(tmp_path / "lab")
    path = tmp_path / "app.log"
    path.write_text((f"{SYSLOG[0]}\n" * 40 + f"{line}\n") * blocks, encoding="utf-8")
    ingest(path, dataset="app", format="syslog", project=project, final=True)
    hosts = open_events(project, "app").to_table(columns=["host_name"])["host_name"].to_pylist()
    assert hosts == ["web1"] * 40 * blocks
