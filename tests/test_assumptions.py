"""What was assumed of a file is said once, in the summary and as one field; times that run backwards are said."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.ingestion import ingest_files, peek
from socml.project import DatasetRecipe, Project

SSHD = "Mar {day:2} {clock} h sshd[1]: Failed password for root from 192.0.2.1 port 4022 ssh2\n"


def _sshd(*stamps: tuple[int, str]) -> str:
    return "".join(SSHD.format(day=day, clock=clock) for day, clock in stamps)


@pytest.mark.parametrize(
    ("name", "content", "kinds"),
    [
        ("a.log", _sshd((2, "10:00:00"), (2, "10:00:01")), {"year", "zone"}),
        ("b.log", "2026-03-02 10:00:00 INFO started\n2026-03-02 10:00:01 INFO stopped\n", {"zone"}),
        ("c.log", "2026-03-02T10:00:00Z INFO started\n2026-03-02T10:00:01Z INFO stopped\n", set()),
        ("d.csv", "date;user;action\n03/04/2026 10:00;ann;login\n04/04/2026 10:00;bob;login\n", {"columns", "date order", "dialect", "zone"}),
        ("e.csv", "date,user,action\n13/04/2026 10:00,ann,login\n14/04/2026 10:00,bob,login\n", {"columns", "zone"}),
        ("f.csv", "1,2,3\n4,5,6\n7,8,9\n", {"header"}),
        ("g.csv", "a,label\n1,normal\n2,attack\n", {"labels"}),
        ("h.log", _sshd((2, "10:00:00"), (2, "07:00:00"), (2, "10:00:02"), (2, "10:00:03")), {"year", "zone", "time order"}),
        ("i.jsonl", '{"ts":"2026-03-02 10:00:00","user":"bob"}\n', {"zone"}),
    ],
)  # fmt: skip
def test_what_is_assumed_of_a_file_is_one_field(
    name: str, content: str, kinds: set[str], lab: Project, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = ingest_files(path, dataset="some", project=lab, final=True)
    said = found.to_dict()["assumptions"]
    assert {one["kind"] for one in said} == kinds
    assert all(one["text"] in str(found) for one in said)
    assert {one["kind"] for one in peek(path).to_dict()["assumptions"]} == kinds - {"time order"}


def test_a_zone_and_a_year_that_the_recipe_gives_are_not_assumed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(_sshd((2, "10:00:00")), encoding="utf-8")
    assert peek(path, recipe=DatasetRecipe(time_zone="UTC", year=2026)).to_dict()["assumptions"] == []


def test_the_same_assumption_of_many_files_is_said_once(lab: Project, tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / f"{n}.log").write_text(_sshd((n + 1, "10:00:00")), encoding="utf-8")
    found = ingest_files(tmp_path, dataset="some", project=lab, final=True)
    assert len([line for line in str(found).splitlines() if "no zone" in line]) == 1
    assert "and 4 more: The times name no zone" in str(found)


def test_records_from_the_newest_to_the_oldest_are_said(lab: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(_sshd(*((2, f"{hour:02}:00:00") for hour in range(20, 2, -1))), encoding="utf-8")
    found = ingest_files(path, dataset="some", project=lab, final=True)
    assert any("from the newest to the oldest" in warning for warning in found.warnings)


def test_lines_a_few_seconds_out_of_order_are_usual(lab: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(_sshd((2, "10:00:05"), (2, "10:00:01"), (2, "10:00:09")), encoding="utf-8")
    found = ingest_files(path, dataset="some", project=lab, final=True)
    assert not any("backwards" in warning for warning in found.warnings)
