"""A value as some tool wrote it → the value of an event column, or None if it cannot be one.

What says how an event ended, or how bad it is, is brought to one scale here, for every reader that knows its tool by
names only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from socml.formats import _other_languages as elsewhere
from socml.formats._addresses import address_and_port
from socml.formats._json import text_of
from socml.formats._other_languages import unaccented
from socml.formats._protocols import TRANSPORTS
from socml.formats._stamps import time_of
from socml.formats._times import Clock
from socml.project import EVENT

__all__ = ["LEVELS", "METHODS", "RCODES", "column_value", "outcome_of", "severity_of"]

LEVELS = {
    "trace": 0, "trc": 0, "debug": 0, "dbg": 0, "debu": 0, "verbose": 0, "finest": 0, "finer": 0, "fine": 0, "config": 10, "info": 10, "inf": 10,
    "information": 10, "informational": 10, "status": 10, "normal": 10, "default": 10, "notice": 20, "noti": 20, "note": 20, "low": 30, "warn": 40,
    "warning": 40, "wrn": 40, "wrng": 40, "medium": 50, "moderate": 50, "med": 50, "error": 60, "eror": 60, "err": 60, "errs": 60, "erro": 60, "severe": 60, "fault": 60,
    "high": 70, "major": 70, "crit": 80, "critical": 80, "very_high": 90, "alert": 90, "fatal": 90, "ftl": 90, "panic": 90, "dpanic": 90, "emerg": 100, "emergency": 100,
} | elsewhere.LEVELS  # fmt: skip
"""Words for how bad something is, on the scale of 0 to 100 that every reader uses."""

_OCSF_SEVERITY = {1: 10, 2: 30, 3: 50, 4: 70, 5: 80, 6: 90}
_PINO = {10: 0, 20: 0, 30: 10, 40: 40, 50: 60, 60: 90}
_FAILURE = re.compile(
    r"(?i)\b(?:(?:perm|temp)fail|un ?success|un-?authori[sz]ed|un-?authenticated|fail|den(?:y|ied|ies)\b|reject|refus|invalid|forbid|block|drop(?:ped)?\b|discard|"
    r"incorrect|wrong|bad (?:password|credential|user)|mismatch|not (?:allowed|permitted|authori[sz]ed|found|authenticated)|locked|expired|illegal|"
    r"ko\b|nok\b|disallow|abort|undeliver|error\b|prevented|quarantined|no\b|false\b|timeout|timed out|too many|rej\b|prevent\b)"
)
_SUCCESS = re.compile(
    r"(?i)(?:\bsucce|\bsuccess|\ballow|\baccept|\bgrant|\bpermit|\bpass(?:ed)?\b|\bok\b|\bdone\b|\bcomplete|\bauthenticated\b|\btrue\b|\byes\b|"
    r"\bforwarded\b|\b(?:logged|signed) ?(?:in|on)\b|\bauthori[sz]ed\b|\bestablished\b|\bapproved?\b|\bacc\b|\bdelivered\b|\badmitted\b)"
)
_NO_ERROR = re.compile(r"(?i)(?:\b|_)no[ _]?errors?(?:\b|_)")
_WORD_BREAKS = re.compile(r"[._:/-]|(?<=[a-z])(?=[A-Z])")
# Names of fields that say yes or no, also as databases write it
_YES_NAMES = frozenset(
    "success succeeded issuccess successful ok allowed isallowed permitted authorized granted accepted approved".split()
)
_YES_WORDS = dict.fromkeys("t y 1 true yes".split(), True) | dict.fromkeys("f n 0 false no".split(), False)
_NEGATIVE_NAMES = ("failed", "failure", "blocked", "isblocked", "denied", "error")
_FAILED_LOGONS = ("failedsignon", "failedlogin", "failedlogon")
_CODES = ("returncode", "retcode", "rc", "statuserrorcode")  # of which nothing but 0 is well
_NO_STATUSES = ("action", "act", "state", "decision", "verdict", "disposition")  # whose numbers are a tool's own
_OUTCOME_LONGEST = 200
_HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
METHODS = frozenset("GET POST PUT DELETE HEAD OPTIONS PATCH CONNECT TRACE PROPFIND REPORT SEARCH".split())
_TRANSPORT_NAMES = frozenset(TRANSPORTS.values()) | {"icmp6", "icmpv6", "ipv6-icmp", "tcp6", "udp6"}
_PROTOCOL = re.compile(r"[A-Za-z][\w.+-]{1,30}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_CVE = re.compile(r"(?i)CVE-\d{4}-\d{4,7}")
_NUMBERED = re.compile(r"\d{1,5} \((?P<word>[A-Z][A-Z0-9]{0,9})\)")
_QUESTION_TYPES = frozenset(
    "A AAAA AFSDB ANY APL AXFR CAA CDNSKEY CDS CERT CNAME CSYNC DHCID DLV DNAME DNSKEY DS EUI48 EUI64 HINFO HIP HTTPS IPSECKEY IXFR KEY KX LOC MB "
    "MD MF MG MINFO MR MX NAPTR NB NBSTAT NS NSEC NSEC3 NSEC3PARAM NULL OPENPGPKEY OPT PTR RP RRSIG SIG SMIMEA SOA SPF SRV SSHFP SVCB TA TKEY TLSA "
    "TSIG TXT UNSPEC URI WKS X25 ZONEMD *".split()
)
_OTHER_TYPE = re.compile(r"(?:TYPE)?\d{1,5}")
_PLACE = re.compile(r"[\w./-]{1,200}\.[a-z]{1,4}:\d{1,6}")  # in a program's code, who called
# An account and its name, as F5 writes them: admin(admin)
_TWICE = re.compile(r"(?P<name>[^\s()]{1,128})\((?P<again>[^\s()]{1,128})\)")
# How somebody was known, as Hadoop writes behind a user, or the user's number
_WITH_METHOD = re.compile(r" ?\((?:auth:\w{1,20}|(?:uid ?[=:] ?)?\d{1,10}|S-1-[\d-]{1,100})\)$")
_WITH_MAIL = re.compile(r"[^()<>@]{1,80} [(<](?P<mail>[^\s()<>@]{1,64}@[^\s()<>@]{1,190})[)>]")
RCODES = frozenset("NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE".split())
_ONE_OF_MANY = re.compile(r"(?=.{0,40}\d)(?:[0-9a-fA-F]{16,64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_LENGTHS = re.compile(r"\(\d{1,3}\)")
_NAME = re.compile(r"[^\s=\"'<>{}]{1,256}")
_THOUSANDS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+")  # as French, Swiss and many spreadsheets group digits
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+")  # as English does, where a whole number is meant
_DECIMAL_COMMA = re.compile(r"\d{1,12},\d{1,12}")
# Durations: a number with its unit, a clock; and what the end of a field's name says of a bare number
_WITH_UNIT = re.compile(
    r"(?P<number>\d{1,12}(?:\.\d{1,12})?) ?(?P<unit>ns|us|µs|ms|msec|s|secs?|seconds?|min|minutes?|h|hours?)"
)
_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,5})(?:d| days?,?|\.)? ?)?(?P<h>\d{1,5})h?:(?P<m>\d\d)m?:(?P<s>\d\d(?:\.\d{1,9})?)s?"
)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNIT_NAMES = re.compile(
    r"(?:duration|dur|elapsed|time|latency|taken|took|in)(?:(?P<ns>ns|nanos|nanoseconds)|(?P<us>us|usec|micros|microseconds)|(?P<ms>ms|msec|millis|milliseconds)|(?P<s>s|sec|secs|seconds))$"
)
_PORT_LARGEST = 65535
_SPREADSHEET_DAY = 36525  # 1999-12-31 in days since 1900, as spreadsheets count; twice that is 2099
_LEAST_OF_TIME = 5  # numbers of a list that is a time
_EARLIEST = 100_000_000  # of a bare number that is a time: 1973


def outcome_of(value: object, name: str = "") -> str | None:
    """Return "success" or "failure" for what a field says of how an event ended; None if it says neither.

    Parameters
    ----------
    name : the field's, without capitals and signs: `blocked` and `failed` turn a yes into a failure

    Examples
    --------
    >>> [outcome_of(v) for v in ("LoginFailed", "access_denied", "ALLOW", "unsuccessful", "added", 401, "200")]
    ['failure', 'failure', 'success', 'failure', None, 'failure', 'success']
    >>> outcome_of(True, "blocked"), outcome_of("0", "failed")
    ('failure', 'success')
    >>> [outcome_of(v) for v in ("échec", "Autorisé", "non autorisé", "erfolglos", "permitido", "fallito", "connexion")]
    ['failure', 'success', 'failure', 'failure', 'success', 'failure', None]
    """
    is_negative = name.endswith(_NEGATIVE_NAMES) or name in _FAILED_LOGONS
    if isinstance(value, bool) or (is_negative and str(value) in ("0", "1")):
        return "success" if (str(value) in ("True", "1")) != is_negative else "failure"
    text = unaccented(str(value)[:_OUTCOME_LONGEST])
    if text.removeprefix("-").isdecimal() and name not in _YES_NAMES:
        return _outcome_of_number(int(text), name)
    words = _WORD_BREAKS.sub(" ", text)
    if _NO_ERROR.search(words):
        return "success"
    if (is_negative or name in _YES_NAMES) and text.lower() in _YES_WORDS:
        return "success" if _YES_WORDS[text.lower()] != is_negative else "failure"
    if _FAILURE.search(words) or elsewhere.FAILURE.search(words):
        return "failure"
    return "success" if _SUCCESS.search(words) or elsewhere.SUCCESS.search(words) else None


def _outcome_of_number(number: int, name: str) -> str | None:
    """Return how an event ended by a code of which only 0 is well, or by a status of HTTP."""
    if name in _CODES:
        return "success" if number == 0 else "failure"
    is_status = 100 <= number <= 599 and not name.endswith(_NO_STATUSES)
    return ("success" if number < 400 else "failure") if is_status else None


def severity_of(value: object, name: str = "") -> int | None:
    """Return how bad something is on a scale of 0 to 100, from a word, or from a number whose scale its name tells.

    Examples
    --------
    >>> severity_of("WARNING"), severity_of("eror"), severity_of(3, "severityid"), severity_of(7.5, "riskscore"), severity_of(3)
    (40, 60, 50, 75, None)
    """
    text = unaccented(str(value).strip().lower())
    if (level := LEVELS.get(text, elsewhere.LEVELS_OF_CELLS.get(text))) is not None:
        return level
    try:
        number = float(text)
    except ValueError:
        return LEVELS.get(text.partition("-")[2] or text.partition(" ")[0])
    if not 0 <= number <= 100 or (name in ("level", "loglevel") and number not in _PINO):
        return None
    if name in ("severityid", "level", "loglevel"):
        return (_OCSF_SEVERITY if name == "severityid" else _PINO).get(int(number))
    if "severity" in name or "risk" in name or name in ("sev", "threatlevel", "criticality"):
        return round(number * 10) if number <= 10 else round(number)
    return None


def column_value(column: str, value: object, name: str, clock: Clock) -> object:
    """Return `value` as the column holds it; None if it cannot be one.

    Parameters
    ----------
    name : the field's, without capitals and signs

    Examples
    --------
    >>> clock = Clock(None, None, None)
    >>> column_value("source_ip", "192.0.2.1:80", "src", clock), column_value("source_ip", "eth0", "src", clock)
    ('192.0.2.1', None)
    >>> column_value("network_transport", 6, "proto", clock), column_value("user_name", 0, "userid", clock)
    ('tcp', None)
    """
    if column == "time" and isinstance(value, list) and len(value) >= _LEAST_OF_TIME and set(map(type, value)) == {int}:
        value = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*[*value, 0][:6])  # year, month, day …, as Java writes it
    if isinstance(value, list):
        scalars = [v for v in value if isinstance(v, (str, int, float)) and not isinstance(v, bool)]
        if column == "threat_technique_id":
            return [v for v in map(str, scalars) if _TECHNIQUE.fullmatch(v)] or None
        if not scalars:
            return None
        value = scalars[0]
    if value is None or value in ("", "-") or isinstance(value, dict):
        return None
    reader = _READERS.get(column)
    if reader is not None:
        return reader(value, name)
    if column == "time":
        return _time(value, name, clock)
    kind = str(EVENT[column].type)
    return _number(value, kind) if kind in ("int32", "int64", "double") else text_of(value)


def _time(value: object, name: str, clock: Clock) -> datetime | None:
    number = _number(value, "double")
    if number is not None and "date" in name and 1 <= number / _SPREADSHEET_DAY < 2:
        return clock.in_zone(datetime(1899, 12, 30) + timedelta(seconds=round(number * 86400)))
    if number is not None and number < _EARLIEST:  # seconds since a capture began, a count, an hour
        return None
    try:
        return time_of(value, clock)
    except ValueError:
        return None


def _number(value: object, kind: str) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and (_THOUSANDS.fullmatch(value) or (kind != "double" and _COMMAS.fullmatch(value))):
        value = "".join(character for character in value if character.isdecimal())
    elif kind == "double" and isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")
    try:
        number = float(cast("str | float", value))
    except (TypeError, ValueError, OverflowError):
        return None
    if kind == "double":
        return number if 0 <= number < 1e12 else None
    largest = 2**31 if kind == "int32" else 2**53
    return int(number) if 0 <= number < largest and number == int(number) else None


def _duration(value: object, name: str) -> float | None:
    """Return seconds: of a text that says its unit, else of a number in the unit that its field says, or none."""
    text = str(value).strip() if isinstance(value, str) else ""
    if found := _WITH_UNIT.fullmatch(text):
        return float(found["number"]) * (_UNITS.get(found["unit"]) or _UNITS[found["unit"][0]])
    if found := _CLOCK.fullmatch(text):
        return int(found["days"] or 0) * 86400 + int(found["h"]) * 3600 + int(found["m"]) * 60 + float(found["s"])
    unit = _UNIT_NAMES.search(name)
    number = _number(value, "double")
    if name == "timetaken" and number == int(number or 0):  # IIS and Blue Coat; others tell parts of a second
        return None if number is None else number / 1000
    return None if number is None else number * (_UNITS[str(unit.lastgroup)] if unit else 1)


def _port(value: object, name: str) -> int | None:
    number = _number(value, "int32")
    return int(number) if number and number <= _PORT_LARGEST else None  # 0 is how devices write that there is none


def _address(value: object, name: str) -> str | None:
    text = str(value)
    if isinstance(value, str) and "," in text:  # X-Forwarded-For
        text = text.partition(",")[0]
    return address_and_port(text)[0] if isinstance(value, str) else None


def _status(value: object, name: str) -> int | None:
    number = _number(value, "int32")
    return int(number) if number is not None and 100 <= number <= 599 else None


def _method(value: object, name: str) -> str | None:
    text = str(value).upper()
    return text if text in METHODS else None


def _transport(value: object, name: str) -> str | None:
    text = str(value).strip().lower().partition("/")[0]  # tcp/https, as SonicWall writes it
    if text.isdecimal():
        return TRANSPORTS.get(int(text)) if int(text) < 256 else None
    return text if text in _TRANSPORT_NAMES else None


def _protocol(value: object, name: str) -> str | None:
    text = str(value)
    return text.lower() if _PROTOCOL.fullmatch(text) and text.lower() not in _TRANSPORT_NAMES else None


def _user(value: object, name: str) -> str | None:
    text = str(value).strip()
    if (
        not isinstance(value, str)
        or text.isdecimal()
        or not text
        or len(text) > 256
        or text in ("null", "None", "N/A", "(null)", "unknown")
        or not any(map(str.isalnum, text))
        or _PLACE.fullmatch(text)
    ):
        return None
    if named := _WITH_MAIL.fullmatch(text):
        return named["mail"]
    text = _WITH_METHOD.sub("", text)
    if (twice := _TWICE.fullmatch(text)) and twice["name"] == twice["again"]:
        text = twice["name"]
    return None if address_and_port(text)[0] else text


def _word(value: object, name: str) -> str | None:
    text = str(value).strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= 200 and not text.replace(".", "").isdecimal() and text != "-" else None


def _host(value: object, name: str) -> str | None:
    text = str(value).strip()
    if text.startswith("/"):  # of a path; of an address, as Java writes it
        return address_and_port(text)[0] if isinstance(value, str) else None
    is_name = _NAME.fullmatch(text) is not None and text != "-"
    return text if isinstance(value, str) and is_name else None


def _action(value: object, name: str) -> str | None:
    """Return what was done; the number of one event, however it is written, is nothing done."""
    text = _word(value, name)
    return text if text is None or not _ONE_OF_MANY.fullmatch(text) else None


def _hash(value: object, name: str) -> str | None:
    text = str(value)
    kind = _HASHES.get(len(text))
    return f"{kind}:{text.lower()}" if kind and _HEX.fullmatch(text) else None


def _url(value: object, name: str) -> str | None:
    text = str(value)
    return text if isinstance(value, str) and ("/" in text or "." in text) and " " not in text else None


def _path(value: object, name: str) -> str | None:
    return (
        value
        if isinstance(value, str) and len(value) < 4096 and ("/" in value or "\\" in value or "." in value)
        else None
    )


def _domain(value: object, name: str) -> str | None:
    text = str(value).rstrip(".")
    if text.startswith("("):  # of Windows' DNS server: (3)www(7)example(3)com(0)
        text = ".".join(part for part in _LENGTHS.split(text) if part)
    return text if isinstance(value, str) and _NAME.fullmatch(text) and "." in text and "/" not in text else None


def _rcode(value: object, name: str) -> str | None:
    text = text_of(value)
    known = str(text).upper()
    return known if known in RCODES else text if name != "responsecode" else None


def _label(value: object, name: str) -> str | None:
    return value if isinstance(value, str) and any(map(str.isalpha, value)) else None


def _question_type(value: object, name: str) -> str | None:
    text = text_of(value) or ""
    if found := _NUMBERED.fullmatch(text):  # 28 (AAAA)
        return found["word"]
    return text if text.upper() in _QUESTION_TYPES or _OTHER_TYPE.fullmatch(text) else None


def _rule(value: object, name: str) -> str | None:
    """Return the id of a rule; a session or an account may be called `sid` as well."""
    text = text_of(value)
    return text if name not in ("sid", "gid") or str(text).isdecimal() else None


def _agent(value: object, name: str) -> str | None:
    """Return what a client called itself; a bare word is what else is called an agent or a browser."""
    text = text_of(value)
    return text if name not in ("agent", "browser") or not str(text).isalnum() else None


def _technique(value: object, name: str) -> list[str] | None:
    return [value] if isinstance(value, str) and _TECHNIQUE.fullmatch(value) else None


def _cve(value: object, name: str) -> str | None:
    return str(value).upper() if _CVE.fullmatch(str(value)) else None


def _text(value: object, name: str) -> str | None:
    text = text_of(value)
    return text if isinstance(value, str) and text and text.strip() else None


_READERS: dict[str, Callable[[object, str], object]] = {
    "source_ip": _address, "destination_ip": _address, "source_port": _port, "destination_port": _port,
    "http_response_status_code": _status, "http_request_method": _method, "network_transport": _transport,
    "network_protocol": _protocol, "user_name": _user, "acting_user_name": _user, "target_user_name": _user,
    "event_action": _action, "host_name": _host, "observer_name": _host, "file_hash": _hash, "url_original": _url,
    "file_path": _path, "process_name": _word, "process_parent_name": _word, "dns_question_name": _domain,
    "dns_response_code": _rcode, "threat_name": _label, "rule_name": _label, "rule_id": _rule, "user_agent_original": _agent, "dns_question_type": _question_type, "threat_technique_id": _technique, "vulnerability_id": _cve, "event_outcome": outcome_of,
    "event_severity": severity_of, "duration_s": _duration, "message": _text, "process_command_line": _text,
}  # fmt: skip
