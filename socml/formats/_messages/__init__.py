"""Declarations of what daemons write → templates of messages, each with the cases that its file gives.

One TOML file a family of programs. `programs` names who writes such messages; `[[message]]` gives a pattern that must
match from the message's start (groups are event columns, or fields of `extra`), its `action`, `outcome` and `kind`, and
`cases`: messages with the columns that they become. Patterns take linear time; a test looks at each.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

__all__ = ["KINDS", "Declaration", "Template", "declarations"]

KINDS: dict[str, tuple[int | None, str]] = {
    "authentication": (3002, "authentication"), "iam": (3001, "iam"), "process": (1007, "process"),
    "network": (4001, "network"), "web": (4002, "web"), "dns": (4003, "network"), "email": (4009, "email"),
    "detection": (2004, "intrusion_detection"), "dhcp": (4004, "network"), "tunnel": (4014, "network"), "file": (1001, "file"), "host": (None, "host"),
}  # fmt: skip


@dataclass(frozen=True)
class Template:
    """A message: its pattern (groups are event columns, or fields of `extra`), action, outcome and OCSF class."""

    pattern: re.Pattern[str]
    action: str
    outcome: str | None = None
    kind: tuple[int | None, str] = KINDS["authentication"]

    @cached_property
    def columns(self) -> Mapping[str, object]:
        """The columns that are the same for every message of this form."""
        named = {"class_uid": self.kind[0], "event_category": self.kind[1]}
        return {**named, "event_action": self.action, "event_outcome": self.outcome}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the pattern's groups."""
        return tuple(self.pattern.groupindex)


@dataclass(frozen=True)
class Declaration:
    """One file: who writes these messages, and what they are."""

    name: str
    about: str
    specification: str
    programs: tuple[str, ...]
    templates: tuple[Template, ...]
    cases: tuple[tuple[str, dict[str, object]], ...] = field(default=(), compare=False)


@cache
def declarations() -> tuple[Declaration, ...]:
    """Return all of them, in the order of their names."""
    return tuple(_declaration(path) for path in sorted(Path(__file__).parent.glob("*.toml")))


def _declaration(path: Path) -> Declaration:
    with path.open("rb") as file:
        content = tomllib.load(file)
    templates = tuple(
        Template(
            re.compile(one["pattern"]), one["action"], one.get("outcome"), KINDS[one.get("kind", "authentication")]
        )
        for one in content["message"]
    )
    cases = tuple((text, expected) for one in content["message"] for text, expected in one.get("cases", {}).items())
    return Declaration(
        path.stem, content["about"], content["specification"], tuple(content["programs"]), templates, cases
    )
