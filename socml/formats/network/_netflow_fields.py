"""The information elements of one NetFlow or IPFIX record, by number → event columns."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from socml.formats._addresses import address_text
from socml.formats._protocols import transport
from socml.formats.network._flow_rows import END_REASONS, flag_letters, flow_row, from_ms

__all__ = ["Clock", "flow_of"]

_NTP = 2_208_988_800  # seconds from 1900, NTP's beginning, to 1970
# https://www.iana.org/assignments/ipfix
_NAMES = {5: "tos", 9: "source_mask", 10: "input_interface", 13: "destination_mask", 14: "output_interface",
          15: "next_hop", 16: "source_as", 17: "destination_as", 18: "bgp_next_hop", 34: "sampling_interval",
          48: "sampler_id", 52: "min_ttl", 53: "max_ttl", 54: "datagram_id", 55: "tos_out", 56: "source_mac",
          57: "destination_mac_out", 58: "vlan", 59: "vlan_out", 60: "ip_version", 61: "direction", 62: "next_hop",
          70: "mpls_label", 80: "destination_mac", 81: "source_mac_out", 82: "interface_name", 89: "forwarding_status",
          95: "application_id", 96: "application_name", 136: "end_reason", 148: "flow_id", 195: "dscp",
          225: "source_ip_after_nat", 226: "destination_ip_after_nat", 227: "source_port_after_nat",
          228: "destination_port_after_nat", 230: "nat_event", 233: "firewall_event", 234: "vrf",
          33002: "firewall_extended_event", 40000: "user_name", 40005: "firewall_event"}  # fmt: skip
_ADDRESSES = {8: "source_ip", 27: "source_ip", 12: "destination_ip", 28: "destination_ip"}
_COUNTS = {1: "source_bytes", 2: "source_packets", 23: "destination_bytes", 24: "destination_packets", 85: "source_bytes",
           86: "source_packets", 231: "source_bytes", 232: "destination_bytes", 298: "source_packets",
           299: "destination_packets"}  # fmt: skip
_PORTS = {7: "source_port", 11: "destination_port", 180: "source_port", 181: "destination_port", 182: "source_port",
          183: "destination_port"}  # fmt: skip
_IP_EXTRA = {15, 18, 62, 225, 226, 281, 282}
_MACS = {56, 57, 80, 81}
_TEXTS = {82, 83, 94, 96, 371}
_STARTS = {22, 150, 152, 154, 156, 158}
_ENDS = {21, 151, 153, 155, 157, 159}


class Clock:
    """What a datagram says about time: when it was sent (ms since 1970), and the exporter's uptime then (ms)."""

    def __init__(self, sent_ms: float, uptime_ms: int | None) -> None:
        self.sent_ms, self.uptime_ms = sent_ms, uptime_ms

    def at(self, number: int, value: bytes, boot_ms: int | None) -> float | None:
        """Return the time in an element, in ms since 1970; None if it cannot be told."""
        whole = int.from_bytes(value, "big")
        if number in (21, 22):
            base = boot_ms if boot_ms is not None else self._boot()
            return None if base is None else base + whole
        if number in (150, 151):
            return whole * 1000.0
        if number in (152, 153):
            return float(whole)
        if number in (154, 155, 156, 157) and len(value) == 8:
            return ((whole >> 32) - _NTP) * 1000 + (whole & 0xFFFFFFFF) * 1000 / 2**32
        return self.sent_ms - whole / 1000  # 158 and 159: microseconds before it was sent

    def _boot(self) -> float | None:
        return None if self.uptime_ms is None else self.sent_ms - self.uptime_ms


def flow_of(found: dict[tuple[int, int], bytes], clock: Clock) -> dict[str, object]:
    """Return the event columns of one record. Elements of an enterprise have its number first, others 0.

    Raises
    ------
    ValueError
        If a time in it is none.

    Examples
    --------
    >>> row = flow_of({(0, 8): bytes([10, 0, 0, 1]), (0, 4): b"\\x06", (0, 1): b"\\x01\\x00"}, Clock(0.0, None))
    >>> row["source_ip"], row["network_transport"], row["source_bytes"]
    ('10.0.0.1', 'tcp', 256)
    """
    row, extra = flow_row(), {}
    boot = found.get((0, 160))
    boot_ms = int.from_bytes(boot, "big") if boot else None
    start = end = None
    for (enterprise, number), value in found.items():
        if enterprise:
            extra[f"enterprise_{enterprise}_{number}"] = value.hex()
        elif number in _ADDRESSES and len(value) in (4, 16):
            if row.get(_ADDRESSES[number]) is None or any(value):
                row[_ADDRESSES[number]] = address_text(ip_address(value))
        elif number in _COUNTS:
            row[_COUNTS[number]] = min(int.from_bytes(value, "big"), 2**63 - 1)
        elif number in _PORTS and len(value) <= 2:
            row.setdefault(_PORTS[number], int.from_bytes(value, "big"))
        elif number in _STARTS:
            start = clock.at(number, value, boot_ms)
        elif number in _ENDS:
            end = clock.at(number, value, boot_ms)
        elif number not in (4, 160):
            _other(number, value, row, extra)
    return _finished(row, extra, found, start, end)


def _finished(
    row: dict[str, object],
    extra: dict[str, str],
    found: dict[tuple[int, int], bytes],
    start: float | None,
    end: float | None,
) -> dict[str, object]:
    protocol = found.get((0, 4))
    row["network_transport"] = transport(int.from_bytes(protocol, "big")) if protocol else None
    row["time"] = _time(start if start is not None else end)
    if start is not None and end is not None and end >= start:
        row["duration_s"] = (end - start) / 1000
    elif (0, 161) in found:
        row["duration_s"] = int.from_bytes(found[(0, 161)], "big") / 1000
    row["extra"] = extra
    return row


def _other(number: int, value: bytes, row: dict[str, object], extra: dict[str, str]) -> None:
    name = _NAMES.get(number, f"element_{number}")
    whole = int.from_bytes(value, "big")
    if number == 6:
        extra["tcp_flags"] = flag_letters(whole & 0xFF)
    elif number == 323:
        row.setdefault("time", _time(float(whole)))
    elif number == 136:
        row["connection_state"] = END_REASONS.get(whole, str(whole))
    elif number in _MACS:
        extra[name] = value.hex(":")
    elif number in _IP_EXTRA and len(value) in (4, 16):
        extra[name] = address_text(ip_address(value))
    elif number == 40000:
        row["user_name"] = _text(value) or None
    elif value:
        extra[name] = _text(value) if number in _TEXTS else str(whole) if len(value) <= 8 else value.hex()


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _time(ms: float | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
