"""The bytes of a unified2 file → its events, each with the packets and extra data that follow it; and Snort's maps."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from socml.formats._addresses import address_text
from socml.formats._multiline import Broken
from socml.formats._reader import Source
from socml.formats._times import epoch

__all__ = ["EVENT_TYPES", "EventValues", "Maps", "event_groups", "event_values", "read_maps"]

PACKET, EXTRA_DATA = 2, 110
# type → bytes of one address, and whether MPLS and VLAN follow
EVENT_TYPES = {7: (4, False), 72: (16, False), 104: (4, True), 105: (16, True), 111: (4, True), 112: (16, True)}
_LARGEST = 1 << 20  # bytes of one record; Snort's own limit is 64 KB and a header
_GROUP_LIMIT = 4 << 20
_FIXED = struct.Struct(">9I")
_TAIL = struct.Struct(">HHBBBB")
_EXTRA = struct.Struct(">8I")
_PACKET = struct.Struct(">7I")
_EXTRA_NAMES = {
    1: "client_ip",
    2: "client_ip",
    4: "gzip_data",
    5: "file_path",
    6: "mail_from",
    7: "mail_to",
    8: "mail_headers",
    9: "url_original",
    10: "http_host",
    11: "source_ipv6",
    12: "destination_ipv6",
    13: "javascript",
}
_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "ipv6-icmp", 132: "sctp"}


@dataclass
class Maps:
    """Names of rules and classes, from the files that Snort keeps beside its configuration."""

    messages: dict[tuple[int, int], str] = field(default_factory=dict)  # (gid, sid)
    classes: list[str] = field(default_factory=list)  # the class of id 1 first


@dataclass(frozen=True)
class EventValues:
    """What an event says of an alert; `class_id` counts from 1, `blocked` is 1 where the packet was dropped."""

    gid: int
    sid: int
    time: datetime
    priority: int
    class_id: int
    source_ip: str
    destination_ip: str
    ports: tuple[int, int]
    protocol: str
    blocked: int
    more: dict[str, object]


def event_groups(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield each event with all that belongs to it, as bytes, and the number of its first record, from 1.

    Packets before the first event are one group; so is what cannot be read, as `Broken`, after which nothing follows.
    """
    held, first = bytearray(), 0
    for number, record in enumerate(_records(source), 1):
        begins = isinstance(record, Broken) or _kind(record) in EVENT_TYPES or len(held) > _GROUP_LIMIT
        if held and begins:
            yield first, bytes(held)
            held = bytearray()
        if isinstance(record, Broken):
            yield number, record
            return
        if not held:
            first = number
        held += record
    if held:
        yield first, bytes(held)


def event_values(record: bytes) -> EventValues:
    """Return the fields of the event that a group begins with.

    Raises
    ------
    ValueError
        In words, if its length does not fit its type.
    """
    kind, body = _kind(record), record[8 : 8 + _length(record)]
    width, has_labels = EVENT_TYPES[kind]
    least = _FIXED.size + 2 * width + _TAIL.size + (8 if has_labels else 0)
    if len(body) < least:
        raise ValueError(f"an event of type {kind} has {len(body)} bytes, at least {least} were expected")
    sensor, event, second, micro, sid, gid, rev, group, priority = _FIXED.unpack_from(body)
    at = _FIXED.size
    source, destination = body[at : at + width], body[at + width : at + 2 * width]
    source_port, destination_port, protocol, impact_flag, impact, blocked = _TAIL.unpack_from(body, at + 2 * width)
    more: dict[str, object] = {
        "sensor": sensor, "event": event, "rev": rev, "impact": impact, "impact_flag": impact_flag,
    }  # fmt: skip
    if has_labels:
        mpls, vlan = struct.unpack_from(">IH", body, least - 8)
        more |= {"mpls": mpls or None, "vlan": vlan or None}
    return EventValues(
        gid,
        sid,
        epoch(second) + timedelta(microseconds=micro),
        priority,
        group,
        address_text(ip_address(source)),
        address_text(ip_address(destination)),
        (source_port, destination_port),
        _PROTOCOLS.get(protocol, str(protocol)),
        blocked,
        more | _attached(record, 8 + len(body)),
    )


