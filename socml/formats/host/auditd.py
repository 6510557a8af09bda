"""The Linux audit log (`/var/log/audit/audit.log`) → events, each joined from the records of one serial number.

The kernel writes an event as several lines with the same `audit(time:serial)`: SYSCALL, EXECVE, CWD, PATH, PROCTITLE …
They become one event; `raw` holds all its lines, and what is counted as a record is the event. The time, since 1970,
is certain. Traps: a value with a space, a quote or a control character is written in hexadecimal digits without quotes
(and an argument `a1=2D6C` looks like a number); `?`, `(null)` and `(none)` are missing values; the user-space records
nest a second list in `msg='…'`; enriched logs repeat ids as names after a control character, in capitals; with several
machines in one log, lines begin with `node=`. What `ausearch` writes is read as well: it turns the records of an event
round and puts separators between events, and with `-i` it writes names for ids and local times, in the order of day and
month that its user is used to: month first here, unless a number over 12 near the file's start says otherwise.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from ipaddress import ip_address

from socml.formats._addresses import address, address_text
from socml.formats._fields import Fields
from socml.formats._multiline import numbered_lines
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches
from socml.formats._times import clock_of
from socml.formats.host._audit_interpreted import day_comes_first, interpreted_record
from socml.formats.host._audit_records import Record, audit_record, grouped_events

__all__ = ["Auditd"]

_LOGINS = {"USER_LOGIN", "USER_AUTH", "USER_ACCT", "USER_START", "USER_END", "USER_ERR", "USER_LOGOUT", "LOGIN",
           "CRED_ACQ", "CRED_DISP", "CRED_REFR", "CRYPTO_KEY_USER", "CRYPTO_SESSION", "USER_CMD", "USER_SELINUX_ERR",
           "ANOM_LOGIN_FAILURES", "GRP_AUTH"}  # fmt: skip
_ACCOUNTS = {"ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "USER_CHAUTHTOK", "USER_MGMT", "GRP_MGMT", "CHUSER_ID",
             "CHGRP_ID", "ACCT_LOCK", "ACCT_UNLOCK", "GRP_CHAUTHTOK", "USER_ROLE_CHANGE"}  # fmt: skip
# What other logs of accounts call the same
_CHANGES = {
    "ADD_USER": "user_added",
    "DEL_USER": "user_removed",
    "ADD_GROUP": "group_added",
    "DEL_GROUP": "group_removed",
}
_MEMBER = re.compile(r"add-(?:user|member)-to-group|add(?:ing|ed)? (?:user|member) to group")
_BESIDE = re.compile(r"home|mail|shadow")  # steps of one change, each of which is told
_OUTCOME = {"yes": "success", "success": "success", "1": "success"}
_CHANGE = {"CREATE": "added", "DELETE": "removed"}
_NOBODY = "4294967295"
_READABLE_SOCKET = re.compile(r"(?:laddr=|inet6? host:)(?P<address>\S{1,100}) (?:lport=|serv:)(?P<port>\d{1,5})\b")


class Auditd:
    """Events of the Linux audit system."""

    name = "auditd"
    about = "Linux audit.log, and what ausearch makes of it: the records of one event joined, values decoded"
    specification = "https://github.com/linux-audit/audit-documentation/wiki"
    one_a_line = False
    examples = (
        "type=USER_LOGIN msg=audit(1700000000.415:4063): pid=11998 uid=0 auid=4294967295 ses=4294967295 "
        'msg=\'op=login acct="root" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=failed\'',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that are records; comments and separators do not count."""
        lines = [line for line in head_lines(head, 40) if not _between(line)]
        found = sum(b"type=" in line and b"audit(" in line for line in lines)
        return 0.97 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        day_first = day_comes_first(next(iter(source.chunks()), b""))

        def read(lines: bytes) -> dict[str, object]:
            if _between(lines):
                raise Skip("comment or separator")
            texts = lines.decode("utf-8", "backslashreplace").split("\n")
            return _event(
                [interpreted_record(text, clock, day_first=day_first) or audit_record(text) for text in texts]
            )

        events = grouped_events((n, line) for n, line in numbered_lines(source) if line.strip())
        return batches(events, read, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _between(line: bytes) -> bool:
    return line.startswith((b"#", b"----", b"time->"))


def _event(records: list[Record]) -> dict[str, object]:
    if records[-1].type == "SYSCALL":
        records.reverse()  # ausearch begins with the last
    main = min(records, key=lambda r: (r.type != "SYSCALL", r.type == "PROCTITLE"))  # else the first that tells more
    fields = Fields({k: v for k, v in main.fields.items() if v is not None})
    row: dict[str, object] = {"time": main.time, "host_name": main.node}
    row |= _kind(main, records)
    result = fields.take("res", "success", "result")
    row["event_outcome"] = None if result is None else _OUTCOME.get(str(result), "failure")
    if any(map(_is_denied, records)):
        row["event_outcome"] = "failure"
    row["user_name"] = _user(fields, main.names_users)
    row |= _subject(fields)
    if fields.peek("apparmor") and str(fields.peek("name")).startswith("/"):
        row |= {"event_category": "file", "file_path": fields.text("name")}
    place = fields.peek("addr", "hostname")
    if address(place):
        row["source_ip"] = address(fields.text("addr", "hostname"))
    more: dict[str, str] = {}
    for index, record in enumerate(r for r in records if r is not main):
        row |= _further(record, row)
        name = f"{record.type.lower()}.{index}" if record.type == "PATH" else record.type.lower()
        more |= {f"{name}.{key}": value for key, value in record.fields.items() if value is not None}
    text = fields.text("text")
    row["message"] = None if text == "user" else text  # the word that old kernels put before every user record
    row["extra"] = {"serial": main.serial, "records": str(len(records)), **fields.rest(), **more}
    return row


def _is_denied(record: Record) -> bool:
    """Return whether SELinux or AppArmor refused something; what they would refuse, but only note, is none."""
    fields = record.fields
    selinux = record.type == "AVC" and "denied" in str(fields.get("text")) and fields.get("permissive") != "1"
    return selinux or fields.get("apparmor") == "DENIED"


def _kind(main: Record, records: list[Record]) -> dict[str, object]:
    """Return class, category and action, by the types of the records."""
    types = {r.type for r in records}
    action = main.type.lower()
    if main.type in _LOGINS:
        return {"class_uid": 3002, "event_category": "authentication", "event_action": action}
    if main.type in _ACCOUNTS:
        told = f"{main.fields.get('op')} {main.fields.get('text')}"
        change = action if _BESIDE.search(told) else _CHANGES.get(main.type, action)
        change = "group_member_added" if _MEMBER.match(told) else change
        return {"class_uid": 3001, "event_category": "iam", "event_action": change}
    if "EXECVE" in types:
        return {"class_uid": 1007, "event_category": "process", "event_action": "process_started"}
    if "SOCKADDR" in types:
        return {"event_category": "network", "event_action": action}
    if "PATH" in types:
        return {"class_uid": 1001, "event_category": "file", "event_action": action}
    return {"event_category": "host", "event_action": action}


def _user(fields: Fields, names_users: bool) -> str | None:
    """Return the account that the record names, else the one who logged in (only where ids are written as names)."""
    for name in ("acct", "AUID", "UID", *(("auid", "uid") if names_users else ())):
        if fields.peek(name) != "unset" and not str(fields.peek(name) or "unknown(").startswith("unknown("):
            return fields.text(name)
    return None


def _subject(fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {}
    program = fields.peek("comm", "exe")
    row["process_name"] = str(program).rsplit("/", 1)[-1] if program else None
    command = fields.text("cmd")
    if command:
        row["process_command_line"] = command
    if str(fields.peek("pid")).isdecimal():
        row |= fields.columns({"process_pid": "pid"})
    if fields.peek("ses") == _NOBODY:
        fields.take("ses")
    return row


def _further(record: Record, row: dict[str, object]) -> dict[str, object]:
    """Return the columns that a record beside the main one fills."""
    found = record.fields
    if record.type == "EXECVE":
        arguments = [value or "" for name, value in found.items() if name[:1] == "a" and name[1:2].isdecimal()]
        return {"process_command_line": " ".join(arguments)}
    if record.type == "PROCTITLE" and not row.get("process_command_line"):
        return {"process_command_line": found.get("proctitle")}
    if record.type == "PATH" and found.get("nametype") != "PARENT":
        change = _CHANGE.get(found.get("nametype") or "")
        if change or not row.get("file_path"):
            return {"file_path": found.get("name"), "file_change": change}
    if record.type == "SOCKADDR":
        return _socket(found.get("saddr") or "")
    return {}


def _socket(encoded: str) -> dict[str, object]:
    """Return the address and port of a socket address, where it is one of IPv4 or IPv6.

    Examples
    --------
    >>> _socket("02000050C00002010000000000000000"), _socket("{ saddr_fam=inet6 laddr=2001:db8::1 lport=443 }")
    ({'destination_ip': '192.0.2.1', 'destination_port': 80}, {'destination_ip': '2001:db8::1', 'destination_port': 443})
    """
    if (readable := _READABLE_SOCKET.search(encoded)) and address(readable["address"]):
        port = int(readable["port"])
        return {"destination_ip": address(readable["address"]), "destination_port": port if port < 65536 else None}
    try:
        data = bytes.fromhex(encoded)
    except ValueError:
        return {}
    family, port = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "big")
    if family == socket.AF_INET and len(data) >= 8:
        return {"destination_ip": address_text(ip_address(data[4:8])), "destination_port": port}
    if family == 10 and len(data) >= 24:  # AF_INET6 of Linux
        return {"destination_ip": address_text(ip_address(data[8:24])), "destination_port": port}
    return {}
