"""What is typed and ticked on a case's page → the case; what a colleague changed meanwhile is neither undone nor hidden.

A field keeps what it was drawn with: saving writes only what the person changed, and asks once more where both did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import streamlit as st
from figures import error_in_words, plain
from frame import Visit, heading
from people import is_still

from socml.project import DataError, Sentence, SocmlError, Words, visible
from socml.respond import CHECKLIST, OUTCOMES, STATES, TLPS, Case, Cases

_TEXTS = ("title", "owner", "techniques")
_FIELDS = (*_TEXTS, "state", "outcome", "severity", "tlp")
_PROBLEM = "case_problem"
_TYPED = "case_typed"  # key of a field → what a person typed into it while a colleague changed it


def attempt(visit: Visit, at: str, do: Callable[[], object]) -> None:
    """Do it for who is before the page still; what socml refuses is told at the next drawing, in the part `at` of the page."""
    if not visit.may_write or not is_still(visit.person, visit.project):
        return
    try:
        do()
    except SocmlError as error:
        st.session_state[f"{_PROBLEM}_{at}"] = error


def tell_problem(at: str, say: Words) -> None:
    """Draw what could not be done in a part of the page, once."""
    if problem := st.session_state.pop(f"{_PROBLEM}_{at}", None):
        st.error(plain(error_in_words(problem, say)))


def draw_fields(visit: Visit, cases: Cases, case: Case) -> None:
    """Draw the fields of a case in a form."""
    say = visit.say
    key, fixed = partial(_key, visit, case), not visit.may_write
    typed = st.session_state.get(_TYPED, {})
    first = {name: typed.get(key(name), _value(case, name)) for name in _FIELDS}
    tell_problem("fields", say)
    with st.form(f"fields_{case.id}"):
        text = partial(st.text_input, disabled=fixed)
        text(say("app.cases.about"), first["title"], key=key("title"), max_chars=200)
        with st.container(horizontal=True):
            for name, choices, written in _choices(say):
                at = choices.index(first[name])
                st.selectbox(
                    _title(name, say), choices, at, key=key(name), format_func=written, width=144, disabled=fixed
                )
        with st.container(horizontal=True):
            text(say("app.cases.owner"), first["owner"], key=key("owner"), max_chars=60, width=190)
            text("ATT&CK", first["techniques"], key=key("techniques"), placeholder="T1046 T1021.004", width=330)
        save = partial(attempt, visit, "fields", partial(_save, visit, cases, case))
        st.form_submit_button(say("app.cases.save"), disabled=fixed, on_click=save)


def _choices(say: Words) -> list[tuple[str, tuple[object, ...], Callable[..., str]]]:
    """Return the fields with a list to choose from, and how each choice is written."""
    return [
        ("state", STATES, lambda one: say(f"app.cases.state.{one}")),
        ("outcome", OUTCOMES, lambda one: say(f"verdict.{one}") if one else "—"),
        ("severity", (1, 2, 3, 4), lambda one: say(f"app.cases.severity.s{one}")),
        ("tlp", TLPS, str.upper),
    ]


def _title(name: str, say: Words) -> str:
    return "TLP" if name == "tlp" else say(f"app.cases.{name}" if name == "outcome" else f"app.cases.{name}.title")


def _save(visit: Visit, cases: Cases, drawn: Case) -> None:
    """Write what the person changed; where a colleague wrote something else meanwhile, say so and wait for a second press."""
    case = cases.get(drawn.id)
    given = {name: st.session_state[_key(visit, drawn, name)] for name in _FIELDS}
    changed = {name: value for name, value in given.items() if value != _value(drawn, name)}
    both = [name for name in changed if _value(case, name) not in (_value(drawn, name), changed[name])]
    if both:
        typed = {_key(visit, case, name): value for name, value in changed.items()}
        st.session_state[_TYPED] = {**st.session_state.get(_TYPED, {}), **typed}  # it stays in its field
        became = ", ".join(became_in_words(name, getattr(case, name), visit.say) for name in both)
        raise DataError(Sentence("error.case.meanwhile", what=became))
    # A second press finds nothing that is not written yet.
    changed = {name: value for name, value in changed.items() if value != _value(case, name)}
    if "techniques" in changed:
        changed["techniques"] = tuple(str(changed["techniques"]).replace(",", " ").split())
    if changed:
        cases.change(drawn.id, by=visit.analyst, **changed)


def _key(visit: Visit, case: Case, name: str) -> str:
    """Return the name of a field of the page: another after each change, so that no browser keeps what stood there before."""
    changes = sum(entry.kind == "case.changed" and name in entry.body for entry in case.timeline)
    return f"{_draft_key(name, visit, case.id) if name in _TEXTS else f'{name}_{case.id}'}_v{changes}"


def _value(case: Case, name: str) -> object:
    return " ".join(case.techniques) if name == "techniques" else getattr(case, name)


def became_in_words(name: str, value: object, say: Words) -> str:
    """Return a field of a case and what it became, in words."""
    keys = {"state": "app.cases.state.", "severity": "app.cases.severity.s", "outcome": "verdict."}
    titles = {"techniques": "ATT&CK", "tlp": "TLP", "title": say("app.cases.about")}
    titles |= {key: say(f"app.cases.{key}") for key in ("outcome", "owner")}
    titles |= {key: say(f"app.cases.{key}.title") for key in ("state", "severity")}
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if name in keys and value:
        text = say(f"{keys[name]}{value}")
    return f"{titles.get(name, name)} {text.upper() if name == 'tlp' else text or '—'}"


def draw_notes(visit: Visit, cases: Cases, case: Case) -> None:
    """Draw what was written, and where more is; what could not be stored stays in its field."""
    say = visit.say
    heading(say("app.cases.notes"))
    for note in case.notes:
        st.caption(f"{plain(note.by)}, {note.time:{say('app.time')}}")
        st.text(visible(note.text))
    if not visit.may_write:
        if not case.notes:
            st.caption(say("app.cases.notes_none"))
        return
    tell_problem("notes", say)
    with st.form(f"note_{case.id}", border=False):
        st.text_area(say("app.cases.note_new"), key=_draft_key("text", visit, case.id), max_chars=20_000, height=80)
        st.text_input(say("app.cases.entity_add"), key=_draft_key("entity", visit, case.id), max_chars=500)
        st.form_submit_button(
            say("app.cases.add"),
            on_click=partial(attempt, visit, "notes", partial(_add, visit, cases, case.id, len(case.notes))),
        )


def _add(visit: Visit, cases: Cases, case_id: str, drawn: int) -> None:
    """Store the note and the entity that were typed, each once however often the button of one drawing was pressed."""
    case = cases.get(case_id)
    keys = [_draft_key(name, visit, case_id) for name in ("text", "entity")]
    text, entity = (str(st.session_state[key] or "").strip() for key in keys)
    last = case.notes[-1] if case.notes else None
    if text and (last is None or (last.by, last.text) != (visit.analyst, text)):
        said = hashlib.sha256(f"{visit.analyst}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
        cases.note(case_id, text, by=visit.analyst, client_id=f"{case_id} note {drawn} {said}")
    st.session_state[keys[0]] = ""
    if entity and entity not in case.entities:
        cases.add_entity(case_id, entity, by=visit.analyst)
    st.session_state[keys[1]] = ""


def _draft_key(name: str, visit: Visit, case_id: str) -> str:
    """Return the key of a field whose text outlives a reload (`drafts.js`), each person's own and each project's.

    It becomes a class, in which all but letters of ASCII and digits are alike: so it names nobody as they are written.
    """
    whose = f"{visit.project.workspace}\0{visit.analyst}".encode("utf-8", "surrogatepass")
    return f"draft_{name}_{case_id}_{hashlib.blake2b(whose, digest_size=8).hexdigest()}"


def draw_checklist(visit: Visit, cases: Cases, case: Case) -> None:
    """Draw the checklist as it stands; only a person's own tick writes."""
    heading(visit.say("app.cases.checklist.title"))
    tell_problem("checklist", visit.say)
    for item in CHECKLIST:
        key = f"{case.id}_{item}"
        st.session_state[key] = item in case.done
        tick = partial(attempt, visit, "checklist", partial(_tick, visit, cases, case.id, item))
        st.checkbox(visit.say(f"app.cases.checklist.{item}"), key=key, disabled=not visit.may_write, on_change=tick)


def _tick(visit: Visit, cases: Cases, case_id: str, item: str) -> None:
    done = bool(st.session_state[f"{case_id}_{item}"])
    if done != (item in cases.get(case_id).done):
        cases.check(case_id, item, done=done, by=visit.analyst)
