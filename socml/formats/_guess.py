"""The flat fields of a record of a tool that nobody knows → event columns, by their names and what their values may be.

What no column takes is kept in `extra`. Blind to what a tool calls otherwise (see `_field_names`), and to the scale of a bare number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from socml.formats._addresses import address_and_port
from socml.formats._field_names import Guess, guess, plain_name
from socml.formats._guess_ends import complete_ends, is_bare_duration
from socml.formats._json import text_of
from socml.formats._other_languages import LOGON as LOGON_ELSEWHERE
from socml.formats._other_languages import unaccented
from socml.formats._remembered import remembered
from socml.formats._stamps import ZONES
from socml.formats._times import Clock
from socml.formats._values import LEVELS, METHODS, column_value, outcome_of

__all__ = ["fields_of_columns", "guessed_row"]

_VERBS = ("verb", "requestverb")
# Whose name is a protocol's only of a connection, or if it is one that all know
_APPLICATIONS = frozenset({"app", "application", "service", "servicename"})
_PROTOCOLS = frozenset(
    "ssh http https dns ftp sftp smtp imap pop3 rdp smb ldap ldaps telnet vnc ntp snmp tls ssl kerberos sip dhcp radius mysql mqtt".split()
)
_WRAPS = {"accept": "success", "reject": "failure"}  # the one field that holds all others: sudo's {"reject": {…}}
_OPEN = frozenset({"pending", "in progress", "inprogress"})
_SENTENCE = 5  # words of what is called an event, and is a message
# What tells how bad something is, or what was done, as little as nothing: what kind of record it is
_EMPTY_WORDS = {
    "event_severity": frozenset({"default"}),
    "event_action": frozenset({"audit", "event", "log", "auditlog"}),
}
_SAYS_ITSELF = ("action", "act")  # ends of names
_KEPT = ("event_severity", "event_outcome")  # the tool's own word for it is kept as well
_TYPES = frozenset(
    "debug info information informational notice warning warn error critical alert fatal emergency".split()
)
_ONE_WORD = re.compile(r"(?:[A-Z][a-z]{1,30}){1,6}")  # as Kubernetes calls what happened: FailedMount
_SHARED = (
    "event_severity",
    "event_outcome",
    "network_protocol",
    "url_original",
    "message",
)  # may read what another column took
_DATE_ALONE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/ ][A-Za-z]{3}[-/ ]\d{2,4}|(?:19|20)\d{6}"
)
_CLOCK_ALONE = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?")
# A time of day without colons, which only the name of its field tells from another number
_BARE_CLOCK = re.compile(r"(?:[01]?\d|2[0-3])(?:\.[0-5]\d\.|[0-5]\d)[0-5]\d")
_CLOCK_NAME = re.compile(r"(?:time|clock|heure|zeit|hora|ora|tijd|tid|godzina|cas|saat|kello)$")
_DURATION = re.compile("dur|elapsed|uptime|dauer|temps|laps|session|total")
_REQUEST = re.compile(r"(?P<method>[A-Z]{3,10}) (?P<url>[^ \"]{1,4000})(?: HTTP/[\d.]{1,3})?")
_FLAGS = re.compile(r"(?i)\b[\w.-]{1,60} ?[=:] ?(?:true|false|yes|no)\b")  # of something else: admin=false
_WHOLE_SECONDS = frozenset({"epochsecond", "epochseconds", "seconds"})
_NANOSECONDS = ("nano", "nanos", "nanoOfSecond", "nanoseconds")
_OFFSET = re.compile(r"[+-]\d\d:?\d\d")
_POLICIES = ("policy", "policyname", "accesscontrolrulename")  # ends of names
_RULES = ("rule", "rulename")  # of a firewall if bytes are counted beside it, and nothing is said of how bad it is
_KINDS = ("kind", "type", "category", "action")  # ends of names that tell what a record is
_OF_ALERT = re.compile(r"(?i)alert|intrusion|attack|malware|exploit|threat|\b(?:ids|ips)\b")
_CLASSES = ("classification", "classtype", "signatureid")  # ends of names that only a signature's record has
_TUNNEL = "tunnel-up"  # a logon of somebody, in FortiGate's word
_LOGON = (
    "login",
    "logon",
    "log on",
    "logged on",
    "signin",
    "authenticat",
    "password",
    "session.start",
    "mfa",
    "log-in",
    "sign-in",
)


def guessed_row(found: Mapping[str, object], clock: Clock) -> tuple[dict[str, object], dict[str, str]]:
    """Return the columns of a record, with what is left as `extra`; and the field that each column was taken from.

    Examples
    --------
    >>> row, taken = guessed_row({"ts": "2026-03-02T10:00:00Z", "srcIp": "192.0.2.1", "lvl": "eror", "n": 1}, Clock(None, None, None))
    >>> row["source_ip"], row["event_severity"], row["extra"], taken
    ('192.0.2.1', 60, {'lvl': 'eror', 'n': '1'}, {'time': 'ts', 'source_ip': 'srcIp', 'event_severity': 'lvl'})
    """
    row: dict[str, object] = {}
    taken: dict[str, str] = {}
    used: set[str] = set()
    guessed = guess(tuple(found))
    for column, candidates in guessed.columns.items():
        if column == "time" and (joined := _date_and_clock(found, candidates, clock)):
            row["time"], taken["time"], clock_name = joined
            used |= {taken["time"], clock_name}
            continue
        for name, plain in _empty_last(column, candidates, found):
            if name in used and column not in _SHARED:
                continue
            if _is_other(column, name, plain, found[name]):
                continue
            is_time = column == "time"
            value = _when(found, name, plain, clock) if is_time else column_value(column, found[name], plain, clock)
            if value is not None:
                row[column], taken[column] = value, name
                if column not in _SHARED or column == "message":
                    used.add(name)
                break
    complete_ends(row, taken, used, found)
    _agree(row, taken, used)
    _signature(row, taken, used, found)
    _request_line(row, found, guessed)
    if len(str(row.get("event_action", "")).split()) >= _SENTENCE > len(str(row.get("message", "")).split()):
        used.discard(taken.get("message", ""))
        row["message"] = row["event_action"]
    if "event_outcome" not in row and (outcome := _outcome_of_kinds(found, guessed, row.get("event_action"))):
        row["event_outcome"] = outcome
    row |= {name: value for name, value in _meaning(row, taken, found).items() if value is not None}
    left = [name for name in found if name not in used or _is_kept(name, taken)]
    row["extra"] = {name: text for name in left if (text := text_of(found[name])) not in (None, "")}
    return row, taken


def _is_other(column: str, name: str, plain: str, value: object) -> bool:
    """Return whether a field is something else after all: a request's method, a count of parts, a duration without a unit (see below)."""
    if column == "event_action":
        is_level = plain == "type" and str(value).lower() in {*_TYPES, "normal"}
        is_phrase = plain == "reason" and _ONE_WORD.fullmatch(str(value)) is None
        return is_level or is_phrase or (plain in _VERBS and value in METHODS)
    if column == "event_count":
        return plain_name(name) != plain
    if column == "event_severity" and (plain.endswith("type") or plain == "status") and plain != "messagetype":
        return str(value).lower() not in _TYPES
    return column == "duration_s" and is_bare_duration(plain, value)


