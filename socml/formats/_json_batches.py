"""Objects of JSON of which each holds a list of records, and one of which each field holds a column → the records.

A batch is an object with one list of records that have times, and no time beside it but when it was sent, exported or asked for:
what CloudWatch, webhooks and queues deliver. What stands around its list is kept with each record as `batch`. Columns are a
document of lists of as many cells, or, as pandas writes it, of objects with the same numbers for keys; its rows have a time.
Blind to columns in a document that is larger than a file's head, of 1 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from socml.formats._field_names import flat_fields
from socml.formats._guess import guessed_row
from socml.formats._json import as_object
from socml.formats._times import Clock

__all__ = ["are_batches_of", "columns_of", "has_time", "members_of", "unbatched"]

# Names of a time that is no record's
_OF_BATCH = re.compile(r"(?i)(?:query|export|sent|send|receiv|deliver|upload|batch|publish)")
_LEAST_COLUMNS = 3
_COLUMNS = re.compile(
    rb'\{\s{0,20}"[^"\\]{1,100}"\s{0,20}:\s{0,20}(?:\[\s{0,20}(?![\[{\s])|\{\s{0,20}"0"\s{0,20}:\s{0,20}(?![\[{\s]))'
)


def are_batches_of(found: Sequence[Mapping[str, object]]) -> bool:
    """Return whether each of the first objects of a file holds a list of records, and they hold more than one in all."""
    held = [members_of(one) for one in found]
    return bool(held) and all(held) and sum(map(len, held)) > 1


def members_of(found: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the records that a batch holds, with what stands around them; none if it is no batch.

    Examples
    --------
    >>> members_of({"sentAt": "2026-03-02T10:00:09Z", "entries": [{"at": "2026-03-02T10:00:00Z", "user": "bob"}]})
    [{'batch': {'sentAt': '2026-03-02T10:00:09Z'}, 'at': '2026-03-02T10:00:00Z', 'user': 'bob'}]
    >>> members_of({"time": "2026-03-02T10:00:00Z", "steps": [{"time": "2026-03-02T09:59:00Z"}]})
    []
    """
    lists = {name: records for name, value in found.items() if (records := _timed(value))}
    around = {name: value for name, value in found.items() if name not in lists}
    if len(lists) != 1 or has_time(
        {name: value for name, value in flat_fields(around).items() if not _OF_BATCH.match(name)}
    ):
        return []
    (records,) = lists.values()
    return [{**({"of_batch" if "batch" in one else "batch": around} if around else {}), **one} for one in records]


def unbatched(numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the records of each batch, with its line; what is none as it is."""
    for line, written in numbered:
        records = members_of(as_object(written))
        yield from ((line, orjson.dumps(record)) for record in records) if records else [(line, written)]


def columns_of(head: bytes) -> list[bytes] | None:
    """Return the records of a document of columns, as JSON; None if it is none, or does not end within `head`.

    Examples
    --------
    >>> columns_of(b'{"ts":["2026-03-02T10:00:00Z","2026-03-02T10:00:01Z"],"user":["ann","bob"],"n":[1,2]}')
    [b'{"ts":"2026-03-02T10:00:00Z","user":"ann","n":1}', b'{"ts":"2026-03-02T10:00:01Z","user":"bob","n":2}']
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = as_object(start) if _COLUMNS.match(start) else {}
    if len(found) < _LEAST_COLUMNS:
        return None
    columns = [_cells(value) for value in found.values()]
    first = columns[0]
    if first is None or len(first) < 2 or any(cells is None or cells.keys() != first.keys() for cells in columns):
        return None
    rows = [dict(zip(found, [cells[at] for cells in columns if cells], strict=True)) for at in first]
    return [orjson.dumps(row) for row in rows] if has_time(rows[0]) and has_time(rows[-1]) else None


def has_time(found: Mapping[str, object]) -> bool:
    """Return whether one of a record's own fields is a time."""
    flat = {name: value for name, value in found.items() if not isinstance(value, (dict, list))}
    return "time" in guessed_row(flat, Clock(None, None, None))[1]


def _cells(column: object) -> dict[str, object] | None:
    """Return the cells of a column by their number; None if it is none."""
    cells = {str(at): cell for at, cell in enumerate(column)} if isinstance(column, list) else column
    if not isinstance(cells, dict) or any(isinstance(cell, (dict, list)) for cell in cells.values()):
        return None
    return cells if all(key.isdigit() for key in cells) else None


def _timed(value: object) -> list[dict[str, object]]:
    """Return a list of records if the first and the last of them have times; an empty one otherwise."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return []
    return value if has_time(flat_fields(value[0])) and has_time(flat_fields(value[-1])) else []
