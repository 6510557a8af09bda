"""Lines of auditd's log → the records of one event together, and the fields of a record, decoded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from socml.formats._times import epoch

__all__ = ["Record", "audit_record", "grouped_events", "node_before"]

_LINE = re.compile(
    r"type=(?P<type>\S{1,64}) (?:msg=)?audit\((?P<seconds>\d{1,12})\.(?P<milli>\d{1,6}):(?P<serial>\d{1,20})\) ?:"
)
_BEFORE_KERNEL = re.compile(
    r"(?P<host>[\w.-]{1,255}) (?:kernel|audit|auditd|audisp-syslog|audispd)(?:\[\d{1,10}\])?: "
)  # of syslog
_NODE = re.compile(r"node=(\S{1,255}) $")
_KEY = re.compile(rb"audit\((\d[\d./: -]{0,40}:\d{1,20})\)")
_PAIR = re.compile(r"(?<![\w\[\]-])(?P<name>[A-Za-z][\w\[\]-]{0,63})=(?P<value>\"[^\"]*\"|'[^']*'|[^\s,'\"]*)")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_ENCODED = {
    "acct", "cmd", "comm", "cwd", "data", "dir", "exe", "file", "grp", "key", "name", "new", "ocomm", "old", "path",
    "proctitle", "vm", "watch", "root_dir",
}  # fmt: skip
_ARGUMENT = re.compile(r"a\d+(?:\[\d+\])?")
_OPEN = 32  # events whose records may still come
_LINES = 2000  # of one event


@dataclass
class Record:
    """One line: its type, the event it belongs to, and its fields."""

    node: str | None
    type: str
    time: datetime
    serial: str
    fields: dict[str, str | None]
    names_users: bool = False  # auid, uid … are names, not numbers


def grouped_events(numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of each event together, with the number of its first line, in the order of their first lines.

    The kernel's records of one event are next to each other, or nearly: an event is closed when 32 others have begun.
    A line that belongs to no event is a record of its own.
    """
    held: dict[bytes, tuple[int, list[bytes]]] = {}
    lone = 0
    for number, line in numbered:
        found = _KEY.search(line)
        lone += found is None
        key = found[1] if found else b"%d" % -lone
        if key in held and len(held[key][1]) < _LINES:
            held[key][1].append(line)
            continue
        if key in held:
            yield _joined(held.pop(key))
        held[key] = (number, [line])
        if len(held) > _OPEN:
            yield _joined(held.pop(next(iter(held))))
    for event in held.values():
        yield _joined(event)


def audit_record(line: str) -> Record:
    """Return a line's record. Values that were encoded because of their characters are decoded.

    Raises
    ------
    ValueError
        In words, if it is none.

    Examples
    --------
    >>> record = audit_record('type=EXECVE msg=audit(1.000:2): argc=2 a0="ls" a1=2D6C2061')
    >>> record.fields["a1"]
    '-l a'
    >>> audit_record("type=USER_LOGIN msg=audit(1.000:2): pid=1 msg='op=login acct=726F6F74 addr=?'").fields["acct"]
    'root'
    """
    found = _LINE.search(line)
    if found is None:
        raise ValueError("not a record of auditd: `type=… msg=audit(seconds:serial):` was expected")
    fields: dict[str, str | None] = {}
    _read(line[found.end() :].replace("\x1d", " "), found["type"], fields)
    when = epoch(f"{found['seconds']}.{found['milli']}")
    return Record(node_before(line, found.start()), found["type"], when, found["serial"], fields)


def node_before(line: str, at: int) -> str | None:
    """Return the machine that a line names in front of its record, which begins at `at`."""
    before = line[max(at - 300, 0) : at]
    node = _NODE.search(before) or _BEFORE_KERNEL.search(before)
    return node[1] if node else None


def _joined(event: tuple[int, list[bytes]]) -> tuple[int, bytes]:
    return event[0], b"\n".join(event[1])


def _read(text: str, kind: str, fields: dict[str, str | None]) -> None:
    position = 0
    for pair in _PAIR.finditer(text):
        loose = text[position : pair.start()].strip(" ,:")
        if loose:
            fields["text"] = f"{fields['text']} {loose}" if fields.get("text") else loose
        position = pair.end()
        name, value = pair["name"], pair["value"]
        if name == "msg" and value.startswith("'"):
            _read(value[1:-1], kind, fields)
        else:
            fields[name] = _decoded(name, value, kind)
    rest = text[position:].strip(" ,'")
    if rest:
        fields["text"] = f"{fields['text']} {rest}" if fields.get("text") else rest


def _decoded(name: str, value: str, kind: str) -> str | None:
    if value[:1] in ("'", '"'):
        return value[1:-1] or None
    if value in ("", "?", "(null)", "(none)", "(unknown)"):
        return None
    encoded = name in _ENCODED or (kind == "EXECVE" and _ARGUMENT.fullmatch(name))
    if name in ("old", "new") and value.isdecimal():
        return value  # a number that a setting had
    if encoded and len(value) > 1 and _HEX.fullmatch(value):
        return bytes.fromhex(value).rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    return value
