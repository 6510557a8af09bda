"""A case → what of it may be blocked or named in a rule: public addresses and names, never one's own, private or allow-listed.

Every responder that blocks takes its addresses from here and from nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from socml.project import Address, is_public
from socml.respond.cases import Case
from socml.respond.settings import RespondSettings
from socml.tools import Indicator, find_indicators, reason_to_keep

MOST = 200  # addresses of one action
T = TypeVar("T", Address, str)
_HELD = {"own": "allowed", "private": "not_public", "": ""}
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Observables:
    """What a case is about, sorted by kind. `held` says what was left out of blocks, and why (a key of a sentence)."""

    addresses: tuple[Address, ...]
    domains: tuple[str, ...]
    hosts: tuple[str, ...]
    blockable: tuple[Address, ...]
    blockable_domains: tuple[str, ...]
    held: tuple[tuple[str, str], ...]


def observables(case: Case, settings: RespondSettings) -> Observables:
    """Return the addresses and names of a case's entities and sentences, each once, and which of them may be blocked."""
    addresses: dict[Address, None] = {}
    domains: dict[str, None] = {}
    hosts: dict[str, None] = {}
    for text in (*case.entities, *(row.line for row in case.rows)):
        for kind, value in _found(text):
            if kind == "ip":
                addresses[ipaddress.ip_address(value)] = None
            elif kind == "domain" and is_name(value.lower()):
                domains[value.lower()] = None
    for entity in case.entities:
        if not _is_address(entity) and not is_name(entity.lower()):
            hosts[entity] = None
    held: list[tuple[str, str]] = []
    blockable = _allowed(addresses, settings, held)
    names = _allowed(domains, settings, held)
    return Observables(tuple(addresses), tuple(domains), tuple(hosts), blockable, names, tuple(held))


def why_held(one: Address | str, settings: RespondSettings) -> str:
    """Return why an address or a name is never blocked, as the key of a sentence; empty if it may be.

    Examples
    --------
    >>> settings = RespondSettings(allow=("8.8.8.0/24", "firm.example"))
    >>> [why_held(ipaddress.ip_address(a), settings) for a in ("10.0.0.1", "8.8.8.8", "::ffff:8.8.8.8", "9.9.9.9")]
    ['not_public', 'allowed', 'allowed', '']
    >>> [why_held(name, settings) for name in ("www.firm.example", "dc1.corp", "evil.example")]
    ['allowed', 'not_public', '']
    """
    if not isinstance(one, str) and not is_public(one):
        return "not_public"
    kind = "domain" if isinstance(one, str) else f"ipv{one.version}"
    return _HELD[reason_to_keep(Indicator(kind, str(one)), settings.allow)]


def is_name(text: str) -> bool:
    """Return whether text is a domain name in ASCII, fit to stand in a rule without quoting.

    Examples
    --------
    >>> is_name("evil.example.net"), is_name('evil"; reject ip any any'), is_name("web1")
    (True, False, False)
    """
    return bool(_NAME.fullmatch(text))


def _found(text: str) -> Iterable[tuple[str, str]]:
    for found in find_indicators(text):
        kind = {"ipv4": "ip", "ipv6": "ip"}.get(found.kind, found.kind)
        yield kind, found.value


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _allowed(found: Iterable[T], settings: RespondSettings, held: list[tuple[str, str]]) -> tuple[T, ...]:
    """Return which of some addresses or names may be blocked, `MOST` at most; what is left out is held, with its reason."""
    allowed: list[T] = []
    for one in found:
        why = why_held(one, settings) or ("too_many" if len(allowed) == MOST else "")
        if why:
            held.append((str(one), why))
        else:
            allowed.append(one)
    return tuple(allowed)
