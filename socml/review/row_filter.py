"""What a person typed into a filter → which rows of a run fit: by whom they are about, when, and their features."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.project import DataError, Sentence, open_table, read_table, run_features_path, visible_line
from socml.review.live_ranking import LiveRanking

LONGEST_FILTER = 4_000  # characters of a filter
MOST = 50  # words of it
WHOM = ("entity", "host", "user", "address")
WHEN = ("time", "after", "before")
_WORD = re.compile(r'-?(?:[^\s"]*"[^"]*"|\S+)')
_TERM = re.compile(r"(?P<name>[\w.]+)(?P<sign>:|>=|<=|!=|=|>|<)(?P<value>.+)", re.DOTALL)
_COMPARE: dict[str, Callable[..., pd.Series]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


class FilterError(DataError):
    """A filter that cannot be understood."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(Sentence(f"filter.{key}", **{name: visible_line(v)[:60] for name, v in values.items()}))


@dataclass(frozen=True)
class Term:
    """One word of a filter: `name` is empty for a word alone, which is looked for in whom a row is about."""

    name: str
    sign: str
    value: str
    negated: bool = False


def parse_filter(text: str) -> list[Term]:
    """Return the words of a filter, all of which a row must fit.

    `word` and `"two words"` are looked for in the entity, whatever the case; `-word` must not be there; `time:2026-03-05`,
    `after:2026-03-05T10` and `before:…` say when, in UTC; `bytes_out>1000` compares a feature (>, <, >=, <=, =, !=), and
    `service:dns` looks for a text in one.

    Raises
    ------
    FilterError
        If it is longer than anybody types.

    Examples
    --------
    >>> [(t.name, t.sign, t.value, t.negated) for t in parse_filter('10.0.0. -"web 1" bytes_out>=1000 time:2026-03-05')]
    [('', ':', '10.0.0.', False), ('', ':', 'web 1', True), ('bytes_out', '>=', '1000', False), ('time', ':', '2026-03-05', False)]
    """
    words = _WORD.findall(text) if len(text) <= LONGEST_FILTER else [""] * (MOST + 1)
    if len(words) > MOST:
        raise FilterError("too_long", words=MOST, characters=LONGEST_FILTER)
    return [_term(word) for word in words]


def rows_that_fit(ranking: LiveRanking, text: str) -> NDArray[np.bool_]:
    """Return for each candidate of a ranking whether it fits a filter; all do if it is empty.

    Raises
    ------
    FilterError
        If a word cannot be understood, or the features that it is about are gone.
    """
    terms = parse_filter(text)
    candidates = ranking.state.candidates
    fits = np.ones(len(candidates), dtype=bool)
    for term in (term for term in terms if term.name in {"", *WHOM, *WHEN}):
        one = _when(candidates["time"], term) if term.name in WHEN else _whom(candidates["entity"], term.value)
        fits &= one != term.negated
    of_features = [term for term in terms if term.name not in {"", *WHOM, *WHEN}]
    if of_features:
        fits &= ranking.state.ids.are_in(_by_features(run_features_path(ranking.project, ranking.run), of_features))
    return fits


def _term(word: str) -> Term:
    negated = word.startswith("-") and len(word) > 1
    word = word[negated:]
    named = None if word.startswith('"') else _TERM.fullmatch(word)
    if named is None or (named["sign"] == ":" and _is_address(word)):
        return Term("", ":", word.replace('"', ""), negated)
    return Term(named["name"], named["sign"], named["value"].replace('"', ""), negated)


def _is_address(word: str) -> bool:
    """Return whether a word is the beginning of an IPv6 address, or an address with its port: no name stands there."""
    return bool(re.fullmatch(r"[0-9a-fA-F]{1,4}:[0-9a-fA-F:.]*|[0-9.]+:\d+", word))


def _whom(entity: pd.Series, wanted: str) -> NDArray[np.bool_]:
    names = entity.cat.categories.astype("str").str.casefold()
    has = np.append(np.asarray(names.str.contains(wanted.casefold(), regex=False), dtype=bool), False)
    return np.asarray(has[entity.cat.codes.to_numpy()])  # -1, of a row about nobody, is the last


def _when(time: pd.Series, term: Term) -> NDArray[np.bool_]:
    try:
        span = pd.Period(term.value.rstrip("Zz"))
        start, end = span.start_time.tz_localize("UTC"), span.end_time.tz_localize("UTC")
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise FilterError("no_time", said=term.value) from None
    if term.name == "after":
        return np.asarray(time >= start)
    return np.asarray(time < start) if term.name == "before" else np.asarray((time >= start) & (time <= end))


def _by_features(path: Path, terms: Sequence[Term]) -> pa.Array:
    """Return the row_id of the rows of a feature table whose features fit."""
    if not path.is_file():
        raise FilterError("gone")
    columns = open_table(path).schema_arrow
    fits = pc.scalar(True)
    for term in terms:
        if term.name not in columns.names:
            near = get_close_matches(term.name, columns.names, n=1, cutoff=0.5)
            raise (
                FilterError("no_feature_near", name=term.name, near=near[0])
                if near
                else FilterError("no_feature", name=term.name)
            )
        one = pc.coalesce(_compared(term, columns.field(term.name).type), pc.scalar(False))
        fits = fits & (~one if term.negated else one)
    return read_table(path, columns=["row_id"], filters=fits)["row_id"].combine_chunks()


def _compared(term: Term, kind: pa.DataType) -> pc.Expression:
    column, value = pc.field(term.name), term.value
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if term.sign == ":":
            return pc.match_substring(column, value, ignore_case=True)
        if term.sign in {"=", "!="}:
            return _COMPARE[term.sign](column, value)
        raise FilterError("is_text", name=term.name, said=value)
    sign = "=" if term.sign == ":" else term.sign
    if pa.types.is_boolean(kind) and value.casefold() in {"true", "false", "1", "0"}:
        return _COMPARE[sign](column, value.casefold() in {"true", "1"})
    return _COMPARE[sign](column, _number(term))


def _number(term: Term) -> float:
    try:
        number = float(term.value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FilterError("no_number", said=term.value, name=term.name)
    return number
