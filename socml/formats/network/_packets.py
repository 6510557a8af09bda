"""The bytes of a capture → the packets in it, and what each one's headers say: addresses, ports, lengths, flags.

Ethernet with VLAN tags and MPLS labels, Linux cooked, loopback and raw IP; IPv4 with options, IPv6 with extension headers; TCP, UDP and
ICMP. Tunnels are not opened. A fragment that is not the first has no ports; `fragment` is its offset, -1 for the first.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from socml.project import njit

__all__ = ["FIELDS", "OUTCOMES", "find_blocks", "find_records", "read_headers", "warm"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]
Addresses: TypeAlias = NDArray[np.uint64]

# one row a packet, int64
FIELDS = ("outcome", "version", "protocol", "vlan", "source_port", "destination_port", "length", "payload", "flags",
          "icmp", "fragment", "datagram")  # fmt: skip
(_OUTCOME, _VERSION, _PROTOCOL, _VLAN, _SPORT, _DPORT, _LENGTH, _PAYLOAD, _FLAGS, _ICMP, _FRAGMENT, _DATAGRAM) = range(
    12
)
OUTCOMES = ("flow", "not IP", "headers not captured", "IP header is broken", "unknown link type")
_OK, _NOT_IP, _CUT, _BROKEN, _LINK = range(5)
_NO_PORTS = -1


@njit(cache=True, nogil=True, boundscheck=True)
def _two(data: Bytes, at: int) -> int:
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])  # type: ignore[return-value]


@njit(cache=True, nogil=True, boundscheck=True)
def _four(data: Bytes, at: int, is_big: bool) -> int:
    a, b, c, d = np.int64(data[at]), np.int64(data[at + 1]), np.int64(data[at + 2]), np.int64(data[at + 3])
    return a << 24 | b << 16 | c << 8 | d if is_big else d << 24 | c << 16 | b << 8 | a  # type: ignore[return-value]


@njit(cache=True, nogil=True, boundscheck=True)
def find_records(data: Bytes, is_big: bool, header: int, limit: int, out: Ints) -> tuple[int, int, bool]:
    """Find the packets of a classic capture: (start, captured, on the wire, seconds, fraction, link 0) a row.

    Parameters
    ----------
    header : bytes of a record's header: 16, or 24 in Kuznetzov's variant
    limit : bytes of a packet; a longer one means that the file is broken there

    Returns
    -------
    packets, where the first packet that is not whole begins, whether its header is broken
    """
    at, count = 0, 0
    while at + header <= len(data) and count < len(out):
        captured = _four(data, at + 8, is_big)
        if captured > limit:
            return count, at, True
        if at + header + captured > len(data):
            break
        out[count, 0], out[count, 1] = at + header, captured
        out[count, 2] = _four(data, at + 12, is_big)
        out[count, 3], out[count, 4] = _four(data, at, is_big), _four(data, at + 4, is_big)
        out[count, 5] = 0
        count += 1
        at += header + captured
    return count, at, False


@njit(cache=True, nogil=True, boundscheck=True)
def find_blocks(data: Bytes, is_big: bool, limit: int, out: Ints) -> tuple[int, int, bool]:
    """Find the packets of a pcapng file up to a block that is none, as `find_records`.

    A row is (start, captured, on the wire, high half of the time, low half, interface); a simple packet block has no
    time, and -1 for its high half.
    """
    at, count = 0, 0
    while at + 12 <= len(data) and count < len(out):
        kind, size = _four(data, at, is_big), _four(data, at + 4, is_big)
        if kind not in (2, 3, 6):
            return count, at, False
        if size < 16 or size % 4 or size > limit:
            return count, at, True
        if at + size > len(data):
            break
        if kind == 3:
            wire = _four(data, at + 8, is_big)
            start, captured, high, low, interface = at + 12, min(wire, size - 16), -1, 0, 0
        elif size < 32:
            return count, at, True
        else:
            start, captured, wire = at + 28, _four(data, at + 20, is_big), _four(data, at + 24, is_big)
            high, low = _four(data, at + 12, is_big), _four(data, at + 16, is_big)
            interface = _four(data, at + 8, is_big)
            if kind == 2:  # two bytes, and two more that count lost packets
                interface = interface >> 16 if is_big else interface & 0xFFFF
        if captured > size - (start - at) - 4:
            return count, at, True
        out[count, 0], out[count, 1], out[count, 2] = start, captured, wire
        out[count, 3], out[count, 4], out[count, 5] = high, low, interface
        count += 1
        at += size
    return count, at, False


@njit(cache=True, nogil=True, boundscheck=True)
def read_headers(data: Bytes, starts: Ints, captured: Ints, links: Ints, out: Ints, address: Addresses) -> None:
    """Read each packet's headers into `out` (FIELDS) and `address` (source high, low, destination high, low)."""
    for row in range(len(starts)):
        begin, end = starts[row], starts[row] + captured[row]
        out[row] = 0
        out[row, _SPORT] = out[row, _DPORT] = _NO_PORTS
        at, outcome = _network(data, begin, end, links[row], out, row)
        if outcome == _OK:
            outcome = _internet(data, at, end, out, row, address)
        out[row, _OUTCOME] = outcome


