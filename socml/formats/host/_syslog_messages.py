"""The text of a syslog message and the program that wrote it → who did what, from where, and with what outcome."""

from __future__ import annotations

import re
from typing import Any

from socml.formats.host._snort_syslog import WRITERS, alert_message
from socml.formats.host._syslog_templates import BY_PROGRAM, PAM, SAME_AS, Template

_LONGEST = 4096  # characters; a longer message is no template's, and costs a pattern too long to refuse
COLUMNS = {
    "user_name",
    "source_ip",
    "source_port",
    "destination_ip",
    "destination_port",
    "process_command_line",
}
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%\w+)?")
_MAPPED = re.compile(r"::ffff:([0-9.]+)", re.IGNORECASE)
REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*?) ?\]$", re.DOTALL)
_SOLARIS_ID = re.compile(r"\[ID \d+ \S+\] ")
LAST_REPEATED = re.compile(r"last message repeated (\d+) times?$")


def read_message(program: str, message: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the event columns that a message fills, and its further fields.

    Examples
    --------
    >>> columns, more = read_message("sshd", "Failed password for root from 10.0.0.9 port 4242 ssh2")
    >>> columns["event_action"], columns["event_outcome"], columns["source_ip"], more
    ('ssh_login', 'failure', '10.0.0.9', {'method': 'password'})
    >>> read_message("sshd", "message repeated 2 times: [ Failed password for root from 10.0.0.9 port 1 ssh2]")[1]
    {'repeated': '2', 'method': 'password'}
    """
    more: dict[str, str] = {}
    message = _SOLARIS_ID.sub("", message.rstrip(), count=1) if message.startswith("[ID ") else message.rstrip()
    repeated = REPEATED.match(message)
    if repeated:
        more["repeated"], message = repeated[1], repeated[2]
    elif last := LAST_REPEATED.match(message):
        more["repeated"] = last[1]
    if len(message) > _LONGEST or "\n" in message:
        return {}, more
    name = program.lower()
    if name in WRITERS and (alert := alert_message(message)):
        return alert[0], more | alert[1]
    for template in BY_PROGRAM.get(SAME_AS.get(name, name), PAM):
        found = template.pattern.match(message)
        if found:
            return _columns(template, found, more), more
    return {}, more


def _columns(template: Template, found: re.Match[str], more: dict[str, str]) -> dict[str, Any]:
    class_uid, category = template.kind
    columns: dict[str, Any] = {
        "class_uid": class_uid,
        "event_category": category,
        "event_action": template.action,
        "event_outcome": template.outcome,
    }
    for name, value in found.groupdict().items():
        if not value:
            continue
        if name.endswith("_port"):
            port = int(value)
            if port <= 65535:
                columns[name] = port
        elif name.endswith("_ip"):
            address = address_of(value)
            columns[name] = address
            if address is None:
                more[name.replace("_ip", "_name")] = value  # a host's name, which is no address
        elif name in COLUMNS:
            columns[name] = value
        else:
            more[name.rstrip("_")] = value
    if template.action == "sudo_command" and "reason" in more:
        columns["event_outcome"] = "failure"
    return columns


def address_of(text: str) -> str | None:
    """Return an address, one of IPv4 in IPv6 as that of IPv4; None for what is none, such as a host's name."""
    mapped = _MAPPED.fullmatch(text)
    if mapped:
        return mapped[1]
    return text if _ADDRESS.fullmatch(text) else None
