"""Cells of a table, as text → what type each column is, and its typed values.

A column is a number only if all of its cells are; what a spreadsheet would change silently (whole numbers over 2^53,
leading zeros) stays text, and says so. NaN and Infinity are missing, and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._columns import LATEST_S
from socml.formats._iso import from_iso
from socml.formats._remembered import remembered
from socml.formats.table._table_digits import Digits, ungrouped, with_sign, without_unit
from socml.project import TIME

Kind = Literal["number", "integer", "text", "time", "boolean"]

_EXACT = 2**53  # whole numbers beyond it have no exact double
_NOT_FINITE = ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"]
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NO_DIGIT = re.compile("[^0-9]")
_STARTS = frozenset("+-−–(.0123456789$€£¥")  # how numbers begin, with a unit or without
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,13}")
_YES = "true t yes y 1 on vrai oui wahr ja verdadero sí si vero sì verdadeiro sim waar"
_NO = "false f no n 0 off faux non falsch nein falso não nao onwaar nee"
_WORDS = dict.fromkeys(_YES.split(), 1.0) | dict.fromkeys(_NO.split(), 0.0)


@dataclass
class Profile:
    """What was seen in one column so far."""

    rows: int = 0
    present: int = 0
    numeric: int = 0
    hexadecimal: int = 0
    digits: Digits = field(default_factory=Digits)
    not_finite: Counter[str] = field(default_factory=Counter)
    too_large: str = ""  # the first whole number that a double does not hold
    padded: str = ""  # the first number with leading zeros
    others: int = 0
    words: set[str] = field(default_factory=set)  # the first different cells that are no numbers, in lower case
    first_other: tuple[str, int] = ("", 0)
    only: str | None = None  # the one value there is, while there is one
    varies: bool = False

    def see(self, cells: pa.Array, lines: np.ndarray) -> None:
        """Count in a block of cells; null is missing."""
        self.rows += len(cells)
        present = cells.drop_null()
        self.present += len(present)
        if not len(present):
            return
        self._see_variety(present)
        lower = pc.utf8_lower(present)
        unreal = pc.is_in(lower, value_set=pa.array(_NOT_FINITE))
        if pc.any(unreal).as_py():
            self.not_finite.update(present.filter(unreal).to_pylist())
            present = present.filter(pc.invert(unreal))
        try:
            values = np.asarray(present.cast(pa.float64()))
            whole = pc.match_substring_regex(present, "^[+-]?[0-9]+$")
            suspicious = pc.or_(
                pc.and_(whole, pa.array(~(np.abs(values) < _EXACT))), pc.match_substring_regex(present, "^[+-]?0[0-9]")
            )
            suspicious = pc.or_(suspicious, pa.array(~np.isfinite(values)))
            self.digits.see_plain(present)
            self.numeric += len(present) - pc.sum(suspicious).as_py() if len(present) else 0
            odd = present.filter(suspicious).to_pylist()
        except pa.ArrowInvalid:
            odd = present.to_pylist()
            self.digits.see_plain(present.filter(pc.match_substring_regex(present, f"^{_DECIMAL.pattern}$")))
        if odd:
            where = dict(zip(reversed(cells.to_pylist()), reversed(lines.tolist()), strict=True))
            for cell in odd:
                self._see_one(cell, where)

    def _see_variety(self, present: pa.Array) -> None:
        if not self.varies:
            self.only = present[0].as_py() if self.only is None else self.only
            self.varies = not pc.all(pc.equal(present, self.only)).as_py()

    def _see_one(self, written: str, where: dict[str, int]) -> None:
        if written[:1] in _STARTS and self._is_number(self.digits.without_unit(self.digits.with_sign(written))):
            return
        self.others += 1
        if len(self.words) < 20:
            self.words.add(written.lower())
        if not self.first_other[0]:
            self.first_other = (written, where.get(written, 0))

    def _is_number(self, cell: str) -> bool:
        """Count in a cell without its unit if it is a number, however written; return whether it is one."""
        if _DECIMAL.fullmatch(cell):
            digits = cell.lstrip("+-")
            if digits.isdecimal() and len(digits) > 1 and digits.startswith("0"):
                self.padded = self.padded or cell
            elif (digits.isdecimal() and float(digits) >= _EXACT) or not np.isfinite(float(cell)):
                self.too_large = self.too_large or cell
            self.numeric += 1
        elif _HEX.fullmatch(cell):
            self.hexadecimal += 1
        elif self.digits.see(cell):
            digits = _NO_DIGIT.sub("", cell)
            if len(digits) > 15 and float(digits) >= _EXACT:
                self.too_large = self.too_large or cell
        else:
            return False
        return True

    @property
    def numbers(self) -> int:
        """How many cells are numbers, however written."""
        return self.numeric + self.hexadecimal + self.digits.numbers


@dataclass(frozen=True)
class Plan:
    """How to read one column. `groups` are the characters that may part groups of three digits, `unit` is beside each number."""

    kind: Kind
    decimal_comma: bool = False
    time_format: str = ""
    zone: ZoneInfo | None = None
    groups: str = ""
    unit: str = ""
    signs: bool = False  # some have their minus elsewhere than before the number


def plan_column(seen: Profile, name: str, delimiter: str) -> tuple[Plan | None, list[str]]:
    """Return how to read a column, None if it is empty, with what the reader should know about it."""
    notes: list[str] = []
    if not seen.present or (seen.not_finite and seen.present == sum(seen.not_finite.values())):
        return None, [f"Column {name!r} is empty and was left out."]
    if seen.not_finite:
        listed = ", ".join(f"{n:,} {token}" for token, n in sorted(seen.not_finite.items()))
        notes.append(f"Column {name!r}: {listed} read as missing.")
    if not seen.others:
        plan, told = _plan_of_numbers(seen, name, delimiter)
        return plan, notes + told
    if seen.words <= set(_WORDS) and seen.numbers == seen.numeric and not seen.digits.units:
        notes.append(f"Column {name!r}: {', '.join(sorted(seen.words))} read as 1 and 0.")
        return Plan("boolean"), notes
    if seen.numbers > 0.9 * seen.present:
        cell, line = seen.first_other
        notes.append(
            f"Column {name!r} is text, not a number: {seen.others:,} of {seen.present:,} rows ({cell[:40]!r} first at "
            f"line {line:,}). Give it a type in [table.types] to quarantine those rows."
        )
    return Plan("text"), notes


def _plan_of_numbers(seen: Profile, name: str, delimiter: str) -> tuple[Plan, list[str]]:
    """Return how to read a column of numbers alone: as text where a number would say something else."""
    marks, units = seen.digits.marks(delimiter), seen.digits.units
    why = (
        f"{seen.too_large[:40]} does not fit a number exactly" if seen.too_large
        else f"{seen.padded[:40]!r} has leading zeros" if seen.padded
        else "its numbers are all equally long, as names are" if seen.digits.are_names(seen.numbers)
        else "all its numbers are in brackets, or have their minus behind" if seen.digits.doubtful == seen.numbers
        else "a comma and a point are decimal in it both" if marks is None
        else f"{', '.join(sorted(units))} stand beside some of its numbers" if units and [*units.values()] != [seen.numbers]
        else ""
    )  # fmt: skip
    if why or marks is None:
        return Plan("text"), [f"Column {name!r} is kept as text: {why}."]
    decimal_comma, groups = marks
    notes = []
    if seen.hexadecimal:
        notes.append(f"Column {name!r}: {seen.hexadecimal:,} hexadecimal values read as numbers.")
    if decimal_comma:
        notes.append(f"Column {name!r}: decimal commas read as decimal points.")
    if "," in groups:
        notes.append(f"Column {name!r}: commas read as marks of thousands.")
    if units:
        notes.append(f"Column {name!r}: its numbers are in {min(units)}.")
    if seen.digits.signs:
        notes.append(
            f"Column {name!r}: {seen.digits.signs:,} numbers in brackets, or with another minus, read as negative."
        )
    unit = min(units, default="")
    return Plan("number", decimal_comma, groups=groups, unit=unit, signs=seen.digits.signs > 0), notes


def typed(cells: pa.Array, plan: Plan) -> tuple[pa.Array, dict[int, str]]:
    """Return a column's values, and the rows that do not fit with what they should be.

    Examples
    --------
    >>> column, bad = typed(pa.array(["1,5", None, "0x1F"]), Plan("number", decimal_comma=True))
    >>> column.to_pylist(), bad
    ([1.5, None, 31.0], {})
    """
    if plan.kind == "text":
        nan = pc.is_in(cells, value_set=pa.array(["nan", "NaN"]))
        return pc.if_else(nan, pa.scalar(None, pa.string()), cells), {}
    if plan.kind == "time":
        return _times(cells, plan)
    if plan.kind == "boolean":
        found = [None if c is None else _WORDS.get(c.lower()) for c in cells.to_pylist()]
        return _checked(cells, found, pa.float64(), "true or false")
    if plan.signs:
        cells = with_sign(cells)
    if plan.unit:
        cells = without_unit(cells, plan.unit)
    if plan.groups:
        cells = ungrouped(cells, plan.groups, plan.decimal_comma)
    if plan.decimal_comma:
        cells = pc.replace_substring(cells, ",", ".")
    if plan.kind == "integer":
        return _checked(cells, [_whole(c) for c in cells.to_pylist()], pa.int64(), "a whole number")
    try:
        values = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return _checked(cells, [_number(c) for c in cells.to_pylist()], pa.float64(), "a number", _NOT_FINITE)
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64())), {}


def _checked(
    cells: pa.Array,
    found: Sequence[float | None],
    to: pa.DataType,
    what: str,
    missing: list[str] | None = None,
) -> tuple[pa.Array, dict[int, str]]:
    bad = {
        row: f"{cell[:40]!r}, not {what}"
        for row, (cell, value) in enumerate(zip(cells.to_pylist(), found, strict=True))
        if value is None and cell is not None and cell.lower() not in (missing or ())
    }
    return pa.array(found, to), bad


def _whole(cell: str | None) -> int | None:
    if cell is None:
        return None
    if _HEX.fullmatch(cell):
        return int(cell, 16)
    if not _DECIMAL.fullmatch(cell) or len(cell) > 400:
        return None
    value = int(cell) if cell.lstrip("+-").isdecimal() else float(cell)
    return int(value) if value == value // 1 and -(2**63) <= value < 2**63 else None


def _number(cell: str | None) -> float | None:
    if cell is None:
        return None
    if _HEX.fullmatch(cell):
        return float(int(cell, 16))
    value = float(cell) if _DECIMAL.fullmatch(cell) else None
    return value if value is not None and np.isfinite(value) else None


def _times(cells: pa.Array, plan: Plan) -> tuple[pa.Array, dict[int, str]]:
    moment = remembered(100_000)(partial(_moment, plan=plan))
    found = [None if cell is None else moment(cell) for cell in cells.to_pylist()]
    expected = f"a time like {plan.time_format!r}" if plan.time_format else "a time; give time_format"
    bad = {
        row: f"{cell[:40]!r}, not {expected}"
        for row, (cell, micros) in enumerate(zip(cells.to_pylist(), found, strict=True))
        if micros is None and cell is not None
    }
    return pa.array(found, pa.int64()).view(TIME), bad


def _moment(cell: str, plan: Plan) -> int | None:
    try:
        if plan.time_format:
            when = datetime.strptime(cell, plan.time_format)
        elif _DECIMAL.fullmatch(cell):
            seconds = float(cell)
            return round(seconds * 1e6) if 0 <= seconds < LATEST_S else None
        else:
            when = from_iso(cell.replace("/", "-"))
    except ValueError:
        return None
    whole = (when if when.tzinfo else when.replace(tzinfo=plan.zone or UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86400 + whole.seconds) * 1_000_000 + whole.microseconds
