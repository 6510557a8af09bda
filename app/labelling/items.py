"""Rows of a run → what the component shows of each at once: whom, when, headline, and why, feature by feature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelling.background import Answer, background
from labelling.evidence import time_text
from socml.explanations import (
    ExplanationRow,
    error_in_words,
    explain_rows,
    feature_label,
    headline_of,
    number_in_words,
    percentile_in_words,
    prepare_explanations,
    run_metadata,
    unit_of,
    value_in_words,
)
from socml.labels import LabelEvent
from socml.project import Project, Words, run_folder, visible_line
from socml.review import Triage

ORDINARY = "most-anomalous"  # the reason of nearly every row says nothing
FIRST, AT_ONCE = 4, 25  # rows explained together: few of those that are looked at next
_FEATURES = 7


class Items:
    """The rows of one run in words. Rows that are not explained yet are told as such, and again once they are."""

    def __init__(self, project: Project, triage: Triage) -> None:
        self._project = project
        self._triage = triage
        self._run_id = str(triage.run["run_id"])
        self._metadata = run_metadata(triage.run, project)
        self._background = background("explanations")
        stored = run_folder(project, self._run_id) / "explanations.parquet"
        self._told: dict[tuple[str, str], dict[str, Any]] = {}
        self._started: set[str] = set()
        self._stored = pq.read_table(stored) if stored.is_file() else None  # when the page was opened
        self._explained: dict[str, list[ExplanationRow]] = {}

    def of(self, row_ids: Sequence[str], reasons: Mapping[str, str], say: Words) -> dict[str, dict[str, Any]]:
        """Return the items of `row_ids`; `reasons` says why a row is in the queue."""
        known = self._triage.about(row_ids)
        self._explain([row_id for row_id in known.index if row_id not in self._explained])
        rows = known.reset_index().to_dict("records")
        return {row["row_id"]: self._item(row, reasons.get(row["row_id"], ""), say) for row in rows}

    def prepare(self) -> None:
        """Read ahead what the explanation of any row needs."""
        self._background.start(
            [("ready", str(self._project.workspace), self._run_id)],
            partial(prepare_explanations, self._run_id, project=self._project),
        )

    def _item(self, row: Mapping[Any, Any], reason: str, say: Words) -> dict[str, Any]:
        return {
            "entity": visible_line(row["entity"] if isinstance(row["entity"], str) else "—"),
            "time": time_text(row["time"], say),
            "percentile": percentile_in_words(float(row["percentile"]), say),
            "rank": say.number(int(row["rank"])),
            "reason": _reason(reason, say),
            **self._words(str(row["row_id"]), say),
        }

    def _words(self, row_id: str, say: Words) -> dict[str, Any]:
        key = (row_id, say.language)
        if key in self._told:
            return self._told[key]
        rows = self._explained.get(row_id)
        if rows is None:
            answer = self._asked(row_id)
            if answer.pending:
                return {"headline": say("app.triage.explaining"), "why": [], "pending": True}
            if answer.value is None:
                return {"headline": say("explanation.not_explained"), "why": []}
            rows = self._explained[row_id] = answer.value[row_id]
        sentence = headline_of(rows, features_metadata=self._metadata, language=say.language)
        why = [self._line(row, say) for row in rows[:_FEATURES] if row["share"]]
        estimated = say("app.triage.why.estimated") if any(line["error_text"] for line in why) else ""
        self._told[key] = {"headline": sentence, "why": why, "estimated": estimated}
        return self._told[key]

    def _explain(self, row_ids: list[str]) -> None:
        new = [row_id for row_id in row_ids if row_id not in self._started]
        self._started.update(new)
        if self._stored is not None and new:
            self._explained |= _by_row(self._stored.filter(pc.field("row_id").isin(new)))
        new = [row_id for row_id in new if row_id not in self._explained]
        first = 0 if self._explained else FIRST  # when a page is opened
        for some in (new[:first], *(new[at : at + AT_ONCE] for at in range(first, len(new), AT_ONCE))):
            questions = [self._question(row_id) for row_id in some]
            self._background.start(questions, partial(self._read, some))

    def _asked(self, row_id: str) -> Answer:
        return self._background.ask(self._question(row_id), partial(self._read, [row_id]))

    def _read(self, row_ids: Sequence[str]) -> dict[str, list[ExplanationRow]]:
        explained = explain_rows(self._run_id, row_ids, project=self._project)
        return _by_row(pa.Table.from_pandas(explained, preserve_index=False))

    def _question(self, row_id: str) -> tuple[str, str, str, str]:
        return ("explain", str(self._project.workspace), self._run_id, row_id)

    def _line(self, row: ExplanationRow, say: Words) -> dict[str, Any]:
        feature = str(row["feature"])
        unit = unit_of(feature, self._metadata)
        share = float(row["share"])
        shown = say.number(100 * share, 0 if abs(share) >= 0.01 else 1)
        return {
            "label": feature_label(feature, self._metadata, say.language),
            "value": value_in_words(feature, row["value"], row["category"], self._metadata, say),
            "usual_entity": _span(row["entity_low"], row["entity_high"], unit, say),
            "usual_everyone": _span(row["everyone_low"], row["everyone_high"], unit, say),
            "place": f"{percentile_in_words(row['value_percentile'], say)} %" if _is(row["value_percentile"]) else "—",
            "peers": _peers(row["peers"], say),
            "share": share,
            "share_text": f"{shown.replace('-', '−')} %",
            "error_text": error_in_words(row, say),
        }


def _by_row(explained: pa.Table) -> dict[str, list[ExplanationRow]]:
    """Return the explanation of each row as plain records, the feature that pushes most first."""
    found: dict[str, list[ExplanationRow]] = {}
    for at, name in enumerate(explained.column_names):
        if pa.types.is_floating(explained.schema.field(at).type):
            explained = explained.set_column(at, name, explained[name].fill_null(math.nan))
    for record in explained.sort_by("position").to_pylist():
        found.setdefault(record["row_id"], []).append(cast("ExplanationRow", record))
    return found


def label_line(label: LabelEvent, say: Words) -> dict[str, str]:
    """Return one label as a line: the verdict's code, and who, when and why in words."""
    named = [("app.reason", label.reason), ("app.family", label.family)]
    more = [say(f"{kind}.{code}") if f"{kind}.{code}" in say.catalogue else str(code) for kind, code in named if code]
    more += [str(label.note)] if label.note else []
    more = [say("app.triage.suggested.mark"), *more] if label.suggested else more
    return {
        "verdict": str(label.verdict),
        "line": visible_line(say("app.triage.labels.line", who=label.by, when=time_text(label.time, say))),
        "more": visible_line(" · ".join(more)),
    }


def _reason(code: str, say: Words) -> str:
    if code == ORDINARY:
        return ""
    key = f"queue.reason.{code}"
    return say(key) if key in say.catalogue else visible_line(code)


def _span(low: Any, high: Any, unit: str, say: Words) -> str:
    if not _is(high):
        return "—"
    if not _is(low):
        return say("explanation.at_most", value=number_in_words(float(high), unit, say))
    first, last = number_in_words(float(low), unit, say), number_in_words(float(high), unit, say)
    return first if first == last else say("app.triage.why.span", low=first, high=last)


def _peers(share: Any, say: Words) -> str:
    if not _is(share):
        return "—"
    percent = 100 * float(share)
    return f"{say.number(percent, 0 if percent >= 10 else 1)} %"


def _is(value: Any) -> bool:
    return value is not None and not math.isnan(float(value))
