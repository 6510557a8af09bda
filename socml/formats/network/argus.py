"""Argus flows as `ra` prints them, with commas, tabs or in columns → flows; CTU-13's binetflow files are these, with labels.

The first line names the columns, which anybody can choose. `man` records are Argus's own and are skipped. Ports are
decimal, hexadecimal (`0x0303`) for ICMP, whose type and code they are, or empty. Addresses of ARP and LLC records may be
MAC addresses, which stay in `extra`. `StartTime` without a date comes from `ra` without `-u` or `-t`: the day the file was
written is taken, and said. Times have no zone: the recipe's. Without `DstBytes` those are `TotBytes` less `SrcBytes`.
A label with Botnet is malicious, with Normal benign, with Background neither, unless the recipe's truth says otherwise.
Argus's own binary files are refused: `ra -r FILE -c , -n -s …` prints them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from socml.formats._addresses import address
from socml.formats._fields import Fields, whole
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, judge
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import Clock, clock_of, epoch, iso
from socml.formats.network._flow_rows import flow_row
from socml.project import FormatError, Truth

__all__ = ["Argus"]

_BINARY = (b"\x83\x10\x00", b"\x80\x10\x00", b"\x83\x00")
_NEEDED = ({"StartTime", "Dur", "Proto", "SrcAddr", "DstAddr"}, {"stime", "dur", "proto", "saddr", "daddr"})
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "duration_s": ("Dur", "dur"),
    "connection_state": ("State", "state"),
    "source_packets": ("SrcPkts", "spkts"),
    "destination_packets": ("DstPkts", "dpkts"),
    "source_bytes": ("SrcBytes", "sbytes"),
    "destination_bytes": ("DstBytes", "dbytes"),
}
_WITH_PORTS = {"tcp", "udp", "rtp", "rtcp", "sctp", "udt"}
# A row in columns, as `ra` prints without `-c`; blanks may stand for the flags
_FIXED_WIDTH = re.compile(
    r" *(\d\S{7,40}) ([A-Za-z*& ]{1,12}?) +([a-z][a-z0-9-]{1,9}) +(\S{1,80}) +(<?[-?|o]{1,2}>?|who) +(\S{1,80}) +(\d{1,15}) +(\d{1,15}) +(\w{1,12})"
)
_PARTS = re.compile(rb"[\t,]")
_CLOCK_ONLY = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")


class Argus:
    """Argus flows as text, and CTU-13 binetflow files."""

    name = "argus"
    about = "Argus flows printed by ra, with commas, tabs or in columns; CTU-13 binetflow with labels"
    specification = "https://openargus.org/using-argus"
    examples = (
        "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label",
        "2011/08/10 09:46:59.607825,1.026539,tcp,192.0.2.7,1577,   ->,198.51.100.1,6881,S_RA,0,0,4,276,156,flow=x",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line with Argus's names, in columns if the next line fits, and of its binary files."""
        if head.startswith(_BINARY):
            return 0.9
        lines = head_lines(head, 2)
        names = set(_cells(lines[0])) if lines else set()
        if lines and not _PARTS.search(lines[0]) and not _FIXED_WIDTH.fullmatch(_text(lines[-1])):
            return 0.0
        return 0.97 if any(len(needed & names) >= 4 for needed in _NEEDED) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows.

        Raises
        ------
        FormatError
            If the file is in Argus's binary format.
        """
        if next(iter(source.chunks()), b"").startswith(_BINARY):
            raise FormatError(
                f"{source.name} is in Argus's own binary format. Print it: ra -F /dev/null -r FILE -c , -n -u "
                "-s stime,dur,proto,saddr,sport,dir,daddr,dport,state,spkts,dpkts,sbytes,dbytes"
            )
        reader = _Reader(clock_of(source, options), source.modified, options.truth)
        return batches(
            line_records(source),
            reader.event,
            warnings=reader.clock.warnings,
            is_certain=lambda: reader.clock.is_certain and not reader.guessed,
        )


class _Reader:
    def __init__(self, clock: Clock, modified: datetime | None, truth: Truth | None) -> None:
        self.clock, self.modified, self.truth = clock, modified, truth
        self.names: list[str] = []
        self.guessed = False

    def event(self, line: bytes) -> dict[str, object]:
        cells = _cells(line)
        if not self.names or cells == self.names:
            self.names = cells
            if "SrcAddr" not in cells and "saddr" not in cells:
                self.names = []
                raise ValueError("a record before the line of names")
            raise Skip("header")
        if not _PARTS.search(line) and not _FIXED_WIDTH.fullmatch(_text(line)):
            raise ValueError("not the columns that ra prints")
        if len(cells) != len(self.names):
            raise ValueError(f"{len(cells)} values for {len(self.names)} columns")
        fields = Fields(dict(zip(self.names, (cell.strip() for cell in cells), strict=True)))
        protocol = str(fields.take("Proto", "proto") or "").lower()
        if protocol == "man":
            raise Skip("management record")
        row = flow_row()
        row["time"] = self._when(fields.take("StartTime", "stime"))
        row["network_transport"] = protocol or None
        row |= _ends(fields, protocol)
        row |= fields.columns(_COLUMNS)
        _bytes(fields, row)
        if "Label" in fields or "label" in fields:
            label = fields.text("Label", "label")
            row["malicious"], row["family"] = self._judge(label), label
        row["extra"] = fields.rest()
        return row

    def _when(self, text: object) -> datetime | None:
        if text is None:
            return None
        stamp = str(text)
        if _CLOCK_ONLY.fullmatch(stamp):
            day = (self.modified or datetime(1970, 1, 1)).date()
            if not self.guessed:
                self.clock.warnings.append(
                    f"The times have no date: read as on {day}, when the file was written. Print them with ra -u or -t."
                )
            self.guessed = True
            return iso(f"{day}T{stamp}", self.clock)
        if stamp.replace(".", "", 1).isdecimal():
            return epoch(stamp)
        return iso(stamp.replace("/", "-"), self.clock)

    def _judge(self, label: str | None) -> bool | None:
        if label is None:
            return None
        if self.truth is not None and (self.truth.malicious or self.truth.benign):
            return judge(label, self.truth)
        return True if "Botnet" in label else False if "Normal" in label else None


def _ends(fields: Fields, protocol: str) -> dict[str, object]:
    row: dict[str, object] = {}
    for side, names in (("source", ("SrcAddr", "saddr")), ("destination", ("DstAddr", "daddr"))):
        row[f"{side}_ip"] = address(fields.peek(*names))
        if row[f"{side}_ip"]:
            fields.take(*names)
    if protocol in _WITH_PORTS:
        for column, names in (("source_port", ("Sport", "sport")), ("destination_port", ("Dport", "dport"))):
            text = fields.take(*names)
            if text is not None:
                number = int(str(text), 16) if str(text).lower().startswith("0x") else text
                row[column] = whole(number, names[0], 65535)
    return row


def _bytes(fields: Fields, row: dict[str, object]) -> None:
    for what, total in (("bytes", ("TotBytes", "bytes")), ("packets", ("TotPkts", "pkts"))):
        both = fields.peek(*total)
        if both is not None and row.get(f"source_{what}") is not None and row.get(f"destination_{what}") is None:
            row[f"destination_{what}"] = max(whole(both, total[0]) - cast("int", row[f"source_{what}"]), 0)
    answered = row.get("destination_packets") or row.get("destination_bytes")
    if answered is not None:
        row["event_outcome"] = "success" if answered else "failure"


def _cells(line: bytes) -> list[str]:
    text = _text(line)
    if _PARTS.search(line):
        return text.split("\t") if "\t" in text else text.split(",")
    found = _FIXED_WIDTH.fullmatch(text)
    if found is None:
        return text.split()
    start, flags, protocol, source, way, destination, *rest = found.groups()
    return [start, flags.strip(), protocol, *_end(source), way, *_end(destination), *rest]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n ")


def _end(text: str) -> tuple[str, str]:
    """Return the address and the port that `ra` writes behind it, with a dot between: `192.0.2.7.80`."""
    host, _, port = text.rpartition(".")
    return (text, "") if address(text) or not address(host) else (host, port)
