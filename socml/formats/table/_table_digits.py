"""Numbers as people write them → what a comma, a point and a blank mean among the digits of one column.

Digits may stand in groups of three, parted by blanks (1 234,5), commas (1,234.5) or points (1.234,5), and all cells may have the same currency or per cent sign. A comma or point with three
digits behind it can be either; the other cells of the column say which.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

SPACES = " \u00a0\u202f'’"  # in French, on paper, in Switzerland
_START = "[+-]?[1-9][0-9]{0,2}"
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
_ONE_GROUP = re.compile(rf"{_START}[.,][0-9]{{3}}")  # or three decimals
_SPACED = re.compile(rf"{_START}(?:[{SPACES}][0-9]{{3}})+(?P<decimals>[.,][0-9]+)?")
_BY_COMMAS = re.compile(rf"{_START}(?:(?:,[0-9]{{3}}){{2,}}(?:\.[0-9]+)?|,[0-9]{{3}}\.[0-9]+)")
_BY_POINTS = re.compile(rf"{_START}(?:(?:\.[0-9]{{3}}){{2,}}(?:,[0-9]+)?|\.[0-9]{{3}},[0-9]+)")
_POINT_IS_DECIMAL = r"^[+-]?(?:0?|[0-9]{4,})\.|\.(?:[0-9]{0,2}|[0-9]{4,})(?:[eE]|$)"
_WITH_UNIT = re.compile(
    rf"(?P<sign>[+-]?)(?:(?P<front>[$€£¥])[{SPACES}]?)?(?P<number>[0-9][^%$€£¥]*?)(?:[{SPACES}]?(?P<behind>[%$€£¥]|EUR|USD|GBP|CHF))?"
)
_SIGNS = (  # a minus of printers, of accountants, and of old mainframes; what is written to be "-" before the number
    "^[−–]([0-9.,$€£¥].*)$",
    r"^\(([0-9$€£¥][^()]*)\)$",
    "^([0-9][^-]*)-$",
)
_SIGN = re.compile("|".join(_SIGNS))
_LONGEST = 40  # characters of a number with its unit


@dataclass
class Digits:
    """What was seen in one column so far.

    Attributes
    ----------
    commas : numbers with one comma; of those, `decimal_commas` where it cannot part groups of digits
    decimal_points : whether one of the numbers has a point that cannot
    spaced, by_commas, by_points : numbers whose digits are grouped by blanks, by commas, by points
    lengths : of the spaced numbers without decimals
    units : currencies and per cent signs beside numbers, and in how many cells each is
    signs : cells whose minus is not written as programs write it; `doubtful` where it may be none: brackets, a dash behind
    """

    commas: int = 0
    decimal_commas: int = 0
    decimal_points: bool = False
    spaced: int = 0
    by_commas: int = 0
    by_points: int = 0
    lengths: set[int] = field(default_factory=set)
    units: Counter[str] = field(default_factory=Counter)
    signs: int = 0
    doubtful: int = 0

    @property
    def numbers(self) -> int:
        """How many cells are numbers that are not written as programs write them."""
        return self.commas + self.spaced + self.by_commas + self.by_points

    def with_sign(self, cell: str) -> str:
        """Return a cell with its minus as programs write it, which is counted in; the cell itself if it has none.

        Examples
        --------
        >>> digits = Digits()
        >>> [digits.with_sign(cell) for cell in ("(1 234,5)", "\u2212$5", "12-", "-3", "(x)")], digits.signs
        (['-1 234,5', '-$5', '-12', '-3', '(x)'], 3)
        """
        found = _SIGN.match(cell) if len(cell) <= _LONGEST else None
        if found is None:
            return cell
        self.signs += 1
        self.doubtful += cell[0] not in "−–"
        return f"-{found[found.lastindex or 0]}"

    def without_unit(self, cell: str) -> str:
        """Return a cell without its unit, which is counted in; the cell itself if it has none, or is no number.

        Examples
        --------
        >>> digits = Digits()
        >>> [digits.without_unit(cell) for cell in ("1 234,5 €", "-$5", "12", "5 m", "€")], digits.units
        (['1 234,5', '-5', '12', '5 m', '€'], Counter({'€': 1, '$': 1}))
        """
        found = _WITH_UNIT.fullmatch(cell) if len(cell) <= _LONGEST else None
        if found is None or (found["front"] is None) == (found["behind"] is None):
            return cell
        self.units[found["front"] or found["behind"]] += 1
        return found["sign"] + found["number"]

    def see_plain(self, numbers: pa.Array) -> None:
        """Look for decimal points in numbers as programs write them."""
        if not self.decimal_points and pc.any(pc.match_substring(numbers, ".")).as_py():
            self.decimal_points = bool(pc.any(pc.match_substring_regex(numbers, _POINT_IS_DECIMAL)).as_py())

    def see(self, cell: str) -> bool:
        """Count in a cell; return whether it is a number with commas or groups."""
        spaced = _SPACED.fullmatch(cell)
        if spaced:
            decimals = spaced["decimals"] or ""
            self.spaced += 1
            self.decimal_commas += decimals.startswith(",")
            self.decimal_points |= decimals.startswith(".")
            self.lengths |= set() if decimals else {len(cell.lstrip("+-"))}
        elif _COMMA.fullmatch(cell):
            self.commas += 1
            self.decimal_commas += not _ONE_GROUP.fullmatch(cell)
        elif _BY_COMMAS.fullmatch(cell):
            self.by_commas += 1
        elif _BY_POINTS.fullmatch(cell):
            self.by_points += 1
        else:
            return False
        return True

    def are_names(self, numbers: int) -> bool:
        """Return whether blanks part the digits of names, as of companies, and not of quantities: all are equally long."""
        has_decimals = self.decimal_commas or self.decimal_points
        return self.spaced == numbers > 1 and len(self.lengths) == 1 and not has_decimals

    def marks(self, delimiter: str) -> tuple[bool, str] | None:
        """Return whether a comma is the decimal point, and what parts groups of digits; None if cells contradict each other.

        Where each comma can be either, it parts groups if a point is decimal, or if commas part the cells of the table as well.

        Examples
        --------
        >>> digits = Digits()
        >>> digits.see("1,234"), digits.marks(";"), digits.marks(",")
        (True, (True, ''), (False, ','))
        >>> digits.see("1,234,567"), digits.marks(";")
        (True, (False, ','))
        """
        spaces = SPACES if self.spaced else ""
        if self.by_commas:
            return None if self.decimal_commas or self.by_points else (False, f"{spaces},")
        if self.by_points:
            return None if self.decimal_points else (True, f"{spaces}.")
        if self.commas and not self.decimal_commas and (self.decimal_points or delimiter == ","):
            return False, f"{spaces},"
        return bool(self.commas or self.decimal_commas), spaces


def with_sign(cells: pa.Array) -> pa.Array:
    """Return cells with their minus as programs write it.

    Examples
    --------
    >>> with_sign(pa.array(["(5)", "7-", "-1", None])).to_pylist()
    ['-5', '-7', '-1', None]
    """
    for sign in _SIGNS:
        cells = pc.replace_substring_regex(cells, sign, r"-\1")
    return cells


def without_unit(cells: pa.Array, unit: str) -> pa.Array:
    """Return cells without a unit that all have.

    Examples
    --------
    >>> without_unit(pa.array(["-$ 5", "7 $", None]), "$").to_pylist()
    ['-5', '7', None]
    """
    return pc.replace_substring_regex(
        cells, f"[{SPACES}]?[{unit}]" + f"[{SPACES}]?" if len(unit) == 1 else f"[{SPACES}]?{unit}", ""
    )


def ungrouped(cells: pa.Array, groups: str, decimal_comma: bool) -> pa.Array:
    """Return cells without what parts groups of three digits; other cells as they are.

    Examples
    --------
    >>> ungrouped(pa.array(["1 234,5", "12 34", "-1 000"]), " ", True).to_pylist()
    ['1234,5', '12 34', '-1000']
    """
    decimal = "," if decimal_comma else "[.]"
    grouped = pc.match_substring_regex(cells, f"^[+-]?[0-9]{{1,3}}(?:[{groups}][0-9]{{3}})+(?:{decimal}[0-9]+)?$")
    return pc.if_else(grouped, pc.replace_substring_regex(cells, f"[{groups}]", ""), cells)
