"""Records of a label file → labels in the store, each once; what cannot be one is counted and kept.

import_labels("annotations.csv", dataset="spam", project=…)  →  ImportResult

References
----------
The words that other tools use for a verdict:
SecuML, annotations (`label`: malicious or benign): https://github.com/ANSSI-FR/SecuML, docs/SecuML.Data.rst
TheHive 5, case status and 4, resolutionStatus: https://docs.strangebee.com/thehive/api-docs/
Elastic Security 9.2, `kibana.alert.workflow_reason`: https://github.com/elastic/docs-content/issues/2810
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from socml.labels.foreign import Record, read_records
from socml.labels.rows import existing_rows
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project import DataError, Project, SocmlError, open_events, replacing

NO_VERDICT = ""
"""What a value maps to that says nothing about the event: it is new, open, a duplicate, or closed without a word."""

_MEANINGS = {
    "malicious": "malicious attack attacker anomaly anomalous outlier bad malware intrusion threat true_positive tp "
    "true_positive_malicious confirmed compromised positive true yes 1 malveillant attaque",
    "benign": "benign normal legitimate good background clean expected inlier benign_positive bp benign_true_positive "
    "true_positive_benign informational_expected_activity authorized authorised negative false no 0 "
    "bénin normale légitime",
    "false_alarm": "false_alarm false_positive fp not_an_incident fausse_alerte faux_positif",
    "unsure": "unsure unknown indeterminate undetermined inconclusive suspicious maybe incertain indéterminé",
    "skip": "skip skipped",
    NO_VERDICT: "new open opened inprogress in_progress acknowledged imported updated duplicate duplicated other closed "
    "resolved deleted merged automated_closure unlabelled unlabeled none nan null n/a na ?",
}
_VERDICT_OF = {word: verdict for verdict, words in _MEANINGS.items() for word in words.split()}


def verdict_of(value: object, more: Mapping[str, str] | None = None) -> str | None:
    """Return our verdict for a foreign word, `NO_VERDICT` where it is none, and None for a word nobody knows.

    Case, blanks, dashes and camel case do not matter. `more` maps further words, and comes first.

    Examples
    --------
    >>> verdict_of("TruePositive"), verdict_of("False Positive"), verdict_of("MALICIOUS"), verdict_of("InProgress")
    ('malicious', 'false_alarm', 'malicious', '')
    >>> verdict_of("neptune") is None, verdict_of("neptune", {"neptune": "malicious"})
    (True, 'malicious')
    """
    text = str(value).strip()
    for word, verdict in (more or {}).items():
        if normal(word) == normal(text):
            return verdict
    if not text:
        return NO_VERDICT
    return _VERDICT_OF.get(normal(text), _VERDICT_OF.get(normal(text).replace("_", "")))


def normal(word: str) -> str:
    """Return a word in lower case with underscores between its parts.

    Examples
    --------
    >>> normal("TruePositive"), normal("false-positive"), normal("1.0")
    ('true_positive', 'false_positive', '1')
    """
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.strip())
    word = re.sub(r"[\s\-]+", "_", word).lower()
    return word[:-2] if re.fullmatch(r"\d+\.0", word) else word


_AT_ONCE = 500
_NAMED = 100  # characters of the file's name that what was kept of it is named after
_CARRIED = ("event_id", "run_id", "model_version", "queue_reason", "strategy", "batch_id", "seen_ms", "weight")
_NUMBERS = ("weight", "seen_ms", "inclusion_probability")


@dataclass(frozen=True)
class ImportResult:
    """What became of a label file's records.

    Attributes
    ----------
    kind : socml, secuml, table, thehive or elastic
    records, imported, known_before : records in the file, labels that are new, labels that were there already
    without_verdict : records that say nothing yet (open, new, duplicate, taken back), by their word
    unknown : records whose word no vocabulary has, by their word; map them and import again
    refused : records that are no label, by the reason
    kept : where the unknown and the refused are kept, each with its number and reason; None if there are none
    """

    kind: str
    records: int
    imported: int
    known_before: int
    without_verdict: dict[str, int]
    unknown: dict[str, int]
    refused: dict[str, int]
    kept: Path | None

    def to_dict(self) -> dict[str, object]:
        """Return it fit for JSON."""
        return {**asdict(self), "kept": str(self.kept) if self.kept else None}


def import_labels(
    path: str | Path,
    *,
    project: Project,
    store: LabelStore,
    dataset: str = "",
    kind: str = "auto",
    by: str = "import",
    rows: str = "auto",
    words: Mapping[str, str] | None = None,
    row_column: str = "",
    label_column: str = "",
) -> ImportResult:
    """Read a label file into the store. Reading it again adds nothing, nor does a copy of it under another name.

    Parameters
    ----------
    by : who, where the file does not say
    rows : what the file's row column holds: `row_id` (or an event's id), `number` (the event's place in the
        dataset's files, from 0, as SecuML's instance_id); `auto`: number for SecuML, else row_id
    words : further words and the verdict they stand for

    Raises
    ------
    DataError
        If the rows are numbers and the dataset has no such event.
    """
    path = Path(path)
    found, records = read_records(path, kind=kind, row_column=row_column, label_column=label_column)
    by_number = rows == "number" or (rows == "auto" and found == "secuml")
    resolve: Callable[[str], str] = _by_number(project, dataset) if by_number else str
    tally, undone = _Tally(), _undone(records)
    sorted_ = [(r, tally.sort(r, undone, words, lambda r: _label(r, resolve, dataset, by, words))) for r in records]
    labels = [(record, label) for record, label in sorted_ if label is not None]
    known = store.known([label.client_id for _, label in labels])
    new = _of_rows_that_exist([(r, label) for r, label in labels if label.client_id not in known], tally, project)
    acknowledged = [a for at in range(0, len(new), _AT_ONCE) for a in store.record(new[at : at + _AT_ONCE])]
    imported = sum(not a.stored_before for a in acknowledged)
    return ImportResult(
        kind=found,
        records=len(records),
        imported=imported,
        known_before=len(new) - imported + sum(label.client_id in known for _, label in labels),
        without_verdict=dict(tally.silent.most_common()),
        unknown=dict(tally.unknown.most_common()),
        refused=dict(tally.refused.most_common()),
        kept=_keep(project, path, tally.rest) if tally.rest else None,
    )


class _Tally:
    """Records that became no label, counted by why."""

    def __init__(self) -> None:
        self.silent: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.rest: list[dict[str, object]] = []

    def sort(
        self, record: Record, undone: set[str], words: Mapping[str, str] | None, make: Callable[[Record], NewLabel]
    ) -> NewLabel | None:
        """Return the record's label, or count why it has none."""
        verdict = verdict_of(record.word, words)
        if record.own.get("label_id") and str(record.own["label_id"]) in undone:
            self.silent["taken back"] += 1
        elif verdict == NO_VERDICT:
            self.silent[record.word] += 1
        elif verdict is None:
            self.unknown[record.word] += 1
            self._rest(record, f"unknown word {record.word!r}")
        elif not record.row:
            self.refuse(record, "no row")
        else:
            try:
                return make(record)
            except SocmlError as error:
                self.refuse(record, str(error))
        return None

    def refuse(self, record: Record, why: str, *, counted_as: str = "") -> None:
        """Count a record that is no label, and keep it with the reason."""
        self.refused[counted_as or why] += 1
        self._rest(record, why)

    def _rest(self, record: Record, why: str) -> None:
        self.rest.append({"record": record.number, "reason": why, "raw": dict(record.raw)})


