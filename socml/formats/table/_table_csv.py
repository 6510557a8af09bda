"""A file of delimited lines → its dialect, and its rows as text columns. A record may span lines within quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import dropwhile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._columns import split_columns
from socml.formats._csv_records import cells_of_line
from socml.formats._old_encodings import old_encoding
from socml.formats._reader import Block, Reject, Source
from socml.formats.table._table_columns import check_header, check_width, unique_names
from socml.formats.table._table_lines import MOST_LINES, first_is_names, joined_lines
from socml.formats.table._table_titles import (
    DELIMITERS,
    are_names_in_comment,
    empty_names,
    is_units,
    sniff_delimiter,
    titles_above,
    uncommented,
    unnamed,
)
from socml.project import FormatError, TableShape

_ATTRIBUTE = re.compile(r"@attribute\s+(?:'([^']*)'|\"([^\"]*)\"|(\S+))\s", re.IGNORECASE)
_HEAD_LINES = 400
EACH_LINE = "utf-8 or "  # before an encoding: a file that programs and people wrote to both
_SEPARATOR = re.compile(rb"[\"']?sep=(.)[\"']?", re.IGNORECASE)  # over the header, as Excel writes it
_TOTAL = re.compile(
    rb"[\"']?(?:grand |sub-?|sous-|general )?(?:totals?|totale|totaal|totaux|sum|summe|somme|suma|gesamt(?:summe)?|insgesamt)\b",
    re.IGNORECASE,
)
_LONGEST_TOTAL = 20  # characters of the cell that says it
_MORE_MISSING = (  # of SQL dumps, spreadsheets and people
    "\\N", "NULL", "#N/A", "#NULL!", "(null)", "<null>", "None", "n/a", "?", "--", "---", "–", "—", "s.o.", "s/o", "n.d.", "n/d", "N/D",
    "k.A.", "k. A.", "s/d", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#NV", "#WERT!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#VALOR!",
)  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """How the lines of a file are to be cut. `header` is the line of names, empty if there is none."""

    delimiter: str
    names: tuple[str, ...]
    header: bytes
    missing: tuple[str, ...]
    encoding: str = ""  # empty: UTF-8
    above: int = 0  # lines over the header: titles, and what says how the file is cut, as spreadsheets write it
    is_arff: bool = False  # lines before @data, and comments, are skipped
    quote: str = '"'  # what cells may be enclosed in
    units: bytes = b""  # the line under the names, where it tells units


@dataclass
class Rows:
    """The rows of one block that have the right number of cells; the others, and what was skipped."""

    numbers: np.ndarray
    records: list[bytes]
    cells: list[pa.Array]
    rejects: list[Reject]
    skips: dict[str, int]
    written: list[pa.Array] = field(default_factory=list)  # the same cells as they stand in the file


def read_dialect(source: Source, shape: TableShape) -> Dialect:
    """Return how a file is to be cut, by its first lines and the recipe.

    Raises
    ------
    FormatError
        If the columns are not as many as the recipe names.
    """
    if arff := arff_names(next(iter(source.chunks()), b"")):
        return _arff_dialect(arff, source, shape)
    block = next(source.blocks(), None)
    lines = list(block.lines() if block else [])
    above = 0 if shape.columns or "header" in shape.model_fields_set else titles_above(lines[:_HEAD_LINES])
    heads = list(dropwhile(lambda line: not line.strip(), lines[above:]))[: 2 * _HEAD_LINES]  # later: parts of a cell
    declared = _SEPARATOR.fullmatch(heads[0]) if heads else None
    above += int(declared is not None)
    if declared:
        shape = shape if shape.delimiter else shape.model_copy(update={"delimiter": declared[1].decode()})
        heads = heads[1:]
    lines = [line for line in whole_records(heads, shape.delimiter) if line.strip()][:200]
    if not lines:
        raise FormatError(
            f"{source.name} has no line that can be read as a table: it is empty, or a line is over the limit."
        )
    delimiter = shape.delimiter or sniff_delimiter(lines)[0]
    written = lines[0]
    if not shape.columns and are_names_in_comment(lines):
        lines[0] = uncommented(written)
    try:
        first = _first_cells(lines[0], delimiter, shape)
    except csv.Error:
        raise FormatError(
            f"{source.name}: a quote of the first line is closed within a value, which then goes on in the next line. Mend that line."
        ) from None
    check_width(len(first), source.name)
    header = shape.header
    if "header" not in shape.model_fields_set and not shape.columns:
        header = first_is_names([cells_of_line(line, delimiter) for line in lines])
    below = [cells_of_line(line, delimiter) for line in lines[int(header) :]]
    quote = "'" if (header and _are_quoted(first)) or (below and all(map(_are_quoted, below))) else '"'
    first = [cell.strip(quote) for cell in first] if quote == "'" else first
    if header and not shape.columns:
        first = first[: len(first) - empty_names(lines, delimiter, first)]
    names = list(shape.columns) if shape.columns else [*first, *unnamed(lines, delimiter, len(first), header=header)]
    first = names if not shape.columns else first
    if not header and not shape.columns:
        names = [f"column_{n}" for n in range(1, len(first) + 1)]
    if len(names) != len(first):
        raise FormatError(
            f"{source.name}: the first line has {len(first)} values, and the recipe names {len(names)} columns."
        )
    check_header(names, source.name)
    return Dialect(
        delimiter,
        tuple(unique_names(names)),
        written if header else b"",
        (*shape.missing, *_MORE_MISSING) if "missing" not in shape.model_fields_set else tuple(shape.missing),
        shape.encoding,
        above,
        quote=quote,
        units=lines[1].strip() if header and len(lines) > 1 and is_units(lines[0], lines[1], delimiter) else b"",
    )


def _are_quoted(cells: Sequence[str]) -> bool:
    """Return whether all cells stand between single quotes."""
    return all(cell[:1] == cell[-1:] == "'" != cell for cell in cells)


def arff_names(head: bytes) -> list[str]:
    """Return the names of an ARFF file's attributes; none if it is no ARFF file. Sparse data is not read.

    References
    ----------
    https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/

    Examples
    --------
    >>> arff_names(b"% x\\n@RELATION kdd\\n@attribute 'dst host' real\\n@attribute class {a,b}\\n@data\\n")
    ['dst host', 'class']
    """
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    names: list[str] = []
    is_arff = False
    for line in text.splitlines():
        word = line.strip()
        is_arff |= word.lower().startswith("@relation")
        if not is_arff and word and not word.startswith("%"):
            return []
        if word.lower().startswith("@data"):
            return names
        found = _ATTRIBUTE.match(word)
        if found:
            names.append(found[1] or found[2] or found[3])
    return []


def _arff_dialect(names: list[str], source: Source, shape: TableShape) -> Dialect:
    check_header(shape.columns or names, source.name)
    missing = (*shape.missing, "?")
    return Dialect(
        ",", tuple(unique_names(shape.columns or names)), b"", missing, shape.encoding, is_arff=True, quote="'"
    )


def read_rows(source: Source, dialect: Dialect) -> Iterator[Rows]:
    """Yield the rows block by block; cells are trimmed and missing ones null."""
    reader = _Reader(dialect)
    for block in source.blocks():
        yield reader.rows(block)
    if reader.carried:  # a cell that was open at the end of the last block
        yield reader.last()


class _Reader:
    """Reads block after block; a record whose quoted cell is still open is carried on to the next."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.carried: list[tuple[int, bytes]] = []
        self._header = dialect.header.strip()
        self._seen_header = not self._header
        self._above_data = dialect.is_arff
        self._lines_above = dialect.above
        self._quote, self._delimiter = dialect.quote.encode(), dialect.delimiter.encode()

    def rows(self, block: Block) -> Rows:
        """Return the rows of a block."""
        quoted = bool(self.carried) or self._quote in block.data
        numbered = enumerate(block.lines(), block.first_line)
        if not quoted:
            return self._sorted(((number, line, 1) for number, line in numbered), quoted)
        at_end = not block.data.endswith(b"\n")
        records, self.carried = _whole([*self.carried, *numbered], self._quote, self._delimiter, at_end=at_end)
        return self._sorted(records, quoted)

    def last(self) -> Rows:
        """Return the rows of what was carried on."""
        return self._sorted(joined_lines(self.carried, self._quote, self._delimiter), quoted=True)

    def _sorted(self, records: Iterable[tuple[int, bytes, int]], quoted: bool) -> Rows:
        """Return the records as rows, rejects and skips."""
        rows = Rows(np.array([]), [], [], [], {})
        numbers: list[int] = []
        for number, line, of_lines in records:
            if of_lines > 1:
                _skip(rows, "line of a cell that goes on", of_lines - 1)
            if skip := self._no_row(line):
                _skip(rows, skip)
            elif (reason := _misfit(line, self.dialect, quoted)) and line.startswith(b"# "):
                _skip(rows, "comment")
            elif reason:
                rows.rejects.append(Reject(number, reason, line))
            else:
                rows.records.append(line)
                numbers.append(number)
        rows.numbers = np.array(numbers, np.int64)
        rows.cells, rows.written = _cells(rows.records, self.dialect, quoted)
        return rows

    def _no_row(self, line: bytes) -> str:
        """Return why a record is no row by intent; empty if it is one."""
        bare = line.strip()
        if self._lines_above:
            self._lines_above -= 1
            return "header"
        if not bare:
            return "blank line"
        if self._above_data or (self.dialect.is_arff and bare.startswith(b"%")):
            self._above_data = self._above_data and bare.lower() != b"@data"
            return "header"
        if not bare.strip(b"\"' ,;|\t\r\n"):
            return "blank row"
        if not self._header or bare != self._header:
            is_total = self._header and _is_total(bare, self.dialect.delimiter)
            return "units" if bare == self.dialect.units else "total" if is_total else ""
        seen, self._seen_header = self._seen_header, True
        return "repeated header" if seen else "header"


