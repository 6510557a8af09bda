"""Logs as other tools spell them: times, pairs, levels, lists, languages; the events of a few lines tell what these say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.formats._addresses import address_and_port
from socml.formats._cef_event import cef_event
from socml.formats._facts import facts_of
from socml.formats._field_names import guess
from socml.formats._guess import guessed_row
from socml.formats._stamps import time_of
from socml.formats._times import Clock
from socml.formats._values import outcome_of, severity_of
from socml.formats.host._syslog_messages import read_message
from socml.ingestion import peek

TIME = "2026-03-02T10:00:01"
DENIED = {"time": TIME, "source_ip": "192.0.2.7", "user_name": "bob", "event_outcome": "failure"}
# what is special about it → its lines, how many events, and what the last must be
LINES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "pairs that bars part": (
        "time=1772445600|src=192.0.2.8|dst=192.0.2.20|act=accept|user=ann|rule=A to B\n"
        "time=1772445601|src=192.0.2.7|dst=192.0.2.20|act=drop|user=bob|rule=B to A\n",
        2,
        {**DENIED, "destination_ip": "192.0.2.20"},
    ),
    "pairs that commas and blanks part, with blanks in values": (
        "2026-03-02 10:00:00 GMT, src=192.0.2.8, act=allowed, msg=All is well\n"
        "2026-03-02 10:00:01 GMT, src=192.0.2.7, user=bob, act=blocked, msg=Bad password\n",
        2,
        {**DENIED, "message": "Bad password"},
    ),
    "a day and a clock as digits": (
        "Date|Time|User|Terminal|Message\n20260302|095959|ANN|PC1|Logon successful\n"
        "20260302|100001|bob|PC2|Logon failed\n",
        2,
        {"time": TIME, "user_name": "bob", "event_outcome": "failure"},
    ),
    "a clock with dots": (
        "Data;Ora;Utente;IP sorgente;Esito\n02/03/2026;10.00.00;ann;192.0.2.8;Riuscito\n"
        "13/03/2026;10.00.01;bob;192.0.2.7;Fallito\n",
        2,
        {**DENIED, "time": "2026-03-13T10:00:01"},
    ),
    "a time of DB2": ("WHEN,USER_NAME,CLIENT_IP\n2026-03-02-10.00.01.123456,BOB,192.0.2.7\n", 1, {"time": TIME + ".123456"}),
    "a time with dots in a text": (
        "2.3.2026 10.00.00 login failed user=ann ip=192.0.2.8\n2.3.2026 10.00.01 login failed user=bob ip=192.0.2.7\n",
        2,
        DENIED,
    ),
    "Suricata's engine": (
        "2/3/2026 -- 10:00:00 - <Notice> - started\n2/3/2026 -- 10:00:01 - <Error> - no such device\n",
        2,
        {"time": TIME, "event_severity": 60},
    ),
    "a time behind Python's logger": (
        "INFO:root:started\nERROR:app.auth:2026-03-02 10:00:01,500 password expired for user bob\n",
        2,
        {"time": TIME + ".500", "event_severity": 60, "user_name": "bob", "event_outcome": "failure"},
    ),
    "a history of a shell": ("#1772445600\nid\n#1772445601\ncurl http://192.0.2.7/x\n", 2, {"time": TIME, "message": "curl http://192.0.2.7/x"}),
    "a process before the first bar": (
        "2026/03/02 10:00:00 kid1| Starting\n2026/03/02 10:00:01 kid1| WARNING: queue | full\n",
        2,
        {"time": TIME, "event_severity": 40},
    ),
    "FileZilla's server": (
        "<Date> Info [Type] Message\n<2026-03-02T10:00:00Z> FTP Server [Status] up\n"
        "<2026-03-02T10:00:01Z> FTP Session 1 192.0.2.7 bob [Response] 530 Login incorrect.\n",
        2,
        DENIED,
    ),
    "ESXi's priority": (
        "2026-03-02T10:00:00.000Z In(14) shell[1]: up\n"
        "2026-03-02T10:00:01.000Z Wa(12) sshd[22]: error: PAM: Authentication failure for bob from 192.0.2.7\n",
        2,
        {**DENIED, "event_severity": 40, "process_name": "sshd", "process_pid": 22},
    ),
    "MongoDB before 4.4": (
        "2026-03-02T10:00:00.000+0000 I  NETWORK  [listener] up\n2026-03-02T10:00:01.000+0000 E  STORAGE  [t1] no space\n",
        2,
        {"time": TIME, "event_severity": 60},
    ),
    "a letter before the time": ("I 03/02/26 10:00:00 ports: up\nW 03/02/26 10:00:01 auth: bad\n", 2, {"event_severity": 40}),
    "a level behind a number": (
        "[02.03.2026 10:00:00] <12> Info     up\n[02.03.2026 10:00:01] <13> Error    Logon failure for user bob from 192.0.2.7\n",
        2,
        {**DENIED, "event_severity": 60},
    ),
    "a level that is named": (
        "2026-03-02-10.00.00.000000+000 I1 LEVEL: Info\ntext\n2026-03-02-10.00.01.000000+060 I2 LEVEL: Error\ntext\n",
        2,
        {"time": "2026-03-02T09:00:01", "event_severity": 60},
    ),
    "a time that a computer has run": (
        "[    5.100000] web1 kernel[1]: up\n[   11.200000] web1 sshd[8]: Failed password for root from 192.0.2.7 port 40 ssh2\n",
        2,
        {"host_name": "web1", "process_name": "sshd", "process_pid": 8, "source_ip": "192.0.2.7"},
    ),
    "a rule of ModSecurity": (
        "[Mon Mar 02 10:00:01.000000 2026] [security2:error] [pid 8:tid 9] [client 192.0.2.7:40] ModSecurity: Access denied "
        'with code 403 (phase 2). [id "942100"] [msg "SQL Injection"] [uri "/item.php"]\n',
        1,
        {"rule_id": "942100", "rule_name": "SQL Injection", "url_original": "/item.php", "event_outcome": "failure"},
    ),
    "ports beside addresses": (
        '{"stamp":1772445601,"from":{"ip":"192.0.2.7","port":4022},"to":{"ip":"192.0.2.20","port":443},"decision":"deny"}\n',
        1,
        {"time": TIME, "source_port": 4022, "destination_ip": "192.0.2.20", "destination_port": 443},
    ),
    "edges and nodes of GraphQL": (
        '{"data":{"log":{"edges":[{"node":{"occurredAt":"2026-03-02T10:00:00Z","email":"ann@example.org"}},'
        '{"node":{"occurredAt":"2026-03-02T10:00:01Z","email":"bob@example.org"}}]}}}\n',
        2,
        {"time": TIME, "user_name": "bob@example.org"},
    ),
    "two lists of a document": (
        '{"delivered":[{"messageTime":"2026-03-02T10:00:00Z","senderIP":"192.0.2.8"}],'
        '"clicks":[{"clickTime":"2026-03-02T10:00:01Z","clickIP":"192.0.2.7"}]}\n',
        2,
        {"time": TIME, "source_ip": "192.0.2.7"},
    ),
    "what has a severity is not at once a finding": (
        '{"eventTime":"2026-03-02T10:00:01Z","action":"key.login","outcome":"failure","severity":"high","initiator":'
        '{"name":"bob","host":{"address":"192.0.2.7"}},"target":{"name":"key"}}\n',
        1,
        {**DENIED, "event_action": "key.login", "event_severity": 70},
    ),
    "Blue Coat counts milliseconds": (
        "#Software: SGOS 7.3\n#Fields: date time time-taken c-ip cs-username cs-categories sc-filter-result sc-status s-action cs-method cs-host cs-uri-path s-ip sc-bytes\n"
        "2026-03-02 10:00:01 121 192.0.2.7 bob \"Bad Places\" DENIED 403 TCP_DENIED GET www.example.org /x 192.0.2.9 900\n",
        1,
        {**DENIED, "duration_s": 0.121},
    ),
    "an event that is a sentence": (
        "Level,Log,Time,User,Event\nInfo,Connection,2026/03/02 10:00:01,SYSTEM,User [bob] from [192.0.2.7] failed to log in via [DSM].\n",
        1,
        {"source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a type that is a level": ("Type,Date,Time,User,Application\nWarning,2026-03-02,10:00:01,bob,SSH\n", 1, {"event_severity": 40}),
    "Polish": ("Data i godzina;Użytkownik;Adres IP;Wynik\n2026-03-02 10:00:01;bob;192.0.2.7;Niepowodzenie\n", 1, DENIED),
    "Japanese": ("日時,ユーザー,送信元IP,結果\n2026/03/02 10:00:01,bob,192.0.2.7,失敗\n", 1, DENIED),
    "Russian": ("Дата;Время;Пользователь;IP источника;Результат\n02.03.2026;10:00:01;bob;192.0.2.7;Отказ\n", 1, DENIED),
    "Huawei's names of messages": (
        "Mar  2 2026 10:00:01 fw1 %%01POLICY/6/POLICYDENY(l):vsys=public, protocol=6, source-ip=192.0.2.7, source-port=4022, "
        "destination-ip=192.0.2.20, destination-port=22, rule-name=default.\n",
        1,
        {"time": TIME, "event_outcome": "failure", "event_action": "POLICYDENY", "event_severity": 10, "destination_port": 22},
    ),
    "a level before a message": (
        "Mar  2 2026 10:00:01 mx1 postfix/smtpd[8]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: x\n",
        1,
        {"event_severity": 40, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "arrays without names": (
        '["2026-03-02T10:00:00Z","INFO","192.0.2.8","alice","login ok"]\n["2026-03-02T10:00:01Z","WARN","192.0.2.7","bob","login failed"]\n'
        '["2026-03-02T10:00:01Z","WARN","192.0.2.7","bob","login failed"]\n',
        3,
        {"time": TIME, "source_ip": "192.0.2.7", "event_severity": 40, "event_outcome": "failure"},
    ),
    "one array of arrays, of numbers first": (
        '[[1772445600,"192.0.2.8","GET","/a",200],[1772445601,"192.0.2.7","POST","/login",403]]\n',
        2,
        {"time": TIME, "source_ip": "192.0.2.7", "http_request_method": "POST", "url_original": "/login", "event_outcome": "failure"},
    ),
    "connections of this moment": (
        "Proto Recv-Q Send-Q Local Address       Foreign Address      State       PID/Program name\n"
        "tcp        0      0 192.0.2.20:22       192.0.2.8:51000      ESTABLISHED 1234/sshd\n"
        "tcp        0     36 192.0.2.20:443      192.0.2.7:51001      TIME_WAIT   99/nginx\n",
        2,
        {"source_ip": "192.0.2.7", "source_port": 51001, "destination_ip": "192.0.2.20", "destination_port": 443},
    ),
    "who is here": (
        "USER     TTY      FROM         LOGIN@   IDLE   WHAT\nalice    pts/0    192.0.2.8    10:00    1:00s  -bash\n"
        "bob      pts/1    192.0.2.7    10:05    5.00s  vim\n",
        2,
        {"user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "a host with its port is the server's": (
        '{"ts":"2026-03-02T10:00:01Z","host":"192.0.2.20:8443","method":"GET","path":"/","status":200}\n',
        1,
        {"source_ip": None, "destination_ip": "192.0.2.20", "destination_port": 8443},
    ),
    "an access log by tabs": (
        "2026-03-02 10:00:00\t192.0.2.8\tGET\t/a\t200\t12\tcurl/8\n2026-03-02 10:00:01\t192.0.2.7\tPOST\t/login\t401\t12\tcurl/8\n",
        2,
        {"time": TIME, "source_ip": "192.0.2.7", "http_request_method": "POST", "http_response_status_code": 401},
    ),
    "a time with its unit in its name": (
        '{"creationTimestampUsecs":"1772445601000000","clientIp":"192.0.2.7","durationMillis":12}\n',
        1,
        {"time": TIME, "source_ip": "192.0.2.7", "duration_s": 0.012},
    ),
    "a time of the end in Spanish": (
        "Hora de finalización,Nombre,Dirección de origen,Usuario,Resultado\n02/03/2026 10:00:00,Inicio,192.0.2.8,ann,correcto\n"
        "13/03/2026 10:00:01,Inicio,192.0.2.7,bob,fallido\n",
        2,
        {**DENIED, "time": "2026-03-13T10:00:01"},
    ),
    "small words of Italian": (
        "Data e ora di inizio;Indirizzo di origine;Utente;Esito\n13/03/2026 10:00:01;192.0.2.7;bob;fallito\n",
        1,
        {**DENIED, "time": "2026-03-13T10:00:01"},
    ),
    "an address behind its own name": (
        '2026-03-02 10:00:01 - {"type":"core","user":"bob","remote-address":"web1/192.0.2.7","success":false}\n',
        1,
        DENIED,
    ),
    "times and kinds of Polish": (
        "Czas zdarzenia;Nazwa użytkownika;Adres IP klienta;Typ zdarzenia\n2026-03-02 10:00:01;bob;192.0.2.7;Logowanie nieudane\n",
        1,
        {**DENIED, "event_action": "Logowanie nieudane"},
    ),
    "a time at the end of a Korean name": ("발생 시간,사용자,출발지IP\n2026-03-02 10:00:01,bob,192.0.2.7\n", 1, {"time": TIME, "source_ip": "192.0.2.7"}),
    "what a name is of, behind it": (
        "Horodatage;Compte;Adresse du client;Résultat de l'authentification\n13/03/2026 10:00:01;bob;192.0.2.7;Refusée\n",
        1,
        {**DENIED, "time": "2026-03-13T10:00:01"},
    ),
    "PostgreSQL's prefix with its user": (
        "2026-03-02 10:00:00.123 UTC [1234] LOG:  checkpoint starting: time\n"
        "2026-03-02 10:00:01.123 UTC [1235] bob@shop LOG:  duration: 12 ms\n",
        2,
        {"user_name": "bob", "process_pid": 1235, "process_name": None, "event_severity": 10},
    ),
    "a level among bars": (
        "2026/03/02 10:00:01|1234|0001|Warn|[CM2]: Authentication failed for ext 101 from 192.0.2.7:5060\n",
        1,
        {"event_severity": 40, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a client with its proxies, without a name": (
        "192.0.2.8,127.0.0.1 | https | bob | 2026-03-02 10:00:00,123 | \"GET /a HTTP/1.1\" | 200 |\n"
        "192.0.2.7,127.0.0.1 | https | root | 2026-03-02 10:00:01,123 | \"GET /a HTTP/1.1\" | 401 |\n",
        2,
        {**DENIED, "user_name": "root", "time": TIME + ".123"},
    ),
    "a German compound": ("Erkennungszeitpunkt;Gerät;Benutzer\n02.03.2026 10:00:01;PC1;bob\n", 1, {"time": TIME, "user_name": "bob"}),
    "the header's priority is better than the word": (
        "<14>Mar  2 10:00:01 h1 app[8]: error: user bob from 192.0.2.7 denied\n",
        1,
        {"event_severity": 10},
    ),
}  # fmt: skip


def _told(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("name", LINES)
def test_the_last_event_of_a_few_lines_tells_what_they_say(name: str, tmp_path: Path) -> None:
    text, count, expected = LINES[name]
    path = tmp_path / "strange.log"
    path.write_text(text, encoding="utf-8")
    seen = peek(path, limit=9)
    assert len(seen.events) == count
    told = {column: _told(seen.events[-1].get(column)) for column in expected}
    if "time" in told:
        told["time"] = str(told["time"]).removesuffix("+00:00")
        expected = {**expected, "time": expected["time"] + "000" * (len(expected["time"]) == len(TIME) + 4)}
    assert told == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error in [sub=User opID=abd] of EX\\bob", {"user_name": None}),
        ("Cannot login root@192.0.2.7", {"user_name": "root", "source_ip": "192.0.2.7", "event_outcome": "failure"}),
        ("session was opened for 'root@192.0.2.7'", {"user_name": "root", "source_ip": "192.0.2.7"}),
        ("[ACCEPTED LOGIN] for client : alice / 192.0.2.7", {"user_name": "alice", "event_outcome": "success"}),
        ("Principal = User:bob is Denied from host = 192.0.2.7", {"user_name": "bob", "event_outcome": "failure"}),
        ("Remote login failed. Login ID: bob from SSH at 192.0.2.7", {"user_name": "bob"}),
        ("User logged in: alice", {"user_name": "alice", "event_outcome": "success"}),
        ("user accepted: true", {"user_name": None, "event_outcome": "success"}),
        ("user enabled: yes", {"user_name": None}),
        ("Successfully authenticated as principal alice on shop", {"user_name": "alice"}),
        ("cluster1:ssh :: 192.0.2.7:4022 :: volume show", {"source_ip": "192.0.2.7", "source_port": 4022}),
        (
            "cluster1:ssh :: 192.0.2.7:4022 :: cluster1:bob :: volume show :: Success",
            {"user_name": "bob", "source_ip": "192.0.2.7"},
        ),
        ("smtp H=x [192.0.2.7]:4022 refused", {"source_ip": "192.0.2.7", "source_port": 4022}),
        ("completed POST /login for 192.0.2.7:4022, 303 See Other", {"http_response_status_code": 303}),
    ],
)
def test_a_message_tells_who_and_from_where(text: str, expected: dict[str, Any]) -> None:
    told = facts_of(text)
    assert {column: told.get(column) for column in expected} == expected


OUTWARD = (
    {"flow_direction": "egress"}, {"dir": "out"}, {"network.direction": "outbound"}, {"connectionDirection": "OUTGOING"},
    {"Initiated": "true"},
)  # fmt: skip
LOCAL, REMOTE = ("192.0.2.20", 5000), ("198.51.100.9", 443)


@pytest.mark.parametrize("names", [("ip", "port"), ("address", "port"), ("IpV4", "Port")])
@pytest.mark.parametrize("said", [{}, {"direction": "inbound"}, *OUTWARD])
def test_whoever_began_a_connection_is_its_source(said: dict[str, str], names: tuple[str, str]) -> None:
    ends = {f"local_{names[0]}": LOCAL[0], f"local_{names[1]}": LOCAL[1]}
    ends |= {f"remote_{names[0]}": REMOTE[0], f"remote_{names[1]}": REMOTE[1]}
    row, _ = guessed_row({"ts": "2026-03-02T10:00:00Z", **said, **ends}, Clock(None, None, None))
    source, destination = (LOCAL, REMOTE) if said in OUTWARD else (REMOTE, LOCAL)
    assert (row["source_ip"], row["source_port"]) == source
    assert (row["destination_ip"], row["destination_port"]) == destination


@pytest.mark.parametrize("direction", ["0", "1"])
def test_what_cef_calls_source_stays_the_source_whatever_the_direction(direction: str) -> None:
    line = f"CEF:0|Acme|NGFW|5|1|flow|3|deviceDirection={direction} src=192.0.2.20 spt=5000 dst=198.51.100.9 dpt=443"
    row = cef_event(line, Clock(None, None, None))
    assert (row["source_ip"], row["destination_ip"], row["destination_port"]) == ("192.0.2.20", "198.51.100.9", 443)
    assert row["extra"]["deviceDirection"] == direction  # type: ignore[index]


def test_a_number_that_is_filled_up_is_no_time_and_fourteen_digits_keep_their_fraction() -> None:
    clock = Clock(None, None, None)
    with pytest.raises(ValueError, match="is not a time"):
        time_of("0302100026", clock)
    assert time_of("20260302100001.123", clock).isoformat() == "2026-03-02T10:00:01.123000+00:00"


def test_a_clock_of_digits_is_one_only_where_its_name_says_so() -> None:
    row, _ = guessed_row({"date": "2026-03-02", "received": "100001", "user": "bob"}, Clock(None, None, None))
    assert row["time"].isoformat() == "2026-03-02T00:00:00+00:00"  # type: ignore[attr-defined]


def test_what_is_false_of_something_else_is_no_failure() -> None:
    row, _ = guessed_row({"t": "2026-03-02T10:00:00Z", "msg": "Successful login admin=false"}, Clock(None, None, None))
    assert row["event_outcome"] == "success"
    assert outcome_of("1", "failedlogin") == "failure"
    assert outcome_of("Connection discarded") == "failure"


def test_words_of_other_languages_are_levels_in_cells_alone() -> None:
    assert (severity_of("wysoki"), severity_of("警告"), severity_of("högt")) == (70, 40, None)
    assert read_message("app", "lag 12 ms")[0].get("event_severity") is None


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("192.0.2.0/255.255.255.0", None), ("192.0.2.1/0.0.0.255", None),
        ("web01/192.0.2.7:4022", "192.0.2.7"), ("192.0.2.7/192.0.2.7:4022", "192.0.2.7"), ("0.0.0.0/0.0.0.0:80", "0.0.0.0"),
    ],
)  # fmt: skip
def test_the_mask_behind_an_address_is_no_address(text: str, ip: str | None) -> None:
    assert address_and_port(text)[0] == ip


@pytest.mark.parametrize(
    ("name", "is_time"),
    [
        ("Date de naissance", False), ("Fecha de caducidad", False), ("Data di scadenza", False), ("Ablaufzeitpunkt", False),
        ("Date of Birth", False), ("Date Expires", False), ("Date Accessed", True),
        ("Date de détection", True), ("Fecha de creación", True), ("Data di rilevamento", True), ("Erkennungszeitpunkt", True),
    ],
)  # fmt: skip
def test_when_somebody_was_born_or_something_ends_to_be_valid_is_no_time_of_an_event(name: str, is_time: bool) -> None:
    assert ("time" in guess((name,)).columns) is is_time
