"""Snort's alert_full → alerts, each of several lines.

    [**] [1:1000:2] message [**]
    [Classification: …] [Priority: 2]
    01/10-00:08:23.598520 10.0.0.1:1025 -> 10.0.0.2:80
    TCP TTL:53 TOS:0x10 ID:2145 IpLen:20 DgmLen:100 DF
    ***AP*** Seq: 0xD34C30CE  Ack: 0x6B1F7D18  Win: 0x2000  TcpLen: 32
    [Xref => http://…]

A record is a block that begins with `[**]`; its lines are kept whole in `raw`. Traps: no year, no zone; the line of the
class is missing for rules without one; with -e a line of hardware addresses stands before the addresses, which then
come without their time; portscan alerts have a protocol line that says `PROTO:255`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._multiline import grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked
from socml.formats._snort import alert_columns, alert_time, endpoints
from socml.formats._times import Clock

__all__ = ["SnortFull"]

_TITLE = re.compile(
    r"\[\*\*\]\s++\[(?P<gid>\d{1,10}):(?P<sid>\d{1,10}):(?P<rev>\d{1,10})\](?P<message>.*)\[\*\*\]\s*+$", re.DOTALL
)
_CLASS = re.compile(r"\[Classification: (?P<classification>[^\[\]]*)\]")
_PRIORITY = re.compile(r"\[Priority: (?P<priority>\d+)\]")
_STAMP = re.compile(r"(\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d(?:\.\d{1,6})?)\s*(.*)$")
_ENDS = re.compile(r"(?:^|\s)(?P<source>[0-9A-Fa-f.:\[\]]{1,60}) -> (?P<destination>[0-9A-Fa-f.:\[\]]{1,60})")
_PROTOCOL = re.compile(r"(?<![\w-])(?P<protocol>[A-Za-z][\w-]{0,20}(?::\d{1,3})?) TTL:\d+ ")
_HEADER = re.compile(r"\b(TTL|TOS|ID|IpLen|DgmLen|Seq|Ack|Win|TcpLen|Len|Type|Code):\s{0,4}(\S{1,40})")
_FLAGS = re.compile(r"^([*A-Z0-9]{8}) Seq:")
_REFERENCE = re.compile(r"\[Xref => ([^\[\]]+)\]")


class SnortFull:
    """Alerts of several lines, as Snort writes them by default."""

    name = "snort-full"
    about = "Snort alert_full: blocks of lines with packet headers and references"
    specification = "https://docs.snort.org/start/alert_logging"
    one_a_line = False
    examples = (
        "[**] [1:1000:2] TEST message [**]",
        "[Classification: Attempted Denial of Service] [Priority: 2] ",
        "01/10-00:08:23.598520 192.0.2.1:63035 -> 192.0.2.2:22",
        "TCP TTL:53 TOS:0x10 ID:2145 IpLen:20 DgmLen:100 DF",
        "***AP*** Seq: 0xD34C30CE  Ack: 0x6B1F7D18  Win: 0x2000  TcpLen: 32",
        "[Xref => http://cve.mitre.org/cgi-bin/cvename.cgi?name=1999-0015]",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a first line that is a title, and not the middle of a one-line alert."""
        first = next(iter(head_lines(head, 1)), b"").decode("utf-8", "replace")
        return 0.97 if _TITLE.match(first) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return clocked(grouped_records(source, lambda line: line.startswith(b"[**]")), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    title, *rest = record.decode("utf-8", "backslashreplace").split("\n")
    found = _TITLE.match(title)
    if found is None:
        raise ValueError("not an alert: a line `[**] [gid:sid:rev] message [**]` was expected")
    text = "\n".join(rest)
    stamp = next((m for line in rest if (m := _STAMP.match(line))), None)
    if stamp is None:
        raise ValueError("the alert has no line with a time: it is cut off")
    protocol = next((m["protocol"] for line in rest if (m := _PROTOCOL.search(line))), None)
    priority = _PRIORITY.search(text)
    row = alert_columns(found["gid"], found["sid"], int(priority["priority"]) if priority else None, protocol, None)
    row["time"] = alert_time(stamp[1], clock)
    ends = next((m for line in (stamp[2], *rest) if (m := _ENDS.search(line)) and "type:0x" not in line), None)
    if ends:
        row |= endpoints(ends["source"], ends["destination"], protocol)
    row["rule_name"] = row["message"] = found["message"].strip() or None
    row["extra"] = {"gid": found["gid"], "rev": found["rev"], **_more(text)}
    return row


def _more(text: str) -> dict[str, str | None]:
    named = {name.lower(): value for name, value in _HEADER.findall(text)}
    group = _CLASS.search(text)
    flags = next((m[1] for line in text.split("\n") if (m := _FLAGS.match(line))), None)
    references = _REFERENCE.findall(text)
    packet = [line.strip() for line in text.split("\n") if line and not line.startswith(("[", "("))]
    return {
        **named,
        "classification": group["classification"] if group else None,
        "tcp_flags": flags,
        "packet": "; ".join(packet[1:]) or None,
        "references": " ".join(references) or None,
    }
