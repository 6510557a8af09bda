"""Text that may be an address → the address in its usual spelling, or None; text of ports and hosts taken apart."""

from __future__ import annotations

import ipaddress
import re

from socml.formats._remembered import remembered

__all__ = ["address", "address_and_port", "address_text"]

_WITH_PORT = re.compile(
    r"\[(?P<v6>[^\]]+)\](?::(?:(?P<port6>\d{1,5})|\*))?|(?P<v4>[0-9.]+)"
    r"(?:%[\w.-]{1,64})?(?:/(?P<behind>\d{3,5})|[:#](?:(?P<port>\d{0,5})(?::[\w.-]{1,64}){0,2}|\*))"  # no mask has three digits
)
# Java, Samba, sockets and Asterisk write a name and a sign, or the protocol before an address
_FRONT = re.compile(
    r"(?!(?:\d{1,3}\.){3}\d{1,3}/(?:(?:255|0)\.(?!0\.0\.0)|\d{3,5}$))(?:[\w.-]{1,253})?/(?=[\d\[]|[0-9a-fA-F]{1,4}:)|/|ipv[46]:|(?:tcp|udp)[46]?(?:-[a-z]{1,8})?:(?=[\d\[])|[a-z]{2,5}[46]?://|(?P<by_slashes>IPV[46]/[A-Z]{2,4}/)"
)


def address(text: object) -> str | None:
    """Return an IP address in its usual spelling (RFC 5952); None if `text` is none.

    Examples
    --------
    >>> address("fe80:0000::0001"), address("::ffff:10.0.0.1"), address("web01"), address("010.0.0.1")
    ('fe80::1', '10.0.0.1', None, None)
    """
    return _address(text) if isinstance(text, str) else None


@remembered(65536)
def _address(text: str) -> str | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return address_text(found)


def address_text(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the usual spelling of an address; of an IPv4 address within IPv6, that of IPv4.

    `str` writes the latter as ::ffff:a00:1 up to Python 3.12, and as ::ffff:10.0.0.1 since.

    Examples
    --------
    >>> address_text(ipaddress.IPv6Address(0xFFFF << 32 | 0x0A000001))
    '10.0.0.1'
    """
    return str(getattr(found, "ipv4_mapped", None) or found)


def address_and_port(text: str | None) -> tuple[str | None, int | None]:
    """Return the address and the port of `10.0.0.1:80`, `[::1]:80`, or of a bare address, which has no port.

    A word for the protocol before the address, its interface (`127.0.0.1%lo:53`), and the one that SonicWall writes behind a port, with
    the host's name perhaps, are left out; a port that is any (`*`) is none, and so is an address with its mask (`192.0.2.0/255.255.255.0`).

    Examples
    --------
    >>> address_and_port("10.0.0.1:80"), address_and_port("[::1]:80"), address_and_port("::1"), address_and_port("x")
    (('10.0.0.1', 80), ('::1', 80), ('::1', None), (None, None))
    >>> address_and_port("10.0.0.1/443"), address_and_port("10.0.0.0/24")
    (('10.0.0.1', 443), (None, None))
    """
    text = (text or "").strip()
    if front := _FRONT.match(text):
        text = text[front.end() :]
        if front["by_slashes"]:
            host, _, behind = text.partition("/")
            text = f"[{host}]:{behind}" if ":" in host else f"{host}:{behind}"
    bare = address(text)
    found = _WITH_PORT.fullmatch(text)
    if bare or not found:
        return bare, None
    port = found["port"] or found["port6"] or found["behind"]
    number = int(port) if port and int(port) < 65536 else None
    return address(found["v4"] or found["v6"]), number
