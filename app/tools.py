"""Pasted text, or an e-mail → what is in it: decoded, its indicators, defanged, hashed, and what services say of them.

Nothing leaves the machine but by a button, which is there only if `socml.toml` names a service.
"""

from __future__ import annotations

import csv
import io

import streamlit as st
from figures import error_in_words, plain
from frame import open_tool
from people import Visitor

from socml.project import Project, SocmlError, Words, find_project, spreadsheet_text, visible, visible_line
from socml.tools import (
    Indicator,
    MailTriage,
    answer_rows,
    decode,
    defang,
    find_indicators,
    hash_bytes,
    lines_of,
    lines_of_plan,
    look_up_online,
    plan_lookup,
    refang,
    triage_mail,
)

_LONGEST = 200_000  # characters that are taken
_SHOWN = 20_000


def _tools(say: Words, person: Visitor) -> None:
    project = find_project()
    st.text(say("app.tools.about_online" if project.lookups else "app.tools.about"))
    text = st.text_area(say("app.tools.text"), key="tools_text", height=140, max_chars=_LONGEST, help=None)
    st.caption(say("app.tools.text_help"))
    upload = st.file_uploader(say("app.tools.mail"), type=["eml", "txt"], key="tools_mail")
    if upload is not None:
        _mail(upload.getvalue(), project, say, may_ask=person.may_write)
    if text and text.strip():
        _text(text, project, say, may_ask=person.may_write)
    elif upload is None:
        st.info(say("app.tools.nothing"))


def _text(text: str, project: Project, say: Words, *, may_ask: bool) -> None:
    steps = decode(text)
    if steps:
        st.subheader(say("app.tools.decoded"), anchor=False)
        for step in steps:
            st.caption(f"{say('app.tools.layers')}: {plain(step.kind)}")
            _show(step.text)
    whole = " ".join([text, *(step.text for step in steps)])
    found = find_indicators(whole)
    _indicators(found, say)
    _services(found, "text", project, say, may_ask=may_ask)
    left, right = st.columns(2)
    with left:
        st.subheader(say("app.tools.defanged"), anchor=False)
        _show(defang(text))
    with right:
        st.subheader(say("app.tools.refanged"), anchor=False)
        _show(refang(text))
    st.subheader(say("app.tools.hashes"), anchor=False)
    _show("\n".join(f"{kind:7} {digest}" for kind, digest in hash_bytes(text.encode()).items()))


def _indicators(found: list[Indicator], say: Words) -> None:
    if not found:
        return
    st.subheader(say("app.tools.indicators"), anchor=False)
    kind, value = say("app.tools.kind"), say("app.tools.value")
    st.dataframe([{kind: one.kind, value: visible_line(defang(one.value))} for one in found], hide_index=True)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["kind", "value"])
    writer.writerows([one.kind, spreadsheet_text(one.value)] for one in found)
    st.download_button(say("app.tools.download"), file.getvalue(), "indicators.csv", "text/csv", key="tools_csv")


def _services(found: list[Indicator], of: str, project: Project, say: Words, *, may_ask: bool) -> None:
    """Say what would leave the machine and where to, ask when the button is pressed, and show what is known.

    A viewer lets nothing leave: an answer costs of what the team may ask, and is kept for all.
    """
    if not project.lookups or not found:
        return
    st.subheader(say("app.tools.services"), anchor=False)
    plan = plan_lookup(found, project=project)
    _show("\n".join(visible_line(line) for line in [*lines_of_plan(plan, say), *lines_of([], plan.held, say)]))
    failed = st.session_state.setdefault("tools_failed", {})  # what was asked, and what came to nothing
    if plan.questions and may_ask and st.button(say("app.tools.ask"), key=f"tools_ask_{of}"):
        try:
            with st.spinner(say("app.tools.asking")):
                failed[of] = (found, look_up_online(found, project=project).failures)
        except SocmlError as error:
            st.error(plain(error_in_words(error, say)))
            return
        st.rerun()  # every answer is kept, so that the page shows it as it would tomorrow
    failures = failed[of][1] if of in failed and failed[of][0] == found else []
    _answers(answer_rows(plan.kept, say), lines_of(failures, [], say))


def _answers(rows: list[dict[str, str]], lines: list[str]) -> None:
    if lines:
        _show("\n".join(visible_line(line) for line in lines))
    if rows:
        link = list(rows[0])[-1]
        safe = [{name: visible_line(text) for name, text in row.items()} for row in rows]
        shown = st.column_config.LinkColumn(display_text="^https://([^/]+)")
        st.dataframe(safe, hide_index=True, column_config={link: shown})


def _mail(data: bytes, project: Project, say: Words, *, may_ask: bool) -> None:
    try:
        found = triage_mail(data)
    except SocmlError as error:
        st.error(plain(error_in_words(error, say)))
        return
    st.subheader(say("app.tools.findings"), anchor=False)
    sentences = [say(f"tools.mail.finding.{key}", **values) for key, values in found.findings]
    _show("\n".join(visible_line(one) for one in sentences) if sentences else say("tools.mail.nothing"))
    _show("\n".join(_header(found, say)))
    if found.links:
        link, to = say("tools.mail.link"), say("tools.mail.leads_to")
        rows = [
            {link: visible_line(defang(o["url"])), to: visible_line(defang(o.get("leads_to", "")))} for o in found.links
        ]
        st.dataframe(rows, hide_index=True)
    if found.attachments:
        names = ("name", "type", "bytes", "sha256")
        st.dataframe(
            [{say(f"tools.mail.{name}"): visible_line(one[name]) for name in names} for one in found.attachments],
            hide_index=True,
        )
    parts = [part for link in found.links for part in (link["url"], link.get("leads_to", ""))]
    parts += [one[kind] for one in found.attachments for kind in ("md5", "sha256")]
    _services(find_indicators(" ".join(parts)), "mail", project, say, may_ask=may_ask)


def _header(found: MailTriage, say: Words) -> list[str]:
    lines = [
        f"{say('tools.mail.from')}: {found.sender_name} <{found.sender}>",
        f"{say('tools.mail.to')}: {', '.join(found.to)}",
        f"{say('tools.mail.subject')}: {found.subject}",
        f"{say('tools.mail.date')}: {found.date}",
        f"{say('tools.mail.results')}: {', '.join(f'{k}={v}' for k, v in found.results.items())}",
        *found.hops,
    ]
    return [visible_line(line) for line in lines]


def _show(text: str) -> None:
    """Show text as it is: never as a link, Markdown or HTML."""
    st.code(visible(text[:_SHOWN]), language=None, wrap_lines=True)


open_tool(_tools)
