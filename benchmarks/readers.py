"""Cases of every reader → docs/reference/readers.md: which meanings and columns each fills. Run `make readmes` after a change.

A reader fills what any event of its cases (`tests/formats/NAME.toml`) or of its examples fills; a test holds real files
against the page.
"""

from __future__ import annotations

import tomllib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from socml.features.meanings import meanings_sql
from socml.formats import ReadOptions
from socml.ingestion import format_names
from socml.ingestion.detection import open_format
from socml.ingestion.sources import FileSource
from socml.project import EVENT, ScratchFolder, SocmlError, TableShape, Truth, schema

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "readers.md"
BOOKKEEPING = {"event_id", "dataset", "raw", "source_file", "source_line", "extra", "class_uid", "event_category"}
MEANINGS = {
    "flow": "kind = 'flow'",
    "answered": "answered",
    "failed": "failed",
    "logon": "logon = 'success'",
    "failed logon": "logon = 'failure' or unknown_account",
    "privilege": "kind = 'privilege'",
    "process": "kind = 'process'",
    "file": "kind = 'file'",
    "alert": "kind = 'alert'",
    "lookup": "kind = 'lookup'",
    "request": "kind = 'request'",
}
"""What the daily list counts (`socml/features/meanings.py`), as a condition on its table."""
_SCHEMA = schema(EVENT)


@dataclass
class Filled:
    """What a reader fills."""

    columns: set[str] = field(default_factory=set)
    meanings: set[str] = field(default_factory=set)


def filled_by(name: str) -> Filled:
    """Return what the cases and examples of a reader fill."""
    found = Filled()
    for events in _events_of(name):
        look(events, found)
    return found


def look(events: pa.Table, found: Filled) -> None:
    """Add what a table of events fills."""
    known = [c for c in events.column_names if c in EVENT and events[c].null_count < len(events)]
    found.columns |= {c for c in known if c not in BOOKKEEPING}
    arrays = [
        events[c].cast(_SCHEMA.field(c).type) if c in known else pa.nulls(len(events), _SCHEMA.field(c).type)
        for c in _SCHEMA.names
    ]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("stored_events", pa.table(arrays, names=_SCHEMA.names))
        filled = connection.execute(
            f"select {', '.join(f'coalesce(bool_or({test}), false)' for test in MEANINGS.values())} "  # our own
            f"from ({meanings_sql('1970-01-01', '2101-01-01')})"
        ).fetchone()
    found.meanings |= {meaning for meaning, holds in zip(MEANINGS, filled or (), strict=True) if holds}


def _events_of(name: str) -> Iterator[pa.Table]:
    with ScratchFolder("readers") as folder:
        for number, case in enumerate(_cases(name)):
            path = Path(folder) / str(number) / str(case.get("file", "input.log"))
            path.parent.mkdir()
            path.write_bytes(_content(case))
            options = ReadOptions(
                **case.get("options", {}),
                table=TableShape(**case["table"]) if "table" in case else None,
                truth=Truth(**case["truth"]) if "truth" in case else None,
            )
            try:
                for parsed in open_format(name).read(FileSource(path, path.name), options):
                    if len(parsed.events):
                        yield parsed.events
            except SocmlError:  # a case of a file that is refused
                continue


def _cases(name: str) -> list[dict[str, Any]]:
    path = ROOT / "tests" / "formats" / f"{name}.toml"
    cases: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["case"] if path.is_file() else []
    examples = open_format(name).examples
    if not any(isinstance(example, bytes) for example in examples):
        cases.append({"lines": "".join(f"{example!s}\n" for example in examples)})
    return cases


def _content(case: dict[str, Any]) -> bytes:
    return b64decode(case["base64"]) if "base64" in case else str(case["lines"]).removeprefix("\n").encode()


def row_of(name: str) -> str:
    """Return a reader's row of the page."""
    found = filled_by(name)
    marks = " | ".join("yes" if meaning in found.meanings else "" for meaning in MEANINGS)
    columns = " ".join(column for column in EVENT if column in found.columns)
    return f"| `{name}` | {marks} | {columns} |"


def page() -> str:
    """Return the page."""
    lines = [
        "# What each reader fills",
        "",
        "One meaning across tools: a failed connection of Zeek, Suricata, Argus or NetFlow is the same to a feature set, and so is a "
        "failed logon of sshd, Windows, Okta or a VPN. For each reader, which of these meanings its events have, and which columns "
        "they fill; the rest of a record is in `extra`. Readers that go by common names (`any-json`, `key-values`, `table`, "
        "`text-lines`) fill what a file's own names tell.",
        "",
        "Made from the readers' declared cases by `make readmes`; real files are held against it by the tests. The severity of alerts is "
        "0 to 100 everywhere, higher is worse.",
        "",
        f"| reader | {' | '.join(MEANINGS)} | columns |",
        "|---" * (len(MEANINGS) + 2) + "|",
    ]
    return "\n".join([*lines, *map(row_of, format_names())]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
