"""A capture of exporters' packets → the records of the NetFlow datagrams in them, and why the other packets are skipped.

Each sender has templates of its own. A packet whose UDP payload does not begin like a datagram is skipped, on whatever
port it was; fragments are, too. A packet that was not captured whole is read as far as it goes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import numpy as np

from socml.formats._addresses import address_text
from socml.formats._reader import Block, Source
from socml.formats.network._capture import MAGICS, PCAPNG, Packets, read_capture
from socml.formats.network._netflow import Exporter, Found, is_datagram
from socml.project import FormatError

__all__ = ["captured_records", "datagrams_of", "is_capture", "share_of_datagrams"]

_UDP = 17
_LOOKED_AT = 1 << 16  # bytes of a file's head
_OTHER = Found(b"", skip="packet without a NetFlow datagram")


def is_capture(head: bytes) -> bool:
    """Return whether a file begins as a capture does."""
    return head[:4] in MAGICS or head[:4] == PCAPNG


def share_of_datagrams(head: bytes) -> float:
    """Return the share of the packets in a capture's head that are datagrams of an exporter; 0 if there is none."""
    try:
        found = [
            payload is not None
            for packets in read_capture(_Head(head[:_LOOKED_AT]))
            for payload, _ in _payloads(packets)
        ]
    except FormatError:
        return 0.0
    return sum(found) / len(found) if found else 0.0


def datagrams_of(capture: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield the datagrams in a whole capture with their senders' addresses and ports; none if it is damaged."""
    try:
        for packets in read_capture(_Head(capture)):
            yield from ((payload, sender) for payload, sender in _payloads(packets) if payload is not None)
    except FormatError:
        return


def captured_records(
    source: Source, exporter_of: Callable[[str], Exporter] = lambda sender: Exporter()
) -> Iterator[Found]:
    """Yield what the datagrams of a capture hold, in the order of the packets; a packet without one is a skip.

    `exporter_of` makes an exporter, by its sender's address and port.
    """
    exporters: dict[str, Exporter] = {}
    for packets in read_capture(source):
        for payload, sender in _payloads(packets):
            if payload is None:
                yield _OTHER
                continue
            if sender not in exporters:
                exporters[sender] = exporter_of(sender)
            yield from _records(payload, sender, exporters[sender])
        yield from (Found(reject.raw, reject=reject.reason) for reject in packets.rejects)


def _records(payload: bytes, sender: str, exporter: Exporter) -> Iterator[Found]:
    try:
        found, end = exporter.read(payload, 0)
    except ValueError as error:
        yield Found(payload, reject=str(error))
        return
    for one in found:
        if one.row is not None:
            one.row.setdefault("observer_name", sender.rpartition(" ")[0])
        yield one
    if end < len(payload):
        yield Found(payload[end:], reject=f"{len(payload) - end} bytes behind the datagram")


def _payloads(packets: Packets) -> Iterator[tuple[bytes | None, str]]:
    """Yield each packet's datagram, None if it has none, and its sender's address and port."""
    from socml.formats.network._packets import FIELDS, read_headers

    count = len(packets.starts)
    out, ends = np.zeros((count, len(FIELDS)), np.int64), np.zeros((count, 4), np.uint64)
    read_headers(packets.data, packets.starts, packets.captured, packets.links, out, ends)
    names = ("outcome", "version", "protocol", "source_port", "destination_port", "payload")
    columns = [FIELDS.index(name) for name in names]
    for row, (outcome, version, protocol, sport, dport, size) in enumerate(out[:, columns].tolist()):
        if outcome or protocol != _UDP or min(sport, dport, size) < 0:
            yield None, ""
            continue
        start = int(packets.starts[row])
        packet = packets.data[start : start + int(packets.captured[row])].tobytes()
        # The headers are of many kinds; UDP's own ports and length are found where they stand.
        at = packet.find(struct.pack("!HHH", sport, dport, size + 8 & 0xFFFF), 20)
        payload = packet[at + 8 : at + 8 + size] if at >= 0 else b""
        yield (payload, f"{_address(ends[row], version)} {sport}") if is_datagram(payload) else (None, "")


def _address(ends: np.ndarray[tuple[int], np.dtype[np.uint64]], version: int) -> str:
    high, low = int(ends[0]), int(ends[1])
    return address_text(ip_address(low & 0xFFFFFFFF if version == 4 else high << 64 | low))


@dataclass
class _Head:
    """The beginning of a file, as a source."""

    data: bytes
    name: str = "head"
    path: Path = Path("head")

    @property
    def modified(self) -> datetime | None:
        return None

    def chunks(self) -> Iterator[bytes]:
        yield self.data

    def blocks(self) -> Iterator[Block]:
        yield Block(1, self.data)
