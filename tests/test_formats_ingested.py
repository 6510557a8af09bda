"""Every format's cases through `ingest` itself, which counts: as they are, and as documents on one line."""

from __future__ import annotations

import json
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from socml.formats._reader import ReadOptions
from socml.ingestion.detection import open_format
from socml.ingestion.ingestion import ingest
from socml.ingestion.sources import FileSource
from socml.project.errors import DataError
from socml.project.project import Project
from socml.project.registry import component_names

CASES = Path(__file__).parent / "formats"
FORMATS = [name for name in component_names("formats") if name != "table"]  # it needs a recipe: see test_datasets


def contents(name: str) -> list[bytes]:
    cases = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    cases = [case for case in cases if "error" not in case]
    written = [b64decode(c["base64"]) if "base64" in c else c["lines"].removeprefix("\n").encode() for c in cases]
    return written + [line for content in written if (line := on_one_line(content)) not in (None, content)]


def on_one_line(content: bytes) -> bytes | None:
    try:
        return json.dumps(json.loads(content), separators=(",", ":")).encode() + b"\n"
    except ValueError:
        return None


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_reads_is_what_ingest_accounts_for(name: str, tmp_path: Path) -> None:
    tried = contents(name)
    assert tried
    for number, content in enumerate(tried):
        path = tmp_path / f"{number}.log"
        path.write_bytes(content)
        project = Project(root=tmp_path, workspace=tmp_path / f"workspace-{number}")
        source = FileSource(path, path.name)
        parsed = list(open_format(name).read(source, ReadOptions()))
        rejects = sum(len(part.rejects) for part in parsed) + len(source.rejects)
        try:
            result = ingest([path], dataset="cases", format=name, project=project, max_bad_share=1.0, final=True)
        except DataError:
            result = None
        events, skips = sum(len(part.events) for part in parsed), sum(sum(part.skips.values()) for part in parsed)
        if result is None:
            assert events == 0, content[:500]
            continue
        assert [(f.events, f.quarantined, f.skipped) for f in result.per_file] == [(events, rejects, skips)], content[
            :500
        ]
