"""One line of syslog → event columns: the careful way, for lines that are not plain.

Also the oracle of the fast way: on a plain line both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from socml.formats._continued import continued
from socml.formats._guess import guessed_row
from socml.formats._inner import DEEPEST_RECORD, OUTER, is_record, with_inner
from socml.formats._iso import from_iso
from socml.formats._old_encodings import text_of_line
from socml.formats._reader import Block, Parsed
from socml.formats._records import Skip, batches
from socml.formats._stamps import ZONES, stamp_in
from socml.formats._syslog_header import SEVERITY
from socml.formats._times import MONTHS, Clock, epoch, iso
from socml.formats._values import LEVELS, outcome_of
from socml.formats.host._own_time import own_time
from socml.formats.host._syslog_messages import first_word_severity, read_message

__all__ = [
    "HEADERS",
    "SEVERITY",
    "has_only_priority",
    "header",
    "header_event",
    "is_host",
    "parse_lines",
    "syslog_event",
]

_PRIORITY = r"(?:<(?P<priority>\d{1,3})> ?)?"
_TAG = r"(?:(?!\d\d/\d\d/\d{4}:)(?P<tag>[^\s:\[\]{\"]+)(?:\[(?P<pid>\d*)\])?(?:\]| ?\([^\s()]{1,64}\))?:|\[(?P<bare_tag>[\w.-]+)\]:?)"
_LEVELS = "emerg|alert|crit|err|error|warning|warn|notice|info|debug"
_FACILITY = (
    r"(?:auth|authpriv|cron|daemon|ftp|kern|lpr|mail|news|ntp|security|syslog|user|uucp|local[0-7])(?:\|\w{1,12})?"
)
# Busybox, AIX and F5 write facility and level before the program; FreeBSD, in brackets, before the host
_WRITTEN = rf"(?:(?:<?{_FACILITY}[.:])?(?P<level>{_LEVELS})>? +)?"
# The address that a relay had a line from, after the host that the line names
_ADDRESS = r"(?:(?P<host_address>\d{1,3}(?:\.\d{1,3}){3}) (?=[^\s:\[\]{\"]+(?:\[\d*\])?:))?"
_FIREBOX = r"(?:[0-9A-Z]{8,20} (?=\(\d{4}-))?(?:\((?P<own_utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\) (?=[^\s:\[\]]+(?:\[\d+\])?: ))?"  # of WatchGuard
_REST = (
    rf"(?:<{_FACILITY}\.(?P<level_before>{_LEVELS})> )?(?:(?P<host>[^\s\[\]]*[^\s\[\]:]) +(?:: )?)?{_ADDRESS}{_FIREBOX}"
    rf"(?:{_WRITTEN}{_TAG} ?)?(?P<message>.*)"
)
_RFC3164 = re.compile(
    rf"{_PRIORITY}(?:(?P<early_year>20\d\d) )?(?P<month>[A-Z][a-z]{{2}}) +(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?"
    rf"(?P<clock>\d\d:\d\d:\d\d)(?P<fraction>\.\d{{1,6}})?:? {{1,4}}(?:(?P<late_year>20\d\d) )?{_REST}",
    re.DOTALL,
)
_RFC3339 = re.compile(
    rf"{_PRIORITY}(?P<stamp>\d{{4}}(?:-\d\d-\d\d[T ]|:\d\d:\d\d-)\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?"  # the latter of Sophos UTM
    rf"(?:Z|[+-]\d\d:?\d\d|(?<=\.\d\d\d) [+-]\d{{4}} )?) {_REST}",  # the latter of Barracuda
    re.DOTALL,
)
_RFC5424 = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?1 (?P<stamp>\S+) (?P<host>\S+) (?P<tag>\S+) (?P<pid>\S+) (?P<message_id>\S+) "
    r'(?P<data>-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<message>.*))?$',
    re.DOTALL,
)
_BARE = re.compile(rf"<(?P<priority>\d{{1,3}})> ?(?:{_TAG} )?(?P<message>\S.*)", re.DOTALL)  # neither time nor host
_NO_PRIORITY = re.compile(r"1 \d{4}-\d\d-\d\dT\d\d:")  # of RFC 5424, as some collectors write it
_COUNTED = re.compile(  # of Meraki, which counts seconds since 1970
    rf"{_PRIORITY}(?:1 )?(?P<stamp>1\d{{9}}(?:\.\d{{1,9}})?) (?P<host>[^\s=]{{1,256}}) (?P<tag>[a-z_]{{2,40}}) (?P<message>.*)",
    re.DOTALL,
)
# No relay writes a time so, before neither program nor zone; without part of a second perhaps, but before no word of a sentence
_BLANK_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?P<fraction>[.,]\d{1,9})?")
_LEVEL_FIRST = re.compile(r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\s")
_NO_TAGS = re.compile(
    r"(?i)\s|[\w.-]{1,60}\.[a-z]{1,4}:\d{1,6}[:)\]]|[\[(]?(?:trace|debug|info|notice|warn(?:ing)?|error|fatal|critical)[\])]?(?:\s|:|$)"
)
# What stands where a host would in the lines of applications: levels
NO_HOSTS = frozenset(
    "trace debug dbg verbose info inf information notice warn warning wrn error err severe crit critical fatal emerg stdout stderr ip ip6 arp tcp udp icmp "
    "startup status install upgrade configure trigproc conffile remove purge".split()  # the latter of dpkg
)
_PEER = re.compile(r"(?:\S{1,256}/)?[0-9.]{7,15}:\d{1,5}")  # of whom a line tells, as OpenVPN writes
_QUEUED = re.compile(r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}")  # a message of exim's
_NO_NAMES = frozenset({"sysloghost"})  # what Cylance writes for a host
_LEVEL_LETTERS = frozenset("DIWEF")  # of MongoDB and others
_NO_HOST = re.compile(r'[=",;({]')
REPETITION = b"--- last message repeated "  # of macOS, in a line of its own
_REPETITION = re.compile(r"\n[^\n]{0,40}--- last message repeated (\d{1,9}) times? ---$")
# A field of structured data; Check Point writes a colon for its sign
_DATA_PAIR = re.compile(r'(?<=[\[ ;])(?P<name>[\w.@-]{1,64})[=:]"(?P<value>(?:[^"\\]|\\.)*)"')
_DATA_ESCAPE = re.compile(r"\\([\"\\\]])")
_OF_DATA = (
    "source_ip", "source_port", "destination_ip", "destination_port", "user_name", "network_transport", "rule_name", "event_action",
    "event_outcome", "class_uid", "event_category", "source_bytes", "destination_bytes", "source_packets", "destination_packets", "duration_s", "url_original", "network_protocol",
)  # fmt: skip
_DEVICE = re.compile(  # Cisco's sequence number and time of its own, before what it says
    r"(?:\*|\.)?(?:(?P<stamp>(?:\d{4} )?[A-Z][a-z]{2} +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [A-Z]{2,5})?) ?: )?"
    r"(?P<tag>%[A-Z][A-Z0-9_]{1,40}-(?:[A-Z0-9_]{1,40}-)?(?P<level>\d)-[A-Z0-9_]{1,64}): (?P<message>.*)",
    re.DOTALL,
)
_SEQUENCE = re.compile(
    r"(?P<front><\d{1,3}>)?(?:(?P<sequence>\d{1,12})?: )?(?:(?P<host>[A-Za-z][\w.-]{0,255}): )?"
    r"(?:\*(?P<task>[\w.-]{1,64}): )?(?P<rest>.*)",  # the task of a controller of access points
    re.DOTALL,
)
_YEAR_FIRST = re.compile(r"(\d{4}) ([A-Z][a-z]{2} +\d{1,2})")  # of NX-OS
_OUTER_OF_RECORD = tuple(name for name in OUTER if name != "host_name")
_LONGEST_STAMP = 160  # characters before the name of a device's message
HEADERS = (_RFC3164, _RFC3339, _RFC5424)


def parse_lines(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold, read one by one."""
    return batches(
        continued(enumerate(block.lines(), block.first_line), begins_record),
        lambda line: syslog_event(line, clock),
        warnings=clock.warnings,
        is_certain=lambda: clock.is_certain,
    )


