"""A text that is a record of another tool → its own event columns, with what stood around it kept.

What Splunk calls `_raw`, Elastic `message`, and GELF, journald and Sentinel their message or a column of JSON, is read by
the reader that the text belongs to: JSON (Suricata's EVE, Windows events, CloudTrail, or any), CEF and LEEF, syslog, a web
server's access line, else free text. A record may stand in a record that stands in a record; deeper ones stay text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from socml.formats._cef_event import cef_event
from socml.formats._facts import facts_of
from socml.formats._field_names import flat_fields
from socml.formats._guess import guessed_row
from socml.formats._json import as_object, extra_of, flatten
from socml.formats._maps import cloud_maps
from socml.formats._pairs import pairs_of, uncoloured
from socml.formats._record_kinds import LONGEST_HEADER, LONGEST_RECORD, XML_EVENT, is_record, kind_of
from socml.formats._records import Skip
from socml.formats._snare import snare_event
from socml.formats._stamps import stamp_in
from socml.formats._times import Clock
from socml.formats._values import LEVELS
from socml.formats._windows_event_xml import windows_xml_event
from socml.formats._windows_json import is_windows_json, windows_json_event
from socml.formats._xml_records import element_fields
from socml.formats.host._journal import journal_row
from socml.formats.host._syslog_headers import BARE, header, is_host
from socml.formats.host._syslog_lines import device_event, header_row
from socml.formats.host._syslog_messages import first_word_severity, read_text
from socml.formats.network._eve import eve_event, is_eve
from socml.formats.network.panos import panos_event
from socml.formats.table._text_levels import level_of
from socml.formats.web._access_lines import access_event

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "filled_from_inner",
    "header_event",
    "inner_event",
    "journal_event",
    "known_inside",
    "syslog_event",
    "with_inner",
]

DEEPEST_RECORD = 3  # records within one another
OUTER = ("time", "host_name", "observer_name", "event_severity")  # the outer record knows these better
_PLAIN = ("host",)  # a category that says nothing
# Lines of `Name: value` as Windows shows an event; of a name given twice, the later is whom the event is about
_FIELD_LINE = re.compile(
    r"^[ \t]{0,8}(?P<name>[A-Z][\w /-]{1,60}):[ \t]{1,40}(?P<value>[^\s-][^\r\n]{0,4000})\r?$", re.MULTILINE
)
_LEAST_FIELDS = 3
# What event buses and collectors call the record that they carry
_CARRIERS = frozenset(
    "detail data event record payload log body message _source source result document content Message".split()
)
_OF_FIELDS = (
    "user_name", "source_ip", "source_port", "destination_ip", "destination_port", "network_transport", "process_name",
    "process_command_line", "process_parent_name", "file_path", "url_original", "class_uid", "event_category", "event_outcome",
)  # fmt: skip
_REPETITION = re.compile(r"\n[^\n]{0,40}--- last message repeated (\d{1,9}) times? ---$")
_OUTER_OF_RECORD = tuple(name for name in OUTER if name != "host_name")
# The host behind such a time, before a program or the part of a NetScaler that tells
_HOST_BEHIND = re.compile(r" ?(?:GMT |UTC )?(?P<host>[\w.-]{1,255}) (?=\d{1,3}-PPE-\d|[\w./-]{1,64}(?:\[\d{1,9}\])?: )")
_OWN_MESSAGE = re.compile(r'"(?i:message|msg|short_message|text|body|log)"\s{0,4}:')
_STAMP_BEGINS = frozenset("0123456789[(IWEFD")
_LONGEST_STAMP = 160  # characters before the name of a device's message
_Reader = Callable[[str, Clock, int], dict[str, Any]]


def inner_event(text: str, clock: Clock, levels: int = DEEPEST_RECORD) -> dict[str, object]:
    """Return the event columns of a text that is a record, or tells something; an empty row if it does neither.

    Parameters
    ----------
    levels : how many records within one another are read, this one among them

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
    text = uncoloured(text).strip()
    if not text or len(text) > LONGEST_RECORD or levels < 1:
        return {}
    try:
        return _READERS.get(kind_of(text), _text)(text, clock, levels - 1)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # it only looked like one; the text itself is kept


def _extra(row: dict[str, object]) -> dict[str, object]:
    """Return a row's further fields as a dict, whether they are one, pairs, or not there."""
    return dict(cast("dict[str, object]", row.get("extra") or {}))


