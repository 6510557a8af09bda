"""The named fields of Snort's alert_json and alert_csv → event columns.

Snort 2 and Snort 3 name the same fields differently; both spellings are known, and the fields may be any selection.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from socml.formats._fields import Fields, whole
from socml.formats._snort import alert_columns, alert_time, endpoints, shorten
from socml.formats._times import Clock, epoch

__all__ = ["snort_event"]


def snort_event(found: dict[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of an alert's fields.

    `seconds` is since 1970 and is believed before `timestamp`, which has neither year nor zone, except for its
    fraction of a second. `msg` is not among Snort 3's default fields: then the alert has no name.

    Raises
    ------
    ValueError
        In words, for a field that does not fit, and where there is no time.
    """
    fields = Fields(found)
    when = _time(fields, clock)
    rule = fields.take("rule")
    gid, sid, rev = str(rule).split(":") if str(rule).count(":") == 2 else (None, rule, None)
    gid = fields.text("gid", "sig_generator") or gid
    rev = fields.text("rev", "sig_rev") or rev
    sid = fields.text("sid", "sig_id") or cast("str | None", sid)
    priority = fields.take("priority")
    protocol, action = fields.text("proto"), cast("str | None", fields.peek("action"))
    row = alert_columns(gid, sid, None if priority is None else whole(priority, "priority"), protocol, action)
    row["time"] = when
    row |= _ends(fields, protocol)
    row["rule_name"] = row["message"] = fields.text("msg")
    service = fields.peek("service")
    if service not in (None, "unknown"):
        row["network_protocol"] = fields.text("service")
    row["extra"] = {"gid": gid, "rev": rev, **fields.rest()}
    return row


def _time(fields: Fields, clock: Clock) -> datetime:
    stamp, seconds = fields.take("timestamp"), fields.take("seconds")
    if seconds is not None:
        when = epoch(seconds)
        _, _, fraction = str(stamp or "").strip().partition(".")
        return when.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction.isdecimal() else when
    if stamp is None:
        raise ValueError("the alert has no time: neither `timestamp` nor `seconds`")
    return alert_time(str(stamp), clock)


def _ends(fields: Fields, protocol: str | None) -> dict[str, object]:
    """Return the addresses, from the joined field ("10.0.0.1:80") or from the separate ones, which come first."""
    row: dict[str, object] = {}
    pairs = (fields.take("src_ap"), fields.take("dst_ap"))
    if pairs[0] and pairs[1]:
        row = endpoints(str(pairs[0]), str(pairs[1]), protocol)
    row |= fields.columns(
        {
            "source_ip": ("src_addr", "src"),
            "source_port": ("src_port", "srcport"),
            "destination_ip": ("dst_addr", "dst"),
            "destination_port": ("dst_port", "dstport"),
        }
    )
    for column in ("source_ip", "destination_ip"):
        if column in row:
            row[column] = shorten(str(row[column]))
    return row
