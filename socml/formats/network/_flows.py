"""Packets in the order of a capture → bidirectional flows with their statistics, kept in tables that grow.

The first packet's sender is the source. A flow ends when its key is silent for `idle`, or is older than `active`: the
next packet then begins another. Of more than `MOST_OPEN` at a time, the half that was silent longest ends too. Later fragments go where their datagram's first fragment went.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from socml.formats.network._packets import FIELDS as PACKET
from socml.project import new_secret, njit, sip_end, sip_start, sip_word

__all__ = ["COLUMNS", "DIRECTION", "SUMS", "FlowTable", "warm"]

Ints: TypeAlias = NDArray[np.int64]
Addresses: TypeAlias = NDArray[np.uint64]
Sums: TypeAlias = NDArray[np.float64]
Slots: TypeAlias = NDArray[np.int32]
Whole: TypeAlias = int | np.integer

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
_WORTH_TAKING = 20_000  # flows that ended: making events of fewer takes as long
_FRAGMENTS = 8192  # datagrams whose ports are remembered
MOST_OPEN = 4_000_000  # flows that are open at a time, of 400 bytes each


class FlowTable:
    """Flows that are open, and those that ended since the last `take`.

    Parameters
    ----------
    idle, active : nanoseconds

    Attributes
    ----------
    probes : places of the hash table that were looked at so far
    """

    def __init__(self, *, idle: int, active: int) -> None:
        self.idle, self.active = idle, active
        self.probes = 0
        self._secret = new_secret()
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
        self._count, probes = _add(
            packets, addresses, times, cut, first_number, self._secret, self._slots, self._flows, self._sums,
            self._ends, self._count, self._fragments, self.idle, self.active,
        )  # fmt: skip
        self.probes += probes
        if len(times):
            self._now = max(self._now, int(times.max()))

    def take(self, *, everything: bool) -> tuple[Ints, NDArray[np.float64], Addresses]:
        """Take out the flows that ended, or all: COLUMNS, SUMS and addresses, in the order of their first packets."""
        flows = self._flows[: self._count]
        done = np.ones(self._count, bool) if everything else self._ended(flows)
        if not everything and self._count > MOST_OPEN:
            silent_longest = np.argsort(flows[:, _LAST], kind="stable")[: self._count // 2]
            done[silent_longest] = True
        elif not everything and done.sum() < max(self._count // 4, _WORTH_TAKING):
            done[:] = False
        taken = flows[done], self._sums[: self._count][done], self._ends[: self._count][done]
        if done.any():
            kept = np.flatnonzero(~done)
            for name in ("_flows", "_sums", "_ends"):
                table = getattr(self, name)
                table[: len(kept)] = table[kept]
            self._count = len(kept)
            self._slots[:] = 0
            self._index()
        return taken

    def _ended(self, flows: Ints) -> NDArray[np.bool_]:
        silent = flows[:, _LAST] + self.idle + 60_000_000_000 < self._now  # a minute late is in time
        return np.asarray((flows[:, _CLOSED] == 1) | silent)

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
            self._index()

    def _index(self) -> None:
        self.probes += _index(self._secret, self._slots, self._flows, self._ends, self._count)


@njit(cache=True, nogil=True, boundscheck=True)
def _hash(secret: Addresses, ends: Addresses, row: int, sport: Whole, dport: Whole, rest: Whole) -> np.uint64:
    """Return the same number for both directions of a flow; `rest` is its protocol and VLAN."""
    a, b, c, d = ends[row, 0], ends[row, 1], ends[row, 2], ends[row, 3]
    if a > c or (a == c and (b > d or (b == d and sport > dport))):
        a, b, c, d, sport, dport = c, d, a, b, dport, sport
    state = sip_word(sip_word(sip_word(sip_word(sip_start(secret), a), b), c), d)
    return sip_end(sip_word(state, np.uint64(((sport + 1) << 17 | (dport + 1)) << 20 | rest)), 5)


@njit(cache=True, nogil=True, boundscheck=True)
def _index(secret: Addresses, slots: Slots, flows: Ints, ends: Addresses, count: int) -> int:
    """Put the flows that are open into empty `slots`; return how many of these were looked at."""
    mask, probes = len(slots) - 1, 0
    for row in range(count):
        if flows[row, _CLOSED]:
            continue
        rest = flows[row, _PROTOCOL] << 12 | flows[row, _VLAN]
        hashed = _hash(secret, ends, row, flows[row, _SPORT], flows[row, _DPORT], rest)
        slot = np.int64(hashed & np.uint64(mask))
        probes += 1
        while slots[slot]:
            slot = (slot + 1) & mask
            probes += 1
        slots[slot] = row + 1
    return probes


@njit(cache=True, nogil=True, boundscheck=True)
def _direction(
    flows: Ints, known: Addresses, at: int, packets: Ints, ends: Addresses, row: int, sport: Whole, dport: Whole
) -> int:
    """Return 0 if the packet goes as the flow's first did, 1 if back, -1 if it is of another flow."""
    if flows[at, _PROTOCOL] != packets[row, _P_PROTOCOL] or flows[at, _VLAN] != packets[row, _P_VLAN]:
        return -1
    if flows[at, _VERSION] != packets[row, _P_VERSION]:
        return -1
    a, b, c, d = known[at, 0], known[at, 1], known[at, 2], known[at, 3]
    p, q, r, s = ends[row, 0], ends[row, 1], ends[row, 2], ends[row, 3]
    if a == p and b == q and c == r and d == s and flows[at, _SPORT] == sport and flows[at, _DPORT] == dport:
        return 0
    back = a == r and b == s and c == p and d == q
    return 1 if back and flows[at, _SPORT] == dport and flows[at, _DPORT] == sport else -1


