"""Labels from a notebook, by address, and out again as a file."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from builders import make_project, make_rows, make_run
from label_writers import label

from socml.labels.export import write_labels
from socml.labels.recording import (
    open_labels,
    read_analyst_labels,
    read_label_events,
    read_labels,
    record_label,
    undo_label,
)
from socml.labels.store import LabelStore
from socml.labels.verdicts import SEEN_LEAST_MS, NewLabel
from socml.project.errors import DataError, SocmlError, UnknownName


def test_labels_are_read_by_dataset(store):
    store.record([label("r1", client_id="a", dataset="x"), label("r2", client_id="b", dataset="y")])
    store.record([label("r3", client_id="c")])
    assert list(store.current(dataset="x").index) == ["r1", "r3"], "a label that names no dataset counts for each"


def test_the_notebook_functions_use_the_projects_store(tmp_path):
    project = make_project(tmp_path)
    make_rows(project, "r1", "r2")
    record_label("r1", "benign", by="ana", project=project, note="=1+1")
    record_label("r2", "malicious", by="ana", project=project)
    assert undo_label(by="ana", project=project).row_id == "r2"
    assert list(read_labels(project=project).index) == ["r1"]
    assert len(read_analyst_labels(project=project)) == 1
    assert len(read_label_events(project=project)) == 3
    assert (tmp_path / "workspace" / "labels.sqlite").is_file()


def test_a_label_for_a_row_that_does_not_exist_is_an_error_that_names_the_nearest(tmp_path):
    project = make_project(tmp_path)
    make_rows(project, "0123456789abcdef")
    with pytest.raises(DataError, match="no row '01234567' in dataset 'd'. Did you mean '0123456789abcdef'"):
        record_label("01234567", "benign", dataset="d", project=project)
    with pytest.raises(DataError, match="no row 'nobody' in this workspace. See which there are: socml queue"):
        record_label("nobody", "benign", project=project)
    with pytest.raises(DataError, match="in dataset 'e'. Ingest its events first"):
        record_label("0123456789abcdef", "benign", dataset="e", project=project)
    with pytest.raises(SocmlError, match="no scoring run|Nothing has been scored"):
        record_label("0123456789abcdef", "benign", run_id="none", project=project)
    assert read_label_events(project=project).empty


def test_an_event_and_a_row_of_a_run_can_be_labelled(tmp_path):
    project = make_project(tmp_path)
    run = make_run(project, hostile=False)
    row = str(run.scores.index[0])
    assert record_label(row, "benign", run_id=run.run_id, dataset=run.dataset, project=project).row_id == row
    (project.workspace / "scores").rename(tmp_path / "scores")
    (project.workspace / "features").rename(tmp_path / "features")
    assert record_label(row, "malicious", dataset=run.dataset, project=project).row_id == row


def test_a_relative_address_is_relative_to_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    project = make_project(tmp_path / "lab", labels_url="sqlite:///team.sqlite")
    with open_labels(project):
        assert (tmp_path / "lab" / "team.sqlite").is_file()


@pytest.mark.parametrize("wrong", ["not an address", "mysql://host/name", "nonsense://host"])
def test_an_address_that_cannot_be_used_is_a_configuration_error(tmp_path, wrong):
    with pytest.raises(SocmlError, match=r"address|SQLite or PostgreSQL|needs the package"):
        open_labels(make_project(tmp_path, labels_url=wrong))


def test_an_export_to_csv_holds_no_formula_and_no_control_character(store, tmp_path):
    store.record(
        [label(note="=cmd|' /C calc'!A0"), label("r2", client_id="b", note="\x1b[31m\u202efdp.exe", reason="+1")]
    )
    path = write_labels(store.current(), tmp_path / "labels.csv")
    text = path.read_text(encoding="utf-8")
    assert "'=cmd" in text
    assert "'+1" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    read = pd.read_csv(path)
    assert list(read["row_id"]) == ["r1", "r2"]
    assert pd.to_datetime(read["time"], utc=True).notna().all()


def test_an_export_to_parquet_and_json_lines_keeps_every_character(store, tmp_path):
    store.record([label(note="=1 é \u202e"), label("r2", client_id="b")])
    parquet = pd.read_parquet(write_labels(store.history(), tmp_path / "labels.parquet"))
    assert parquet["note"].iloc[0] == "=1 é \u202e"
    lines = [json.loads(line) for line in write_labels(store.history(), tmp_path / "x.jsonl").read_text().splitlines()]
    assert [line["note"] for line in lines] == ["=1 é \u202e", None]
    assert lines[0]["time"].startswith(f"{store.history()['time'].iloc[0]:%Y-%m-%d}")


def test_an_export_to_anything_else_is_refused(store, tmp_path):
    with pytest.raises(UnknownName, match=r"Did you mean '\.csv'\?"):
        write_labels(store.current(), tmp_path / "labels.csvx")


def test_a_verdict_counts_for_a_row_that_was_on_screen_for_150_ms(store: LabelStore) -> None:
    for seen in (-1, 0, 1, SEEN_LEAST_MS - 1, 2**60):
        with pytest.raises(DataError, match="was on screen for 150 ms or more"):
            store.record([NewLabel("r1", "benign", client_id="a", how="key", seen_ms=seen)])
    store.record([NewLabel("r1", "benign", client_id="b", how="key", seen_ms=SEEN_LEAST_MS)])
    store.record([NewLabel("r2", "benign", client_id="c", how="replay")])  # an oracle looks at no screen
    assert store.history()["seen_ms"].to_list() == [150, pd.NA]