def _empty_last(
    column: str, candidates: Sequence[tuple[str, str]], found: Mapping[str, object]
) -> Sequence[tuple[str, str]]:
    """Return the fields that may fill a column; those whose word says nothing about it, as `DEFAULT` or `audit`, after the others."""
    empty = _EMPTY_WORDS.get(column, frozenset())
    if not empty:
        return candidates
    # a firewall's action `log` is what it did
    return sorted(candidates, key=lambda one: not one[1].endswith(_SAYS_ITSELF) and str(found[one[0]]).lower() in empty)


def _date_and_clock(
    found: Mapping[str, object], candidates: Sequence[tuple[str, str]], clock: Clock
) -> tuple[datetime, str, str] | None:
    """Return the time that two fields say together, one the date and one the clock, with their names; None if none do."""
    texts = [(name, str(found[name])) for name, _ in candidates if isinstance(found[name], str)]
    date = next((one for one in texts if _DATE_ALONE.fullmatch(one[1])), None)
    if date is None:
        return None
    clock_time = (
        next((one for one in texts if _CLOCK_ALONE.fullmatch(one[1])), None)
        or next((_with_colons(one) for one in texts if one != date and _is_bare_clock(*one)), None)
        or _only_clock(found)
    )
    if clock_time is None:
        return None
    text = f"{date[1]} {clock_time[1]}{_zone(found)}"
    when = column_value("time", text, "time", clock)
    return (when, date[0], clock_time[0]) if isinstance(when, datetime) else None


def _is_bare_clock(name: str, text: str) -> bool:
    return _BARE_CLOCK.fullmatch(text) is not None and _CLOCK_NAME.search(plain_name(name)) is not None


def _with_colons(named: tuple[str, str]) -> tuple[str, str]:
    """Return a field's name with its time of day as clocks show it: `10.00.01` and `100001` are 10:00:01."""
    digits = named[1].replace(".", "").zfill(6)
    return named[0], f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _zone(found: Mapping[str, object]) -> str:
    """Return the offset that a record's own field gives, as firewalls do; empty if none does."""
    zone = next((str(found[name]) for name in ("tz", "timezone", "zone") if name in found), "")
    return zone if _OFFSET.fullmatch(zone) else f" {zone}" if zone in ZONES else ""


