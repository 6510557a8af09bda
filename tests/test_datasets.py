"""Files → stored events: each record once, none lost, whatever the files look like and whenever it is killed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from office_logs import conn_lines, own_project, quarantine, stored_ids, write_conn

from socml.evaluate.prepared import prepare_dataset
from socml.ingestion.discovery import find_files
from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.ingestion.staging import staging
from socml.project.errors import ConfigurationError, DataError, FormatError, Notice, TryLater, UnknownName
from socml.project.project import Project
from socml.project.tables import EVENT, TRUTH, check_table
from socml.project.workspace import events_snapshot, open_events


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
    write_conn(tmp_path / "raw" / "more.log", lines[:2])
    result = ingest(tmp_path / "raw", dataset="office", project=project)
    assert result.warnings == ("No ground truth (truth.parquet) is beside these files: nothing is judged by it.",)
    of_more = load_events("office", project=project).query("source_file.str.endswith('more.log')")["event_id"]
    assert len(of_more) == 2
    assert not set(of_more) & set(load_truth("office", project=project)["event_id"]), (
        "`others` is about a table that is there"
    )
    with pytest.warns(Notice, match="No ground truth"):  # `socml run EXPERIMENT FILE` says so too
        prepare_dataset("office", project=project, paths=[tmp_path / "raw" / "more.log"])
