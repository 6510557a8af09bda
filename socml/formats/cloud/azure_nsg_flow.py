"""Azure flow logs of network security groups and virtual networks → flows: one event a flow tuple.

`PT1H.json` is one document, `{"records": […]}`; each record holds rules, each rule MAC addresses, each of those tuples
like `1542110377,10.0.0.4,13.67.143.118,44931,443,T,O,A,B,,,,`. Version 1 ends after the decision; version 2 adds state
and counts, null in the first tuple of a flow (B). VNet flow logs (version 4) write milliseconds, an IP protocol's number
and a state in which D is denied. The stored record is the tuple with its rule and its MAC address before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from socml.formats._addresses import address
from socml.formats._envelope import members
from socml.formats._fields import whole
from socml.formats._json import json_bytes, loads_exactly
from socml.formats._protocols import transport
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import epoch

__all__ = ["AzureNsgFlow"]

_STATES = {"B": "begin", "C": "continuing", "E": "end", "D": "denied"}


class AzureNsgFlow:
    """Azure NSG flow logs, versions 1 and 2, and VNet flow logs."""

    name = "azure-nsg-flow"
    about = "Azure flow logs of network security groups (versions 1 and 2) and virtual networks"
    specification = "https://learn.microsoft.com/en-us/azure/network-watcher/nsg-flow-logs-overview#log-format"
    examples = (
        '{"records":[{"time":"2024-02-29T13:06:56.1Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/r",'
        '"properties":{"Version":2,"flows":[{"rule":"DefaultRule_AllowInternetOutBound","flows":[{"mac":"000D3AF87856",'
        '"flowTuples":["1709208416,192.0.2.7,198.51.100.1,44931,443,T,O,A,B,,,,"]}]}]}}]}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of records of the two categories."""
        return 0.98 if b'"flowTuples"' in head and b"FlowEvent" in head else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows."""
        return batches(_tuples(source), _event)


def _tuples(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield each flow tuple as 'rule mac tuple'; a record that cannot be taken apart as it is."""
    for line, record in members(source, "records"):
        try:
            found = list(_cut(loads_exactly(record)))
        except (ValueError, AttributeError, TypeError, KeyError):
            yield line, record
            continue
        for one in found or [record]:
            yield line, one


def _cut(found: dict[str, Any]) -> Iterator[bytes]:
    groups = [{"flowGroups": found["properties"]["flows"]}] if "properties" in found else found["flowRecords"]["flows"]
    for outer in groups:
        for rule in outer["flowGroups"]:
            inner = rule["flows"] if "flows" in rule else [{**rule, "mac": found.get("macAddress")}]
            for flow in inner:
                for one in flow["flowTuples"]:
                    yield json_bytes([rule["rule"], flow.get("mac"), one])


def _event(record: bytes) -> dict[str, object]:
    if not record.startswith(b"["):
        loads_exactly(record)
        raise ValueError("no flow tuples where a record of flow logs has them")
    rule, mac, text = json.loads(record)
    cells = str(text).split(",")
    if len(cells) < 8:
        raise ValueError(f"{len(cells)} values in a flow tuple, which has at least 8")
    proto = cells[5]
    names = {"T": "tcp", "U": "udp", "I": "icmp"}
    is_vnet = proto not in names
    state = cells[7] if is_vnet else cells[8] if len(cells) > 8 else ""
    allowed = state != "D" if is_vnet else cells[7] == "A"
    row: dict[str, object] = {
        "time": epoch(cells[0]),
        "class_uid": 4001,
        "event_category": "network",
        "event_action": "connection",
        "event_outcome": "success" if allowed else "failure",
        "source_ip": address(cells[1]),
        "destination_ip": address(cells[2]),
        "source_port": whole(cells[3], "source port", 65535) if cells[3] else None,
        "destination_port": whole(cells[4], "destination port", 65535) if cells[4] else None,
        "network_transport": transport(whole(proto, "protocol", 255)) if is_vnet else names[proto],
        "connection_state": _STATES.get(state, state) or None,
        "rule_name": rule,
    }
    counts = ("source_packets", "source_bytes", "destination_packets", "destination_bytes")
    for column, cell in zip(counts, cells[9:13], strict=False):
        if cell:
            row[column] = whole(cell, column)
    row["extra"] = {"direction": cells[6], "mac": mac, "encryption": cells[8] if is_vnet and len(cells) > 8 else None}
    return row
