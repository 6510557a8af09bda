"""Records in the shapes that tools wrap them in: under their ids, as YAML, in tables of HTML, behind hosts and banners, in old encodings."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from socml.formats import head_in_utf8
from socml.ingestion import peek

_BANNER = "************ Start Display Current Environment ************\nHost system is 8.0.5\nJava version = 1.8.0, Java Compiler = j9jit\n"
_END = "************* End Display Current Environment *************\n"
_WEBSPHERE = "[3/2/26 10:00:01:123 UTC] 00000045 LTPAServerObj E   SECJ0369E: Authentication failed when using LTPA.\n"
_IDS = '"{}": {{"ts": "2026-03-02T10:00:01Z", "acct": "ann", "src_ip": "192.0.2.7", "result": "failure"}}'
_FAILED = {"user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "failure"}
_PAGE = (
    "<!DOCTYPE html><html><head><style>td {color: red}</style></head><body><h1>Audit</h1>\n<table><tr><td>menu</td></tr></table>\n"
    "<table class='x'><thead><tr><th>Time</th><th>User</th><th>IP address</th><th>Result</th></tr></thead><tbody>\n"
    "<tr></tr><tr><td>2026-03-02 10:00:01</td><td><b>ann</b></td><td>192.0.2.7</td><td>Failed &amp; locked</td></tr>\n</tbody></table></html>\n"
)
_EVENTS = (
    "LAST SEEN   TYPE      REASON        OBJECT      MESSAGE\n"
    "12m         Normal    Pulled        pod/web-0   Container image is already present on machine\n"
    "45s         Warning   FailedMount   pod/db-0    Unable to attach or mount volumes\n"
)
_CYLANCE = (
    "<44>1 2026-03-02T10:00:00Z sysloghost CylancePROTECT - - - [] Event Type: Threat, Event Name: quarantined, "
    "Device Name: pc6, IP Address: (192.0.2.7), User: ann\n"
)
_ONE = '{"at": "2026-03-02T10:00:0%d", "acct": "%s", "src_ip": "192.0.2.7", "result": "failure"}'
_SENT = f'{{"batch": 7, "sentAt": "2026-03-02T11:00:00Z", "things": [{_ONE % (0, "bob")}, {_ONE % (1, "ann")}]}}'
_LATER = f'{{"batch": 8, "sentAt": "2026-03-02T11:00:01Z", "things": [{_ONE % (1, "ann")}]}}'
# what is told → a file, how many events it has, and what columns of its last must be
FILES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "records under their ids, on a line": (
        f"{{{_IDS.format('e1')}, {_IDS.format('e2')}}}",
        2,
        {**_FAILED, "extra": {"key": "e2", "result": "failure"}},
    ),
    "records under their ids, on lines": (f"{{\n  {_IDS.format('e1')},\n  {_IDS.format('e2')}\n}}\n", 2, _FAILED),
    "records under their ids, within an object": (
        f"{{\n \"from\": \"x\", \"rows\": {{\n  {_IDS.format('e1')},\n  {_IDS.format('e2')}\n }},\n \"n\": {{\"a\": 1}}\n}}\n",
        2,
        _FAILED,
    ),
    "batches of records, a line each": (
        f"{_SENT}\n{_LATER}\n",
        3,
        {**_FAILED, "extra": {"batch.batch": "8", "batch.sentAt": "2026-03-02T11:00:01Z", "result": "failure"}},
    ),
    "batches of records in an array": (f"[{_SENT},\n{_LATER}]", 3, _FAILED),
    "a record with its steps is one": (
        f'{{"at": "2026-03-02T10:00:01Z", "acct": "ann", "src_ip": "192.0.2.7", "result": "failure", "steps": [{_ONE % (0, "x")}, {_ONE % (1, "y")}]}}\n' * 2,
        2,
        _FAILED,
    ),
    "one list a column": (
        '{"at": ["2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z"], "acct": ["bob", "ann"], "src_ip": ["192.0.2.9", "192.0.2.7"], '
        '"result": ["success", "failure"]}',
        2,
        _FAILED,
    ),
    "one object a column, as pandas writes it": (
        '{"at":{"0":"2026-03-02T10:00:00Z","1":"2026-03-02T10:00:01Z"},"acct":{"0":"bob","1":"ann"},'
        '"src_ip":{"1":"192.0.2.7","0":"192.0.2.9"},"result":{"0":"success","1":"failure"}}',
        2,
        _FAILED,
    ),
    "lists that are as long by chance, of one record": (
        '{"at": "2026-03-02T10:00:01Z", "acct": "ann", "src_ip": "192.0.2.7", "result": "failure", "tags": ["a", "b"], "ports": [1, 2]}\n',
        1,
        _FAILED,
    ),
    "names of columns in a comment": (
        "# at;acct;src_ip;result\n2026-03-02 10:00:00;bob;192.0.2.9;success\n2026-03-02 10:00:01;ann;192.0.2.7;failure\n",
        2,
        _FAILED,
    ),
    "pairs that are coloured for a terminal": (
        "at=2026-03-02T10:00:01Z \x1b[1macct=\x1b[0mann src_ip=\x1b[36m192.0.2.7\x1b[0m result=\x1b[31mfailure\x1b[0m\n",
        1,
        _FAILED,
    ),
    "two states of one record": (f"{{{_IDS.format('before')}, {_IDS.format('after')}}}", 1, _FAILED),
    "names in quotes": ('"time"="2026-03-02T10:00:01Z" "user"="ann" "srcip"="192.0.2.7" "dstport"="443" "result"="failed"\n', 1, {**_FAILED, "destination_port": 443}),
    "a host before the time": (
        "web1 2026-03-02T10:00:01Z login failed for ann from 192.0.2.7\n",
        1,
        {**_FAILED, "host_name": "web1", "message": "login failed for ann from 192.0.2.7"},
    ),
    "a host before the time, and a program behind it": (
        "gw.example.org 2026-03-02 10:00:01 sshd[12]: Failed password for ann from 192.0.2.7 port 4022 ssh2\n",
        1,
        {**_FAILED, "host_name": "gw.example.org", "process_name": "sshd", "process_pid": 12, "source_port": 4022},
    ),
    "a thread before the time is no host": (
        "worker3 2026-03-02T10:00:01Z login failed for ann from 192.0.2.7\n",
        1,
        {"host_name": None, "user_name": "ann"},
    ),
    "a level and a thread before the time": (
        "WARN  [main] 2026-03-02 10:00:01,123 Gossiper.java:1000 - Node is down\n",
        1,
        {"event_severity": 40, "message": "Gossiper.java:1000 - Node is down"},
    ),
    "a list in YAML": (
        "- time: 2026-03-02T10:00:00Z\n  user: bob\n"
        "- time: 2026-03-02T10:00:01Z\n  user: \"ann\"  # who\n  source:\n    ip: 192.0.2.7\n    port: 4022\n  tags:\n  - a\n  - b\n  result: failure\n",
        2,
        {**_FAILED, "time": "2026-03-02 10:00:01+00:00", "source_port": 4022, "extra": {"tags": "a, b", "result": "failure"}},
    ),
    "a list in YAML, under a name": (
        "events:\n  - time: 2026-03-02T10:00:00Z\n    user: bob\n  - time: 2026-03-02T10:00:01Z\n    user: ann\n    message: |\n      one\n      two\n",
        2,
        {"user_name": "ann", "message": "one\ntwo"},
    ),
    "documents in YAML": (
        "---\ntime: 2026-03-02T10:00:00Z\nuser: bob\n---\ntime: 2026-03-02T10:00:01Z\nuser: ann\nsource: {}\nip: 192.0.2.7\nresult: failure\n",
        2,
        _FAILED,
    ),
    "a table of HTML": (_PAGE, 1, {**_FAILED, "extra": {"Result": "Failed & locked"}}),
    "events of Kubernetes": (
        _EVENTS,
        2,
        {"time": None, "event_action": "FailedMount", "event_severity": 40, "message": "Unable to attach or mount volumes"},
    ),
    "whose password it was": ("2026-03-02T10:00:01Z ann: wrong password\n", 1, {"user_name": "ann", "process_name": None, "event_outcome": "failure"}),
    "whose password it was, behind a level": (
        "[2026-03-02 10:00:01] WARN ann: wrong password\n",
        1,
        {"user_name": "ann", "process_name": None, "event_severity": 40, "event_outcome": "failure"},
    ),
    "a map in braces a line": (
        "- {time: 2026-03-02T10:00:00Z, user: bob}\n- {time: 2026-03-02T10:00:01Z, user: ann, peer: 'x', ip: 192.0.2.7, result: failure}\n",
        2,
        _FAILED,
    ),
    "sections": (
        "[[event]]\ntime = 2026-03-02T10:00:00Z\nuser = \"bob\"\n\n[[event]]\ntime = 2026-03-02T10:00:01Z\nuser = \"ann\"\nip=192.0.2.7\nresult=failure\n",
        2,
        _FAILED,
    ),
    "lines of a list without brackets": (
        '{"time":"2026-03-02T10:00:00Z","user":"bob"},\n{"time":"2026-03-02T10:00:01Z","user":"ann","ip":"192.0.2.7","result":"failure"},\n',
        2,
        _FAILED,
    ),
    "cells that carets part": ("time^user^src_ip^action^result\n2026-03-02 10:00:01^ann^192.0.2.7^LOGIN^FAILURE\n", 1, _FAILED),
    "an element whose child closes itself": (
        "<log>\n"
        + '<event time="2026-03-02 10:00:01" name="LOGON_FAILED"><session peerAddress="192.0.2.7:4022" userName="ann"/></event>\n' * 2
        + "</log>\n",
        2,
        {**_FAILED, "source_port": 4022},
    ),
    "names and values that colons join are no host": (
        "2026-03-02T10:00:01Z user:ann ip:192.0.2.7 action:login result:failed\n",
        1,
        {**_FAILED, "host_name": None, "process_name": None},
    ),
    "names and values that arrows join are no host": (
        "2026-03-02 10:00:01 user => ann, ip => 192.0.2.7, result => failed\n",
        1,
        {**_FAILED, "host_name": None},
    ),
    "a day behind the year's two digits": (
        'I260302 10:00:01.123456 12 4@log.go:32 [n1,user=ann] 12 ={"EventType":"authentication_failed","RemoteAddress":"192.0.2.7:4022","User":"ann"}\n',
        1,
        {**_FAILED, "time": "2026-03-02 10:00:01.123456+00:00", "source_port": 4022},
    ),
    "somebody in brackets": (
        "2026-03-02 10:00:01.123+0000 ERROR [Log @ 2026-03-02 10:00:01.123+0000]  [ann]: failed to log in: invalid principal\n",
        1,
        {"user_name": "ann", "event_outcome": "failure", "event_severity": 60},
    ),
    "somebody whom an exception names": (
        "2026.03.02 10:00:01.123456 [ 12 ] {} <Error> Handler: Code: 516. DB::Exception: ann: Authentication failed: password is incorrect\n",
        1,
        {"user_name": "ann", "event_outcome": "failure"},
    ),
    "names nobody has seen": (
        '{"eventMoment":"2026-03-02T10:00:01Z","clientNetworkAddress":"192.0.2.7","clientNetworkPort":4022,"serverNetworkPort":22,'
        '"accountLogin":"ann","operationKind":"READ","Final Decision":"Reject"}\n',
        1,
        {**_FAILED, "time": "2026-03-02 10:00:01+00:00", "source_port": 4022, "destination_port": 22, "event_action": "READ"},
    ),
    "sections whose names colons part": (
        "[one]\nDate: 2026-03-02 10:00:00\nLogin: bob\n\n[two]\nDate: 2026-03-02 10:00:01\nLogin: ann\nIP: 192.0.2.7\nStatus: refused\n",
        2,
        _FAILED,
    ),
    "short names within wrappers": (
        '{"hdr":{"ts":1772445601000},"bdy":{"src":"192.0.2.7:4022","usr":{"nm":"ann"},"conclusion":"denied"}}\n',
        1,
        {**_FAILED, "time": "2026-03-02 10:00:01+00:00", "source_port": 4022},
    ),
    "ends with a version": (
        "when=2026-03-02T10:00:01Z usr=ann client_v4=192.0.2.7 client_prt=4022 server_v4=192.0.2.5 ruling=deny\n",
        1,
        {**_FAILED, "source_port": 4022, "destination_ip": "192.0.2.5"},
    ),
    "ends by what they do": (
        "Opened At;Requesting User;Requesting IP;Answering IP;Answering Port;Decision\n2026-03-02 10:00:01;ann;192.0.2.7;192.0.2.5;22;Refused\n",
        1,
        {**_FAILED, "destination_ip": "192.0.2.5", "destination_port": 22},
    ),
    "pairs before JSON": (
        '2026-03-02T10:00:01Z host=web1 event=login details={"user":"ann","ip":"192.0.2.7","result":"failed"}\n',
        1,
        {**_FAILED, "host_name": "web1", "event_action": "login"},
    ),
    "a status before the request, and an address behind nobody": (
        "[W 2026-03-02 10:00:01.123 Hub log:191] 403 POST /hub/login?next= (@192.0.2.7) 12.34ms\n",
        1,
        {"source_ip": "192.0.2.7", "http_response_status_code": 403},
    ),
    "a version is no address": (
        "03/02/26 10:00:01 - Process(12.5) User(mqm) VRMF(9.3.0.0) was blocked\n",
        1,
        {"source_ip": None},
    ),
    "somebody behind the address of a session": (
        "2026-03-02T10:00:01.123Z << [FTP Session 12 192.0.2.7 ann] 230 Login successful.\n",
        1,
        {"user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "success"},
    ),
    "the host that pairs name": (_CYLANCE, 1, {"host_name": "pc6", "user_name": "ann", "source_ip": "192.0.2.7"}),
    "a banner": (_BANNER + _END + _WEBSPHERE, 1, {"time": "2026-03-02 10:00:01.123000+00:00", "event_severity": 60}),
    "half a banner": (_BANNER.split("\n", 1)[1] + _END + _WEBSPHERE, 1, {"event_severity": 60, "event_outcome": "failure"}),
}  # fmt: skip
RUSSIAN = "2026-03-02 10:00:01 web1 app: Ошибка входа пользователя ann с адреса 192.0.2.7\n"
JAPANESE = "2026-03-02 10:00:01 web1 app: ユーザー ann のログインに失敗しました (192.0.2.7)\n"
WESTERN = {
    "da": "brugernavn adgang nægtet æble øl på ændret fødsel første følgende året", "de": "Übertragung für gelöscht größe Straße Äußerung öffnen",
    "es": "contraseña inválida sesión año número también señal ¿quién?", "fi": "käyttäjä pääsy evätty yöllä tämä älä", "fr": "échec réussie créée où naïve cœur à ça",
    "is": "aðgangur synjað þjónn óþekkt ný færsla þú", "it": "perché è già attività più età così", "nl": "geïnstalleerd reünie één coördinatie",
    "pt": "autenticação não conexão usuário sessão três", "sv": "användare åtkomst lösenord på går överföring",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_record_is_told_whatever_it_is_wrapped_in(name: str, tmp_path: Path) -> None:
    text, count, expected = FILES[name]
    path = tmp_path / "a.log"
    path.write_text(text, encoding="utf-8")
    found = peek(path)
    events = found.to_dict()["events"]
    assert (len(events), found.rejected) == (count, 0)
    assert {column: _plain(events[-1].get(column)) for column in expected} == expected


def _plain(value: object) -> object:
    return value if isinstance(value, (dict, int)) or value is None else str(value)


def test_rows_without_a_time_are_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "events.txt"
    path.write_text(_EVENTS, encoding="utf-8")
    assert any("an age, as 12m, is none" in warning for warning in peek(path).warnings)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp866"), (JAPANESE, "cp932"), (JAPANESE, "euc-jp")],
)
@pytest.mark.parametrize("form", ["lines", "table"])
def test_text_of_before_utf_8_is_read_in_its_own_encoding_and_that_is_said(
    text: str, encoding: str, form: str, tmp_path: Path
) -> None:
    if form == "table":
        text = f"time,user,message\n2026-03-02 10:00:01,ann,{text[30:].strip()}\n2026-03-02 10:00:02,ann,{text[30:].strip()}\n"
    (tmp_path / "new.log").write_text(text, encoding="utf-8")
    (tmp_path / "old.log").write_text(text, encoding=encoding)
    expected, found = peek(tmp_path / "new.log"), peek(tmp_path / "old.log")
    assert [event["message"] for event in found.events] == [event["message"] for event in expected.events]
    assert found.format == expected.format
    assert [warning for warning in found.warnings if encoding in warning and "not UTF-8" in warning]


def test_western_text_and_bytes_of_no_text_are_told_as_before() -> None:
    rng = random.Random(7)
    for words in (text.split() for text in WESTERN.values()):
        for count in (1, 2, 5, 12) * 50:
            line = " ".join(rng.choice(words) for _ in range(count))
            for text in (line, line.upper(), line.title()):
                old = f"{text}\n".encode("cp1252")
                assert head_in_utf8(old) in (f"{text}\n".encode(), old)
    assert head_in_utf8(b"GET /\xcf\xd0\xcf\xd0\xff\xfe\xcf\n") == b"GET /\xcf\xd0\xcf\xd0\xff\xfe\xcf\n"


def test_a_zeek_log_with_western_bytes_is_read_as_words(tmp_path: Path) -> None:
    fields = "#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\n"
    row = "1772445601.000000\tC1\t192.0.2.7\t4022\t192.0.2.5\t80\tGET\twww.example.org\t/entrée\n"
    (tmp_path / "http.log").write_bytes(f"{fields}{row}".encode("cp1252"))
    found = peek(tmp_path / "http.log")
    assert (found.format, found.events[0]["url_original"]) == ("zeek-tsv", "/entrée")
    assert any("cp1252" in warning for warning in found.warnings)
