"""A file that nobody knows → a map in TOML, which is then a reader; and what is wrong in a map is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from socml.ingestion import format_names, peek, write_map
from socml.project import DataError, RecipeError, find_project

RECORDS = [
    {"when": f"2026-03-02T10:00:0{n}Z", "peer": {"ip": "192.0.2.1"}, "acct": "ann", "verdict": "GRANTED", "weight": n}
    for n in range(4)
]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "socml.toml").write_text("")
    (tmp_path / "door.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOCML_PROJECT", raising=False)
    return tmp_path


def test_a_map_that_was_written_is_a_reader_that_knows_the_file(lab: Path) -> None:
    before = peek(lab / "door.jsonl")
    assert (before.format, before.mapping["source_ip"]) == ("any-json", ["peer.ip"])
    assert before.confidence is not None
    assert before.confidence < 0.9
    target = write_map(lab / "door.jsonl", find_project())
    assert "door" in format_names()
    target.write_text(
        target.read_text() + '[words.event_outcome]\nGRANTED = "success"\n[fixed]\nevent_category = "door"\n'
    )
    after = peek(lab / "door.jsonl", limit=1)
    assert after.format == "door"
    event = after.events[0]
    assert (event["user_name"], event["source_ip"], event["event_category"]) == ("ann", "192.0.2.1", "door")
    assert event["extra"]["weight"] == "0"


def test_a_map_is_not_written_over_another(lab: Path) -> None:
    write_map(lab / "door.jsonl", find_project())
    with pytest.raises(DataError, match="is there already"):
        write_map(lab / "door.jsonl", find_project())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "when,src_ip,acct\n2026-03-02 10:00:00,192.0.2.1,ann\n"),
        ("t.log", "ts=2026-03-02T10:00:00Z src=192.0.2.1 user=ann n=1\n"),
    ],
)
def test_maps_are_written_of_tables_and_pairs(lab: Path, name: str, content: str) -> None:
    (lab / name).write_text(content)
    write_map(lab / name, find_project())
    found = peek(lab / name, limit=1)
    assert found.format == "t"
    assert (found.events[0]["source_ip"], found.events[0]["user_name"]) == ("192.0.2.1", "ann")


def test_text_without_named_fields_gives_no_map(lab: Path) -> None:
    (lab / "a.txt").write_text("only words\n")
    with pytest.raises(DataError, match="there is no map to write"):
        write_map(lab / "a.txt", find_project())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('has = ["a"]\ncolumn = 1', "Did you mean 'columns'"),
        ('has = ["a"]\n[columns]\nsource_ipp = "a"', "Did you mean 'source_ip'"),
        ('[columns]\nsource_ip = "a"', "`has` names the fields"),
        ("has = [", "not a map of a format"),
        ('has = ["a"]\n[[when]]\nfield = "a"', "`field` and a `pattern`"),
        ('has = ["a"]\n[[when]]\nfield = "a"\npattern = "("', "no regular expression"),
        ('has = ["a"]\n[[when]]\nfield = "a"\npattern = "b"\nclas_uid = 1', "Did you mean 'class_uid'"),
    ],
)
def test_what_is_wrong_in_a_map_is_named(lab: Path, text: str, said: str) -> None:
    (lab / "formats").mkdir()
    (lab / "formats" / "own.toml").write_text(text)
    with pytest.raises(RecipeError, match=said):
        peek(lab / "door.jsonl", format="own")


DOORS = """
has = ["when", "acct|badge", "verdict"]
[columns]
time = "when"
user_name = ["acct", "badge"]
event_action = "verdict"
[fixed]
class_uid = 6003
event_outcome = "success"
[[when]]
field = ["verdict", "reason"]
pattern = "REFUSED|.{0,100}expired"
event_outcome = "failure"
[[when]]
field = "badge"
pattern = ""
class_uid = 3002
"""
REFUSED = {
    "when": "2026-03-02T10:00:00Z",
    "badge": "0042",
    "verdict": "SHUT",
    "reason": "badge expired",
    "by": [{"n": 1}],
}


def read_doors(lab: Path, records: list[dict[str, object]], more: str = "") -> list[dict[str, object]]:
    (lab / "formats").mkdir(exist_ok=True)
    (lab / "formats" / "doors.toml").write_text(more + DOORS)
    (lab / "doors.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    found = peek(lab / "doors.jsonl")
    assert found.format == "doors"
    return [*found.events, *found.rejects]


def test_columns_follow_from_what_a_field_says(lab: Path) -> None:
    opened = {"when": "2026-03-02T10:00:01Z", "acct": "ann", "verdict": "GRANTED"}
    first, second = read_doors(lab, [REFUSED, opened])
    assert (first["event_outcome"], first["class_uid"], first["event_category"]) == ("failure", 3002, "authentication")
    assert (second["event_outcome"], second["class_uid"]) == ("success", 6003)


def test_a_number_is_a_user_where_the_map_says_so(lab: Path) -> None:
    assert read_doors(lab, [REFUSED])[0]["user_name"] == "0042"


def test_a_list_of_objects_is_kept_whole_or_in_fields(lab: Path) -> None:
    assert read_doors(lab, [REFUSED])[0]["extra"]["by.0.n"] == "1"  # type: ignore[index]
    assert read_doors(lab, [REFUSED], "whole_lists = true")[0]["extra"]["by"] == '[{"n":1}]'  # type: ignore[index]


def test_a_time_that_is_none_is_for_the_quarantine(lab: Path) -> None:
    *events, reject = read_doors(lab, [*[{**REFUSED, "n": n} for n in range(20)], {**REFUSED, "when": "yesterday"}])
    assert all(event["time"] for event in events)
    assert reject["reason"] == "'yesterday' is not a time"


def test_a_map_reads_columns_and_rows(lab: Path) -> None:
    rows = [[f"2026-03-02T10:00:0{n}Z", "192.0.2.1", f"user{n}", n] for n in range(3)]
    (lab / "answer.json").write_text(json.dumps({"columns": ["when", "srcIp", "acct", "weight"], "rows": rows}))
    write_map(lab / "answer.json", find_project())
    after = peek(lab / "answer.json")
    assert after.format == "answer"
    assert [event["user_name"] for event in after.events] == ["user0", "user1", "user2"]
