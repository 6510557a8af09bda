"""A file of features in a SecuML project → what the project says of its rows: idents, times and annotations.

A project holds `idents.csv` (`user_instance_id` or `instance_id`, `ident`, and perhaps `timestamp`), `features/*.csv`, whose
first column is `instance_id`, and `annotations/*.csv` (`instance_id`, `label` malicious or benign, and perhaps `family`).
The features are a table; the annotations, of `ground_truth.csv` or of the only file, are its ground truth. Ingest the
folder `features`: the other files are found from there.

References
----------
https://anssi-fr.github.io/SecuML/SecuML.Data.html
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from socml.formats._reader import Parsed, truth_table
from socml.formats._times import iso, microseconds
from socml.project import EXTRA, TIME

__all__ = ["SecumlProject", "secuml_project"]

_ID = ("instance_id", "user_instance_id")
_TRUE = {"malicious": True, "1": True, "true": True, "benign": False, "0": False, "false": False}


@dataclass(frozen=True)
class SecumlProject:
    """What a project's other files say, by the instance's id as text."""

    idents: dict[str, dict[str, str]]
    annotations: dict[str, dict[str, str]]

    def joined(self, parsed: Parsed) -> Parsed:
        """Return rows of the features with their ident (in `extra`), time and truth; the id is no column any more."""
        name = next((n for n in _ID if n in parsed.events.column_names), None)
        if name is None or not len(parsed.events):
            return parsed
        ids = [_text(value) for value in parsed.events[name].to_pylist()]
        events = parsed.events.drop_columns([name])
        more = [[("instance_id", i), ("ident", self.idents.get(i, {}).get("ident"))] for i in ids]
        pairs = [[(key, text) for key, text in row if text is not None] for row in more]
        events = events.append_column("extra", pa.array(pairs, EXTRA))
        times = [self._time(i) for i in ids]
        if "time" not in events.column_names and any(time is not None for time in times):
            events = events.append_column("time", pa.array(times, pa.int64()).view(TIME))
        if not self.annotations:
            return replace(parsed, events=events)
        annotations = [self.annotations.get(i, {}) for i in ids]
        malicious = [_TRUE.get(one.get("label", "").strip().lower()) for one in annotations]
        truth = truth_table(malicious, [one.get("family") or None for one in annotations])
        return replace(parsed, events=events, truth=truth, time_is_certain="time" not in events.column_names)

    def _time(self, name: str) -> int | None:
        text = self.idents.get(name, {}).get("timestamp")
        try:
            return microseconds(iso(text)) if text else None
        except ValueError:
            return None


def secuml_project(path: Path) -> SecumlProject | None:
    """Return the project that a file of features belongs to; None if it lies in none."""
    folder = path.parent.parent
    idents = folder / "idents.csv"
    if path.parent.name != "features" or not idents.is_file():
        return None
    files = sorted((folder / "annotations").glob("*.csv"))
    chosen = next((f for f in files if f.stem == "ground_truth"), files[0] if len(files) == 1 else None)
    return SecumlProject(_by_id(idents), _by_id(chosen) if chosen else {})


def _text(value: object) -> str:
    """Return an id as the other files write it: a table of numbers has 1.0 for 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _by_id(path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        for row in csv.DictReader(file):
            kept: dict[str, str] = {
                name: text for name, text in row.items() if name in ("ident", "timestamp", "label", "family")
            }
            name = next((row[n] for n in _ID if row.get(n)), None)
            if name is not None:
                found[name] = kept
    return found
