"""Authentication messages → lines of auth.log as a central syslog server keeps it, without year and time zone.

References
----------
RFC 3164, section 4.1.2: https://www.rfc-editor.org/rfc/rfc3164
"""

from __future__ import annotations

from datetime import UTC, datetime

from socml.simulator.traffic import Columns
from socml.simulator.window import SECOND

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in any locale


def lines(table: Columns) -> list[str]:
    """Return one line a message, in the table's order, which is the order of arrival."""
    rows = zip(table["time_us"].tolist(), table["host"].tolist(), table["text"].tolist(), strict=True)
    return [f"{_stamp(time_us)} {host} {text}" for time_us, host, text in rows]


def _stamp(time_us: int) -> str:
    moment = datetime.fromtimestamp(time_us // SECOND, UTC)
    return f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S}"