def _is_total(record: bytes, delimiter: str) -> bool:
    """Return whether a record sums up the rows above: the word in its first cell, and cells for which there is no sum."""
    if not _TOTAL.match(record):
        return False
    first, *others = (cell.strip() for cell in cells_of_line(record, delimiter))
    return len(first) <= _LONGEST_TOTAL and "" in others and any(others)


def _whole(
    lines: list[tuple[int, bytes]], quote: bytes, delimiter: bytes, *, at_end: bool
) -> tuple[list[tuple[int, bytes, int]], list[tuple[int, bytes]]]:
    """Return the records of a block's lines, and the lines of a last one whose cell is still open."""
    found = list(joined_lines(lines, quote, delimiter))
    if at_end:
        return found, []
    for at in range(max(0, len(found) - MOST_LINES), len(found)):
        number, line, of_lines = found[at]
        if of_lines == 1 and line.count(quote) % 2 and sum(n for _, _, n in found[at:]) < MOST_LINES:
            return found[:at], [numbered for numbered in lines if numbered[0] >= number]
    return found, []


def whole_records(lines: Sequence[bytes], delimiter: str = "") -> list[bytes]:
    """Return a head's lines with those of one record joined; the delimiter is not yet known, or given.

    Examples
    --------
    >>> whole_records([b'a;b', b'1;"x', b'y"'])
    [b'a;b', b'1;"x\\ny"']
    """
    if not any(line.count(b'"') % 2 for line in lines):
        return list(lines)
    choices = [delimiter] if delimiter else list(DELIMITERS)
    found = [[line for _, line, _ in joined_lines(enumerate(lines), b'"', one.encode())] for one in choices]
    return max(found, key=lambda records: sniff_delimiter(records)[1])