def begins_record(line: bytes) -> bool:
    """Return whether a line is not one that goes on with the record above it."""
    return not line.startswith((b" ", b"\t")) and REPETITION not in line[:100]


def header(text: str) -> re.Match[str] | None:
    """Return the header of a line, with all after it as its `message`; None if it has none."""
    first = text[:1]
    if first == "<":
        found = _RFC5424.match(text) or _RFC3164.match(text) or _RFC3339.match(text) or _COUNTED.match(text)
    elif _NO_PRIORITY.match(text):
        found = _RFC5424.match(text)
    else:
        found = (_RFC3339.match(text) if first.isdecimal() else None) or _RFC3164.match(text)
    if found and not found["host"] and (found["message"] or "").startswith("\x1b["):  # coloured, as for a terminal
        return None
    host = found["host"] if found else None
    if found and "=" in (found["tag"] or "") and "," in found["tag"]:
        return None  # pairs with a colon among them
    return None if found and ((host and not is_host(host)) or _is_application(found)) else found


def _is_application(found: re.Match[str]) -> bool:
    """Return whether a line that begins with a year is an application's: `2026-03-02 10:00:00 main [worker] text`.

    What stands where a host would is then a thread, a level or a module: in brackets, or filled up with blanks.
    """
    if found.re is not _RFC3339 or found["priority"]:
        return False
    if found["host"] == "-" and "," in found["stamp"]:  # of Python's logging
        return True
    blank = _BLANK_STAMP.fullmatch(found["stamp"]) if found["host"] and found["tag"] is None else None
    if blank and (blank["fraction"] or "\\" in found["host"] or (found["host"].isalpha() and found["host"].istitle())):
        return True
    if found["host"]:
        is_filled_up = found.string.startswith("  ", found.end("host"))
        is_level = not found["tag"] and _LEVEL_FIRST.match(found["message"] or "") is not None
        return found["bare_tag"] is not None or is_filled_up or is_level
    return found["tag"] is None or _NO_TAGS.match(found.string, found.end("stamp") + 1) is not None


