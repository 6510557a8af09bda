"""The first lines of a delimited file → what parts its cells, how many lines stand above the line of names, and whether that is a comment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from socml.formats._csv_records import cells_of_line
from socml.formats.table._table_lines import first_is_names, shape_of

__all__ = [
    "DELIMITERS",
    "are_names_in_comment",
    "count_cuts",
    "empty_names",
    "is_line_of_names",
    "is_table_of_texts",
    "is_units",
    "sniff_delimiter",
    "titles_above",
    "uncommented",
    "unnamed",
]

DELIMITERS = (",", ";", "\t", "|", "^", "~")
_DECIMAL_COMMA = re.compile(rb"(?<=\d),(?=\d)")
_POWERSHELL = b"#TYPE "  # and a class, above the names that its Export-Csv writes
_TITLE = re.compile(r" {0,80}[A-Z][^\d\n]{20,1000}")  # a line of names above columns, which blanks part
_COLUMN_GAP = re.compile(r" {2,}")
_LEAST_OVER_TEXT = 5
_COLUMN_NAME = re.compile(r"\s*[A-Za-z_@][\w .@/()-]{0,80}")
_QUOTED_TITLE = re.compile(rb'"[^"]{0,1000}"')
_UNIT = re.compile(r"[\[(<][^\[\]()<>\d]{0,20}[\])>]")
_LEAST_NAMED, _MOST_WORDS = 3, 3  # columns that a comment names; words of a name
_LEAST_CUTS, _MOST_TITLES = 2, 40  # of a line of names under titles, and lines above it


def sniff_delimiter(lines: Sequence[bytes]) -> tuple[str, float]:
    """Return the likeliest delimiter and the share of lines that it cuts alike.

    Examples
    --------
    >>> sniff_delimiter([b"ts;score", b"1;0,5", b"2;0,7"])
    (';', 1.0)
    >>> sniff_delimiter([b"1,5;a", b"2,7;"])
    (';', 1.0)
    """
    best, best_share, best_cells = ",", 0.0, 0
    for delimiter in DELIMITERS:
        counts = Counter(count_cuts(line, delimiter) for line in lines)
        (cells, alike) = counts.most_common(1)[0] if counts else (0, 0)
        share = alike / len(lines) if cells and lines else 0.0
        is_decimal = best == "," and share == best_share > 0 and all(map(_has_decimal_commas, lines))
        if (share, cells) > (best_share, best_cells) or is_decimal:
            best, best_share, best_cells = delimiter, share, cells
    return best, best_share


def are_names_in_comment(lines: Sequence[bytes]) -> bool:
    """Return whether a file's only comment is its first line, and holds the names of the columns below it.

    Examples
    --------
    >>> are_names_in_comment([b"# time;user;address", b"2026-03-02;bob;192.0.2.7", b"2026-03-02;ann;192.0.2.8"])
    True
    >>> are_names_in_comment([b"# made by a tool, today", b"2026-03-02;bob;192.0.2.7"])
    False
    """
    below = lines[1:]
    if not lines or not lines[0].startswith(b"#") or len(below) < 1 or any(line.startswith(b"#") for line in below):
        return False
    delimiter = sniff_delimiter(below)[0]
    rows = [cells_of_line(line, delimiter) for line in (uncommented(lines[0]), *below)]
    are_short = all(name.strip() and len(name.split()) <= _MOST_WORDS for name in rows[0])
    return are_short and len(rows[0]) == len(rows[1]) >= _LEAST_NAMED and first_is_names(rows)


def uncommented(line: bytes) -> bytes:
    """Return the names that a comment holds."""
    return line.lstrip(b"# ")


def leaves_out_last(lines: Sequence[bytes], delimiter: str) -> bool:
    """Return whether the first line names all columns of those below but the last.

    Examples
    --------
    >>> leaves_out_last([b"level,time,id", b'info,10:00,1,"a, b"', b"info,10:01,2,c"], ",")
    True
    """
    first, *below = (count_cuts(line, delimiter) for line in lines)
    return first >= _LEAST_CUTS and all(count == first + 1 for count in below)


def _has_decimal_commas(line: bytes) -> bool:
    """Return whether all commas of a line stand between digits, as in 1;2,5."""
    return line.count(b",") == len(_DECIMAL_COMMA.findall(line))


def _leave_out_empty(written: Sequence[tuple[int, bytes]], first: int, delimiter: str) -> bool:
    """Return whether the line above some rows names all columns but one or two that are empty, as DHCP servers write."""
    if first < 2:
        return False
    more = count_cuts(written[first][1], delimiter) - count_cuts(written[first - 1][1], delimiter)
    empty = delimiter.encode() * more
    return more in (1, 2) and all(line.rstrip(b"\r\n").endswith(empty) for _, line in written[first:])


def titles_above(lines: Sequence[bytes]) -> int:
    """Return how many lines of a head stand above the line of names: titles and notes, as reports and exports have them.

    All lines from the names on are cut alike, into three cells or more, and those above less than half as often, or into
    cells most of which are empty.

    Examples
    --------
    >>> titles_above([b"DHCP log", b"", b"id,date,ip", b"10,03/02/26,192.0.2.1", b"11,03/02/26,192.0.2.2"])
    2
    >>> titles_above([b"id,date,ip", b"10,03/02/26,192.0.2.1", b"11,03/02/26,192.0.2.2"])
    0
    """
    if lines and lines[0].startswith(_POWERSHELL):
        return 1
    written = [(at, line) for at, line in enumerate(lines) if line.strip()]
    if len(written) < 3 or (b'"' in written[0][1] and not _QUOTED_TITLE.fullmatch(written[0][1].strip())):
        return 0
    cuts = {delimiter: [count_cuts(line, delimiter) for _, line in written] for delimiter in DELIMITERS}
    if any(counts[0] >= _LEAST_CUTS and len(set(counts)) == 1 for counts in cuts.values()):
        return _padded_titles(written)  # what cuts some of the lines only stands within cells
    for delimiter, counts in cuts.items():
        alike = next((n for n, count in enumerate(reversed(counts)) if count != counts[-1]), len(counts))
        first = len(counts) - alike
        first -= alike > 1 and _leave_out_empty(written, first, delimiter)
        if (
            counts[-1] < _LEAST_CUTS
            or not 0 < first <= _MOST_TITLES
            or alike < 2
            or 2 * max(counts[:first]) >= counts[-1]
        ):
            continue
        if first_is_names([cells_of_line(line, delimiter) for _, line in written[first:]]):
            return written[first][0]
    return _padded_titles(written)


def _padded_titles(written: Sequence[tuple[int, bytes]]) -> int:
    """Return how many lines stand above the names where a spreadsheet filled the titles up with empty cells."""
    for delimiter in DELIMITERS:
        rows = [cells_of_line(line.rstrip(b"\r\n"), delimiter) for _, line in written]
        width = len(rows[0])
        if width <= _LEAST_CUTS or any(len(row) != width for row in rows):
            continue
        filled = [sum(map(bool, map(str.strip, row))) for row in rows]
        first = next((at for at, count in enumerate(filled) if 2 * count >= width), 0)
        first += first == 0 and _are_groups(rows)
        if 0 < first <= _MOST_TITLES and len(rows) - first >= 2 and first_is_names(rows[first:]):
            return written[first][0]
    return 0


def _are_groups(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names groups of columns, some without a name, and the second the columns.

    Examples
    --------
    >>> _are_groups([["who", "", "where"], ["id", "user", "ip"], ["7", "bob", "192.0.2.7"], ["8", "ann", "192.0.2.8"]])
    True
    >>> _are_groups([["", "user", "ip"], ["7", "bob", "192.0.2.7"], ["8", "ann", "192.0.2.8"], ["9", "eve", "192.0.2.9"]])
    False
    """
    if len(rows) < 4 or all(rows[0]) or not all(rows[1]) or len(set(rows[1])) < len(rows[1]):
        return False
    are_words = all(shape_of(cell) in ("text", "") for row in rows[:2] for cell in row)
    return are_words and any(shape_of(cell) not in ("text", "") for cell in rows[2])


