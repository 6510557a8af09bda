"""What `tshark -T fields -E header=y` writes, with commas, tabs or semicolons → one event a packet.

The line of names says which fields were asked for; without `frame.time_epoch` there is no time. Fields that occur more than
once are joined by the aggregator, a comma unless `-E aggregator` says otherwise, inside quotes: the first counts. Without
`-E header=y` nothing says what the columns are, and the file is a table without names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._csv_records import cells_of
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats.network._tshark import packet_event

__all__ = ["TsharkCsv"]

_FIELD = re.compile(r"_ws\.col\.[\w.]+|(frame|eth|ip|ipv6|tcp|udp|dns|http|http2|tls|ssl|icmp|arp|smb2?|quic)(\.\w+)+")
_MANY = {"ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "ip.proto",
         "dns.qry.name", "tcp.len", "http.host"}  # fmt: skip


class TsharkCsv:
    """tshark's chosen fields, with a line of names."""

    name = "tshark-csv"
    about = "tshark -T fields -E header=y: one event a packet"
    specification = "https://www.wireshark.org/docs/man-pages/tshark.html"
    examples = (
        "frame.time_epoch,ip.src,ip.dst,ip.proto,tcp.srcport,tcp.dstport,frame.len",
        '"1709208416.250000000","192.0.2.7","198.51.100.1","6","5000","443","66"',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of tshark's names."""
        lines = head_lines(head, 1)
        names = _names(lines[0]) if lines else []
        fit = sum(bool(_FIELD.fullmatch(name)) for name in names)
        return 0.96 if len(names) >= 2 and fit >= len(names) * 0.8 else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's packets."""
        names: list[str] = []
        delimiter: list[str] = []
        return batches(line_records(source), lambda line: _event(line, names, delimiter))


def _delimiter(line: bytes) -> str:
    return next((d for d in ("\t", ";", ",") if d.encode() in line), ",")


def _names(line: bytes) -> list[str]:
    try:
        return cells_of(line, _delimiter(line))
    except ValueError:
        return []


def _event(line: bytes, names: list[str], delimiter: list[str]) -> dict[str, object]:
    if not names:
        delimiter[:] = [_delimiter(line)]
        names[:] = _names(line)
        if not any(_FIELD.fullmatch(name) for name in names):
            names.clear()
            raise ValueError("a record before the line of names")
        raise Skip("header")
    cells = cells_of(line, delimiter[0])
    if cells == names:
        raise Skip("header")
    if len(cells) != len(names):
        raise ValueError(f"{len(cells)} values for {len(names)} columns")
    found: dict[str, object] = {}
    for name, cell in zip(names, cells, strict=True):
        if cell != "":
            found[name] = cell.split(",") if name in _MANY and "," in cell else cell
    return packet_event(found, None)
