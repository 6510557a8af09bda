"""JSON of a tool that nobody knows → events, by what tools usually call things (`_field_names.toml`); the rest is kept.

JSON lines, one array, objects spread over lines, one document with its records in a list, or in columns and rows, objects
of which each holds a list of records, and lines of a name and an object, or of an object's fields without its braces. A text field that is itself a
record (JSON, syslog, CEF) is read by its own reader. `socml peek` shows which field was taken for what, and
`socml peek FILE --write-map` writes it down as a map to correct.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeGuard

from socml.formats._envelope import first_keyed, first_objects, keyed_members, members
from socml.formats._field_names import flat_fields, guess
from socml.formats._guess import guessed_row
from socml.formats._inner import known_inside, with_inner
from socml.formats._json import as_object, extra_of, loads_exactly
from socml.formats._json_batches import are_batches_of, columns_of, has_time, members_of, unbatched
from socml.formats._json_rows import DEEPEST_ROWS, ROWS_OPEN, rows_of
from socml.formats._old_encodings import head_of
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._times import Clock
from socml.formats._values import LEVELS

__all__ = ["AnyJson"]

_LISTS = (
    "records", "Records", "events", "Events", "logs", "items", "data", "results", "value", "entries", "alerts", "rows",
    "messages", "findings", "Findings", "activities", "hits", "authlogs", "log_entries", "logEvents", "detections", "resources",
)  # fmt: skip
_GUESS, _BARE_GUESS = 0.65, 0.52  # sure, of records with a time and something else that is known; of others
_LEAST_UNBRACED = 3  # fields of a line that has no braces; of fewer, it is part of an object
_MOST_OF_WRAP = 2  # fields of an object that only holds a record
# What may stand before the object of each line: `audit: {`, `@cee: {`
_NAMED = re.compile(rb'(?P<name>@?[A-Za-z][\w.-]{0,63})(?:: {0,2}| {1,2})(?=\{ ?")')
_UNBRACED = re.compile(rb'"[^"\\\n]{1,100}"\s{0,4}:')  # how a line begins that is an object's fields
_TIMED_TEXT = re.compile(rb"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_SEPARATED = re.compile(rb"\x1e(?=\{)")  # before each record, as RFC 7464 has it
_LITERAL = re.compile(rb"\{ ?'[^'\n]{1,100}' ?:")  # of Python
# A text, whole or up to the end of what is there; a word
_PYTHON = re.compile(
    rb"""'[^'\\]*+(?:\\(?:.|\Z)[^'\\]*+)*+(?:'|\Z)|"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|\b(?:True|False|None)\b""",
    re.DOTALL,
)
_WORDS = {b"True": b"true", b"False": b"false", b"None": b"null"}
_BYTE_ESCAPE = re.compile(rb"(?<!\\)\\x([0-9a-fA-F]{2})")
DEEPEST_LIST = 5  # objects that a list of records may lie in
_FARTHEST_LIST = 65536  # bytes of a document before its list
_OPENS_LIST = re.compile(rb'"(?P<name>[^"\\\\]{1,100})"\s{0,100}:\s{0,100}\[\s{0,100}\{')
_KEYED = re.compile(rb'\{\s{0,20}"[^"\\]{0,200}"\s{0,20}:\s{0,20}\{\s{0,20}"')
_KEYED_IN = re.compile(rb'"(?P<name>[^"\\]{1,100})"\s{0,100}:\s{0,100}(?=' + _KEYED.pattern + rb")")
_PARTS = frozenset(
    "before after old new from to source destination src dst request response start end first last client server local remote actor target".split()
)  # of one record
_SHOWN_BATCHES = 20  # objects that show whether each holds records
_SHOWN_KEYED = 5  # records that show whether those of a document stand under their ids
_OF_EXPORT = re.compile(r"(?i)query|export")  # a time of which is not that of a record
_NEXT_OBJECT = re.compile(rb"\n\}[\s,]{0,100}\{")  # documents one after the other
_ANY_TIME_BEFORE = re.compile(rb'"(?:@?timestamp|time_?stamp|time|ts|eventTime|date)"\s{0,10}:')
_TIME_BEFORE = re.compile(rb'\n {1,8}"(?:@?timestamp|time|ts|eventTime)"\s{0,10}:')


