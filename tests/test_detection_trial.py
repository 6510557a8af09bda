"""A format that claims a file is tried on its first records; what none takes gets three commands to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats import ReadOptions
from socml.ingestion import FileSource, open_format, peek
from socml.ingestion.detection import detect
from socml.ingestion.trial import TRIAL_BYTES, share_read
from socml.project import FormatError, Notice


def test_a_format_that_reads_nothing_of_a_file_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"event_type":"START","timestamp":"soon","srcIp":"192.0.2.1"}\n' * 5)
    name, confidence = detect(path)
    assert name != "suricata-eve"
    assert confidence < 0.9


def test_a_file_that_only_one_format_claims_stays_its_own_and_is_not_sure(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text("Feb 30 10:00:00 h sshd[1]: no such day\n" * 5)
    name, confidence = detect(path)
    assert name in ("syslog", "text-lines")
    assert confidence == 0.5


def test_text_behind_seconds_that_any_tool_may_write_is_no_log_of_nagios(tmp_path: Path) -> None:
    path = tmp_path / "unbound.log"
    path.write_text("[1772445601] unbound[1234:0] info: 192.0.2.7 example.com. A IN\n" * 3)
    found = peek(path)
    assert found.format == "text-lines"
    assert found.events[0]["process_name"] == "unbound"
    path.write_text("[1772445600] Nagios 4.4.6 starting... (PID=811)\n" * 30 + "[1772445601] LOG VERSION: 2.0\n")
    assert detect(path)[0] == "nagios"


def test_the_record_that_a_head_is_cut_in_says_nothing() -> None:
    line = b'{"timestamp":"2026-03-02T10:00:00+0000","event_type":"dns","flow_id":1}\n'
    head = line * (TRIAL_BYTES // len(line)) + line[:20] + b"x" * TRIAL_BYTES
    assert share_read(open_format("suricata-eve"), head, Path("eve.json")) == 1.0


def test_an_undetected_file_gets_three_commands(tmp_path: Path) -> None:
    path = tmp_path / "odd name.txt"
    path.write_text("nothing\nthat anyone knows\n")
    with pytest.raises(FormatError) as caught:
        peek(path)
    said = str(caught.value)
    assert said.count("socml peek '") == 3
    assert "--format text-lines" in said


@pytest.mark.parametrize(
    "line",
    ["a,b,c\rd\n1,2,3\rx\n", f"2026-03-02T10:00:00Z web1 app: {'x' * 200_000}\n"],
    ids=["carriage return", "long"],
)
def test_lines_that_csv_refuses_stop_no_detection(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(line.encode() * 2)
    assert detect(path)[0] in ("table", "syslog", "text-lines")


@pytest.mark.parametrize("row", ["2026-03-02,{},bob\n", '2026-03-02,"{}",bob\n'], ids=["plain", "quoted"])
def test_a_cell_of_any_length_is_read_whatever_stands_beside_it(row: str, tmp_path: Path) -> None:
    long = "x" * 200_000
    path = tmp_path / "a.csv"
    path.write_text(f'time,note,user\n{row.format(long)}2026-03-03,"a",bob\n')
    parts = list(open_format("table").read(FileSource(path, "a.csv"), ReadOptions()))
    assert [note for part in parts for note in part.events["note"].to_pylist()] == [long, "a"]
    assert not [reject for part in parts for reject in part.rejects]


@pytest.mark.parametrize("broken", ["sniff", "read"])
def test_a_reader_that_fails_has_no_say_in_files_of_others(broken: str, tmp_path: Path, monkeypatch) -> None:
    auditd = type(open_format("auditd"))

    def fail(*_: object) -> float:
        raise LookupError("far from here")

    monkeypatch.setattr(auditd, broken, fail)
    if broken == "read":
        monkeypatch.setattr(auditd, "sniff", lambda *_: 0.99)
    path = tmp_path / "auth.log"
    path.write_text("Mar  2 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.7 port 22 ssh2\n" * 5)
    if broken == "sniff":
        with pytest.warns(Notice, match=r"the reader auditd failed to look at it \(LookupError: far from here\)"):
            assert detect(path)[0] == "syslog"
    else:
        assert detect(path)[0] == "syslog"


def test_lines_that_a_carriage_return_alone_ends_are_lines(tmp_path: Path) -> None:
    rows = [f"2026-03-02 10:00:{i:02};bob{i};192.0.2.{i};connexion" for i in range(50)]
    path = tmp_path / "mac.csv"
    path.write_bytes("\r".join(["Date;Utilisateur;Adresse;Action", *rows, ""]).encode())
    found = peek(path, limit=50)
    assert (found.format, found.parsed, found.rejected) == ("table", 50, 0)
    assert [event["raw"] for event in found.events] == rows


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_carriage_return_in_a_cell_costs_no_table(quote: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"time,note,user\r\n2026-03-02,é\rb,bob\r\n2026-03-03,{quote}ab{quote},bob\r\n".encode(encoding))
    parts = list(open_format("table").read(FileSource(path, "a.csv"), ReadOptions()))
    assert [note for part in parts for note in part.events["note"].to_pylist()] == ["é\rb", "ab"]
    assert not [reject for part in parts for reject in part.rejects]
