"""Generated dialects of delimited files → who reads them right: socml's table, DuckDB's sniffer, Python's csv.

A file is read right if its rows, its column names (or that it has none) and every cell are as they were written. The files differ
in delimiter, quoting, line ends, encoding, header, decimal sign, blank rows, `sep=` line, cells that hold the delimiter, quotes
and line breaks, missing values, and kinds of columns.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from socml.formats import ReadOptions
from socml.ingestion.detection import open_format
from socml.ingestion.sources import FileSource
from socml.project import EVENT, SocmlError

__all__ = ["READERS", "Case", "Rows", "make_case"]

Rows = tuple[tuple[str, ...] | None, list[tuple[str, ...]]]  # names, None without a header; cells
_WORDS = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "login failed",
    "ok",
    "Zoë",
    "naïve",
    "GET /a?b=1",
    "x-y",
    "denied",
    "user 7",
)
_NAMES = ("when", "source", "amount", "note", "count", "address", "status", "city", "flag", "path", "2024", "id")


@dataclass(frozen=True)
class Case:
    """One file: its bytes, what is in it, and in words how it was written."""

    data: bytes
    truth: Rows
    dialect: str


def make_case(seed: int) -> Case:
    """Return a file of a dialect; the same for the same seed."""
    rng = random.Random(seed)  # no secret
    delimiter = rng.choice([",", ",", ";", "\t", "|"])
    decimal = "," if delimiter == ";" and rng.random() < 0.5 else "."
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    end = rng.choice(["\n", "\n", "\r\n"])
    encoding = rng.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    kinds = [rng.choice(_KINDS) for _ in range(rng.randint(2, 8))]
    if not any(kind in (_time, _address, _number, _decimal) for kind in kinds):
        kinds[0] = rng.choice([_time, _address])  # of words alone nobody can tell names from values
    has_header = rng.random() < 0.75
    names = tuple(rng.sample(_NAMES, len(kinds)))
    hard = rng.random() < 0.4
    rows = [tuple(kind(rng, delimiter, decimal, hard) for kind in kinds) for _ in range(rng.randint(3, 60))]
    out = io.StringIO()
    if rng.random() < 0.1 and delimiter != "\t":
        out.write(f"sep={delimiter}{end}")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]  # one of csv's constants
    for row in ([names] if has_header else []) + rows:
        writer.writerow(row)
        if rng.random() < 0.05:
            out.write(end)
    description = (
        f"{delimiter!r} {encoding} {end!r} quoting {quoting} decimal {decimal} header {has_header} hard {hard}"
    )
    return Case(out.getvalue().encode(encoding, "replace"), (names if has_header else None, rows), description)


def _time(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    return f"2026-03-{rng.randint(1, 28):02} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"


def _address(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    return f"192.0.2.{rng.randint(1, 254)}"


def _number(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    return str(rng.randint(1, 99_999))


def _decimal(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    return f"{rng.randint(0, 999)}{decimal}{rng.randint(1, 9)}"


def _word(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    word = rng.choice(_WORDS)
    if hard and rng.random() < 0.3:
        word = rng.choice(
            [f"{word}{delimiter} more", f'say "{word}"', f"{word}\nsecond line", f"{word}'s", f"a;b,c|{word}"]
        )
    return word


def _maybe(rng: random.Random, delimiter: str, decimal: str, hard: bool) -> str:
    return "" if rng.random() < 0.3 else rng.choice(_WORDS)


_KINDS: tuple[Callable[[random.Random, str, str, bool], str], ...] = (
    _time,
    _address,
    _number,
    _decimal,
    _word,
    _word,
    _maybe,
)


def read_with_socml(path: Path) -> Rows:
    """Return what the table reader makes of a file, its own columns alone; cells as text. A wrong one is an empty answer."""
    source = FileSource(path, path.name)
    names: list[str] = []
    numbered = False
    rows: list[tuple[int, dict[str, object]]] = []
    try:
        for parsed in open_format("table").read(source, ReadOptions()):
            numbered |= any("columns are numbered" in warning for warning in parsed.warnings)
            own = [name for name in parsed.events.column_names if name not in EVENT]
            names += [name for name in own if name not in names]
            rows += [(row["source_line"], {name: row[name] for name in own}) for row in parsed.events.to_pylist()]
    except SocmlError:
        return None, []
    cells = [tuple(_text(row.get(name)) for name in names) for _, row in sorted(rows, key=lambda one: one[0])]
    return (None if numbered else tuple(names)), cells


def read_with_duckdb(path: Path) -> Rows:
    """Return what DuckDB's sniffer makes of a file, every cell as text."""
    with duckdb.connect() as connection:
        try:
            found = connection.execute("from read_csv(?, all_varchar = true, null_padding = false)", [str(path)])
            names = tuple(column[0] for column in found.description or ())
            rows = [tuple(cell or "" for cell in row) for row in found.fetchall()]
        except duckdb.Error:
            return None, []
    return (None if all(name.startswith("column") for name in names) else names), rows


def read_with_csv(path: Path) -> Rows:
    """Return what Python's csv makes of a file, with its Sniffer and the encoding that its first bytes tell."""
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
        dialect = csv.Sniffer().sniff(text[:8192])
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), dialect) if row]
        has_header = csv.Sniffer().has_header(text[:8192])
    except (ValueError, csv.Error):  # since Python 3.13 a delimiter that it sniffed may be one that it refuses
        return None, []
    return (rows[0], rows[1:]) if has_header and rows else (None, rows)


READERS: dict[str, Callable[[Path], Rows]] = {
    "socml": read_with_socml,
    "DuckDB": read_with_duckdb,
    "Python csv": read_with_csv,
}


def is_right(found: Rows, truth: Rows) -> bool:
    """Return whether names and cells are as they were written; numbers may be written otherwise, and empty is missing."""
    names, rows = truth
    if (found[0] is None) != (names is None) or (
        names and tuple(_plain(n) for n in found[0] or ()) != tuple(map(_plain, names))
    ):
        return False
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows)]
    return [tuple(map(_same, row)) for row in found[1]] in (
        [tuple(map(_same, row)) for row in rows],
        [tuple(_same(row[at]) for at in kept) for row in rows],  # an empty column is left out, and said
    )


def _plain(name: str) -> str:
    return name.rstrip("_")


def _text(value: object) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _same(cell: str) -> str:
    """Return a cell so that two spellings of a number are one."""
    text = cell.replace("\r\n", "\n")
    try:
        return repr(float(text.replace(",", ".", 1) if text.count(",") == 1 and "." not in text else text))
    except ValueError:
        return text
