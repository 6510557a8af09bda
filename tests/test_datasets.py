"""Files → stored events: each record once, none lost, whatever the files look like and whenever it is killed."""

from __future__ import annotations

import fcntl
import gzip
import os
import random
import re
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

from socml.ingestion.detection import detect, open_format
from socml.ingestion.discovery import find_files
from socml.ingestion.event_query import events_of_row, load_events, load_truth, related_events
from socml.ingestion.ingestion import ingest
from socml.ingestion.sources import LINE_LIMIT, FileSource
from socml.ingestion.staging import staging
from socml.project.errors import ConfigurationError, DataError, FormatError, TryLater, UnknownName
from socml.project.project import Project
from socml.project.recipes import load_dataset_recipe, recipe_names
from socml.project.tables import EVENT, QUARANTINE, TRUTH, check_table
from socml.project.workspace import events_snapshot, open_events, quarantine_files

HEADER = (
    "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\n"
)


def conn_lines(count: int, *, seed: int = 0, start: float = 1_700_000_000.0) -> list[str]:
    rng = random.Random(seed)
    sources = [f"10.0.0.{rng.randrange(1, 9)}\t{rng.randrange(1024, 65535)}" for _ in range(count)]
    return [f"{start + i:.6f}\tC{seed}x{i}\t{source}\t192.0.2.1\t443\ttcp\t{i}\n" for i, source in enumerate(sources)]


def write_conn(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(lines))
    return path


def own_project(tmp_path: Path, recipe: str = "", name: str = "office") -> Project:
    """Return a project with at most one dataset recipe."""
    (tmp_path / "datasets").mkdir(exist_ok=True)
    if recipe:
        (tmp_path / "datasets" / f"{name}.toml").write_text(recipe)
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def stored_ids(project: Project, dataset: str = "office") -> list[str]:
    return sorted(load_events(dataset, columns=["event_id"], project=project)["event_id"])


def quarantine(project: Project, dataset: str = "office") -> list[dict[str, Any]]:
    return [
        row
        for path in quarantine_files(project, dataset)
        for row in check_table(pq.read_table(path), QUARANTINE, what=str(path)).to_pylist()
    ]


def test_ingest_stores_each_record_once_with_its_book_keeping(lab: Project, tmp_path: Path) -> None:
    path = write_conn(tmp_path / "conn.log", conn_lines(3))
    result = ingest(path, dataset="office", project=lab)
    assert (result.files, result.records, result.added, result.skipped, result.quarantined) == (1, 6, 3, 3, 0)
    table = open_events(lab, "office").to_table()
    check_table(table, EVENT, what="events")
    rows = table.to_pylist()
    assert len({row["event_id"][16:] for row in rows}) == 1
    assert len({row["event_id"][:6] for row in rows}) == 3
    assert [row["source_line"] for row in rows] == [4, 5, 6]
    assert {row["dataset"] for row in rows} == {"office"}
    assert str(result) == "office: 3 events added from 1 file (6 records, 3 skipped)\n  zeek-tsv: detected, 1.00 sure"
    assert "<td>zeek-tsv</td>" in result._repr_html_()
    assert result.to_dict()["per_file"][0]["skips"] == {"header": 3}


def test_a_file_that_is_renamed_packed_or_moved_adds_nothing(lab: Project, tmp_path: Path) -> None:
    path = write_conn(tmp_path / "in" / "conn.log", conn_lines(2000))
    assert ingest(tmp_path / "in", dataset="office", project=lab).added == 2000
    snapshot = events_snapshot(lab, "office")
    data = path.read_bytes()
    path = path.rename(path.with_name("other-name"))
    for name, packed in (
        ("conn.log.gz", gzip.compress(data[:999]) + gzip.compress(data[999:])),
        ("conn.log.zst", zstandard.compress(data)),
        ("elsewhere/conn.1.log", data),
    ):
        result = ingest(tmp_path / "in", dataset="office", project=lab)
        assert (result.files, result.added, result.duplicates) == (1, 0, 2000)
        path.unlink()
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(packed)
    assert ingest(tmp_path / "in", dataset="office", project=lab).added == 0
    assert events_snapshot(lab, "office") == snapshot


def test_identical_lines_of_one_file_are_different_events(lab: Project, tmp_path: Path) -> None:
    path = write_conn(tmp_path / "conn.log", conn_lines(1) * 3)
    assert ingest(path, dataset="office", project=lab).added == 3
    assert ingest(path, dataset="office", project=lab).added == 0