@njit(cache=True, nogil=True, boundscheck=True)
def _ports(secret: Addresses, packets: Ints, ends: Addresses, row: int, fragments: Addresses) -> tuple[Whole, Whole]:
    """Return the ports of a packet: of a later fragment, those of its datagram's first, if that was seen."""
    sport, dport = packets[row, _P_SPORT], packets[row, _P_DPORT]
    if packets[row, _P_FRAGMENT] == 0:
        return sport, dport
    state = sip_start(secret)
    for i in range(4):
        state = sip_word(state, ends[row, i])
    datagram = np.uint64(packets[row, _P_DATAGRAM] << 8 | packets[row, _P_PROTOCOL])
    key = sip_end(sip_word(state, datagram), 5) | np.uint64(1)
    place = np.int64(key >> np.uint64(1)) % _FRAGMENTS
    if packets[row, _P_FRAGMENT] < 0:
        fragments[place, 0], fragments[place, 1] = key, np.uint64((sport + 1) * 65537 + dport + 1)
    elif fragments[place, 0] == key:
        both = np.int64(fragments[place, 1])
        return both // 65537 - 1, both % 65537 - 1
    return sport, dport


@njit(cache=True, nogil=True, boundscheck=True)
def _add(
    packets: Ints, addresses: Addresses, times: Ints, cut: Ints, first_number: int, secret: Addresses, slots: Slots,
    flows: Ints, sums: Sums, ends: Addresses, count: int, fragments: Addresses, idle: int, active: int,
) -> tuple[int, int]:  # fmt: skip
    """Return how many flows there are now, and how many slots were looked at."""
    mask, probes = len(slots) - 1, 0
    for row in range(len(packets)):
        if packets[row, _P_OUTCOME] != 0:
            continue
        sport, dport = _ports(secret, packets, addresses, row, fragments)
        rest = packets[row, _P_PROTOCOL] << 12 | packets[row, _P_VLAN]
        slot = np.int64(_hash(secret, addresses, row, sport, dport, rest) & np.uint64(mask))
        way = 0
        probes += 1
        while slots[slot]:
            way = _direction(flows, ends, slots[slot] - 1, packets, addresses, row, sport, dport)
            if way >= 0:
                break
            slot = (slot + 1) & mask
            probes += 1
        at = int(np.int64(slots[slot])) - 1
        if at >= 0:
            age, silence = times[row] - flows[at, _FIRST], times[row] - flows[at, _LAST]
            if silence >= idle or age >= active:
                flows[at, _CLOSED] = 1
                at = -1
        if at < 0:
            at, way = count, 0
            _begin(flows, sums, at, packets, row, sport, dport, times[row], first_number + row)
            for i in range(4):
                ends[at, i] = addresses[row, i]
            slots[slot] = at + 1
            count += 1
        _count_packet(flows, sums, at, packets, row, way, times[row])
        flows[at, _CUT] += cut[row]
    return count, probes


@njit(cache=True, nogil=True, boundscheck=True)
def _begin(
    flows: Ints, sums: Sums, at: int, packets: Ints, row: int, sport: Whole, dport: Whole, time: Whole, number: Whole
) -> None:
    for i in range(flows.shape[1]):
        flows[at, i] = 0
    for i in range(sums.shape[1]):
        sums[at, i] = 0.0
    flows[at, _FIRST] = flows[at, _LAST] = time
    flows[at, _VERSION], flows[at, _PROTOCOL] = packets[row, _P_VERSION], packets[row, _P_PROTOCOL]
    flows[at, _VLAN], flows[at, _ICMP] = packets[row, _P_VLAN], packets[row, _P_ICMP]
    flows[at, _SPORT], flows[at, _DPORT], flows[at, _NUMBER] = sport, dport, number


@njit(cache=True, nogil=True, boundscheck=True)
def _count_packet(flows: Ints, sums: Sums, at: int, packets: Ints, row: int, way: int, time: Whole) -> None:
    size, flags = packets[row, _P_LENGTH], packets[row, _P_FLAGS]
    side = _SOURCE + way * _WAYS
    before, both = flows[at, side], flows[at, _SOURCE] + flows[at, _SOURCE + _WAYS]
    if both:
        gap = max(time - flows[at, _LAST], 0)
        flows[at, _IAT_MIN] = min(flows[at, _IAT_MIN], gap) if both > 1 else gap
        flows[at, _IAT_MAX] = max(flows[at, _IAT_MAX], gap)
        sums[at, 4] += float(gap) * gap
    if before:
        gap = max(time - flows[at, side + 8], 0)
        flows[at, side + 5] = min(flows[at, side + 5], gap) if before > 1 else gap
        flows[at, side + 6] = max(flows[at, side + 6], gap)
        sums[at, 2 + way] += float(gap) * gap
    flows[at, side + 3] = min(flows[at, side + 3], size) if before else size
    flows[at, side + 4] = max(flows[at, side + 4], size)
    flows[at, side + 7] = min(flows[at, side + 7], time) if before else time
    flows[at, side + 8] = max(flows[at, side + 8], time)
    flows[at, side] = before + 1
    flows[at, side + 1] += size
    flows[at, side + 2] += packets[row, _P_PAYLOAD]
    sums[at, way] += float(size) * size
    flows[at, _FIRST], flows[at, _LAST] = min(flows[at, _FIRST], time), max(flows[at, _LAST], time)
    flows[at, _SFLAGS + way] |= flags
    for bit in range(6):
        flows[at, _FIN + bit] += (flags >> bit) & 1


def warm() -> None:
    """Compile."""
    table = FlowTable(idle=1, active=1)
    none = np.zeros(0, np.int64)
    table.add(np.zeros((0, len(PACKET)), np.int64), np.zeros((0, 4), np.uint64), none, none, 1)
    table._make_room(10_000)
