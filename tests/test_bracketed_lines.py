"""Lines that begin with a bracket are lines, of which the last may be cut, and no JSON document."""

from __future__ import annotations

import pytest
from builders import make_project

from socml.ingestion import ingest

LINES = [
    "[Sun Nov 29 08:15:02.123456 2026] [auth_basic:error] [pid 22] [client 192.0.2.9:4022] AH01617: user ann: authentication failure\n",
    "[2026-11-29 08:15:02] ERROR login failed for user ann from 192.0.2.9\n",
]


@pytest.mark.parametrize("line", LINES)
def test_a_last_line_without_its_end_waits(tmp_path, line):
    project = make_project(tmp_path / "lab")
    path = tmp_path / "error.log"
    path.write_text(line * 3 + line[:40], encoding="utf-8")
    done = ingest(path, dataset="web", project=project)
    assert (done.added, done.quarantined, done.pending) == (3, 0, 1)
    path.write_text(line * 4, encoding="utf-8")
    assert ingest(path, dataset="web", project=project).added == 1


def test_a_table_whose_first_column_is_a_number_in_brackets_is_no_document_that_was_cut(tmp_path):
    from socml.project import FormatError

    project = make_project(tmp_path / "lab")
    path = tmp_path / "odd.csv"
    path.write_text("[0]," + "x" * 2000 + "\n" + "1,2\n" * 9, encoding="utf-8")
    with pytest.raises(FormatError, match=r"2,000 characters, and 1,000 is the most"):
        ingest(path, dataset="odd", format="table", project=project)


@pytest.mark.parametrize("start", ['[{"a": 1}, {"a"', '[\n  {\n  "a": 1\n  }, {', '["x", "y"', "[[1, 2], [3"])
def test_a_json_array_that_is_cut_still_waits_as_one(start):
    from socml.ingestion.detection import open_format
    from socml.ingestion.run import begins_document

    assert begins_document(start.encode(), open_format("any-json"))
