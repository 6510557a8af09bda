"""Datasets of tables, damaged packed files, long lines and kills."""

from __future__ import annotations

import fcntl
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office_logs import HEADER, conn_lines, own_project, quarantine, stored_ids, write_conn

from socml.features.build import build_features
from socml.ingestion.detection import detect, open_format
from socml.ingestion.event_query import events_of_row, load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.ingestion.sources import LINE_LIMIT, FileSource
from socml.project.errors import FormatError, Notice
from socml.project.project import Project
from socml.project.recipes import FeatureRecipe, load_dataset_recipe, parse_recipe, recipe_names
from socml.project.tables import EVENT
from socml.project.workspace import open_events


def test_labels_that_all_say_the_same_are_warned_of(tmp_path: Path) -> None:
    project = own_project(tmp_path, '[truth]\ncolumn = "label"\nbenign = ["benign"]\n')
    path = tmp_path / "one.csv"
    path.write_text("a,label\n" + "".join(f"{i},benign\n" for i in range(10)))
    result = ingest(path, dataset="office", project=project)
    assert result.warnings == (
        "Every label says benign: AUROC and average precision cannot be computed from these files alone.",
    )


def test_a_tables_own_columns_stand_typed_after_the_event_columns(lab: Project, tmp_path: Path) -> None:
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    first.write_text("n,word,empty\n1,x,\n2,y,\n")
    second.write_text("n,word,empty,more\n3,7,1,z\n")
    ingest(first, dataset="office", project=lab)
    ingest(second, dataset="office", project=lab)
    stored = open_events(lab, "office")
    own = {f.name: f.type for f in stored.schema if f.name not in EVENT}
    assert own == {"n": pa.float64(), "word": pa.string(), "empty": pa.float64(), "more": pa.string()}
    assert stored.schema.names[: len(EVENT)] == list(EVENT)
    table = stored.to_table().sort_by("n")
    assert table["word"].to_pylist() == ["x", "y", "7"]
    assert table["more"].to_pylist() == [None, None, "z"]


def test_a_parquet_and_an_npz_file_are_tables_too(lab: Project, tmp_path: Path) -> None:
    parquet, npz = tmp_path / "t.parquet", tmp_path / "t.npz"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None], "c": [0.5, float("nan")]}), parquet)
    np.savez_compressed(npz, X=np.array([[1.0, np.inf], [3.0, 4.0]]), y=np.array([0, 1]))
    assert detect(parquet) == ("table", 1.0)
    assert ingest(parquet, dataset="p", project=lab).added == 2
    table = open_events(lab, "p").to_table()
    assert table["c"].to_pylist() == [0.5, None]
    assert table["raw"].to_pylist()[0] == '{"a":1,"b":"x","c":0.5}'
    assert ingest(npz, dataset="n", project=lab).added == 2
    assert ingest(npz, dataset="n", project=lab).added == 0
    assert open_events(lab, "n").to_table()["x2"].to_pylist() == [None, 4.0]
    assert sorted(load_truth("n", project=lab)["malicious"]) == [False, True]
    np.savez(npz, X=np.array([[object()]], dtype=object))
    with pytest.raises(FormatError, match="nothing is unpickled"):
        ingest(npz, dataset="n", project=lab)


def test_the_events_behind_a_row_and_those_around_a_moment_are_found(lab: Project, tmp_path: Path) -> None:
    ingest(write_conn(tmp_path / "conn.log", conn_lines(600)), dataset="office", project=lab)
    events = load_events("office", project=lab)
    one = events.iloc[10]
    alone = events_of_row(
        "office", row={"row_id": one["event_id"]}, feature_metadata={"window_seconds": 0}, project=lab
    )
    assert alone["event_id"].tolist() == [one["event_id"]]
    start = pd.Timestamp("2023-11-14T22:15:00Z")
    row = {"row_id": "r", "time": start, "source_ip": "10.0.0.3"}
    behind = events_of_row(
        "office", row=row, feature_metadata={"entity": ["source_ip"], "window_seconds": 300}, limit=1000, project=lab
    )
    inside = events[(events["time"] >= start) & (events["time"] < start + pd.Timedelta(minutes=5))]
    assert behind["event_id"].tolist() == inside[inside["source_ip"] == "10.0.0.3"]["event_id"].tolist()


def test_a_line_over_the_limit_is_quarantined_and_its_neighbours_kept(lab: Project, tmp_path: Path) -> None:
    lines = conn_lines(100)
    with (tmp_path / "conn.log").open("w") as file:
        file.write(HEADER + "".join(lines[:50]) + "x" * (LINE_LIMIT + (2 << 20)) + "\n" + "".join(lines[50:]))
    result = ingest(tmp_path / "conn.log", dataset="office", project=lab)
    assert (result.added, result.quarantined, result.records) == (100, 1, 104)
    bad = quarantine(lab)[0]
    assert bad["source_line"] == 54
    assert bad["reason"].startswith("a line of 18,874,368 bytes, over the limit of 16 MB")
    assert load_events("office", project=lab)["source_line"].tolist() == [*range(4, 54), *range(55, 105)]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.2, 0.999))
