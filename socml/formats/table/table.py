"""A table of columns that is no log format of its own (CSV, ARFF, Parquet, NPZ) → events with the table's columns after them.

The recipe's `[table]` and `[truth]` say what is what; without them, all is told from the file. A CSV is read twice:
once to settle each column's type over the whole file, once for its rows. A quoted cell may hold
line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._json import as_object
from socml.formats._pairs import are_cells_pairs
from socml.formats._reader import Assumption, Parsed, ReadOptions, Source, head_lines, no_events, without_rows
from socml.formats._stamps import Stamp, stamp_in
from socml.formats._times import Clock
from socml.formats.table._secuml import secuml_project
from socml.formats.table._table_binary import is_npz, read_npz, read_parquet
from socml.formats.table._table_columns import Layout, declared_plan, event_columns, lay_out, truth_of
from socml.formats.table._table_csv import (
    EACH_LINE,
    Dialect,
    Rows,
    arff_names,
    decoded,
    read_dialect,
    read_rows,
    told_encoding,
    whole_records,
)
from socml.formats.table._table_events import TableLog, log_of
from socml.formats.table._table_leaks import LabelWatch
from socml.formats.table._table_titles import are_names_in_comment, leaves_out_last, sniff_delimiter, titles_above
from socml.formats.table._table_types import Plan, Profile, plan_column, typed
from socml.formats.table._table_unnamed import told_names
from socml.project import ConfigurationError, TableShape, open_file

__all__ = ["Table"]

_CLOCK = re.compile(r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?:? ")
_SERVICE = re.compile(r"[\w.-]{1,64}-\d{1,4}")  # of Docker Compose
_LONGEST_ZONE = 6  # characters that may follow a time in its cell
_ZONE = re.compile(r"[(\[]?(?:[A-Z]{1,5}|[+-]?\d{1,4}(?::\d\d)?)[)\]]?")

_FARTHEST_OBJECT = 1000  # bytes of a line before the object that it holds
_COMMA_OF_SECOND = re.compile(r":\d\d,\d{3}(?:\d{3}){0,2} +[^\s,;]")  # and a text behind it
_LEAST_BELOW = 2  # lines
_SENTENCE = re.compile(rb"[^\s.,]{3}\. ")  # ends with a word; `Id. ` and `No. ` are short for one
_LONGEST_STAMP = 48
_LEAST_OF_SENTENCE = 10  # words of a line with one comma
_DAY_BEFORE_COMMA = re.compile(r"[A-Z][a-z]{2,8}(?: \d{1,2})?, ")  # Mon, or March 2,
# Di, before 17. März
_DAY_ELSEWHERE = re.compile(r"[A-Za-zÀ-ÿ][\w-]{1,16}\.?, (?=\d{1,2}\.? (?:de )?[^\W\d_]{3})")


class Table:
    """CSV with any delimiter, ARFF, Parquet, and NPZ with X and y."""

    name = "table"
    may_span_lines = True  # a quoted cell may hold line ends
    about = "tables: CSV (delimiter, encoding and decimal sign are told from the file), ARFF, Parquet, NPZ with X and y"
    specification = "https://www.rfc-editor.org/rfc/rfc4180"
    examples = ("srcip,sport,dstip,dsport,proto,state,dur", "59.166.0.0,1390,149.171.126.6,53,udp,CON,0.001055")

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of Parquet and NPZ; fairly sure of lines that one delimiter cuts alike."""
        if head.startswith(b"PAR1") or is_npz(head):
            return 1.0
        if arff_names(head):
            return 0.95
        lines = head_lines(head)
        if not lines or lines[0].startswith((b"{", b"[", b"<")) or b"\0" in head[:4096] or _is_commented(lines):
            return 0.0
        if lines[0].lower().lstrip(b"\"'").startswith(b"sep=") and len(lines) > 1:
            lines = lines[1:]
        lines = whole_records(lines[titles_above(lines) :])
        lines = lines[:1] + [line for line in lines[1:] if not line.startswith(b"# ")]
        delimiter, share = sniff_delimiter(lines)
        if len(lines) > _LEAST_BELOW and leaves_out_last(lines, delimiter):
            share = 1.0  # as the event viewer does, of the message
        cells = lines[0].count(delimiter.encode())
        if len(lines) == 1:
            return 0.55 if cells >= 2 and len(lines[0]) < 65536 and b" " not in lines[0].replace(b", ", b",") else 0.0
        if (
            all(map(_holds_object, lines[:20]))
            or _is_prose(lines, delimiter)
            or (cells == 1 and min(len(line.split()) for line in lines) >= _LEAST_OF_SENTENCE)
            or (delimiter == "|" and _are_begun(lines))
            or any(
                all(are_cells_pairs(line.decode("utf-8", "replace"), sign) for line in lines[:20])
                for sign in {delimiter, "|"}
            )
        ):
            return 0.5
        # Ragged lines are for quarantine; prose has no two lines alike.
        return 0.75 if share >= 0.8 else 0.5 if share >= 0.4 and cells >= 2 and not _SENTENCE.search(lines[0]) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the table's rows as events."""
        with open_file(source.path) as file:
            start = file.read(4096)
        if start.startswith(b"PAR1"):
            yield from read_parquet(source, options)
        elif is_npz(start):
            yield from read_npz(source, options)
        else:
            project = secuml_project(source.path)
            for parsed in _read_csv(source, options):
                yield project.joined(parsed) if project else parsed


