"""Records of tools that nobody knows, in the odd shapes that programs print: who, from where, when, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

_T0, _T1 = "2026-03-02T10:00:00", "2026-03-02T10:00:01"
_FAILED = {"user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "failure"}
_TIMED = {**_FAILED, "time": _T1}
_PORTS = {"source_ip": "192.0.2.7", "source_port": 40100, "destination_ip": "198.51.100.2", "destination_port": 53}


def _twice(pattern: str) -> str:
    """Return two records of a pattern, the second of whom is asked for."""
    return pattern.format(t=_T0, user="bob", ip="192.0.2.9", how="granted") + pattern.format(
        t=_T1, user="ann", ip="192.0.2.7", how="denied"
    )


# what is told → a file of two events or more, and what columns of its last must be
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "pairs as Ruby prints them": (_twice('{{:at=>"{t}Z", :user=>"{user}", :ip=>"{ip}", :result=>"{how}"}}\n'), _TIMED),
    "pairs in parentheses": (
        _twice("TIME({t}) USER({user}) CONNAME({ip}) PROGRAM(amqsput) STATUS({how})\n"),
        {**_TIMED, "process_name": "amqsput"},
    ),
    "pairs in brackets": (_twice("[at:{t}] [user:{user}] [ip:{ip}] [result:{how}]\n"), _TIMED),
    "words behind pairs in brackets": (
        "[at:2026-03-02T10:00:00] [user:bob] [ip:192.0.2.9] [place:gate] login ok\n"
        "[at:2026-03-02T10:00:01] [user:ann] [ip:192.0.2.7] [place:gate] login failed\n",
        {**_TIMED, "message": "login failed"},
    ),
    "pairs of Lisp": (
        _twice('(event (time "{t}Z") (user "{user}") (client "{ip}") (program gated) (result {how}))\n'),
        {**_TIMED, "process_name": "gated"},
    ),
    "a list of properties of Lisp": (
        _twice('(:ts "{t}" :user "{user}" :peer "{ip}" :program gated :status :{how})\n'),
        {**_TIMED, "process_name": "gated"},
    ),
    "a query": (_twice("at={t}Z&user={user}&ip={ip}&result={how}&x=a%20b\n"), _TIMED),
    "blocks in braces": (
        _twice("event {{\n  time {t}Z;\n  user {user};\n  from {{ ip {ip}; }}\n  result {how};\n}}\n"),
        _TIMED,
    ),
    "properties with numbers": (
        "".join(
            f"# {n}\nlog.{n}.time={t}Z\nlog.{n}.user={user}\nlog.{n}.ip={ip}\nlog.{n}.result={how}\n"
            for n, t, user, ip, how in (
                (1, _T0, "bob", "192.0.2.9", "granted"),
                (2, _T1, "ann", "192.0.2.7", "denied"),
            )
        ),
        _TIMED,
    ),
    "records that rules part": (_twice("=====\nWhen: {t}\nWho: {user}\nFrom: {ip}\nResult: {how}\n"), _TIMED),
    "maps of YAML within maps, an anchor": (
        "base: &b\n  gate: g1\nlog:\n"
        + _twice(
            "  - <<: *b\n    at: {t}Z\n    login: {user}\n    net: {{peer: {{ip: {ip}, port: 1}}}}\n    verdict: {how}\n"
        ),
        _TIMED,
    ),
    "documents of YAML without a first rule": (
        f"time: {_T0}\nuser: bob\nip: 192.0.2.9\nresult: granted\n...\n---\ntime: {_T1}\nuser: ann\nip: 192.0.2.7\nresult: denied\n",
        _TIMED,
    ),
    "a table in double lines": (
        "╔═════╦═════╦═════╦═════╗\n║ at ║ user ║ ip ║ result ║\n╠═════╬═════╬═════╬═════╣\n"
        + _twice("║ {t} ║ {user} ║ {ip} ║ {how} ║\n")
        + "╚═════╩═════╩═════╩═════╝\n",
        _TIMED,
    ),
    "units under the names": (
        "at,user,ip,result,bytes\n[UTC],-,-,-,[kB]\n" + _twice("{t},{user},{ip},{how},7\n"),
        _TIMED,
    ),
    "groups of columns": (
        "Event,,Client,,Traffic\nAt,User,Address,Result,Bytes\n" + _twice("{t},{user},{ip},{how},7\n"),
        _TIMED,
    ),
    "titles in quotes": (
        '"Access report"\n"Of: today"\n\n"At","User","IP","Result"\n' + _twice('"{t}","{user}","{ip}","{how}"\n'),
        _TIMED,
    ),
    "cells that tildes part": ("AT~USER~IP~RESULT\n" + _twice("{t}~{user}~{ip}~{how}\n"), _TIMED),
    "names in a comment, blanks between": (
        "# Software: a gate\n# Columns: time client user result\n" + _twice("{t} {ip} {user} {how}\n"),
        _TIMED,
    ),
    "records that JSON's own sign parts": (
        "".join(
            f'\x1e{{"ts":{1772445600 + at},"kind":"auth","user":"ann","addr":"192.0.2.7","ok":false}}\n'
            for at in (0, 1)
        ),
        _TIMED,
    ),
    "JSON among text": (
        _twice('{{"at": "{t}Z", "user": "{user}", "ip": "{ip}", "result": "{how}"}}\n').replace(
            '{"at": "2026-03-02T10:00:01', '2026-03-02 10:00:00 flushed\n{"at": "2026-03-02T10:00:01'
        ),
        _TIMED,
    ),
    "records under their times": (
        "{" + _twice('"{t}Z": {{"user": "{user}", "ip": "{ip}", "result": "{how}"}},').rstrip(",") + "}",
        _TIMED,
    ),
    "nodes of a graph": (
        '{"data": {"log": {"edges": ['
        + _twice('{{"node": {{"time": "{t}Z", "user": "{user}", "ip": "{ip}", "result": "{how}"}}}},').rstrip(",")
        + "]}}}",
        _TIMED,
    ),
    "numbers that MongoDB wraps": (
        '{"at": {"$date": {"$numberLong": "1772445600000"}}, "user": "bob", "ip": "192.0.2.9"}\n'
        '{"at": {"$date": {"$numberLong": "1772445601000"}}, "user": "ann", "ip": "192.0.2.7"}\n',
        {"time": _T1, "user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "parameters of XML": (
        "<log>"
        + _twice(
            '<e n="1"><p k="time" v="{t}Z"/><p k="user" v="{user}"/><p k="ip" v="{ip}"/><p k="result" v="{how}"/></e>'
        )
        + "</log>",
        _TIMED,
    ),
    "a time in the second line": (
        "server info:\n\t2026/03/02 10:00:00 pid 7 bob@ws1 192.0.2.9 'login'\n"
        "server error:\n\t2026/03/02 10:00:01 pid 7 ann@ws2 192.0.2.7 'login' refused\n",
        _TIMED,
    ),
    "an application's lines, the second indented": (
        "2026-03-02 10:00:00 session 881\n    user bob from 192.0.2.9 accepted\n"
        "2026-03-02 10:00:01 session 882\n    user ann from 192.0.2.7 rejected: wrong password\n",
        _TIMED,
    ),
    "who in one line, from where in the next": (
        "** 02/03/2026 10:00:00 **\nLogin attempt by bob\nAddress 192.0.2.9, result: success\n"
        "** 13/03/2026 10:00:01 **\nLogin attempt by ann\nAddress 192.0.2.7, result: failure\n",
        _FAILED,
    ),
    "days of the year": (
        "2026061 100000 GATE ACCESS GRANTED USER=bob IP=192.0.2.9\n2026061 100001 GATE ACCESS DENIED USER=ann IP=192.0.2.7\n",
        _TIMED,
    ),
    "days of the year, behind a pair": (
        "n=1 2026-061T10:00:00Z op=get user=bob ip=192.0.2.9 result=granted\nn=2 2026-061T10:00:01Z op=get user=ann ip=192.0.2.7 result=denied\n",
        _TIMED,
    ),
    "the clock before the date": (
        "10:00:00.250 2026-03-02 [main] WARN gate - access denied for bob from 192.0.2.9\n"
        "10:00:01.250 2026-03-02 [main] WARN gate - access denied for ann from 192.0.2.7\n",
        {**_TIMED, "event_severity": 40},
    ),
    "a day in Polish": (
        "pon., 2 marca 2026 10:00:00 użytkownik bob z adresu 192.0.2.9: dostęp przyznany\n"
        "pon., 2 marca 2026 10:00:01 użytkownik ann z adresu 192.0.2.7: odmowa dostępu\n",
        _TIMED,
    ),
    "a day in German": (
        "Mo, 2. März 2026 10:00:00: Anmeldung von bob (192.0.2.9) erfolgreich\n"
        "Mo, 2. März 2026 10:00:01: Anmeldung von ann (192.0.2.7) abgelehnt\n",
        _TIMED,
    ),
    "an account with its domain, alone": (
        "2026-03-02 10:00:00 ALLOW CORP\\bob from 192.0.2.9\n2026-03-02 10:00:01 DENY CORP\\ann from 192.0.2.7\n",
        {**_TIMED, "user_name": "CORP\\ann"},
    ),
    "a mail address of which something was decided": (
        "INFO | 2026-03-02 10:00:00.250 | gate:check:88 - bob@a.example admitted (192.0.2.9)\n"
        "WARNING | 2026-03-02 10:00:01.250 | gate:check:88 - ann@a.example rejected (192.0.2.7)\n",
        {**_TIMED, "user_name": "ann@a.example"},
    ),
    "an operator": (
        "02/03/2026 10:00:00 ALM PLC-1 Login ok. Operator: bob  Station: 192.0.2.9\n"
        "13/03/2026 10:00:01 ALM PLC-1 Login failed. Operator: ann  Station: 192.0.2.7\n",
        _FAILED,
    ),
    "a status before the path": (
        "GET 200 /a 192.0.2.9 [02/Mar/2026:10:00:00 +0000] 3ms\nGET 403 /b 192.0.2.7 [02/Mar/2026:10:00:01 +0000] 3ms\n",
        {"source_ip": "192.0.2.7", "event_outcome": "failure", "http_response_status_code": 403},
    ),
    "a request among quoted cells": (
        '"{0}0Z" "192.0.2.7:40100" "198.51.100.2:53" "GET https://a.example/ HTTP/2" "200" "x"\n'
        '"{0}1Z" "192.0.2.7:40100" "198.51.100.2:53" "GET https://a.example/ HTTP/2" "403" "x"\n'.format(
            "2026-03-02T10:00:0"
        ),
        {**_PORTS, "event_outcome": "failure"},
    ),
    "ports that are only called so": (
        "at=2026-03-02T10:00:00Z src=192.0.2.9 port=40100 dst=198.51.100.2 port=53 verdict=allow\n"
        "at=2026-03-02T10:00:01Z src=192.0.2.7 port=40100 dst=198.51.100.2 port=53 verdict=deny\n",
        {**_PORTS, "event_outcome": "failure"},
    ),
    "what a packet filter decided, in brackets": (
        "Mar  2 10:00:00 [pass] UDP 192.0.2.9:40100 > 198.51.100.2:53\nMar  2 10:00:01 [block] UDP 192.0.2.7:40100 > 198.51.100.2:53\n",
        {**_PORTS, "event_outcome": "failure"},
    ),
    "answers of SIP in a column": (
        "2026-03-02 10:00:00|REGISTER|sip:bob@a.example|192.0.2.9:5060|200 OK\n"
        "2026-03-02 10:00:01|REGISTER|sip:ann@a.example|192.0.2.7:5060|401 Unauthorized\n",
        {"source_ip": "192.0.2.7", "source_port": 5060, "event_outcome": "failure"},
    ),
    "letters for level and message": (
        '{"L":"INFO","T":1772445600.5,"M":"token accepted","remote":"192.0.2.9:1"}\n{"L":"WARN","T":1772445601.5,"M":"token rejected","remote":"192.0.2.7:1"}\n',
        {"source_ip": "192.0.2.7", "event_outcome": "failure", "event_severity": 40, "message": "token rejected"},
    ),
}


@pytest.mark.parametrize("told", FILES)
def test_an_odd_shape_tells_who_did_what_and_how_it_ended(told: str, tmp_path: Path) -> None:
    text, wanted = FILES[told]
    (tmp_path / "odd.log").write_text(text, encoding="utf-8")
    found = peek(tmp_path / "odd.log")
    assert (found.parsed >= 2, found.rejected) == (True, 0)
    event = found.to_dict()["events"][-1]
    given = {name: event.get(name) for name in wanted}
    if wanted.get("time"):
        given["time"] = str(given["time"]).replace(" ", "T")[: len(_T1)]
    assert given == wanted


# what is told → a text that looks like one of the above, and columns that it must leave empty
NOTHING: dict[str, tuple[str, set[str]]] = {
    "a key of the registry is no account": (
        "2026-03-02 10:00:00 denied HKLM\\Software from 192.0.2.7\n",
        {"user_name"},
    ),
    "a server's instance is no account": ("2026-03-02 10:00:00 login denied, server SRV1\\SQLEXPRESS\n", {"user_name"}),
    "the sender of a mail that bounced is no account": (
        "2026-03-02 10:00:00 to=ann@a.example, status=sent (rejected once)\n",
        {"user_name"},
    ),
    "whom a mail is for is no account": (
        "2026-03-02 10:00:00 delivery to root@mx1 192.0.2.7 rejected\n",
        {"user_name"},
    ),
    "what an identity has is no account": ("2026-03-02 10:00:00 identity provider denied 192.0.2.7\n", {"user_name"}),
    "what a request is for is no account": ("2026-03-02 10:00:00 auth request for realm failed\n", {"user_name"}),
    "two letters are no ports alone": ('{"time":"2026-03-02T10:00:00Z","msg":"x","sp":1,"dp":3}\n', {"source_port"}),
    "a status that says no is none": (
        "2026-03-02 10:00:00 192.0.2.7 printed the status no later than noon\n",
        {"event_outcome"},
    ),
    "a password is no pass": ("2026-03-02 10:00:00 192.0.2.7 asks for pass and user\n", {"event_outcome"}),
}


@pytest.mark.parametrize("told", NOTHING)
def test_what_only_looks_like_it_is_not_invented(told: str, tmp_path: Path) -> None:
    text, empty = NOTHING[told]
    (tmp_path / "odd.log").write_text(text * 3, encoding="utf-8")
    assert [event.get(name) for event in peek(tmp_path / "odd.log").to_dict()["events"] for name in empty] == [None] * 3