def first_row(source: Source, shape: TableShape) -> int:
    """Return the line of a table's first row, which is 1 where rows are counted without names: Parquet, NPZ."""
    start = next(iter(source.chunks()), b"")
    if start.startswith(b"PAR1") or start.startswith(b"PK\x03\x04"):
        return 1
    dialect = read_dialect(source, shape)
    return 1 + dialect.above + (dialect.header.count(b"\n") + 1 if dialect.header else 0)


def told_encoding(source: Source) -> str:
    """Return the encoding that the lines of a file are in that are not UTF-8, by the first of them; empty if all are UTF-8."""
    for block in source.blocks():
        try:
            block.data.decode()
        except UnicodeDecodeError:
            others = [line for line in block.lines() if not _is_utf8(line)][:_HEAD_LINES]
            return old_encoding(b"\n".join(others)) or "cp1252"
    return ""


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def decoded(lines: Sequence[bytes], encoding: str) -> list[str]:
    """Return lines as text; bytes that the encoding does not define are written out as \\xNN.

    Examples
    --------
    >>> decoded(["é".encode(), "é".encode("cp1252")], f"{EACH_LINE}cp1252")
    ['é', 'é']
    """
    if encoding.startswith(EACH_LINE):
        old = encoding.removeprefix(EACH_LINE)
        return [text for line in lines for text in decoded([line], "" if _is_utf8(line) else old)]
    try:
        return [line.decode(encoding or "utf-8") for line in lines]
    except UnicodeDecodeError:
        return [line.decode(encoding or "utf-8", "backslashreplace") for line in lines]


