"""The header of a line of syslog, taken apart → event columns: the careful way, for lines that are not plain.

Also the oracle of the fast way: on a plain line both say the same.
"""

from __future__ import annotations

import re
from datetime import datetime

from socml.formats._guess import guessed_row
from socml.formats._iso import from_iso
from socml.formats._pairs import are_pairs, pairs_of
from socml.formats._record_kinds import is_record
from socml.formats._stamps import stamp_in
from socml.formats._syslog_header import SEVERITY
from socml.formats._times import MONTHS, Clock, epoch, iso
from socml.formats._users import OF_PASSWORD
from socml.formats._values import LEVELS, outcome_of
from socml.formats.host._own_time import own_time
from socml.formats.host._syslog_headers import DEVICE, SEQUENCE, device_header
from socml.formats.host._syslog_messages import first_word_severity, is_declared, read_message

__all__ = ["device_event", "header_row"]

_NO_NAMES = frozenset({"sysloghost"})  # what Cylance writes for a host
# A field of structured data; Check Point writes a colon for its sign
_DATA_PAIR = re.compile(r'(?<=[\[ ;])(?P<name>[\w.@-]{1,64})[=:]"(?P<value>(?:[^"\\]|\\.)*)"')
_DATA_ESCAPE = re.compile(r"\\([\"\\\]])")
_OF_DATA = (
    "source_ip", "source_port", "destination_ip", "destination_port", "user_name", "network_transport", "rule_name", "event_action",
    "event_outcome", "class_uid", "event_category", "source_bytes", "destination_bytes", "source_packets", "destination_packets", "duration_s", "url_original", "network_protocol",
)  # fmt: skip
# Dovecot's programs of a session name whose it is
_OF_SESSION = re.compile(
    r"(?P<program>imap|pop3|lmtp|lda|submission|managesieve)\((?P<user>[^()\s]{1,256})\)(?:<[^<>\s]{0,64}>){0,3}"
)
# What sudo writes to a file of its own, over several lines: no program, and the host within
_OF_SUDO = re.compile(
    r": (?P<user>[^:\n]{1,256} : )(?:HOST=(?P<host>\S{1,255}) : )?(?P<rest>(?:[^;\n]{1,256} ; )?(?:TTY|PWD)=.*)",
    re.DOTALL,
)
_YEAR_FIRST = re.compile(r"(\d{4}) ([A-Z][a-z]{2} +\d{1,2})")  # of NX-OS


def device_event(text: str, clock: Clock) -> dict[str, object] | None:
    """Return the columns of `<189>42: Mar  2 10:00:00.123 UTC: %SEC-6-NAME: message`; None if a line is none.

    Examples
    --------
    >>> line = "<189>87: Mar  2 10:00:00.123 UTC: %SEC-6-X: list 1 denied tcp 192.0.2.5(4) -> 198.51.100.1(22), 1 packet"
    >>> event = device_event(line, Clock(None, 2026, None))
    >>> event["source_ip"], event["destination_port"], event["event_outcome"], event["process_name"]
    ('192.0.2.5', 22, 'failure', '%SEC-6-X')
    """
    sequence, found = SEQUENCE.match(text), device_header(text)
    if found is None:
        return None
    columns, more = read_message(found["tag"], found["message"])
    stamp = stamp_in(_YEAR_FIRST.sub(r"\2 \1", found["stamp"]), clock) if found["stamp"] else None
    row: dict[str, object] = {
        "time": stamp.time if stamp else None,
        "message": found["message"],
        "process_name": found["tag"],
    }
    row["event_severity"] = SEVERITY[int(found["level"]) & 7]
    row |= ({"host_name": sequence["host"]} if sequence and sequence["host"] else {}) | columns
    row.setdefault("event_category", "network")
    told = {name: sequence[name] for name in ("sequence", "task") if sequence and sequence[name]}
    row["extra"] = {**told, **more}
    return row


def _writer(found: dict[str, str | None], message: str) -> tuple[str | None, str | None, str | None]:
    """Return the program that wrote a line, its host, and the number of its process."""
    tag, host, pid = found.get("tag") or found.get("bare_tag"), found.get("host"), found.get("pid")
    if found.get("data") is not None:
        tag, host, pid = (None if v == "-" else v for v in (tag, host, pid))
    number = found.get("bare_tag") or ""
    if number.isdecimal() and not DEVICE.match(message):
        return host, None, number  # `sogod [4521]: …`, which no relay gave a host
    return tag, host, pid


def _of_sudo(tag: str | None, host: str | None, message: str) -> tuple[str | None, str | None, str]:
    """Return program, host and message of a line, also where sudo wrote it to a file of its own."""
    own = _OF_SUDO.fullmatch(message) if tag is None else None
    if own is None:
        return tag, host, message
    return "sudo", own["host"] or host, " ".join(map(str.strip, (own["user"] + own["rest"]).split("\n")))


def _of_somebody(
    tag: str | None, host: str | None, pid: str | None, message: str
) -> tuple[str | None, str | None, str] | None:
    """Return program, host and message of a line that begins with whose password was wrong, and not with a program; None if it does not."""
    is_name = tag and not (host or pid or is_declared(tag)) and OF_PASSWORD.match(message)
    return (None, host, f"{tag}: {message}") if is_name else None


