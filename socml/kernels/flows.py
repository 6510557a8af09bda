"""Packets in the order of a capture → bidirectional flows with their statistics, kept in tables that grow.

The first packet's sender is the source. A flow ends when its key is silent for `idle`, or is older than `active`: the
next packet then begins another. Later fragments go where their datagram's first fragment went.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.packets import FIELDS as PACKET
from socml.kernels.pointers import moved, pointer_to

__all__ = ["COLUMNS", "DIRECTION", "SUMS", "FlowTable", "warm"]

Ints: TypeAlias = NDArray[np.int64]
Addresses: TypeAlias = NDArray[np.uint64]
Whole: TypeAlias = int | np.integer[Any]

DIRECTION = ("packets", "bytes", "payload", "size_min", "size_max", "iat_min", "iat_max", "first", "last")
COLUMNS = ("first", "last", "version", "protocol", "vlan", "source_port", "destination_port", "number", "icmp",
           "source_flags", "destination_flags", "fin", "syn", "rst", "psh", "ack", "urg", "cut", "closed",
           "iat_min", "iat_max", *(f"source_{n}" for n in DIRECTION), *(f"destination_{n}" for n in DIRECTION))  # fmt: skip
SUMS = (
    "source_size_squares",
    "destination_size_squares",
    "source_iat_squares",
    "destination_iat_squares",
    "iat_squares",
)
(_FIRST, _LAST, _VERSION, _PROTOCOL, _VLAN, _SPORT, _DPORT, _NUMBER, _ICMP, _SFLAGS, _DFLAGS, _FIN) = range(12)
_CUT, _CLOSED, _IAT_MIN, _IAT_MAX, _SOURCE = 17, 18, 19, 20, 21
_P = {name: i for i, name in enumerate(PACKET)}
(_P_OUTCOME, _P_VERSION, _P_PROTOCOL, _P_VLAN, _P_SPORT, _P_DPORT) = range(6)
_P_LENGTH, _P_PAYLOAD, _P_FLAGS, _P_ICMP, _P_FRAGMENT, _P_DATAGRAM = (
    _P[n] for n in ("length", "payload", "flags", "icmp", "fragment", "datagram")
)
_WAYS = len(DIRECTION)
_COLUMNS, _SUMS, _FIELDS, _ENDS = len(COLUMNS), len(SUMS), len(PACKET), 4  # values of a row
_AHEAD = 32  # packets
_WORTH_TAKING = 1000  # flows that ended: making events of fewer takes as long
_FRAGMENTS = 8192  # datagrams whose ports are remembered


class FlowTable:
    """Flows that are open, and those that ended since the last `take`.

    Parameters
    ----------
    idle, active : nanoseconds
    """

    def __init__(self, *, idle: int, active: int) -> None:
        self.idle, self.active = idle, active
        self._count = 0
        self._now = 0
        self._flows = np.zeros((4096, len(COLUMNS)), np.int64)
        self._sums = np.zeros((4096, len(SUMS)))
        self._ends = np.zeros((4096, 4), np.uint64)
        self._slots = np.zeros(16384, np.int32)
        self._fragments = np.zeros((_FRAGMENTS, 2), np.uint64)

    def add(self, packets: Ints, addresses: Addresses, times: Ints, cut: Ints, first_number: int) -> None:
        """Take packets: rows of FIELDS, their addresses, times in ns, whether cut, and the number of the first."""
        self._make_room(len(packets))
        self._count = _add(
            packets, addresses, times, cut, first_number, self._slots, self._flows, self._sums, self._ends,
            self._count, self._fragments, self.idle, self.active,
        )  # fmt: skip
        if len(times):
            self._now = max(self._now, int(times.max()))

    def take(self, *, everything: bool) -> tuple[Ints, NDArray[np.float64], Addresses]:
        """Take out the flows that ended, or all: COLUMNS, SUMS and addresses, in the order of their first packets."""
        flows = self._flows[: self._count]
        done = np.ones(self._count, bool) if everything else self._ended(flows)
        if not everything and done.sum() < max(self._count // 4, _WORTH_TAKING):
            done[:] = False
        taken = flows[done], self._sums[: self._count][done], self._ends[: self._count][done]
        if done.any():
            kept = np.flatnonzero(~done)
            for name in ("_flows", "_sums", "_ends"):
                table = getattr(self, name)
                table[: len(kept)] = table[kept]
            self._count = len(kept)
            self._slots[:] = 0
            _index(self._slots, self._flows, self._ends, self._count)
        return taken

    def _ended(self, flows: Ints) -> NDArray[np.bool_]:
        silent = flows[:, COLUMNS.index("last")] + self.idle + 60_000_000_000 < self._now  # a minute late is in time
        return (flows[:, COLUMNS.index("closed")] == 1) | silent

    def _make_room(self, more: int) -> None:
        need = self._count + more
        if need > len(self._flows):
            size = max(need, 2 * len(self._flows))
            for name in ("_flows", "_sums", "_ends"):
                old = getattr(self, name)
                new = np.zeros((size, old.shape[1]), old.dtype)
                new[: self._count] = old[: self._count]
                setattr(self, name, new)
        if 2 * need > len(self._slots):
            self._slots = np.zeros(1 << int(4 * need - 1).bit_length(), np.int32)
            _index(self._slots, self._flows, self._ends, self._count)


@njit(cache=True, nogil=True)
def _mix(value: np.uint64) -> np.uint64:
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


@njit(cache=True, nogil=True)
def _hash(ends: Any, sport: Whole, dport: Whole, protocol: Whole, vlan: Whole) -> np.uint64:
    """Return the same number for both directions of a flow."""
    one = ends[0] * np.uint64(3) ^ (ends[1] + np.uint64(sport + 1) * np.uint64(0x9E3779B97F4A7C15))
    two = ends[2] * np.uint64(3) ^ (ends[3] + np.uint64(dport + 1) * np.uint64(0x9E3779B97F4A7C15))
    return _mix(_mix(one) + _mix(two) + np.uint64(protocol * 4096 + vlan))


@njit(cache=True, nogil=True)
def _index(slots: NDArray[np.int32], flows: Ints, ends: Addresses, count: int) -> None:
    mask = np.uint64(len(slots) - 1)
    for row in range(count):
        flow = moved(pointer_to(flows), row * _COLUMNS)
        if flow[_CLOSED]:
            continue
        of_row = moved(pointer_to(ends), row * _ENDS)
        slot = _hash(of_row, flow[_SPORT], flow[_DPORT], flow[_PROTOCOL], flow[_VLAN]) & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = row + 1


# A row is handed over as a pointer to its first value: making a view costs more than what is done with it.


@njit(cache=True, nogil=True)
def _direction(flow: Any, its: Any, packet: Any, ends: Any, sport: Whole, dport: Whole) -> int:
    """Return 0 if the packet goes as the flow's first did, 1 if back, -1 if it is of another flow."""
    if flow[_PROTOCOL] != packet[_P_PROTOCOL] or flow[_VLAN] != packet[_P_VLAN]:
        return -1
    if flow[_VERSION] != packet[_P_VERSION]:
        return -1
    a, b, c, d = its[0], its[1], its[2], its[3]
    p, q, r, s = ends[0], ends[1], ends[2], ends[3]
    if a == p and b == q and c == r and d == s and flow[_SPORT] == sport and flow[_DPORT] == dport:
        return 0
    back = a == r and b == s and c == p and d == q
    return 1 if back and flow[_SPORT] == dport and flow[_DPORT] == sport else -1