def read_maps(folder: Path) -> Maps:
    """Return the names in sid-msg.map (version 1 or 2), gen-msg.map and classification.config, those that are there."""
    maps = Maps()
    for parts in _rows(folder / "gen-msg.map"):
        _note(maps, parts[:2], parts[2:3])
    for parts in _rows(folder / "sid-msg.map"):
        if len(parts) >= 6 and parts[1].isdecimal():
            _note(maps, parts[:2], parts[5:6])
        else:
            _note(maps, ["1", *parts[:1]], parts[1:2])
    path = folder / "classification.config"
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
        maps.classes = [name for line in lines if (name := _class_name(line)) is not None]
    return maps


def _class_name(line: str) -> str | None:
    """Return the middle of `config classification: short name,name,priority`; None if the line is something else."""
    head, _, rest = line.partition(",")
    name, comma, priority = rest.rpartition(",")
    is_one = head.startswith("config classification:") and comma and priority.strip().isdecimal()
    return name.strip() if is_one else None


def _rows(path: Path) -> Iterator[list[str]]:
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="backslashreplace").splitlines():
            if line.strip() and not line.startswith("#"):
                yield [part.strip() for part in line.split("||")]


def _note(maps: Maps, numbers: list[str], message: list[str]) -> None:
    if len(numbers) == 2 and all(n.isdecimal() for n in numbers) and message:
        maps.messages[int(numbers[0]), int(numbers[1])] = message[0]


def _kind(record: bytes) -> int:
    return int.from_bytes(record[:4], "big")


def _length(record: bytes) -> int:
    return int.from_bytes(record[4:8], "big")


def _records(source: Source) -> Iterator[bytes]:
    held = b""
    for chunk in source.chunks():
        held += chunk
        at = 0
        while len(held) - at >= 8:
            length = int.from_bytes(held[at + 4 : at + 8], "big")
            if not held[at : at + 8].strip(b"\0") or length > _LARGEST:
                if held[at:].strip(b"\0"):
                    yield Broken.of(held[at : at + 65536], f"a record of {length:,} bytes: the file is damaged here")
                return
            if len(held) - at < 8 + length:
                break
            yield held[at : at + 8 + length]
            at += 8 + length
        held = held[at:]
    if held.strip(b"\0"):
        yield Broken.of(held, f"the file ends within a record, after {len(held):,} bytes of it")


def _attached(record: bytes, at: int) -> dict[str, object]:
    """Return what the packets and extra data say that follow an event, from `at` on."""
    found: dict[str, object] = {}
    packets = 0
    while len(record) - at >= 8:
        head = record[at : at + 8]
        kind, body = _kind(head), record[at + 8 : at + 8 + _length(head)]
        at += 8 + len(body)
        if kind == PACKET and len(body) >= _PACKET.size:
            packets += 1
            *_, link_type, length = _PACKET.unpack_from(body)
            if packets == 1:
                found |= {"link_type": link_type, "packet_bytes": length, "packet": body[_PACKET.size :].hex()}
        elif kind == EXTRA_DATA and len(body) >= _EXTRA.size:
            *_, code, _type, _size = _EXTRA.unpack_from(body)
            name, data = _EXTRA_NAMES.get(code, f"extra_{code}"), body[_EXTRA.size :]
            is_address = code in (1, 2, 11, 12) and len(data) in (4, 16)
            found[name] = address_text(ip_address(data)) if is_address else data.decode("utf-8", "backslashreplace")
        elif kind not in (PACKET, EXTRA_DATA):
            found[f"record_{kind}"] = body.hex()
    if packets:
        found["packets"] = packets
    return found
