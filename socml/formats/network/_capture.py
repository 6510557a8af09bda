"""A capture file (pcap or pcapng) → blocks of packets: their bytes, times, lengths and link types, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from socml.formats._reader import Reject, Source
from socml.project import FormatError

__all__ = ["MAGICS", "Packets", "read_capture"]

# first bytes → (big endian, fractions of a second, bytes of a record's header)
MAGICS = {
    b"\xa1\xb2\xc3\xd4": (True, 1_000_000, 16),
    b"\xd4\xc3\xb2\xa1": (False, 1_000_000, 16),
    b"\xa1\xb2\x3c\x4d": (True, 1_000_000_000, 16),
    b"\x4d\x3c\xb2\xa1": (False, 1_000_000_000, 16),
    b"\xa1\xb2\xcd\x34": (True, 1_000_000, 24),
    b"\x34\xcd\xb2\xa1": (False, 1_000_000, 24),
}
PCAPNG = b"\x0a\x0d\x0d\x0a"
PACKET_LIMIT = 16 << 20  # bytes of one packet or block
_STEP = 4 << 20
_WITH_PACKETS = (2, 3, 6)  # kinds of blocks
_ROWS = 1 << 17
_EXACT = 9_000_000_000  # units a second, up to which a fraction times 10⁹ fits 64 bits


@dataclass
class Packets:
    """Packets of one piece of a file. All arrays have one row a packet; `times` are ns since 1970, -1 if unknown."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    captured: NDArray[np.int64]
    wire: NDArray[np.int64]
    times: NDArray[np.int64]
    links: NDArray[np.int64]
    first: int  # number of the first, from 1
    rejects: list[Reject] = field(default_factory=list)


@dataclass
class _Interface:
    link: int
    units: int = 1_000_000  # of the time, in a second
    offset: int = 0  # seconds


def read_capture(source: Source) -> Iterator[Packets]:
    """Yield the packets. A file that ends inside a packet, or is broken, ends with a reject.

    Raises
    ------
    FormatError
        If it is no capture.
    """
    steps = _steps(source)
    head = b"".join(next(steps, []))
    if head[:4] in MAGICS:
        yield from _classic(head, steps, source)
    elif head[:4] == PCAPNG:
        yield from _Blocks(source).read(head, steps)
    else:
        raise FormatError(f"{source.name} is no capture: it begins with {head[:4].hex()}.")


def _steps(source: Source) -> Iterator[list[bytes]]:
    held: list[bytes] = []
    for chunk in source.chunks():
        held.append(chunk)
        if sum(map(len, held)) >= _STEP:
            yield held
            held = []
    if held:
        yield held


def _joined(rest: bytes, pieces: list[bytes]) -> bytes:
    """Return what was left of the file and what comes next as one, copied once at most."""
    some = [piece for piece in (rest, *pieces) if piece]
    return some[0] if len(some) == 1 else b"".join(some)


