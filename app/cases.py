"""Cases → the board of their states, one case with all that is known of it, and what leaves: shown, confirmed, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from functools import partial

import streamlit as st
from addressed import link
from case_forms import attempt, became_in_words, draw_checklist, draw_fields, draw_notes, tell_problem
from daylist.desk import kept_today
from daylist.rows import day_text
from figures import error_in_words, pair, plain
from frame import Visit, heading, open_day_page

from socml.jobs import row_in_words
from socml.labels import Entry
from socml.project import LANGUAGES, DataError, SocmlError, Words, visible, visible_line, words
from socml.respond import (
    STATES,
    Case,
    CaseRow,
    Cases,
    Sent,
    can_be_undone,
    goes_elsewhere,
    preview,
    read_back,
    respond,
    responder_names,
    undo_response,
    why_not_yet,
)

_SHOWN = 20  # cases of a column


def _cases(visit: Visit) -> None:
    cases = Cases(visit.store)
    row_id = st.query_params.get("row", "")
    if row_id and st.query_params.get("new") and visit.dataset:
        _add_row(visit, cases, row_id)
        return
    wanted = st.query_params.get("case", "")
    case = cases.find(wanted)
    if case is not None:
        _one(visit, cases, case)
        return
    if wanted:
        st.warning(visit.say("app.cases.unknown", id=plain(wanted[:60])))
    _board(visit, cases, cases.all())


def _board(visit: Visit, cases: Cases, found: list[Case]) -> None:
    say = visit.say
    if visit.may_write:
        with st.form("new_case", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            title = st.text_input(
                say("app.cases.new"), max_chars=200, placeholder=say("app.cases.new_about"), width=460
            )
            if st.form_submit_button(say("app.cases.open"), icon=":material/add:") and (title or "").strip():
                _go(cases.open((title or "").strip(), by=visit.analyst, dataset=visit.dataset).id)
    if not found:
        st.info(say("app.cases.none"))
        return
    for column, state in zip(st.columns(len(STATES)), STATES, strict=True):
        of_state = [case for case in found if case.state == state]
        with column:
            name = say(f"app.cases.state.{state}")
            heading(f"{name[:1].upper()}{name[1:]} · {say.number(len(of_state))}")
            all_ = st.session_state.get(f"all_{state}")
            for case in of_state if all_ else of_state[:_SHOWN]:
                _card(case, say)
            if len(of_state) > _SHOWN and not all_ and st.button(say("app.cases.show_all", n=len(of_state))):
                st.session_state[f"all_{state}"] = True
                st.rerun()


def _card(case: Case, say: Words) -> None:
    with st.container(border=True, gap="xsmall"):
        if st.button(f"**{case.id}** · {plain(case.title)}", key=f"show_{case.id}", type="tertiary"):
            _go(case.id)
        if case.rows:
            st.caption(plain(_shortened(case.rows[0].line_in(say.language))))
        st.caption(_facts(case, say))


def _one(visit: Visit, cases: Cases, case: Case) -> None:
    say = visit.say
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(say("app.cases.back"), icon=":material/arrow_back:"):
            del st.query_params["case"]
            st.rerun()
        st.subheader(f"{case.id} · {plain(case.title)}", anchor=False, width="content")
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_fields(visit, cases, case)
        _rows(visit, cases, case)
        draw_notes(visit, cases, case)
    with right:
        draw_checklist(visit, cases, case)
        _similar(cases, case, say)
        _respond(visit, case)
        _timeline(case, say)


def _rows(visit: Visit, cases: Cases, case: Case) -> None:
    """Draw the rows of a case and what it is about: each opens the page of its entity, on its day."""
    say, dataset = visit.say, case.dataset or visit.dataset
    heading(say("app.cases.rows"))
    tell_problem("rows", say)
    if not case.rows:
        st.caption(say("app.cases.rows_none"))
    for row in case.rows:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                about = {"dataset": dataset, "entity": row.entity, "role": row.role, "day": row.day}
                named = f"[**{plain(row.entity)}**]({link('entity', **about)})"
                st.caption(f"{named} · {_day(row.day, say)} · {_role(row.role, say)}", width="content")
                st.space("stretch")
                remove = partial(attempt, visit, "rows", partial(_remove, visit, cases, case.id, row.row_id))
                if visit.may_write:
                    st.button(say("app.cases.remove"), key=f"remove_{row.row_id}", type="tertiary", on_click=remove)
            st.text(visible_line(row.line_in(say.language)))
    names = ", ".join(f"[{plain(e)}]({link('entity', dataset=dataset, entity=e)})" for e in case.entities)
    st.caption(say("app.cases.entities", names=names or "—"))


def _remove(visit: Visit, cases: Cases, case_id: str, row_id: str) -> None:
    if any(row.row_id == row_id for row in cases.get(case_id).rows):  # else a colleague took it out
        cases.remove_row(case_id, row_id, by=visit.analyst)


def _day(day: str, say: Words) -> str:
    try:
        return plain(day_text(date.fromisoformat(day), say))
    except ValueError:
        return plain(day)


def _role(role: str, say: Words) -> str:
    key = f"today.role.{role.replace(' ', '_')}"
    return say(key) if key in say.catalogue else plain(role)


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _similar(cases: Cases, case: Case, say: Words) -> None:
    similar = cases.similar(case)
    if similar:
        heading(say("app.cases.similar"))
    for other, share in similar:
        name = f"{100 * share:.0f}\u00a0% · **{other.id}** · {plain(other.title)}"
        if st.button(name, key=f"similar_{other.id}", type="tertiary"):
            _go(other.id)


def _respond(visit: Visit, case: Case) -> None:
    say = visit.say
    heading(say("app.cases.respond"))
    st.caption(say("app.cases.respond_about"))
    tell_problem("respond", say)
    name = st.selectbox(
        say("app.cases.responder"), responder_names(), None, key=f"responder_{case.id}", placeholder=say("app.cases.choose"),
        format_func=lambda one: _name_of(one, say),
    )  # fmt: skip
    for one in (one for one in case.begun if name in (None, one.responder)):
        about = {"by": plain(one.by), "target": plain(one.target), "time": f"{one.time:{say('app.time')}}"}
        st.warning(pair(plain(_name_of(one.responder, say)), say("respond.begun", **about), say))
    if name:
        _draft(visit, case, name)
    for sent in case.sent:
        _left(visit, case, sent)
    asked = any(goes_elsewhere(sent.responder) and not sent.undone for sent in case.sent)
    if asked and visit.may_write and st.button(say("app.cases.read_back")):
        _try(visit, lambda: read_back(case.id, store=visit.store, project=visit.project, by=visit.analyst))


def _left(visit: Visit, case: Case, sent: Sent) -> None:
    """Draw what left, and what takes it back where that is possible."""
    say = visit.say
    line = pair(_name_of(sent.responder, say), visible_line(sent.reference), say)
    st.text(f"✕ {line} ({say('app.cases.did.response_undone')})" if sent.undone else line)
    st.caption(f"{sent.time:{say('app.time')}} · {plain(sent.by)} · {plain(_target(sent.target, say))}")
    if sent.undo_begun:
        st.warning(say("respond.undo_begun"))
    can = not sent.undone and visit.may_write and can_be_undone(sent.responder)
    if can and st.button(say("app.cases.undo"), key=f"undo_{sent.id}"):
        _try(
            visit, partial(undo_response, sent.id, case.id, store=visit.store, project=visit.project, by=visit.analyst)
        )


def _name_of(responder: str, say: Words) -> str:
    """Return how a responder is called; one of the project's own by its own name."""
    key = f"respond.name.{responder.replace('-', '_')}"
    return say(key) if key in say.catalogue else visible_line(responder)


