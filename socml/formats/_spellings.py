"""A JSON record whose names are all in small letters, as tables of Hive, Glue and Athena have them → the names that a map knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from socml.formats._json import as_object

__all__ = ["respelled", "spellings_of"]

_CAPITAL_INSIDE = re.compile("[a-z][A-Z]")
_LEAST = 2  # names with a capital inside: of fewer, small letters may be another tool's


def spellings_of(has: Sequence[str], names: Iterable[str]) -> dict[str, str]:
    """Return small letters → as a map writes it, for each part of its names; none if too little tells the format then.

    Parameters
    ----------
    has : the names that tell the format
    names : the others that it reads

    Examples
    --------
    >>> spellings_of(["eventName", "eventSource"], ["userIdentity.arn"])
    {'useridentity': 'userIdentity', 'arn': 'arn', 'eventname': 'eventName', 'eventsource': 'eventSource'}
    >>> spellings_of(["accountId", "severity"], ["resource"])
    {}
    """
    if sum(_CAPITAL_INSIDE.search(name) is not None for name in has) < _LEAST:
        return {}
    known = [*names, *(name for one in has for name in one.split("|"))]
    return {part.lower(): part for name in known for part in name.split(".")}


def respelled(record: dict[str, object], spellings: Mapping[str, str]) -> dict[str, object]:
    """Return a record, and the objects in it, with names as they are spelled, and a text that is an object as one, if its name is known.

    A record that has a capital in a name is as it was written.

    Examples
    --------
    >>> respelled({"useridentity": '{"username":"bob"}', "extra": '{"a":1}'}, {"useridentity": "userIdentity"})
    {'userIdentity': {'username': 'bob'}, 'extra': '{"a":1}'}
    >>> respelled({"useridentity": "{username=bob}"}, {"useridentity": "userIdentity"})
    {'userIdentity': '{username=bob}'}
    >>> respelled({"eventTime": 1, "useridentity": 2}, {"useridentity": "userIdentity"})
    {'eventTime': 1, 'useridentity': 2}
    """
    if not spellings or any(name != name.lower() for name in record):
        return record
    return _spelled(record, spellings)


def _spelled(record: Mapping[str, object], spellings: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in record.items():
        inside = value if isinstance(value, dict) else None
        if isinstance(value, str) and value.startswith("{") and name in spellings:
            inside = as_object(value.encode("utf-8", "replace"))
        found[spellings.get(name, name)] = _spelled(inside, spellings) if inside else value
    return found
