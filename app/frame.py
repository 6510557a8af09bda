"""The address of a page → project, language, analyst and run, and what stands around every page.

What the address says comes first (`?run=…&by=…&lang=…`), then what was chosen before in this session, then
the environment and the project; the address is kept current, so that it can be sent to a colleague.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import streamlit as st
from ahead import put_off
from figures import error_in_words, moment_text, plain
from language import choose_language, language_of
from people import Visitor, is_still, kept_store, visitor

from socml.features import daily_folder
from socml.labels import LabelStore
from socml.project import (
    Project,
    Run,
    SocmlError,
    Words,
    dataset_names,
    find_project,
    list_runs,
    visible_line,
    words,
)

Chosen = TypeVar("Chosen")
_LONGEST_NAME = 60
_NAMELESS = "analyst"
# Static: it makes room for the work. Nothing from a log comes near it.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 1.5rem 0.5rem; max-width: none; }
h3 { font-size: 1.0625rem !important; padding: 0.5rem 0 0.1rem !important; }
/* Streamlit's captions are too pale to read. */
[data-testid="stCaptionContainer"] p { color: inherit; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.82; }
/* Its file would hold formulas of a log; what socml exports holds none. */
[data-testid="stElementToolbarButton"]:has(button[aria-label^="Download as CSV"]) { display: none; }
/* Streamlit says them in English alone. */
[data-testid="InputInstructions"] { display: none; }
/* What stands in a card as a link is text of several lines. */
[data-testid="stBaseButton-tertiary"], [data-testid="stBaseButton-tertiary"] p { justify-content: start; text-align: start; }
/* The triage view is never stale: it is ahead of the server. */
[data-testid="stElementContainer"][data-stale="true"] { opacity: 1 !important; }
</style>"""


@dataclass(frozen=True)
class Place:
    """Where the analyst is: everything a page needs to know before it draws."""

    project: Project
    say: Words
    analyst: str
    run: Run
    person: Visitor
    may_write: bool = True
    may_lead: bool = True


@dataclass(frozen=True)
class Visit:
    """Who looks at which dataset: what a page that is about days, cases or data needs to know.

    Attributes
    ----------
    dataset : empty if nothing was ingested yet
    store : writes nothing if the person may not
    """

    project: Project
    say: Words
    analyst: str
    person: Visitor
    may_write: bool
    dataset: str
    store: LabelStore


def page_title(key: str) -> str:
    """Return a page's title in the language of the session, for the navigation."""
    return words(language_of(None))(f"app.{key}.title")


def heading(text: str) -> None:
    """Draw the title of a part of a page, as text and never as Markdown."""
    st.subheader(plain(text), anchor=False)


@contextmanager
def told_in_words() -> Iterator[None]:
    """Show an error that socml raised on purpose as its message; anything else is a bug and stays one."""
    try:
        yield
    except SocmlError as error:
        say = words(language_of(None))
        st.error(say("app.error"))
        st.code(visible_line(error_in_words(error, say)), language=None, wrap_lines=True)


def open_page(show: Callable[[Place], None]) -> None:
    """Draw the line of choices that every page has, then the page; without a run, say how to make one."""

    def draw(project: Project, person: Visitor) -> None:
        say, run, analyst = _line(project, person, partial(_choose_run, list_runs(project)))
        _keep(person, analyst, {"run": str(run["run_id"])} if run else {})
        if run is None:
            say_how_to_begin(say)
            return
        may_lead = not person.name or person.role == "lead"
        show(Place(project, say, analyst, run, person, person.may_write, may_lead=may_lead))

    _open(draw)


def open_day_page(show: Callable[[Visit], None]) -> None:
    """Draw the line of choices of a page that is about a dataset and no run, then the page."""

    def draw(project: Project, person: Visitor) -> None:
        say, dataset, analyst = _line(project, person, partial(_choose_dataset, project, dataset_names(project)))
        _keep(person, analyst, {"dataset": dataset} if dataset else {})
        store = kept_store(project, read_only=not person.may_write)
        show(Visit(project, say, analyst, person, person.may_write, dataset, store))

    _open(draw)


def apart(place: Place | Visit, show: Callable[[], None]) -> None:
    """Draw a part of a page that is drawn anew without the rest when it reports; a person who is no longer the same begins again."""

    @st.fragment
    def part() -> None:
        with told_in_words():
            if not is_still(place.person, place.project):
                st.rerun()
            show()
        put_off()

    part()