def is_host(name: str) -> bool:
    """Return whether a name may be a host's.

    An application's level or thread, a mail server's field or a zone is none: the line is not of syslog.

    Examples
    --------
    >>> [is_host(name) for name in ("web01", "-", "WARN", "user=ann", "+0100", "UTC", "22")]
    [True, True, False, False, False, False, False]
    """
    named = (
        not name.isdecimal()
        and name not in _LEVEL_LETTERS
        and name.lower() not in NO_HOSTS
        and name not in ZONES
        and not _NO_HOST.search(name)
    )
    return named and (name[:1] not in "+-" or name == "-") and not (_QUEUED.fullmatch(name) or _PEER.fullmatch(name))


def syslog_event(line: bytes, clock: Clock, levels: int = DEEPEST_RECORD - 1) -> dict[str, object]:
    """Return the event columns of one line; `levels` is how many records within one another its message may be.

    Raises
    ------
    ValueError
        If it has no header, or its time is none.
    Skip
        For a comment, and for a remark of journalctl such as `-- Boot … --`.

    Examples
    --------
    >>> line = b"Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2"
    >>> event = syslog_event(line, Clock(None, 2026, None))
    >>> event["time"].isoformat(), event["process_pid"], event["source_ip"], event["event_outcome"]
    ('2026-03-27T13:06:56+00:00', 1291, '10.0.0.9', 'failure')
    """
    if line.startswith(b"#"):
        raise Skip("comment")
    if line.startswith(b"-- "):
        raise Skip("remark of journalctl")
    text = text_of_line(line, clock)
    if "%" in text[:_LONGEST_STAMP] and (device := device_event(text, clock)):
        return device
    found = header(text)
    bare = _BARE.match(text) if found is None else None
    if found is None and bare is None:
        raise ValueError("no syslog header: the line does not begin with a time")
    parts = found.groupdict() if found else {**bare.groupdict(), "stamp": "-"} if bare else {}
    row = header_event(parts, clock, levels)
    if bare and row["time"] is None and (stamp := stamp_in(bare["message"], clock, farthest=1)):
        row["time"] = stamp.time  # in a spelling that no header has
    if "\n" in text and (repeated := _REPETITION.search(text, max(0, len(text) - 100))):
        row["event_count"] = 1 + int(repeated[1])
    return row


