"""A CSV file whose quoted cells may hold line ends → its records, as bytes with the line each begins on."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from socml.formats._reader import Source
from socml.formats._records import Skip

__all__ = ["cells_of", "cells_of_line", "csv_head", "csv_records", "rows_by_name"]

RECORD_LIMIT = 1 << 20  # bytes of one record; a quote that is not closed within costs its line, not the file
csv.field_size_limit((1 << 31) - 1)  # a cell is bounded as its line is; 131,072 characters stopped what a line held


def csv_records(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the records with their lines. A line whose quote is not closed within the limit is yielded alone."""
    held: list[tuple[int, bytes]] = []
    size = quotes = 0
    for numbered in enumerate(_lines(source), 1):
        waiting = deque([numbered])
        while waiting:
            held.append(waiting.popleft())
            size += len(held[-1][1]) + 1
            quotes += held[-1][1].count(b'"')
            if quotes % 2 == 0:
                yield held[0][0], b"\n".join(line for _, line in held)
            elif size > RECORD_LIMIT:
                yield held[0]
                waiting.extendleft(reversed(held[1:]))  # once: their quotes are paired without those of the first
            else:
                continue
            held, size, quotes = [], 0, 0
    yield from held


def _lines(source: Source) -> Iterator[bytes]:
    rest, begun = b"", False
    for chunk in source.chunks():
        data = chunk if begun else chunk.removeprefix(b"\xef\xbb\xbf")
        begun = True
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.rstrip(b"\r\0") for line in lines)
        if len(rest) > RECORD_LIMIT:
            yield rest
            rest = b""
    if rest:
        yield rest.rstrip(b"\r\0")


def cells_of(record: bytes, delimiter: str = ",") -> list[str]:
    """Return the cells of one record. Raises ValueError, in words, if its quotes are not paired.

    Examples
    --------
    >>> cells_of(b'a,"b,c",d')
    ['a', 'b,c', 'd']
    """
    text = record.decode("utf-8", "backslashreplace")
    try:
        return next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ValueError("a quote is not closed" if "end of data" in str(error) else str(error)) from None


def cells_of_line(line: bytes, delimiter: str, quote: str = '"') -> list[str]:
    """Return the cells of a record, however it is quoted."""
    text = line.decode("utf-8", "replace").replace("\r", " ")
    try:
        return next(csv.reader(text.splitlines(keepends=True) or [""], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        return text.split(delimiter)


def csv_head(head: bytes) -> list[str]:
    """Return the names in a file's first line; none if it has none.

    Examples
    --------
    >>> csv_head(b'_time,"_raw"')
    ['_time', '_raw']
    """
    try:
        return cells_of(head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip())
    except ValueError:
        return []


def rows_by_name(
    read: Callable[[dict[str, object]], dict[str, object]], known: Sequence[str] = ()
) -> Callable[[bytes], dict[str, object]]:
    """Return a reader of CSV records that takes the first for names and hands the others on as name → text.

    Empty cells are left out; the line of names, also when it comes again, is skipped. With `known` names there is no such
    line, and a record may lack the last of them.
    """
    names: list[str] = list(known)

    def read_record(record: bytes) -> dict[str, object]:
        cells = cells_of(record)
        if known and 1 < len(cells) < len(known):
            cells += [""] * (len(known) - len(cells))
        if not names:
            names.extend(cells)
        if cells == names:
            raise Skip("header")
        if len(cells) != len(names):
            raise ValueError(f"{len(cells)} values for {len(names)} columns")
        return read({name: cell for name, cell in zip(names, cells, strict=True) if cell != ""})

    return read_record
