"""Records whose values are wrapped, labelled or printed by a language: who, from where, when, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

_T0, _T1 = "2026-03-02T10:00:00", "2026-03-02T10:00:01"
_FAILED = {"user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "failure"}
_TIMED = {**_FAILED, "time": _T1}
_FROM_PORT = {**_TIMED, "source_port": 4100}


def _twice(pattern: str) -> str:
    """Return two records of a pattern, the second of whom is asked for."""
    return pattern.format(t=_T0, e=1772445600, user="bob", ip="192.0.2.9", how="granted", ok="true") + pattern.format(
        t=_T1, e=1772445601, user="ann", ip="192.0.2.7", how="denied", ok="false"
    )


# what is told → a file of two events, and what columns of its last must be
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "values that DynamoDB wraps": (
        _twice('{{"ts":{{"S":"{t}Z"}},"user":{{"S":"{user}"}},"ip":{{"S":"{ip}"}},"ok":{{"BOOL":{ok}}}}}\n'),
        _TIMED,
    ),
    "values that Avro wraps": (
        _twice(
            '{{"ts":{{"long":{e}000}},"user":{{"string":"{user}"}},"src":{{"string":"{ip}"}},"verdict":{{"string":"{how}"}}}}\n'
        ),
        _TIMED,
    ),
    "rows of a chart": (
        '{"rows":['
        + _twice('{{"c":[{{"v":"{t}Z"}},{{"v":"{user}"}},{{"v":"{ip}"}},{{"v":"{how}"}}]}},').rstrip(",")
        + '],"cols":[{"label":"time"},{"label":"user"},{"label":"ip"},{"label":"result"}]}',
        _TIMED,
    ),
    "a list four objects deep": (
        '{"a":{"b":{"c":{"page":1,"list":['
        + _twice('{{"when":"{t}Z","user":"{user}","ip":"{ip}","outcome":"{how}"}},').rstrip(",")
        + "]}}}}",
        _TIMED,
    ),
    "times as lists": (
        '{"t":[2026,3,2,10,0,0,0],"user":"bob","ip":"192.0.2.9","result":"ok"}\n{"t":[2026,3,2,10,0,1,0],"user":"ann","ip":"192.0.2.7","result":"denied"}\n',
        _TIMED,
    ),
    "cells in single quotes": ("when;login;from;result\n" + _twice("'{e}';'{user}';'{ip}';'{how}'\n"), _TIMED),
    "tables of TOML within tables": (
        _twice('[[event]]\ntime = {t}Z\nuser = "{user}"\npeer = {{ ip = "{ip}", port = 4100 }}\nresult = "{how}"\n\n'),
        _FROM_PORT,
    ),
    "words where records begin and end": (_twice("begin\ntime={t}\nuser={user}\nip={ip}\nresult={how}\nend\n"), _TIMED),
    "labels beside cells": (_twice("time,{t},user,{user},ip,{ip},result,{how}\n"), _TIMED),
    "names, colons and commas": (_twice("time:{t}Z,user:{user},ip:{ip},result:{how}\n"), _TIMED),
    "pairs with blanks about their signs": (
        _twice("{t}Z acl src = {ip} , sport = 4100 , user = {user} , action = {how}\n"),
        _FROM_PORT,
    ),
    "a struct of Go": (
        _twice("2026/03/02 {t} {{User:{user} Addr:{ip}:4100 Result:{how} Size:12}}\n").replace("2026-03-02T", ""),
        _FROM_PORT,
    ),
    "tuples of Erlang": (
        _twice('{{event,{{time,"{t}Z"}},{{user,"{user}"}},{{peer,"{ip}"}},{{result,{how}}}}}.\n'),
        _TIMED,
    ),
    "digits of a time in a column": (
        _twice("EVT|1|{t}|{user}|{ip}|LOGIN|{how}\n").replace("2026-03-02T10:00:0", "2026030210000"),
        {"time": _T1, "source_ip": "192.0.2.7"},
    ),
    "a bar where a host would be": (
        _twice("{t} | user: {user} | ip: {ip} | result: {how}\n").replace("T", " "),
        {**_TIMED, "host_name": None},
    ),
    "a name at an address, among bars": (
        "#1 | 10:00:00 13/03/2026 | bob@192.0.2.9 | port 4 | SWITCH | ACCEPTED\n#2 | 10:00:01 13/03/2026 | ann@192.0.2.7 | port 4 | SWITCH | REFUSED\n",
        {**_FAILED, "time": "2026-03-13T10:00:01"},
    ),
    "by whom": (_twice("{t}Z WARN Restore request by {user}@{ip} for client fin7: {how}\n"), _TIMED),
    "by whom, as a pair": (_twice("{t}Z vm=fin7 action=open by={user} src={ip} => {how}\n"), _TIMED),
    "labels in capitals": (_twice("{t}Z JOB 7 OWNER {user} HOST {ip} STATUS {how}\n"), _TIMED),
    "words that lines part, as outcomes of columns": (
        "2026-03-02T10:00:00Z;HMI3;OPERATOR_LOGIN_OK;192.0.2.9;2\n2026-03-02T10:00:01Z;HMI3;OPERATOR_LOGIN_FAILED;192.0.2.7;2\n",
        {"time": _T1, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a point between date and clock": (
        "20260302.100000 WEB LOGIN PASS 192.0.2.9\n20260302.100001 WEB LOGIN FAIL 192.0.2.7\n",
        {"time": _T1, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "ports behind a number sign": (
        "at=2026-03-02T10:00:00Z client=192.0.2.9#4100 q=a.example act=PASS\nat=2026-03-02T10:00:01Z client=192.0.2.7#4100 q=a.example act=BLOCK\n",
        {"time": _T1, "source_ip": "192.0.2.7", "source_port": 4100, "event_outcome": "failure"},
    ),
    "both ends behind a host": (
        "2026-03-02T10:00:00+0000 edge 192.0.2.9:4100 198.51.100.2:443 TLS\n2026-03-02T10:00:01+0000 edge 192.0.2.7:4100 198.51.100.2:443 TLS\n",
        {
            "time": _T1,
            "source_ip": "192.0.2.7",
            "source_port": 4100,
            "destination_ip": "198.51.100.2",
            "destination_port": 443,
        },
    ),
    "titles whose last word says whose": (
        "Date,Time (UTC),Administrator,Mgmt Client,Command,Exit\n2026-03-02,10:00:00,bob,192.0.2.9,show,OK\n2026-03-02,10:00:01,ann,192.0.2.7,unmap,DENIED\n",
        _TIMED,
    ),
    "a status of three digits in a text": (
        "2026-03-02 10:00:00 mx1 [192.0.2.9] AUTH user=<bob> result=235\n2026-03-02 10:00:01 mx1 [192.0.2.7] AUTH user=<ann> result=535\n",
        _TIMED,
    ),
    "not well, in short": (
        '{"ts":"2026-03-02T10:00:00Z","user":"bob","ip":"192.0.2.9","res":"OK"}\n{"ts":"2026-03-02T10:00:01Z","user":"ann","ip":"192.0.2.7","res":"KO"}\n',
        _TIMED,
    ),
    "an answer of a device": (
        '[2026-03-02T10:00:00.4Z] slot0 Login user="bob" app=192.0.2.9 -> CKR_PIN_INCORRECT\n[2026-03-02T10:00:01.4Z] slot0 Login user="ann" app=192.0.2.7 -> CKR_OK\n',
        {**_TIMED, "event_outcome": "success"},
    ),
    "a map of HCL on one line": (
        _twice(
            'access "r" {{\n  at = "{t}Z"\n  subject = {{ login = "{user}", ip = "{ip}" }}\n  verdict = "{how}"\n}}\n\n'
        ),
        _TIMED,
    ),
    "Protocol Buffers as text": (
        _twice(
            'event {{\n  time {{ seconds: {e} nanos: 5 }}\n  user: "{user}"\n  peer: "{ip}:4100"\n  verdict: {how}\n}}\n'
        ),
        _FROM_PORT,
    ),
    "names that points lead to their values": (
        _twice("Time ...... {t}\nUser ...... {user}\nAddress ... {ip}\nResult ..: {how}\n\n"),
        _TIMED,
    ),
    "values between backticks": (_twice("time=`{t}` user=`{user}` ip=`{ip}` result=`{how}`\n"), _TIMED),
    "pairs that are assigned": (_twice("time:={t}Z user:={user} ip:={ip} result:={how}\n"), _TIMED),
    "units behind names": (
        "time [UTC],src ip,src port [tcp],user,verdict\n" + _twice("{t},{ip},4100,{user},{how}\n"),
        _FROM_PORT,
    ),
    "cells in single quotes without names": (
        _twice("'{t}'\t'admin'\t'{ip}'\t'{how}'\n"),
        {**_TIMED, "user_name": "admin"},
    ),
    "a sentence with a comma": (
        _twice("On {t}Z, there was an attempt to sign in by user {user} from {ip}: {how}\n"),
        _TIMED,
    ),
    "an arrow to a name and its address": (
        _twice("{t}Z conn {how}: ({ip}:4100) -> db7 (198.51.100.2:443)\n"),
        {
            "source_ip": "192.0.2.7",
            "source_port": 4100,
            "destination_ip": "198.51.100.2",
            "destination_port": 443,
            "event_outcome": "failure",
        },
    ),
    "a list of whom and from where": (
        "#1 2026-03-02 10:00:00\n   - who  : bob\n   - from : 192.0.2.9\n   - what : login granted\n"
        "#2 2026-03-02 10:00:01\n   - who  : ann\n   - from : 192.0.2.7\n   - what : login denied\n",
        _TIMED,
    ),
}


@pytest.mark.parametrize("told", FILES)
def test_a_value_is_read_however_it_is_wrapped(told: str, tmp_path: Path) -> None:
    text, wanted = FILES[told]
    (tmp_path / "odd.log").write_text(text, encoding="utf-8")
    found = peek(tmp_path / "odd.log")
    assert (found.parsed, found.rejected) == (2, 0)
    event = found.to_dict()["events"][-1]
    given = {name: event.get(name) for name in wanted}
    if "time" in wanted:
        given["time"] = str(given["time"]).replace(" ", "T")[: len(_T1)]
    assert given == wanted


def test_a_comment_below_a_table_is_counted_and_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,user,ip,result\n" + _twice("{t},{user},{ip},{how}\n") + "# 2 records\n")
    found = peek(tmp_path / "a.csv")
    assert (found.format, found.parsed, found.rejected) == ("table", 2, 0)


@pytest.mark.parametrize(
    ("told", "text", "empty"),
    [
        (
            "a rule of Suricata is no pairs",
            'alert ip [192.0.2.7] any -> any any (msg:"x"; classtype:bad; sid:1; rev:1;)\n',
            "source_ip",
        ),
        ("numbers that are no time", '{"t":[2026,13,2,10,0],"user":"ann","ip":"192.0.2.7"}\n', "time"),
    ],
)
def test_what_only_looks_like_one_is_none(told: str, text: str, empty: str, tmp_path: Path) -> None:
    (tmp_path / "odd.log").write_text(text * 3, encoding="utf-8")
    found = peek(tmp_path / "odd.log", format="any-json" if text[0] == "{" else "auto")
    assert {event.get(empty) for event in found.to_dict()["events"]} <= {None}, told
