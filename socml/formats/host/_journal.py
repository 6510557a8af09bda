"""The fields of a journal entry → event columns, whichever way journalctl wrote them."""

from __future__ import annotations

from socml.formats._fields import Fields
from socml.formats._json import text_of
from socml.formats._record_kinds import is_record
from socml.formats._times import epoch
from socml.formats.host._syslog_messages import read_message

__all__ = ["journal_row", "one_text"]

# Syslog's severity (0 emergency … 7 debug) on the scale of 0 to 100
_SEVERITY = {"0": 100, "1": 90, "2": 80, "3": 60, "4": 40, "5": 20, "6": 10, "7": 0}


def journal_row(found: dict[str, object]) -> tuple[dict[str, object], bool]:
    """Return the event columns of an entry, and whether its message is a record, which is still to be read.

    Raises
    ------
    ValueError
        In words, if it has no time or a number that is none.
    """
    fields = Fields({name: one_text(value) for name, value in found.items()})
    stamp = fields.take("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP")
    if stamp is None:
        raise ValueError("not an entry of a journal: it has no __REALTIME_TIMESTAMP")
    program = fields.text("SYSLOG_IDENTIFIER", "_COMM")
    message = fields.text("MESSAGE")
    holds_record = is_record(message or "")
    columns, more = ({}, {}) if holds_record else read_message(program or "", message or "")
    row: dict[str, object] = {
        "time": epoch(stamp),
        "message": message,
        "process_name": program,
        "event_severity": _SEVERITY.get(str(fields.take("PRIORITY"))),
    }
    pid = fields.peek("_PID", "SYSLOG_PID")
    names: dict[str, str | tuple[str, ...]] = {"host_name": "_HOSTNAME", "process_command_line": "_CMDLINE"}
    if str(pid).isdecimal():
        names["process_pid"] = ("_PID", "SYSLOG_PID")
    row |= fields.columns(names)
    row |= columns
    row.setdefault("event_category", "host")
    row["extra"] = {**fields.rest(), **more}
    return row, holds_record


def one_text(value: object) -> str | None:
    """Return a field's value as text: a list of byte numbers is decoded, a field given twice becomes a JSON array.

    Examples
    --------
    >>> one_text([99, 97, 102, 233]), one_text(["a", [98]]), one_text(None)
    ('caf\\\\xe9', '["a","b"]', None)
    """
    if isinstance(value, list) and value:
        if all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 256 for v in value):
            return bytes(value).decode("utf-8", "backslashreplace")
        return text_of([one_text(v) for v in value])
    return text_of(value)
