"""Logs that Windows and Western systems wrote before UTF-8: every reader of text sees the same as in UTF-8, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import make_project

from socml.formats import ReadOptions, head_in_utf8
from socml.ingestion import FileSource, ingest, open_format
from socml.ingestion.peeking import Peek, peek

OWN_JSON = '{"when":"2026-03-02T10:00:01Z","acct":"René","peer":{"ip":"192.0.2.7"},"msg":"Refusé"}'
AUDIT = "type=USER_LOGIN msg=audit(1772445600.415:4063): pid=11998 uid=0 auid=4294967295 ses=4294967295"
W3C = "#Fields: date time s-ip cs-method cs-uri-stem s-port c-ip cs-username sc-status\n"
NFDUMP = "ts,te,td,sa,da,sp,dp,pr,ipkt,ibyt,label\n"
WINDOWS = '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><EventID>4625</EventID>'
LOGS = {
    "iis-w3c": f"{W3C}2026-03-02 10:00:01 192.0.2.1 GET /entrée 80 192.0.2.7 René 200\n",
    "ossec-alerts-log": "** Alert 1772445600.1: mail  - syslog,sshd,authentication_failed,\n2026 Mar 02 10:00:00 web1->/var/log/auth.log\n"
    "Rule: 5716 (level 5) -> 'SSHD authentication failed.'\nSrc IP: 192.0.2.7\nUser: René\nRefusé à l'entrée\n",
    "graylog-csv": '"timestamp","source","message"\n"2026-03-02T10:00:01.000Z","web1","Failed password for René from 192.0.2.7 port 4242 ssh2"\n',
    "snort-fast": "03/02/26-10:00:01.123456  [**] [1:1000:1] Refusé à l'entrée [**] [Priority: 1] {TCP} 192.0.2.7:4000 -> 192.0.2.1:80\n",
    "snort-full": "[**] [1:1000:1] Refusé à l'entrée [**]\n[Priority: 1] \n03/02/26-10:00:01.123456 192.0.2.7:4000 -> 192.0.2.1:80\n"
    "TCP TTL:64 TOS:0x0 ID:1 IpLen:20 DgmLen:60\n",
    "snort-csv": '03/02/26-10:00:01.123456 ,1,1000,1,"Refusé à l\'entrée",TCP,192.0.2.7,4000,192.0.2.1,80,00:00:00:00:00:01,'
    "00:00:00:00:00:02,0x3C,***A****,0x1,0x2,,0x200,64,0,1,60,61440,,,,\n",
    "clamscan": "/home/René/a.exe: Win.Test FOUND\n\n----------- SCAN SUMMARY -----------\nInfected files: 1\n",
    "clamd-log": "Mon Mar  2 10:00:01 2026 -> /home/René/a.exe: Win.Test FOUND\n",
    "windows-event-xml": f'{WINDOWS}<TimeCreated SystemTime="2026-03-02T10:00:00.1234567Z"/><Channel>Security</Channel>'
    '<Computer>PC7</Computer></System><EventData><Data Name="TargetUserName">René</Data></EventData></Event>\n',
    "auditd": f"{AUDIT} msg='op=login acct=\"René\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.7 terminal=ssh res=failed'\n",
    "ossim-event": 'event type="detector" date="1772445600" plugin_id="4003" plugin_sid="1" src_ip="192.0.2.7" hostname="entrée" tzone="0.0"\n',
    "nfdump-csv": f"{NFDUMP}2026-03-02 10:00:01,2026-03-02 10:00:02,0.374,192.0.2.7,198.51.100.1,5000,443,TCP,8,2211,entrée\n",
    "suricata-eve": '{"timestamp":"2026-03-02T10:00:01.000000+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.7","src_port":1,'
    '"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","alert":{"signature_id":1,"signature":"Refusé à l\'entrée","severity":2}}\n',
    "zeek-json": '{"ts":1772445600.1,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":1,"id.resp_h":"192.0.2.1","id.resp_p":80,'
    '"proto":"tcp","service":"entrée","conn_state":"SF"}\n',
    "any-json": f"{OWN_JSON}\n",
    "any-json: an array": f"[{OWN_JSON},{OWN_JSON}]\n",
    "any-json: a document": f'{{"entries":[{OWN_JSON},{OWN_JSON}]}}\n',
    "any-xml": "<log><entry><time>2026-03-02T10:00:01Z</time><user>René</user><ip>192.0.2.7</ip></entry>"
    "<entry><time>2026-03-02T10:00:02Z</time><user>René</user><ip>192.0.2.7</ip></entry></log>\n",
    "drawn-table": "| time                | user  | source_ip |\n|---------------------|-------|-----------|\n"
    "| 2026-03-02 10:00:01 | René  | 192.0.2.7 |\n| 2026-03-02 10:00:02 | René  | 192.0.2.7 |\n",
    "sql-dump": "INSERT INTO log (time, user, source_ip) VALUES ('2026-03-02 10:00:01','René','192.0.2.7');\n",
    "container-log": "2026-03-02T10:00:01.123456789Z stdout F Refusé à l'entrée from 192.0.2.7\n",
}  # fmt: skip


def seen(path: Path, data: bytes) -> Peek:
    path.write_bytes(data)
    return peek(path)


def columns(found: Peek) -> list[dict[str, object]]:
    return [
        {name: value for name, value in event.items() if name not in ("raw", "source_file")} for event in found.events
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize("name", LOGS)
def test_a_log_of_before_utf_8_is_read_as_its_like_in_utf_8(name: str, encoding: str, tmp_path: Path) -> None:
    expected = seen(tmp_path / "new.log", LOGS[name].encode())
    found = seen(tmp_path / "old.log", LOGS[name].encode(encoding))
    assert (expected.format, expected.rejected) == (name.split(":", maxsplit=1)[0], 0)
    assert "é" in str(columns(expected))
    assert (found.format, found.rejected, columns(found)) == (expected.format, 0, columns(expected))
    assert sum("cp1252" in warning for warning in found.warnings) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("suricata-eve", LOGS["suricata-eve"]),
        ("zeek-json", LOGS["zeek-json"]),
        ("syslog", "<13>Mar  2 10:00:01 srv app[8]: Échec de connexion de bob depuis 192.0.2.7 à l'entrée\n"),
        ("access-log", '192.0.2.7 - René [02/Mar/2026:10:00:01 +0000] "GET /entrée HTTP/1.1" 200 1\n'),
    ],
)
def test_whole_blocks_and_single_lines_say_the_same_of_old_text(name: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes((line + line.replace("é", "e").replace("à", "a").replace("É", "E")).encode("cp1252") * 3)
    both = []
    for select_from in (0, 1 << 30):
        parsed = list(
            open_format(name).read(FileSource(path, path.name), ReadOptions(year=2026, select_from=select_from))
        )
        rows = [row for part in parsed for row in part.events.to_pylist()]
        both.append(sorted(rows, key=lambda row: row["source_line"]))
        assert sum("cp1252" in warning for part in parsed for warning in part.warnings) == 1
    assert [len(rows) for rows in both] == [6, 6]
    for row, other in zip(*both, strict=True):
        assert {n: v for n, v in row.items() if v is not None} == {n: v for n, v in other.items() if v is not None}
    assert "\\x" not in str([{**row, "raw": ""} for row in both[0]])


def test_what_is_kept_of_a_record_are_its_own_bytes(tmp_path: Path) -> None:
    data = LOGS["auditd"].encode("cp1252")
    assert seen(tmp_path / "a.log", data).events[0]["raw"] == data.strip().decode("utf-8", "backslashreplace")
    project = make_project(tmp_path / "lab")
    assert ingest(tmp_path / "a.log", dataset="d", project=project, final=True).added == 1
    assert ingest(tmp_path / "a.log", dataset="d", project=project, final=True).added == 0


def test_bytes_that_are_no_words_stay_escapes(tmp_path: Path) -> None:
    found = seen(tmp_path / "a.log", b"%s\n" % LOGS["auditd"].encode().replace("é".encode(), b"\xff\xfe\x90").strip())
    assert found.events[0]["user_name"] == "Ren\\xff\\xfe\\x90"
    assert not any("cp1252" in warning for warning in found.warnings)


def test_records_that_are_no_text_are_handed_on_as_they_are(tmp_path: Path) -> None:
    value = b"Ren\xe9\ncame"
    entry = (
        b"__REALTIME_TIMESTAMP=1772445600000000\nMESSAGE\n" + len(value).to_bytes(8, "little") + value + b"\n_PID=7\n\n"
    )
    found = seen(tmp_path / "a.export", entry)
    assert (found.format, found.rejected, found.events[0]["message"]) == ("journald-export", 0, "Ren\\xe9\ncame")


@pytest.mark.parametrize("data", [b"\x93NUMPY\x01" + bytes(60), b"\xe9a\0b\n"])
def test_a_head_that_is_no_text_stays_as_it_is(data: bytes) -> None:
    assert head_in_utf8(data) == data