def _is_commented(lines: Sequence[bytes]) -> bool:
    """Return whether a file begins with comments that are no titles of a table: the names of another format, perhaps."""
    return lines[0].startswith(b"#") and not titles_above(lines) and not are_names_in_comment(lines)


def _is_prose(lines: Sequence[bytes], delimiter: str) -> bool:
    """Return whether most lines are text that begins with a time and goes on after it, before the first delimiter."""
    clock = Clock(None, 2000, None)
    firsts = [line.split(delimiter.encode(), 1)[0].decode("utf-8", "replace") for line in lines[:20]]
    if sum(_goes_on(text, clock) for text in firsts) > 0.8 * len(firsts):
        return True
    texts = [line[:200].decode("utf-8", "replace") for line in lines[:20]] if delimiter == "," else []
    return sum(_begins_cut(text, clock) for text in texts) > 0.8 * len(firsts)


def _are_begun(lines: Sequence[bytes]) -> bool:
    """Return whether lines with bars are rather text: all begin with a time, or with a service's name, and a bar between blanks."""
    clock = Clock(None, 2000, None)
    firsts = [line.split(b" | ", 1)[0].strip().decode("utf-8", "replace") for line in lines[:20] if b" | " in line]
    is_text = all(_stamp(first, clock) for first in firsts) or all(map(_SERVICE.fullmatch, firsts))
    return len(firsts) == len(lines[:20]) and is_text


def _holds_object(line: bytes) -> bool:
    """Return whether a line ends with an object of JSON, whatever stands before: its commas part no cells."""
    at = line.find(b'{"', 0, _FARTHEST_OBJECT)
    return at >= 0 and line.rstrip().endswith(b"}") and bool(as_object(line[at:]))


def _begins_cut(text: str, clock: Clock) -> bool:
    """Return whether a comma that would part cells stands in the time that a line begins with: `Mon, 02 Mar 2026 10:00:00`, `10:00:00,123 text`."""
    if _DAY_ELSEWHERE.match(text):
        return _stamp(text, clock) is not None
    if not _DAY_BEFORE_COMMA.match(text) and not _COMMA_OF_SECOND.search(text, 0, _LONGEST_STAMP):
        return False
    stamp = _stamp(text, clock)
    return stamp is not None and "," in text[: stamp.end]


def _stamp(text: str, clock: Clock) -> Stamp | None:
    try:
        return stamp_in(_DAY_ELSEWHERE.sub("", text, count=1), clock, farthest=1)
    except ValueError:
        return None


def _goes_on(text: str, clock: Clock) -> bool:
    if found := _CLOCK.match(text):  # of tcpdump
        return len(text) - found.end() > _LONGEST_ZONE
    stamp = _stamp(text, clock)
    rest = text[stamp.end :].strip(" \"'\t") if stamp else ""
    return len(rest) > _LONGEST_ZONE or (rest != "" and not _ZONE.fullmatch(rest))


def _read_csv(source: Source, options: ReadOptions) -> Iterator[Parsed]:
    dialect = read_dialect(source, options.table or TableShape())
    notes = _first_notes(dialect, options)
    if not dialect.encoding and (old := told_encoding(source)):
        shape = (options.table or TableShape()).model_copy(update={"encoding": f"{EACH_LINE}{old}"})
        dialect = replace(dialect, encoding=shape.encoding, names=read_dialect(source, shape).names)
        notes.append(
            Assumption("encoding", f"Lines that are not UTF-8 are read as {old}. Set table.encoding if that is wrong.")
        )
    layout = lay_out(dialect.names, options, where=source.name)
    zone = None if options.time_zone == "UTC" else _zone(options.time_zone)
    plans, log, more = _settle(source, dialect, layout, options, zone)
    notes += [*layout.notes, *more]
    watch = LabelWatch(list(layout.own)) if layout.label else None
    for rows in read_rows(source, dialect):
        parsed = _parsed(rows, dialect, layout, plans, options, zone, watch, log)
        parsed.warnings, notes = [*notes, *(log.clock.warnings if log else ())], []
        if log:
            log.clock.warnings.clear()
        yield parsed
    if watch and (warned := watch.warnings()):
        yield Parsed(no_events(), [], warnings=warned)


