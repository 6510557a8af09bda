"""Cases → the board of their states, one case with all that is known of it, and what leaves: shown, confirmed, taken back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st
from daylist.case_rows import case_row
from figures import error_in_words, pair, plain
from frame import Visit, heading, open_day_page

from socml.labels import Entry
from socml.project import SocmlError, Words, visible, visible_line
from socml.respond import (
    CHECKLIST,
    OUTCOMES,
    STATES,
    TLPS,
    Case,
    Cases,
    Sent,
    can_be_undone,
    preview,
    read_back,
    respond,
    responder_names,
    undo_response,
)

_SHOWN = 20  # cases of a column


def _cases(visit: Visit) -> None:
    cases = Cases(visit.store)
    row_id = st.query_params.get("row", "")
    if row_id and st.query_params.get("new") and visit.dataset:
        _add_row(visit, cases, row_id)
        return
    wanted = st.query_params.get("case", "")
    known = {case.id: case for case in cases.all()}
    if wanted in known:
        _one(visit, cases, known[wanted])
    else:
        _ranking(visit, cases, list(known.values()))


def _ranking(visit: Visit, cases: Cases, found: list[Case]) -> None:
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
            heading(f"{say(f'app.cases.state.{state}')} · {len(of_state)}")
            for case in of_state[:_SHOWN]:
                with st.container(border=True):
                    st.text(f"{case.id} · {visible_line(case.title)}")
                    st.caption(_facts(case, say))
                    if st.button(say("app.cases.show"), key=f"show_{case.id}"):
                        _go(case.id)


def _one(visit: Visit, cases: Cases, case: Case) -> None:
    say = visit.say
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(say("app.cases.back"), icon=":material/arrow_back:"):
            del st.query_params["case"]
            st.rerun()
        st.text(f"{case.id} · {visible_line(case.title)}")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _fields(visit, cases, case)
        heading(say("app.cases.rows"))
        if not case.rows:
            st.caption(say("app.cases.rows_none"))
        for row in case.rows:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(f"{row.day}  {visible_line(row.entity)}  {visible_line(row.line)}", width="stretch")
                if visit.may_write and st.button("✕", key=f"remove_{row.row_id}", help=say("app.cases.remove")):
                    _try(say, partial(cases.remove_row, case.id, row.row_id, by=visit.analyst))
        st.text(say("app.cases.entities", names=", ".join(visible_line(one) for one in case.entities) or "—"))
        _notes(visit, cases, case)
    with right:
        _checklist(visit, cases, case)
        _similar(cases, case, say)
        _respond(visit, case)
        _timeline(case, say)


def _fields(visit: Visit, cases: Cases, case: Case) -> None:
    say = visit.say
    with st.form(f"fields_{case.id}"):
        with st.container(horizontal=True):
            state = st.selectbox(
                say("app.cases.state.title"), STATES, STATES.index(case.state), width=170,
                format_func=lambda one: say(f"app.cases.state.{one}"),
            )  # fmt: skip
            outcome = st.selectbox(
                say("app.cases.outcome"), OUTCOMES, OUTCOMES.index(case.outcome), width=170,
                format_func=lambda one: say(f"verdict.{one}") if one else "—",
            )  # fmt: skip
            severity = st.selectbox(
                say("app.cases.severity.title"), (1, 2, 3, 4), case.severity - 1, width=140,
                format_func=lambda one: say(f"app.cases.severity.s{one}"),
            )  # fmt: skip
            tlp = st.selectbox("TLP", TLPS, TLPS.index(case.tlp), width=150, format_func=str.upper)
        with st.container(horizontal=True):
            owner = st.text_input(say("app.cases.owner"), case.owner, max_chars=60, width=190)
            techniques = st.text_input("ATT&CK", " ".join(case.techniques), placeholder="T1046 T1021.004", width=330)
        if st.form_submit_button(say("app.cases.save"), disabled=not visit.may_write):
            given = {"state": state, "outcome": outcome, "severity": severity, "tlp": tlp, "owner": owner}
            given["techniques"] = tuple((techniques or "").replace(",", " ").split())
            changed = {name: value for name, value in given.items() if value != getattr(case, name)}
            if changed:
                _try(say, lambda: cases.change(case.id, by=visit.analyst, **changed))


def _notes(visit: Visit, cases: Cases, case: Case) -> None:
    say = visit.say
    heading(say("app.cases.notes"))
    for note in case.notes:
        st.caption(f"{plain(note.by)}, {note.time:{say('app.time')}}")
        st.text(visible(note.text))
    if not visit.may_write:
        return
    with st.form(f"note_{case.id}", clear_on_submit=True, border=False):
        text = st.text_area(say("app.cases.note"), max_chars=20_000, height=80, label_visibility="collapsed")
        entity = st.text_input(say("app.cases.entity_add"), max_chars=500)
        if st.form_submit_button(say("app.cases.add")):

            def add() -> None:
                if (text or "").strip():
                    cases.note(case.id, text or "", by=visit.analyst)
                if (entity or "").strip():
                    cases.add_entity(case.id, (entity or "").strip(), by=visit.analyst)

            _try(say, add)


def _checklist(visit: Visit, cases: Cases, case: Case) -> None:
    say = visit.say
    heading(say("app.cases.checklist.title"))
    for item in CHECKLIST:
        was = item in case.done
        done = st.checkbox(
            say(f"app.cases.checklist.{item}"), was, key=f"{case.id}_{item}", disabled=not visit.may_write
        )
        if done != was and visit.may_write:
            _try(say, partial(cases.check, case.id, item, done=done, by=visit.analyst))


def _similar(cases: Cases, case: Case, say: Words) -> None:
    similar = cases.similar(case)
    if similar:
        heading(say("app.cases.similar"))
    for other, share in similar:
        if st.button(f"{other.id} · {plain(other.title)} · {100 * share:.0f} %", key=f"similar_{other.id}"):
            _go(other.id)


def _respond(visit: Visit, case: Case) -> None:
    say = visit.say
    heading(say("app.cases.respond"))
    st.caption(say("app.cases.respond_about"))
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
    if any(not sent.undone for sent in case.sent) and visit.may_write and st.button(say("app.cases.read_back")):
        _try(say, lambda: read_back(case.id, store=visit.store, project=visit.project, by=visit.analyst))


def _left(visit: Visit, case: Case, sent: Sent) -> None:
    """Draw what left, and what takes it back where that is possible."""
    say = visit.say
    line = pair(_name_of(sent.responder, say), visible_line(sent.reference), say)
    st.text(f"✕ {line} ({say('app.cases.did.response_undone')})" if sent.undone else line)
    st.caption(f"{sent.time:{say('app.time')}} · {plain(sent.by)} · {plain(sent.target)}")
    if sent.undo_begun:
        st.warning(say("respond.undo_begun"))
    can = not sent.undone and visit.may_write and can_be_undone(sent.responder)
    if can and st.button(say("app.cases.undo"), key=f"undo_{sent.id}"):
        _try(say, partial(undo_response, sent.id, case.id, store=visit.store, project=visit.project, by=visit.analyst))


def _name_of(responder: str, say: Words) -> str:
    """Return how a responder is called; one of the project's own by its own name."""
    key = f"respond.name.{responder.replace('-', '_')}"
    return say(key) if key in say.catalogue else visible_line(responder)


