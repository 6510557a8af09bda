"""A case and a target → a draft of exactly what would leave; applied as it was shown, or not at all.

A responder is one file in `responders/`, with one class of the file's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from socml.project import Project, private_file, private_folder, replacing, safe_name
from socml.respond.cases import Begun, Case
from socml.respond.settings import RespondSettings


@dataclass(frozen=True)
class Draft:
    """What would leave: files, or one request.

    Attributes
    ----------
    target : where to, without any key
    files : name → text, of a responder that writes files
    body : of a responder that sends
    held : what was left out, and why: (value, key of a sentence)
    undo : how it can be taken back, as the key of a sentence; empty if it cannot
    begun : earlier tries that may have left: who confirms the digest has seen them
    """

    target: str
    files: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    held: tuple[tuple[str, str], ...] = ()
    undo: str = ""
    begun: tuple[Begun, ...] = ()

    @property
    def digest(self) -> str:
        """A hash of all that would leave: who confirms names it, so nothing else goes."""
        parts = [self.target, self.body, *(f"{name}\n{text}" for name, text in sorted(self.files.items()))]
        parts += [one.id for one in self.begun]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def empty(self) -> bool:
        """Whether nothing is left to send."""
        return not self.body and not any(self.files.values())


class Responder(Protocol):
    """What every file in `responders/` holds. Those that send have a section of their name in `respond.toml`."""

    sends: bool
    blocks: bool  # traffic: only of a case that a person called malicious

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return what would leave; nothing does."""

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Let a draft leave, and return what the other side calls it."""

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Take it back, and return what was done."""

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return what the other side says it turned out to be: a verdict, or empty."""


class FileResponder:
    """A responder that writes files into the case's folder in the workspace, for whoever carries them on."""

    sends = False
    blocks = False

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return what would be written."""
        raise NotImplementedError

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Write the files, readable by their owner only, and return the folder."""
        folder = case_folder(project, case)
        for name, text in draft.files.items():
            path = private_file(folder / safe_name(name))
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="")
        return str(folder)

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Remove the files that this responder drafts for the case."""
        folder = case_folder(project, case)
        names = [name for name in self.draft(case, settings).files if (folder / safe_name(name)).is_file()]
        for name in names:
            (folder / safe_name(name)).unlink()
        return ", ".join(names)

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return nothing: a file says nothing back."""
        return ""


def case_folder(project: Project, case: Case) -> Path:
    """Return the folder of a case's files, for its owner only."""
    return private_folder(project.folder("responses") / safe_name(case.id))
