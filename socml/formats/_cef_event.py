"""A line with CEF or LEEF in it, of whatever vendor → the event columns."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from socml.formats._cef import MARK, cef_columns, cef_fields, vendor_time
from socml.formats._guess import guessed_row
from socml.formats._json import extra_of
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats._values import outcome_of
from socml.formats._vendors import kind_of

__all__ = ["LONGEST_HEADER", "cef_event", "event_of_fields"]

LONGEST_HEADER = 1000  # characters before `CEF:`
_BY_NAMES = ("event_severity", "file_hash", "file_path", "url_original", "http_request_method", "process_command_line")
_THREATS = {"virusname", "malware name", "threat name", "threatname", "detection name", "virus"}


def cef_event(text: str, clock: Clock) -> dict[str, object]:
    """Return the event columns of a line. Raises ValueError, in words, if it holds neither CEF nor LEEF."""
    mark = MARK.search(text, 0, LONGEST_HEADER)
    if mark is None:
        raise ValueError("neither CEF nor LEEF: no `CEF:0|` or `LEEF:1.0|` near the start of the line")
    header = split_header(text, mark.start())
    row = event_of_fields(cef_fields(text[mark.start() :]), clock)
    row["time"] = row["time"] or header.time(clock)
    row["observer_name"] = header.host or row["observer_name"]
    extra_of(row)["syslog"] = header.rest or None
    return row


def event_of_fields(found: dict[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of CEF's fields, wherever they were written.

    Raises
    ------
    ValueError
        In words, for a field that does not fit.
    """
    row, fields = cef_columns(found, clock)
    row["observer_name"] = fields.text("dvc")
    row["threat_name"] = _threat(found)
    vendor, product, rule = (str(found.get(n) or "") for n in ("vendor", "product", "signature"))
    kind = kind_of(vendor, product, rule, str(row["rule_name"] or ""), row)
    if kind["event_category"] == "malware" and not row["threat_name"]:
        row["threat_name"] = row["rule_name"]
    said = row.pop("event_outcome", None)
    row |= {name: value for name, value in kind.items() if not row.get(name)}
    if row["event_category"] == "authentication" and row.get("target_user_name"):
        row["user_name"] = row["target_user_name"]  # who logs on, not the service that asks
    words = (said, row["event_action"], rule if str(found.get("format")).startswith("LEEF") else None)
    told = next((outcome for word in words if word and (outcome := outcome_of(word))), None)
    row["event_outcome"] = told or row.get("event_outcome") or said
    row["time"] = row["time"] or _custom_time(found, clock)
    row["extra"] = fields.rest()
    if str(found.get("format")).startswith("LEEF"):
        _fill_by_names(row, clock)
    return row


def _fill_by_names(row: dict[str, object], clock: Clock) -> None:
    """Fill what a vendor's own keys of LEEF, whose names are free, tell by what tools usually call things."""
    told, _ = guessed_row(extra_of(row), clock)
    row |= {name: told[name] for name in _BY_NAMES if row.get(name) is None and told.get(name) is not None}


def _custom_time(found: dict[str, object], clock: Clock) -> datetime | None:
    """Return the first of a vendor's own times, where the record has no other."""
    own = (found.get(f"deviceCustomDate{number}") for number in (1, 2))
    return next((vendor_time(str(value), clock) for value in own if value), None)


def _threat(found: dict[str, object]) -> str | None:
    """Return the threat that a custom field names, by its label."""
    for key, label in found.items():
        if key.endswith("Label") and str(label).strip().lower() in _THREATS:
            return cast("str | None", found.get(key.removesuffix("Label")))
    return None