def open_tool(show: Callable[[Words, Visitor], None]) -> None:
    """Draw a page that is about no run: the choice of language, then the page."""
    st.html(_STYLE)
    with told_in_words():
        person = visitor(find_project(), words(language_of(None)))
        if person is None:
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            language = language_of(None)
            say = words(language)
            st.space("stretch")
            choose_language(language, say)
        show(say, person)


def _open(draw: Callable[[Project, Visitor], None]) -> None:
    """Draw a page for who may see it."""
    st.html(_STYLE)
    with told_in_words():
        project = find_project()
        person = visitor(project, words(language_of(project)))
        if person is not None:
            draw(project, person)


def _line(project: Project, person: Visitor, choose: Callable[[Words], Chosen]) -> tuple[Words, Chosen, str]:
    """Draw the line of choices; return the words of the language, what was chosen, and who looks."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        language = language_of(project)
        say = words(language)
        chosen = choose(say)
        analyst = person.name or _choose_analyst(say)
        st.space("stretch")
        choose_language(language, say)
    return say, chosen, analyst


def _keep(person: Visitor, analyst: str, chosen: dict[str, str]) -> None:
    """Keep what was chosen for the next page, and in the address; a person with an account is named by it alone."""
    values = chosen if person.name else {"by": analyst, **chosen}
    st.session_state.update({f"kept_{name}": value for name, value in values.items()})
    new = {name: value for name, value in values.items() if st.query_params.get(name) != value}
    if new:
        st.query_params.update(new)


def _choose_dataset(project: Project, names: list[str], say: Words) -> str:
    """Return the dataset of the address, else of this session, else the one whose daily list was made last."""
    if not names:
        return ""
    wished = _wished("dataset")
    made = {name: daily_folder(project, name) / "state.json" for name in names}
    newest = max(names, key=lambda name: made[name].stat().st_mtime if made[name].is_file() else 0.0)
    chosen = st.session_state.get("dataset")
    st.session_state["dataset"] = chosen if chosen in names else wished if wished in names else newest
    if len(names) == 1:
        return names[0]
    return str(
        st.selectbox(
            say("today.dataset"),
            names,
            key="dataset",
            format_func=visible_line,
            label_visibility="collapsed",
            width=240,
        )
    )


def _wished(name: str) -> str:
    return str(st.query_params.get(name) or st.session_state.get(f"kept_{name}") or "")


def _choose_analyst(say: Words) -> str:
    wished = _wished("by") or os.environ.get("SOCML_ANALYST") or _NAMELESS
    # Written each time: Streamlit forgets a field's text when another page is opened.
    st.session_state["analyst"] = st.session_state.get("analyst", wished[:_LONGEST_NAME])
    name = st.text_input(
        say("app.analyst"),
        key="analyst",
        max_chars=_LONGEST_NAME,
        placeholder=say("app.analyst"),
        label_visibility="collapsed",
        help=None,
        width=150,
    )
    return (name or "").strip() or _NAMELESS


def _choose_run(runs: list[Run], say: Words) -> Run | None:
    if not runs:
        return None
    by_id = {str(run["run_id"]): run for run in runs}
    wished = _wished("run")
    chosen = st.session_state.get("run")
    if chosen not in by_id:
        if wished and wished not in by_id:
            st.toast(say("app.no_such_run"))
        chosen = wished if wished in by_id else next(iter(by_id))
    st.session_state["run"] = chosen
    chosen = st.selectbox(
        say("app.run"),
        list(by_id),
        key="run",
        format_func=lambda run_id: _run_name(by_id[run_id], say),
        label_visibility="collapsed",
        width=460,
    )
    return by_id[str(chosen)]


def _run_name(run: Run, say: Words) -> str:
    n = int(run.get("rows", 0))
    finished = moment_text(str(run.get("finished", "")), say)
    about = {"dataset": run["dataset"], "model": run["model_version"], "rows": say.number(n), "at": finished}
    return visible_line(say("app.run_name", n=n, **about))


def say_how_to_begin(say: Words) -> None:
    """Say what to type while there is nothing to show."""
    st.subheader(say("app.empty.title"), anchor=False)
    st.text(say("app.empty.about"))
    st.code("socml demo", language=None)
    st.text(say("app.empty.own"))
    st.code("socml run daily office /var/log/zeek", language=None)
