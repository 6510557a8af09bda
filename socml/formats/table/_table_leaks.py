"""The cells of a labelled table, block by block → columns that give the label away, each said once.

Blind to leaks that need two columns, and to shares: a column that is right 99 times in a hundred is not reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["LabelWatch"]

_MOST = 200  # spellings of a column; one with more is no category
_REPEATED = 10  # rows a value, on average: values that hardly repeat say nothing of a label
_LEAST_ROWS = 50  # of each label: fewer say little
_SAME = {"true": "1", "false": "0", "yes": "1", "no": "0"}
_NAMES = {"difficulty", "difficulty_level", "attempted category"}  # made from the labels by their publishers
_LISTED = 8


@dataclass
class _Column:
    spellings: dict[str, list[int]] | None = field(default_factory=dict)  # spelling → [benign, malicious]
    ranges: dict[int, list[float]] | None = field(default_factory=dict)  # [low, high] of each label
    ids: bool | None = None  # whether the first block has another value in every row


class LabelWatch:
    """Watches the columns of one file. Cells are text as they were written, null where missing.

    Examples
    --------
    >>> watch = LabelWatch(["signal", "bytes"])
    >>> cells = {"signal": pa.array(["1", "true "] * 50), "bytes": pa.array(["1", "1"] * 50)}
    >>> watch.see(cells, pa.array([True, False] * 50))
    >>> watch.warnings()
    ["The spelling of 'signal' gives the label away: '1' is always malicious, 'true ' always benign. It is the publisher's doing; spellings are read as one value."]
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._columns = {name: _Column() for name in names}
        self._labels = [0, 0]

    def see(self, cells: Mapping[str, pa.Array], malicious: pa.Array) -> None:
        """Take the cells of a block, and whether each row is malicious (null: not known)."""
        for label in (False, True):
            chosen = pc.equal(malicious, label).fill_null(False)
            self._labels[label] += pc.sum(chosen).as_py() or 0
            for name, column in self._columns.items():
                if column.spellings is not None or column.ranges is not None:
                    _see(column, cells[name].filter(chosen), int(label))
        for name, column in self._columns.items():
            if column.ids is None:
                column.ids = _is_id(cells[name])

    def warnings(self) -> list[str]:
        """Return what is to be said of the file, once it was seen whole."""
        notes = [
            f"Column {name!r} was made from the labels by the publisher. Drop it: table.drop = [{name!r}]."
            for name in self._columns
            if name.strip().lower() in _NAMES
        ]
        ids = [repr(name) for name, column in self._columns.items() if column.ids]
        if ids:
            notes.append(
                f"Another value in every row, so these are names of the rows, not features: {_listed(ids)}. "
                "Drop them: table.drop."
            )
        if min(self._labels) < _LEAST_ROWS:
            return notes
        alone = []
        for name, column in self._columns.items():
            if spelt := _by_spelling(name, column):
                notes.append(spelt)
            elif not column.ids and (_by_value(column) or _by_range(column)):
                alone.append(repr(name))
        if alone:
            notes.append(
                f"These columns tell malicious from benign alone, without one error: {_listed(alone)}. Unless that is "
                "how the attack works, it is how the data was made: drop them (table.drop)."
            )
        return notes


def _see(column: _Column, values: pa.Array, label: int) -> None:
    values = values.drop_null()
    if not len(values):
        return
    if column.spellings is not None:
        counts = values.value_counts()
        if len(counts) > _MOST:
            column.spellings = None
        else:
            for entry in counts.to_pylist():
                column.spellings.setdefault(entry["values"], [0, 0])[label] += entry["counts"]
            if len(column.spellings) > 2 * _MOST:
                column.spellings = None
    if column.ranges is not None:
        try:
            bounds = pc.min_max(pc.utf8_trim_whitespace(values).cast(pa.float64())).as_py()
        except pa.ArrowInvalid:
            column.ranges = None
        else:
            seen = column.ranges.get(label, [])
            column.ranges[label] = [min([*seen[:1], bounds["min"]]), max([*seen[1:], bounds["max"]])]


def _is_id(values: pa.Array) -> bool:
    values = values.drop_null()
    if len(values) < 2 * _LEAST_ROWS or pc.count_distinct(values).as_py() < len(values):
        return False
    try:
        whole = pc.utf8_trim_whitespace(values).cast(pa.int64())
    except pa.ArrowInvalid:
        is_number = pc.match_substring_regex(values, r"^\s*[-+.0-9eE]+\s*$")
        is_sentence = pc.match_substring_regex(values.cast(pa.string()), r"\S\s+\S")
        return not (pc.all(is_number).as_py() or pc.any(is_sentence).as_py())
    steps = pc.pairwise_diff(whole).drop_null()
    return bool(pc.all(pc.greater(steps, 0)).as_py())


def _by_spelling(name: str, column: _Column) -> str:
    if not column.spellings:
        return ""
    groups: dict[str, dict[str, list[int]]] = {}
    for spelling, counts in column.spellings.items():
        groups.setdefault(_meaning(spelling), {})[spelling] = counts
    for group in groups.values():
        pure = all(min(counts) == 0 for counts in group.values())
        bad = [spelling for spelling, counts in group.items() if counts[1]]
        good = [spelling for spelling, counts in group.items() if counts[0]]
        if len(group) > 1 and pure and bad and good:
            return (
                f"The spelling of {name!r} gives the label away: {bad[0]!r} is always malicious, {good[0]!r} always "
                "benign. It is the publisher's doing; spellings are read as one value."
            )
    return ""


def _meaning(spelling: str) -> str:
    text = spelling.strip().lower()
    text = _SAME.get(text, text)
    return text.removesuffix(".0")


def _by_value(column: _Column) -> bool:
    counts = list((column.spellings or {}).values())
    often = sum(map(sum, counts)) >= _REPEATED * len(counts)
    return len(counts) > 1 and often and all(min(both) == 0 for both in counts)


def _by_range(column: _Column) -> bool:
    if column.ranges is None or len(column.ranges) < 2:
        return False
    benign, malicious = column.ranges[0], column.ranges[1]
    return benign[1] < malicious[0] or malicious[1] < benign[0]


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