def _target(target: str, say: Words) -> str:
    return say("app.cases.to_files") if target == "file" else visible_line(target)


def _draft(visit: Visit, case: Case, name: str) -> None:
    say = visit.say
    try:
        draft = preview(name, case, project=visit.project)
    except SocmlError as error:
        st.warning(plain(error_in_words(error, say)))
        return
    st.text(say("app.cases.leaves", target=_target(draft.target, say)))
    for file, text in draft.files.items():
        st.caption(file)
        st.code(visible(text) or "—", language=None, wrap_lines=True, height=220 if text.count("\n") > 9 else "content")
    if draft.body:
        st.code(visible(draft.body), language=None, wrap_lines=True, height=260)
    for value, why in draft.held:
        st.caption(f"{plain(value)}: {say(f'respond.held.{why}')}")
    if draft.empty:
        st.info(say("app.cases.leaves_nothing"))
        return
    st.caption(say(f"respond.undo.{draft.undo}") if draft.undo else say("respond.undo.none"))
    if any(sent.responder == name and sent.digest == draft.digest and not sent.undone for sent in case.sent):
        st.info(say("app.cases.sent_before"))
        for file, text in draft.files.items():
            st.download_button(file, text, file, icon=":material/download:", key=f"file_{file}", on_click="ignore")
        return
    if (held_back := why_not_yet(name, case)) is not None:
        st.info(plain(error_in_words(DataError(held_back), say)))
        return
    sure = st.checkbox(say("app.cases.sure"), key=f"sure_{draft.digest}", disabled=not visit.may_write)
    if st.button(say("app.cases.send"), disabled=not sure, type="primary") and sure and visit.may_write:
        _try(
            visit,
            lambda: respond(
                name, case.id, store=visit.store, project=visit.project, by=visit.analyst, confirmed=draft.digest
            ),
        )