def with_inner(
    row: dict[str, object],
    text: object,
    clock: Clock,
    levels: int = DEEPEST_RECORD,
    *,
    outer: Sequence[str] = OUTER,
) -> dict[str, object]:
    """Return a row with the columns of the record that `text` is; what the outer record says is never lost.

    The columns in `outer` stand (its time, host and severity); of all else the inner record knows more. An outer value that gives
    way is kept in `extra`, under `outer.` and its column.
    """
    inner = _inner_of(row, text, clock, levels)
    if not inner:
        return row
    merged, extra = dict(row), dict(_extra(row))
    is_own: bool | None = None  # whether the text is a record, which knows better than its wrap; free text does not
    for name, value in inner.items():
        if value in (None, [], {}) or name in ("extra", "raw"):
            continue
        before = merged.get(name)
        if before in (None, [], {}) or before == value or (name == "event_category" and before in _PLAIN):
            merged[name] = value
        elif (
            name not in outer
            and (is_own := is_own if is_own is not None else is_record(str(text)))
            and not (name == "event_category" and value in _PLAIN)
        ):
            if name not in ("message", "event_category", "class_uid"):
                extra.setdefault(f"outer.{name}", str(before))
            merged[name] = value
    for name, value in extra_of(inner).items():
        extra.setdefault(name, value)
    merged["extra"] = extra
    return merged


def filled_from_inner(
    row: dict[str, object], text: object, clock: Clock, levels: int = DEEPEST_RECORD
) -> dict[str, object]:
    """Return a row with those columns of the record that `text` is which the outer record, a tidy one, leaves empty."""
    inner = _inner_of(row, text, clock, levels)
    if not inner:
        return row
    filled = {name: value for name, value in row.items() if value not in (None, [], {})}
    if filled.get("event_category") in _PLAIN and inner.get("event_category"):
        filled.pop("event_category")
    extra = {**extra_of(inner), **_extra(row)}
    return {**row, **{n: v for n, v in inner.items() if n != "raw"}, **filled, "extra": extra}


def _inner_of(row: dict[str, object], text: object, clock: Clock, levels: int) -> dict[str, object]:
    """Return the columns of the record that a row's text is, its `extra` as a dict without what is missing."""
    if not isinstance(text, str):
        return {}
    when = row.get("time")
    year = cast("datetime", when).year if when is not None else None
    inner = inner_event(
        text, Clock(clock.zone, clock.year or year, clock.modified), levels
    )  # its times say nothing of the file
    if inner:
        inner["extra"] = {name: value for name, value in _extra(inner).items() if value is not None}
    return inner


def syslog_event(line: bytes, clock: Clock, levels: int = DEEPEST_RECORD - 1) -> dict[str, object]:
    """Return the event columns of one line; `levels` is how many records within one another its message may be.

    Raises
    ------
    ValueError
        If it has no header, or its time is none.
    Skip
        For a comment, and for a remark of journalctl such as `-- Boot … --`.

    Examples
    --------
    >>> line = b"Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2"
    >>> event = syslog_event(line, Clock(None, 2026, None))
    >>> event["time"].isoformat(), event["process_pid"], event["source_ip"], event["event_outcome"]
    ('2026-03-27T13:06:56+00:00', 1291, '10.0.0.9', 'failure')
    """
    if line.startswith(b"#"):
        raise Skip("comment")
    if line.startswith(b"-- "):
        raise Skip("remark of journalctl")
    text = line.decode("utf-8", "backslashreplace")
    if "%" in text[:_LONGEST_STAMP] and (device := device_event(text, clock)):
        return device
    found = header(text)
    bare = BARE.match(text) if found is None else None
    if found is None and bare is None:
        raise ValueError("no syslog header: the line does not begin with a time")
    parts = found.groupdict() if found else {**bare.groupdict(), "stamp": "-"} if bare else {}
    row = header_event(parts, clock, levels)
    if bare and row["time"] is None and (stamp := stamp_in(bare["message"], clock, farthest=1)):
        row["time"] = stamp.time  # in a spelling that no header has
        named = _HOST_BEHIND.match(bare["message"], stamp.end)
        row["host_name"] = row["host_name"] or (named["host"] if named and is_host(named["host"]) else None)
    if "\n" in text and (repeated := _REPETITION.search(text, max(0, len(text) - 100))):
        row["event_count"] = 1 + int(repeated[1])
    return row


def header_event(found: dict[str, str | None], clock: Clock, levels: int = DEEPEST_RECORD - 1) -> dict[str, object]:
    """Return the event columns of the parts that a header's pattern named, and of the record that its message may be.

    Raises
    ------
    ValueError
        If its time is none.
    """
    row, holds_record = header_row(found, clock, may_hold_record=levels > 0)
    return _with_record(row, str(row["message"]), clock, levels) if holds_record else row


def _with_record(row: dict[str, object], message: str, clock: Clock, levels: int) -> dict[str, object]:
    """Return a row with the columns of the record that its message is. The host that JSON or XML names is where it happened: the header's sent it."""
    if not message.rstrip().endswith(("}", ">")):
        return with_inner(row, message, clock, levels)
    read = with_inner(row, message, clock, levels, outer=_OUTER_OF_RECORD)
    if row["host_name"] and read["host_name"] != row["host_name"]:
        read["observer_name"] = read.get("observer_name") or row["host_name"]
    return read


def journal_event(found: dict[str, object]) -> dict[str, object]:
    """Return the event columns of an entry of systemd's journal, and of the record that its message may be.

    Raises
    ------
    ValueError
        In words, if it has no time or a number that is none.
    """
    row, holds_record = journal_row(found)
    return with_inner(row, row["message"], Clock(None, None, None)) if holds_record else row