def test_events_are_the_same_bytes_in_another_workspace(tmp_path: Path) -> None:
    path = write_conn(tmp_path / "conn.log", conn_lines(100))
    snapshots = set()
    for name in ("one", "two"):
        project = Project(root=tmp_path, workspace=tmp_path / name)
        ingest(path, dataset="office", project=project)
        snapshots.add(events_snapshot(project, "office"))
    assert len(snapshots) == 1


def test_records_without_a_year_are_known_again_under_another_year(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text(
        "".join(f"Mar 27 13:06:{i:02} h sshd[1]: Server listening on 0.0.0.0 port {i}.\n" for i in range(40))
    )
    project = own_project(tmp_path, "year = 2017\n")
    assert ingest(path, dataset="office", project=project).added == 40
    (tmp_path / "datasets" / "office.toml").write_text("year = 2024\n")
    assert ingest(path, dataset="office", project=project).added == 0


def test_bad_records_go_to_quarantine_once_and_the_rest_is_stored(lab: Project, tmp_path: Path) -> None:
    lines = conn_lines(200)
    lines[7] = "too\tfew\n"
    path = write_conn(tmp_path / "conn.log", lines)
    results = [ingest(path, dataset="office", project=lab) for _ in range(2)]
    assert [(result.added, result.quarantined) for result in results] == [(199, 1), (0, 1)]
    assert [(row["source_line"], row["reason"], row["raw"]) for row in quarantine(lab)] == [
        (11, "2 values for 8 fields", b"too\tfew")
    ]
    assert results[0].warnings[-1].endswith("1 record is in quarantine, first line 11: 2 values for 8 fields.")
    assert results[1].warnings[-1].endswith("quarantine since an earlier run. See: socml quarantine office")


def test_a_file_with_too_many_bad_records_stores_nothing_of_itself(lab: Project, tmp_path: Path) -> None:
    good = write_conn(tmp_path / "a.log", conn_lines(150))
    bad = write_conn(tmp_path / "b.log", [*conn_lines(80, seed=1), *["x\n"] * 20])
    said = r"b.log: 20 of 100 records \(20.0%\).*b.log:84: 1 values for 8 fields.*--max-bad-share"
    for _ in range(2):
        result = ingest([good, bad], dataset="office", project=lab)
        assert re.search(said, result.failed[0].reason)
    with pytest.raises(DataError, match=said):
        ingest(bad, dataset="office", project=lab)
    assert len(stored_ids(lab)) == 150
    assert len(quarantine(lab)) == 20


def test_a_recipe_can_stop_at_the_first_bad_record(tmp_path: Path) -> None:
    project = own_project(tmp_path, 'bad_rows = "stop"\n')
    path = write_conn(tmp_path / "conn.log", [*conn_lines(500), "x\n"])
    with pytest.raises(DataError, match=r"conn.log:504: 1 values for 8 fields"):
        ingest(path, dataset="office", project=project)
    with pytest.raises(UnknownName):
        load_events("office", project=project)


def test_an_empty_file_is_an_error_alone_and_a_warning_among_others(lab: Project, tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.touch()
    with pytest.raises(FormatError, match="is empty: it has 0 bytes"):
        ingest(empty, dataset="office", project=lab)
    result = ingest([empty, write_conn(tmp_path / "conn.log", conn_lines(1))], dataset="office", project=lab)
    assert result.added == 1
    assert "empty.log is empty" in result.warnings[0]


def test_what_is_not_a_log_is_passed_over_in_a_folder_and_an_error_by_name(lab: Project, tmp_path: Path) -> None:
    write_conn(tmp_path / "in" / "deep" / "conn.log", conn_lines(1))
    (tmp_path / "in" / "README").write_text("Some words. And more words, of no format.\n")
    (tmp_path / "in" / ".hidden").write_text("x")
    result = ingest(tmp_path / "in", dataset="office", project=lab)
    assert (result.files, result.added) == (1, 1)
    assert "README: no format is at least 0.5 sure" in result.failed[0].reason
    with pytest.raises(FormatError, match=r"no format .*Name one with --format"):
        ingest(tmp_path / "in" / "README", dataset="office", project=lab)


def test_patterns_and_paths_that_mean_nothing_say_so(lab: Project, tmp_path: Path) -> None:
    write_conn(tmp_path / "a.log", conn_lines(1))
    write_conn(tmp_path / "b.log", conn_lines(1, seed=1))
    assert ingest(str(tmp_path / "*.log"), dataset="office", project=lab).files == 2
    assert [p.name for p in find_files(["a.log"], base=tmp_path).files] == ["a.log"]
    with pytest.raises(DataError, match=r"nothing.log does not exist"):
        ingest(tmp_path / "nothing.log", dataset="office", project=lab)
    with pytest.raises(ConfigurationError, match="Which files"):
        ingest([], dataset="office", project=lab)
    with pytest.raises(UnknownName, match="Did you mean 'zeek-tsv'"):
        ingest(tmp_path / "a.log", dataset="office", format="zeek-tvs", project=lab)


def test_a_second_ingest_of_one_dataset_at_once_is_told_to_try_later(lab: Project, tmp_path: Path) -> None:
    path = write_conn(tmp_path / "conn.log", conn_lines(1))
    with staging(lab, "office"), pytest.raises(TryLater, match="Another ingest of 'office' is running"):
        ingest(path, dataset="office", project=lab)
    assert ingest(path, dataset="office", project=lab).added == 1


def test_progress_says_how_far_it_is(lab: Project, tmp_path: Path) -> None:
    path = write_conn(tmp_path / "conn.log", conn_lines(10))
    seen: list[tuple[int, int, str]] = []
    ingest(path, dataset="office", project=lab, progress=lambda *report: seen.append(report))
    assert seen == [(path.stat().st_size, path.stat().st_size, "conn.log: 10 records")]


def test_truth_in_the_records_never_reaches_the_events(lab: Project, tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_text(
        "#path\tconn\n#fields\tts\tid.orig_h\tlabel\tdetailedlabel\n"
        "1.0\t10.0.0.1\tMalicious\tScan\n2.0\t10.0.0.2\tBenign\t-\n3.0\t10.0.0.3\tBackground\t-\n4.0\t10.0.0.4\t-\t-\n"
    )
    ingest(path, dataset="office", project=lab)
    events, truth = load_events("office", project=lab), load_truth("office", project=lab)
    joined = events.merge(truth, on="event_id").sort_values("source_line")
    assert joined["malicious"].tolist() == [True, False, None, None]
    assert joined["family"].fillna("").tolist() == ["Scan", "", "", ""]
    assert all("label" not in extra for extra in events["extra"])
    assert list(truth.columns) == list(TRUTH)


def test_a_truth_file_beside_the_records_is_joined_by_file_and_line(tmp_path: Path) -> None:
    project = own_project(tmp_path, '[truth]\nfile = "truth.parquet"\nothers = "benign"\n')
    lines = conn_lines(4)
    write_conn(tmp_path / "raw" / "conn.log", lines)
    said = {
        "source_file": ["conn.log"],
        "source_line": [5],
        "malicious": [True],
        "family": ["scan"],
        "technique": ["T1046"],
    }
    pq.write_table(pa.table(said), tmp_path / "raw" / "truth.parquet")
    for added in (4, 0):
        assert ingest(tmp_path / "raw", dataset="office", project=project).added == added
    ids = load_events("office", project=project).sort_values("source_line")["event_id"].tolist()
    truth = load_truth("office", project=project).set_index("event_id")
    assert truth.loc[ids, "malicious"].tolist() == [False, True, False, False]
    assert truth.loc[ids[1], "technique"] == "T1046"
    (tmp_path / "raw" / "truth.parquet").unlink()
    with pytest.raises(DataError, match=r"truth.parquet' beside the records, but there is none"):
        ingest(tmp_path / "raw", dataset="office", project=project)


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
    near = related_events("office", entity={"source_ip": "10.0.0.3"}, around=start, limit=5, project=lab)
    assert len(near) == 5
    assert near["time"].is_monotonic_increasing
    assert (near["time"] - start).abs().max() < pd.Timedelta(minutes=2)
    nobody = related_events("office", entity={"user_name": None}, around=None, limit=3, project=lab)
    assert len(nobody) == 3
    with pytest.raises(UnknownName, match="Did you mean 'source_ip'"):
        related_events("office", entity={"sourceip": "x"}, around=start, project=lab)


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
