"""Ground truth as people write it: their spreadsheet's separator and encoding, their capitals, a line too many or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.formats import ReadOptions, judge
from socml.ingestion import FileSource, ingest, open_format
from socml.ingestion.truth import find_truth
from socml.project import DatasetRecipe, Truth, rows_by_hand
from socml.project.project import read_project

EVENTS = "user,bytes\nalice,1\nbob,2\ncarol,3\n"


def said(folder: Path, labels: bytes, truth: dict[str, Any], *, events: str = EVENTS, **recipe: Any) -> list[Any]:
    (folder / "events.csv").write_text(events)
    (folder / "labels.csv").write_bytes(labels)
    whole = DatasetRecipe.model_validate({"format": "table", "truth": truth, **recipe})
    path = folder / "events.csv"
    parts = open_format("table").read(FileSource(path, path.name), ReadOptions(table=whole.table, truth=whole.truth))
    beside = find_truth(whole, [path])
    assert beside is not None
    table = beside.of_events(next(iter(parts)).events, path)
    assert table is not None
    return table["malicious"].to_pylist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("above", ["", "sep=;\r\n"])
def test_labels_that_a_spreadsheet_saved_are_read(encoding: str, above: str, tmp_path: Path) -> None:
    text = f"{above}user;verdict\r\nalice;Échec\r\nbob;légitime\r\nnobody;Échec\r\n"
    joined = {"file": "labels.csv", "label": "verdict", "on": {"user": "user"}}
    truth = {"benign": ["légitime"], "labels": joined}
    assert said(tmp_path, text.encode(encoding), truth) == [True, False, None]


@pytest.mark.parametrize("table", [{}, {"table": {"drop": ["bytes"]}}, {"table": {"header": True}}])
@pytest.mark.parametrize("header", ["", "verdict\n"])
def test_the_first_label_is_about_the_first_row(header: str, table: dict[str, Any], tmp_path: Path) -> None:
    truth = {"benign": ["normal"], "labels": {"file": "labels.csv"}}
    labels = f"{header}scan\nnormal\nscan\n".encode()
    assert said(tmp_path, labels, truth, **table) == [True, False, True]


@pytest.mark.parametrize(
    ("label", "truth", "means"),
    [
        ("Normal", Truth(benign=["normal"]), False),
        (" normal ", Truth(benign=["normal"]), False),
        ("TRUE", Truth(malicious=["true"]), True),
        ("1.0", Truth(malicious=["1"], benign=["0"]), True),
        ("0.0", Truth(malicious=["1"], benign=["0"]), False),
        ("", Truth(benign=["normal"]), None),
        ("", Truth(benign=[""]), False),
        ("a", Truth(malicious=["A"], benign=["a"]), False),
        ("scan", Truth(benign=["normal"]), True),
    ],
)
def test_capitals_and_blanks_change_no_verdict(label: str, truth: Truth, means: bool | None) -> None:
    assert judge(label, truth) is means


def test_labels_that_are_about_none_of_the_events_are_told(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    (tmp_path / "labels.csv").write_text("user,verdict\nALICE-PC,scan\n")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "socml.toml").write_text("")
    (tmp_path / "datasets" / "said.toml").write_text(
        'about = "x"\nformat = "table"\n[truth]\nbenign = ["x"]\n[truth.labels]\nfile = "labels.csv"\n'
        'label = "verdict"\non = { user = "user" }\n'
    )
    result = ingest([tmp_path / "events.csv"], dataset="said", project=read_project(tmp_path))
    assert any("No event has a label" in warning for warning in result.warnings)


def test_a_table_by_hand_may_say_what_parts_its_cells(tmp_path: Path) -> None:
    (tmp_path / "context.csv").write_text("sep=;\nentity;role\n10.0.0.1;server, old\n")
    assert list(rows_by_hand(tmp_path / "context.csv")) == [{"entity": "10.0.0.1", "role": "server, old"}]
