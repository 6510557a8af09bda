"""Lines of text as a map: a pattern with named groups is a reader, and what is wrong with it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats import MapReader, ReadOptions, load_map
from socml.formats._maps import FormatMap
from socml.ingestion.format_maps import map_paths
from socml.ingestion.sources import FileSource
from socml.project import RecipeError
from tests.regex_runs import runs_away

MAP = """
about = "a door"
specification = "https://example.org"
kind = "text"
pattern = '''(?P<at>[^ ]{1,40}) door (?P<door>[0-9]{1,4}) (?P<word>opened|refused) (?P<who>[^ ]{1,64}) (?P<from>[^ ]{1,64})'''

[columns]
time = "at"
user_name = "who"
source_ip = "from"
event_action = "word"

[words.event_outcome]
refused = "failure"

[fixed]
event_category = "authentication"
"""


def _map(folder: Path, text: str) -> FormatMap:
    path = folder / "door.toml"
    path.write_text(text, encoding="utf-8")
    return load_map(path)


def test_a_pattern_is_a_reader(tmp_path: Path) -> None:
    reader = MapReader(_map(tmp_path, MAP))
    path = tmp_path / "door.log"
    path.write_text("2026-03-02T10:00:00Z door 7 refused bob 192.0.2.1:4022\n# x\nno door\n", encoding="utf-8")
    assert reader.sniff(path.read_bytes(), path.name) == pytest.approx(0.48)
    parsed = list(reader.read(FileSource(path, path.name), ReadOptions()))
    row = parsed[0].events.to_pylist()[0]
    assert (row["user_name"], row["source_ip"], row["source_port"], row["event_action"]) == (
        "bob",
        "192.0.2.1",
        4022,
        "refused",
    )
    assert dict(row["extra"])["door"] == "7"
    assert [(r.line, r.reason) for r in parsed[0].rejects] == [(3, "not a line of door: its pattern does not match")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAP.replace("(?P<at>", "(?P<at"), "`pattern` is no regular expression"),
        ('kind = "text"\nhas = ["a"]\n', "`pattern` tells it"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=said):
        _map(tmp_path, text)


@pytest.mark.parametrize(
    "name", [name for name, path in map_paths().items() if 'kind = "text"' in path.read_text(encoding="utf-8")]
)
def test_patterns_of_shipped_maps_take_linear_time(name: str) -> None:
    pattern = load_map(map_paths()[name]).pattern
    assert pattern is not None
    assert runs_away(pattern, is_search=False, is_line=True) == ""
