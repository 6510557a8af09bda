"""A file of labels from this or another tool → its records: which row, the tool's word, who, when and why.

our own exports       CSV, Parquet or JSON lines with row_id, verdict, by, client_id
SecuML                CSV with instance_id, label, family
any table             CSV, Parquet or JSON lines with a column for the row and one for the label
TheHive               cases or alerts as JSON: status or resolutionStatus; the row from sourceRef or a tag
Elastic               alerts as JSON or NDJSON (also a `_search` answer): kibana.alert.workflow_reason or status
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from socml.project import DataError, FormatError, UnknownName, from_spreadsheet, rows_by_hand, text_by_hand

KINDS = ("socml", "secuml", "table", "thehive", "elastic")
ROW_COLUMNS = ("row_id", "event_id", "instance_id", "id", "uid")
LABEL_COLUMNS = ("verdict", "label", "annotation", "class", "disposition", "resolution", "is_malicious", "malicious")
DEEPEST = 50  # levels of a record that is read; what the known tools write has five
_ALIASES = {
    "family": ("family", "attack_cat", "category", "attack_type"),
    "by": ("by", "analyst", "annotator", "user", "author"),
    "when": ("given_at", "time", "timestamp", "date", "annotated_at"),
    "reason": ("reason",),
    "note": ("note", "comment"),
    "technique": ("technique",),
}
_TECHNIQUE = re.compile(r"\bT[0-9]{4}(?:\.[0-9]{3})?\b")
_THEHIVE_STATUS = ("resolutionStatus", "extendedStatus", "status")
_ELASTIC_ROW = ("socml.row_id", "kibana.alert.original_event.id", "event.id", "_id")
_ELASTIC_WORD = ("kibana.alert.workflow_reason", "kibana.alert.workflow_status", "signal.status", "status")


@dataclass(frozen=True)
class Record:
    """One label as the file has it. `number` counts records from 1; `own` has our columns, of our own exports."""

    number: int
    row: str
    word: str
    family: str = ""
    by: str = ""
    when: datetime | None = None
    reason: str = ""
    note: str = ""
    technique: str = ""
    own: Mapping[str, object] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)


def read_records(
    path: Path, *, kind: str = "auto", row_column: str = "", label_column: str = ""
) -> tuple[str, list[Record]]:
    """Return which kind of file it is, and its records.

    Raises
    ------
    UnknownName
        For a kind or a column that does not exist.
    FormatError
        If the file cannot be read as what it is.
    """
    if kind != "auto" and kind not in KINDS:
        raise UnknownName("kind of label file", kind, KINDS)
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    rows = list(_rows(path))
    found = _kind(rows) if kind == "auto" else kind
    if found == "thehive":
        return found, [_thehive(n, row) for n, row in enumerate(rows, 1)]
    if found == "elastic":
        return found, [_elastic(n, row) for n, row in enumerate(rows, 1)]
    columns = list(
        dict.fromkeys(name for row in rows[:1000] for name in row if name is not None)
    )  # None: cells too many
    row_name = _column(row_column, ROW_COLUMNS, columns, "row", path) if rows else ""
    label_name = _column(label_column, LABEL_COLUMNS, columns, "label", path) if rows else ""
    return found, [_table(n, row, row_name, label_name, found == "socml") for n, row in enumerate(rows, 1)]


def _rows(path: Path) -> Iterator[dict[str, object]]:
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            yield from pq.read_table(path).to_pylist()
        elif path.suffix in {".json", ".jsonl", ".ndjson"}:
            yield from _json(text_by_hand(path))
        else:
            yield from rows_by_hand(path)
    except RecursionError as error:
        raise FormatError(f"{path} is nested too deeply to be labels. Flatten it first.") from error
    except (ValueError, csv.Error) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise FormatError(f"{path} cannot be read: {error}") from error  # what Arrow says of a damaged file


def _json(text: str) -> Iterator[dict[str, object]]:
    try:
        read = json.loads(text)
    except ValueError:
        read = [json.loads(line) for line in text.split("\n") if line.strip()]  # a note may hold U+2028
    hits = read.get("hits") if isinstance(read, dict) else None
    if isinstance(hits, dict):
        read = hits.get("hits", [])
    for item in read if isinstance(read, list) else [read]:
        if _is_deeper(item, DEEPEST):
            raise ValueError(f"a record is nested more than {DEEPEST} levels deep. Flatten it first")
        if not isinstance(item, dict):
            raise ValueError(f"a record is {type(item).__name__}, not an object")
        source = item.get("_source")
        yield {**source, "_id": item.get("_id", "")} if isinstance(source, dict) else item


def _is_deeper(value: object, levels: int) -> bool:
    """Say whether lists and objects lie in each other more than `levels` deep; without recursion, whatever it is."""
    inside = [value]
    for _ in range(levels + 1):
        inside = [
            inner
            for one in inside
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not inside:
            return False
    return True


def _kind(rows: Sequence[Mapping[str, object]]) -> str:
    names = {name for row in rows[:50] for name in _flat(row)}
    if {"row_id", "verdict", "by", "client_id"} <= names:
        return "socml"
    if any(name.startswith(("kibana.alert.", "signal.")) for name in names):
        return "elastic"
    if names & {"sourceRef", "resolutionStatus", "caseTemplate", "extendedStatus"} and "pap" in names:
        return "thehive"
    return "secuml" if {"instance_id", "label"} <= names else "table"


def _column(wanted: str, usual: Sequence[str], columns: Sequence[str], what: str, path: Path) -> str:
    if wanted:
        if wanted not in columns:
            raise UnknownName(f"column in {path.name}", wanted, columns)
        return wanted
    lower = {name.lower().strip(): name for name in columns}
    for name in usual:
        if name in lower:
            return lower[name]
    raise DataError(f"{path.name} has no column for the {what}: name one of {', '.join(map(repr, columns[:20]))}.")


def _table(number: int, row: Mapping[str, object], row_name: str, label_name: str, is_own: bool) -> Record:
    lower = {str(name).lower().strip(): value for name, value in row.items() if name is not None}
    columns = {
        ours: next((_text(lower[n]) for n in names if _text(lower.get(n))), "") for ours, names in _ALIASES.items()
    }
    when = columns.pop("when")
    return Record(
        number,
        _text(row.get(row_name)),
        _text(row.get(label_name)),
        **columns,
        when=_moment(when),
        own={name: value for name, value in lower.items() if _text(value)} if is_own else {},
        raw=row,
    )


def _thehive(number: int, row: Mapping[str, object]) -> Record:
    flat = _flat(row)
    given = row.get("tags")
    tags = [str(tag) for tag in given] if isinstance(given, list) else []
    tagged = [tag.split(":", 1)[1] for tag in tags if tag.startswith("socml:")]
    family = [tag.split(":", 1)[1] for tag in tags if tag.startswith("family:")]
    reference = str(row.get("sourceRef") or "").rsplit(":", 1)[-1]
    who = next((str(row[name]) for name in ("assignee", "owner", "_updatedBy", "updatedBy") if row.get(name)), "")
    technique = _TECHNIQUE.search(" ".join(tags))
    return Record(
        number,
        tagged[0] if tagged else reference,
        next((str(row[name]) for name in _THEHIVE_STATUS if row.get(name)), ""),
        family[0] if family else "",
        who,
        _moment(next((flat[n] for n in ("endDate", "_updatedAt", "updatedAt", "date") if flat.get(n)), None)),
        note=str(row.get("summary") or row.get("title") or "")[:2000],
        technique=technique.group() if technique else "",
        raw=row,
    )


def _elastic(number: int, row: Mapping[str, object]) -> Record:
    flat = _flat(row)

    def first(*names: str) -> str:
        return next((_text(flat[name]) for name in names if _text(flat.get(name))), "")

    technique = _TECHNIQUE.search(str({name: value for name, value in flat.items() if "technique" in name}))
    return Record(
        number,
        first(*_ELASTIC_ROW),
        first(*_ELASTIC_WORD),
        "",
        first("kibana.alert.workflow_user", "kibana.alert.workflow_assignee_ids"),
        _moment(first("kibana.alert.workflow_status_updated_at", "@timestamp")),
        note=first("kibana.alert.rule.name", "signal.rule.name"),
        technique=technique.group() if technique else "",
        raw=row,
    )


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124  NaN is not itself
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return from_spreadsheet(str(value).strip())  # what our CSV did to be inert


def _moment(value: object) -> datetime | None:
    """Return a moment from ISO 8601 or from seconds or milliseconds since 1970; None if it is neither."""
    text = _text(value)
    try:
        if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        if re.fullmatch(r"\d{12,14}", text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
