"""Logs that lie in Arrow (Feather) files: rows are read by the readers of such objects; a file that claims too much is refused."""

from __future__ import annotations

import gzip
import random
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from builders import make_project
from pyarrow import feather

from socml.formats.table import _table_ipc as arrow
from socml.ingestion import ingest
from socml.ingestion.detection import detect
from socml.ingestion.peeking import peek
from socml.project import FormatError, SocmlError

NOON = datetime(2026, 3, 2, 10, tzinfo=UTC)
OWN = {
    "when": NOON,
    "client": {"ip": "192.0.2.7", "port": 4000},
    "msg": "login failed",
    "raw": b"a\xff",
    "user": {"name": "bob"},
}
EVE = {
    "timestamp": NOON, "event_type": "alert", "flow_id": 7, "src_ip": "192.0.2.7", "src_port": 4000, "dest_ip": "198.51.100.1",
    "dest_port": 443, "proto": "TCP", "alert": {"signature_id": 1, "signature": "ET X", "severity": 2},
}  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    feather.write_feather(pa.Table.from_pylist(rows), path, **options)
    return path


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize(("row", "reader"), [(OWN, "any-json"), (EVE, "suricata-eve")])
def test_a_log_in_arrow_is_read_by_the_reader_of_such_records(
    row: dict[str, Any], reader: str, compression: str, tmp_path: Path
) -> None:
    seen = peek(written(tmp_path / "a.feather", [row] * 3, compression=compression))
    assert (seen.format, seen.parsed, seen.rejected) == (reader, 3, 0)
    found = {name: seen.events[0][name] for name in ("time", "source_ip", "source_port")}
    assert found == {"time": NOON, "source_ip": "192.0.2.7", "source_port": 4000}


def test_rows_in_several_batches_are_all_read_and_a_file_that_is_moved_adds_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path / "lab")
    logs = tmp_path / "logs"
    (logs / "old").mkdir(parents=True)
    written(logs / "a.arrow", [{**OWN, "n": n} for n in range(50)], chunksize=7)
    assert ingest(logs, dataset="d", project=project, final=True).added == 50
    (logs / "a.arrow").rename(logs / "old" / "b.arrow")
    assert ingest(logs, dataset="d", project=project, final=True).added == 0


def test_columns_of_any_kind_are_values(tmp_path: Path) -> None:
    row = {
        "when": NOON,
        "d": Decimal("1.5"),
        "t": timedelta(seconds=2),
        "at": time(1, 2),
        "n": None,
        "yes": True,
        "many": [{"a": 1}],
    }
    table = pa.Table.from_pylist([row] * 2)
    for name, values in {
        "word": pa.array(["x", "x"]).dictionary_encode(),
        "number": pa.array([7, 7]).dictionary_encode(),
        "half": pa.array([1.5, 1.5], pa.float16()),
        "view_count": pa.StructArray.from_arrays([pa.array([1, 2])], ["view"]),
    }.items():
        table = table.append_column(name, values)
    feather.write_feather(table, tmp_path / "a.feather")
    (rows,) = arrow.arrow_lines(tmp_path / "a.feather", "a")
    assert rows.data.splitlines()[0] == (
        b'{"when":"2026-03-02T10:00:00+00:00","d":1.5,"t":2.0,"at":"01:02:00","yes":true,"many":[{"a":1}],"word":"x","number":7,'
        b'"half":1.5,"view_count":{"view":1}}'
    )


def test_one_that_is_cut_is_read_up_to_there_and_waits_while_it_may_be_written(tmp_path: Path) -> None:
    project = make_project(tmp_path / "lab")
    data = written(tmp_path / "whole.arrow", [{**OWN, "n": n} for n in range(60)], chunksize=20).read_bytes()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.arrow").write_bytes(data[: len(data) // 2])
    result = ingest(logs / "a.arrow", dataset="d", project=project, final=True, max_bad_share=1.0)
    assert 0 < result.added < 60
    assert f"row {result.added + 1} cannot be read" in " ".join(result.warnings)


