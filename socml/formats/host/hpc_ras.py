"""Logs of the supercomputers BGL, Thunderbird, Spirit and Liberty → events, with the label that each line begins with.

`-` is no alert, anything else the category its administrators gave the alert, which is truth and never a column. The
second field is the time, in seconds since 1970; the microseconds are those of BGL's longer stamp, which is local time.
Traps: Thunderbird and Spirit hold syslog after the node, with a date of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, judge
from socml.formats._records import batches, line_records
from socml.formats._times import epoch
from socml.project import Truth

__all__ = ["HpcRas"]

_LINE = re.compile(
    r"(?P<label>-|[A-Z][A-Z0-9_-]{1,30}) (?P<epoch>\d{9,10}) (?P<date>\d{4}\.\d\d\.\d\d) (?P<node>\S+) (?P<rest>.*)",
    re.DOTALL,
)
_BGL = re.compile(
    r"\d{4}-\d\d-\d\d-\d\d\.\d\d\.\d\d\.(?P<micros>\d{6}) (?P<again>\S+) (?P<kind>\S+) (?P<component>\S+) "
    r"(?P<level>[A-Z]+)(?: (?P<message>.*))?", re.DOTALL
)  # fmt: skip
_SYSLOG = re.compile(
    r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?P<host>\S+) (?:(?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?)?(?P<message>.*)",
    re.DOTALL,
)
_LEVELS = {"INFO": 10, "WARNING": 40, "ERROR": 60, "SEVERE": 60, "FAILURE": 80, "FATAL": 90}
_TRUTH = Truth(benign=["-"])


class HpcRas:
    """RAS logs of supercomputers, as the Computer Failure Data Repository and Loghub publish them."""

    name = "hpc-ras"
    about = "supercomputer logs with a label a line: BGL, Thunderbird, Spirit, Liberty"
    specification = "https://www.usenix.org/cfdr-data"
    examples = (
        "- 1117838570 2005.06.03 R02-M1-N0 2005-06-03-15.42.50.675872 R02-M1-N0 RAS KERNEL INFO generating core.275",
        "R_DDR 1117838571 2005.06.03 R02-M1-N0 2005-06-03-15.42.51.000001 R02-M1-N0 RAS KERNEL FATAL ddr error",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of lines that are a label, an epoch, a date with dots and a node."""
        lines = head_lines(head, 30)
        found = sum(_LINE.match(line.decode("utf-8", "replace")) is not None for line in lines)
        return 0.96 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        truth = options.truth or _TRUTH
        return batches(line_records(source), lambda line: _event(line, truth))


def _event(line: bytes, truth: Truth) -> dict[str, object]:
    found = _LINE.match(line.decode("utf-8", "backslashreplace"))
    if found is None:
        raise ValueError("not a label, an epoch, a date and a node")
    row: dict[str, object] = {"event_category": "host", "time": epoch(found["epoch"]), "host_name": found["node"]}
    extra: dict[str, str] = {}
    ras, syslog = _BGL.fullmatch(found["rest"]), _SYSLOG.fullmatch(found["rest"])
    if ras:
        row["time"] = cast("datetime", row["time"]) + timedelta(microseconds=int(ras["micros"]))
        row |= {
            "process_name": ras["component"],
            "event_severity": _LEVELS.get(ras["level"]),
            "message": ras["message"],
        }
        extra = {"kind": ras["kind"], "level": ras["level"]}
        if ras["again"] != found["node"]:
            extra["node_again"] = ras["again"]
    elif syslog:
        row |= {"process_name": syslog["program"], "message": syslog["message"]}
        if syslog["pid"] and len(syslog["pid"]) < 19:
            row["process_pid"] = int(syslog["pid"])
        extra = {"host_again": syslog["host"]}
    else:
        row["message"] = found["rest"]
    row["extra"] = extra
    row["malicious"] = judge(found["label"], truth)
    row["family"] = None if found["label"] == "-" else found["label"]
    return row
