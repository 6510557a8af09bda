"""What `nfdump -o csv` prints → flows.

The columns of version 1.7 and of 1.6 (`ts,te,td,sa,da,…`), and the names of 1.7.2 and later (`firstSeen,duration,proto,
srcAddr,…`). After the flows come `Summary`, its names and its values: not flows, skipped. `ts` has no zone: it is the time
of the machine that ran nfdump, read in the recipe's zone. `ts` also has no fraction, which the JSON output has. Packets
and bytes out are of the answer, where the exporter counts both ways; 0 means that it does not, and is null.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._fields import Fields, whole
from socml.formats._protocols import transport
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import Clock, clock_of, iso
from socml.formats.network._flow_rows import flow_row

__all__ = ["NfdumpCsv"]

_HEADS = (b"ts,te,td,sa,da,", b"firstSeen,", b"#ts,te,td,")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_packets": ("ipkt", "packets", "inPackets"),
    "source_bytes": ("ibyt", "bytes", "inBytes"),
    "destination_packets": ("opkt", "outPackets"),
    "destination_bytes": ("obyt", "outBytes"),
    "duration_s": ("td", "duration"),
}
_NOTHING = {"0", "0.0.0.0", "::", "00:00:00:00:00:00", "0-0-0", "0.000"}  # noqa: S104


class NfdumpCsv:
    """CSV of nfdump 1.6 and 1.7."""

    name = "nfdump-csv"
    about = "nfdump -o csv: flows, without the summary at their end"
    specification = "https://github.com/phaag/nfdump/blob/master/README.md"
    examples = (
        "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt",
        "2024-02-29 13:06:56,2024-02-29 13:06:57,0.374,192.0.2.7,198.51.100.1,5000,443,TCP,...AP.SF,0,0,8,2211,0,0",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of nfdump's line of names."""
        lines = head_lines(head, 1)
        return 0.97 if lines and lines[0].startswith(_HEADS) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows."""
        clock = clock_of(source, options)
        names: list[str] = []
        return batches(
            line_records(source),
            lambda line: _event(line, names, clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


def _event(line: bytes, names: list[str], clock: Clock) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace").strip()
    if text.encode().startswith(_HEADS):
        names[:] = text.lstrip("#").split(",")
        raise Skip("header")
    if text == "Summary" or names == ["Summary"]:
        names[:] = ["Summary"]
        raise Skip("summary")
    if text.startswith("No matched flows"):
        raise Skip("summary")
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != len(names):
        raise ValueError(f"{len(cells)} values for {len(names)} columns")
    found = dict(zip(names, cells, strict=True))
    keep = {"sa", "da", "sp", "dp", "pr", "td", "duration", "ipkt", "ibyt", "proto"}
    fields = Fields({name: value for name, value in found.items() if name in keep or value not in _NOTHING})
    row = flow_row()
    row["time"] = iso(fields.take("ts", "firstSeen"), clock)
    row |= fields.columns(_COLUMNS)
    protocol = str(fields.take("pr", "proto") or "")
    row["network_transport"] = transport(int(protocol)) if protocol.isdecimal() else protocol.lower() or None
    for side, names_of in (("source", ("sa", "srcAddr")), ("destination", ("da", "dstAddr"))):
        value = fields.take(*names_of)
        row[f"{side}_ip"] = address(value)
        if value is not None and row[f"{side}_ip"] is None:
            raise ValueError(f"{str(value)[:60]!r} is not an address")
    _ports(fields, row)
    row["extra"] = fields.rest()
    return row


def _ports(fields: Fields, row: dict[str, object]) -> None:
    """Take the ports; of ICMP nfdump writes type.code as the destination's."""
    ports = fields.text("sp", "srcPort"), fields.text("dp", "dstPort")
    if row["network_transport"] in ("icmp", "icmp6", "ipv6-icmp"):
        fields.replace("icmp", ports[1])
        return
    if row["network_transport"] in ("tcp", "udp", "sctp", "dccp"):
        row["source_port"], row["destination_port"] = (whole(p, "port", 65535) if p else None for p in ports)