def _draft(visit: Visit, case: Case, name: str) -> None:
    say = visit.say
    try:
        draft = preview(name, case, project=visit.project)
    except SocmlError as error:
        st.warning(plain(error_in_words(error, say)))
        return
    target = say("app.cases.to_files") if draft.target == "file" else visible_line(draft.target)
    st.text(say("app.cases.leaves", target=target))
    for file, text in draft.files.items():
        st.caption(file)
        st.code(visible(text) or "—", language=None, wrap_lines=True, height=220 if text.count("\n") > 9 else "content")
    if draft.body:
        st.code(visible(draft.body), language=None, wrap_lines=True, height=260)
    for value, why in draft.held:
        st.caption(f"{plain(value)}: {say(f'respond.held.{why}')}")
    st.caption(say(f"respond.undo.{draft.undo}") if draft.undo else say("respond.undo.none"))
    if any(sent.responder == name and sent.digest == draft.digest and not sent.undone for sent in case.sent):
        st.info(say("app.cases.sent_before"))
        return
    sure = st.checkbox(say("app.cases.sure"), key=f"sure_{draft.digest}", disabled=draft.empty or not visit.may_write)
    if st.button(say("app.cases.send"), disabled=not sure, type="primary") and sure and visit.may_write:
        _try(
            say,
            lambda: respond(
                name, case.id, store=visit.store, project=visit.project, by=visit.analyst, confirmed=draft.digest
            ),
        )