def _of_rows_that_exist(labels: list[tuple[Record, NewLabel]], tally: _Tally, project: Project) -> list[NewLabel]:
    """Return the labels whose rows exist; the others are refused, each with its row, counted by where it was looked for."""
    rows: dict[str, set[str]] = {}
    for _, label in labels:
        rows.setdefault(label.dataset, set()).add(label.row_id)
    there = {dataset: existing_rows(project, wanted, dataset=dataset) for dataset, wanted in rows.items()}
    kept = []
    for record, label in labels:
        if label.row_id in there[label.dataset]:
            kept.append(label)
            continue
        where = f"dataset {label.dataset}" if label.dataset else "this workspace"
        why = f"there is no such row in {where}"
        tally.refuse(record, f"{why}: {label.row_id}", counted_as=why)
    return kept


def _label(
    record: Record, resolve: Callable[[str], str], dataset: str, by: str, words: Mapping[str, str] | None
) -> NewLabel:
    own = record.own
    carried: dict[str, Any] = {name: str(own[name]) for name in _CARRIED if own.get(name) not in {None, ""}}
    if own.get("inclusion_probability") not in {None, ""}:
        carried["inclusion_probability"] = own["inclusion_probability"]
    carried |= {name: _number(name, carried[name]) for name in _NUMBERS if name in carried}
    if "seen_ms" in carried:
        carried["seen_ms"] = int(carried["seen_ms"])
    fields: dict[str, Any] = {
        "row_id": resolve(record.row),
        "verdict": verdict_of(record.word, words),
        "by": record.by or by,
        "family": record.family,
        "technique": record.technique,
        "reason": record.reason,
        "note": record.note,
        "given_at": record.when,
        "dataset": str(own.get("dataset") or dataset),
        "how": "import",
        "suggested": str(own.get("suggested", "")).lower() in {"true", "1"},
        **carried,
    }
    return NewLabel(**fields, client_id=str(own.get("client_id") or _identity(fields)))


def _identity(fields: Mapping[str, object]) -> str:
    """Return an id made of what the label says, so that the same label is the same whatever file it comes in."""
    content = {n: v.isoformat() if isinstance(v, datetime) else v for n, v in fields.items()}
    return "import:" + hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def _undone(records: list[Record]) -> set[str]:
    """Return the numbers of labels that the file itself takes back, and of the records that do it."""
    undone = [str(r.own["undo_of"]) for r in records if r.own.get("undo_of")]
    return {text.removesuffix(".0") for text in undone}


def _number(name: str, given: object) -> float:
    try:
        number = float(str(given))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{name} is no number")
    return number


def _by_number(project: Project, dataset: str) -> Callable[[str], str]:
    if not dataset:
        raise DataError("The rows of this file are numbers: name the dataset they count in.")
    events = open_events(project, dataset).to_table(columns=["event_id", "source_file", "source_line"])
    ids = events.sort_by([("source_file", "ascending"), ("source_line", "ascending")])["event_id"]

    def resolve(row: str) -> str:
        number = int(float(row)) if row.replace(".", "", 1).isdigit() else -1
        if not 0 <= number < len(ids):
            raise DataError(f"there is no such event in dataset {dataset}")
        return str(ids[number].as_py())

    return resolve


def _keep(project: Project, path: Path, rest: list[dict[str, object]]) -> Path:
    kept = project.workspace / "quarantine" / "labels" / f"{path.name[:_NAMED]}.jsonl"
    lines = [json.dumps({"file": path.name, **record}, ensure_ascii=False, default=str) for record in rest]
    with replacing(kept) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
    return kept