@njit(cache=True, nogil=True, boundscheck=True)
def _network(data: Bytes, at: int, end: int, link: int, out: Ints, row: int) -> tuple[int, int]:
    """Return where the IP header begins, and whether there is one."""
    kind = 0x0800
    if link == 1:
        kind, at = _two(data, at + 12) if at + 14 <= end else 0, at + 14
    elif link == 113:
        kind, at = _two(data, at + 14) if at + 16 <= end else 0, at + 16
    elif link == 276:
        kind, at = _two(data, at) if at + 20 <= end else 0, at + 20
    elif link in (0, 108):
        at += 4
    elif link not in (12, 14, 101, 228, 229):
        return at, _LINK
    return _unwrapped(data, at, end, kind, link in (0, 108), out, row)


@njit(cache=True, nogil=True, boundscheck=True)
def _unwrapped(data: Bytes, at: int, end: int, kind: int, look: bool, out: Ints, row: int) -> tuple[int, int]:
    """Pass over VLAN tags and MPLS labels; `look` says that the first byte decides whether this is IP."""
    while at + 4 <= end and kind in (0x8100, 0x88A8, 0x9100):
        out[row, _VLAN] = _two(data, at) & 0xFFF
        kind, at = _two(data, at + 2), at + 4
    while at + 4 < end and kind in (0x8847, 0x8848):
        look, at = True, at + 4
        if data[at - 2] & 1:  # the last label
            break
    if at >= end:
        return at, _CUT
    is_ip = data[at] >> 4 in (4, 6) if look else kind in (0x0800, 0x86DD)
    return at, _OK if is_ip else _NOT_IP


@njit(cache=True, nogil=True, boundscheck=True)
def _internet(data: Bytes, at: int, end: int, out: Ints, row: int, address: Addresses) -> int:
    if at >= end:
        return _CUT
    version = data[at] >> 4
    out[row, _VERSION] = version
    if version == 4:
        return _version_4(data, at, end, out, row, address)
    return _version_6(data, at, end, out, row, address) if version == 6 else _BROKEN


@njit(cache=True, nogil=True, boundscheck=True)
def _version_4(data: Bytes, at: int, end: int, out: Ints, row: int, address: Addresses) -> int:
    if at + 20 > end:
        return _CUT
    header = (data[at] & 15) * 4
    length = _two(data, at + 2)
    if length == 0:
        length = end - at  # the network card cuts it up later (TSO)
    if header < 20 or length < header:
        return _BROKEN
    out[row, _LENGTH] = length
    address[row, 0] = address[row, 2] = 0
    address[row, 1], address[row, 3] = _four(data, at + 12, True), _four(data, at + 16, True)
    out[row, _PROTOCOL] = data[at + 9]
    pieces = _two(data, at + 6)
    out[row, _FRAGMENT] = _which_fragment(pieces & 0x1FFF, pieces & 0x2000)
    out[row, _DATAGRAM] = _two(data, at + 4)
    if at + header > end:
        return _CUT
    return _transport(data, at + header, end, at + length, out[row, _FRAGMENT] > 0, out, row)


