"""A few mutated records for every reader; `make fuzz` makes many."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.fuzz import fuzz, seeds_of
from socml.formats._reader import Parsed, ReadOptions
from socml.ingestion.detection import format_names, open_format
from socml.ingestion.sources import FileSource
from socml.project.errors import FormatError


def last_example(name: str) -> str:
    """Return a format's last example line; of binary formats nothing."""
    example = open_format(name).examples[-1]
    return example if isinstance(example, str) else ""


OF_OBJECTS = [
    name for name in format_names() if last_example(name).startswith("{") and last_example(name).endswith("}")
]
ONE_DOCUMENT = {"cuckoo-report"}
TAKES_WHAT_IT_KNOWS = {"azure-nsg-flow", "log-streams", "patrowl", "tshark-ek"}


@pytest.mark.parametrize("name", format_names())
def test_mutated_records_break_no_reader(name: str) -> None:
    by_lines = len(max(seeds_of(name), key=len)) < 20_000
    said = fuzz(name, records=40 if by_lines else 10, seed=1)
    assert "broken" not in said, said


@pytest.mark.parametrize("name", OF_OBJECTS)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"x":', "}")])
def test_a_record_nested_a_thousand_levels_deep_is_refused_alone(
    name: str, opening: str, closing: str, tmp_path: Path
) -> None:
    example = last_example(name)
    path = tmp_path / "x.json"
    deep = f'{example[:-1]},"deep":{opening * 990}1{closing * 990}}}'
    path.write_text(f"{deep}\n{example}\n", encoding="utf-8")
    open_format(name).sniff(path.read_bytes(), path.name)
    if name in ONE_DOCUMENT:
        with pytest.raises(FormatError):
            read(name, path)
        return
    parts = read(name, path)
    assert sum(part.count for part in parts) >= 2
    assert sum(len(part.events) for part in parts) >= 1
    refused = [reject.reason for part in parts for reject in part.rejects]
    assert refused or name in TAKES_WHAT_IT_KNOWS
    assert all("nested" in reason for reason in refused), refused


def read(name: str, path: Path) -> list[Parsed]:
    """Return what a reader makes of a file."""
    return list(open_format(name).read(FileSource(path, path.name), ReadOptions(year=2026)))


@pytest.mark.parametrize("text", ['"a,1\nb"x"\nc",2\n3,4\n', 'x,"a\nb"c"d\ne"\n1,2\n3,4\n'])
def test_a_quote_that_closes_within_a_value_of_the_first_line_is_told_of(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match="a quote of the first line is closed within a value"):
        read("table", path)


NOTHING = [
    b"\n",
    b"\n\n\n",
    b"\r\n\r\n",
    b" \n",
    b"\t",
    b"\0\n",
    b"\0\0\0\0",
    b"\xef\xbb\xbf",
    b"\xef\xbb\xbf\n",
    b"\xff\xfe",
]


@pytest.mark.parametrize("name", format_names())
def test_a_file_of_blanks_alone_has_no_event_and_breaks_no_reader(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for data in NOTHING:
        path.write_bytes(data)
        try:
            parts = read(name, path)
        except FormatError:
            continue  # what has a beginning that must be there
        assert sum(len(part.events) for part in parts) == 0, data


@pytest.mark.parametrize("opening", ["[", '[[[[[["a",', '{"rows":[[', '{"columns":[["a"],["b"]],"rows":', '[{"a":'])
def test_brackets_without_end_break_no_reader_of_json(opening: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(opening * 400, encoding="utf-8")
    for name in OF_OBJECTS:
        open_format(name).sniff(path.read_bytes(), path.name)
        with suppress(FormatError):
            assert sum(len(part.events) for part in read(name, path)) == 0
