"""The beginning of a file whose records name their fields → those of its first records, and how it is written."""

from __future__ import annotations

from socml.formats._csv_records import cells_of
from socml.formats._field_names import flat_fields
from socml.formats._pairs import pairs_of
from socml.formats._reader import head_lines
from socml.formats.table.any_json import first_of

__all__ = ["first_fields"]


def first_fields(head: bytes, limit: int) -> tuple[str, list[dict[str, object]]]:
    """Return "json", "key-values" or "csv", and the flat fields of at most `limit` records; none if none has any.

    Examples
    --------
    >>> first_fields(b'{"a":{"b":1}}\\n', 5), first_fields(b"a,b\\n1,2\\n", 5)
    (('json', [{'a.b': 1}]), ('csv', [{'a': '1', 'b': '2'}]))
    """
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return "json", [flat_fields(one) for one in first_of(head, limit)]
    lines = head_lines(head, limit)
    pairs: list[dict[str, object]] = [dict(pairs_of(line.decode("utf-8", "replace"))[1]) for line in lines]
    if pairs and sum(len(found) > 2 for found in pairs) >= len(pairs) / 2:
        return "key-values", [found for found in pairs if found]
    try:
        names, *rows = [cells_of(line) for line in lines]
    except ValueError:
        return "csv", []
    return "csv", [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names) > 1]
