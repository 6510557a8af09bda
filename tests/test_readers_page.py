"""docs/reference/readers.md says what each reader fills, and real files fill nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.readers import PAGE, Filled, look, row_of
from socml.formats import ReadOptions
from socml.ingestion import format_names
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

ROWS = {found[1]: found[0] for found in re.finditer(r"^\| `([\w-]+)` \|.*$", PAGE.read_text(encoding="utf-8"), re.M)}
# real file → meanings that it must show
REAL = {
    "datasets/faults/windows_logons.jsonl": {"logon", "failed logon"},
    "datasets/faults/repeated.log": {"failed logon"},
    "datasets/faults/eve_text_status.json": set[str](),
    "datasets/hostile/zeek_labeled_empty_marker.log": set[str](),
    "datasets/faults/two_servers/web1/access.log": {"request"},
}


def test_every_reader_has_a_row() -> None:
    assert sorted(ROWS) == format_names()


@pytest.mark.parametrize("name", ["syslog", "panos", "windows-event-xml", "squid", "box"])
def test_a_row_says_what_the_cases_fill(name: str) -> None:
    assert ROWS[name] == row_of(name), "run make readmes"


@pytest.mark.parametrize("file", REAL)
def test_a_real_file_fills_what_the_page_says(shared: Path, file: str) -> None:
    path = shared / file
    name = detect(path)[0]
    found = Filled()
    for parsed in open_format(name).read(FileSource(path, path.name), ReadOptions()):
        if len(parsed.events):
            look(parsed.events, found)
    marks, columns = ROWS[name].rsplit("| ", 1)[0], set(ROWS[name].rsplit("| ", 1)[1].strip(" |").split())
    assert found.columns <= columns
    assert REAL[file] <= found.meanings
    assert marks.count("yes") >= len(found.meanings)