def _classic(head: bytes, steps: Iterator[list[bytes]], source: Source) -> Iterator[Packets]:
    from socml.formats.network._packets import find_records

    if len(head) < 24:
        raise FormatError(f"{source.name} is a capture without its header: it has {len(head)} bytes.")
    is_big, units, header = MAGICS[head[:4]]
    link = int.from_bytes(head[20:24], "big" if is_big else "little") & 0xFFFF
    number, rest, out = 1, b"", np.empty((_ROWS, 6), np.int64)
    for pieces in chain([[head[24:]]], steps, [None]):
        data = _joined(rest, pieces or [])
        while True:
            array = np.frombuffer(data, np.uint8)
            count, used, broken = find_records(array, is_big, header, PACKET_LIMIT, out)
            found = out[:count].copy()
            times = found[:, 3] * 1_000_000_000 + found[:, 4] * (1_000_000_000 // units)
            packets = Packets(
                array,
                found[:, 0].copy(),
                found[:, 1].copy(),
                found[:, 2],
                times,
                np.full(count, link, np.int64),
                number,
            )
            number += count
            data = data[used:]
            if broken or (pieces is None and data and count < _ROWS):
                reason = "the header of this packet is broken" if broken else "the file ends inside this packet"
                packets.rejects.append(Reject(number, reason, data[:65536]))
            yield packets
            if broken:
                return
            if count < _ROWS:
                break
        rest = data


class _Blocks:
    """Reads pcapng: runs of packet blocks by the kernel, what stands between them here."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.is_big = False
        self.interfaces: list[_Interface] = []
        self.number = 1
        self._room = np.empty((_ROWS, 6), np.int64)

    def read(self, head: bytes, steps: Iterator[list[bytes]]) -> Iterator[Packets]:
        rest = b""
        for pieces in chain([[head]], steps):
            data = _joined(rest, pieces)
            at = 0
            while True:
                packets, used, broken = self._run(np.frombuffer(data, np.uint8)[at:])
                at += used
                if broken:
                    packets.rejects.append(
                        Reject(self.number, "a block of the file is broken here", data[at : at + 65536])
                    )
                if len(packets.starts) or broken:
                    yield packets
                if broken:
                    return
                if len(packets.starts) == _ROWS:
                    continue
                at, size = self._others(data, at)
                if size < 0:
                    yield self._rejected("a block of the file is broken here", data[at:])
                    return
                if size == 0:
                    break
            rest = data[at:]
        if rest:
            yield self._rejected("the file ends inside this block", rest)

    def _run(self, array: NDArray[np.uint8]) -> tuple[Packets, int, bool]:
        from socml.formats.network._packets import find_blocks

        out = self._room
        count, used, broken = find_blocks(array, self.is_big, PACKET_LIMIT, out)
        found = out[:count].copy()
        known = self.interfaces or [_Interface(-1)]
        which = np.where(found[:, 5] < len(known), found[:, 5], 0)
        units = np.array([i.units for i in known])[which]
        ticks = (found[:, 3].clip(0) << 32) | found[:, 4]
        offset = np.array([i.offset for i in known])[which]
        exact = (ticks % units) * np.where(units <= _EXACT, 1_000_000_000, 0) // units
        rough = np.where(units <= _EXACT, 0.0, (ticks % units) * (1e9 / units)).astype(np.int64)
        times = (ticks // units + offset) * 1_000_000_000 + exact + rough
        times = np.where(found[:, 3] < 0, -1, times)
        links = np.where(found[:, 5] < len(known), np.array([i.link for i in known])[which], -1)
        packets = Packets(array, found[:, 0].copy(), found[:, 1].copy(), found[:, 2].copy(), times, links, self.number)
        self.number += count
        return packets, used, broken

    def _others(self, data: bytes, at: int) -> tuple[int, int]:
        """Take the blocks up to the next packet; return where it begins, and `_other` of what is there if there is none."""
        while True:
            size = self._other(data, at)
            at += max(size, 0)
            if size <= 0 or int.from_bytes(data[at : at + 4], "big" if self.is_big else "little") in _WITH_PACKETS:
                return at, size

    def _other(self, data: bytes, at: int) -> int:
        """Take one block that holds no packet; return its bytes, 0 if it is not all there, -1 if it is broken."""
        if len(data) - at < 12:
            return 0
        if data[at : at + 4] == PCAPNG:
            self.is_big = data[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d"
            self.interfaces = []
        order = "big" if self.is_big else "little"
        kind = int.from_bytes(data[at : at + 4], order)  # type: ignore[arg-type]
        size = int.from_bytes(data[at + 4 : at + 8], order)  # type: ignore[arg-type]
        if size < 12 or size % 4 or size > PACKET_LIMIT:
            return -1
        if at + size > len(data):
            return 0
        if kind == 1 and size >= 20:
            self.interfaces.append(self._interface(data[at + 8 : at + size - 4]))
        return size

    def _interface(self, body: bytes) -> _Interface:
        order = "big" if self.is_big else "little"
        found = _Interface(int.from_bytes(body[:2], order))  # type: ignore[arg-type]
        at = 8
        while at + 4 <= len(body):
            code, size = (int.from_bytes(body[at + i : at + i + 2], order) for i in (0, 2))  # type: ignore[arg-type]
            value = body[at + 4 : at + 4 + size]
            if code == 9 and size == 1:
                power = value[0] & 0x7F
                found.units = min(2**power, 2**62) if value[0] & 0x80 else 10 ** min(power, 18)
            elif code == 14 and size == 8:
                found.offset = int.from_bytes(value, order, signed=True)  # type: ignore[arg-type]
            at += 4 + size + -size % 4
        return found

    def _rejected(self, reason: str, data: bytes) -> Packets:
        none = np.zeros(0, np.int64)
        reject = Reject(self.number, reason, data[:65536])
        return Packets(np.zeros(0, np.uint8), none, none, none, none, none, self.number, [reject])