def test_a_packed_file_that_was_cut_keeps_what_can_be_read(pack: Any, share: float, tmp_path: Path) -> None:
    data = (HEADER + "".join(conn_lines(3000))).encode()
    packed = pack(data)
    path = tmp_path / "cut.log"
    path.write_bytes(packed[: int(len(packed) * share)])
    source = FileSource(path, "cut.log")
    read = b"".join(block.data for block in source.blocks())
    assert data.startswith(read)
    assert source.damage
    assert [r.line for r in source.rejects] == [source.lines]
    assert source.lines == read.count(b"\n") + 1


def test_a_dataset_killed_at_any_point_is_whole_after_the_next_run(tmp_path: Path) -> None:
    lines = conn_lines(120_000)
    for n in range(4):
        write_conn(tmp_path / "in" / f"conn.{n}.log", lines[n * 30_000 : (n + 1) * 30_000])
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", _INGEST, str(tmp_path), str(tmp_path / "in")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    whole = len(lines)
    begun = tmp_path / "workspace" / "staging" / "office"
    for delay in (0.0, 0.4, 0.8, 1.6):
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and not begun.exists():
            time.sleep(0.01)
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    ingest(tmp_path / "in", dataset="office", project=project)
    ids = stored_ids(project)
    assert len(ids) == len(set(ids)) == whole
    raws = load_events("office", columns=["raw"], project=project)["raw"]
    assert sorted(raws) == sorted(line.rstrip("\n") for line in lines)
    assert not list((tmp_path / "workspace" / "staging").glob("*/*"))


def test_a_lock_file_left_behind_does_not_lock(lab: Project, tmp_path: Path) -> None:
    (lab.folder("staging") / "office.lock").touch()
    (lab.folder("staging", "office", "events") / "stale.parquet").write_bytes(b"half")
    assert ingest(write_conn(tmp_path / "c.log", conn_lines(1)), dataset="office", project=lab).added == 1
    with (lab.folder("staging") / "office.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("name", sorted(p.stem for p in (Path(__file__).parent.parent / "datasets").glob("*.toml")))
def test_each_shipped_dataset_says_where_it_is_from_and_what_is_wrong_with_it(name: str, lab: Project) -> None:
    assert name in recipe_names("datasets", lab)
    recipe = load_dataset_recipe(name, lab)
    assert recipe.about
    assert recipe.origin
    assert recipe.licence
    assert recipe.flaws
    if recipe.format != "auto":
        open_format(recipe.format)


def test_a_table_in_local_time_is_turned_to_utc(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("when,v\n2024-07-01 12:00:00,1\n2024-12-01 12:00:00,2\n")
    project = own_project(tmp_path, 'time_zone = "Europe/Paris"\n[table]\nrename = { when = "time" }\n')
    ingest(path, dataset="office", project=project)
    times = load_events("office", project=project)["time"]
    assert times.dt.strftime("%H:%M").tolist() == ["10:00", "11:00"]


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    filler = "\t".join(["-"] * 2)
    with path.open("w") as file:
        file.write(HEADER.replace("orig_bytes", "orig_bytes\thistory\tpeer"))
        for start in range(0, 1_900_000, 100_000):
            file.writelines(
                f"{1_700_000_000 + i}.123456\tCabcdefghijklm{i}\t10.0.{i % 250}.{i % 199}\t{1024 + i % 60000}"
                f"\t192.0.2.{i % 250}\t443\ttcp\t{i}\t{filler}\n"
                for i in range(start, start + 100_000)
            )
    assert path.stat().st_size > 130 << 20
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", _INGEST, str(tmp_path), str(path)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    added, peak_kb = map(int, done.stdout.split())
    assert added == 1_900_000
    assert peak_kb < 1 << 20, f"{peak_kb >> 10} MB"


_INGEST = """
import sys
from pathlib import Path
from socml.ingestion import ingest
from socml.project import Project
root = Path(sys.argv[1])
result = ingest(sys.argv[2], dataset="office", project=Project(root=root, workspace=root / "workspace"))
print(result.added, int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]))
"""


def test_own_columns_of_times_and_of_numbers_that_no_float_holds_are_said(tmp_path: Path) -> None:
    project = own_project(tmp_path, "")
    ids = [2**60 + i % 3 for i in range(30)]
    columns = {
        "id": pa.array([None, *ids[1:]], pa.int64()),
        "count": pa.array([2**53] * 29 + [5], pa.int64()),
        "seen": pa.array(pd.date_range("2026-01-01", periods=30, tz="UTC")),
    }
    pq.write_table(pa.table(columns), tmp_path / "own.parquet")
    ingest(tmp_path / "own.parquet", dataset="office", project=project)
    text = '-- blind_to = "all else"\n-- [columns]\n-- "*" = "a column"\nselect *, id % 2 as odd from table_columns\n'
    recipe = parse_recipe(FeatureRecipe, text, path=Path("own.sql"))
    with pytest.warns(Notice) as said:
        built = build_features(recipe, "office", project=project)
    assert [str(one.message) for one in said] == [
        "The column 'id' is taken as text: it holds whole numbers beyond 2^53, which no float64 holds exactly.",
        "The column 'seen' is a time, and no feature.",
    ]
    assert sorted(built["id"].dropna()) == sorted(str(number) for number in ids[1:])
    assert sorted(built["count"]) == [5.0, *[2.0**53] * 29]
    assert set(built["odd"].dropna()) == {0.0, 1.0}
    assert "seen" not in built