def _settle(
    source: Source, dialect: Dialect, layout: Layout, options: ReadOptions, zone: ZoneInfo | None
) -> tuple[dict[str, Plan], TableLog | None, list[str]]:
    """Look at the whole file once; return how to read each of its own columns, whether it is a log, and what to tell."""
    log: TableLog | None = None
    is_asked = dialect.is_arff
    profiles = {name: Profile() for name in layout.own}
    positions = {name: position for position, name in enumerate(dialect.names)}
    for rows in read_rows(source, dialect):
        for name, profile in profiles.items():
            profile.see(rows.cells[positions[name]], rows.numbers)
        cells = dict(zip(dialect.names, rows.cells, strict=True)) if rows.records else {}
        if cells and not is_asked:
            is_asked, told = True, {} if dialect.header else told_names(cells)
            log = log_of(cells, _numbers(profiles), source, options, told)
        if cells and log:
            log.settle(cells)
    plans, notes = _plans(profiles, layout, options, zone, dialect.delimiter)
    notes += _same_values(profiles)
    if log:
        notes.insert(0, log.note())
    return plans, log, notes


def _plans(
    profiles: Mapping[str, Profile], layout: Layout, options: ReadOptions, zone: ZoneInfo | None, delimiter: str
) -> tuple[dict[str, Plan], list[str]]:
    """Return how to read each column that is kept, and what to tell of them."""
    plans: dict[str, Plan] = {}
    notes: list[str] = []
    for name, profile in profiles.items():
        plan, kept_notes = plan_column(profile, name, delimiter)
        declared = declared_plan(name, layout.own[name], plan, options, zone)
        if declared is not None:
            comma, groups = profile.digits.marks(delimiter) or (False, "")
            comma = declared.decimal_comma or (comma and not profile.others)
            plan = replace(
                declared,
                decimal_comma=comma,
                groups=groups.replace("," if comma else ".", ""),
                unit=plan.unit if plan else "",
                signs=plan.signs if plan else False,
            )
            kept_notes = [note for note in kept_notes if "left out" not in note and "kept as text" not in note]
        if profile.rows:
            notes += kept_notes
        if plan is not None:
            plans[name] = plan
    return plans, notes


def _numbers(profiles: Mapping[str, Profile]) -> int:
    """Return how many columns hold numbers alone, so far."""
    return sum(profile.present > 0 and not profile.others for profile in profiles.values())


def _same_values(profiles: Mapping[str, Profile]) -> list[str]:
    same = [f"{n!r} ({p.only})" for n, p in profiles.items() if p.present and not p.varies and p.rows > 1]
    listed = ", ".join(same[:8]) + (f" and {len(same) - 8} more" if len(same) > 8 else "")
    return [f"Always the same value, so these tell nothing apart: {listed}."] if same else []


def _parsed(
    rows: Rows,
    dialect: Dialect,
    layout: Layout,
    plans: dict[str, Plan],
    options: ReadOptions,
    zone: ZoneInfo | None,
    watch: LabelWatch | None,
    log: TableLog | None = None,
) -> Parsed:
    if not rows.records:
        return Parsed(no_events(), [], rejects=rows.rejects, skips=rows.skips)
    cells = dict(zip(dialect.names, rows.cells, strict=True))
    bad: dict[int, str] = {}
    columns = log.columns(cells) if log else event_columns(layout, cells, options, zone, bad)
    columns["raw"] = pa.array(decoded(rows.records, dialect.encoding), pa.string())
    columns["source_line"] = pa.array(rows.numbers)
    for name, plan in plans.items():
        columns[layout.own[name]], wrong = typed(cells[name], plan)
        for row, reason in wrong.items():
            bad.setdefault(row, f"{name} is {reason}")
    truth = truth_of(layout, cells, options)
    if watch is not None and truth is not None:
        watch.see(_as_written(rows, dialect, layout), truth["malicious"].combine_chunks())
    certain = log.clock.is_certain if log else "time" not in columns
    parsed = Parsed(pa.table(columns), rows.records, truth, rows.rejects, rows.skips, time_is_certain=certain)
    return without_rows(parsed, bad) if bad else parsed


def _as_written(rows: Rows, dialect: Dialect, layout: Layout) -> dict[str, pa.Array]:
    """Return the cells of the table's own columns with the blanks around them, null where missing."""
    null = pa.scalar(None, pa.string())
    places = [(name, dialect.names.index(name)) for name in layout.own]
    return {name: pc.if_else(pc.is_null(rows.cells[at]), null, rows.written[at]) for name, at in places}


def _first_notes(dialect: Dialect, options: ReadOptions) -> list[str]:
    notes: list[str] = []
    if (options.table is None or not options.table.delimiter) and dialect.delimiter != ",":
        notes.append(Assumption("dialect", f"The delimiter is {dialect.delimiter!r}."))
    numbers = sum(name.replace(".", "", 1).isdecimal() for name in dialect.names)
    if dialect.header and numbers >= max(2, len(dialect.names) / 4):
        notes.append(
            Assumption(
                "header",
                "The first line looks like data, not like names. If so, set table.header = false and table.columns.",
            )
        )
    if not dialect.header and options.table is None and not dialect.is_arff:
        notes.append(
            Assumption(
                "header",
                "The first line is data: the columns are numbered. If it is names, set table.header = true; else give "
                "them names in table.columns.",
            )
        )
    return notes


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"time_zone is {name!r}, which is not a time zone such as Europe/Paris.") from None
