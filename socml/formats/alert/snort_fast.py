"""Suricata's fast.log and Snort's alert_fast → alerts, one a line.

Both write `time [action] [**] [gid:sid:rev] message [**] [Classification: …] [Priority: n] {PROTO} from -> to`.

Traps: Snort writes no year unless asked to (-y), Suricata writes four digits; both write local time without a zone.
Snort has no classification where the rule has none, and no `[AppID: …]` before version 2.9.8; Suricata's ICMP
"ports" are type and code. Snort 3 writes messages in quotes, and `[Would Drop]` where Suricata writes `[wDrop]`.
alert_syslog, which has the same line without a time behind a syslog header, is read by `syslog`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._snort import alert_columns, alert_time, endpoints
from socml.formats._times import Clock

__all__ = ["SnortFast"]

_ALERT = re.compile(
    r"(?P<stamp>\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d(?:\.\d{1,6})?)\s++(?:\[(?P<action>[A-Za-z ]{1,20})\]\s++)?"
    r"\[\*\*\]\s++\[(?P<gid>\d{1,10}):(?P<sid>\d{1,10}):(?P<rev>\d{1,10})\] (?P<message>.*?)\[\*\*\]"
    r"(?:\s++\[Classification: (?P<classification>[^\]]{0,200})\])?(?:\s++\[Priority: (?P<priority>\d{1,9})\])?"
    r"(?:\s++\[AppID: (?P<app>[^\]]{0,200})\])?\s*+(?:<(?P<interface>[^>]{0,200})>\s*+)?"
    r"\{(?P<protocol>[^}]{1,30})\}\s++(?P<source>\S{1,100}) -> (?P<destination>\S{1,100})\s*+$",
    re.DOTALL,
)
_LONGEST = 64 << 10  # characters of a line that is taken apart


class SnortFast:
    """One-line alerts of Suricata and Snort."""

    name = "snort-fast"
    about = "Suricata fast.log and Snort alert_fast: one alert a line"
    specification = "https://docs.suricata.io/en/latest/configuration/suricata-yaml.html and https://docs.snort.org/start/alert_logging"
    examples = (
        "02/26/2026-09:19:59.242197  [**] [1:9000002:1] TEST long DNS query [**] [Classification: A Network Trojan "
        "was detected] [Priority: 1] {UDP} 10.30.28.90:43246 -> 10.30.28.94:53",
        "10/20-20:43:39.741995  [Drop] [**] [1:10000002:0] cmd.exe [**] [Priority: 0] {TCP} 10.1.4.2:592 -> 10.1.7.2:80",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that are alerts."""
        lines = head_lines(head, 20)
        found = sum(_ALERT.match(line[:_LONGEST].decode("utf-8", "replace")) is not None for line in lines)
        return 0.98 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return clocked(line_records(source), _event, source, options)


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    found = _ALERT.match(line[:_LONGEST].decode("utf-8", "backslashreplace"))
    if found is None:
        raise ValueError("not an alert: `time [**] [gid:sid:rev] message [**] … {PROTO} from -> to` was expected")
    priority = None if found["priority"] is None else int(found["priority"])
    row = alert_columns(found["gid"], found["sid"], priority, found["protocol"], found["action"])
    row |= endpoints(found["source"], found["destination"], found["protocol"])
    row["time"] = alert_time(found["stamp"], clock)
    row["rule_name"] = row["message"] = found["message"].strip().strip('"') or None
    row["network_protocol"] = found["app"]
    extra = {n: found[n] for n in ("gid", "rev", "classification", "action", "interface")}
    row["extra"] = extra
    extra["icmp"] = _icmp(found["source"], found["destination"], row)
    return row


def _icmp(source: str, destination: str, row: dict[str, object]) -> str | None:
    """Return type/code, where an ICMP alert has them in place of ports."""
    kind, code = source.removeprefix(_head(source)), destination.removeprefix(_head(destination))
    if "source_port" in row or not kind or not code:
        return None
    return f"{kind.lstrip(':')}/{code.lstrip(':')}"


def _head(text: str) -> str:
    return text.rpartition(":")[0] if "." in text or text.count(":") == 8 else text
