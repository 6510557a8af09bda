"""Captures (pcap and pcapng) → bidirectional flows with their statistics, in one pass and bounded memory.

A record is a packet, and an event a flow. Each packet is in a flow, skipped with its reason (not IP, headers not
captured), or rejected (a broken header, a file that ends inside a packet): a flow stands for its first packet, and its
others are counted as skipped with "in the flow of an earlier packet", so that the counts add up.

The source is who sent the first packet seen. A flow ends after 120 s of silence or 1,800 s, as in nfstream;
FIN does not end it. Of more than 4,000,000 open flows, the half that was silent longest ends early. `source_bytes` is payload of the transport, as in Zeek; sizes in `extra` are IP
packets' (`length` of the header, so a capture that was cut loses nothing), times are seconds. `iat` is the time between
packets. `connection_state` is Zeek's word for how TCP began and ended. VLANs are kept apart. The Community ID has seed 0.
MPLS labels are passed over. Blind to tunnels (GRE, VXLAN, IP in IP), which count as what carries them, to PPPoE, which is
skipped, and to packets over a minute out of order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.formats._reader import Parsed, ReadOptions, Reject, Source, no_events
from socml.formats.network._capture import MAGICS, PCAPNG, Packets, read_capture
from socml.formats.network._capture_flows import flow_events
from socml.project import FormatError

if TYPE_CHECKING:
    from socml.formats.network._flows import FlowTable

__all__ = ["Pcap"]

IDLE_S, ACTIVE_S = 120, 1800  # nfstream's defaults
_TOGETHER = "in the flow of an earlier packet"


class Pcap:
    """Packet captures as flows: classic pcap (µs, ns, both byte orders) and pcapng."""

    name = "pcap"
    about = "packet captures (pcap, pcapng) as bidirectional flows with statistics and Community ID"
    specification = "https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html"
    examples: tuple[str | bytes, ...] = (
        bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"),
        bytes.fromhex("107ae06590d003002a0000002a00000002000000000102000000000208004500001c0001000040110000"),
        bytes.fromhex("c0000207c63364011388003500080000"),
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the magic numbers."""
        return 0.99 if head[:4] in MAGICS or (head[:4] == PCAPNG and len(head) >= 12) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows: those that ended in a piece of it, and at last the rest."""
        from socml.formats.network._flows import FlowTable

        table, room = FlowTable(idle=IDLE_S * 1_000_000_000, active=ACTIVE_S * 1_000_000_000), _Room()
        for packets in read_capture(source):
            skips, bad = _take(packets, table, room, source)
            yield _parsed(table, skips, [*packets.rejects, *bad], everything=False)
        yield _parsed(table, {}, [], everything=True)


class _Room:
    """What the headers of one piece of a file say, in memory that the next piece uses again."""

    def __init__(self) -> None:
        from socml.formats.network._packets import FIELDS

        self._headers = np.empty((0, len(FIELDS)), np.int64)
        self._ends = np.empty((0, 4), np.uint64)

    def of(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return room for the headers and the addresses of `count` packets."""
        if count > len(self._headers):
            self._headers = np.zeros((count, self._headers.shape[1]), np.int64)
            self._ends = np.zeros((count, 4), np.uint64)
        return self._headers[:count], self._ends[:count]


def _take(packets: Packets, table: FlowTable, room: _Room, source: Source) -> tuple[dict[str, int], list[Reject]]:
    from socml.formats.network._packets import OUTCOMES, read_headers

    count = len(packets.starts)
    out, ends = room.of(count)
    read_headers(packets.data, packets.starts, packets.captured, packets.links, out, ends)
    outcome = out[:, 0]
    if count and (outcome == OUTCOMES.index("unknown link type")).all():
        raise FormatError(
            f"{source.name}: link type {int(packets.links[0])} is not read. Ethernet, Linux cooked, loopback and raw IP "
            "are; convert it with editcap or tshark."
        )
    cut = (packets.captured < packets.wire).astype(np.int64)
    table.add(out, ends, packets.times.clip(0), cut, packets.first)
    skips: dict[str, int] = {}
    rejects = []
    for kind, name in enumerate(OUTCOMES):
        rows = np.flatnonzero(outcome == kind)
        if not len(rows):
            continue
        if name == "IP header is broken":
            for row in rows:
                start, size = packets.starts[row], packets.captured[row]
                raw = packets.data[start : start + min(size, 65536)].tobytes()
                rejects.append(Reject(packets.first + int(row), "the IP header is broken", raw))
        else:
            skips[name if kind else _TOGETHER] = len(rows)
    return skips, rejects


def _parsed(table: FlowTable, skips: dict[str, int], rejects: list[Reject], *, everything: bool) -> Parsed:
    flows, sums, ends = table.take(everything=everything)
    # A packet was counted as one of a flow when it came; now its flow stands for one of them.
    if len(flows):
        skips = {**skips, _TOGETHER: skips.get(_TOGETHER, 0) - len(flows)}
    skips = {name: number for name, number in skips.items() if number}
    if not len(flows):
        return Parsed(no_events(), [], rejects=rejects, skips=skips)
    events, records = flow_events(flows, sums, ends)
    return Parsed(events, records, rejects=rejects, skips=skips)
