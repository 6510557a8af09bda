"""What every responder promises: a draft that says all that would leave, inert and without what is never blocked."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from socml.project import ConfigurationError, Project, ScratchFolder, safe_name
from socml.respond import Case, CaseRow, Draft, Responder, RespondSettings, read_settings

OUTSIDE, OWN, NAME = "9.9.9.9", "10.0.0.1", "evil.example.net"
HOSTILE = 'x"; sid:1;)\r\nreject ip any any\n- [a](javascript:1) <img src=x> =1+1 \u202e\x1b[31m'


class _Class(Protocol):
    """A responder's class."""

    def __call__(self) -> Responder: ...


def has_what_a_responder_has(responder: _Class) -> None:
    """It is a class without parameters that says `sends` and `blocks`, and has draft, apply, undo and state."""
    assert inspect.isclass(responder), "it is no class"
    made = responder()
    for name in ("sends", "blocks"):
        assert isinstance(getattr(made, name, None), bool), f"{name} is not True or False"
    for name in ("draft", "apply", "undo", "state"):
        assert callable(getattr(made, name, None)), f"it has no method {name}"


def drafts_the_same_twice(responder: _Class) -> None:
    """The draft of a case is the same each time: what a person confirms is what leaves."""
    with _lab() as (case, settings, _):
        first, second = (_draft(responder, case, settings) for _ in range(2))
        if first is not None and second is not None:
            assert first.digest == second.digest, "two drafts of one case differ: leave out the time, and what is drawn"


def says_where_to_before_it_sends(responder: _Class) -> None:
    """One that sends and has no section in respond.toml says so, and nothing leaves."""
    with _lab() as (case, settings, _):
        if not responder().sends:
            return
        sentence = ""
        try:
            responder().draft(case, settings)
        except ConfigurationError as error:
            sentence = str(error)
        assert "respond.toml" in sentence, (
            f"it does not name respond.toml, where a section says where to: {sentence or 'no error'}"
        )


def writes_files_of_plain_names(responder: _Class) -> None:
    """Names of its files are names, and no paths."""
    with _lab() as (case, settings, _):
        for name in _files(responder, case, settings):
            assert safe_name(name) == name, f"{name!r} is no plain name"


def keeps_hostile_text_inert(responder: _Class) -> None:
    """Text of a log comes through without control or bidirectional characters, and never begins a line of its own."""
    with _lab() as (case, settings, _):
        for name, text in _files(responder, case, settings).items():
            strange = {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\r\n\t"}
            assert not strange, f"{name} holds {sorted(map(ascii, strange))}: use visible_line"
            lines = [line for line in text.splitlines() if line.startswith("reject ip")]
            assert not lines, f"{name} has a line that a log wrote: {lines[:1]}"


def blocks_no_own_address(responder: _Class) -> None:
    """One that blocks names addresses outside, and never one of your own or of `allow`."""
    if not responder().blocks:
        return
    with _lab() as (case, settings, _):
        text = "\n".join(_files(responder, case, settings).values())
        for never in (OWN, "127.0.0.1", "8.8.8.8"):
            assert never not in text, f"it would block {never}: name observables(case, settings).blockable only"


def takes_back_what_it_wrote(responder: _Class) -> None:
    """Files that it wrote are gone once it was undone, where its draft says that it can be."""
    with _lab() as (case, settings, project):
        made = responder()
        draft = _draft(responder, case, settings)
        if made.sends or draft is None or not draft.undo:
            return
        reference = made.apply(draft, case, settings, project)
        made.undo(reference, case, settings, project)
        left = [path.name for path in (project.workspace / "responses").rglob("*") if path.is_file()]
        assert not left, f"{left[0]} is left"


def says_what_it_does(responder: _Class) -> None:
    """Its docstring says what leaves."""
    assert (responder.__doc__ or "").strip(), "write a docstring"


PROMISES = (
    has_what_a_responder_has,
    drafts_the_same_twice,
    says_where_to_before_it_sends,
    writes_files_of_plain_names,
    keeps_hostile_text_inert,
    blocks_no_own_address,
    takes_back_what_it_wrote,
    says_what_it_does,
)


@contextmanager
def _lab() -> Iterator[tuple[Case, RespondSettings, Project]]:
    """Enter a case of a malicious host, in a project of its own without sections of senders."""
    with ScratchFolder("check") as folder:
        root = Path(folder)
        (root / "respond.toml").write_text('allow = ["8.8.8.0/24"]\n', encoding="utf-8")
        project = Project(root=root, workspace=root / "workspace")
        row = CaseRow("r1", "2026-03-03", OUTSIDE, "source outside", HOSTILE, ("scan",))
        case = Case(
            id="2026-0001",
            title=HOSTILE,
            dataset="office",
            by="ana",
            opened=datetime(2026, 3, 3, tzinfo=UTC),
            outcome="malicious",
            techniques=("T1046",),
            rows=(row,),
            entities=(OUTSIDE, OWN, "8.8.8.8", "127.0.0.1", NAME, HOSTILE),
        )
        yield case, read_settings(project), project


def _draft(responder: _Class, case: Case, settings: RespondSettings) -> Draft | None:
    """Return its draft; None of one that sends, whose section is not there."""
    made = responder()
    if made.sends:
        return None
    draft = made.draft(case, settings)
    assert isinstance(draft, Draft), f"draft gives a {type(draft).__name__}, and no Draft"
    return draft


def _files(responder: _Class, case: Case, settings: RespondSettings) -> dict[str, str]:
    draft = _draft(responder, case, settings)
    return cast("dict[str, str]", dict(draft.files)) if draft else {}
