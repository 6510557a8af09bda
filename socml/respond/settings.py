"""`respond.toml` beside socml.toml → where responses may go, and what is never blocked. Without the file nothing leaves.

allow = ["203.0.113.0/24", "example.org"]   # beside private addresses: never blocked

[the-hive]                      # a responder's name
url = "https://thehive.example"
key_variable = "THEHIVE_KEY"    # the environment variable that holds the key, never the key itself
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from socml.models import Known, read_context
from socml.project import (
    ConfigurationError,
    Project,
    Sentence,
    checked_own,
    component_names,
    did_you_mean,
    is_loopback,
    text_by_hand,
)

FILE = "respond.toml"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_KEYS = (
    "url", "key_variable", "plain_http", "organisation", "index", "sender", "to", "jail", "first_sid", "hours", "user",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Where one responder sends to, and how. `options` are the other keys of its section."""

    name: str
    url: str = ""
    key_variable: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def key(self) -> str:
        """Return the key.

        Raises
        ------
        ConfigurationError
            If the section names no variable, or the variable is empty.
        """
        if not self.key_variable:
            raise ConfigurationError(Sentence("error.respond.no_variable", file=FILE, name=self.name))
        key = os.environ.get(self.key_variable, "")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(Sentence("error.respond.no_key", variable=self.key_variable, name=self.name))
        return key

    def option(self, name: str, default: str = "") -> str:
        """Return another key of the section."""
        return str(self.options.get(name, default))


@dataclass(frozen=True)
class RespondSettings:
    """What `respond.toml` says.

    Attributes
    ----------
    allow : networks, and domains with all names below them, that are never blocked beside private ones
    language : of reports, the project's: two who confirm the same see the same
    """

    targets: Mapping[str, Target] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    language: str = "en"

    def target(self, name: str) -> Target:
        """Return where a responder sends to.

        Raises
        ------
        ConfigurationError
            If the file has no section of that name.
        """
        if name not in self.targets:
            raise ConfigurationError(Sentence("error.respond.no_section", file=FILE, name=name))
        return self.targets[name]


def read_settings(project: Project) -> RespondSettings:
    """Return what a project's `respond.toml` says; nothing may leave without one.

    Raises
    ------
    ConfigurationError
        For an unknown key or section, or an address that is none; no message repeats a value.
    """
    path = project.root / FILE
    own = _own(project)
    if not path.is_file():
        return RespondSettings(allow=own, language=project.language)
    try:
        given = tomllib.loads(text_by_hand(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    allow = checked_own(given.pop("allow", []), f"{path}: allow")
    known = component_names("responders")
    targets = {}
    for name, section in given.items():
        if name not in known or not isinstance(section, dict):
            raise ConfigurationError(f"{path}: there is no responder {name!r}.{did_you_mean(name, known)}")
        targets[name] = _target(name, section, path)
    return RespondSettings(targets, (*allow, *own), project.language)


def _own(project: Project) -> tuple[str, ...]:
    """Return what is the organisation's own by `context.csv` (but for what is only watched) and by [lookups] never."""
    context = read_context(project)
    machines = [name for name, known in context.entities.items() if replace(known, watch=False) != Known()]
    return (*project.never_looked_up, *map(str, context.inside), *machines)


def _target(name: str, section: dict[str, object], path: Path) -> Target:
    where = f"{path}: [{name}]"
    for key in section:
        if key not in _KEYS:
            raise ConfigurationError(f"{where} has an unknown key {key!r}.{did_you_mean(key, _KEYS)}")
    variable = str(section.get("key_variable", ""))
    if variable and not _VARIABLE.fullmatch(variable):
        raise ConfigurationError(
            f"{where}: key_variable names an environment variable, in capitals; it is never the key."
        )
    url = str(section.get("url", ""))
    if url:
        _check_url(url, where, plain=section.get("plain_http") is True)
    options = {k: str(v) for k, v in section.items() if k not in ("url", "key_variable", "plain_http")}
    return Target(name, url.rstrip("/"), variable, options)


def _check_url(url: str, where: str, *, plain: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{where}: url is no URL.") from None
    if not host or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        raise ConfigurationError(f"{where}: url is an address without user and password.")
    schemes = {"https", "smtps"} | ({"http", "smtp"} if plain or is_loopback(host) else set())
    if parts.scheme not in schemes:
        raise ConfigurationError(
            f"{where}: url begins with https:// or smtps://. Without encryption only to this machine, or with plain_http = true."
        )
