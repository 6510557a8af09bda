"""The parts of a Snort or Suricata alert line → event columns: rule, priority, protocol, addresses, time."""

from __future__ import annotations

import re
from datetime import datetime

from socml.formats._addresses import address
from socml.formats._fields import whole
from socml.formats._times import Clock, iso

__all__ = ["alert_columns", "alert_time", "endpoints", "shorten", "split_address"]

_STAMP = re.compile(r"(\d\d)/(\d\d)(?:/(\d{4}|\d{2}))?-(\d\d:\d\d:\d\d)(\.\d{1,6})?$")
_BRACKETED = re.compile(r"\[(?P<address>[^\]]+)\](?::(?P<port>\d+))?$")
_IPV4 = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d+))?$")
_SEVERITY = {0: 10, 1: 90, 2: 60, 3: 30, 4: 10}  # 1 is the worst; 0 is a rule without a class
_STOPPED = {"drop", "block", "reject", "reset", "blocked"}
_NO_PORTS = {"icmp", "ipv6-icmp", "icmp6"}


def alert_time(stamp: str, clock: Clock) -> datetime:
    """Return the time of a stamp as `10/20-20:43:32.334621`, or with a year.

    Suricata writes `10/20/2026-`; with -y Snort 2 writes `10/20/26-` and Snort 3 `26/10/20-`. Since 2013 a year is
    not a month, which tells the two apart.

    Raises
    ------
    ValueError
        In words, if it is none.
    """
    found = _STAMP.match(stamp.strip())
    if found is None:
        raise ValueError(f"{stamp[:60]!r} is not a time of Snort or Suricata")
    month, day, year = int(found[1]), int(found[2]), found[3]
    if year and len(year) == 2 and month > 12:
        month, day, year = day, int(year), found[1]
    if not 1 <= month <= 12:
        raise ValueError(f"{stamp[:60]!r} has no month {month}")
    if year is None:
        return clock.yearless(month, day, found[4], found[5])
    text = f"{year if len(year) == 4 else '20' + year}-{month:02}-{day:02}T{found[4]}{found[5] or ''}"
    return iso(text, clock)


def split_address(text: str) -> tuple[str, int | None]:
    """Return address and port. Snort writes IPv6 with a port as `fe80::1:53`, Suricata `fe80:0000:…:0001:53`.

    An IPv6 address of eight groups with one more part has a port; of a shortened one the last group is taken as the
    port, which is how both write it. Of ICMP, without ports, call `endpoints`.

    Examples
    --------
    >>> split_address("10.0.0.1:80"), split_address("[2001:db8::1]:80")
    (('10.0.0.1', 80), ('2001:db8::1', 80))
    >>> split_address("2001:0db8:0000:0000:0000:0000:0000:0001:443")
    ('2001:db8::1', 443)
    """
    found = _IPV4.match(text) or _BRACKETED.match(text)
    if found:
        return shorten(found["address"]), None if found["port"] is None else whole(found["port"], "port", 65535)
    front, _, port = text.rpartition(":")
    if not front or not port.isdecimal():
        return shorten(text), None
    return shorten(front), whole(port, "port", 65535)


def endpoints(source: str, destination: str, protocol: str | None) -> dict[str, object]:
    """Return the address and port columns of both ends. What ICMP has in place of ports (type and code) is left out.

    Examples
    --------
    >>> endpoints("10.0.0.1:8", "10.0.0.2:0", "ICMP"), endpoints("fe80::1", "ff02::2", "IPv6-ICMP")
    ({'source_ip': '10.0.0.1', 'destination_ip': '10.0.0.2'}, {'source_ip': 'fe80::1', 'destination_ip': 'ff02::2'})
    """
    row: dict[str, object] = {}
    without_ports = (protocol or "").lower() in _NO_PORTS
    for side, text in (("source", source), ("destination", destination)):
        if without_ports and ":" in text and "." not in text and text.count(":") != 8:
            row[f"{side}_ip"] = shorten(text)  # IPv6, and no port: its last group is none
            continue
        row[f"{side}_ip"], port = split_address(text)
        if port is not None and not without_ports:
            row[f"{side}_port"] = port
    return row


def alert_columns(
    gid: str | None, sid: str | None, priority: int | None, protocol: str | None, action: str | None
) -> dict[str, object]:
    """Return the columns that every alert has. `rule_id` is the sid, as in EVE, with the generator where it is not 1.

    Parameters
    ----------
    priority : 1 is the worst
    action : as written: Drop, WDrop (would have been dropped), allow, …

    Examples
    --------
    >>> row = alert_columns("119", "2", 1, "TCP", "Drop")
    >>> row["rule_id"], row["event_action"], alert_columns("1", "2", 1, "TCP", "wDrop")["event_action"]
    ('119:2', 'drop', 'alert')
    """
    stopped = (action or "").lower() in _STOPPED
    return {
        "class_uid": 2004,
        "event_category": "intrusion_detection",
        "event_action": "drop" if stopped else "alert",
        "event_outcome": "failure" if stopped else None,
        "event_severity": None if priority is None else _SEVERITY.get(priority, 10),
        "rule_id": sid if gid in (None, "1") else f"{gid}:{sid}",
        "network_transport": protocol.lower() if protocol else None,
    }


def shorten(text: str) -> str:
    """Return an address in its usual spelling; anything else as it is.

    Examples
    --------
    >>> shorten("fe80:0000:0000:0000:0000:0000:0000:0001"), shorten("lab")
    ('fe80::1', 'lab')
    """
    return address(text) or text