@njit(cache=True, nogil=True)
def _ports(packet: Any, ends: Any, fragments: Addresses) -> tuple[Whole, Whole]:
    """Return the ports of a packet: of a later fragment, those of its datagram's first, if that was seen."""
    sport, dport = packet[_P_SPORT], packet[_P_DPORT]
    if packet[_P_FRAGMENT] == 0:
        return sport, dport
    key = _mix(_mix(_mix(ends[0] ^ (ends[1] << np.uint64(1))) + ends[2]) ^ ends[3])
    key = _mix(key ^ np.uint64(packet[_P_DATAGRAM] * 256 + packet[_P_PROTOCOL])) | np.uint64(1)
    place = key % np.uint64(_FRAGMENTS)
    if packet[_P_FRAGMENT] < 0:
        fragments[place, 0], fragments[place, 1] = key, np.uint64((sport + 1) * 65537 + dport + 1)
    elif fragments[place, 0] == key:
        both = np.int64(fragments[place, 1])
        return both // 65537 - 1, both % 65537 - 1
    return sport, dport


@njit(cache=True, nogil=True)
def _look_ahead(
    packets: Ints, addresses: Addresses, row: int, fragments: Addresses, ports: Ints, hashes: Addresses,
    slots: NDArray[np.int32], flows: Ints, sums: NDArray[np.float64], ends: Addresses,
) -> float:  # fmt: skip
    """Hash the next packets and read what they will need: memory is slow, but brings many lines at a time."""
    mask, read = np.uint64(len(slots) - 1), 0.0
    for i in range(min(_AHEAD, len(packets) - row)):
        packet = moved(pointer_to(packets), (row + i) * _FIELDS)
        of_row = moved(pointer_to(addresses), (row + i) * _ENDS)
        sport, dport = _ports(packet, of_row, fragments)
        ports[i, 0], ports[i, 1] = sport, dport
        hashes[i] = _hash(of_row, sport, dport, packet[_P_PROTOCOL], packet[_P_VLAN])
    for i in range(min(_AHEAD, len(packets) - row)):
        flow = slots[hashes[i] & mask] - 1
        if flow >= 0:
            for line in range(0, _COLUMNS, 8):
                read += flows[flow, line]
            read += sums[flow, 0] + ends[flow, 0]
    return read


