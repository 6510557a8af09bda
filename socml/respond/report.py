"""A case → its report: plain values for JSON, and a Markdown text in which nothing of a log acts."""

from __future__ import annotations

import re

from socml.project import visible, visible_line
from socml.respond.cases import Case
from socml.respond.guard import Observables
from socml.tools import defang

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$])")


def plain_case(case: Case, found: Observables) -> dict[str, object]:
    """Return a case as JSON holds it; times are ISO 8601 in UTC."""
    return {
        "id": case.id,
        "title": visible_line(case.title),
        "state": case.state,
        "owner": visible_line(case.owner),
        "severity": case.severity,
        "tlp": case.tlp,
        "outcome": case.outcome,
        "dataset": case.dataset,
        "opened": case.opened.isoformat(),
        "techniques": list(case.techniques),
        "entities": [visible_line(one) for one in case.entities],
        "addresses": [str(one) for one in found.addresses],
        "domains": list(found.domains),
        "hosts": [visible_line(one) for one in found.hosts],
        "rows": [
            {
                "row_id": row.row_id,
                "day": row.day,
                "entity": visible_line(row.entity),
                "role": row.role,
                "line": visible_line(row.line),
                "families": list(row.families),
            }
            for row in case.rows
        ],
        "notes": [{"time": n.time.isoformat(), "by": visible_line(n.by), "text": visible(n.text)} for n in case.notes],
        "checklist": sorted(case.done),
    }


def markdown(case: Case, found: Observables) -> str:
    """Return a case as Markdown: addresses defanged, and no text of a log can make a link, an image or HTML."""
    lines = [
        f"# {_inert(case.id)}: {_inert(case.title)}",
        "",
        f"- State: {case.state}, owner: {_inert(case.owner)}, severity {case.severity} of 4, TLP:{case.tlp.upper()}",
        f"- Opened: {case.opened:%Y-%m-%d %H:%M} UTC by {_inert(case.by)}",
    ]
    lines += [f"- Outcome: {case.outcome}"] if case.outcome else []
    lines += [f"- ATT&CK: {', '.join(case.techniques)}"] if case.techniques else []
    lines += ["", "## What was seen", ""]
    lines += [f"- {row.day}, {_inert(row.entity)} ({row.role}): {_inert(row.line)}" for row in case.rows]
    lines += ["", "## Entities", ""]
    lines += [f"- {_inert(entity)}" for entity in case.entities]
    lines += ["", "## Notes", ""]
    lines += [f"- {note.time:%Y-%m-%d %H:%M} UTC, {_inert(note.by)}: {_inert(note.text)}" for note in case.notes]
    lines += ["", "## Time line", ""]
    lines += [f"- {e.time:%Y-%m-%d %H:%M} UTC, {_inert(e.by)}: {e.kind.replace('_', ' ')}" for e in case.timeline]
    return "\n".join(lines) + "\n"


def short_text(case: Case, *, most: int = 4_000) -> str:
    """Return what was seen as plain text, for the description of a ticket."""
    rows = [f"{row.day} {visible_line(row.entity)} ({row.role}): {visible_line(row.line)}" for row in case.rows]
    notes = [f"{visible_line(note.by)}: {visible_line(note.text)}" for note in case.notes]
    text = "\n".join([*rows, *notes])
    return text if len(text) <= most else text[: most - 1] + "…"


def _inert(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", visible_line(defang(text)))
