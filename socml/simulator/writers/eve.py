"""Alerts and anomalies → lines of Suricata's eve.json.

References
----------
https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TypedDict, cast

from socml.simulator.alerts import ANOMALIES, RULES
from socml.simulator.traffic import Columns

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CREATED = ["2025_10_01"]
_APPLICATIONS = {"ssl": "tls", "-": "failed"}


class _Row(TypedDict):
    """What a line is made of: an alert of a flow."""

    rule: int
    time_us: int
    flow_time_us: int
    flow: int
    source: str
    source_port: int
    destination: str
    port: int
    transport: str
    service: str
    source_packets: int
    destination_packets: int
    source_bytes: int
    destination_bytes: int


def lines(table: Columns) -> list[str]:
    """Return one JSON object a line, in the table's order."""
    names = list(table)
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    return [_line(cast("_Row", dict(zip(names, row, strict=True)))) for row in rows]


def _line(row: _Row) -> str:
    is_alert = row["rule"] in RULES
    record: dict[str, object] = {
        "timestamp": _stamp(row["time_us"]),
        "flow_id": (row["flow"] + 1) * 0x9E3779B97F4A7C15 % 2**51,
        "in_iface": "eth1",
        "event_type": "alert" if is_alert else "anomaly",
        "src_ip": row["source"],
        "src_port": row["source_port"],
        "dest_ip": row["destination"],
        "dest_port": row["port"],
        "proto": row["transport"].upper(),
    }
    record |= _alert(row) if is_alert else _anomaly(row)
    return json.dumps(record, separators=(",", ":"))


def _alert(row: _Row) -> dict[str, object]:
    rule = RULES[row["rule"]]
    return {
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": rule.number,
            "rev": 3,
            "signature": rule.text,
            "category": rule.category,
            "severity": rule.severity,
            "metadata": {"created_at": _CREATED, "deployment": ["Perimeter"]},
        },
        "app_proto": _APPLICATIONS.get(row["service"], row["service"]),
        "flow": {
            "pkts_toserver": row["source_packets"],
            "pkts_toclient": row["destination_packets"],
            "bytes_toserver": max(row["source_bytes"], 0) + 54 * row["source_packets"],
            "bytes_toclient": max(row["destination_bytes"], 0) + 54 * row["destination_packets"],
            "start": _stamp(row["flow_time_us"]),
        },
    }


def _anomaly(row: _Row) -> dict[str, object]:
    return {"anomaly": {"type": "stream", "event": f"stream.{ANOMALIES[row['rule']]}"}}


def _stamp(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
