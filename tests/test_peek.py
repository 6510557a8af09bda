"""socml.ingestion.peeking, and the verbs formats and peek."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from socml.cli import app
from socml.ingestion.detection import format_names
from socml.ingestion.ingestion import ingest
from socml.ingestion.peeking import LINES_BYTES, WHOLE_BYTES, peek
from socml.project.errors import FormatError
from socml.project.project import Project

LINE = "Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2"


def run(*arguments: object) -> str:
    """Run socml in this process and return what it wrote to standard output."""
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False).stdout


def test_a_peek_says_the_format_the_first_events_and_what_did_not_parse(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text(f"{LINE}\nthis is no syslog\n{LINE}\n# a comment\n")
    found = peek(path, limit=1)
    assert (found.format, found.is_whole) == ("syslog", True)
    assert 0.5 <= (found.confidence or 0) < 0.9
    assert (found.records, found.parsed, found.rejected, found.skipped) == (4, 2, 1, {"comment": 1})
    assert [event["source_ip"] for event in found.events] == ["10.0.0.9"]
    assert found.rejects[0]["line"] == 2
    assert found.columns["user_name"] == 2


@pytest.mark.parametrize("packed", [False, True])
def test_only_the_head_of_a_long_file_is_read(tmp_path: Path, packed: bool) -> None:
    data = f"{LINE}\n".encode() * (WHOLE_BYTES // len(LINE) + 1000)
    path = tmp_path / "long.log"
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    if not packed:
        with path.open("r+b") as file:
            file.truncate(20 << 30)  # 20 GB of holes: to read on would take minutes
    found = peek(path)
    assert not found.is_whole
    assert found.rejected == 0  # the line where the head ends is not bad, it is cut
    assert found.parsed == LINES_BYTES // (len(LINE) + 1)


def test_a_file_that_is_read_by_place_is_read_whole_up_to_a_larger_size(tmp_path: Path) -> None:
    rows = 2 * LINES_BYTES // 32
    table = pa.table({"value": pa.array(range(rows)), "text": [f"{number:024x}" for number in range(rows)]})
    pq.write_table(table, tmp_path / "t.parquet", compression="none", use_dictionary=False)
    assert LINES_BYTES < (tmp_path / "t.parquet").stat().st_size < WHOLE_BYTES
    found = peek(tmp_path / "t.parquet")
    assert (found.format, found.is_whole, found.parsed) == ("table", True, rows)


def test_a_line_that_is_longer_than_the_head_is_shown_all_the_same(tmp_path: Path) -> None:
    line = json.dumps({"ts": 1655071198.5, "uid": "C1", "_path": "http", "host": "x" * LINES_BYTES})
    (tmp_path / "http.log").write_text(line)
    found = peek(tmp_path / "http.log", format="zeek-json")
    assert (found.format, found.parsed, found.rejected) == ("zeek-json", 1, 0)


def test_the_member_where_the_head_of_an_array_ends_is_not_bad(tmp_path: Path) -> None:
    record = {"timestamp": "2026-02-26T09:19:59.239753+0000", "event_type": "dns", "src_ip": "10.0.0.1", "n": "x" * 900}
    path = tmp_path / "eve.json"
    path.write_text(json.dumps([record] * (WHOLE_BYTES // 900)))
    found = peek(path)
    assert (found.format, found.is_whole, found.rejected) == ("suricata-eve", False, 0)
    assert found.parsed > 1000


def test_a_file_that_nobody_knows_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all\nthere is nothing here.\n")
    with pytest.raises(FormatError, match=r"no format is at least 0\.5 sure .*socml formats"):
        peek(path)
    assert peek(path, format="syslog").rejected == 2


def test_an_ingest_says_how_sure_the_detection_was(tmp_path: Path, lab: Project) -> None:
    path = tmp_path / "auth.log"
    path.write_text(f"{LINE}\n")
    result = ingest(path, dataset="some", project=lab)
    assert result.per_file[0].confidence == 0.9
    assert "syslog: detected, 0.90 sure" in str(result)
    named = ingest(path, dataset="some", format="syslog", project=lab)
    assert named.per_file[0].confidence is None
    assert "syslog: read before" in str(named)


def test_formats_lists_every_reader_with_an_example_and_its_specification() -> None:
    listed = json.loads(run("formats", "--json"))
    assert [one["name"] for one in listed] == format_names()
    assert all(one["about"] and one["examples"] and one["specification"].startswith("http") for one in listed)
    shown = run("formats")
    assert all(f"{one['name']}  {one['about']}" in shown for one in listed)


def test_formats_of_one_name_shows_what_its_example_becomes() -> None:
    shown = run("formats", "syslog")
    assert "source_ip: 10.0.0.9" in shown


def test_peek_shows_hostile_text_inert(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text(f"{LINE.replace('root', chr(27) + '[31mroot')}\n\x1b]0;owned\n")
    shown = run("peek", path, "--format", "syslog")
    assert "\x1b" not in shown
    assert "␛[31mroot" in shown
