"""A line of JSON → a flat dict of its fields, exactly as it was written or not at all.

Stricter than most parsers: NaN and Infinity, a key given twice, text after the object, half a surrogate pair and
values nested deeper than a record needs are errors, and a whole number keeps all its digits.
"""

from __future__ import annotations

import json
import re
from typing import cast

import orjson

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # may be over 64 bits, where orjson turns it into a float
_DEEPEST = 100  # levels of objects and lists: what looks at a value later may nest its own calls as deep
_LOOSE_KEY = re.compile(rb'"\s+:')


def loads_exactly(line: bytes) -> dict[str, object]:
    """Return the one object that `line` holds.

    Raises
    ------
    ValueError
        In words, if it is not exactly one valid object.

    Examples
    --------
    >>> loads_exactly(b'{"flow_id":9007199254740993}')
    {'flow_id': 9007199254740993}
    >>> loads_exactly(b'{"a":1,"a":2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'a' is given twice
    """
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(_why_not(line, error)) from None
    if not isinstance(found, dict):
        raise ValueError(f"a JSON {_kind(found)}, not an object")
    if is_too_deep(line, found):
        raise ValueError(f"nested deeper than {_DEEPEST} levels")
    # As many `":` as keys means that no key was given twice; anything else is looked at by the slow parser.
    if line.count(b'":') != _count_keys(found) or _LOOSE_KEY.search(line) or _LONG_NUMBER.search(line):
        found = _load_slowly(line)
    return found


def extra_of(row: dict[str, object]) -> dict[str, object]:
    """Return the further fields of an event's columns, where they are a dict."""
    return cast("dict[str, object]", row["extra"])


def as_object(line: bytes) -> dict[str, object]:
    """Return the object that `line` holds, for a look at whose format it is; an empty one if it holds none.

    Examples
    --------
    >>> as_object(b'{"a":1}'), as_object(b"[1]"), as_object(b"cut off {")
    ({'a': 1}, {}, {})
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) and not is_too_deep(line, found) else {}


def json_bytes(value: object) -> bytes:
    """Return a value as JSON on one line, whole numbers over 64 bits among it.

    Examples
    --------
    >>> json_bytes({"a": [1, None]}), json_bytes(10**20)
    (b'{"a":[1,null]}', b'100000000000000000000')
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def flatten(found: dict[str, object]) -> dict[str, object]:
    """Return the fields of nested objects under dotted names. Lists stay lists.

    Examples
    --------
    >>> flatten({"dns": {"rrname": "a.example"}, "n": [1]})
    {'dns.rrname': 'a.example', 'n': [1]}
    """
    flat: dict[str, object] = {}
    _flatten(found, "", flat)
    return flat


def text_of(value: object) -> str | None:
    """Return a JSON value as text: a string as it is, the rest as JSON; null is None.

    Examples
    --------
    >>> [text_of(v) for v in ("x", True, 1.5, None, ["a", 1])]
    ['x', 'true', '1.5', None, '["a",1]']
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_too_deep(line: bytes, found: dict[str, object] | list[object]) -> bool:
    """Return whether what `line` holds is nested deeper than is read.

    Examples
    --------
    >>> line = b"[" * 101 + b"]" * 101
    >>> is_too_deep(line, orjson.loads(line)), is_too_deep(b"[[1]]", [[1]])
    (True, False)
    """
    if line.count(b"[") + line.count(b"{") <= _DEEPEST:  # most records do not open as many
        return False
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, (dict, list))
        ]
    return bool(level)


def _why_not(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        _load_slowly(line)
    except ValueError as reason:
        return str(reason)
    return f"not valid JSON: {error.msg}"


def _load_slowly(line: bytes) -> dict[str, object]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not valid UTF-8 at byte {error.start}") from None
    try:
        found = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise ValueError(f"more than one value on the line, from character {error.pos + 1}") from None
        raise ValueError(f"not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"a JSON {_kind(found)}, not an object")
    try:
        text_of(found).encode()  # type: ignore[union-attr]
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair") from None
    return found


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} is given twice")
    return found


def _no_constant(written: str) -> None:
    raise ValueError(f"{written} is not a JSON number")


def _count_keys(value: dict[str, object] | list[object]) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_count_keys(v) for v in value.values() if isinstance(v, (dict, list)))
    return sum(_count_keys(v) for v in value if isinstance(v, (dict, list)))


def _flatten(found: dict[str, object], prefix: str, flat: dict[str, object]) -> None:
    for name, value in found.items():
        if isinstance(value, dict) and value:
            _flatten(value, f"{prefix}{name}.", flat)
        else:
            flat[prefix + name] = value


def _kind(value: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
