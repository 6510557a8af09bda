"""The description of a Windows event, as the event viewer shows it → its fields, under the names of the event's XML.

Its lines are `Name: value`. A name stands under a heading (`Subject:`), which tells whose it is. Blind to other languages
than English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["PAIR", "described", "lines_of"]

PAIR = re.compile(r"[ \t]{0,16}(?P<name>[A-Za-z][\w /-]{0,60})(?::(?:[ \t]|$)|=)[ \t]{0,60}(?P<value>[^\r]{0,32000})")
_OF_DESCRIPTION = {
    "Source Network Address": "IpAddress", "Client Address": "IpAddress", "Source Address": "SourceAddress", "Destination Address": "DestAddress",
    "Source Port": "IpPort", "Client Port": "IpPort", "Destination Port": "DestPort", "New Process Name": "NewProcessName",
    "Process Name": "ProcessName", "Caller Process Name": "ProcessName", "Application Name": "Application", "Process Command Line": "CommandLine",
    "Creator Process Name": "ParentProcessName", "New Process ID": "NewProcessId", "Process ID": "ProcessId", "Object Name": "ObjectName",
    "Object Type": "ObjectType", "Share Name": "ShareName", "Relative Target Name": "RelativeTargetName", "Logon Type": "LogonType",
    "Workstation Name": "WorkstationName", "Service File Name": "ServiceFileName",
}  # fmt: skip
_OF_ACCOUNTS = {
    "Account Name": "UserName",
    "Account Domain": "DomainName",
    "Security ID": "UserSid",
    "Logon ID": "LogonId",
}
# A description in one line, as Snare sends it: blanks stand for line ends, and two of them before a value
_HEADS = "|".join(
    ("Subject", "Creator Subject", "Target Subject", "New Logon", "Account For Which Logon Failed", "Account Whose Credentials Were Used",
     "Target Account", "New Account", "Target Server", "Member", "Group", "Network Information", "Process Information", "Failure Information",
     "Logon Information", "Detailed Authentication Information", "Account Information", "Service Information", "Object", "Application Information")
)  # fmt: skip
_NAMES = "|".join(
    map(
        re.escape,
        sorted(
            {*_OF_DESCRIPTION, *_OF_ACCOUNTS, "Failure Reason", "Status", "Sub Status", "Logon Process"},
            key=len,
            reverse=True,
        ),
    )
)
_IN_ONE_LINE = re.compile(rf" {{2,}}(?:(?=(?:{_HEADS}): )|(?=(?:{_NAMES}):(?: |$)))")


def lines_of(text: str) -> list[str]:
    """Return a description's lines, also of one whose line ends were turned into blanks.

    Examples
    --------
    >>> lines_of("Failed.    Subject:   Account Name:  -    New Logon:   Account Name:  bob")
    ['Failed.', 'Subject:', 'Account Name:  -', 'New Logon:', 'Account Name:  bob']
    """
    if "\n" in text:
        return [line.rstrip("\r") for line in text.split("\n")]
    return [line.strip() for line in _IN_ONE_LINE.split(text)]


def described(lines: Iterable[str]) -> dict[str, object]:
    """Return the fields of a description's lines; whose account one is about tells the heading above it."""
    found: dict[str, object] = {}
    heading = ""
    for line in lines:
        pair = PAIR.match(line)
        if pair is None:
            continue
        name, value = pair["name"].strip(), pair["value"].strip()
        if not value and name not in _OF_DESCRIPTION and name not in _OF_ACCOUNTS:
            heading = name
        elif value not in ("", "-") and name in _OF_ACCOUNTS:
            side = "Subject" if heading in ("Subject", "Creator Subject") else "Target"
            found.setdefault(side + _OF_ACCOUNTS[name], value)
        elif value not in ("", "-"):
            found.setdefault(_OF_DESCRIPTION.get(name, name), value)
    return found
