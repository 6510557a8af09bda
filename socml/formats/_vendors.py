"""The vendor, product and rule of a security event → what kind of event it is."""

from __future__ import annotations

import re

__all__ = ["kind_of"]

_LOGIN = re.compile(r"\b(?:sign(?:ed)?[- ]?(?:in|out)|log(?:ged)?[- ]?(?:in|on|off|out)|authenticat)", re.IGNORECASE)
_FAILED = re.compile(r"\b(?:fail|denied|invalid|lock)", re.IGNORECASE)
_MALWARE, _INTRUSION, _WEB = (2004, "malware"), (2004, "intrusion_detection"), (4002, "web")
_FILE, _NETWORK, _PROCESS, _LOGON = (1001, "file"), (None, "network"), (1007, "process"), (3002, "authentication")
# Deep Security agent: event ids from … to …
_DEEP_SECURITY = (
    (10, 29, _NETWORK),
    (1_000_000, 1_999_999, _INTRUSION),
    (2_000_000, 2_999_999, _FILE),
    (3_000_000, 3_999_999, _INTRUSION),
    (4_000_000, 4_999_999, _MALWARE),
    (5_000_000, 5_999_999, _WEB),
    (6_000_000, 6_999_999, _PROCESS),
)
_KASPERSKY = re.compile(r"GNRL_EV_(?:VIRUS|OBJECT|SUSPICIOUS|ATTACK|PASSWD_ARCHIVE)")


def kind_of(vendor: str, product: str, rule: str, name: str, row: dict[str, object]) -> dict[str, object]:
    """Return class and category of an event, and its outcome where its name says so.

    Parameters
    ----------
    row : its other columns, by which an event of an unknown product is placed

    Examples
    --------
    >>> kind_of("KasperskyLab", "SecurityCenter", "GNRL_EV_VIRUS_FOUND", "Malicious object detected", {})
    {'class_uid': 2004, 'event_category': 'malware'}
    >>> kind_of("Trend Micro", "Deep Security Manager", "600", "User Signed In", {})["event_outcome"]
    'success'
    """
    found = _of_product(vendor.lower(), product.lower(), rule)
    if found is None and _LOGIN.search(name):
        return _row(_LOGON) | {"event_outcome": "failure" if _FAILED.search(name) else "success"}
    if found is None:
        found = _of_columns(row)
    return _row(found) if found else {"event_category": "host"}


def _of_product(vendor: str, product: str, rule: str) -> tuple[int | None, str] | None:
    if vendor.startswith("kaspersky"):
        return (_INTRUSION if "ATTACK" in rule else _MALWARE) if _KASPERSKY.match(rule) else None
    if vendor.startswith("trend") and "deep security agent" in product and rule.isdecimal():
        return next((kind for low, high, kind in _DEEP_SECURITY if low <= int(rule) <= high), None)
    return None


def _of_columns(row: dict[str, object]) -> tuple[int | None, str] | None:
    if row.get("threat_name"):
        return _MALWARE
    if row.get("url_original"):
        return _WEB
    if row.get("file_path"):
        return _FILE
    return _NETWORK if row.get("source_ip") and row.get("destination_ip") else None


def _row(kind: tuple[int | None, str]) -> dict[str, object]:
    return {"class_uid": kind[0], "event_category": kind[1]}