def unnamed(lines: Sequence[bytes], delimiter: str, named: int, *, header: bool) -> list[str]:
    """Return names for the columns that a line of names leaves out: all other lines have as many, and one or two more.

    So Windows' event viewer writes the text of an event.
    """
    counts = {count_cuts(line, delimiter) + 1 for line in lines[1:]} if header else set()
    more = counts.pop() - named if len(counts) == 1 else 0
    return ["message", *(f"column_{named + n}" for n in range(2, more + 1))] if 0 < more <= 2 else []


def empty_names(lines: Sequence[bytes], delimiter: str, first: Sequence[str]) -> int:
    """Return how many empty names, one or two, stand behind those of the columns: no row has a cell for them."""
    counts = {count_cuts(line, delimiter) + 1 for line in lines[1:]}
    more = len(first) - counts.pop() if len(counts) == 1 else 0
    return more if more in (1, 2) and not any(name.strip() for name in first[-more:]) else 0


def is_units(names: bytes, line: bytes, delimiter: str) -> bool:
    """Return whether a line under the names tells their units: `[UTC],[-],[B]`.

    Examples
    --------
    >>> is_units(b"time,bytes,user", b"(UTC),(kB),-", ","), is_units(b"time,bytes", b"(x),7", ",")
    (True, False)
    """
    cells = [cell.strip() for cell in cells_of_line(line, delimiter)]
    are_units = all(cell in ("", "-") or _UNIT.fullmatch(cell) for cell in cells)
    return are_units and len(cells) == len(cells_of_line(names, delimiter)) and any(map(_UNIT.fullmatch, cells))


def is_table_of_texts(texts: list[str]) -> bool:
    """Return whether lines are rows of a table with a line of names, which has as many cells and no time.

    Examples
    --------
    >>> is_table_of_texts(["time,level,user,ip,action", "2026-03-02,WARN,bob,192.0.2.7,login"]), is_table_of_texts(["a,b", "c,d"])
    (True, False)
    """
    if len(texts) < 2:
        return False
    for sign in DELIMITERS:
        names, cells = (cells_of_line(text.encode(), sign) for text in texts[:2])
        if len(names) == len(cells) >= _LEAST_OVER_TEXT and all(_COLUMN_NAME.fullmatch(name) for name in names):
            return True
    return False


def is_line_of_names(text: str) -> bool:
    """Return whether a line names columns: words without numbers, of which blanks part five or more."""
    return _TITLE.fullmatch(text) is not None and len(_COLUMN_GAP.split(text.strip())) >= _LEAST_OVER_TEXT


def count_cuts(line: bytes, delimiter: str) -> int:
    """Return how often a delimiter cuts a line, outside of quotes."""
    return len(cells_of_line(line, delimiter)) - 1 if b'"' in line else line.count(delimiter.encode())
