"""A text that is a record of another tool → its own event columns, with what stood around it kept.

What Splunk calls `_raw`, Elastic `message`, and GELF, journald and Sentinel their message or a column of JSON, is read by
the reader that the text belongs to: JSON (Suricata's EVE, or any), CEF and LEEF, syslog, else free text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from socml.formats._cef import MARK
from socml.formats._json import as_object
from socml.formats._times import Clock

__all__ = ["filled_from_inner", "inner_event", "with_inner"]

_LONGEST_HEADER = 1000  # characters before `CEF:`
_LONGEST = 1 << 20  # characters of a text that is read as a record
_OUTER = ("time", "host_name", "observer_name", "event_severity")  # the outer record knows these better
_PLAIN = ("host",)  # a category that says nothing


def inner_event(text: str, clock: Clock) -> dict[str, Any]:
    """Return the event columns of a text that is a record, or tells something; an empty row if it does neither.

    Examples
    --------
    >>> clock = Clock(None, 2026, None)
    >>> inner_event("Mar  2 10:00:00 h1 sshd[5]: Failed password for root from 192.0.2.1 port 4000 ssh2", clock)["user_name"]
    'root'
    >>> inner_event('{"event_type":"dns","timestamp":"2026-03-02T10:00:00Z","dns":{"rrname":"a.example"}}', clock)["dns_question_name"]
    'a.example'
    >>> inner_event("all is well", clock)
    {}
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return {}
    try:
        return _reader_of(text)(text, clock)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # it only looked like one; the text itself is kept


def with_inner(row: dict[str, Any], text: Any, clock: Clock) -> dict[str, Any]:
    """Return a row with the columns of the record that `text` is; what the outer record says is never lost.

    The outer record's time, host and severity stand; of all else the inner record knows more. An outer value that gives
    way is kept in `extra`, under `outer.` and its column.
    """
    if not isinstance(text, str):
        return row
    outside = Clock(clock.zone, clock.year or _year(row), clock.modified)  # an inner time says nothing of the file
    inner = inner_event(text, outside)
    if not inner:
        return row
    merged, extra = dict(row), dict(row.get("extra") or {})
    for name, value in inner.items():
        if value in (None, [], {}) or name in ("extra", "raw"):
            continue
        before = merged.get(name)
        if before in (None, [], {}) or before == value or (name == "event_category" and before in _PLAIN):
            merged[name] = value
        elif name not in _OUTER and not (name == "event_category" and value in _PLAIN):
            if name not in ("message", "event_category", "class_uid"):
                extra.setdefault(f"outer.{name}", str(before))
            merged[name] = value
    for name, value in (inner.get("extra") or {}).items():
        if value is not None:
            extra.setdefault(name, value)
    merged["extra"] = extra
    return merged


def filled_from_inner(row: dict[str, Any], text: Any, clock: Clock) -> dict[str, Any]:
    """Return a row with those columns of the record that `text` is which the outer record, a tidy one, leaves empty."""
    if not isinstance(text, str):
        return row
    inner = inner_event(text, Clock(clock.zone, clock.year or _year(row), clock.modified))
    filled = {name: value for name, value in row.items() if value not in (None, [], {})}
    if filled.get("event_category") in _PLAIN and inner.get("event_category"):
        filled.pop("event_category")
    extra = {**{n: v for n, v in (inner.get("extra") or {}).items() if v is not None}, **(row.get("extra") or {})}
    return {**row, **{n: v for n, v in inner.items() if n != "raw"}, **filled, "extra": extra}


def _year(row: dict[str, Any]) -> int | None:
    return row["time"].year if row.get("time") is not None else None


def _reader_of(text: str) -> Callable[[str, Clock], dict[str, Any]]:
    from socml.formats.host._syslog_lines import header

    if MARK.search(text, 0, _LONGEST_HEADER):
        return _cef
    if text.startswith("{") and text.endswith("}"):
        return _json
    brace = text.find('{"', 0, _LONGEST_HEADER)
    if brace > 0 and text.endswith("}") and as_object(text[brace:].encode()):
        return _wrapped_json
    return _syslog if header(text) is not None else _text


def _cef(text: str, clock: Clock) -> dict[str, Any]:
    from socml.formats._cef_event import cef_event

    return cef_event(text, clock)


def _json(text: str, clock: Clock) -> dict[str, Any]:
    from socml.formats._guess import flat_fields, guessed_row
    from socml.formats._json import flatten
    from socml.formats.network._eve import eve_event

    found = as_object(text.encode())
    if "event_type" in found and "timestamp" in found and ("flow_id" in found or found["event_type"] in found):
        return eve_event(flatten(found))
    return guessed_row(flat_fields(found), clock)[0] if found else {}


def _wrapped_json(text: str, clock: Clock) -> dict[str, Any]:
    return _json(text[text.find('{"') :], clock)


def _syslog(text: str, clock: Clock) -> dict[str, Any]:
    from socml.formats.host._syslog_lines import syslog_event

    return syslog_event(text.encode(), clock)


def _text(text: str, clock: Clock) -> dict[str, Any]:
    from socml.formats.host._syslog_messages import read_text

    columns, more = read_text(text)
    return {**columns, "extra": dict(more)} if columns else {}
