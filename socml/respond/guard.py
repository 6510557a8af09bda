"""A case → what of it may be blocked or named in a rule: public addresses and names, never one's own, private or allow-listed.

Every responder that blocks takes its addresses from here and from nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from socml.project import Address, is_public
from socml.respond.cases import Case
from socml.respond.settings import RespondSettings
from socml.tools import find_indicators

MOST = 200  # addresses of one action
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
    blockable = [one for one in addresses if not _withheld(one, settings, held)]
    names = [name for name in domains if not _own_name(name, settings, held)]
    return Observables(
        tuple(addresses), tuple(domains), tuple(hosts), tuple(blockable[:MOST]), tuple(names[:MOST]), tuple(held)
    )


def why_held(address: Address, settings: RespondSettings) -> str:
    """Return why an address is never blocked, as the key of a sentence; empty if it may be.

    Examples
    --------
    >>> settings = RespondSettings(allow=("8.8.8.0/24",))
    >>> [why_held(ipaddress.ip_address(a), settings) for a in ("10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1", "9.9.9.9")]
    ['not_public', 'allowed', 'not_public', '']
    """
    if not is_public(address):
        return "not_public"
    inner = [address, *([address.ipv4_mapped] if isinstance(address, ipaddress.IPv6Address) else [])]
    if any(one is not None and one in network for one in inner for network in settings.networks()):
        return "allowed"
    return ""


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


def _withheld(address: Address, settings: RespondSettings, held: list[tuple[str, str]]) -> bool:
    why = why_held(address, settings)
    if why:
        held.append((str(address), why))
    return bool(why)


def _own_name(name: str, settings: RespondSettings, held: list[tuple[str, str]]) -> bool:
    own = any(name == mine or name.endswith(f".{mine}") for mine in settings.names())
    if own:
        held.append((name, "allowed"))
    return own
