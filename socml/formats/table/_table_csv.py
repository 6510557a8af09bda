"""A file of delimited lines → its dialect, and its rows as text columns. One line is one record."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._columns import split_columns
from socml.formats._reader import Reject, Source
from socml.formats.table._table_columns import check_header, unique_names
from socml.project import FormatError, TableShape

_ATTRIBUTE = re.compile(r"@attribute\s+(?:'([^']*)'|\"([^\"]*)\"|(\S+))\s", re.IGNORECASE)
_DELIMITERS = (",", ";", "\t", "|")
# The bytes that cp1252 leaves undefined stand for themselves, as on the web.
_ENCODING_WHEN_NOT_UTF8 = "cp1252"


@dataclass(frozen=True)
class Dialect:
    """How the lines of a file are to be cut. `header` is the line of names, empty if there is none."""

    delimiter: str
    names: tuple[str, ...]
    header: bytes
    missing: tuple[str, ...]
    encoding: str = ""  # empty: UTF-8
    is_arff: bool = False  # lines before @data, and comments, are skipped; quotes are single

    @property
    def quote(self) -> str:
        """The character that cells may be enclosed in."""
        return "'" if self.is_arff else '"'


@dataclass
class Rows:
    """The rows of one block that have the right number of cells; the others, and what was skipped."""

    numbers: np.ndarray
    records: list[bytes]
    cells: list[pa.Array]
    rejects: list[Reject]
    skips: dict[str, int]
    written: list[pa.Array] = field(default_factory=list)  # the same cells as they stand in the file


def sniff_delimiter(lines: Sequence[bytes]) -> tuple[str, float]:
    """Return the likeliest delimiter and the share of lines that it cuts alike.

    Examples
    --------
    >>> sniff_delimiter([b"ts;score", b"1;0,5", b"2;0,7"])
    (';', 1.0)
    """
    best, best_share, best_cells = ",", 0.0, 0
    for delimiter in _DELIMITERS:
        counts = Counter(_count(line, delimiter) for line in lines)
        (cells, alike) = counts.most_common(1)[0] if counts else (0, 0)
        share = alike / len(lines) if cells and lines else 0.0
        if (share, cells) > (best_share, best_cells):
            best, best_share, best_cells = delimiter, share, cells
    return best, best_share


def read_dialect(source: Source, shape: TableShape) -> Dialect:
    """Return how a file is to be cut, by its first lines and the recipe.

    Raises
    ------
    FormatError
        If the columns are not as many as the recipe names.
    """
    arff = arff_names(next(iter(source.chunks()), b""))
    if arff:
        check_header(shape.columns or arff, source.name)
        missing = (*shape.missing, "?")
        return Dialect(",", tuple(unique_names(shape.columns or arff)), b"", missing, shape.encoding, is_arff=True)
    block = next(source.blocks(), None)
    lines = [line for line in (block.lines() if block else []) if line.strip()][:200]
    if not lines:
        raise FormatError(
            f"{source.name} has no line that can be read as a table: it is empty, or a line is over the limit."
        )
    delimiter = shape.delimiter or sniff_delimiter(lines)[0]
    first = _first_cells(lines[0], delimiter, shape)
    names = list(shape.columns) if shape.columns else first
    if not shape.header and not shape.columns:
        names = [f"column_{n}" for n in range(1, len(first) + 1)]
    if len(names) != len(first):
        raise FormatError(
            f"{source.name}: the first line has {len(first)} values, and the recipe names {len(names)} columns."
        )
    check_header(names, source.name)
    return Dialect(
        delimiter, tuple(unique_names(names)), lines[0] if shape.header else b"", tuple(shape.missing), shape.encoding
    )


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


def read_rows(source: Source, dialect: Dialect) -> Iterator[Rows]:
    """Yield the rows block by block; cells are trimmed and missing ones null."""
    header = dialect.header.strip()
    seen_header = not header
    above = dialect.is_arff
    for block in source.blocks():
        rows = Rows(np.array([]), [], [], [], {})
        numbers: list[int] = []
        quoted = dialect.quote.encode() in block.data
        for number, line in enumerate(block.lines(), block.first_line):
            if not line.strip():
                _skip(rows, "blank line")
            elif above or (dialect.is_arff and line.lstrip().startswith(b"%")):
                above = above and line.strip().lower() != b"@data"
                _skip(rows, "header")
            elif header and line.strip() == header:
                _skip(rows, "repeated header" if seen_header else "header")
                seen_header = True
            else:
                reason = _misfit(line, dialect, quoted)
                if reason:
                    rows.rejects.append(Reject(number, reason, line))
                else:
                    rows.records.append(line)
                    numbers.append(number)
        rows.numbers = np.array(numbers, np.int64)
        rows.cells, rows.written = _cells(rows.records, dialect, quoted)
        yield rows


def is_utf8(source: Source) -> bool:
    """Return whether the whole file is UTF-8."""
    for block in source.blocks():
        try:
            block.data.decode()
        except UnicodeDecodeError:
            return False
    return True


def decoded(lines: Sequence[bytes], encoding: str) -> list[str]:
    """Return lines as text; undefined bytes of cp1252 stand for themselves."""
    try:
        return [line.decode(encoding or "utf-8") for line in lines]
    except UnicodeDecodeError:
        return [line.decode(encoding or "utf-8", "backslashreplace") for line in lines]


def _count(line: bytes, delimiter: str) -> int:
    if b'"' not in line:
        return line.count(delimiter.encode())
    try:
        return len(next(csv.reader([line.decode("utf-8", "replace")], delimiter=delimiter), [])) - 1
    except csv.Error:
        return line.count(delimiter.encode())


def _first_cells(line: bytes, delimiter: str, shape: TableShape) -> list[str]:
    text = decoded([line], shape.encoding)[0].replace("\r", " ")
    return next(csv.reader([text], delimiter=delimiter))


def _misfit(line: bytes, dialect: Dialect, quoted: bool) -> str:
    if quoted and (dialect.quote.encode() in line or b"\r" in line):
        text = line.decode("utf-8", "replace")
        try:
            found = len(next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)))
        except csv.Error as error:
            return "a quote is not closed on its line" if "end of data" in str(error) else str(error)
    else:
        found = line.count(dialect.delimiter.encode()) + 1
    return "" if found == len(dialect.names) else f"{found} values for {len(dialect.names)} columns"


def _cells(records: list[bytes], dialect: Dialect, quoted: bool) -> tuple[list[pa.Array], list[pa.Array]]:
    """Return the cells trimmed, null where missing; and as they are written."""
    if not records:
        return [pa.array([], pa.string())] * len(dialect.names), []
    if quoted or dialect.encoding:
        texts = decoded(records, dialect.encoding)
        lines = csv.reader(
            texts, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=dialect.is_arff
        )
        flat = [cell for line in lines for cell in line]
        columns = [pa.array(flat[i :: len(dialect.names)], pa.string()) for i in range(len(dialect.names))]
    else:
        columns = split_columns(records, dialect.names, dialect.delimiter.encode(), [])
    # NaN is left for the types: among numbers it is counted, among words it is missing.
    missing = pa.array([m for m in dialect.missing if m.lower() != "nan"], pa.string())
    null = pa.scalar(None, pa.string())
    trimmed = [pc.utf8_trim_whitespace(column) for column in columns]
    return [pc.if_else(pc.is_in(column, value_set=missing), null, column) for column in trimmed], columns


def _skip(rows: Rows, reason: str) -> None:
    rows.skips[reason] = rows.skips.get(reason, 0) + 1