@njit(cache=True, nogil=True)
def _add(
    packets: Ints, addresses: Addresses, times: Ints, cut: Ints, first_number: int, slots: NDArray[np.int32],
    flows: Ints, sums: NDArray[np.float64], ends: Addresses, count: int, fragments: Addresses, idle: int, active: int,
) -> int:  # fmt: skip
    mask = np.uint64(len(slots) - 1)
    ports, hashes, seen = np.empty((_AHEAD, 2), np.int64), np.empty(_AHEAD, np.uint64), 0.0
    for row in range(len(packets)):
        if row % _AHEAD == 0:
            seen += _look_ahead(packets, addresses, row, fragments, ports, hashes, slots, flows, sums, ends)
        packet = moved(pointer_to(packets), row * _FIELDS)
        if packet[_P_OUTCOME] != 0:
            continue
        of_row = moved(pointer_to(addresses), row * _ENDS)
        sport, dport = ports[row % _AHEAD, 0], ports[row % _AHEAD, 1]
        slot = hashes[row % _AHEAD] & mask
        way = 0
        while slots[slot]:
            at = slots[slot] - 1
            flow, its = moved(pointer_to(flows), at * _COLUMNS), moved(pointer_to(ends), at * _ENDS)
            way = _direction(flow, its, packet, of_row, sport, dport)
            if way >= 0:
                break
            slot = (slot + np.uint64(1)) & mask
        at = slots[slot] - 1
        if at >= 0:
            age, silence = times[row] - flows[at, _FIRST], times[row] - flows[at, _LAST]
            if silence >= idle or age >= active:
                flows[at, _CLOSED] = 1
                at = -1
        if at < 0:
            at, way = count, 0
            flow = moved(pointer_to(flows), at * _COLUMNS)
            _begin(flow, moved(pointer_to(sums), at * _SUMS), packet, sport, dport, times[row], first_number + row)
            for i in range(_ENDS):
                ends[at, i] = of_row[i]
            slots[slot] = at + 1
            count += 1
        flow = moved(pointer_to(flows), at * _COLUMNS)
        _count_packet(flow, moved(pointer_to(sums), at * _SUMS), packet, way, times[row])
        flow[_CUT] += cut[row]
    return count


@njit(cache=True, nogil=True)
def _begin(flow: Any, sums: Any, packet: Any, sport: Whole, dport: Whole, time: Whole, number: Whole) -> None:
    for i in range(_COLUMNS):
        flow[i] = 0
    for i in range(_SUMS):
        sums[i] = 0.0
    flow[_FIRST] = flow[_LAST] = time
    flow[_VERSION], flow[_PROTOCOL] = packet[_P_VERSION], packet[_P_PROTOCOL]
    flow[_VLAN], flow[_ICMP] = packet[_P_VLAN], packet[_P_ICMP]
    flow[_SPORT], flow[_DPORT], flow[_NUMBER] = sport, dport, number


@njit(cache=True, nogil=True)
def _count_packet(flow: Any, sums: Any, packet: Any, way: int, time: Whole) -> None:
    size, flags = packet[_P_LENGTH], packet[_P_FLAGS]
    at = _SOURCE + way * _WAYS
    before, both = flow[at], flow[_SOURCE] + flow[_SOURCE + _WAYS]
    if both:
        gap = max(time - flow[_LAST], 0)
        flow[_IAT_MIN] = min(flow[_IAT_MIN], gap) if both > 1 else gap
        flow[_IAT_MAX] = max(flow[_IAT_MAX], gap)
        sums[4] += float(gap) * gap
    if before:
        gap = max(time - flow[at + 8], 0)
        flow[at + 5] = min(flow[at + 5], gap) if before > 1 else gap
        flow[at + 6] = max(flow[at + 6], gap)
        sums[2 + way] += float(gap) * gap
    flow[at + 3] = min(flow[at + 3], size) if before else size
    flow[at + 4] = max(flow[at + 4], size)
    flow[at + 7] = min(flow[at + 7], time) if before else time
    flow[at + 8] = max(flow[at + 8], time)
    flow[at] = before + 1
    flow[at + 1] += size
    flow[at + 2] += packet[_P_PAYLOAD]
    sums[way] += float(size) * size
    flow[_FIRST], flow[_LAST] = min(flow[_FIRST], time), max(flow[_LAST], time)
    flow[_SFLAGS + way] |= flags
    for bit in range(6):
        flow[_FIN + bit] += (flags >> bit) & 1


def warm() -> None:
    """Compile."""
    table = FlowTable(idle=1, active=1)
    none = np.zeros(0, np.int64)
    table.add(np.zeros((0, len(PACKET)), np.int64), np.zeros((0, 4), np.uint64), none, none, 1)
    table._make_room(10_000)
