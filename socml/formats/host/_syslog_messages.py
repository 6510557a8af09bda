"""The text of a syslog message and the program that wrote it → who did what, from where, and with what outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import takewhile
from typing import cast

from socml.formats._facts import TELLS, facts_of
from socml.formats._guess import guessed_row
from socml.formats._messages import KINDS, Template
from socml.formats._pairs import are_pairs, pairs_of
from socml.formats._remembered import remembered
from socml.formats._syslog_header import SEVERITY
from socml.formats._times import Clock
from socml.formats._values import LEVELS, column_value, outcome_of
from socml.formats.host._snort_syslog import WRITERS, alert_message
from socml.formats.host._syslog_templates import ANYWHERE, BY_PROGRAM, DECLARED, PAM, SAME_AS

WORDS = "emerg alert crit critical err error warn warning notice info debug fatal severe trace".split()
_LONGEST = 4096  # characters; a longer message is no template's, and costs a pattern too long to refuse
COLUMNS = {
    "user_name",
    "source_ip",
    "source_port",
    "destination_ip",
    "destination_port",
    "process_command_line",
    "target_user_name",
    "network_transport",
    "url_original",
    "http_request_method",
    "http_response_status_code",
    "destination_bytes",
    "dns_question_name",
    "dns_question_type",
    "dns_response_code",
    "file_path",
    "rule_name",
}
LARGEST_PORT = 65535
AUTHENTICATION, FLOW = 3002, 4001  # OCSF's classes
_NO_CLOCK = Clock(None, None, None)
_OF_RECORD = ("user_name", "source_ip", "event_outcome")  # which the lines of one record tell together
NUMBERS = {"http_response_status_code", "destination_bytes"}
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%\w+)?")
_CISCO = re.compile(r"%(?:[A-Z0-9_]{1,64}-){1,3}([0-7])-")
# Of Huawei and H3C: module, level, name. The name's last word tells how it ended: POLICYDENY, SSH_USER_LOGIN_FAIL
_HUAWEI = re.compile(r"%%\d{2}[A-Z0-9_]{1,64}/([0-7])/(?P<name>[A-Z0-9_]{1,100})")
_ENDING = re.compile(r"(PERMIT|DENY|DROP|FAIL|SUCC|ACCEPT|REJECT)[A-Z]{0,5}$")
# A level that a message begins with, before it says anything; one of Cisco's behind a time of the device's own
_DEVICE_LEVEL = re.compile(r"%[A-Z][A-Z0-9_]{1,40}-(?P<level>[0-7])-[A-Z0-9_]{1,64}: ")  # of Arista, behind a program
_LEVEL = re.compile(
    r"(?:\[ {0,3}|<)?(?P<level>(?i:" + "|".join(sorted(WORDS, key=len, reverse=True)) + r"))(?:[\]>]|(?=\|)|: )"
)
_LATER_LEVEL = re.compile(
    r"\([^\[\]\n()]{1,80}\) \[(?P<level>" + "|".join(sorted(WORDS, key=len, reverse=True)).upper() + r")\] "
)
_SAID = re.compile(
    r"(?i:severity|level): (?P<level>" + "|".join(sorted(WORDS, key=len, reverse=True)) + r")(?=[,;])", re.IGNORECASE
)
_INNER_CISCO = re.compile(r"[^%\n]{0,120}[:*] ?%(?:[A-Z0-9_]{1,64}-){1,3}([0-7])-[A-Z0-9_]{1,64}:")
_MODSECURITY = re.compile(r"\bModSecurity: ")
_BRACKETED = re.compile(r'\[(?P<name>[a-z_]{2,20}) "(?P<value>[^"\n]{0,2000})"\]')
_OF_RULE = {"id": "rule_id", "msg": "rule_name", "uri": "url_original"}
_NOBODY = frozenset({"[unknown]", "(unknown)", "(null)", "-"})  # what stands for a user where there is none
_MAPPED = re.compile(r"::ffff:([0-9.]+)", re.IGNORECASE)
REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*?) ?\]$", re.DOTALL)
_SOLARIS_ID = re.compile(r"\[ID \d+ \S+\] ")
LAST_REPEATED = re.compile(r"last message repeated (\d+) times?$")
# What may stand before what a program says: brackets, numbers, a place in its code, the program's own name
_FRONT = re.compile(
    r"(?:\[[^\]\n]{0,100}\]|\(\d{1,12}\)|\(\d{4}-\d\d-\d\dT[\d:.]{8,15}\)|<[\d.]{1,20}>|0x[0-9a-fA-F]{1,16}\b|[0-9A-F]{8,20}(?= )|\d{1,10}(?= )|-{1,3}(?= )|"
    r"[\w-]{1,60}\.(?:c|cc|cpp|go|java|py):\d{1,6}(?: [\w$]{1,80})?:?|(?P<program>[A-Za-z_][\w./@-]{0,60})(?:(?:\[[^\]\n]{0,60}\]){0,3}:(?= )|\[[^\]\n]{0,60}\](?= ))|"
    r"(?:Default|Info|Error|Debug|Fault)(?= ))[ \t,|:]{0,40}"
)
_MOST_FRONTS = 8
_BECOMES = frozenset({"su", "su-l", "sudo", "sudo-i", "doas", "runuser", "runuser-l", "polkit-1"})  # services of PAM
_STACK = re.compile(r"\s{0,40}(?:at |Caused by|File \"|\.\.\.|#\d|Traceback|goroutine|from /)")
_MOST_LINES = 20  # of a record whose first line tells nobody


def read_message(program: str, message: str) -> tuple[dict[str, object], dict[str, str]]:
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
    if "message repeated " in message:
        if repeated := REPEATED.match(message):
            more["repeated"], message = repeated[1], repeated[2]
        elif last := LAST_REPEATED.match(message):
            more["repeated"] = last[1]
    message = message.split("\n", 1)[0]  # what is continued on further lines is told by its first
    if len(message) > _LONGEST:
        return {}, more
    name = writer_of(program)
    if name in WRITERS and (alert := alert_message(message)):
        return alert[0], more | alert[1]
    counted: dict[str, object] = _written_severity(program, message)
    counted |= {"event_count": int(more["repeated"])} if len(more.get("repeated", "")) in range(1, 10) else {}
    columns = counted | _read(message, _templates_of(name, message), more, name)
    if name == "huawei" and (told := _HUAWEI.match(program)):
        columns["event_action"] = columns.get("event_action") or told["name"]
        if columns.get("event_outcome") is None and (ending := _ENDING.search(told["name"])):
            columns["event_outcome"] = outcome_of(ending[1])
    return columns, more


def _written_severity(program: str, message: str) -> dict[str, object]:
    """Return the severity that a device writes into the name of its message."""
    pattern = _HUAWEI if program.startswith("%%") else _CISCO
    level = pattern.match(program) if program.startswith("%") else _INNER_CISCO.match(message)
    is_tag = program.lower() in ("severity", "level")  # which the colon behind it makes look like a program's name
    if said := _SAID.match(f"{program}: {message}" if is_tag else message):
        return {"event_severity": LEVELS[said["level"].lower()]}
    return {"event_severity": SEVERITY[int(level[1])]} if level else {}


def first_word_severity(message: str) -> int | None:
    """Return the severity of the level that a message begins with, for lines whose header tells none.

    Examples
    --------
    >>> first_word_severity("warning: hostname does not resolve"), first_word_severity("errors: 3")
    (40, None)
    """
    if device := _DEVICE_LEVEL.match(message):
        return SEVERITY[int(device["level"])]
    word = _LEVEL.match(message) or _LATER_LEVEL.match(message)
    return LEVELS[word["level"].lower()] if word else None


def _templates_of(name: str, message: str) -> tuple[Template, ...]:
    """Return the templates to try: those of the program, and all where it is one that is not known.

    A message without anything in it that tells is not looked at further.
    """
    if name in BY_PROGRAM:
        return BY_PROGRAM[name]
    if name in DECLARED:
        return (*DECLARED[name], *PAM)
    return (*PAM, *ANYWHERE) if TELLS.search(message) else PAM


@remembered(1 << 12)
def writer_of(program: str) -> str:
    """Return the name that messages of a program are declared under.

    Examples
    --------
    >>> writer_of("sshd-session"), writer_of("%ASA-4-106023"), writer_of("CROND")
    ('sshd', 'cisco', 'cron')
    """
    name = program.lower()
    if name.startswith("%%"):
        return "huawei"
    name = name.removesuffix(".service")  # a unit of systemd
    return "cisco" if name.startswith("%") else SAME_AS.get(name, name)


def is_declared(program: str) -> bool:
    """Return whether messages of a program are declared under its name."""
    return writer_of(program) in BY_PROGRAM or writer_of(program) in DECLARED


def read_text(message: str) -> tuple[dict[str, object], dict[str, str]]:
    """Return the event columns and further fields of a message whose writer is not known.

    Examples
    --------
    >>> read_text('[pid 10] [bob] FAIL LOGIN: Client "192.0.2.61"')[0]["user_name"]
    'bob'
    """
    more: dict[str, str] = {}
    first, *others = message.split("\n", _MOST_LINES)[:_MOST_LINES]
    row = _read(first[:_LONGEST], (*ANYWHERE, *PAM), more)
    told = list(takewhile(lambda line: not _STACK.match(line), others))
    for line in told:
        if row.get("source_ip") or row.get("user_name"):
            break
        row |= _read(line.strip()[:_LONGEST], (*ANYWHERE, *PAM), more)
    if told and not (row.get("source_ip") and row.get("user_name")):  # what one line tells of another
        whole = facts_of("\n".join((first, *told))[:_LONGEST])
        row |= {name: whole[name] for name in _OF_RECORD if name in whole and row.get(name) is None}
    return row, more


def _read(message: str, templates: tuple[Template, ...], more: dict[str, str], program: str = "") -> dict[str, object]:
    for told_by, rest in _parts(message, templates, program):
        for template in told_by:
            found = template.pattern.match(rest)
            if found:
                return _columns(template, found, more)
    if _MODSECURITY.search(message):
        return facts_of(message) | _rule(message, more)
    return _pairs(message, more) if TELLS.search(message) and are_pairs(message) else facts_of(message)


def _rule(message: str, more: dict[str, str]) -> dict[str, object]:
    """Return what ModSecurity tells of the rule that matched, in brackets; what no column takes is a further field."""
    told = {found["name"]: found["value"] for found in _BRACKETED.finditer(message)}
    row = {column: told.pop(name) for name, column in _OF_RULE.items() if told.get(name)}
    more.update({name: value for name, value in told.items() if value and name not in more})
    return {**row, "class_uid": 2004, "event_category": "intrusion_detection"}


def _parts(message: str, templates: tuple[Template, ...], program: str) -> Iterator[tuple[tuple[Template, ...], str]]:
    """Yield a message, and what is left of it without what stands before it, with the templates to try on each.

    Not of programs whose messages begin with what they say: there, a name that was typed may look like another program's.
    """
    yield templates, message
    if program in BY_PROGRAM or not TELLS.search(message):
        return
    if program in DECLARED:
        yield templates, f"{program}: {message}"
    at = 0
    for _ in range(_MOST_FRONTS):
        front = _FRONT.match(message, at)
        if front is None:
            return
        at = front.end()
        name = writer_of((front["program"] or "").rsplit("/", 1)[-1])
        yield BY_PROGRAM.get(name) or DECLARED.get(name) or templates, message[at:]


def _pairs(message: str, more: dict[str, str]) -> dict[str, object]:
    """Return the columns of a message of key=value pairs; those that no column takes are further fields."""
    row, _ = guessed_row(pairs_of(message)[1], Clock(None, 2000, None))
    more.update({name: value for name, value in cast("dict[str, str]", row.pop("extra")).items() if name not in more})
    facts = facts_of(message)
    if facts.get("class_uid") == AUTHENTICATION and row.get("class_uid") in (None, FLOW) and "source_port" not in row:
        row = {name: value for name, value in row.items() if name not in ("class_uid", "event_category")}
    facts = {name: value for name, value in facts.items() if name not in row}
    return {name: value for name, value in (facts | row).items() if name not in ("time", "message", "host_name")}


def _columns(template: Template, found: re.Match[str], more: dict[str, str]) -> dict[str, object]:
    columns = dict(template.columns)
    names = template.names
    for name, take, value in zip(names, _takes(names), found.group(0, *names)[1:], strict=True):
        if value:
            take(name, value, columns, more)
    said = more.get("result") or (more.get("reason") if template.kind == KINDS["web"] else None)
    if template.outcome is None and said:
        columns["event_outcome"] = outcome_of(said)
    if template.outcome is None and columns.get("event_outcome") is None and "http_response_status_code" in columns:
        columns["event_outcome"] = outcome_of(columns["http_response_status_code"])
    if "target_user_name" in columns and "user_name" in columns:
        columns["acting_user_name"] = columns["user_name"]
    if (acting := more.get("by") or more.get("remote_user")) and more.get("service") in _BECOMES:
        columns |= {"acting_user_name": acting, "target_user_name": columns.get("user_name")}
    if template.action == "sudo_command" and "reason" in more:
        columns["event_outcome"] = "failure"
    return columns


_Take = Callable[[str, str, dict[str, object], dict[str, str]], None]


@cache
def _takes(names: tuple[str, ...]) -> tuple[_Take, ...]:
    return tuple(map(_take, names))


def _take(name: str) -> _Take:
    """Return what puts a pattern's group of this name into the columns, or among the further fields."""
    if name.endswith("_port"):
        return _take_port
    if name.endswith("_ip"):
        return _take_address
    if name in NUMBERS:
        return _take_number
    return _TAKES.get(name) or (_take_text if name in COLUMNS else _take_further)


def _take_port(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    port = int(value)
    if port <= LARGEST_PORT:
        columns[name] = port


def _take_address(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    columns[name] = address_of(value)
    if columns[name] is None:
        more[name.replace("_ip", "_name")] = value  # a host's name, which is no address


def _take_number(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    columns[name] = int(value)


def _take_duration(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    columns[name] = column_value(name, value, "", _NO_CLOCK)


def _take_lower(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    columns[name] = value.lower()


def _take_text(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    columns[name] = value


def _take_user(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    if value not in _NOBODY:
        columns[name] = value


def _take_further(name: str, value: str, columns: dict[str, object], more: dict[str, str]) -> None:
    more[name.rstrip("_")] = value


_TAKES: dict[str, _Take] = {
    "user_name": _take_user,
    "duration_s": _take_duration,
    "network_transport": _take_lower,
}


@remembered(1 << 14)
def address_of(text: str) -> str | None:
    """Return an address, one of IPv4 in IPv6 as that of IPv4; None for what is none, such as a host's name."""
    mapped = _MAPPED.fullmatch(text)
    if mapped:
        return mapped[1]
    return text if _ADDRESS.fullmatch(text) else None