def _timeline(case: Case, say: Words) -> None:
    heading(say("app.cases.timeline"))
    for entry in reversed(case.timeline):
        key = f"app.cases.did.{entry.kind.replace('.', '_')}"
        what = say(key) if key in say.catalogue else entry.kind
        about = _about(entry, say)
        told = pair(what, plain(about), say) if about else what
        st.caption(f"{entry.time:{say('app.time')}} · {plain(entry.by)} · {told}")


def _about(entry: Entry, say: Words) -> str:
    """Return what an entry of the time line is about: what a field became, which row, which item of the checklist."""
    body = entry.body
    if entry.kind == "case.changed":
        return ", ".join(_became(name, value, say) for name, value in body.items())
    if entry.kind == "case.checked":
        item = say(f"app.cases.checklist.{body['item']}")
        return f"{'✓' if body['done'] else '✕'} {item}"
    if entry.kind.startswith("response."):
        return _name_of(str(body.get("responder", "")), say)
    return str(body.get("entity") or "")


def _became(name: str, value: object, say: Words) -> str:
    """Return a field of a case and what it became, in words."""
    keys = {"state": "app.cases.state.", "severity": "app.cases.severity.s", "outcome": "verdict."}
    titles = {"techniques": "ATT&CK", "tlp": "TLP", **{key: say(f"app.cases.{key}") for key in ("outcome", "owner")}}
    titles |= {key: say(f"app.cases.{key}.title") for key in ("state", "severity")}
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if name in keys and value:
        text = say(f"{keys[name]}{value}")
    return f"{titles.get(name, name)} {text.upper() if name == 'tlp' else text or '—'}"


def _add_row(visit: Visit, cases: Cases, row_id: str) -> None:
    """Ask into which case a row of the list goes."""
    say = visit.say
    row = case_row(visit, row_id)
    if row is None:
        st.warning(say("app.cases.no_row"))
        return
    st.text(f"{row.day}  {visible_line(row.entity)}  {visible_line(row.line)}")
    open_ = [case for case in cases.all() if case.state != "closed"]
    names = {case.id: f"{case.id} · {visible_line(case.title)}" for case in open_}
    into = st.selectbox(
        say("app.cases.into"), ["", *names], format_func=lambda one: names.get(one, say("app.cases.into_new"))
    )
    title = (
        ""
        if into
        else st.text_input(say("app.cases.new"), pair(visible_line(row.entity), visible_line(row.line), say)[:200])
    )
    if st.button(say("app.cases.put"), type="primary", disabled=not visit.may_write):

        def put() -> None:
            case = cases.get(into) if into else cases.open(title or row.entity, by=visit.analyst, dataset=visit.dataset)
            cases.add_row(case.id, row, by=visit.analyst)
            for name in ("row", "new", "entity", "role", "day"):
                if name in st.query_params:
                    del st.query_params[name]
            st.query_params["case"] = case.id

        _try(say, put)


def _facts(case: Case, say: Words) -> str:
    parts = [plain(case.owner), say(f"app.cases.severity.s{case.severity}"), f"TLP:{case.tlp.upper()}"]
    parts += [say("app.cases.n_rows", n=len(case.rows))] if case.rows else []
    parts += [say(f"verdict.{case.outcome}")] if case.outcome else []
    return " · ".join(parts)


def _go(case_id: str) -> None:
    st.query_params["case"] = case_id
    st.rerun()


def _try(say: Words, do: Callable[[], object]) -> None:
    """Do it and draw the page anew; what socml refuses is told in its words."""
    try:
        with st.spinner(say("app.cases.at_work")):  # another system may take a minute to answer
            do()
    except SocmlError as error:
        st.error(plain(error_in_words(error, say)))
        return
    st.rerun()


open_day_page(_cases)
