"""The flat fields of a record → event columns, each field taken once; what is left over becomes `extra`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from socml.formats._json import text_of
from socml.project import EVENT

__all__ = ["Fields", "add_numbered", "whole"]

_LARGEST = {"source_port": 65535, "destination_port": 65535, "event_severity": 100}
_BITS = {"int32": 2**31 - 1, "int64": 2**63 - 1}


class Fields:
    """A record's fields. Names are tried in the order given; a field that was taken is not in `rest`.

    Examples
    --------
    >>> fields = Fields({"src": "10.0.0.1", "spt": "443", "act": "drop", "note": ["a"]})
    >>> fields.columns({"source_ip": "src", "source_port": "spt"})
    {'source_ip': '10.0.0.1', 'source_port': 443}
    >>> fields.take("act", "action"), fields.rest()
    ('drop', {'note': '["a"]'})
    """

    def __init__(self, found: Mapping[str, object]) -> None:
        self._found = dict(found)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def peek(self, *names: str) -> object:
        """Return the first of these fields that has a value, and leave it; None if none has."""
        return next((self._found[n] for n in names if self._found.get(n) not in (None, "")), None)

    def take(self, *names: str) -> object:
        """Return the first of these fields that has a value, and take it out; None if none has."""
        for name in names:
            if self._found.get(name) not in (None, ""):
                return self._found.pop(name)
        return None

    def replace(self, name: str, value: object) -> None:
        """Put another value in a field's place."""
        self._found[name] = value

    def text(self, *names: str) -> str | None:
        """Take the first of these fields that has a value, as text."""
        return text_of(self.take(*names))

    def columns(self, mapping: Mapping[str, str | tuple[str, ...]]) -> dict[str, object]:
        """Take fields as event columns, each by the type of its column; columns without a value are left out.

        Raises
        ------
        ValueError
            Naming the field whose value does not fit.
        """
        row: dict[str, object] = {}
        for column, names in mapping.items():
            tried = (names,) if isinstance(names, str) else names
            name = next((n for n in tried if self._found.get(n) not in (None, "")), None)
            if name is not None:
                row[column] = as_column(column, self._found.pop(name), name)
        return row

    def rest(self) -> dict[str, str]:
        """Return all fields not taken, as text; those without a value are left out."""
        texts = ((name, text_of(value)) for name, value in self._found.items())
        return {name: text for name, text in texts if text is not None and text != ""}


Value = TypeVar("Value")


def add_numbered(found: dict[str, Value], counts: dict[str, int], key: str, value: Value) -> None:
    """Put a value under its key; of a key given more than once the later are `key.2`, `key.3`.

    `counts` holds how often each key came so far: it begins empty and is changed here.

    Examples
    --------
    >>> found, counts = {}, {}
    >>> for key in ("a", "a.2", "a", "a"):
    ...     add_numbered(found, counts, key, key)
    >>> list(found)
    ['a', 'a.2', 'a.3', 'a.4']
    """
    name, count = key, counts.get(key, 1)
    while name in found:
        count += 1
        name = f"{key}.{count}"
    found[name], counts[key] = value, count


def as_column(column: str, value: object, field: str) -> object:
    """Return a value in the type of an event column. Raises ValueError, naming the field, if it does not fit."""
    kind = str(EVENT[column].type)
    if kind in _BITS:
        return whole(value, field, _LARGEST.get(column, _BITS[kind]))
    if kind == "double":
        try:
            return float(cast("str | float", value))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{field} is {str(value)[:60]!r}, not a number") from None
    if kind.startswith("list"):
        return [text_of(v) for v in value] if isinstance(value, list) else [text_of(value)]
    return text_of(value)


def whole(value: object, field: str, largest: int = 2**63 - 1) -> int:
    """Return a whole number from 0 to `largest`. Raises ValueError, naming the field, if it is none.

    Examples
    --------
    >>> whole("80", "dpt", 65535), whole(8.0, "n")
    (80, 8)
    """
    try:
        number = int(cast("str | float", value)) if not isinstance(value, float) or value.is_integer() else -1
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool) or not 0 <= number <= largest:
        raise ValueError(f"{field} is {str(value)[:60]!r}, not a whole number from 0 to {largest}")
    return number
