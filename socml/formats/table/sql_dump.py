"""Rows of a dump of SQL (INSERT … VALUES, COPY … FROM stdin) → events, by what tools usually call things; the rest is kept.

Column names stand in the statement, else in the CREATE TABLE above it. Other statements are skipped. Nothing is executed.
A backslash escapes in MySQL's strings and in COPY, not in those of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._multiline import numbered_lines
from socml.formats._old_encodings import text_of_line
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, made
from socml.formats._times import Clock, clock_of

__all__ = ["SqlDump"]

_IDENTIFIER = r"(?:[\"`\[]?[\w$-]{1,128}[\"`\]]?\.){0,2}[\"`\[]?(?P<table>[\w$-]{1,128})[\"`\]]?"
_INSERT = re.compile(
    rf"\s{{0,40}}(?:INSERT|REPLACE)(?: IGNORE)?(?: INTO)? {_IDENTIFIER}\s{{0,40}}(?:\((?P<columns>[^()]{{1,20000}})\)\s{{0,40}})?"
    r"(?:OVERRIDING \w{1,10} VALUE )?VALUES?\s{0,40}",
    re.IGNORECASE,
)
_COPY = re.compile(rf"COPY {_IDENTIFIER}\s{{0,40}}(?:\((?P<columns>[^()]{{1,20000}})\))? FROM stdin", re.IGNORECASE)
_CREATE = re.compile(rf"\s{{0,40}}CREATE TABLE (?:IF NOT EXISTS )?{_IDENTIFIER}\s{{0,40}}\(?", re.IGNORECASE)
_COLUMN = re.compile(r"\s{0,40}[\"`\[]?(?P<name>[\w$ -]{1,128}?)[\"`\]]? [\[A-Za-z]")
_NO_COLUMNS = ("primary ", "unique ", "key ", "constraint ", "index ", "foreign ", "check ", "fulltext ", "exclude ")
_PLAIN_STRING, _ESCAPED_STRING = r"'(?:[^']|'')*'", r"'(?:[^'\\]|''|\\.)*'"
_OTHER = r"[^\s,()']{1,400}(?: ?\([^()']{0,400}\))?"  # numbers, NULL, a function of them
_COPY_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_BETWEEN_ROWS = re.compile(r"[\s,]*")
_NEXT_ROW = re.compile(r"\)\s{0,40},\s{0,40}(?P<next>\()")
_OPENED = re.compile(r"(?:[NEXnex]|_\w{1,20} )?'")
_BARE = re.compile(r"[^\s,()']{1,400}\s{0,40}")
_MOST_LINES, _LONGEST, _GUESS = 200, 1 << 18, 0.8  # lines and characters of one row, which is read again with each line


def _value(string: str) -> re.Pattern[str]:
    text = rf"(?:[NEXnex]|_\w{{1,20}} )?{string}"
    called = rf"(?:CAST|TO_\w{{1,20}})\((?:{text}|{_OTHER})(?: AS \w{{1,20}}(?:\(\d{{1,4}}\))?|, ?{text})?\)"
    return re.compile(
        rf"\s{{0,40}}(?P<value>(?:{called}|{text}|{_OTHER})(?:::[\w ]{{1,40}})?)\s{{0,40}}(?P<sign>[,)])", re.DOTALL
    )


_VALUES = {True: _value(_ESCAPED_STRING), False: _value(_PLAIN_STRING)}
_Row = dict[str, object] | Exception


class SqlDump:
    """Dumps of MySQL, PostgreSQL, SQLite and SQL Server."""

    name = "sql-dump"
    about = "dumps of SQL: rows of INSERT and COPY; columns by what tools usually call things"
    specification = "https://www.postgresql.org/docs/current/app-pgdump.html"
    examples = ("INSERT INTO logins (ts, user, ip) VALUES ('2026-03-02 10:00:00', 'bob', '192.0.2.7');",)
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Fairly sure of INSERT or COPY whose first rows tell a time and more."""
        text = head[:65536].decode("utf-8", "replace")
        if not any(_INSERT.match(line) or _COPY.match(line) for line in text.split("\n")):
            return 0.0
        clock = Clock(None, 2000, None)
        lines = enumerate((line.encode() for line in text.split("\n")), 1)
        rows = [row for _, _, row in _Dump(_is_escaped(head)).rows(lines) if isinstance(row, dict)][:20]
        known = [taken for taken in (guessed_row(row, clock)[1] for row in rows) if "time" in taken and len(taken) > 1]
        return _GUESS if rows and len(known) >= 0.8 * len(rows) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        lines = ((n, text_of_line(line, clock).encode("utf-8", "surrogatepass")) for n, line in numbered_lines(source))
        rows = _Dump(_is_escaped(next(iter(source.chunks()), b""))).rows(lines)
        events = ((n, raw, _event(row, clock)) for n, raw, row in rows)
        return made(events, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _is_escaped(head: bytes) -> bool:
    return b"`" in head[:65536] or b"MySQL" in head[:4096] or b"MariaDB" in head[:4096]


def _event(row: _Row, clock: Clock) -> _Row:
    if isinstance(row, Exception):
        return row
    try:
        columns = guessed_row(row, clock)[0]
    except ValueError as error:
        return error
    return with_inner(columns, columns.get("message"), clock)


@dataclass
class _Dump:
    """Reads statement after statement; `columns` of the tables that were created."""

    is_escaped: bool  # whether a backslash escapes in a string
    columns: dict[str, list[str]] = field(default_factory=dict)
    _lines: Iterator[tuple[int, bytes]] = field(default_factory=lambda: iter(()))
    _waiting: list[tuple[int, str]] = field(default_factory=list)
    _looked_at: int = 0  # the last line that a row was looked for in and did not go on in

    def rows(self, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, _Row]]:
        """Yield the rows, each with its line; other lines as what is skipped."""
        self._lines = lines
        while (numbered := self._next()) is not None:
            number, text = numbered
            if found := _INSERT.match(text):
                yield from self._values(number, text, found)
                continue
            yield number, text.encode("utf-8", "surrogatepass"), Skip("statement")
            if found := _COPY.match(text):
                yield from self._copied(self._names(found))
            elif found := _CREATE.match(text):
                yield from self._created(found["table"], text[found.end() :])

    def _next(self) -> tuple[int, str] | None:
        if self._waiting:
            return self._waiting.pop()
        number, line = next(self._lines, (0, b""))
        return (number, line.decode("utf-8", "backslashreplace")) if number else None

    def _names(self, found: re.Match[str]) -> list[str]:
        own = [name.strip(' "`[]\n') for name in (found["columns"] or "").split(",") if name.strip()]
        return own or self.columns.get(found["table"].lower(), [])

    def _created(self, table: str, rest: str) -> Iterator[tuple[int, bytes, _Row]]:
        names = self.columns[table.lower()] = []
        for part in rest.split(", ") if ")" in rest else []:
            _add_column(part, names)
        while ";" not in rest and not rest.startswith((")", "GO")) and (numbered := self._next()):
            rest = numbered[1].strip()
            if _INSERT.match(rest) or _COPY.match(rest) or _CREATE.match(rest):
                self._waiting.append(numbered)
                return
            yield numbered[0], b"", Skip("statement")
            _add_column(rest, names)

    def _copied(self, names: list[str]) -> Iterator[tuple[int, bytes, _Row]]:
        while numbered := self._next():
            number, text = numbered
            if text == "\\.":
                yield number, b"", Skip("statement")
                return
            yield number, text.encode("utf-8", "surrogatepass"), _named(names, list(map(_uncopied, text.split("\t"))))

    def _values(self, number: int, text: str, found: re.Match[str]) -> Iterator[tuple[int, bytes, _Row]]:
        """Yield the rows of one INSERT, which may go on in further lines; what follows it waits to be read."""
        names, at = self._names(found), found.end()
        while True:
            blank = _BETWEEN_ROWS.match(text, at)
            at = blank.end() if blank else at
            if at == len(text):
                more = self._next()
                if more is not None and more[1].lstrip().startswith("("):
                    (number, text), at = more, 0
                    continue
                self._waiting += [more] if more else []
                break
            if not text.startswith("(", at):
                break
            cells, whole, end, last = self._row(number, text, at)
            if end:
                yield number, whole[at:end].encode("utf-8", "surrogatepass"), _named(names, cells)
                number, text, at = last, whole, end
                continue
            other = _NEXT_ROW.search(text, at)
            end = other.start("next") if other else len(text)
            yield number, text[at:end].encode("utf-8", "surrogatepass"), ValueError("not a row of values")
            at = end
        left = text[at:].lstrip(" ;")
        if _INSERT.match(left):
            self._waiting.append((number, left))
        yield number, b"", Skip("statement")

    def _row(self, number: int, text: str, at: int) -> tuple[list[str | None], str, int, int]:
        """Return the values of the row that begins at a place, the text with the lines it goes on in, its end, and the last line.

        The end is 0 if it is no row: then the lines that were looked at wait to be read, and no row in them is looked for in
        further lines, so that a file of such rows does not take longer and longer.
        """
        whole, ahead = text, list[tuple[int, str]]()
        while True:
            cells, end, stopped = self._tuple(whole, at + 1)
            last = ahead[-1][0] if ahead else number
            if end:
                return cells, whole, end, last
            is_long = len(ahead) >= _MOST_LINES or len(whole) - at >= _LONGEST or number <= self._looked_at
            if is_long or not self._goes_on(whole[stopped:].lstrip()):
                break
            more = self._next()
            if more is None:
                self._looked_at = last
                break
            whole = f"{whole}{'' if more[0] == last else chr(10)}{more[1]}"  # a long line comes in pieces of one number
            ahead.append(more)
        self._waiting += reversed(ahead)
        self._looked_at = max(self._looked_at, last if ahead else 0)
        return [], text, 0, number

    def _goes_on(self, rest: str) -> bool:
        """Return whether a row may go on in the next line: it ends between values, in a bare one, or in a string that is open."""
        if opened := _OPENED.match(rest):
            return not re.match(
                _ESCAPED_STRING if self.is_escaped else _PLAIN_STRING, rest[opened.end() - 1 :], re.DOTALL
            )
        return not rest or _BARE.fullmatch(rest) is not None

    def _tuple(self, text: str, at: int) -> tuple[list[str | None], int, int]:
        """Return the values from a place up to the closing parenthesis, where that ends, 0 if it is not there, and where it stopped."""
        cells: list[str | None] = []
        while found := _VALUES[self.is_escaped].match(text, at):
            cells.append(self._plain(found["value"]))
            at = found.end()
            if found["sign"] == ")":
                return cells, at, at
        return cells, 0, at

    def _plain(self, value: str) -> str | None:
        if "'" not in value:
            return None if value.upper() in ("NULL", "DEFAULT") else value
        text = value[value.index("'") + 1 : value.rindex("'")]
        if not value.endswith("'"):  # cast('…' as …), to_date('…', '…')
            found = re.match(_ESCAPED_STRING if self.is_escaped else _PLAIN_STRING, value[value.index("'") :])
            text = found[0][1:-1] if found else text
        text = text.replace("''", "'")
        return _ESCAPE.sub(lambda m: _MEANT.get(m[1], m[1]), text) if self.is_escaped else text


def _add_column(text: str, names: list[str]) -> None:
    if (found := _COLUMN.match(text)) and not text.lstrip().lower().startswith(_NO_COLUMNS):
        names.append(found["name"])


def _uncopied(cell: str) -> str | None:
    if cell == "\\N":
        return None
    return re.sub(r"\\[tnr\\]", lambda found: _COPY_ESCAPES[found[0]], cell) if "\\" in cell else cell


def _named(names: list[str], cells: list[str | None]) -> _Row:
    if names and len(names) != len(cells):
        return ValueError(f"{len(cells)} values for {len(names)} columns")
    own = names or [f"column_{at}" for at in range(1, len(cells) + 1)]
    return {name: cell for name, cell in zip(own, cells, strict=True) if cell not in (None, "")}