def is_syslog(text: str) -> bool:
    """Return whether a line has a header of syslog, or that of a network device."""
    return header(text) is not None or _of_device(text) is not None


def has_only_priority(text: str) -> bool:
    """Return whether a line's header is nothing but the number of its facility and severity."""
    return _BARE.match(text) is not None and not is_syslog(text)


def _of_device(text: str) -> re.Match[str] | None:
    sequence = _SEQUENCE.match(text)
    found = _DEVICE.match(sequence["rest"] if sequence else text)
    return found if found and ((sequence and sequence["sequence"]) or found["stamp"]) else None


def device_event(text: str, clock: Clock) -> dict[str, object] | None:
    """Return the columns of `<189>42: Mar  2 10:00:00.123 UTC: %SEC-6-NAME: message`; None if a line is none.

    Examples
    --------
    >>> line = "<189>87: Mar  2 10:00:00.123 UTC: %SEC-6-X: list 1 denied tcp 192.0.2.5(4) -> 198.51.100.1(22), 1 packet"
    >>> event = device_event(line, Clock(None, 2026, None))
    >>> event["source_ip"], event["destination_port"], event["event_outcome"], event["process_name"]
    ('192.0.2.5', 22, 'failure', '%SEC-6-X')
    """
    sequence, found = _SEQUENCE.match(text), _of_device(text)
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
    if number.isdecimal() and not _DEVICE.match(message):
        return host, None, number  # `sogod [4521]: …`, which no relay gave a host
    return tag, host, pid


def header_event(found: dict[str, str | None], clock: Clock, levels: int = DEEPEST_RECORD - 1) -> dict[str, object]:
    """Return the event columns of the parts that a header's pattern named, and of the record that its message may be.

    Raises
    ------
    ValueError
        If its time is none.
    """
    message = (found.get("message") or "").lstrip(" ") if found.get("data") else found.get("message") or ""
    message = message if found.get("data") is None else message.removeprefix("\ufeff")
    tag, host, pid = _writer(found, message)
    program = (tag or "").rsplit("/", 1)[-1]
    device = _DEVICE.match(message) if program.isdecimal() else None
    if device:
        program, message = device["tag"], device["message"]
    holds_record = levels > 0 and is_record(message)
    writer = tag if tag and tag.startswith("%%") else program  # of Huawei, whose names hold slashes
    columns, more = ({}, {}) if holds_record else read_message(writer, message)
    when = own_time(found, message, clock, holds_record=holds_record) or _when(found, clock)
    row: dict[str, object] = {
        "time": when,
        "message": message or None,
        "host_name": None if host in _NO_NAMES else host,
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
    row.setdefault("event_category", "host")
    row["extra"] = more
    if "structured_data" in more:
        _fill_from_data(row, more, str(found.get("message_id") or ""))
    return _with_record(row, message, clock, levels) if holds_record else row


def _with_record(row: dict[str, object], message: str, clock: Clock, levels: int) -> dict[str, object]:
    """Return a row with the columns of the record that its message is. The host that JSON or XML names is where it happened: the header's sent it."""
    if not message.rstrip().endswith(("}", ">")):
        return with_inner(row, message, clock, levels)
    read = with_inner(row, message, clock, levels, outer=_OUTER_OF_RECORD)
    if row["host_name"] and read["host_name"] != row["host_name"]:
        read["observer_name"] = read.get("observer_name") or row["host_name"]
    return read


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
