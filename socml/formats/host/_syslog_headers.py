"""A line → its syslog header, or that of a network device; and whether it has one."""

from __future__ import annotations

import re

from socml.formats._stamps import ZONES

__all__ = [
    "BARE",
    "DEVICE",
    "HEADERS",
    "SEQUENCE",
    "device_header",
    "has_only_priority",
    "header",
    "is_host",
    "is_syslog",
]

_PRIORITY = r"(?:<(?P<priority>\d{1,3})> ?)?"
_TAG = r"(?:(?!\d\d/\d\d/\d{4}:|\d{1,3}(?:\.\d{1,3}){3}:\d)(?P<tag>[^\s:\[\]{\"]+)(?:\[(?P<pid>\d*)\])?(?:\]| ?\([^\s()]{1,64}\))?:|\[(?!(?:block|pass|drop|deny|allow|accept|reject)\])(?P<bare_tag>[\w.-]+)\]:?)"
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
    rf"(?:Z|[+-]\d\d(?::?\d\d)?|(?<=\.\d\d\d) [+-]\d{{4}} ?)?) {_REST}",  # the latter of Barracuda
    re.DOTALL,
)
_RFC5424 = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?1 (?P<stamp>\S+) (?P<host>\S+) (?P<tag>\S+) (?P<pid>\S+) (?P<message_id>\S+) "
    r'(?P<data>-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<message>.*))?$',
    re.DOTALL,
)
BARE = re.compile(rf"<(?P<priority>\d{{1,3}})> ?(?:{_TAG} )?(?P<message>\S.*)", re.DOTALL)  # neither time nor host
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
    "conn connection request from to startup status install upgrade configure trigproc conffile remove purge "  # the latter of dpkg
    "deny denied permit allow allowed accept drop dropped block blocked reject".split()  # of a firewall's own lines
)
# Words of a sentence, where no program follows
_NO_HOSTS_ALONE = frozenset("client peer user session login logout logon source".split())
_PEER = re.compile(r"(?:\S{1,256}/)?[0-9.]{7,15}:\d{1,5}")  # of whom a line tells, as OpenVPN writes
_QUEUED = re.compile(r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}")  # a message of exim's
_FIELD = re.compile(r"[A-Za-z_]{2,20}:(?!\d{1,5}$)[^\s:]{1,256}")  # `user:ann`; a port may stand behind a host
_LEVEL_LETTERS = frozenset("DIWEF")  # of MongoDB and others
_NO_HOST = re.compile(r'[=",;({]')
DEVICE = re.compile(  # Cisco's sequence number and time of its own, before what it says
    r"(?:\*|\.)?(?:(?P<stamp>(?:\d{4} )?[A-Z][a-z]{2} +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [A-Z]{2,5})?) ?: )?"
    r"(?P<tag>%[A-Z][A-Z0-9_]{1,40}-(?:[A-Z0-9_]{1,40}-)?(?P<level>\d)-[A-Z0-9_]{1,64}): (?P<message>.*)",
    re.DOTALL,
)
SEQUENCE = re.compile(
    r"(?P<front><\d{1,3}>)?(?:(?P<sequence>\d{1,12})?: )?(?:(?P<host>[A-Za-z][\w.-]{0,255}): )?"
    r"(?:\*(?P<task>[\w.-]{1,64}): )?(?P<rest>.*)",  # the task of a controller of access points
    re.DOTALL,
)
_FRAME = re.compile(r"^\d{1,5} (?=<\d{1,3}>1 )")  # how many bytes a message has, as RFC 6587 sends it
HEADERS = (_RFC3164, _RFC3339, _RFC5424)


def header(text: str) -> re.Match[str] | None:
    """Return the header of a line, with all after it as its `message`; None if it has none."""
    text = _FRAME.sub("", text, count=1) if text[:1].isdecimal() else text
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
    if found and not found["tag"] and (found["message"] or "").startswith("=> "):  # a field's name and its value
        return None
    is_alone = found and (found["tag"] is None or (found["message"] or "").startswith(":"))  # `peer fe80::7` has no tag
    if host and is_alone and host.lower() in _NO_HOSTS_ALONE:
        return None
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
    >>> [is_host(name) for name in ("web01", "-", "WARN", "user=ann", "user:ann", "+0100", "UTC", "22")]
    [True, True, False, False, False, False, False, False]
    """
    named = (
        not name.isdecimal()
        and name not in _LEVEL_LETTERS
        and name.lower() not in NO_HOSTS
        and name not in ZONES
        and not _NO_HOST.search(name)
        and (name == "-" or any(map(str.isalnum, name)))
    )
    return (
        named
        and (name[:1] not in "+-" or name == "-")
        and not any(pattern.fullmatch(name) for pattern in (_QUEUED, _PEER, _FIELD))
    )


def is_syslog(text: str) -> bool:
    """Return whether a line has a header of syslog, or that of a network device."""
    return header(text) is not None or device_header(text) is not None


def has_only_priority(text: str) -> bool:
    """Return whether a line's header is nothing but the number of its facility and severity."""
    return BARE.match(text) is not None and not is_syslog(text)


def device_header(text: str) -> re.Match[str] | None:
    """Return the part of a line that a network device numbers or stamps: its tag, level and message; None if it does neither."""
    sequence = SEQUENCE.match(text)
    found = DEVICE.match(sequence["rest"] if sequence else text)
    return found if found and ((sequence and sequence["sequence"]) or found["stamp"]) else None
