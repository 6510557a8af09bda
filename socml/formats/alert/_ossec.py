"""What OSSEC and Wazuh say of an alert, in any of their spellings → event columns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from socml.formats._addresses import address

__all__ = ["HASHES", "alert_columns", "file_change", "location_columns"]

_WORST = 15  # OSSEC's levels are 0 to 15, Wazuh's too
_LOCATION = re.compile(r"(?:\((?P<agent>[^)]*)\) )?(?P<host>[^>\s]*?)->(?P<log>.*)$", re.DOTALL)
_CHANGES = {"added": "added", "deleted": "removed", "modified": "changed"}
_OF_RULE = {"550": "changed", "551": "changed", "552": "changed", "553": "removed", "554": "added"}
HASHES = ("sha256_after", "sha1_after", "md5_after")


def alert_columns(level: int, rule: str | None, groups: Iterable[str]) -> dict[str, object]:
    """Return the columns that every alert has: category and outcome by the groups of its rule, severity by its level.

    Examples
    --------
    >>> row = alert_columns(10, "5712", ["syslog", "sshd", "authentication_failures"])
    >>> row["event_severity"], row["event_category"], row["event_outcome"]
    (67, 'authentication', 'failure')
    """
    known = {group.strip() for group in groups}
    failed = known & {"authentication_failed", "authentication_failures", "invalid_login", "win_authentication_failed"}
    passed = known & {"authentication_success"}
    row: dict[str, object] = {
        "class_uid": 2004,
        "event_category": "intrusion_detection",
        "event_action": "alert",
        "event_severity": round(100 * min(level, _WORST) / _WORST),
        "rule_id": rule,
    }
    if failed or passed:
        row["event_category"], row["event_outcome"] = "authentication", "failure" if failed else "success"
    elif "syscheck" in known:
        row["event_category"] = "file"
    return row


def location_columns(location: str | None) -> tuple[dict[str, object], dict[str, str | None]]:
    """Return the host of a location, and its further parts.

    Examples
    --------
    >>> location_columns("(win1) 10.2.37.29->WinEvtLog")
    ({'host_name': 'win1'}, {'location': 'WinEvtLog', 'agent_ip': '10.2.37.29'})
    >>> location_columns("so1->/var/log/messages"), location_columns("/var/log/messages")[1]
    (({'host_name': 'so1'}, {'location': '/var/log/messages'}), {'location': '/var/log/messages'})
    """
    found = _LOCATION.match(location or "")
    if found is None:
        return {}, {"location": location}
    host, ip = found["agent"] or found["host"] or None, address(found["host"])
    row = {"host_name": host} if host else {}
    return row, {"location": found["log"], **({"agent_ip": ip} if ip and found["agent"] else {})}


def file_change(event: str | None, rule: str | None) -> str | None:
    """Return what happened to a file: by Wazuh's word for it, else by the number of OSSEC's rule."""
    return _CHANGES.get(event or "") or _OF_RULE.get(rule or "")
