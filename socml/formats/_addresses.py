"""Text that may be an address → the address in its usual spelling, or None; text of ports and hosts taken apart."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

__all__ = ["address", "address_and_port"]

_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::(?P<port6>\d{1,5}))?|(?P<v4>[0-9.]+):(?P<port>\d{1,5})")


@lru_cache(maxsize=65536)
def address(text: str | None) -> str | None:
    """Return an IP address in its usual spelling (RFC 5952); None if `text` is none.

    Examples
    --------
    >>> address("fe80:0000::0001"), address("::ffff:10.0.0.1"), address("web01"), address("010.0.0.1")
    ('fe80::1', '10.0.0.1', None, None)
    """
    try:
        found = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def address_and_port(text: str | None) -> tuple[str | None, int | None]:
    """Return the address and the port of `10.0.0.1:80`, `[::1]:80`, or of a bare address, which has no port.

    Examples
    --------
    >>> address_and_port("10.0.0.1:80"), address_and_port("[::1]:80"), address_and_port("::1"), address_and_port("x")
    (('10.0.0.1', 80), ('::1', 80), ('::1', None), (None, None))
    """
    bare = address(text)
    found = _WITH_PORT.fullmatch((text or "").strip())
    if bare or not found:
        return bare, None
    port = found["port"] or found["port6"]
    number = int(port) if port and int(port) < 65536 else None
    return address(found["v4"] or found["v6"]), number
