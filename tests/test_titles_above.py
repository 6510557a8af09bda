"""Tables under titles and notes, as reports and exports have them: where the line of names is."""

from __future__ import annotations

import pytest
from builders import make_project
from hypothesis import given
from hypothesis import strategies as st

from socml.formats.table._table_titles import titles_above
from socml.ingestion import ingest
from socml.project import open_events

ROWS = "id;date;adresse ip;port\n1;2026-03-02T10:00:00Z;192.0.2.1;22\n2;2026-03-02T10:00:01Z;192.0.2.2;443\n"
TITLES = [
    "Rapport\n",
    "Report\nmade on 3/3/2026; by ann\n\n",
    "\n\n00\tThe log was started.\n01\tThe log was stopped.\n\n",
]


@pytest.mark.parametrize("title", ["", *TITLES])
def test_what_stands_above_the_names_changes_no_event(tmp_path, title):
    project = make_project(tmp_path / "lab")
    path = tmp_path / "report.csv"
    path.write_text(title + ROWS, encoding="utf-8")
    ingest(path, dataset="r", project=project, final=True)
    events = open_events(project, "r").to_table().to_pandas().sort_values("time")
    assert events["source_ip"].tolist() == ["192.0.2.1", "192.0.2.2"]
    assert events["source_line"].tolist() == [title.count("\n") + 2, title.count("\n") + 3]


@pytest.mark.parametrize(
    "lines",
    [
        ["a;b;c", "1;2;3", "4;5;6"],  # nothing above
        ["Title", "1;2;3", "4;5;6"],  # no names: what the title says may be a row that was cut
        ["a;b", "x;y;z", "1;2;3"],  # a row that is one short is no title
        ["Title", "x;y;z"],  # no row
        ["Title", "more", "of it"],
    ],
)
def test_what_is_no_title_is_left_to_the_reader(lines):
    assert titles_above([line.encode() for line in lines]) == 0


@given(
    st.lists(st.sampled_from([b"", b"a title", b"with, a comma", b"00 x"]), max_size=6),
    st.integers(3, 9),
    st.integers(2, 30),
)
def test_the_names_are_found_under_any_titles(titles, columns, rows):
    names = b",".join(b"name%d" % n for n in range(columns))
    table = [names, *(b",".join(b"%d" % (row * n) for n in range(columns)) for row in range(rows))]
    above = len(titles) if any(titles) else 0
    fewest = columns - 1 > 2 * max((title.count(b",") for title in titles), default=0)
    assert titles_above([*titles, *table]) == (above if fewest else 0)
