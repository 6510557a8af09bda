"""Logs of any tool that names its columns in a `#Fields:` or `# Columns:` line → events, by what tools usually call things.

Windows Firewall, Exchange's connectors, and proxies write so; web servers' are read by `iis-w3c`. Columns are separated by tabs,
commas or blanks, as the `#Fields:` line has them; `-` is no value. Other lines that begin with # are comments; a later `#Fields:`
holds from there on. A record before the first cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._csv_records import cells_of
from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, clocked, line_records
from socml.formats._times import Clock

__all__ = ["W3cFields"]

_FIELDS = re.compile(rb"#\s?(?:[Ff]ields:?|[Cc]olumns:)[ \t]*")
_BARE_NAMES = re.compile(
    rb"[A-Za-z][\w ()-]{0,60}(?:,[A-Za-z][\w ()-]{0,60}){4,500}\s{0,2}"
)  # which Exchange writes first
_SURE = 0.93
_BLUE_COAT = re.compile(rb"#Software: SGOS\b")


class W3cFields:
    """Lines whose columns a `#Fields:` line names."""

    name = "w3c-fields"
    about = "logs that name their columns in a #Fields: line: Windows Firewall, Exchange, proxies"
    specification = "https://www.w3.org/TR/WD-logfile.html"
    examples = (
        "#Fields: date time action protocol src-ip dst-ip src-port dst-port size",
        "2026-03-02 10:00:00 DROP TCP 192.0.2.1 198.51.100.2 4022 22 52",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a `#Fields:` line and lines with as many cells."""
        reader = _Rows()
        found = []
        for line in head_lines(head, 30, stripped=b"\r\0"):
            try:
                reader.row(line)
            except Skip:
                continue
            except ValueError:
                found.append(False)
            else:
                found.append(True)
        is_zeek = re.search(rb"^(?:\xef\xbb\xbf)?#separator", head, re.MULTILINE) is not None
        return _SURE * sum(found) / len(found) if found and not is_zeek else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        reader = _Rows()
        return clocked(line_records(source), lambda line, clock: _event(reader.row(line), clock), source, options)


class _Rows:
    """Reads line after line, and remembers what the columns are."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._delimiter = " "
        self._taken = "time-taken"  # of whose unit the standard says seconds, and Blue Coat writes milliseconds

    def row(self, line: bytes) -> dict[str, str]:
        """Return a line's cells by their columns. Raises ValueError if they are not as many, Skip for a line that begins with #."""
        if found := _FIELDS.match(line):
            rest = line[found.end() :].strip()
            self._delimiter = next((one for one in ("\t", ",") if one.encode() in rest), " ")
            self._names = [
                name.strip() for name in rest.decode("utf-8", "replace").split(self._delimiter) if name.strip()
            ]
        if _BLUE_COAT.match(line):
            self._taken = "duration_ms"
        if line.startswith(b"#"):
            raise Skip("comment")
        if not self._names and _BARE_NAMES.fullmatch(line):
            raise Skip("line of names")
        if not self._names:
            raise ValueError("a record before the first #Fields: line")
        cells = cells_of(line, self._delimiter)
        if len(cells) != len(self._names):
            raise ValueError(f"{len(cells)} values for {len(self._names)} columns")
        row = {name: cell for name, cell in zip(self._names, cells, strict=True) if cell not in ("", "-")}
        if "time-taken" in row and self._taken != "time-taken":
            row[self._taken] = row.pop("time-taken")
        return row


def _event(found: dict[str, str], clock: Clock) -> dict[str, object]:
    row, _ = guessed_row(found, clock)
    return with_inner(row, row.get("message"), clock)