def _timeline(case: Case, say: Words) -> None:
    heading(say("app.cases.timeline"))
    for entry in reversed(case.timeline):
        key = f"app.cases.did.{entry.kind.replace('.', '_')}"
        what = say(key) if key in say.catalogue else entry.kind
        about = _about(entry, case, say)
        told = pair(what, plain(about), say) if about else what
        st.caption(f"{entry.time:{say('app.time')}} · {plain(entry.by)} · {told}")


def _about(entry: Entry, case: Case, say: Words) -> str:
    """Return what an entry of the time line is about: what a field became, which row, which item of the checklist."""
    body = entry.body
    if entry.kind == "case.changed":
        return ", ".join(became_in_words(name, value, say) for name, value in body.items())
    if entry.kind == "case.checked":
        item = say(f"app.cases.checklist.{body['item']}")
        return f"{'✓' if body['done'] else '✕'} {item}"
    if entry.kind.startswith("response."):
        return _name_of(str(body.get("responder", "")), say)
    if entry.kind == "case.row_removed":
        added = (one.body for one in case.timeline if one.kind == "case.row_added")
        return next((str(one["entity"]) for one in added if one["row_id"] == body["row_id"]), "")
    return str(body.get("entity") or "")


def case_row(visit: Visit, row_id: str) -> CaseRow | None:
    """Return the row as a case keeps it; None if the list has none of that id."""
    today = kept_today(visit.project, visit.dataset)
    day = today.day_of_row(visit.store, row_id)
    if day is None:
        return None
    row = next((r for r in today.of(visit.store, str(day), shown=1_000).rows if r.row_id == row_id), None)
    if row is None:
        return None
    families = tuple(reason.reason.family for reason in row.reasons)
    lines = {language: row_in_words(row, words(language)) for language in LANGUAGES}
    return CaseRow(row_id, str(day), row.entity, row.role, lines[visit.say.language], families, lines)


def _add_row(visit: Visit, cases: Cases, row_id: str) -> None:
    """Ask into which case a row of the list goes."""
    say = visit.say
    row = case_row(visit, row_id)
    if row is None:
        st.warning(say("app.cases.no_row"))
        return
    with st.container(border=True, gap="xsmall"):
        st.caption(f"**{plain(row.entity)}** · {_day(row.day, say)} · {_role(row.role, say)}")
        st.text(visible_line(row.line_in(say.language)))
    known = cases.all()
    for case in known:
        if any(one.row_id == row_id for one in case.rows):
            named = f"[{case.id} · {plain(case.title)}]({link('cases', dataset=visit.dataset, case=case.id)})"
            st.info(say("app.cases.row_in", case=named))
    names = {case.id: f"{case.id} · {visible_line(case.title)}" for case in known if case.state != "closed"}
    into = st.selectbox(
        say("app.cases.into"), ["", *names], key=f"into_{row_id}",
        format_func=lambda one: names.get(one, say("app.cases.into_new")),
    )  # fmt: skip
    if not into:
        st.text_input(say("app.cases.about"), visible_line(row.entity)[:200], key=f"about_{row_id}", max_chars=200)
    tell_problem("put", say)
    put = partial(_put, visit, cases, row, uuid.uuid4().hex)  # of this drawing: pressed twice, it is opened once
    press = partial(attempt, visit, "put", put)
    st.button(say("app.cases.put"), type="primary", disabled=not visit.may_write, on_click=press)


def _put(visit: Visit, cases: Cases, row: CaseRow, tried: str) -> None:
    """Put a row into the case that was chosen, or into a new one, and let the address name that case."""
    into = str(st.session_state[f"into_{row.row_id}"] or "")
    about = str(st.session_state.get(f"about_{row.row_id}") or "").strip() or row.entity[:200]
    case = cases.get(into) if into else cases.open(about, by=visit.analyst, dataset=visit.dataset, client_id=tried)
    if all(one.row_id != row.row_id for one in case.rows):  # else it is there already
        cases.add_row(case.id, row, by=visit.analyst, client_id=f"{tried} {case.id}")
    for name in ("row", "new", "entity", "role", "day"):
        if name in st.query_params:
            del st.query_params[name]
    st.query_params["case"] = case.id


def _facts(case: Case, say: Words) -> str:
    parts = [plain(case.owner), say(f"app.cases.severity.s{case.severity}"), f"TLP:{case.tlp.upper()}"]
    parts += [say("app.cases.n_rows", n=len(case.rows))] if case.rows else []
    parts += [say(f"verdict.{case.outcome}")] if case.outcome else []
    return " · ".join(parts)


def _go(case_id: str) -> None:
    st.query_params["case"] = case_id
    st.rerun()


def _try(visit: Visit, do: Callable[[], object]) -> None:
    """Do it and draw the page anew; what socml refuses is told where it was asked for."""
    with st.spinner(visit.say("app.cases.at_work")):  # another system may take a minute to answer
        attempt(visit, "respond", do)
    st.rerun()


open_day_page(_cases)
