"""What AIDE says of an entry (its path, what changed, its attributes old and new) → event columns."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime

from socml.formats._times import Clock, iso

__all__ = ["aide_event", "aide_time"]

_HASHES = ("sha512", "sha256", "sha1", "rmd160", "md5", "stribog512", "stribog256", "gost", "whirlpool", "tiger")
_BYTES = {"sha512": 64, "sha256": 32, "sha1": 20, "rmd160": 20, "md5": 16, "stribog512": 64, "stribog256": 32, "gost": 32,
          "whirlpool": 64, "tiger": 24}  # fmt: skip
_ZONE = re.compile(r" ([+-]\d{4})$")
_SEVERITY = {"added": 40, "removed": 40, "changed": 40}


def aide_event(
    path: str,
    change: str,
    flags: str | None,
    details: Mapping[str, Mapping[str, object]],
    when: datetime | None,
) -> dict[str, object]:
    """Return the event columns of one entry of a report.

    Parameters
    ----------
    change : added, removed or changed
    flags : AIDE's summary, as `f > ... mc..H`
    details : attribute → its "old" and "new" value; hashes are in base64 there, and hexadecimal in `file_hash`

    Examples
    --------
    >>> row = aide_event("/x", "changed", "f", {"md5": {"old": "AAAA", "new": "6egtU9MbZTKWUJgt+axirw=="}}, None)
    >>> row["file_hash"], row["extra"]["md5.old"]
    ('md5:e9e82d53d31b65329650982df9ac62af', 'AAAA')
    """
    row: dict[str, object] = {
        "time": when,
        "class_uid": 1001,
        "event_category": "file",
        "event_action": f"file_{change}",
        "event_severity": _SEVERITY.get(change),
        "file_path": path,
        "file_change": change,
        "file_hash": _hash(details, "old" if change == "removed" else "new"),
    }
    extra = {"flags": flags}
    for name, values in details.items():
        extra |= {f"{name}.{side}": None if value is None else str(value) for side, value in values.items()}
    row["extra"] = extra
    return row


def aide_time(text: object, clock: Clock) -> datetime | None:
    """Return the time of a stamp as `2026-11-25 02:42:21 +0000`; before version 0.16 there is no zone."""
    if text and not isinstance(text, str):
        raise ValueError(f"{str(text)[:60]!r} is not a time such as 2026-11-25 02:42:21 +0000")
    return None if not text else iso(_ZONE.sub(r"\1", str(text).strip()), clock)


def _hash(details: Mapping[str, Mapping[str, object]], side: str) -> str | None:
    for name in _HASHES:
        value = details.get(name, {}).get(side)
        if isinstance(value, str):
            try:
                data = b64decode(value, validate=True)
            except (NotBase64, ValueError):
                continue
            if len(data) == _BYTES[name]:
                return f"{name}:{data.hex()}"
    return None
