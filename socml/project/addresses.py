"""A network address, or a host of a URL however it is spelt → whether it is public; a list of one's own → it, checked."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterator

from socml.project.errors import ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_OWN_NAME = re.compile(r"(?:[\w-]+\.)*[\w-]*[^\W\d][\w-]*")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")  # RFC 9637: later than Python's own list


def spelt_address(host: str) -> Address | None:
    """Return the address that a host of a URL is, also in the old spellings that resolvers take; None for a name.

    Examples
    --------
    >>> spelt_address("2130706433"), spelt_address("0x7f.1"), spelt_address("0177.0.0.1"), spelt_address("[::1]")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), IPv6Address('::1'))
    >>> spelt_address("example.org")
    """
    host = unicodedata.normalize("NFKC", host).strip("[]").rstrip(".")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if host.strip() == host else None
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Return whether an address, and every address that it stands for, is on the public internet.

    Examples
    --------
    >>> is_public(ipaddress.ip_address("9.9.9.9")), is_public(ipaddress.ip_address("::ffff:10.0.0.1"))
    (True, False)
    """
    return all(_is_public(one) for one in with_inner(address))


def with_inner(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 addresses that it stands for: mapped, 6to4, Teredo, NAT64."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo or ()
        for inner in (address.ipv4_mapped, address.sixtofour, *teredo):
            if inner is not None:
                yield inner
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def network_of(text: str) -> Network | None:
    """Return the network, or the one address, that a text is; one of IPv4 that is written as IPv6 is the IPv4 one.

    Examples
    --------
    >>> network_of("10.1.2.3/8"), network_of("::ffff:9.9.9.0/120"), network_of("example.org")
    (IPv4Network('10.0.0.0/8'), IPv4Network('9.9.9.0/24'), None)
    """
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        return ipaddress.IPv4Network((int(found.network_address) & 0xFFFFFFFF, found.prefixlen - 96))
    return found


def checked_own(given: object, where: str) -> tuple[str, ...]:
    """Return a list of the organisation's own networks and domains, if that is what it is.

    Raises
    ------
    ConfigurationError
        If it is no list, or holds what is neither: what nobody understands would protect nothing.
    """
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ConfigurationError(f'{where} must be a list of domains and networks: ["example.org", "10.0.0.0/8"].')
    for one in given:
        if network_of(one) is None and not _OWN_NAME.fullmatch(one.strip(".")):
            raise ConfigurationError(
                f"{where} holds {one!r}, which is no domain and no network. "
                "Write example.org (the names below it are meant too) or 10.0.0.0/8."
            )
    return tuple(given)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return True  # its IPv4 address is looked at by itself
        if address.scope_id or address.is_site_local or address in _DOCUMENTATION:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