def _cef(text: str, clock: Clock, levels: int) -> dict[str, object]:
    return cef_event(text, clock)


def _panos(text: str, clock: Clock, levels: int) -> dict[str, object]:
    return panos_event(text, clock)


def _snare(text: str, clock: Clock, levels: int) -> dict[str, object]:
    return snare_event(text, clock)


def _windows_xml(text: str, clock: Clock, levels: int) -> dict[str, object]:
    found = XML_EVENT.search(text, 0, LONGEST_HEADER)
    return windows_xml_event(text[found.start() if found else 0 :], clock)


def _xml(text: str, clock: Clock, levels: int) -> dict[str, object]:
    element = text[text.index("<?xml") if "<?xml" in text else 0 :]
    return guessed_row(element_fields(element.partition("?>")[2].strip().encode() or element.encode()), clock)[0]


def _json(text: str, clock: Clock, levels: int) -> dict[str, object]:
    found = as_object(text.encode())
    if not found:
        return {}
    with suppress(ValueError):  # another tool's, which only looks like one of EVE
        if is_eve(found):
            return eve_event(flatten(found))
    return _json_of_known(found, clock) or _json_of_nobody(found, clock, levels)


def known_inside(found: dict[str, object], clock: Clock) -> tuple[str, dict[str, object]]:
    """Return the field of an object that holds a record of a tool that is known, as event buses deliver it, and its columns.

    Examples
    --------
    >>> inner = {"log_id": "1", "date": "2026-03-02T10:00:00Z", "type": "fp"}
    >>> name, row = known_inside({"log_id": "1", "data": inner}, Clock(None, None, None))
    >>> name, row["event_outcome"], known_inside({"data": {"a": 1}}, Clock(None, None, None))
    ('data', 'failure', ('', {}))
    """
    for name, value in found.items():
        carries = name in _CARRIERS and isinstance(value, dict) and len(value) >= _LEAST_FIELDS
        if carries and (row := _json_of_known(cast("dict[str, object]", value), clock)):
            return name, row
    return "", {}


def _json_of_known(found: dict[str, object], clock: Clock) -> dict[str, object]:
    """Return the columns of an object by the reader whose own names it has; an empty row if none knows it."""
    if is_windows_json(found):
        return windows_json_event(found, clock)
    if "__REALTIME_TIMESTAMP" in found:
        return journal_event(found)
    known = next((one for one in cloud_maps() if one.knows(found)), None)
    return known.row_of(found, clock) if known else {}


def _json_of_nobody(found: dict[str, object], clock: Clock, levels: int) -> dict[str, object]:
    row = guessed_row(flat_fields(found), clock)[0]
    return with_inner(row, row.get("message"), clock, levels)


def _wrapped_json(text: str, clock: Clock, levels: int) -> dict[str, object]:
    at = text.find('{"')
    row = _json(text[at:], clock, levels)
    if _OWN_MESSAGE.search(text, at) is None and len(text[:at].split()) > 1:
        row.pop("message", None)  # one of its parts, such as the error: the words before say what happened
    pairs = pairs_of(text[:at].rpartition(" ")[0])[1] if text[:at].count("=") > 1 else {}
    before = guessed_row(pairs, clock)[0] if len(pairs) > 1 else {}
    told = facts_of(text[:at]) | {
        name: value for name, value in before.items() if name not in ("time", "message", "extra")
    }
    facts = {name: value for name, value in told.items() if row.get(name) in (None, "host")}
    return {**row, **facts} if row else row


def _syslog(text: str, clock: Clock, levels: int) -> dict[str, object]:
    return syslog_event(text.encode(), clock, levels)


def _access(text: str, clock: Clock, levels: int) -> dict[str, object]:
    return access_event(text.encode(), clock)


def _text(text: str, clock: Clock, levels: int) -> dict[str, object]:
    columns, more = read_text(text)
    stamp = stamp_in(text, clock, farthest=1) if text[:1] in _STAMP_BEGINS else None
    level = level_of(text, stamp) if stamp else None
    severity = LEVELS[level.lower()] if level else first_word_severity(text)
    columns = columns if severity is None else {"event_severity": severity} | columns
    fields = {found["name"]: found["value"] for found in _FIELD_LINE.finditer(text)} if "\n" in text else {}
    if len(fields) >= _LEAST_FIELDS:
        row, _ = guessed_row({"message": text.split("\n", 1)[0], **fields}, clock)
        told = {name: row[name] for name in _OF_FIELDS if row.get(name) not in (None, *_PLAIN)}
        columns, more = {**columns, **told}, {**cast("dict[str, str]", row["extra"]), **more}
    return {**columns, "extra": dict(more)} if columns else {}


_READERS: dict[str, _Reader] = {
    "json": _json,
    "cef": _cef,
    "panos": _panos,
    "snare": _snare,
    "windows-xml": _windows_xml,
    "xml": _xml,
    "wrapped-json": _wrapped_json,
    "syslog": _syslog,
    "access": _access,
}