class AnyJson:
    """JSON lines, arrays and documents of any tool."""

    name = "any-json"
    about = (
        "JSON of a tool that nobody knows: lines, an array, or a document; columns by what tools usually call things"
    )
    specification = "https://www.rfc-editor.org/rfc/rfc8259"
    examples = (
        '{"when":"2026-03-02T10:00:00Z","srcIp":"192.0.2.1","dst_port":2222,"userName":"root","activity":"login.failed"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """A guess: as sure as the share of objects with a time and something else that is known; never over 0.65."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        is_unbraced = _UNBRACED.match(start) is not None
        if (
            not start.startswith((b"{", b"["))
            and not _NAMED.match(start)
            and not _SEPARATED.match(start)
            and not is_unbraced
        ):
            return 0.0
        found = first_of(head, 20)
        if not found or (is_unbraced and min(map(len, found)) < _LEAST_UNBRACED):
            return 0.0
        clock = Clock(None, None, None)
        rows = [guessed_row(_fields_of(one), clock)[1] for one in found]
        known = sum("time" in taken and len(taken) > 1 for taken in rows)
        known = 0 if are_among_text(head_lines(head, 60)) else known
        return _BARE_GUESS + (_GUESS - _BARE_GUESS) * known / len(rows)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        head = head_of(source)
        for pattern, as_json in _OF_LINES:
            if pattern.match(head):
                event = _named_event if pattern is _NAMED else _event_as(as_json)
                return clocked(line_records(source), event, source, options)
        if (keyed := _keyed_in(head)) is not None:
            return clocked(
                keyed_members(source, *keyed), lambda record, clock: _event(_keyed(record), clock), source, options
            )
        if rows := rows_of(head):
            return clocked(
                members(source, *rows.lists, deepest=DEEPEST_ROWS, opens=ROWS_OPEN),
                lambda record, clock: _event(rows.record(record), clock),
                source,
                options,
            )
        if (columns := columns_of(head)) is not None:
            return clocked(
                ((1, record) for record in columns),
                lambda record, clock: _event(loads_exactly(record), clock),
                source,
                options,
            )
        names = lists_of(head)
        records = members(source, *names, deepest=DEEPEST_LIST)
        are_batches = not names and are_batches_of(first_objects(head, limit=_SHOWN_BATCHES, deepest=DEEPEST_LIST))
        return clocked(
            unbatched(records) if are_batches else records,
            lambda record, clock: _event(loads_exactly(record), clock),
            source,
            options,
        )


def are_among_text(lines: Sequence[bytes]) -> bool:
    """Return whether some lines of a file are objects, and one in five or more is text that begins with a time: `text-lines` reads both.

    Examples
    --------
    >>> are_among_text([b'{"a":1}', b"2026-03-02 10:00:00 started"]), are_among_text([b'{"a":1}', b'{"a":2}'])
    (True, False)
    """
    texts = sum(_TIMED_TEXT.match(line) is not None for line in lines)
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    return objects > 0 and 5 * texts >= len(lines) and objects + texts == len(lines)


def first_of(head: bytes, limit: int) -> list[dict[str, object]]:
    """Return the first records that a file's head holds, as it would be read."""
    for pattern, as_json in _OF_LINES:
        if pattern.match(head):
            found = [as_object(as_json(line)) for line in head_lines(head, limit)]
            return found if pattern is _UNBRACED else [one for one in found if one]
    if (keyed := _keyed_in(head)) is not None:
        return [_keyed(record) for record in first_keyed(head, *keyed, limit=limit)]
    if rows := rows_of(head):
        return rows.first(head, limit)
    if (columns := columns_of(head)) is not None:
        return [loads_exactly(record) for record in columns[:limit]]
    names = lists_of(head)
    written = first_objects(head, *names, limit=limit, deepest=DEEPEST_LIST)
    return [one for batch in written for one in members_of(batch)] if not names and are_batches_of(written) else written


def _keyed_in(head: bytes) -> tuple[str, ...] | None:
    """Return the name of the object in which a document holds records under their ids, none if it is the document; None if it holds none.

    The records have a time, and most fields in common; what stands before them has no time.

    Examples
    --------
    >>> _keyed_in(b'{"e1":{"ts":"2026-03-02T10:00:00Z"},"e2":{"ts":"2026-03-02T10:00:01Z"}}')
    ()
    >>> _keyed_in(b'{"box":{"e1":{"ts":"2026-03-02T10:00:00Z"},"e2":{"ts":"2026-03-02T10:00:01Z"}}}')
    ('box',)
    >>> _keyed_in(b'{"before":{"ts":"2026-03-02T10:00:00Z"},"after":{"ts":"2026-03-02T10:00:01Z"}}')
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, _, rest = start.partition(b"\n")
    found = as_object(first) or {}
    if not start.startswith(b"{") or _NEXT_OBJECT.search(start) or (found and rest.strip()):
        return None
    if (
        _KEYED.match(start)
        and all(isinstance(value, dict) for value in found.values())
        and _are_keyed(first_keyed(head, limit=_SHOWN_KEYED))
    ):
        return ()
    for opening in islice(_KEYED_IN.finditer(start, 0, _FARTHEST_LIST), _SHOWN_KEYED):
        name = opening["name"].decode("utf-8", "replace")
        if not _ANY_TIME_BEFORE.search(start, 0, opening.start()) and _are_keyed(
            first_keyed(head, name, limit=_SHOWN_KEYED)
        ):
            return (name,)
    return None


def _are_keyed(written: Sequence[bytes]) -> bool:
    try:
        records = [_keyed(record) for record in written]
    except ValueError:
        return False
    names = [set(record) for record in records]
    alike = len(names) > 1 and 2 * len(set.intersection(*names)) >= len(set.union(*names))
    return alike and _PARTS.isdisjoint(str(record.get("key")) for record in records) and all(map(has_time, records))


def _keyed(record: bytes) -> dict[str, object]:
    """Return the fields of a record that stands under its id, and that as `key`; ValueError if it is none."""
    found = loads_exactly(_braced(record))
    name, value = next(iter(found.items()), ("", None))
    if len(found) != 1 or not isinstance(value, dict):
        raise ValueError("no object under an id")
    return {"time" if _is_time(name) else "key": name, **value}


def _is_time(name: str) -> bool:
    return has_time({"time": name}) and not name.isdecimal()


def _braced(line: bytes) -> bytes:
    return b"{%s}" % line.strip().rstrip(b",")


def _as_json(line: bytes) -> bytes:
    """Return a dictionary as Python prints it as an object of JSON, by its texts and words.

    Examples
    --------
    >>> _as_json(b"{'user': 'bob', 'ok': False, 'at': None}")
    b'{"user": "bob", "ok": false, "at": null}'
    """
    return _PYTHON.sub(lambda one: _WORDS.get(one[0]) or _quoted(one[0]), line)


def _quoted(text: bytes) -> bytes:
    inside = text[1:-1].replace(b"\\'", b"'")
    inside = _BYTE_ESCAPE.sub(rb"\\u00\1", inside)
    return b'"%s"' % (inside.replace(b'"', b'\\"') if text[:1] == b"'" else inside)


# How the lines begin that are no objects as they stand, and the object of each
_OF_LINES: tuple[tuple[re.Pattern[bytes], Callable[[bytes], bytes]], ...] = (
    (_NAMED, lambda line: _NAMED.sub(b"", line, count=1)),
    (_UNBRACED, _braced),
    (_LITERAL, _as_json),
    (_SEPARATED, lambda line: line.lstrip(b"\x1e")),
)


def _event_as(as_json: Callable[[bytes], bytes]) -> Callable[[bytes, Clock], dict[str, object]]:
    return lambda line, clock: _event(loads_exactly(as_json(line)), clock)


def _named_event(record: bytes, clock: Clock) -> dict[str, object]:
    named = _NAMED.match(record)
    row = _event(loads_exactly(record[named.end() :] if named else record), clock)
    if named is None:
        return row
    name = named["name"].decode()
    if row.get("event_severity") is None and name.lower() in LEVELS:
        row["event_severity"] = LEVELS[name.lower()]
    return {**row, "extra": {**extra_of(row), "name": name}}


def _event(found: dict[str, object], clock: Clock) -> dict[str, object]:
    name, inner = known_inside(found, clock)
    row, _ = guessed_row(_fields_of({own: value for own, value in found.items() if own != name}), clock)
    if inner:
        told = {column: value for column, value in inner.items() if value not in (None, [], {})}
        return {**row, **told, "extra": {**extra_of(row), **extra_of(inner)}}
    return with_inner(row, row.get("message"), clock)


def _fields_of(found: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a record, among them those of objects that a field holds as text; what may be a message stays whole."""
    fields: dict[str, object] = {}
    if isinstance(node := found.get("node"), dict) and found.keys() <= {"node", "cursor"}:  # an edge of GraphQL
        found = {**{name: value for name, value in found.items() if name != "node"}, **node}
    for name, value in flat_fields(found).items():
        text = value if isinstance(value, str) and value.startswith("{") and value.endswith("}") else ""
        inside = as_object(text.encode()) if text and "message" not in guess((name,)).columns else None
        fields |= {f"{name}.{own}": one for own, one in flat_fields(inside).items()} if inside else {name: value}
    return fields


def lists_of(head: bytes) -> tuple[str, ...]:
    """Return the name of the list that a document holds its records in; none if the file's objects are its records.

    A list of any name counts, down to five objects deep, if the objects in it have a time and what stands around it has none.

    Examples
    --------
    >>> lists_of(b'{"count":1,"ourEvents":[{"ts":"2026-03-02T10:00:00Z","user":"bob"}]}')
    ('ourEvents',)
    >>> lists_of(b'{"ts":"2026-03-02T10:00:00Z","roles":[{"ts":"2020-01-01T00:00:00Z"}]}')
    ()
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"{"):
        return ()
    first, _, rest = start.partition(b"\n")
    found = as_object(first)
    if found:
        around = {name: value for name, value in found.items() if not isinstance(value, list)}
        own = {name: value for name, value in found.items() if not _OF_EXPORT.match(name)}
        return () if rest.strip() or has_time(own) else _list_in(found, is_timed=has_time(flat_fields(around)))
    if _NEXT_OBJECT.search(start):
        return ()
    for opening in _OPENS_LIST.finditer(start, 0, _FARTHEST_LIST):
        depth = start.count(b"{", 0, opening.start()) - start.count(b"}", 0, opening.start())
        name = opening["name"].decode("utf-8", "replace")
        if depth <= DEEPEST_LIST:
            is_timed = any(map(has_time, first_objects(head, name, limit=3, deepest=DEEPEST_LIST)))
            before = _TIME_BEFORE if is_timed else _ANY_TIME_BEFORE
            if is_timed or name in _LISTS:
                return () if before.search(start, 0, opening.start()) else (name,)
    return ()


def _list_in(found: dict[str, object], depth: int = 1, *, is_timed: bool) -> tuple[str, ...]:
    """Return the names of the lists of records in a document that was read whole, and may tell a time outside its lists."""
    lists = [(name, value) for name, value in found.items() if _is_records(value)]
    named = [name for name, value in lists if name in _LISTS and (not is_timed or has_time(flat_fields(value[0])))]
    if names := named or [name for name, value in lists if has_time(value[0]) or _is_wrap(value[0])]:
        return tuple(names)
    objects = [value for value in found.values() if isinstance(value, dict)] if depth < DEEPEST_LIST else []
    return next((inside for one in objects if (inside := _list_in(one, depth + 1, is_timed=is_timed))), ())


def _is_records(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_wrap(found: dict[str, object]) -> bool:
    """Return whether an object holds one other, a record with a time, as GraphQL's edges hold their nodes."""
    inside = [value for value in found.values() if isinstance(value, dict)]
    return len(inside) == 1 and len(found) <= _MOST_OF_WRAP and has_time(inside[0])