@njit(cache=True, nogil=True, boundscheck=True)
def _which_fragment(offset: int, more: int) -> int:
    """Return the offset, -1 for the first fragment of several, 0 for a whole datagram."""
    return offset if offset or not more else -1


@njit(cache=True, nogil=True, boundscheck=True)
def _version_6(data: Bytes, at: int, end: int, out: Ints, row: int, address: Addresses) -> int:
    if at + 40 > end:
        return _CUT
    inside = _two(data, at + 4)
    length = 40 + inside if inside else end - at  # 0 is a jumbogram
    out[row, _LENGTH] = length
    for i in range(4):
        part = np.uint64(0)
        for j in range(8):
            part = (part << np.uint64(8)) | np.uint64(data[at + 8 + 8 * i + j])
        address[row, i] = part
    kind, here, is_later = int(data[at + 6]), at + 40, False
    for _ in range(8):
        if kind not in (0, 43, 44, 51, 60):
            break
        if here + 8 > end:
            out[row, _PROTOCOL] = kind
            return _CUT
        size = 8 if kind == 44 else (data[here + 1] + 2) * 4 if kind == 51 else (data[here + 1] + 1) * 8
        if kind == 44:
            pieces = _two(data, here + 2)
            out[row, _FRAGMENT] = _which_fragment(pieces >> 3, pieces & 1)
            out[row, _DATAGRAM] = _four(data, here + 4, True)
            is_later = out[row, _FRAGMENT] > 0
        kind, here = int(data[here]), here + size
        if is_later:
            break
    out[row, _PROTOCOL] = kind
    return _transport(data, here, end, at + length, is_later, out, row)


@njit(cache=True, nogil=True, boundscheck=True)
def _transport(data: Bytes, at: int, end: int, finish: int, is_later: bool, out: Ints, row: int) -> int:
    """Read ports and flags; `finish` is where the IP packet ends on the wire, `end` where the capture of it does."""
    protocol = out[row, _PROTOCOL]
    out[row, _PAYLOAD] = max(finish - at, 0)
    if is_later or protocol not in (1, 6, 17, 58, 132):
        return _OK
    if at + 4 > end:
        return _CUT
    if protocol in (1, 58):
        out[row, _ICMP] = data[at] * 256 + data[at + 1]
        out[row, _PAYLOAD] = max(finish - at - 8, 0)
        return _OK
    out[row, _SPORT], out[row, _DPORT] = _two(data, at), _two(data, at + 2)
    if protocol == 6:
        if at + 14 > end:
            return _CUT
        out[row, _FLAGS] = data[at + 13]
        out[row, _PAYLOAD] = max(finish - at - (data[at + 12] >> 4) * 4, 0)
    else:
        out[row, _PAYLOAD] = max(finish - at - (8 if protocol == 17 else 12), 0)
    return _OK


def warm() -> None:
    """Compile, for bytes that cannot be written to, as a file's are."""
    data, found = np.frombuffer(bytes(64), np.uint8), np.zeros((4, 6), np.int64)
    find_records(data, False, 16, 100, found)
    find_blocks(data, False, 100, found)
    out, address = np.zeros((4, len(FIELDS)), np.int64), np.zeros((4, 4), np.uint64)
    columns = [np.ascontiguousarray(found[:, i]) for i in (0, 1, 5)]
    read_headers(data, columns[0], columns[1], columns[2], out, address)
