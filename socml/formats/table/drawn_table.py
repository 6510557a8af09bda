"""Tables as consoles and documents draw them → events, by what tools usually call things; the rest is kept.

Columns in a frame of bars (psql, MySQL, Markdown), under a line of dashes (sqlcmd, PowerShell, reStructuredText), or in columns
that blanks part; and records as lists of `name: value` (MySQL's `\\G`, psql's `\\x`, PowerShell's Format-List). Tables of
HTML (`_html_tables`), maps of YAML (`_yaml_records`), blocks and numbered properties (`_grouped_lines`) too. What stands around a table is skipped. Blind to cells that go on in the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._multiline import numbered_lines
from socml.formats._old_encodings import head_of, text_of_line
from socml.formats._reader import Assumption, Parsed, ReadOptions, Source
from socml.formats._records import Skip, made
from socml.formats._stamps import settle_day_order
from socml.formats._times import Clock, clock_of
from socml.formats.table._grouped_lines import first_grouped_records, grouped_records
from socml.formats.table._html_tables import first_html_rows, html_rows, is_page
from socml.formats.table._yaml_records import first_yaml_records, yaml_records

__all__ = ["DrawnTable"]

_RULE = re.compile(r"[\s|+:=\u2500-\u257f-]{3,}")
_DASHES = re.compile(r"[-=─━═]{2,}")
_BARS = re.compile(r"(?<!\\)[|│┃║┆┇┊┋╎╏]")
_COUNT = re.compile(r"\(?\d{1,12} (?:rows?|Zeilen?|lignes?|filas?)\b.{0,80}")  # below a table
_RECORD = re.compile(r"\*{5,} \d{1,12}\. row \*{5,}|-\[ RECORD \d{1,12} \][-+]{0,400}")
_FIELD = re.compile(
    r"[ \t]{0,40}(?P<name>[A-Za-z_@][\w .@/()-]{0,60}?)[ \t]{0,40}(?P<sign>:|\||\.{2,60}:?)(?:[ \t](?P<value>.*))?"
)
# Of records that begin with their name, as in TOML and files of settings
_SECTION = re.compile(r"\[{1,2}[A-Za-z][\w .:-]{0,60}\]{1,2}")
_SETTING = re.compile(r"[ \t]{0,40}(?P<name>[A-Za-z_@][\w .@/()-]{0,60}?)[ \t]{0,40}[=:][ \t]{0,40}(?P<value>.*)")
_BOUND = re.compile(
    r"(?i)[<\[({-]{0,3}(?:begin|end|start|stop)(?:[ :_-]?(?:of[ _-])?(?:record|event|entry|log|audit|item))?[>\])}-]{0,3};?"
)
_INLINE = re.compile(r"([\w.-]{1,60}) {0,4}= {0,4}(\"[^\"]*\"|'[^']*'|[^,{}\"']+)")
_NAME = re.compile(r"[^\W\d][^\n|]{0,60}|[@#]\w{0,60}|%[A-Za-z]{1,60}")
_OWNER = re.compile(
    r'users:\(\("(?P<name>[^"]{1,256})",pid=(?P<pid>\d{1,9})'
)  # as `ss` names the processes of a socket
_GAP = re.compile(r" {1,}")
_LONGEST, _MOST_ABOVE, _MOST_COLUMNS, _SAMPLE = 4096, 20, 200, 60
_MOST_LINES = 2000  # of one record
_SHOWN = 10  # records that tell what a page or a file of YAML is
_MOST_TITLES = 3  # lines above the names, as `w` and `netstat` write them
_LEAST_COLUMNS, _LEAST_ROWS, _LEAST_KNOWN = 3, 2, 2
_SURE, _LESS_SURE, _GUESS = 0.82, 0.79, 0.6
# What a table without a time must tell two of, as `who` and `netstat` do
_TELLING = {"source_ip", "destination_ip", "user_name", "process_name", "process_pid", "connection_state", "message"}
_LOOK = Clock(None, 2000, None)  # only tells whether there is a time
_TIMELESS = "Rows tell no time (an age, as 12m, is none), and their events have none: such events are in no window."
_Record = tuple[int, bytes, "dict[str, object] | Exception"]


@dataclass(frozen=True)
class _Table:
    """How lines are cut: by bars, or at `starts`, where each column begins. `above`: lines up to the first row."""

    names: tuple[str, ...]
    above: int
    starts: tuple[int, ...] = ()

    def fields(self, line: str) -> dict[str, object]:
        """Return the cells of a row; raise Skip or ValueError for a line that is none."""
        if not line.strip() or _is_rule(line):
            raise Skip("line of the frame")
        cells = _at(line, self.starts) if self.starts else _between_bars(line)
        if tuple(cells) == self.names:
            raise Skip("repeated header")
        if len(cells) != len(self.names) or _COUNT.fullmatch(line.strip()):
            if _COUNT.fullmatch(line.strip()):
                raise Skip("count of rows")
            raise ValueError(f"{len(cells)} cells for {len(self.names)} columns")
        cells[0] = cells[0].removeprefix(">")  # of who asks, as `quser` marks it
        return {
            name: cell for name, cell in zip(self.names, cells, strict=True) if cell not in ("", "NULL", "null", "∅")
        }


class DrawnTable:
    """Tables and lists of a console or a document."""

    name = "drawn-table"
    about = (
        "tables as consoles and documents draw them: psql, MySQL, sqlcmd, PowerShell, Markdown; lists of name: value"
    )
    specification = "https://www.postgresql.org/docs/current/app-psql.html"
    examples = ("| ts | user | ip |\n|----|------|----|\n| 2026-03-02T10:00:00Z | bob | 192.0.2.7 |",)
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Fairly sure of a frame or a line of dashes if the names tell a time and more; a guess of a list."""
        clock = Clock(None, 2000, None)
        if is_page(head) or (maps := first_yaml_records(head, _SHOWN) or first_grouped_records(head, _SHOWN)):
            taken = [
                set(guessed_row(one, clock)[1]) for one in (first_html_rows(head, _SHOWN) if is_page(head) else maps)
            ]
            timed = sum("time" in one and len(one) > _LEAST_KNOWN - 1 for one in taken)
            return _LESS_SURE if taken and timed >= 0.8 * len(taken) else 0.0
        numbered = _first_lines(head)
        lines = _texts(numbered)
        if table := _table(lines):
            taken = [set(guessed_row(row, clock)[1]) for row in _rows(table, lines)]
            least = max(1, 0.8 * len(taken))
            if sum("time" in one and len(one) > _LEAST_KNOWN - 1 for one in taken) >= least:
                return _LESS_SURE if table.starts else _SURE
            known = [one & (_TELLING | {"time"}) for one in taken]
            is_told = [len(one & _TELLING) >= _LEAST_KNOWN or one >= {"event_action", "message"} for one in taken]
            is_known = sum(is_told) >= least
            is_sparse = all(known) and len(set().union(*known)) > _LEAST_KNOWN  # as `lastlog`, of accounts never used
            return _GUESS if is_known or is_sparse else 0.0
        listed = [fields for _, _, fields in _lists(numbered, clock) if fields] if _is_list(lines) else []
        known_lists = sum("time" in guessed_row(fields, clock)[1] for fields in listed)
        return _GUESS if listed and known_lists >= 0.8 * len(listed) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        found, records = _records(source, clock)
        settle_day_order((f"{value} " for fields in found for value in fields.values()), clock)
        if found and not any("time" in guessed_row(fields, _LOOK)[1] for fields in found[:_SHOWN]):
            clock.warnings.append(Assumption("time", _TIMELESS))
        events = ((n, raw, _event(fields, clock) if isinstance(fields, dict) else fields) for n, raw, fields in records)
        return made(events, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _records(source: Source, clock: Clock) -> tuple[list[dict[str, object]], Iterator[_Record]]:
    """Return the fields of the first records of a file, and all its records."""
    head = head_of(source)
    if is_page(head):
        return first_html_rows(head, _SAMPLE), html_rows(source)
    if maps := first_yaml_records(head, _SHOWN):
        return maps, yaml_records(source)
    if grouped := first_grouped_records(head, _SHOWN):
        return grouped, grouped_records(source, head)
    heads = _first_lines(head)
    if table := _table(_texts(heads)):
        return list(_rows(table, _texts(heads))), _of_table(source, table, clock)
    return [fields for _, _, fields in _lists(heads, clock)], _lists(numbered_lines(source), clock)


def _event(fields: dict[str, object], clock: Clock) -> dict[str, object] | Exception:
    if not fields:
        return Skip("line around the records")
    row, _ = guessed_row(fields, clock)
    if owner := _OWNER.match(str(row.get("process_name"))):
        row |= {"process_name": owner["name"], "process_pid": int(owner["pid"])}
    return with_inner(row, row.get("message"), clock)


def _first_lines(head: bytes) -> list[tuple[int, bytes]]:
    """Return the first whole lines of a file with their numbers."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _SAMPLE)
    return list(enumerate(lines[:_SAMPLE] if len(lines) == 1 else lines[:-1], 1))


def _texts(lines: Sequence[tuple[int, bytes]]) -> list[str]:
    return [line[:_LONGEST].decode("utf-8", "replace").rstrip() for _, line in lines]


def _is_rule(line: str) -> bool:
    return _RULE.fullmatch(line) is not None and _DASHES.search(line) is not None


def _table(lines: Sequence[str]) -> _Table | None:
    """Return how the first lines of a file are cut; None if they are no table.

    Examples
    --------
    >>> _table(["| a | b |", "|---|---|", "| 1 | 2 |"]).names, _table(["name    ip", "------  ---------", "bob     192.0.2.7"]).starts
    (('a', 'b'), (0, 8))
    """
    rules = [at for at, line in enumerate(lines[:_MOST_ABOVE]) if _is_rule(line)]
    for at in rules:
        for above in (at - 1, at + 1):
            line = lines[above] if 0 <= above < len(lines) else ""
            if not line.strip() or _is_rule(line):
                continue
            first = max(at, above) + 1
            if _BARS.search(line):
                names = _between_bars(line)
                starts: tuple[int, ...] = ()
            else:
                starts = tuple(found.start() for found in _DASHES.finditer(lines[at]))
                names = _at(line, starts)
            if 1 < len(names) <= _MOST_COLUMNS and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names)):
                return _Table(tuple(names), first, starts)
    if rules:
        return None
    written = [(at, line) for at, line in enumerate(lines) if line.strip()]
    below = [(at, [line for _, line in written[number:]]) for number, (at, _) in enumerate(written[: _MOST_TITLES + 1])]
    tables = [table for at, rows in below if (table := _blank_parted(rows, at))]
    return max(tables, key=lambda table: len(table.names), default=None)  # a title may be cut as well, into fewer


def _blank_parted(written: Sequence[str], at_line: int) -> _Table | None:
    """Return the columns of lines that blanks at the same places part, under a line of names, the first."""
    if len(written) <= _LEAST_ROWS or not written[0].lstrip()[:1].isalpha() or any("\t" in line for line in written):
        return None
    width = max(map(len, written))
    blank = [all(len(line) <= at or line[at] == " " for line in written) for at in range(width + 1)]
    starts = [at for at in range(width) if not blank[at] and (at == 0 or blank[at - 1])]
    # Numbers and sizes stand at the right: their column is whatever the name lies above
    named = [at for at in starts if written[0][at : blank.index(True, at)].strip()]
    named = [at for at, end in zip(named, [*named[1:], width], strict=True) if not _goes_on(written, at, end)]
    if named[:1] != starts[:1] or len(named) < _LEAST_COLUMNS:
        return None
    names = _at(written[0], named)
    if len(set(names)) < len(names) or not all(map(_is_name, names)):
        return None
    return _Table(tuple(names), at_line + 1, tuple(named))


def _goes_on(written: Sequence[str], at: int, end: int) -> bool:
    """Return whether a word above nothing, one blank behind another, is the second of a name: `LAST SEEN`."""
    is_near = at > 1 and written[0][at - 1] == " " != written[0][at - 2]
    return is_near and not any(line[at:end].strip() for line in written[1:])


def _is_name(name: str) -> bool:
    """Return whether a cell may be the name of a column: of several words, the first has a capital, as `Local Address`."""
    words = name.split(" ")
    return _NAME.fullmatch(name) is not None and (len(words) == 1 or (words[0][:1].isupper() and all(words)))


def _at(line: str, starts: Sequence[int]) -> list[str]:
    own = [_begin(line, at, left) for at, left in zip(starts, (0, *starts), strict=False)]
    return [line[at:end].strip() for at, end in zip(own, [*own[1:], len(line)], strict=True)]


def _begin(line: str, at: int, left: int) -> int:
    """Return where a cell begins: before its name, if it is longer and stands at the right, but not before the blank behind the cell at its left."""
    before = line.rfind(" ", left, at) + 1
    return before if before > left and line[at - 1 : at + 1].strip() == line[at - 1 : at + 1] != "" else at


def _between_bars(line: str) -> list[str]:
    cells = [cell.strip().replace("\\|", "|") for cell in _BARS.split(line.strip())]
    return cells[1:-1] if len(cells) > 2 and not cells[0] and not cells[-1] else cells


def _rows(table: _Table, lines: Sequence[str]) -> Iterator[dict[str, object]]:
    for line in lines[table.above :]:
        try:
            yield table.fields(line)
        except (Skip, ValueError):
            continue


def _of_table(
    source: Source, table: _Table, clock: Clock
) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    for number, line in numbered_lines(source):
        try:
            if number <= table.above:
                raise Skip("header")
            yield number, line, table.fields(text_of_line(line, clock).rstrip("\r"))
        except (Skip, ValueError) as reason:
            yield number, line, reason


def _parts(line: str) -> bool:
    """Return whether a line parts records: a rule, or a word for where one begins or ends."""
    return _is_rule(line) or _BOUND.fullmatch(line.strip()) is not None


def _is_list(lines: Sequence[str]) -> bool:
    """Return whether a file is records of `name: value` lines, of which blank or ruled lines part those that begin with the same names."""
    written = [line for line in lines if line.strip()]
    if written and (_RECORD.fullmatch(written[0].strip()) or _SECTION.fullmatch(written[0])):
        return True
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip() and not _parts(line):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    field = _SETTING if all(map(_SETTING.fullmatch, blocks[0])) else _FIELD
    names = [[found["name"] for line in block if (found := field.fullmatch(line))] for block in blocks if block]
    are_whole = all(len(found) == len(block) for found, block in zip(names, (b for b in blocks if b), strict=True))
    is_repeated = names[0] == names[1] if len(names) > 1 else False  # or they leave names out, and begin alike
    return len(names) > 1 and (
        (is_repeated and len(names[0]) >= _LEAST_COLUMNS and len(names[0]) == len(blocks[0]))
        or (are_whole and all(len(found) >= _LEAST_COLUMNS and found[0] == names[0][0] for found in names[:-1]))
    )


def _lists(numbered: Iterable[tuple[int, bytes]], clock: Clock) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """Yield records with the number of their first line; one without fields is what stands around them."""
    first, held, fields, name = 0, list[bytes](), dict[str, object](), ""
    begin, field = _RECORD, _FIELD
    for number, line in numbered:
        text = text_of_line(line[: 16 * _LONGEST], clock).rstrip()
        if not name and _SECTION.fullmatch(text):
            begin, field = _SECTION, _SETTING
        text = "" if _parts(text) else text
        if not fields and not field.fullmatch(text) and _SETTING.fullmatch(text):
            field = _SETTING
        begins = not text or begin.fullmatch(text.strip()) is not None
        if (begins and fields) or len(held) >= _MOST_LINES:
            yield first, b"\n".join(held), fields
            first, held, fields, name = 0, [], {}, ""
        if not text:
            yield number, b"", {}
            continue
        first, found = first or number, field.fullmatch(text)
        held.append(line)
        if found and not begins:
            name = found["name"].strip()
            value = (found["value"] or "").strip()
            inside = _INLINE.findall(value) if field is _SETTING and value[:1] + value[-1:] == "{}" else []  # of TOML
            fields |= {f"{name}.{own}": one.strip("\"' ") for own, one in inside}
            fields.setdefault(name, value.strip("\"'") if field is _SETTING else value)
        elif name and not begins and len(str(fields[name])) < 16 * _LONGEST:
            fields[name] = f"{fields[name]}\n{text.strip()}"
    if held:
        yield first, b"\n".join(held), fields
