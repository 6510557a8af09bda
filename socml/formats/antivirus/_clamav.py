"""A line of ClamAV about one file (`path: Name FOUND`, `path: OK`) → event columns."""

from __future__ import annotations

import re

__all__ = ["detection", "scan_columns"]

_FOUND = re.compile(r"(?P<path>.*): (?P<name>\S{1,300}?)(?:\((?P<md5>[0-9a-f]{32}):(?P<size>\d{1,15})\))? FOUND$", re.DOTALL)  # fmt: skip
_OTHER = re.compile(
    r"(?P<path>.*): (?P<verdict>OK|Empty file|Excluded|Symbolic link|Removed\.|.{0,200} ERROR)$", re.DOTALL
)
_SEVERITY = 80


def scan_columns(line: str) -> dict[str, object] | None:
    """Return the columns of a line about one file; None if it is about none.

    Examples
    --------
    >>> row = scan_columns("/srv/a: b.zip: Eicar-Test(ce2ff87e1e11eb0044e7db6b2c7a2717:404) FOUND")
    >>> row["file_path"], row["threat_name"], row["file_hash"]
    ('/srv/a: b.zip', 'Eicar-Test', 'md5:ce2ff87e1e11eb0044e7db6b2c7a2717')
    >>> scan_columns("/srv/clean.txt: OK")["event_action"], scan_columns("Loaded 3 signatures.")
    ('file_scanned', None)
    """
    if found := _FOUND.match(line):
        row = detection(found["path"], found["name"], found["md5"])
        row["extra"] = {"size": found["size"]}
        return row
    other = _OTHER.match(line)
    if other is None or other["path"].startswith(("ERROR", "WARNING", "LibClamAV")):
        return None
    failed = other["verdict"].endswith("ERROR")
    return {
        "class_uid": 1001,
        "event_category": "file",
        "event_action": "file_scanned",
        "event_outcome": "failure" if failed else "success",
        "file_path": other["path"],
        "extra": {"verdict": other["verdict"]},
    }


def detection(path: str | None, name: str, md5: str | None) -> dict[str, object]:
    """Return the columns of a detection."""
    return {
        "class_uid": 2004,
        "event_category": "malware",
        "event_action": "malware_found",
        "event_severity": _SEVERITY,
        "file_path": path,
        "file_hash": f"md5:{md5.lower()}" if md5 else None,
        "threat_name": name,
    }
