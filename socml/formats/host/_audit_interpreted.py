"""Lines of `ausearch -i` → records with decoded fields: ids as names, times local, values without quotes.

What follows a value is told only by the next ` name=`, so a value that holds one is cut there; where a name comes
twice, the last is kept, which is the tool's own and not one that somebody typed. Of records whose values are free text
(commands, paths) only the names that such a record has are looked for.
"""

from __future__ import annotations

import re
from datetime import datetime

from socml.formats._iso import from_iso
from socml.formats._times import Clock
from socml.formats.host._audit_records import Record, node_before

__all__ = ["day_comes_first", "interpreted_record"]

_LINE = re.compile(
    r"type=(?P<type>\S{1,64}) msg=audit\((?P<date>[\d./-]{6,10}) (?P<clock>\d\d:\d\d:\d\d\.\d{1,6}):(?P<serial>\d{1,20})\) ?: ?"
)
_DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")
_STAMP = re.compile(rb"msg=audit\((\d\d)/\d\d/\d{2,4} ")
_ANY = "[A-Za-z][A-Za-z0-9_-]{0,63}"
_NAMES = {
    "EXECVE": r"argc|a\d+(?:\[\d+\])?(?:_len)?",
    "PROCTITLE": "proctitle",
    "CWD": "cwd",
    "SOCKADDR": "saddr",
    "PATH": "item|name|inode|dev|mode|ouid|ogid|rdev|obj|objtype|nametype|cap_\\w{1,40}",
    "USER_CMD": "pid|uid|auid|ses|subj|cwd|cmd|exe|hostname|addr|terminal|res",
}
_PAIRS = {kind: re.compile(rf"(?:^|(?<= ))(?P<name>{names})=") for kind, names in (*_NAMES.items(), ("", _ANY))}
_MISSING = {"", "?", "(null)", "(none)", "(unknown)", "unset"}


def interpreted_record(line: str, clock: Clock, *, day_first: bool) -> Record | None:
    """Return a line's record; None if the line has not this form. Raises ValueError, in words, if its time is none.

    Examples
    --------
    >>> line = "type=USER_CMD msg=audit(02/29/2024 13:06:56.250:7) : pid=5 uid=ann msg='cmd=ls -l res=success' "
    >>> record = interpreted_record(line, Clock(None, None, None), day_first=False)
    >>> record.time.isoformat(), record.serial, record.fields
    ('2024-02-29T13:06:56.250000+00:00', '7', {'pid': '5', 'uid': 'ann', 'cmd': 'ls -l', 'res': 'success'})
    """
    found = _LINE.search(line)
    if found is None:
        return None
    fields: dict[str, str | None] = {}
    rest = line[found.end() :]
    outer, nested, inner = rest.partition("msg='")
    if nested and outer[-1:] in ("", " "):
        _read(outer, found["type"], fields)
        rest = inner.rstrip().removesuffix("'")
    _read(rest, found["type"], fields)
    when = clock.in_zone(_local(found["date"], found["clock"], day_first))
    return Record(node_before(line, found.start()), found["type"], when, found["serial"], fields, names_users=True)


def day_comes_first(head: bytes) -> bool:
    """Return whether the dates with slashes have their day first, as in most of Europe: one number is over 12.

    Examples
    --------
    >>> day_comes_first(b"msg=audit(29/02/2024 13:06:56.250:7)"), day_comes_first(b"msg=audit(02/03/2024 13:06:56.250:7)")
    (True, False)
    """
    return any(int(first) > 12 for first in _STAMP.findall(head))


def _read(text: str, kind: str, fields: dict[str, str | None]) -> None:
    pairs = list(_PAIRS.get(kind, _PAIRS[""]).finditer(text))
    loose = text[: pairs[0].start() if pairs else len(text)].strip(" ,:")
    if loose:
        fields["text"] = loose
    ends = [pair.start() for pair in pairs[1:]] + [len(text)]
    for pair, end in zip(pairs, ends, strict=True):
        value = text[pair.end() : end].strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        fields[pair["name"]] = None if value in _MISSING else value


def _local(date: str, clock: str, day_first: bool) -> datetime:
    parts = _DATE.fullmatch(date)
    if parts is None:
        raise ValueError(f"{date!r} is not a date")
    if len(parts[1]) == 4:
        year, month, day = parts[1], parts[2], parts[3]
    else:
        month, day = (parts[2], parts[1]) if day_first or "." in date else (parts[1], parts[2])
        year = parts[3] if len(parts[3]) == 4 else f"20{parts[3]}"
    try:
        return from_iso(f"{year}-{int(month):02}-{int(day):02}T{clock}")
    except ValueError:
        raise ValueError(f"{date} {clock} is not a time") from None
