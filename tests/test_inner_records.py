"""A record inside a record → what it says, whoever wrapped it, with what stood around it kept."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from socml.formats import ReadOptions
from socml.formats._inner import inner_event
from socml.formats._times import Clock
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

INNER: dict[str, tuple[str, dict[str, Any]]] = {
    "sshd": (
        "Mar  2 10:00:00 web1 sshd[11]: Failed password for root from 192.0.2.1 port 4022 ssh2",
        {"user_name": "root", "source_port": 4022, "event_action": "ssh_login", "event_outcome": "failure"},
    ),
    "eve": (
        '{"timestamp":"2026-03-02T10:00:00.000000+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.1","src_port":4022,'
        '"dest_ip":"198.51.100.2","dest_port":22,"proto":"TCP","alert":{"signature_id":1,"signature":"ET SCAN","severity":2}}',
        {"destination_port": 22, "rule_name": "ET SCAN", "event_action": "alert", "network_transport": "tcp"},
    ),
    "cef": (
        "CEF:0|Vendor|Prod|1|100|Login failed|7|src=192.0.2.1 suser=bob dst=198.51.100.2 outcome=failure",
        {"user_name": "bob", "destination_ip": "198.51.100.2", "event_outcome": "failure"},
    ),
    "leef": (
        "LEEF:1.0|Vendor|Prod|1|100|src=192.0.2.1\tdst=198.51.100.2\tusrName=bob\tsev=7",
        {"user_name": "bob", "destination_ip": "198.51.100.2"},
    ),
    "access": (
        '192.0.2.1 - bob [02/Mar/2026:10:00:00 +0000] "GET /a?x=1 HTTP/1.1" 404 12 "-" "curl/8"',
        {"user_name": "bob", "url_original": "/a?x=1", "http_response_status_code": 404, "event_category": "web"},
    ),
    "windows": (
        '{"EventID":4625,"Channel":"Security","Computer":"PC7","TargetUserName":"ann","IpAddress":"192.0.2.1","TimeCreated":"2026-03-02T10:00:00Z"}',
        {"user_name": "ann", "event_action": "logon", "event_outcome": "failure"},
    ),
    "pan-os": (
        "1,2026/03/02 10:00:00,0018,TRAFFIC,drop,1,2026/03/02 10:00:00,192.0.2.1,198.51.100.2,0.0.0.0,0.0.0.0,r,,,ssh,v,a,b,c,d,e,,0,1,4022,22,0,0,0,tcp,deny",
        {"destination_ip": "198.51.100.2", "destination_port": 22, "event_outcome": "failure"},
    ),
}
_AT = "2026-03-02T10:00:01.000Z"


def _csv(row: dict[str, str]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(row), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows([row, row])
    return file.getvalue()


def _lines(**found: Any) -> str:
    return f"{json.dumps(found)}\n" * 2


OUTER: dict[str, tuple[str, Callable[[str], str]]] = {
    "hits": ("elasticsearch", lambda text: _lines(_index="filebeat", _id="1", _source={"@timestamp": _AT, "message": text})),
    "filebeat": ("elasticsearch", lambda text: _lines(**{"@timestamp": _AT, "ecs": {"version": "8"}, "message": text})),
    "splunk": ("splunk-json", lambda text: _lines(preview=False, result={"_time": _AT, "_raw": text})),
    "gelf": ("gelf", lambda text: _lines(version="1.1", host="g", short_message=text, timestamp=1772445601)),
    "journal": ("journald-json", lambda text: _lines(__REALTIME_TIMESTAMP="1772445601000000", SYSLOG_IDENTIFIER="x", MESSAGE=text)),
    "rsyslog": ("syslog-json", lambda text: _lines(timestamp=_AT, host="w", programname="x", severity="info", message=text)),
    "docker": ("any-json", lambda text: _lines(log=f"{text}\n", stream="stdout", time=_AT)),
    "kubernetes": ("container-log", lambda text: f"{_AT} stdout F {text}\n" * 2),
    "sentinel": ("sentinel-csv", lambda text: _csv({"TimeGenerated": _AT, "RawData": text, "Type": "X_CL"})),
    "table": ("table", lambda text: _csv({"time": _AT, "host": "h1", "message": text})),
    "syslog": ("", lambda text: f"<134>Mar  2 10:00:01 relay x[7]: {text}\n" * 2),
    "syslog 5424": ("", lambda text: f"<134>1 2026-03-02T10:00:01Z relay x 7 - - {text}\n" * 2),
}  # fmt: skip


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
def test_a_record_is_read_whoever_wrapped_it(outer: str, inner: str, tmp_path: Path) -> None:
    name, wrap = OUTER[outer]
    text, expected = INNER[inner]
    path = tmp_path / "input.log"
    path.write_text(wrap(text), encoding="utf-8")
    found, _ = detect(path)
    assert name in ("", found)
    rows = [
        row
        for parsed in open_format(found).read(FileSource(path, path.name), ReadOptions(year=2026))
        for row in parsed.events.to_pylist()
    ]
    assert len(rows) == 2
    assert {column: rows[0].get(column) for column in expected} == expected
    assert rows[0]["source_ip"] == "192.0.2.1"
    assert rows[0]["time"].isoformat()[:18] == "2026-03-02T10:00:0"
    if outer.startswith("syslog"):
        assert "relay" in (rows[0].get("host_name"), rows[0].get("observer_name"))


def test_records_within_one_another_end_at_a_depth() -> None:
    text = "Failed password for root from 192.0.2.1 port 4022 ssh2"
    for _ in range(2000):
        text = f"Mar  2 10:00:00 h sshd[1]: {text}"
    found = inner_event(text, Clock(None, 2026, None))
    assert found["process_name"] == "sshd"
    assert found["message"].startswith("Mar  2 10:00:00 h sshd[1]: Mar  2 ")


def test_fields_of_structured_data_fill_what_the_message_leaves_empty(tmp_path: Path) -> None:
    path = tmp_path / "input.log"
    path.write_text(
        '<14>1 2026-03-02T10:00:00Z srx RT_FLOW - RT_FLOW_SESSION_DENY [junos@2636 source-address="192.0.2.1" source-port="4022" '
        'destination-address="198.51.100.2" destination-port="22"]\n'
        '<134>1 2026-03-02T10:00:00Z gw CheckPoint 1 - [action:"Drop"; src:"192.0.2.2"; dst:"198.51.100.2"; proto:"6"; s_port:"4022"]\n',
        encoding="utf-8",
    )
    rows = [
        row
        for parsed in open_format("syslog").read(FileSource(path, path.name), ReadOptions())
        for row in parsed.events.to_pylist()
    ]
    assert [row["source_ip"] for row in rows] == ["192.0.2.1", "192.0.2.2"]
    assert [row["event_outcome"] for row in rows] == ["failure", "failure"]
    assert [row["event_action"] for row in rows] == ["RT_FLOW_SESSION_DENY", "Drop"]


def test_a_winlogbeat_hit_is_a_windows_event(tmp_path: Path) -> None:
    source = {
        "@timestamp": _AT,
        "message": "An account failed to log on.",
        "winlog": {"event_id": 4625, "channel": "Security", "event_data": {"TargetUserName": "ann", "IpAddress": "192.0.2.1"}},
    }  # fmt: skip
    path = tmp_path / "hits.json"
    path.write_text(json.dumps({"hits": {"hits": [{"_index": "w", "_id": "1", "_source": source}]}}), encoding="utf-8")
    row = next(iter(open_format("elasticsearch").read(FileSource(path, path.name), ReadOptions()))).events.to_pylist()[
        0
    ]
    assert (row["user_name"], row["source_ip"], row["event_outcome"]) == ("ann", "192.0.2.1", "failure")
    assert dict(row["extra"])["_index"] == "w"
