"""The message of Snort's alert_syslog, or of Suricata's syslog output → the columns of an alert, as of `snort-fast`.

Both write `[gid:sid:rev] message [Classification: …] [Priority: n] <interface> {PROTO} from -> to`; Snort before 2.9 puts
a colon after the priority. Traps: classification, priority and interface may be missing; of ICMP and of fragments
there are no ports. What else these programs say to syslog (a start, an alert without a packet) is no alert's line.
"""

from __future__ import annotations

import re

from socml.formats._snort import alert_columns, endpoints

__all__ = ["WRITERS", "alert_message"]

WRITERS = {"snort", "suricata", "barnyard2"}
_ALERT = re.compile(
    r"(?:\[(?P<action>[A-Za-z]{1,20})\] )?(?:\[\*\*\] )?\[(?P<gid>\d{1,10}):(?P<sid>\d{1,10}):(?P<rev>\d{1,10})\] "
    r"(?P<message>.*?)(?: \[\*\*\])?(?: \[Classification: (?P<classification>[^\]]{0,200})\])?"
    r"(?: \[Priority: (?P<priority>\d{1,9})\])?:?(?: <(?P<interface>[^>]{0,200})>)? \{(?P<protocol>[^}]{1,30})\} "
    r"(?P<source>\S{1,100}) -> (?P<destination>\S{1,100})$",
    re.DOTALL,
)


def alert_message(message: str) -> tuple[dict[str, object], dict[str, str]] | None:
    """Return the event columns of an alert and its further fields; None if the message is none.

    Examples
    --------
    >>> text = "[1:469:3] ICMP PING NMAP [Classification: Attempted Information Leak] [Priority: 2]: {ICMP} 10.0.0.1 -> 10.0.0.2"
    >>> columns, more = alert_message(text)
    >>> columns["rule_id"], columns["rule_name"], columns["event_severity"], columns["destination_ip"]
    ('469', 'ICMP PING NMAP', 60, '10.0.0.2')
    >>> more
    {'gid': '1', 'rev': '3', 'classification': 'Attempted Information Leak'}
    """
    found = _ALERT.match(message)
    if found is None:
        return None
    priority = None if found["priority"] is None else int(found["priority"])
    row = alert_columns(found["gid"], found["sid"], priority, found["protocol"], found["action"])
    try:
        row |= endpoints(found["source"], found["destination"], found["protocol"])
    except ValueError:
        return None  # a port that is none
    row["rule_name"] = row["message"] = found["message"].strip().strip('"') or None
    names = ("gid", "rev", "classification", "action", "interface")
    return {n: v for n, v in row.items() if v is not None}, {n: found[n] for n in names if found[n]}
