"""Columns of a table and its recipe → which are event columns, which stay its own, which are ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._reader import Assumption, ReadOptions, judge, truth_table
from socml.formats.table._table_types import Plan, typed
from socml.project import EVENT, TEXTS, FormatError, RecipeError, TableShape, did_you_mean, plain_columns

_LIKELY_LABELS = {"label", "class", "y", "target", "attack", "attack_cat", "is_attack", "malicious", "outcome"}
_ARROW_KINDS = {pa.float64(): "number", pa.int64(): "integer", pa.string(): "text"}
# A column costs a few kilobytes for each block of rows, and a term in every query; the widest table among the public
# ones that socml was tried on has 785. The limit is far from both.
MOST_COLUMNS = 4096
LONGEST_NAME = 1000  # characters; a name stands in every message about its column
_SET_BY_INGEST = {"event_id", "dataset", "raw", "source_file", "source_line", "extra"}


@dataclass(frozen=True)
class Layout:
    """Where each column of a file goes."""

    own: dict[str, str] = field(default_factory=dict)  # column of the file → its name in the event table
    event: dict[str, list[str]] = field(default_factory=dict)  # event column → columns of the file, joined by a blank
    label: str = ""
    family: str = ""
    notes: tuple[str, ...] = ()


def check_header(names: Sequence[str], where: str) -> None:
    """Refuse a table that has too many columns, or too long a name, before its rows are read.

    Raises
    ------
    FormatError
    """
    check_width(len(names), where)
    for position, name in enumerate(names, 1):
        if len(name) > LONGEST_NAME:
            raise FormatError(
                f"{where}: the name of column {position} has {len(name):,} characters, and {LONGEST_NAME:,} is the most. "
                "Give the names in the recipe: table.columns."
            )


def check_width(columns: int, where: str) -> None:
    """Refuse a table that has too many columns, before anything is asked of each.

    Raises
    ------
    FormatError
    """
    if columns > MOST_COLUMNS:
        raise FormatError(
            f"{where} has {columns:,} columns, and {MOST_COLUMNS:,} is the most that is read. Keep those that matter, "
            "or store one value a row."
        )


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names with blanks and line breaks as one blank, the empty ones filled in, and repeated ones numbered.

    Examples
    --------
    >>> unique_names(["a", " a", "a_2", "", "b\\nc"])
    ['a', 'a_3', 'a_2', 'column_4', 'b c']
    """
    bases = [" ".join(name.split()) or f"column_{position}" for position, name in enumerate(names, 1)]
    taken, used, counts = set(bases), set[str](), dict[str, int]()
    unique = []
    for base in bases:
        name = base
        while name in used or (name != base and name in taken):
            counts[base] = counts.get(base, 1) + 1
            name = f"{base}_{counts[base]}"
        used.add(name)
        unique.append(name)
    return unique


def lay_out(names: Sequence[str], options: ReadOptions, *, where: str) -> Layout:
    """Return where each column goes.

    Raises
    ------
    FormatError
        If the recipe names a column that the file does not have; one that it only drops may be absent.
    """
    shape, truth = options.table or TableShape(), options.truth
    wanted = [*shape.rename, *shape.types]
    label, family = (truth.column, truth.family_column) if truth else ("", "")
    for name in [*wanted, *(n for n in (label, family) if n)]:
        if name not in names:
            raise FormatError(f"{where} has no column {name!r}, which the recipe names.{did_you_mean(name, names)}")
    event: dict[str, list[str]] = {}
    for name, column in shape.rename.items():
        if column not in EVENT or column in _SET_BY_INGEST:
            raise RecipeError(f"table.rename: {name!r} cannot become {column!r}.{did_you_mean(column, EVENT)}")
        event.setdefault(column, []).append(name)
    absent = [repr(name) for name in shape.drop if name not in names]
    notes: list[str] = [f"There is no column {', '.join(absent)}, which the recipe drops."] if absent else []
    rest = [n for n in names if n not in (label, family) and n not in shape.rename and n not in shape.drop]
    own = plain_columns(rest, options.column_types)
    for name, plain in own.items():
        if name.casefold() in EVENT:
            notes.append(f"Column {name!r} is named {plain!r} here: {name!r} is an event column (see table.rename).")
        elif name != plain:
            notes.append(f"Column {name!r} is named {plain!r} here.")
        if truth is None and name.lower() in _LIKELY_LABELS:
            notes.append(
                Assumption(
                    "labels",
                    f"Column {name!r} looks like ground truth. Declare it in [truth], or models will learn from it.",
                )
            )
    return Layout(own, event, label, family, tuple(notes))