def _zoned_time(found: Mapping[str, object], name: str, clock: Clock) -> datetime | None:
    """Return the time of a field that names no zone where another field does; None if the record is not so."""
    text, zone = found[name], _zone(found)
    if not zone or not isinstance(text, str) or ":" not in text:
        return None
    when = column_value("time", f"{text}{zone}", "time", clock)
    return when if isinstance(when, datetime) else None


def _when(found: Mapping[str, object], name: str, plain: str, clock: Clock) -> datetime | None:
    """Return the time of a field, with the zone and the part of a second that stand beside it."""
    when = _zoned_time(found, name, clock) or column_value("time", found[name], plain, clock)
    parent, dot, last = name.rpartition(".")
    if not isinstance(when, datetime) or not dot or last.lower() not in _WHOLE_SECONDS:
        return when if isinstance(when, datetime) else None
    part = next((found[f"{parent}.{one}"] for one in _NANOSECONDS if f"{parent}.{one}" in found), None)
    is_part = isinstance(part, int) and 0 <= part < 10**9 and when.microsecond == 0
    return when + timedelta(microseconds=int(str(part)) // 1000) if is_part else when


def _only_clock(found: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the one field that reads as a time of day, whatever it is called; a midnight would be invented otherwise."""
    clocks = [
        (name, value)
        for name, value in found.items()
        if isinstance(value, str) and _CLOCK_ALONE.fullmatch(value) and not _DURATION.search(plain_name(name))
    ]
    return clocks[0] if len(clocks) == 1 else None


def _is_kept(name: str, taken: Mapping[str, str]) -> bool:
    return any(taken.get(column) == name for column in _KEPT) and not any(
        own == name and column not in _KEPT for column, own in taken.items()
    )


def _request_line(row: dict[str, object], found: Mapping[str, object], guessed: Guess) -> None:
    """Take method and URL of a request that a field holds as the client wrote it: `GET /x HTTP/1.1`."""
    if "http_request_method" in row:
        _client(row)
        return
    for name in guessed.requests:
        value = found[name]
        if isinstance(value, str) and (line := _REQUEST.fullmatch(value.strip('"'))):
            row["http_request_method"] = line["method"]
            row.setdefault("url_original", line["url"])
            _client(row)
            return


def _client(row: dict[str, object]) -> None:
    """Let an address that a request's record calls its host be the client's, where it names no other; with a port, it is the
    server's, as the header of a request has it.
    """
    host, port = address_and_port(str(row.get("host_name") or ""))
    side = "destination" if port is not None else "source"
    if host and f"{side}_ip" not in row:
        row[f"{side}_ip"] = host
        row |= {"destination_port": port} if port is not None else {}
        del row["host_name"]


def _outcome_of_kinds(found: Mapping[str, object], guessed: Guess, action: object) -> str | None:
    """Return the outcome that a record's kinds tell, whichever is its action (not a mere name), or that it is still to come."""
    ends = guessed.columns.get("event_outcome", ())
    if any(str(found[name]).lower().replace("_", " ") in _OPEN for name, _ in ends):
        return "unknown"
    for name, _ in guessed.columns.get("event_action", ()):
        value = found[name]
        is_title = value != action and plain_name(name) == "name"
        if isinstance(value, str) and len(value) <= 100 and not is_title and (outcome := _outcome_of_kind(value)):
            return outcome
    around = {name.partition(".")[0] for name in found}
    return _WRAPS.get(around.pop()) if len(around) == 1 and len(found) > 1 else None


@remembered(4096)
def _outcome_of_kind(word: str) -> str | None:
    return None if word.lower() in LEVELS or word.isdecimal() else outcome_of(word)  # a kind's number is no status


def _agree(row: dict[str, object], taken: dict[str, str], used: set[str]) -> None:
    """Let go of what another column has already, and of paths and URLs that are not both."""
    if row.get("url_original") is not None and taken["url_original"] in (taken.get("file_path"), taken.get("message")):
        is_web = "http_request_method" in row or "http_response_status_code" in row or "://" in str(row["url_original"])
        loser = "file_path" if is_web and taken.get("file_path") == taken["url_original"] else "url_original"
        row.pop(loser, None)
        taken.pop(loser, None)
    elif "url_original" in row:
        used.add(taken["url_original"])
    if taken.get("network_protocol") == taken.get("network_transport"):
        row.pop("network_protocol", None)
        taken.pop("network_protocol", None)
    elif "network_protocol" in taken:
        used.add(taken["network_protocol"])
    is_connection = "destination_ip" in row or "destination_port" in row or row.get("network_protocol") in _PROTOCOLS
    if not is_connection and plain_name(taken.get("network_protocol", "")) in _APPLICATIONS:
        used.discard(taken.pop("network_protocol"))
        row.pop("network_protocol")
    if row.get("message") is not None and taken["message"] in [
        o for c, o in taken.items() if c not in ("message", *_KEPT)
    ]:
        row.pop("message")
        taken.pop("message")
    if row.get("target_user_name") is not None and row.get("user_name") is None:
        row["user_name"] = row["target_user_name"]


def _signature(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take what was recognised for the rule, where FortiGate names it beside the policy that the traffic went by."""
    if "attackid" in found and text_of(found.get("attack")):
        for column, name in (("rule_id", "attackid"), ("rule_name", "attack")):
            used.discard(taken.get(column, ""))
            row[column], taken[column] = text_of(found[name]), name
            used.add(name)
    elif row.get("threat_name") and plain_name(taken.get("rule_id", "")) == "policyid":
        used.discard(taken.pop("rule_id"))
        row.pop("rule_id")


def _is_policy(row: Mapping[str, object], taken: Mapping[str, str], found: Mapping[str, object]) -> bool:
    """Return whether a rule is the one by which a firewall let traffic through or not, and recognised nothing in it."""
    name = plain_name(taken.get("rule_name", ""))
    counted = row.get("source_bytes") is not None or row.get("destination_bytes") is not None
    of_rule = counted and "event_severity" not in row and name.endswith(_RULES)
    of_policy = name.endswith(_POLICIES) or (of_rule and not _tells_of_alert(found))
    return of_policy and "threat_name" not in row and "source_ip" in row and "destination_ip" in row


def _tells_of_alert(found: Mapping[str, object]) -> bool:
    """Return whether a record says that it is an alert, or of which class its signature is."""
    for name, value in found.items():
        plain, text = plain_name(name), text_of(value) or ""
        if text and (plain.endswith(_CLASSES) or (plain.endswith(_KINDS) and _OF_ALERT.search(text[:200]))):
            return True
    return False


def _meaning(row: Mapping[str, object], taken: Mapping[str, str], found: Mapping[str, object]) -> dict[str, object]:
    """Return what follows from a record's columns: its outcome by its status or words, and its kind."""
    more: dict[str, object] = {}
    words = " ".join(str(row.get(name) or "") for name in ("event_action", "message"))[:400].lower()
    outcome = row.get("event_outcome")
    if outcome is None or _is_redirect(row):
        outcome = _outcome_of_words(row) or outcome
        more["event_outcome"] = outcome
    is_logon = (any(word in words for word in _LOGON) or LOGON_ELSEWHERE.search(unaccented(words))) and not any(
        word in words for word in ("logging", "logout", "log out")
    )
    is_tunnel = row.get("event_action") == _TUNNEL and "user_name" in row
    if is_tunnel or (is_logon and (row.get("user_name") or row.get("source_ip"))):
        more |= {"class_uid": 3002, "event_category": "authentication"}
    elif row.get("http_request_method") and (row.get("url_original") or row.get("http_response_status_code")):
        more |= {"class_uid": 4002, "event_category": "web"}
    elif row.get("dns_question_name") and (row.get("dns_question_type") or row.get("dns_response_code")):
        more |= {"class_uid": 4003, "event_category": "network"}
    elif row.get("process_command_line") and row.get("process_name"):
        more |= {"class_uid": 1007, "event_category": "process"}
    elif (row.get("rule_name") or row.get("threat_name")) and not _is_policy(row, taken, found):
        more |= {"class_uid": 2004, "event_category": "intrusion_detection"}
    elif row.get("source_ip") and row.get("destination_ip"):
        more |= {"class_uid": 4001, "event_category": "network"}
    else:
        more["event_category"] = "host"
    return more


def _is_redirect(row: Mapping[str, object]) -> bool:
    """Return whether a web server answered where to go next, whatever came of the request."""
    return str(row.get("http_response_status_code")).startswith("3")


def _outcome_of_words(row: Mapping[str, object]) -> str | None:
    names = ("http_response_status_code", "event_action", "message")
    if _is_redirect(row):
        names = ("event_action", "message", "http_response_status_code")
    for name in names:
        value = row.get(name)
        value = _FLAGS.sub("", value) if isinstance(value, str) else value
        if value is not None and (outcome := outcome_of(value)):
            return outcome
    return None


def fields_of_columns(records: Sequence[Mapping[str, object]], clock: Clock) -> dict[str, list[str]]:
    """Return for each column the fields that filled it in some records, the most frequent first."""
    counts: dict[str, dict[str, int]] = {}
    for record in records:
        for column, name in guessed_row(record, clock)[1].items():
            of_column = counts.setdefault(column, {})
            of_column[name] = of_column.get(name, 0) + 1
    return {column: sorted(names, key=lambda name: -names[name]) for column, names in counts.items()}