def _program(tag: str) -> tuple[str, dict[str, object]]:
    """Return the program that a tag names, and the user whose session it serves.

    Examples
    --------
    >>> _program("imap(ann)<12><x>"), _program("/usr/sbin/sshd"), _program("lmtp(12)")
    (('imap', {'user_name': 'ann'}), ('sshd', {}), ('lmtp', {}))
    """
    session = _OF_SESSION.fullmatch(tag) if "(" in tag else None
    if session is None:
        return tag.rsplit("/", 1)[-1], {}
    return session["program"], {} if session["user"].isdecimal() else {"user_name": session["user"]}


def header_row(found: dict[str, str | None], clock: Clock, *, may_hold_record: bool) -> tuple[dict[str, object], bool]:
    """Return the event columns of the parts that a header's pattern named, and whether its message is a record, still to be read.

    Raises
    ------
    ValueError
        If its time is none.
    """
    message = (found.get("message") or "").lstrip(" ") if found.get("data") else found.get("message") or ""
    message = message if found.get("data") is None else message.removeprefix("\ufeff")
    tag, host, pid = _writer(found, message)
    tag, host, message = _of_somebody(tag, host, pid, message) or _of_sudo(tag, host, message)
    host = _named_host(message) if host is None or host in _NO_NAMES else host
    program, user = _program(tag or "")
    device = DEVICE.match(message) if program.isdecimal() else None
    if device:
        program, message = device["tag"], device["message"]
    holds_record = may_hold_record and is_record(message)
    writer = tag if tag and tag.startswith("%%") else program  # of Huawei, whose names hold slashes
    columns, more = ({}, {}) if holds_record else read_message(writer, message)
    when = own_time(found, message, clock, holds_record=holds_record) or _when(found, clock)
    row: dict[str, object] = {
        "time": when,
        "message": message or None,
        "host_name": host,
    }
    row["process_name"] = program or None
    if pid and pid.isdecimal() and len(pid) < 19:
        row["process_pid"] = int(pid)
    if found.get("priority"):
        priority = int(found["priority"] or 0)
        row["event_severity"] = SEVERITY[priority & 7]
        more["facility"] = str(priority >> 3)
    elif level := found.get("level") or found.get("level_before"):
        row["event_severity"] = LEVELS[level]
    elif (severity := first_word_severity(message)) is not None:
        row["event_severity"] = severity
    for name in ("message_id", "data", "host_address"):
        if found.get(name) not in (None, "-"):
            more[name.replace("data", "structured_data")] = str(found[name])
    row |= columns
    row = user | row
    row.setdefault("event_category", "host")
    row["extra"] = more
    if "structured_data" in more:
        _fill_from_data(row, more, str(found.get("message_id") or ""))
    return row, holds_record


def _named_host(message: str) -> str | None:
    """Return the host that the pairs of a message name, where its header names none: `Device Name: pc6`."""
    row = guessed_row(pairs_of(message)[1], Clock(None, 2000, None))[0] if are_pairs(message) else {}
    return str(row["host_name"]) if row.get("host_name") else None


def _fill_from_data(row: dict[str, object], more: dict[str, str], message_id: str) -> None:
    """Fill what the message leaves empty from the fields of RFC 5424's structured data, as Junos and Check Point write them."""
    pairs = _DATA_PAIR.finditer(more["structured_data"])
    data = {pair["name"]: _DATA_ESCAPE.sub(r"\1", pair["value"]) for pair in pairs}
    fields, _ = guessed_row(data, Clock(None, 2000, None))
    taken = {name: value for name, value in fields.items() if name in _OF_DATA and row.get(name) in (None, "host")}
    if not any(name.endswith("_ip") or name == "user_name" for name in taken):
        return
    row |= taken
    if fields.get("event_severity") is not None:  # the device's own word for it
        row["event_severity"] = fields["event_severity"]
    if row.get("event_action") is None and message_id not in ("", "-"):
        row["event_action"] = message_id
    if row.get("event_outcome") is None:
        row["event_outcome"] = outcome_of(message_id.replace("_", " "))


def _when(found: dict[str, str | None], clock: Clock) -> datetime | None:
    stamp = found.get("stamp")
    if stamp == "-":
        return None
    if stamp:
        if stamp[4:5] == ":":
            return iso(f"{stamp[:10].replace(':', '-')}T{stamp[11:]}", clock)
        return iso(stamp.rstrip().replace(" +", "+").replace(" -", "-"), clock) if "-" in stamp else epoch(stamp)
    month = MONTHS.get(found["month"] or "")
    if month is None:
        raise ValueError(f"{found['month']!r} is not a month")
    day, written = int(found["day"] or 0), found["clock"] or ""
    if year := found.get("year") or found.get("early_year") or found.get("late_year"):
        text = f"{year}-{month:02}-{day:02}T{written}{found['fraction'] or ''}"
        return clock.in_zone(from_iso(text))
    return clock.yearless(month, day, written, found["fraction"])
