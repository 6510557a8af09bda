"""A file of labels by another tool, or by a person in a hurry: each record is a label, or is kept with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import make_project, make_rows

from socml.jobs import Policy
from socml.labels import ImportResult, import_labels, open_labels
from socml.project import ConfigurationError, Project, read_project, write_json
from socml.project.night_sections import night_settings

OWN = {"row_id": "r1", "verdict": "malicious", "by": "ana", "client_id": "c"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "lab")
    make_rows(made, "r1")
    return made


def read(project: Project, name: str, text: str) -> ImportResult:
    path = project.root / name
    path.write_text(text, encoding="utf-8")
    with open_labels(project) as store:
        return import_labels(path, project=project, store=store)


def test_a_row_of_too_many_cells_is_read_by_its_names(project: Project) -> None:
    assert read(project, "l.csv", "row_id,label\nr1,malicious,x,y\n").imported == 1


def test_a_line_ends_where_json_lines_say_and_not_within_a_note(project: Project) -> None:
    lines = [{**OWN, "client_id": f"c{n}", "note": note} for n, note in enumerate(("a\u2028b", "c\x85d"))]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\r\n" for line in lines)
    assert read(project, "l.jsonl", text).imported == 2
    with open_labels(project) as store:
        assert sorted(store.history()["note"]) == ["a\u2028b", "c\x85d"]


def test_tags_that_are_no_list_are_none(project: Project) -> None:
    alert = {"sourceRef": "socml:r1", "pap": 2, "resolutionStatus": "TruePositive", "tags": 5}
    assert read(project, "l.json", json.dumps([alert])).imported == 1


@pytest.mark.parametrize("value", ["abc", "1e999", "nan"])
@pytest.mark.parametrize("name", ["weight", "seen_ms", "inclusion_probability"])
def test_a_number_that_is_none_is_refused_and_keeps_back_no_other(name: str, value: str, project: Project) -> None:
    lines = [{**OWN, name: value}, {**OWN, "client_id": "d"}]
    found = read(project, "l.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert (found.imported, found.refused) == (1, {f"{name} is no number": 1})


@pytest.mark.parametrize("value", ["abc", "1e999"])
def test_what_takes_back_no_label_is_a_label(value: str, project: Project) -> None:
    assert read(project, "l.jsonl", json.dumps({**OWN, "undo_of": value}) + "\n").imported == 1


def test_what_is_kept_of_a_record_may_hold_what_is_no_letter(project: Project) -> None:
    found = read(
        project, "l.json", '[{"row_id": "r\\ud8001", "label": "malicious"}, {"row_id": "r1", "label": "m\\ud800"}]'
    )
    assert found.kept is not None
    kept = [json.loads(line)["raw"] for line in found.kept.read_text(encoding="utf-8").splitlines()]
    assert sorted(one["row_id"] for one in kept) == ["r1", "r\ud8001"]


def test_a_name_that_is_no_utf_8_can_be_told_of(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"file": "bad\udcff.log"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"file": "bad\udcff.log"}


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_threshold_that_is_no_number_is_refused(score: float) -> None:
    with pytest.raises(ConfigurationError, match="--score"):
        Policy(score=score)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("nightly", "quiet_days"),
        ("nightly", "keep_events_days"),
        ("nightly", "keep_runs_days"),
        ("checks", "history_days"),
    ],
)
def test_more_days_than_there_are_dates_are_refused(section: str, key: str, project: Project) -> None:
    for days, fits in ((36_500, True), (36_501, False)):
        (project.root / "socml.toml").write_text(f"[{section}]\n{key} = {days}\n", encoding="utf-8")
        if fits:
            night_settings(read_project(project.root))
        else:
            with pytest.raises(ConfigurationError, match=key):
                night_settings(read_project(project.root))