def test_a_batch_with_a_broken_text_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    texts = pa.array([b"a", b"b", b"\xff", b"d", b"e"]).view(pa.string())
    feather.write_feather(pa.table({"when": pa.array([NOON] * 5), "msg": texts}), tmp_path / "a.feather", chunksize=2)
    found = list(arrow.arrow_lines(tmp_path / "a.feather", "a"))
    assert [rows.data.count(b"\n") for rows in found] == [2, 0, 1]
    assert found[1].damage.startswith("row 3 cannot be read, and 1 after it (")


def test_one_that_is_packed_as_a_whole_and_one_of_the_first_version_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.feather", [OWN | {"client": None}])
    (tmp_path / "a.gz").write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "old.feather").write_bytes(b"FEA1" + bytes(range(60)) + b"FEA1")
    with pytest.raises(FormatError, match="an Arrow file that is packed as a whole"):
        detect(tmp_path / "a.gz")
    with pytest.raises(FormatError, match="a Feather file of the first version"):
        detect(tmp_path / "old.feather")


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_batch_is_refused_by_what_it_says_it_unpacks_to(
    compression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.feather", [{"when": NOON, "text": "x" * 100_000}] * 10, compression=compression)
    monkeypatch.setattr(arrow, "_UNPACKED_LIMIT", 2_000_000)
    assert detect(path)[0] == "any-json"
    monkeypatch.setattr(arrow, "_UNPACKED_LIMIT", 900_000)
    monkeypatch.setattr(
        pa.ipc.RecordBatchStreamReader, "read_next_batch", lambda reader: pytest.fail("it was unpacked")
    )
    with pytest.raises(FormatError, match="values in a column and unpacks to"):
        detect(path)


@pytest.mark.parametrize("nested", [False, True])
def test_values_that_take_no_bytes_are_counted(nested: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_MOST_VALUES", 1000)
    for many in (1000, 1001):
        nulls = pa.nulls(many)
        values = pa.ListArray.from_arrays(pa.array([0, many], pa.int32()), nulls) if nested else nulls
        feather.write_feather(pa.table({"n": values}), tmp_path / "a.feather")
        if many == 1000:
            assert sum(rows.data.count(b"\n") for rows in arrow.arrow_lines(tmp_path / "a.feather", "a")) == len(values)
            continue
        with pytest.raises(FormatError, match="1,001 values in a column"):
            list(arrow.arrow_lines(tmp_path / "a.feather", "a"))


def test_a_file_without_a_row_is_passed_over_as_one_of_parquet_is(tmp_path: Path) -> None:
    table = pa.table({"time": pa.array([], pa.string()), "user": pa.array([], pa.string())})
    feather.write_feather(table, tmp_path / "none.arrow")
    result = ingest(tmp_path / "none.arrow", dataset="d", project=make_project(tmp_path / "lab"))
    assert (result.added, result.files, result.failed) == (0, 1, ())


def test_columns_in_which_few_bytes_stand_for_many_are_refused(tmp_path: Path) -> None:
    ends = pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["x"]))
    view = pa.array(["x", "y", "z"], pa.string_view())
    within = pa.StructArray.from_arrays([pa.array(["x", "x", "y"]).dictionary_encode()], ["in"])
    for values in (ends, view, within):
        path = tmp_path / "a.arrow"
        table = pa.table({"n": values})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        with pytest.raises(FormatError, match="which is not read. Write it as plain values"):
            list(arrow.arrow_lines(path, "a"))


def test_damaged_files_are_told_in_words(tmp_path: Path) -> None:
    rng = random.Random(7)
    whole = written(tmp_path / "a.arrow", [{**OWN, "n": n} for n in range(30)], chunksize=10).read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(6, len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        path = tmp_path / "b.arrow"
        path.write_bytes(bytes(data[: rng.randint(20, len(data))] if rng.random() < 0.3 else data))
        told = ""
        with suppress(SocmlError):
            told = str(peek(path, format="any-json").rejects)
        assert "does not foresee" not in told
