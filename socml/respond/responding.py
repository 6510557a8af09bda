"""A responder's name and a case → a preview; confirmed by its digest, it leaves, with an audit row; undone where possible."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from socml.labels import LabelStore
from socml.project import DataError, Project, Sentence, SocmlError, component, component_names, one_at_a_time
from socml.respond.cases import Case, Cases, Sent
from socml.respond.responder import Draft, Responder
from socml.respond.senders import MayHaveLeft
from socml.respond.settings import read_settings


@dataclass(frozen=True)
class Outcome:
    """What became of a response."""

    case: Case
    reference: str
    sent_before: bool = False


def responder_names() -> list[str]:
    """Return the names of all responders."""
    return component_names("responders")


def preview(name: str, case: Case, *, project: Project) -> Draft:
    """Return exactly what would leave, in the project's language whoever asks. Nothing does.

    Raises
    ------
    UnknownName
        If there is no such responder.
    ConfigurationError
        If `respond.toml` does not say where to.
    DataError
        If the case may not leave: TLP red goes to nobody.
    """
    responder, settings = _responder(name), read_settings(project)
    if responder.sends and case.tlp == "red":
        raise DataError(Sentence("error.respond.red", case=case.id))
    begun = tuple(one for one in case.begun if one.responder == name)
    return replace(responder.draft(case.in_language(settings.language), settings), begun=begun)


def respond(name: str, case_id: str, *, store: LabelStore, project: Project, by: str, confirmed: str) -> Outcome:
    """Let what was previewed leave, and record it. What is sent is recorded before, too: a second preview tells of it.

    Parameters
    ----------
    confirmed : the digest of the draft that was shown

    Raises
    ------
    DataError
        If the case changed since, or nothing is left to send.
    TryLater
        If the other side is away: the same call is safe to repeat.
    MayHaveLeft
        If nobody knows whether it left: another preview says so, and has another digest.
    """
    store.journal.check_writable()  # a viewer's page may ask for it, whatever it draws
    with one_at_a_time(project.folder("responses") / "lock"):  # two who confirm the same at once send it once
        return _confirmed(name, case_id, store=store, project=project, by=by, confirmed=confirmed)


def _confirmed(name: str, case_id: str, *, store: LabelStore, project: Project, by: str, confirmed: str) -> Outcome:
    cases = Cases(store)
    case = cases.get(case_id)
    before = next((s for s in case.sent if s.responder == name and s.digest == confirmed and not s.undone), None)
    if before is not None:
        return Outcome(case, before.reference, sent_before=True)
    draft = preview(name, case, project=project)
    if (why := why_not_yet(name, case)) is not None:
        raise DataError(why)
    if draft.digest != confirmed:
        raise DataError(Sentence("error.respond.changed", case=case_id))
    if draft.empty:
        raise DataError(Sentence("error.respond.nothing", n=len(draft.held)))
    reference = _applied(name, draft, case, store=store, project=project, by=by)
    digest = replace(draft, begun=()).digest
    body = {"responder": name, "target": draft.target, "reference": reference, "digest": digest}
    store.journal.add("response.sent", case_id, body, by=by, client_id=uuid.uuid4().hex, dataset=case.dataset)
    return Outcome(cases.get(case_id), reference)


def _applied(name: str, draft: Draft, case: Case, *, store: LabelStore, project: Project, by: str) -> str:
    """Let a draft leave. That it is about to is recorded first, and taken back if it surely did not; files are just written."""
    responder, settings = _responder(name), read_settings(project)
    if not responder.sends:
        return responder.apply(draft, case, settings, project)
    with _recorded_first(
        "response.begun", "response.not_sent", {"responder": name, "target": draft.target}, case, store, by
    ):
        return responder.apply(draft, case, settings, project)


@contextmanager
def _recorded_first(
    kind: str, failed: str, body: dict[str, str], case: Case, store: LabelStore, by: str
) -> Iterator[None]:
    """Record that something is about to leave, and that it surely did not if it fails so; a process that dies leaves the first."""
    begun = store.journal.add(kind, case.id, body, by=by, dataset=case.dataset)
    try:
        yield
    except MayHaveLeft:
        raise
    except SocmlError:
        store.journal.add(failed, case.id, {"of": body.get("of", begun.client_id)}, by=by, dataset=case.dataset)
        raise


def why_not_yet(name: str, case: Case) -> Sentence | None:
    """Return why a response may be looked at and does not leave: what blocks needs a case that a person called malicious."""
    is_called = case.outcome == "malicious"
    return Sentence("error.respond.not_malicious", case=case.id) if _responder(name).blocks and not is_called else None


def can_be_undone(name: str) -> bool:
    """Say whether what a responder let leave can be taken back at all; each says so itself (`undo_key`), if it is there still."""
    return name in responder_names() and getattr(_responder(name), "undo_key", name) != ""


def goes_elsewhere(name: str) -> bool:
    """Say whether a responder sends to another system, which can then be asked; the others write files of the project."""
    return name in responder_names() and _responder(name).sends


def undo_response(sent_id: str, case_id: str, *, store: LabelStore, project: Project, by: str) -> Outcome:
    """Take a response back where the other side allows it, and record that. What is sent is recorded before, too.

    Raises
    ------
    DataError
        If there is none of that id, it was taken back, or cannot be.
    MayHaveLeft
        If nobody knows whether it was taken back: the case says so until it is done once more.
    """
    store.journal.check_writable()
    with one_at_a_time(project.folder("responses") / "lock"):
        cases = Cases(store)
        case = cases.get(case_id)
        sent = _sent(case, sent_id)
        if sent.undone:
            raise DataError(Sentence("error.respond.taken_back"))
        body = {"of": sent.id, "responder": sent.responder}
        with _recorded_first("response.undo_begun", "response.not_undone", body, case, store, by):
            told = _responder(sent.responder).undo(sent.reference, case, read_settings(project), project)
        store.journal.add("response.undone", case_id, {**body, "told": told}, by=by, dataset=case.dataset)
        return Outcome(cases.get(case_id), told)


def read_back(case_id: str, *, store: LabelStore, project: Project, by: str) -> Case:
    """Ask where a case was sent to what it turned out to be there, and take that over as its outcome."""
    store.journal.check_writable()
    cases, settings = Cases(store), read_settings(project)
    case = cases.get(case_id)
    for sent in case.sent:
        if sent.undone or not goes_elsewhere(sent.responder):  # or the project has it no more
            continue
        state = _responder(sent.responder).state(sent.reference, settings)
        if state and state != case.outcome:
            case = cases.change(case_id, by=by, outcome=state)
            case = cases.note(case_id, f"{sent.responder} {sent.reference}: {state}", by=by)
    return case


def _sent(case: Case, sent_id: str) -> Sent:
    found = next((sent for sent in case.sent if sent.id == sent_id), None)
    if found is None:
        raise DataError(f"Case {case.id} has no response {sent_id!r}.")
    return found


def _responder(name: str) -> Responder:
    return cast(Responder, component("responders", name)())
