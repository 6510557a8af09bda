"""Formats whose records are not lines: cut anywhere they keep what came before, and damaged anywhere they do not crash."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socml.formats._reader import Parsed, ReadOptions
from socml.ingestion.detection import format_names, open_format
from socml.ingestion.sources import FileSource
from socml.project.errors import SocmlError

CASES = Path(__file__).parent / "formats"
NOT_LINES = [n for n in format_names() if not getattr(open_format(n), "one_a_line", True)]
# Records follow one another and stand alone: not so the packets of flows, the parts of a message, a document as a whole
ONE_BY_ONE = ["azure-activity", "azure-nsg-flow", "cloudtrail", "cuckoomx-tasks", "github-audit", "graylog-csv", "gsuite",
              "nessus-xml", "nfcapd", "nfdump-json", "nginx-json", "nmap-xml", "ocsf", "okta", "otx-pulse", "panther-tests",
              "patrowl", "splunk-csv", "splunk-json"]  # fmt: skip


def _contents(name: str) -> list[bytes]:
    cases = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    found: list[dict[str, Any]] = [case for case in cases if "error" not in case]
    return [b64decode(c["base64"]) if "base64" in c else c["lines"].removeprefix("\n").encode() for c in found]


def _read(name: str, path: Path, data: bytes) -> list[Parsed]:
    path.write_bytes(data)
    return list(open_format(name).read(FileSource(path, path.name), ReadOptions()))


def _raws(parsed: list[Parsed]) -> list[str]:
    return [raw for part in parsed for raw in part.events["raw"].to_pylist()]


@pytest.mark.parametrize("name", ONE_BY_ONE)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_cut_keeps_the_events_before(name: str, data: st.DataObject, tmp_path: Path) -> None:
    content = data.draw(st.sampled_from(_contents(name)))
    whole = _raws(_read(name, tmp_path / "a", content))
    cut = content[: data.draw(st.integers(1, len(content)))]
    try:
        kept = _raws(_read(name, tmp_path / "a", cut))
    except SocmlError:
        return
    assert kept[:-1] == whole[: len(kept)][:-1]


@pytest.mark.parametrize("name", NOT_LINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_damaged_anywhere_is_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(data.draw(st.sampled_from(_contents(name))))
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    try:
        parsed = _read(name, tmp_path / "a", bytes(content))
    except SocmlError:
        return
    for part in parsed:
        assert len(part.records) == len(part.events)
        assert part.events.column_names == [] or part.events["raw"].null_count == 0
