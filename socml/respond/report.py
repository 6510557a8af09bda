"""A case → its report: plain values for JSON, and a Markdown text in which nothing of a log acts."""

from __future__ import annotations

import re

from socml.project import Words, visible, visible_line, words
from socml.respond.cases import Case
from socml.respond.guard import Observables
from socml.tools import defang

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&])")


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


def markdown(case: Case, found: Observables, language: str = "en") -> str:
    """Return a case as Markdown: addresses defanged, and no text of a log can make a link, an image or HTML."""
    say = words(language)
    at = say("app.time")
    who = {"owner": _inert(case.owner) or "—", "severity": case.severity, "tlp": case.tlp.upper()}
    told = [
        say("respond.report.state", state=say(f"app.cases.state.{case.state}"), **who),
        say("respond.report.opened", time=f"{case.opened:{at}}", by=_inert(case.by)),
        *([say("respond.report.outcome", outcome=say(f"verdict.{case.outcome}"))] if case.outcome else []),
        *([f"ATT&CK: {', '.join(case.techniques)}"] if case.techniques else []),
    ]
    rows = [f"{row.day}, {_inert(row.entity)} ({_role(row.role, say)}): {_inert(row.line)}" for row in case.rows]
    notes = [f"{note.time:{at}}, {_inert(note.by)}: {_inert(note.text)}" for note in case.notes]
    done = [f"{entry.time:{at}}, {_inert(entry.by)}: {_did(entry.kind, say)}" for entry in case.timeline]
    parts = {"seen": rows, "entities": [_inert(one) for one in case.entities], "notes": notes, "timeline": done}
    lines = [f"# {_inert(case.id)}: {_inert(case.title)}", "", *(f"- {one}" for one in told)]
    for name, listed in parts.items():
        lines += ["", f"## {say(f'respond.report.{name}')}", "", *(f"- {one}" for one in listed)]
    return "\n".join(lines) + "\n"


def _role(role: str, say: Words) -> str:
    key = f"today.role.{role.replace(' ', '_')}"
    return say(key) if key in say.catalogue else _inert(role)


def _did(kind: str, say: Words) -> str:
    key = f"app.cases.did.{kind.replace('.', '_')}"
    return say(key) if key in say.catalogue else _inert(kind)


def short_text(case: Case, *, most: int = 4_000) -> str:
    """Return what was seen as plain text, for the description of a ticket."""
    rows = [f"{row.day} {visible_line(row.entity)} ({row.role}): {visible_line(row.line)}" for row in case.rows]
    notes = [f"{visible_line(note.by)}: {visible_line(note.text)}" for note in case.notes]
    text = "\n".join([*rows, *notes])
    return text if len(text) <= most else text[: most - 1] + "…"


def _inert(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", visible_line(defang(text)))
