"""Text in ISO 8601 → a time, the same on every Python."""

from __future__ import annotations

import re
from datetime import datetime

__all__ = ["from_iso"]

_HOUR_24 = re.compile(r"(?:\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d).24")


def from_iso(text: str) -> datetime:
    """Return what `datetime.fromisoformat` does in Python 3.11: from 3.14 on, it takes hour 24 for the next midnight.

    Raises
    ------
    ValueError
        If it is no time.

    Examples
    --------
    >>> from_iso("2024-02-29T23:59:59Z").isoformat()
    '2024-02-29T23:59:59+00:00'
    """
    if _HOUR_24.match(text):
        raise ValueError("an hour is 0 to 23")
    return datetime.fromisoformat(text)
