"""Parquet of every Arrow type, NPZ that does not fit itself, and binary files that are no log: values, or a sentence."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import make_project

from socml.formats import ReadOptions
from socml.ingestion import FileSource, ingest, open_format
from socml.ingestion.detection import detect
from socml.project import ConfigurationError, FormatError
from socml.project.project import read_project

MOMENT_S = 1_764_583_200  # 2025-12-01 10:00
NOON = datetime(2025, 12, 1, 10, tzinfo=UTC)
FAR = 10**15
# what a column holds → what is stored of it, and what the record says
COLUMNS: dict[str, tuple[pa.Array, Any, Any]] = {
    "nanoseconds": (
        pa.array([MOMENT_S * 10**9 + 123_456_789], pa.timestamp("ns")),
        NOON.replace(microsecond=123_456), "2025-12-01T10:00:00.123456",
    ),
    "a time far away": (pa.array([FAR], pa.timestamp("s")), None, FAR * 1000),
    "a time before the year 1": (pa.array([-(10**11)], pa.timestamp("s")), None, -(10**14)),
    "a zone that is none": (pa.array([MOMENT_S], pa.timestamp("s", "Nowhere/Land")), NOON, MOMENT_S * 1000),
    "a day far away": (pa.array([10**8], pa.date32()), None, 10**8),
    "a day": (pa.array([date(2025, 12, 1)]), "2025-12-01", "2025-12-01"),
    "a time of day": (pa.array([123_456_789], pa.time64("ns")), "00:00:00.123456789", "00:00:00.123456"),
    "a duration": (pa.array([90_500], pa.duration("ms")), 90.5, "0:01:30.500000"),
    "a fine duration": (pa.array([1_500_000_001], pa.duration("ns")), 1.500000001, "0:00:01.500000"),
    "a list": (pa.array([["a", None]]), '["a",null]', ["a", None]),
    "an object": (pa.array([{"ip": "192.0.2.1", "port": 443}]), '{"ip":"192.0.2.1","port":443}', {"ip": "192.0.2.1", "port": 443}),
    "fine times in a list": (
        pa.array([[MOMENT_S * 10**9 + 1]], pa.list_(pa.timestamp("ns"))), '["2025-12-01T10:00:00"]', ["2025-12-01T10:00:00"],
    ),
    "far times in an object": (
        pa.array([{"x": FAR}], pa.struct([("x", pa.timestamp("s"))])), f'{{"x":{FAR * 1000}}}', {"x": FAR * 1000},
    ),
    "a map": (pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())), '[["k","v"]]', [["k", "v"]]),
    "bytes": (pa.array([b"a\xff"]), "a\\xff", "b'a\\xff'"),
    "numbers in a dictionary": (pa.array([1.5]).dictionary_encode(), 1.5, 1.5),
}  # fmt: skip


@pytest.mark.parametrize("has_pandas", [True, False])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_type_is_read(
    name: str, has_pandas: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    column, stored, written = COLUMNS[name]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"it": column, "n": [1]}), path)
    if not has_pandas:  # as in the terminal, where it would cost half a second
        monkeypatch.setitem(sys.modules, "pandas", None)
    parsed = next(iter(open_format("table").read(FileSource(path, path.name), ReadOptions())))
    assert parsed.events["it"].to_pylist() == [stored]
    record = orjson.loads(parsed.events["raw"][0].as_py())
    assert record == {"it": written, "n": 1}


def test_labels_that_are_fewer_than_the_rows_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.ones((5, 2)), y=np.zeros(3))
    with pytest.raises(FormatError, match="y has 3 values, which are fewer than X has rows"):
        list(open_format("table").read(FileSource(tmp_path / "a.npz", "a.npz"), ReadOptions()))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"FEA1\0\0", "a Feather file of the first version"), (b"ORC\n\x06\x12", "an ORC file"), (b"Obj\x01\x04", "an Avro file"),
        (b"SQLite format 3\0", "an SQLite database"), (b"\x93NUMPY\x01", "a NumPy array"), (b"%PDF-1.7\n", "a PDF"),
        (b"\x80\x04\x95\x00", "a pickle"),
    ],
)  # fmt: skip
def test_a_binary_file_is_refused_by_its_name(start: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(start + bytes(200))
    with pytest.raises(FormatError, match=f"a.bin is {kind}.*, which is not read. Write it as Parquet, CSV"):
        detect(tmp_path / "a.bin")


def test_a_file_of_blanks_is_passed_over_as_an_empty_one_is(tmp_path: Path) -> None:
    project = make_project(tmp_path / "lab")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "blank.log").write_text(" \n\n\t\r\n")
    (logs / "full.log").write_text("2026-03-02 10:00:00 ERROR login failed for bob from 192.0.2.1\n" * 2)
    result = ingest(logs, dataset="d", project=project, final=True)
    assert not result.failed
    assert any("blank.log holds nothing but blanks" in warning for warning in result.warnings)
    with pytest.raises(FormatError, match="holds nothing but blanks"):
        ingest(logs / "blank.log", dataset="e", project=project)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("threads = -1", "threads is -1; it is at least 0"),
        ('memory_limit = "0GB"', "memory_limit is '0GB'; it is at least 1 MB"),
        ('memory_limit = "4 Go"', "memory_limit is '4 Go': it is a number and KB, MB, GB or TB"),
    ],
)
def test_an_engine_that_cannot_be_is_told_when_the_project_is_opened(setting: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "socml.toml").write_text(f"[engine]\n{setting}\n")
    with pytest.raises(ConfigurationError, match=said):
        read_project(tmp_path)
