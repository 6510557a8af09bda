"""Cases as data: a raw line becomes this event. One file a format, in tests/formats."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socml.formats._reader import LITTLE, Parsed, ReadOptions
from socml.ingestion.detection import format_names, open_format
from socml.ingestion.sources import FileSource
from socml.project.errors import SocmlError
from socml.project.recipe_sections import Truth
from socml.project.recipes import TableShape
from socml.project.sanitize import visible
from socml.project.tables import EVENT

CASES = Path(__file__).parent / "formats"
FORMATS = format_names()
COMPILED = ("access-log", "suricata-eve", "syslog", "zeek-json", "zeek-tsv")  # read line by line, or by kernels


def _cases() -> list[Any]:
    return [
        pytest.param(
            path.stem, case, select_from, id=f"{path.stem}: {case['name']}{'' if select_from else ', compiled'}"
        )
        for path in sorted(CASES.glob("*.toml"))
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
        for select_from in ((LITTLE, 0) if path.stem in COMPILED else (LITTLE,))
    ]


def read_all(name: str, path: Path, options: ReadOptions | None = None) -> list[Parsed]:
    """Return all that a format makes of a file, what the source itself rejected included."""
    source = FileSource(path, path.name)
    parsed = list(open_format(name).read(source, options or ReadOptions()))
    if source.rejects:
        parsed[-1].rejects += source.rejects
    return parsed


def _content(case: dict[str, Any]) -> bytes:
    """A case's input: its lines, or base64 of a binary file."""
    if "base64" in case:
        return b64decode(case["base64"])
    return bytes(case["lines"].removeprefix("\n").encode())


def _example(name: str) -> bytes:
    """Return a format's examples as a file."""
    examples = open_format(name).examples
    return b"".join(e if isinstance(e, bytes) else f"{e}\n".encode() for e in examples)


def _rows(parsed: list[Parsed]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for part in parsed:
        truth = part.truth.to_pylist() if part.truth is not None else [{}] * len(part.events)
        rows += [{**event, **said} for event, said in zip(part.events.to_pylist(), truth, strict=True)]
    return sorted(rows, key=lambda row: row["source_line"])


def _seen(row: dict[str, Any], name: str) -> Any:
    value = row.get(name)
    if name == "time" and value is not None:
        return value.isoformat()
    if name == "extra":
        return dict(value or [])
    return "" if value is None else value


@pytest.mark.parametrize(("name", "case", "select_from"), _cases())
def test_a_raw_line_becomes_this_event(name: str, case: dict[str, Any], select_from: int, tmp_path: Path) -> None:
    path = tmp_path / case.get("file", "input.log")
    path.write_bytes(_content(case))
    options = ReadOptions(
        **case.get("options", {}),
        table=TableShape(**case["table"]) if "table" in case else None,
        truth=Truth(**case["truth"]) if "truth" in case else None,
        select_from=select_from,
    )
    if "error" in case:
        with pytest.raises(SocmlError, match=case["error"].replace("?", r"\?")):
            read_all(name, path, options)
        return
    parsed = read_all(name, path, options)
    rows = _rows(parsed)
    assert len(rows) == len(case.get("events", [])), [row["raw"] for row in rows]
    for row, expected in zip(rows, case.get("events", []), strict=True):
        seen = {field: _seen(row, field) for field in expected}
        if expected.get("extra"):
            seen["extra"] = {k: v for k, v in seen["extra"].items() if k in expected["extra"]}
        assert seen == expected
    rejects = sorted((r for p in parsed for r in p.rejects), key=lambda r: r.line)
    assert [f"{r.line}: {r.reason}" for r in rejects] == case.get("rejects", [])
    skips: dict[str, int] = {}
    for part in parsed:
        for reason, count in part.skips.items():
            skips[reason] = skips.get(reason, 0) + count
    assert skips == case.get("skips", {})
    if "warnings" in case:
        assert [w for p in parsed for w in p.warnings] == case["warnings"]


def test_every_format_has_cases_and_every_case_file_a_format() -> None:
    assert sorted(p.stem for p in CASES.glob("*.toml")) == FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_knows_its_own_example_better_than_any_other(name: str) -> None:
    head = _example(name)
    sure = {other: open_format(other).sniff(head, "input.log") for other in FORMATS}
    assert max(sure, key=lambda n: sure[n]) == name, sure
    assert sure[name] >= 0.5


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_fills_only_columns_of_the_contract_with_their_types(name: str, tmp_path: Path) -> None:
    path = tmp_path / "input.log"
    path.write_bytes(_example(name))
    for parsed in read_all(name, path):
        assert len(parsed.records) == len(parsed.events)
        for field in parsed.events.schema:
            if field.name in EVENT:
                assert field.type == EVENT[field.name].type, field.name
            else:
                assert name == "table", field.name


def _all_lines(name: str) -> bytes:
    cases = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    return b"".join(_content(c) for c in cases if "error" not in c and "array" not in c["name"])


@pytest.mark.parametrize("name", [n for n in FORMATS if getattr(open_format(n), "one_a_line", True)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_cut_or_damaged_anywhere_loses_no_line(name: str, data: st.DataObject, tmp_path: Path) -> None:
    whole = bytearray(_all_lines(name))
    for position in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=5)):
        whole[position] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    path = tmp_path / "cut.log"
    path.write_bytes(cut)
    lines = cut.count(b"\n") + (not cut.endswith(b"\n"))
    try:
        parsed = read_all(name, path)
    except SocmlError:
        return  # the file as a whole is refused, which loses nothing
    if cut.lstrip().startswith(b"[") and name != "syslog":
        return  # a JSON array, whose records are not its lines
    assert sum(p.count for p in parsed) == lines


def test_a_name_with_terminal_escapes_survives_in_raw_and_is_shown_inert(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(b"Nov 30 06:39:00 h sshd[1]: Invalid user \x1b]0;pwned\x07\x1b[31mroot\x1b[0m from 10.0.0.1\n")
    row = _rows(read_all("syslog", path))[0]
    assert row["user_name"] == "\x1b]0;pwned\x07\x1b[31mroot\x1b[0m"
    assert "\x1b" in row["raw"]
    assert visible(row["user_name"]) == "␛]0;pwned␇␛[31mroot␛[0m"


def test_bytes_that_are_not_utf8_are_written_out_and_the_record_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    lines = [b"Nov 30 06:39:00 h sshd[1]: Invalid user caf%b from 10.0.0.1" % end for end in (b"\xe9", b"\xfe\x90")]
    path.write_bytes(b"\n".join(lines) + b"\n")
    parsed = read_all("syslog", path)[0]
    assert parsed.records == lines
    assert parsed.events["user_name"].to_pylist() == ["café", "caf\\xfe\\x90"]  # a letter of a word, and no text
    assert [raw.split()[7] for raw in parsed.events["raw"].to_pylist()] == ["caf\\xe9", "caf\\xfe\\x90"]
