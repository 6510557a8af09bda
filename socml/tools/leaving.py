"""An indicator → whether it may leave the machine: what is not public, and what is the organisation's own, stays.

A URL is looked through: the address of a colleague, or of an inner host, in its path or query keeps it here too.
Blind to what is written in a way that is not known here: a name in Base64 within a URL is not seen.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from socml.project import Address, is_public, network_of, with_inner
from socml.tools.indicators import Indicator

# No public name ends so: RFC 6761, 6762, 8375, ICANN's .internal, and what inner networks are called.
_INNER = set("arpa corp home internal intranet invalid lan local localdomain localhost private test".split())
_TOKEN = re.compile(r"[\w:-]+(?:\.[\w:-]+)+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_LAYERS = 3  # of percent signs
LONGEST = 2000  # characters of a URL; in a longer one there may be anything


def reason_to_keep(one: Indicator, never: Sequence[str] = ()) -> str:
    """Return why an indicator must not be sent: "own", "private", "secret" or "long"; "" if it may be.

    Parameters
    ----------
    never : domains, with all names below them, and networks that are the organisation's own

    Examples
    --------
    >>> reason_to_keep(Indicator("ipv4", "10.0.0.1")), reason_to_keep(Indicator("ipv4", "9.9.9.9"))
    ('private', '')
    >>> reason_to_keep(Indicator("url", "https://evil.example/?to=ann%40mail.firm.example"), ["firm.example"])
    'own'
    """
    if one.kind in ("ipv4", "ipv6", "domain"):
        return _of_host(one.value, never)
    return _of_url(one.value, never) if one.kind == "url" else ""


def _of_url(url: str, never: Sequence[str]) -> str:
    if len(url) > LONGEST:
        return "long"
    try:
        parts = urlsplit(url)
        host, secret = parts.hostname or "", parts.username is not None or parts.password is not None
    except ValueError:
        return "private"
    rest = f"{parts.path} {parts.query} {parts.fragment}"
    reasons = {_of_host(host, never), *(_of_part(token, never) for token in _tokens(rest)), "secret" if secret else ""}
    return next((reason for reason in ("own", "private", "secret") if reason in reasons), "")


def _of_host(host: str, never: Sequence[str]) -> str:
    address = _as_address(host)
    if address is not None:
        return _of_address(address, never)
    name = _plain(host)
    if _is_below(name, never):
        return "own"
    last = name.rpartition(".")[2]
    # A number at the end is an address in an odd form, 127.1 or 0x7f.1, and no label means a name of the inner network.
    return "private" if "." not in name or last in _INNER or not last or last[0].isdigit() else ""


def _of_part(token: str, never: Sequence[str]) -> str:
    """Return why a piece of a URL keeps it here. Most pieces are no hosts at all, so that only what is surely inner counts."""
    for piece in (token, token.partition(":")[0]):
        address = _as_address(piece)
        if address is not None:
            return _of_address(address, never)
    name = _plain(token.partition(":")[0])
    if _is_below(name, never):
        return "own"
    return "private" if name.rpartition(".")[2] in _INNER else ""


def _of_address(address: Address, never: Sequence[str]) -> str:
    every = list(with_inner(address))
    networks = [network for one in never if (network := network_of(one)) is not None]
    if any(one.version == network.version and one in network for one in every for network in networks):
        return "own"
    return "" if is_public(address) else "private"


def _tokens(text: str) -> Iterator[str]:
    for _ in range(_LAYERS):
        yield from (match.group() for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)))
        clear = unquote(text)
        if clear == text:
            return
        text = clear


def _plain(name: str) -> str:
    """Return a name as resolvers see it, however it was written."""
    name = unicodedata.normalize("NFKC", unquote(name)).replace("\u3002", ".").strip(".").lower()
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _is_below(name: str, never: Sequence[str]) -> bool:
    return any(name == own or name.endswith(f".{own}") for own in map(_plain, never) if own)


def _as_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
