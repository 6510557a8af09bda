"""The number of an IP protocol → its name, as in the Elastic Common Schema; what a transport is called."""

from __future__ import annotations

__all__ = ["TRANSPORTS", "transport"]

# https://www.iana.org/assignments/protocol-numbers
TRANSPORTS = {
    0: "hopopt", 1: "icmp", 2: "igmp", 4: "ipv4", 6: "tcp", 8: "egp", 17: "udp", 33: "dccp", 41: "ipv6", 46: "rsvp",
    47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp", 88: "eigrp", 89: "ospf", 94: "ipip", 103: "pim", 112: "vrrp",
    115: "l2tp", 132: "sctp", 136: "udplite",
}  # fmt: skip


def transport(number: int | None) -> str | None:
    """Return the name of a protocol number; its digits if it has no well-known name.

    Examples
    --------
    >>> transport(6), transport(58), transport(253), transport(None)
    ('tcp', 'ipv6-icmp', '253', None)
    """
    return None if number is None else TRANSPORTS.get(number, str(number))
