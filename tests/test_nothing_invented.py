"""What looks like a value of a column and is none: a guess leaves the column empty, or takes what is really of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

TIME = "2026-03-02T10:00:01Z"
# what is no such thing → a record of JSON beside its time, and what its columns must be
RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a session's number is no rule": ({"sid": "5c6a", "user": "bob"}, {"rule_id": None}),
    "a signature's number is a rule": ({"sid": 2100498, "user": "bob"}, {"rule_id": "2100498"}),
    "a kind of record is no type of question": ({"record_type": "event", "user": "bob"}, {"dns_question_type": None}),
    "a program's name is no client's": ({"agent": "hdfs", "user": "bob"}, {"user_agent_original": None}),
    "what a client calls itself": ({"agent": "curl/8.1", "user": "bob"}, {"user_agent_original": "curl/8.1"}),
    "a number is no rule's name": ({"policy": -1, "user": "bob"}, {"rule_name": None}),
    "an application's name is a protocol of connections only": (
        {"app": "shop", "user": "bob"},
        {"network_protocol": None},
    ),
    "an application of a connection": (
        {"app": "dropbox", "srcip": "192.0.2.1", "dstip": "192.0.2.2"},
        {"network_protocol": "dropbox"},
    ),
    "a service that all know": ({"service": "ssh", "srcip": "192.0.2.1"}, {"network_protocol": "ssh"}),
    "a service of a directory": ({"service": "directory", "client_ip": "192.0.2.1"}, {"network_protocol": None}),
    "a mail server's code": ({"smtp_status_code": 250, "source_ip": "192.0.2.1"}, {"http_response_status_code": None}),
    "nobody known": (
        {"user": "unknown", "src_ip": "192.0.2.1:0"},
        {"user_name": None, "source_ip": "192.0.2.1", "source_port": None},
    ),
    "a container's name is nothing done": (
        {"process": {"pod": {"name": "web-1"}, "pid": 7}, "user": "bob"},
        {"event_action": None, "process_pid": 7},
    ),
    "an event's name is what was done": (
        {"eventType": {"name": "user.created"}, "user": "bob"},
        {"event_action": "user.created"},
    ),
    "an event's number is nothing done": (
        {"eventId": "28c4a1b2d3e4f5a6b7c8d9e0f1a2b3c4", "user": "bob"},
        {"event_action": None},
    ),
    "an event's word is": ({"eventId": "login_facade", "user": "bob"}, {"event_action": "login_facade"}),
    "an answer's type is nothing done": (
        {"answers": [{"Type": "AAAA"}], "srcaddr": "192.0.2.1"},
        {"event_action": None},
    ),
    "a model's and a parent's numbers are no process": (
        {"model": {"then": {"pid": 77}}, "parent": {"pid": 4}, "user": "bob"},
        {"process_pid": None},
    ),
    "a sign for nothing": (
        {"user_agent": "-", "rule": "-", "user": "bob"},
        {"user_agent_original": None, "rule_name": None},
    ),
    "no port": ({"src_ip": "192.0.2.1", "src_port": 0}, {"source_ip": "192.0.2.1", "source_port": None}),
    "an end that is still to come": (
        {"status": "Pending", "user": "bob", "msg": "authentication partially done"},
        {"event_outcome": "unknown"},
    ),
    "a query's name is no outcome": (
        {"name": "pack_logged_in", "action": "added", "user": "bob"},
        {"event_outcome": None},
    ),
    "what decorates a record comes last": (
        {"decorations": {"username": "ann"}, "columns": {"user": "bob"}},
        {"user_name": "bob"},
    ),
    "milliseconds of a proxy": ({"time-taken": "17", "c-ip": "192.0.2.1"}, {"duration_s": 0.017}),
    "seconds of a proxy": ({"time-taken": "0.25", "c-ip": "192.0.2.1"}, {"duration_s": 0.25}),
}
# what is no such thing → a message behind a time, and what its columns must be
MESSAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "a query's verb is no request": (
        "client/192.0.2.7:4022 server/192.0.2.5:7687 MATCH (n) DETACH DELETE n - {}",
        {"http_request_method": None, "url_original": None, "source_port": 4022, "destination_port": 7687},
    ),
    "a pair behind a verb is no URL": ("method CONNECT port=443 from 192.0.2.7", {"url_original": None}),
    "a request": (
        '"GET /login?x=1 HTTP/1.1" 401 from 192.0.2.7',
        {"url_original": "/login?x=1", "http_response_status_code": 401},
    ),
    "a request through a proxy": (
        "CONNECT www.example.org:443 from 192.0.2.7",
        {"url_original": "www.example.org:443"},
    ),
    "a stroke between quoted words is no path": ("tried [b'root'/b'toor'] from 192.0.2.7", {"file_path": None}),
    "a path in quotes": ("cannot open '/etc/passwd' for 192.0.2.7", {"file_path": "/etc/passwd"}),
    "no port behind an address": (
        "session from 192.0.2.7:0 for admin bob has timed out",
        {"source_ip": "192.0.2.7", "source_port": None},
    ),
    "a parenthesis is not the URL's": (
        "failed in /a/b.php on line 2 (POST /?_task=login)",
        {"url_original": "/?_task=login"},
    ),
    "a version is no address": (
        "Server version number: 9.0.71.0 started, login allowed",
        {"source_ip": None, "destination_ip": None},
    ),
    "who is asked is no client": ("GET http://192.0.2.5:5000/v3/", {"source_ip": None, "destination_ip": "192.0.2.5"}),
    "a way to authenticate is no logon": (
        "allowed=true\tugi=bob (auth:SIMPLE)\tip=/192.0.2.7\tcmd=open",
        {"event_action": None},
    ),
    "who is not named": ("Detected an unauthorized user attempting to access SSH from 192.0.2.7", {"user_name": None}),
    "a mapped address is no destination": ("drop 192.0.2.7/4022 (198.51.100.9/4022) by rule", {"destination_ip": None}),
}


def _event(path: Path, text: str) -> dict[str, Any]:
    path.write_text(text)
    return dict(peek(path, limit=1).events[0])


@pytest.mark.parametrize("name", RECORDS)
def test_a_field_fills_no_column_that_it_is_not_of(tmp_path: Path, name: str) -> None:
    record, expected = RECORDS[name]
    event = _event(tmp_path / "a.jsonl", json.dumps({"time": TIME, **record}) + "\n")
    assert {column: event.get(column) for column in expected} == expected


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_fills_no_column_that_it_does_not_tell(tmp_path: Path, name: str) -> None:
    message, expected = MESSAGES[name]
    event = _event(tmp_path / "a.log", f"2026-03-02 10:00:01 WARN {message}\n")
    assert {column: event.get(column) for column in expected} == expected


def test_a_date_of_a_device_is_no_program(tmp_path: Path) -> None:
    line = "Mar  2 10:00:01 192.0.2.250  03/02/2024:10:00:01 GMT ns1 0-PPE-0 : default AAA LOGIN_FAILED 4 0 :  User bob - Client_ip 192.0.2.7\n"
    event = _event(tmp_path / "a.log", line)
    assert event.get("process_name") is None
    assert event["time"].isoformat() == "2024-03-02T10:00:01+00:00"
    assert (event["user_name"], event["event_action"]) == ("bob", "login")


def test_cells_of_bare_words_are_accounts_only_if_a_usual_one_is_among_them(tmp_path: Path) -> None:
    line = "2026-03-02T10:00:0{0};192.0.2.{0};{1};x{0}y\n"
    with_root = _event(tmp_path / "a.csv", line.format(1, "bob") + line.format(2, "root"))
    without = _event(tmp_path / "b.csv", line.format(1, "bob") + line.format(2, "carol"))
    assert (with_root.get("user_name"), without.get("user_name")) == ("bob", None)


def test_part_of_an_object_is_no_record(tmp_path: Path) -> None:
    from socml.project import FormatError

    path = tmp_path / "a.log"
    path.write_text(f'"time": "{TIME}",\n"user": "bob",\n"port": 4\n')
    with pytest.raises(FormatError):
        peek(path)


@pytest.mark.parametrize(
    "text",
    ["On the Listener, 192.0.2.7 has connected.", "exec-12 anonymous 192.0.2.7 /login.jsp x", "{ Severity } Warning"],
)
def test_a_first_word_behind_an_application_s_time_is_no_host(tmp_path: Path, text: str) -> None:
    event = _event(tmp_path / "a.log", "".join(f"2026-03-02 10:00:0{n}.126 {text}\n" for n in (1, 2)))
    assert event.get("host_name") is None


def test_a_first_word_of_a_sentence_is_no_host(tmp_path: Path) -> None:
    event = _event(
        tmp_path / "a.log",
        "2026-03-02 10:00:01 Login failed for bob from 192.0.2.7\n2026-03-02 10:00:02 Logout of bob from 192.0.2.7\n",
    )
    assert (event.get("host_name"), event["user_name"], event["event_outcome"]) == (None, "bob", "failure")


def test_bytes_of_an_attack_stay_as_they_came(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(
        b"2026-03-02 10:00:01 WARN bad name \xff\xfe from 192.0.2.7\n2026-03-02 10:00:02 WARN /..\xc0\xaf../\n"
    )
    assert [event["message"] for event in peek(path).events] == [r"bad name \xff\xfe from 192.0.2.7", r"/..\xc0\xaf../"]