def _first_cells(line: bytes, delimiter: str, shape: TableShape) -> list[str]:
    return next(csv.reader([decoded([line], shape.encoding)[0].replace("\r", " ")], delimiter=delimiter))


def _misfit(line: bytes, dialect: Dialect, quoted: bool) -> str:
    if quoted and dialect.quote.encode() in line:
        try:
            found = len(_row(line.decode("utf-8", "replace"), dialect, strict=True))
        except csv.Error as error:
            return "a quote is not closed on its line" if "end of data" in str(error) else str(error)
    else:
        found = line.count(dialect.delimiter.encode()) + 1
    return "" if found == len(dialect.names) else f"{found} values for {len(dialect.names)} columns"


def _row(text: str, dialect: Dialect, *, strict: bool = False) -> list[str]:
    """Return the cells of a record. A carriage return beside quotes, which csv refuses, is a blank."""
    if dialect.quote not in text:
        return text.split(dialect.delimiter)
    cut = partial(
        csv.reader,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        skipinitialspace=dialect.is_arff,
        strict=strict,
    )
    try:
        return next(cut([text]))
    except csv.Error:
        return next(cut([text.replace("\r", " ")]))


def _cells(records: list[bytes], dialect: Dialect, quoted: bool) -> tuple[list[pa.Array], list[pa.Array]]:
    """Return the cells trimmed, null where missing; and as they are written."""
    if not records:
        return [pa.array([], pa.string())] * len(dialect.names), []
    if quoted or dialect.encoding:
        flat = [cell for text in decoded(records, dialect.encoding) for cell in _row(text, dialect)]
        columns = [pa.array(flat[i :: len(dialect.names)], pa.string()) for i in range(len(dialect.names))]
    else:
        columns = split_columns(records, dialect.names, dialect.delimiter.encode(), [])
    # NaN is left for the types: among numbers it is counted, among words it is missing.
    missing = pa.array([m for m in dialect.missing if m.lower() != "nan"], pa.string())
    null = pa.scalar(None, pa.string())
    trimmed = [pc.utf8_trim_whitespace(column) for column in columns]
    if quoted:  # a text that a spreadsheet shall not take for a number
        trimmed = [pc.replace_substring_regex(column, '^="([^"]*)"$', r"\1") for column in trimmed]
    return [pc.if_else(pc.is_in(column, value_set=missing), null, column) for column in trimmed], columns


def _skip(rows: Rows, reason: str, count: int = 1) -> None:
    rows.skips[reason] = rows.skips.get(reason, 0) + count
