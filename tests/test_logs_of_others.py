"""Logs of tools without a reader, in spellings that another blind lot showed: each tells what it says of who, where and how."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

TIME = "2026-03-02T10:00:01Z"
# what is told → a record of JSON beside its time, and what its columns must be
RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ports in an object of a detection": (
        {
            "detail": {"src": ["192.0.2.7"], "spt": 4022, "dst": ["192.0.2.5"], "dpt": 110},
            "filters": [{"mitreTechniqueIds": ["T1046"]}],
        },
        {"source_port": 4022, "destination_port": 110, "threat_technique_id": ["T1046"]},
    ),
    "hosts that are addresses": (
        {"src_host": "192.0.2.7", "dst_host": "192.0.2.5", "dst_port": 22},
        {"source_ip": "192.0.2.7", "destination_ip": "192.0.2.5"},
    ),
    "the agent's host": (
        {"agentHost": "nn1.example.org", "reqUser": "bob"},
        {"host_name": "nn1.example.org", "user_name": "bob"},
    ),
    "a version cut short": ({"TlsVer": "TLSv1.2", "SourceIP": "192.0.2.7"}, {"tls_version": "TLSv1.2"}),
    "a priority cut short": ({"pri": "warning", "user": "bob"}, {"event_severity": 40}),
    "who did it before whom it was done to": (
        {"initiated_by": {"email": "ann@example.org"}, "resource": {"username": "bob"}, "client_ip": "192.0.2.7"},
        {"user_name": "ann@example.org"},
    ),
    "who did it, and from which end to which": (
        {
            "destination": {"username": "ann", "public_ip": "192.0.2.5"},
            "performed_by": {"username": "bob", "public_ip": "192.0.2.7"},
        },
        {"user_name": "bob", "source_ip": "192.0.2.7", "destination_ip": "192.0.2.5"},
    ),
    "a client that a server calls the host": (
        {"host": "192.0.2.7", "request": "POST /login HTTP/1.1", "statusCode": "401"},
        {"source_ip": "192.0.2.7", "host_name": None, "url_original": "/login"},
    ),
    "dropped, in German": (
        {"Quelle": "192.0.2.7", "Ziel": "192.0.2.5", "Aktion": "Verworfen"},
        {"event_outcome": "failure"},
    ),
    "a status in words": (
        {"status": {"id": 3, "text": "Rejected"}, "reason": "an attachment", "client_ip": "192.0.2.7"},
        {"event_outcome": "failure"},
    ),
    "a code that is written otherwise": (
        {"rcode": "NxDomain", "query": "a.example"},
        {"dns_response_code": "NXDOMAIN"},
    ),
    "a user with how it was told": (
        {"ugi": "bob (auth:SIMPLE)", "ip": "/192.0.2.7"},
        {"user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "a model that fired": ({"model": {"name": "Beaconing"}, "device": {"ip": "192.0.2.7"}}, {"rule_name": "Beaconing"}),
}
# what is told → a line, and what its columns must be
LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "who came, and where to in parentheses": (
        "2026-03-02T10:00:01Z New connection: 192.0.2.7:48578 (192.0.2.5:22) [session: 8d0c]",
        {"source_port": 48578, "destination_ip": "192.0.2.5", "destination_port": 22},
    ),
    "a telephone": (
        "2026-03-02 10:00:01 [WARNING] sofia_reg.c:1792 auth failure (REGISTER) for [1001@192.0.2.5] from ip 192.0.2.7",
        {"user_name": "1001", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a level behind a place in the code": (
        "2026-03-02 10:00:01 Session.cpp:5231:handshake(): [ERROR] Access denied for user 'bob'@'192.0.2.7'",
        {"event_severity": 60, "user_name": "bob", "host_name": None, "process_name": "Session.cpp"},
    ),
    "the protocol of a connection": (
        "2026-03-02 10:00:01 WARN SYN flood! From 192.0.2.7:41437 to 192.0.2.5:9612, proto TCP",
        {"network_transport": "tcp"},
    ),
    "a word for a logon in capitals": (
        "2026-03-02 10:00:01 WARN LOGIN_FAILED User bob - Client_ip 192.0.2.7",
        {"event_action": "login", "event_outcome": "failure"},
    ),
    "a proxy's pairs": (
        'time="2026-03-02T10:00:01Z" c-ip=192.0.2.7 cs-uri-port=443 cs-method=CONNECT c-url="tcp://www.example.org:443/" s-action=TCP_DENIED service.name="HTTP"',
        {"url_original": "tcp://www.example.org:443/", "destination_port": 443, "event_action": "TCP_DENIED"},
    ),
    "ports in columns behind a protocol": (
        '2026-03-02 10:00:01 WARN 4521 Scan "x" TCP 192.0.2.7 4022 192.0.2.5 22 1 drop',
        {"source_port": 4022, "destination_ip": "192.0.2.5", "destination_port": 22, "network_transport": "tcp"},
    ),
    "a proxy's user and status before the request": (
        '[02/Mar/2026:10:00:01 +0100] "bob" 192.0.2.7 403 "GET http://evil.example/x HTTP/1.1" "Bad" 23',
        {
            "user_name": "bob",
            "http_response_status_code": 403,
            "event_outcome": "failure",
            "url_original": "http://evil.example/x",
        },
    ),
    "a level of a device behind a program": (
        "Mar  2 10:00:01 sw1 Aaa: %AAA-4-LOGIN_FAILED: user bob failed to login [from: 192.0.2.7]",
        {"event_severity": 40, "user_name": "bob", "host_name": "sw1"},
    ),
    "a level among cells": (
        "2026/03/02-10:00:01, [SEC-1193], 4521, FID 128, WARNING, sansw1, Login failure via SSH. IP Addr: 192.0.2.7",
        {"event_severity": 40, "source_ip": "192.0.2.7"},
    ),
    "a level behind a thread's number": (
        "[3/2/26 10:00:01:126 CET] 0000004a FormLogin E   SECJ0118E: Authentication error for user bob",
        {"event_severity": 60, "process_name": "FormLogin", "user_name": "bob"},
    ),
    "a level behind a sign": (
        "2026-03-02T10:00:01+0000 [stdout#info] AUTH FAILED: {'user': 'bob', 'client_ip_addr': '192.0.2.7'}",
        {"event_severity": 10, "user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "the source is more than a host": (
        "2026-03-02 10:00:01 INFO user:bob|host:192.0.2.5:7000|source:/192.0.2.7|type:LOGIN_ERROR",
        {"source_ip": "192.0.2.7", "user_name": "bob"},
    ),
    "a program and its process apart": (
        "Mar 02 10:00:01 sogod [4521]: Login from '192.0.2.7' for user 'bob' failed",
        {"host_name": None, "process_name": "sogod", "process_pid": 4521, "user_name": "bob"},
    ),
    "a level behind a program's process and thread": (
        "2026-03-02 10:00:01.258.7085 - [] pamlws.exe [44408,52004] Error: record not found",
        {"event_severity": 60, "process_name": "pamlws.exe", "process_pid": 44408},
    ),
    "keys of a vendor in LEEF": (
        "LEEF:1.0|Example|guard|1|exec|devTime=2026-03-02 10:00:01\tsrc=192.0.2.7\tHash=F6494E7C35B6514A3AD74E27435F3141\tAlert Severity=High",
        {"file_hash": "md5:f6494e7c35b6514a3ad74e27435f3141", "event_severity": 70},
    ),
    "a level's letter is no host": (
        "2026-03-02T10:00:01.126+0100 I ACCESS   [conn12] Unauthorized: not authorized from client 192.0.2.7:4022",
        {"host_name": None, "event_severity": 10, "source_port": 4022},
    ),
    "a date without signs": (
        '[06] Mon 02Mar26 10:00:01 - (12) Invalid login: User "bob"; IP address: 192.0.2.7',
        {"user_name": "bob", "source_ip": "192.0.2.7", "time": datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)},
    ),
    "a zone by its name": (
        'date=2026-03-02 time=10:00:01 timezone="CET" src_ip=192.0.2.7 status="Deny"',
        {"time": datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC), "source_ip": "192.0.2.7"},
    ),
    "a mail server's word": (
        "Mar  2 10:00:01 mx1 smtpd[7]: 1f55 smtp authentication user=bob address=192.0.2.7 result=permfail",
        {"event_outcome": "failure", "user_name": "bob"},
    ),
    "a date without zeros": (
        "2026.3.2 10:00:01 bob 192.0.2.7 http://evil.example/ *DENIED* GET 0 0",
        {"source_ip": "192.0.2.7", "event_outcome": "failure", "url_original": "http://evil.example/"},
    ),
    "whose logon it was, in German": (
        "02.03.26 10:00:01 Anmeldung des Benutzers bob von IP-Adresse 192.0.2.7 gescheitert (falsches Kennwort).",
        {"user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a user between two dashes": (
        "<13>Mar  2 10:00:01 ilo1 #ILO 5: 03/02/2026 10:00:01 Browser login: bob - 192.0.2.7(pc7.example.org).",
        {"user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "names and values behind brackets": (
        "[2026-03-02 10:00:01 UTC] [192.0.2.7:4022] [UDP] QNAME: a.example; QTYPE: A; QCLASS: IN; RCODE: NxDomain; ANSWER: []",
        {
            "dns_question_name": "a.example",
            "dns_response_code": "NXDOMAIN",
            "network_transport": "udp",
            "source_port": 4022,
        },
    ),
    "an object's fields without its braces": (
        '"time": "2026-03-02T10:00:01Z", "acct": "bob", "peer": {"ip": "192.0.2.7"}, "box": "web1", "host": "web1", "op": "door.open"',
        {
            "user_name": "bob",
            "source_ip": "192.0.2.7",
            "host_name": "web1",
            "event_action": "door.open",
            "message": None,
        },
    ),
}


def _events(path: Path, text: str) -> list[dict[str, Any]]:
    path.write_text(text)
    return [dict(event) for event in peek(path, limit=9).events]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_a_tool(tmp_path: Path, name: str) -> None:
    record, expected = RECORDS[name]
    (event,) = _events(tmp_path / "a.jsonl", json.dumps({"time": TIME, **record}) + "\n")
    assert {column: event.get(column) for column in expected} == expected


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_a_tool(tmp_path: Path, name: str) -> None:
    line, expected = LINES[name]
    (event,) = _events(tmp_path / "a.log", f"{line}\n")
    assert {column: event.get(column) for column in expected} == expected


def test_cells_that_name_themselves(tmp_path: Path) -> None:
    line = "02.03.2026 10:00:0{0};WARNUNG;Anmeldung fehlgeschlagen;Benutzer: user{0};Rechner: PC-{0};IP: 192.0.2.{0}\n"
    events = _events(tmp_path / "a.log", line.format(1) + line.format(2))
    assert [(e["user_name"], e["host_name"], e["source_ip"], e["event_severity"]) for e in events] == [
        ("user1", "PC-1", "192.0.2.1", 40),
        ("user2", "PC-2", "192.0.2.2", 40),
    ]


def test_a_first_line_of_signs_for_nothing_is_data(tmp_path: Path) -> None:
    line = '192.0.2.{0} | https | r{0}x4 | - | 2026-03-02 10:00:01,126 | "GET /app HTTP/1.1" | "" "git/2" | {1} | {2} | {2} |\n'
    events = _events(tmp_path / "a.log", line.format(1, "-", "-") + line.format(2, 401, 95) + line.format(3, 200, 1))
    assert [(e["source_ip"], e["http_request_method"], e["url_original"]) for e in events] == [
        (f"192.0.2.{n}", "GET", "/app") for n in (1, 2, 3)
    ]


def test_numbers_over_time(tmp_path: Path) -> None:
    result = [{"metric": {"host": "web1", "level": "error"}, "values": [[1772445601, "12"], [1772445661.5, "3"]]}]
    events = _events(
        tmp_path / "a.json", json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})
    )
    assert [
        (e["time"].isoformat(), e["host_name"], e["event_severity"], dict(e["extra"])["value"]) for e in events
    ] == [
        ("2026-03-02T10:00:01+00:00", "web1", 60, "12"),
        ("2026-03-02T10:01:01.500000+00:00", "web1", 60, "3"),
    ]


def test_a_number_at_one_moment(tmp_path: Path) -> None:
    result = [{"metric": {"instance": "web1"}, "value": [1772445601.5, "0"]}]
    (event,) = _events(tmp_path / "a.json", json.dumps({"data": {"resultType": "vector", "result": result}}))
    assert (event["host_name"], dict(event["extra"])["value"]) == ("web1", "0")


def test_syslog_of_another_service_of_azure_tells_its_host(tmp_path: Path) -> None:
    record = {
        "time": TIME, "resourceId": "/r", "category": "authpriv", "level": "err", "operationName": "LinuxSyslogEvent",
        "properties": {"ident": "sudo", "Msg": "pam_unix(sudo:auth): conversation failed", "hostname": "web1"},
    }  # fmt: skip
    (event,) = _events(tmp_path / "a.jsonl", json.dumps(record) + "\n")
    assert (event["host_name"], event["message"]) == ("web1", "pam_unix(sudo:auth): conversation failed")


def test_requests_over_several_lines_begin_with_the_same_word(tmp_path: Path) -> None:
    request = 'Started {} "{}" for 192.0.2.{} at 2026-03-02 10:00:0{} +0100\nProcessing by A#b as HTML\n  Parameters: {{}}\nCompleted 401\n'
    events = _events(
        tmp_path / "a.log", request.format("POST", "/users/sign_in", 7, 1) + request.format("GET", "/", 8, 2)
    )
    assert [
        (e["http_request_method"], e["url_original"], e["source_ip"], e["time"].isoformat()[:19]) for e in events
    ] == [
        ("POST", "/users/sign_in", "192.0.2.7", "2026-03-02T09:00:01"),
        ("GET", "/", "192.0.2.8", "2026-03-02T09:00:02"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02 10:00:01 Échec de connexion de bob depuis l'adresse IP 192.0.2.7 à l'entrée",
        'time="2026-03-02 10:00:01" user=bob src=192.0.2.7 result="Échec" msg="à l\'entrée"',
        "<13>Mar  2 10:00:01 srv app[8]: Échec de connexion de bob depuis l'adresse IP 192.0.2.7 à l'entrée",
        "CEF:0|Acme|AV|1|7|Échec|5|rt=Mar 02 2026 10:00:01 UTC suser=bob src=192.0.2.7 outcome=failure msg=Refusé à l'entrée",
    ],
)
def test_text_of_before_utf_8_is_read_and_that_is_said(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(f"{line}\n".encode("cp1252") * 2)
    peeked = peek(path)
    assert [(e["user_name"], e["source_ip"], e["event_outcome"]) for e in peeked.events] == [
        ("bob", "192.0.2.7", "failure")
    ] * 2
    assert "à l'entrée" in str(peeked.events[0]["message"])
    assert sum("cp1252" in str(warning) for warning in peeked.warnings) == 1
