"""Logs that lie in Parquet: rows are read by the readers of such objects, and nothing of a file is lost without a word."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from builders import make_project

from socml.formats.table import _table_parquet as parquet
from socml.ingestion import ingest
from socml.ingestion.detection import detect
from socml.ingestion.peeking import peek
from socml.project import DataError, FormatError

NOON = datetime(2025, 12, 1, 10, tzinfo=UTC)
WHO = {"source_ip": "192.0.2.7", "destination_ip": "198.51.100.1", "source_port": 4000, "destination_port": 443}
TRAIL = {
    "useridentity": {"type": "IAMUser", "username": "alice"}, "eventtime": "2025-12-01T10:00:00Z", "eventsource": "signin.amazonaws.com",
    "eventname": "ConsoleLogin", "sourceipaddress": "192.0.2.7", "responseelements": '{"ConsoleLogin":"Failure"}',
}  # fmt: skip
LAKE = {
    "metadata": {"version": "1.1.0", "product": {"name": "CloudTrail"}}, "time": 1_764_583_200_000, "class_uid": 6003, "category_uid": 6,
    "activity_id": 2, "type_uid": 600302, "severity_id": 1, "actor": {"user": {"name": "alice", "uid": None}},
    "src_endpoint": {"ip": "192.0.2.7"}, "status_id": 2, "unmapped": {"k": "v"},
}  # fmt: skip
EVE = {
    "timestamp": NOON, "event_type": "alert", "flow_id": 7, "src_ip": "192.0.2.7", "src_port": 4000, "dest_ip": "198.51.100.1",
    "dest_port": 443, "proto": "TCP", "alert": {"signature_id": 1, "signature": "ET X", "severity": 2},
}  # fmt: skip
ZEEK = {
    "ts": NOON, "uid": "C1", "id.orig_h": "192.0.2.7", "id.orig_p": 4000, "id.resp_h": "198.51.100.1", "id.resp_p": 443,
    "proto": "tcp", "conn_state": "SF",
}  # fmt: skip
FLOW = {
    "version": 2, "interface_id": "eni-1", "srcaddr": "192.0.2.7", "dstaddr": "198.51.100.1", "srcport": 4000, "dstport": 443,
    "protocol": 6, "packets": 10, "bytes": 4249, "start": 1_764_583_200, "end": 1_764_583_260, "action": "REJECT",
}  # fmt: skip
OWN = {
    "when": NOON,
    "client": {"ip": "192.0.2.7", "port": 4000},
    "msg": "login failed",
    "raw": b"a\xff",
    "user": {"name": "bob"},
}
LOGS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "Athena's CloudTrail": (TRAIL, "cloudtrail", {"user_name": "alice", "source_ip": "192.0.2.7", "event_outcome": "failure", "event_action": "ConsoleLogin"}),
    "Security Lake's OCSF": (LAKE, "ocsf", {"user_name": "alice", "source_ip": "192.0.2.7", "event_outcome": "failure", "class_uid": 6003}),
    "Suricata's EVE": (EVE, "suricata-eve", {**WHO, "rule_name": "ET X"}),
    "Zeek's connections": (ZEEK, "zeek-json", {**WHO, "connection_state": "SF"}),
    "flows of a VPC": (FLOW, "table", {**WHO, "event_outcome": "failure", "packets": 10, "srcport": 4000}),
    "a tool nobody knows": (OWN, "any-json", {"user_name": "bob", "source_ip": "192.0.2.7", "source_port": 4000, "event_outcome": "failure"}),
}  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    table = pa.Table.from_pylist(rows)
    if "unmapped" in table.column_names:
        maps = pa.array([[*row["unmapped"].items()] for row in rows], pa.map_(pa.string(), pa.string()))
        table = table.set_column(table.column_names.index("unmapped"), "unmapped", maps)
    pq.write_table(table, path, **options)
    return path


@pytest.mark.parametrize("name", LOGS)
def test_a_log_in_parquet_is_read_by_the_reader_of_such_records(name: str, tmp_path: Path) -> None:
    row, reader, expected = LOGS[name]
    seen = peek(written(tmp_path / "a.parquet", [row] * 3))
    assert (seen.format, seen.parsed, seen.rejected) == (reader, 3, 0)
    assert seen.events[0]["time"] == NOON
    assert {column: seen.events[0].get(column) for column in expected} == expected


def test_a_table_of_features_stays_a_table(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [{"duration": 1.5, "bytes": 3, "service": "dns"}] * 3)
    assert detect(path) == ("table", 1.0)
    nested = written(tmp_path / "b.parquet", [{"duration": 1.5, "weights": [1.0, 2.0]}] * 3)
    assert detect(nested)[0] == "table"


def test_maps_are_objects_and_bytes_are_text_where_they_can_be(tmp_path: Path) -> None:
    table = pa.table(
        {
            "m": pa.array([[("k", b"\xfd"), ("k", b"2"), ("n", None)]], pa.map_(pa.string(), pa.binary())),
            "odd": pa.array([b"x\xff"]).view(pa.string()),
            "in": pa.StructArray.from_arrays(
                [pa.array([b"y\xfe"]).view(pa.string()), pa.array([None], pa.int64())], ["text", "none"]
            ),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (rows,) = parquet.row_lines(tmp_path / "a.parquet", "a")
    assert rows.data == b'{"m":{"k":["\\\\xfd","2"]},"odd":"x\\\\xff","in":{"text":"y\\\\xfe"}}\n'


def test_columns_of_one_name_are_all_kept(tmp_path: Path) -> None:
    pq.write_table(pa.table([["x"], ["y"]], names=["a", "a"]), tmp_path / "a.parquet")
    (rows,) = parquet.row_lines(tmp_path / "a.parquet", "a")
    assert rows.data == b'{"a":"x","a_2":"y"}\n'


def test_a_parquet_file_that_is_moved_adds_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path / "lab")
    logs = tmp_path / "logs"
    (logs / "old").mkdir(parents=True)
    written(logs / "a.parquet", [{**EVE, "flow_id": n} for n in range(5)])
    assert ingest(logs, dataset="d", project=project, final=True).added == 5
    (logs / "a.parquet").rename(logs / "old" / "b.parquet")
    os.utime(logs / "old" / "b.parquet")
    assert ingest(logs, dataset="d", project=project, final=True).added == 0


def test_one_that_is_still_written_waits_and_is_refused_once_it_is_old(tmp_path: Path) -> None:
    project = make_project(tmp_path / "lab")
    whole = written(tmp_path / "whole.parquet", [EVE] * 50).read_bytes()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "fine.log").write_text("2026-03-02 10:00:00 ERROR login failed for bob from 192.0.2.1\n" * 2)
    (logs / "a.parquet").write_bytes(whole[:-10])
    (waiting,) = ingest(logs, dataset="d", project=project).waiting
    assert "a.parquet may still be written" in waiting.reason
    (logs / "a.parquet").write_bytes(whole)
    assert ingest(logs, dataset="d", project=project).added == 50
    (logs / "b.parquet").write_bytes(whole[:-10])
    with pytest.raises(DataError, match="is a Parquet file that cannot be read"):
        ingest(logs / "b.parquet", dataset="e", project=project, final=True)


def test_what_a_damaged_page_leaves_is_read_and_the_rest_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [{**EVE, "flow_id": n} for n in range(300)], row_group_size=100)
    part = pq.read_metadata(path).row_group(1).column(2)
    data = bytearray(path.read_bytes())
    at = part.dictionary_page_offset or part.data_page_offset
    data[at : at + 20] = b"\xff" * 20
    path.write_bytes(bytes(data))
    result = ingest(path, dataset="d", project=make_project(tmp_path / "lab"), final=True)
    assert (result.added, result.quarantined) == (200, 1)
    assert "row 101 cannot be read, and 99 after it" in " ".join(result.warnings)


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_a_flat_table_with_a_damaged_page_is_read_but_for_its_row_group(damaged: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [{**FLOW, "packets": n} for n in range(300)], row_group_size=100)
    part = pq.read_metadata(path).row_group(damaged).column(2)
    data = bytearray(path.read_bytes())
    at = part.dictionary_page_offset or part.data_page_offset
    data[at : at + 20] = b"\xff" * 20
    path.write_bytes(bytes(data))
    seen = peek(path, limit=300)
    kept = [n for n in range(300) if n // 100 != damaged]
    assert [(event["packets"], event["source_line"]) for event in seen.events] == [(n, n + 1) for n in kept]
    result = ingest(path, dataset="d", project=make_project(tmp_path / "lab"), final=True)
    assert (result.added, result.quarantined) == (200, 1)
    assert f"row {100 * damaged + 1} cannot be read, and 99 after it" in " ".join(result.warnings)


def test_an_object_that_names_a_field_twice_is_refused_in_words(tmp_path: Path) -> None:
    twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    pq.write_table(pa.table({"ts": [NOON], "in": twice}), tmp_path / "a.parquet")
    pa.feather.write_feather(pa.table({"ts": [NOON], "in": twice}), tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        with pytest.raises(FormatError, match="an object names a field twice"):
            detect(tmp_path / name)


def test_one_that_is_packed_as_a_whole_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [EVE])
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(FormatError, match="a Parquet file that is packed as a whole"):
        detect(tmp_path / "a.parquet.gz")


def test_columns_within_objects_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socml.formats.table._table_columns.MOST_COLUMNS", 50)
    for columns in (50, 51):
        path = written(tmp_path / f"{columns}.parquet", [{"in": {f"c{n}": 1 for n in range(columns)}}])
        if columns == 50:
            assert detect(path)[0] == "table"
            continue
        with pytest.raises(FormatError, match="has 51 columns, and 50 is the most that is read"):
            detect(path)


def test_long_lists_and_texts_of_few_bytes_are_refused_or_come_in_small_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "list.parquet", [{"ts": NOON, "many": [1] * 1001}])
    monkeypatch.setattr(parquet, "_PART_VALUES", 1000)
    with pytest.raises(FormatError, match="has 1,001 values in lists of one row group, and 1,000 is the most"):
        detect(path)
    path = written(tmp_path / "text.parquet", [{"ts": NOON, "in": [{"text": "x" * 1000}]}] * 50)
    monkeypatch.setattr(parquet, "_CELLS_LIMIT", 5000)
    assert [rows.data.count(b"\n") for rows in parquet.row_lines(path, "a")] == [4, *[5] * 9, 1]
    monkeypatch.setattr(parquet, "_ROW_LIMIT", 1000)
    with pytest.raises(FormatError, match="a row has 1,008 bytes of text"):
        list(parquet.row_lines(path, "a"))


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda inside: pa.list_(inside, 2)])
def test_texts_in_lists_of_either_size_count(kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pa.array([["x" * 600, "y" * 600]] * 3, kind(pa.string()))
    pq.write_table(pa.table({"many": rows}), tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "_ROW_LIMIT", 1000)
    with pytest.raises(FormatError, match="a row has 1,216 bytes of text"):
        list(parquet.row_lines(tmp_path / "a.parquet", "a"))


def test_whole_numbers_beyond_64_bits_and_broken_texts_in_fixed_lists_are_read(tmp_path: Path) -> None:
    broken = pa.array([b"\xff", b"a"]).view(pa.string())
    numbers = pa.array([Decimal(10) ** 30, Decimal(2) ** 64, Decimal(-(2**63)), Decimal("1.5")], pa.decimal128(38, 1))
    texts = pa.FixedSizeListArray.from_arrays(pa.concat_arrays([broken] * 4), 2)
    pq.write_table(pa.table({"n": numbers, "texts": texts}), tmp_path / "a.parquet")
    (rows,) = parquet.row_lines(tmp_path / "a.parquet", "a")
    found = [json.loads(line) for line in rows.data.splitlines()]
    assert [row["n"] for row in found] == ["1" + 30 * "0", "18446744073709551616", -(2**63), 1.5]
    assert [row["texts"] for row in found] == [["\\xff", "a"]] * 4
