"""fail2ban.log → events: what was found, banned, unbanned, and what the server says of itself.

    2026-11-25 02:42:23,917 fail2ban.filter [22893]: INFO [sshd] Found 192.0.2.21 - 2026-03-27 14:01:39

`time` of a "Found" is the failure's own time, at the line's end; when fail2ban saw it is then in `extra`. Both are
local, without a zone. Traps: version 0.8 has no process number and no "Found"; a ban that a person asked for looks
like any other here (only an action sees `failures=0`); a traceback, or a matched log line with -v, follows in lines
without a time and belongs to the line before. Lines that an echoing action wrote (`1795574544 ban 192.0.2.6 jail=sshd
failures=4 …`) are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._multiline import grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked
from socml.formats._times import Clock, epoch, iso

__all__ = ["Fail2banLog"]

_STAMP = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
_LINE = re.compile(
    rf"(?P<stamp>{_STAMP}(?:[,.]\d{{1,6}})?)\s{{1,40}}(?P<module>fail2ban[.\w-]{{0,60}})\s{{0,40}}"
    r"(?:\[(?P<pid>\d{1,10})\])?\s{0,40}:\s{0,4}(?P<level>[A-Z]{3,10})\s{1,40}(?:\[(?P<jail>[^\]]{1,100})\] )?(?P<message>.*)$",
    re.DOTALL,
)
_ECHO = re.compile(r"(?P<seconds>\d{10}) (?P<verb>ban|unban) (?P<ip>\S{1,100})(?P<rest>(?: \w{1,40}=\S{0,100})*)$")
_STARTS = re.compile(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\d{10} (?:ban|unban) ")
_VERBS = re.compile(
    r"(?:\[[^\]]{1,100}\] )?(?P<verb>Found|Ban|Unban|Restore Ban|Increase Ban|Ignore) (?P<who>\S{1,255})(?P<rest>.*)$",
    re.DOTALL,
)
_ALREADY = re.compile(r"(?P<who>\S{1,255}) already banned$")
_FAILED_AT = re.compile(rf" - ({_STAMP})$")
_LEVELS = {"CRITICAL": 80, "ERROR": 60, "WARNING": 40, "NOTICE": 20, "INFO": 10}
_ACTIONS = {"Restore Ban": "restore_ban", "Increase Ban": "increase_ban"}


class Fail2banLog:
    """fail2ban's own log."""

    name = "fail2ban-log"
    about = "fail2ban.log: found, banned and unbanned addresses by jail, and the server's messages"
    specification = "https://github.com/fail2ban/fail2ban/wiki"
    one_a_line = False
    examples = (
        "2026-11-25 02:42:23,917 fail2ban.filter         [22893]: INFO    [sshd] Found 192.0.2.21 - 2026-03-27 14:01:39",
        "2026-11-25 02:42:24,544 fail2ban.actions        [22893]: NOTICE  [sshd] Ban 192.0.2.21",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that begin as fail2ban's do; others may follow them."""
        lines = [line.decode("utf-8", "replace")[:500] for line in head_lines(head, 30)]
        found = sum(bool(_LINE.match(line) or _ECHO.match(line)) for line in lines)
        return 0.97 * found / len(lines) if lines and (_LINE.match(lines[0]) or _ECHO.match(lines[0])) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(grouped_records(source, lambda line: _STARTS.match(line) is not None), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    text = record.decode("utf-8", "backslashreplace")
    found = _LINE.match(text)
    if found is None:
        return _echoed(text)
    row: dict[str, object] = {
        "time": iso(found["stamp"], clock),
        "event_category": "host",
        "event_severity": _LEVELS.get(found["level"], 0),
        "process_name": "fail2ban",
        "process_pid": int(found["pid"]) if found["pid"] else None,
        "rule_name": found["jail"],
        "message": found["message"].strip() or None,
    }
    extra: dict[str, str | None] = {"module": found["module"], "level": found["level"]}
    verb = _VERBS.match(found["message"])
    already = _ALREADY.match(found["message"]) if found["jail"] else None
    if verb and found["jail"]:
        row |= _verb(verb["verb"], verb["who"], extra)
        at = _FAILED_AT.search(verb["rest"].rstrip())
        if verb["verb"] == "Found" and at:
            extra["logged"] = found["stamp"]
            row["time"] = iso(at[1], clock)
    elif already:
        row |= _verb("already_banned", already["who"], extra)
    row["extra"] = extra
    return row


def _verb(verb: str, who: str, extra: dict[str, str | None]) -> dict[str, object]:
    """Return the columns of something done to an address, or to a name where the jail's id is none."""
    is_ban = verb not in ("Found", "Ignore")
    row: dict[str, object] = {
        "class_uid": 7004 if is_ban else 2004,
        "event_category": "intrusion_detection",
        "event_action": _ACTIONS.get(verb, verb.lower()),
        "source_ip": address(who),
    }
    if row["source_ip"] is None:
        extra["id"] = who
    return row


def _echoed(text: str) -> dict[str, object]:
    found = _ECHO.match(text)
    if found is None:
        raise ValueError("not a line of fail2ban: a time and `fail2ban.module` were expected")
    pairs = (pair.partition("=") for pair in found["rest"].split())
    extra: dict[str, str | None] = {name: value for name, _, value in pairs}
    jail = extra.pop("jail", None)
    verb = found["verb"].capitalize()
    return {"time": epoch(found["seconds"]), "rule_name": jail, **_verb(verb, found["ip"], extra), "extra": extra}