def declared_plan(name: str, own_name: str, own_plan: Plan | None, options: ReadOptions, zone: object) -> Plan | None:
    """Return how a column is to be read by the recipe, else as it is stored already; None if neither says.

    `own_plan` is what the file itself looks like; it stands where it gives the stored type.
    """
    shape = options.table or TableShape()
    declared = shape.types.get(name)
    if declared is None and own_name in options.column_types:
        declared = _ARROW_KINDS.get(options.column_types[own_name], "text")  # type: ignore[assignment]
        if declared == "number" and own_plan is not None and own_plan.kind == "boolean":
            return own_plan
    if declared is None:
        return None
    kind = "text" if declared == "category" else declared
    return Plan(kind, shape.decimal == ",", options.time_format, zone)  # type: ignore[arg-type]


def event_columns(
    layout: Layout, cells: Mapping[str, pa.Array], options: ReadOptions, zone: object, bad: dict[int, str]
) -> dict[str, pa.Array]:
    """Return the event columns that the recipe renames to; rows that do not fit are added to `bad`."""
    columns: dict[str, pa.Array] = {}
    for column, names in layout.event.items():
        values = cells[names[0]]
        for name in names[1:]:
            values = pc.binary_join_element_wise(values, cells[name], " ")
        to = EVENT[column].type
        if column == "time":
            plan = Plan("time", False, options.time_format, zone)  # type: ignore[arg-type]
        elif pa.types.is_integer(to):
            plan = Plan("integer")
        elif pa.types.is_floating(to):
            plan = Plan("number", (options.table or TableShape()).decimal == ",")
        else:
            plan = Plan("text")
        converted, wrong = typed(values, plan)
        for row, reason in wrong.items():
            bad.setdefault(row, f"{' '.join(names)} is {reason}")
        columns[column] = _cast(converted, to, values, names, bad)
    return columns


def truth_of(layout: Layout, cells: Mapping[str, pa.Array], options: ReadOptions) -> pa.Table | None:
    """Return the ground truth that the file's own columns hold, None if the recipe names none."""
    if options.truth is None or not layout.label:
        return None
    labels = cells[layout.label].to_pylist()
    families = (cells[layout.family] if layout.family else cells[layout.label]).to_pylist()
    said = {label: judge(label, options.truth) for label in set(labels)}
    malicious = [said[label] for label in labels]
    if not layout.family:  # the label itself is the family, unless it is a mere yes or no
        families = [f if m and f not in ("0", "1") else None for f, m in zip(families, malicious, strict=True)]
    return truth_table(malicious, families, options.truth.techniques)


def _cast(values: pa.Array, to: pa.DataType, cells: pa.Array, names: list[str], bad: dict[int, str]) -> pa.Array:
    if to == TEXTS:
        return pc.split_pattern(values, ",")
    if values.type == to:
        return values
    if to == pa.int32():
        inside = pc.and_(pc.less(values, 2**31), pc.greater_equal(values, -(2**31))).fill_null(True)
        for row, fits in enumerate(inside.to_pylist()):
            if not fits:
                bad.setdefault(row, f"{' '.join(names)} is {cells[row].as_py()!r}, which is too large")
        values = pc.if_else(inside, values, pa.scalar(None, values.type))
    return values.cast(to)
