"""Connections of senders → which of them must end, so that no other sender is ever shut out.

A newcomer always gets in. Where there are too many, the idlest connection of the address that has most is ended: one
address cannot push out another, and whoever sends is not the idlest. Blind to messages that come in steadily from an
attacker with very many addresses. Time is that of the caller, in seconds.
"""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from socml.ingestion.octet_framing import Frames

__all__ = ["IDLE_S", "IN_ALL", "OF_ONE_ADDRESS", "SLOW_S", "Client", "Clients"]

IN_ALL = 200
OF_ONE_ADDRESS = 50
IDLE_S = 900.0  # without a byte; a sender that has nothing to say for longer connects again
SLOW_S = 60.0  # from a message's first byte to its last


@dataclass(eq=False)
class Client:
    """One connection: whose it is, and when it last sent a byte and ended a message."""

    connection: socket.socket
    sender: str
    heard_at: float
    message_at: float
    frames: Frames = field(default_factory=Frames)

    def take(self, data: bytes, now: float) -> list[bytes]:
        """Return the messages that end in `data`."""
        was_waiting = self.frames.is_waiting
        messages = self.frames.feed(data)
        self.heard_at = now
        if messages or not was_waiting or not self.frames.is_waiting:
            self.message_at = now
        return messages

    def is_over(self, now: float) -> bool:
        """Say whether it was silent, or one message was on its way, for too long."""
        return now - self.heard_at > IDLE_S or (self.frames.is_waiting and now - self.message_at > SLOW_S)


class Clients:
    """The connections there are."""

    def __init__(self) -> None:
        self.of: dict[socket.socket, Client] = {}

    def __len__(self) -> int:
        return len(self.of)

    def add(self, connection: socket.socket, sender: str, now: float) -> list[Client]:
        """Count a connection; return those that must end for it."""
        house = _house(sender)
        own = [client for client in self.of.values() if _house(client.sender) == house]
        victims = [_idlest(own)] if len(own) >= OF_ONE_ADDRESS else []
        if not victims and len(self.of) >= IN_ALL:
            victims = [self.one_too_many()]
        self.of[connection] = Client(connection, sender, heard_at=now, message_at=now)
        return victims

    def one_too_many(self) -> Client:
        """Return the idlest connection of the address that has most."""
        counts = Counter(_house(client.sender) for client in self.of.values())
        most = max(counts.values())
        return _idlest([client for client in self.of.values() if counts[_house(client.sender)] == most])

    def over(self, now: float) -> list[Client]:
        """Return the connections that were silent or slow for too long."""
        return [client for client in self.of.values() if client.is_over(now)]


def _idlest(clients: list[Client]) -> Client:
    return min(clients, key=lambda client: client.message_at)


def _house(sender: str) -> str:
    """Return what one sender can have many addresses of: an IPv4 address, an IPv6 network of 64 bits.

    Examples
    --------
    >>> _house("192.0.2.7"), _house("2001:db8::7"), _house("fe80::1%eth0")
    ('192.0.2.7', '2001:db8::/64', 'fe80::/64')
    """
    found = ip_address(sender.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return sender
