"""Zeek's JSON, a line at a time → events: the careful way, and what the way over whole blocks shares with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from socml.formats._columns import text_array
from socml.formats._json import flatten, loads_exactly, text_of
from socml.formats._old_encodings import note_of, old_encoding
from socml.formats._reader import Parsed, ReadOptions, Reject, no_events
from socml.formats.network._zeek import log_events, log_type, zeek_columns

__all__ = ["HAS_CONNECTION", "MEMBER", "parsed_lines", "read_line", "separator", "zeek_text"]

HAS_CONNECTION = "id.orig_h"  # tells whether a log of an unknown type is of the network
MEMBER = "\x1f"  # between the members of a list that becomes a list again


def parsed_lines(numbered: Iterable[tuple[int, bytes]], file_name: str, options: ReadOptions) -> Iterator[Parsed]:
    """Yield the rejects and skips of some lines, then the events of each type of log in them."""
    rejects: list[Reject] = []
    blank, old = 0, dict[str, None]()  # the latter: encodings of before UTF-8
    logs: dict[tuple[str, bool], list[tuple[int, bytes, dict[str, object]]]] = {}
    for number, line in numbered:
        if not line.strip():
            blank += 1
            continue
        try:
            encoding = old_encoding(line)
            path, found = read_line(line.decode(encoding).encode() if encoding else line, file_name)
        except ValueError as error:
            rejects.append(Reject(number, str(error), line))
            continue
        old |= {encoding: None} if encoding else {}
        logs.setdefault((path, HAS_CONNECTION in found), []).append((number, line, found))
    yield _first_part(rejects, blank, [note_of(one) for one in old])
    for (path, _), rows in logs.items():
        yield _of_one_type(path, rows, options)


def read_line(line: bytes, file_name: str) -> tuple[str, dict[str, object]]:
    """Return the type of log that a line is of, and its fields.

    Raises
    ------
    ValueError
        In words, if it is not exactly one valid object.
    """
    found = flatten(loads_exactly(line))
    path = found.pop("_path", None) or log_type(set(found), file_name)
    return str(path), found


def zeek_text(name: str, value: object) -> str | None:
    """Return a field's value as Zeek writes it in a tab-separated log.

    Examples
    --------
    >>> [zeek_text("tags", value) for value in (True, [1.0, "a", None], 0.5, None)]
    ['T', '1.0,a,', '0.5', None]
    """
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return separator(name).join("" if v is None else text_of(v) or "" for v in value)
    return text_of(value)


def separator(name: str) -> str:
    """Return what stands between the members of a list in the text of a field."""
    return MEMBER if name == "answers" else ","


def _first_part(rejects: list[Reject], blank: int, warnings: list[str]) -> Parsed:
    """Return what of a block is no event."""
    return Parsed(no_events(), [], rejects=rejects, skips={"blank line": blank} if blank else {}, warnings=warnings)


def _of_one_type(path: str, rows: list[tuple[int, bytes, dict[str, object]]], options: ReadOptions) -> Parsed:
    names = list(dict.fromkeys(name for _, _, found in rows for name in found))
    fields = {name: pa.array([zeek_text(name, found.get(name)) for _, _, found in rows], pa.string()) for name in names}
    if not fields:
        fields = {"_empty": pa.nulls(len(rows), pa.string())}
    columns, bad = zeek_columns(path, fields, separator=MEMBER, empty=MEMBER)
    records = [line for _, line, _ in rows]
    columns["raw"] = text_array(records)
    columns["source_line"] = pa.array([number for number, _, _ in rows], pa.int64())
    return log_events(columns, bad, records, fields, options)
