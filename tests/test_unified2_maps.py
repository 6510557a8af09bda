"""The maps beside a unified2 file → the names of its alerts."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from socml.formats._reader import ReadOptions
from socml.ingestion.detection import open_format
from socml.ingestion.sources import FileSource

CASES = tomllib.loads((Path(__file__).parent / "formats" / "unified2.toml").read_text(encoding="utf-8"))["case"]
VERSION_1 = "# a comment\n498 || TEST one || cve,2001-1\n999 || TEST other\n"
VERSION_2 = "#v2\n1 || 498 || 10 || bad-unknown || 2 || TEST one || url,example.com\n"


@pytest.mark.parametrize("sid_map", [VERSION_1, VERSION_2])
def test_an_alert_has_the_name_and_class_that_the_maps_beside_its_file_give(sid_map: str, tmp_path: Path) -> None:
    path = tmp_path / "snort.u2"
    path.write_bytes(b64decode(CASES[0]["base64"]))
    (tmp_path / "sid-msg.map").write_text(sid_map, encoding="utf-8")
    (tmp_path / "gen-msg.map").write_text("120 || 3 || TEST generator\n", encoding="utf-8")
    (tmp_path / "classification.config").write_text(
        "# c\nconfig classification: a,First,3\nconfig classification: b,Second one, 2\nconfig classification: c,Third,1\n",
        encoding="utf-8",
    )
    parsed = list(open_format("unified2").read(FileSource(path, path.name), ReadOptions()))
    rows = [row for part in parsed for row in part.events.to_pylist()]
    assert [row["rule_name"] for row in rows] == ["TEST one", "TEST generator"]
    assert [dict(row["extra"]).get("classification") for row in rows] == ["Third", None]  # the second has no class
    assert not [w for part in parsed for w in part.warnings]
