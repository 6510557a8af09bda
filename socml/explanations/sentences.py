"""Explanation rows → words: a headline, and a line for each feature that pushed most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, TypeGuard, TypeVar, cast

from socml.explanations.values import feature_label, number_in_words, plain_number, unit_of, value_in_words
from socml.project import TableMetadata, Words, words

if TYPE_CHECKING:
    import pandas as pd

LONGEST_HEADLINE = 30  # words
WORTH_SAYING = 0.1  # share of the push below which a feature is not in the headline
HIGH_PERCENTILE = 90.0
FEW_PEERS = 0.05
RARE_PEERS = 0.2  # share of entities with a category, above which the headline does not mention it


_Known = TypeVar("_Known")


class ExplanationRow(TypedDict):
    """A row of the explanation table, as `EXPLANATION` declares its columns; NaN and None are missing."""

    feature: str
    value: float
    category: str | None
    contribution: float
    share: float
    contribution_error: float | None
    value_percentile: float
    entity_low: float
    entity_high: float
    everyone_low: float
    everyone_high: float
    peers: float


def headline(rows: pd.DataFrame, *, features_metadata: TableMetadata, language: str = "en") -> str:
    """Return what is unusual about a row in at most 30 words, most unusual first, without column names.

    Parameters
    ----------
    rows : the explanation table of one row
    features_metadata : the feature table's `attrs["socml"]`, for what its columns mean
    """
    return headline_of(_records(rows.sort_values("position")), features_metadata=features_metadata, language=language)


def headline_of(rows: Sequence[ExplanationRow], *, features_metadata: TableMetadata, language: str = "en") -> str:
    """Return the `headline` of one row's explanation as plain records, ordered by `position`."""
    say = words(language)
    pushing = [row for row in rows if row["contribution"] > 0]
    if not pushing:
        return say("explanation.nothing")
    worth = [row for row in pushing if row["share"] >= WORTH_SAYING][:3] or pushing[:1]
    phrases = [_phrase(row, features_metadata, say) for row in worth]
    for count in range(len(phrases), 0, -1):
        text = say("explanation.separator").join(phrases[:count])
        if len(text.split()) <= LONGEST_HEADLINE:
            return _sentence(text)
    return _sentence(" ".join(phrases[0].split()[: LONGEST_HEADLINE - 1]) + " …")


def why_table(
    rows: pd.DataFrame, *, features_metadata: TableMetadata, language: str = "en", top: int = 8
) -> pd.DataFrame:
    """Return a line for each of the features that push most toward anomalous: what, how unusual, its share.

    All text is inert. The share is of all that pushes toward anomalous, and of the score's explanation; where it is
    estimated, its standard error stands beside it.
    """
    import pandas as pd

    say = words(language)
    pushing = rows[rows["contribution"] > 0].sort_values("position").head(top)
    heads = [say(f"explanation.column.{key}") for key in ("what", "words", "share")]
    lines = [
        (
            feature_label(row["feature"], features_metadata, language),
            feature_in_words(row, features_metadata, say),
            _share(row, say),
        )
        for row in _records(pushing)
    ]
    return pd.DataFrame(lines, columns=heads)


def estimated_in_words(rows: pd.DataFrame, *, language: str = "en") -> str:
    """Return how far off the shares of one row may be: the largest standard error; empty where they are exact."""
    errors = [error for error in map(_share_error, _records(rows)) if _is(error)]
    if not max(errors, default=0.0):
        return ""
    say = words(language)
    return say("explanation.estimated", error=_points(max(errors), say))


def feature_in_words(row: ExplanationRow, metadata: TableMetadata, say: Words) -> str:
    """Return this value, what is usual for the entity and for everyone, and where it stands."""
    feature, unit = row["feature"], unit_of(row["feature"], metadata)
    parts = [value_in_words(feature, row["value"], row["category"], metadata, say)]
    usual = []
    if _is(row["entity_high"]):
        own = _range(row["entity_low"], row["entity_high"], unit, say)
        usual.append(say("explanation.usual_entity", range=own, whom=say(f"explanation.whom.{whom(metadata)}")))
    if _is(row["everyone_low"]):
        key = "explanation.and_everyone" if usual else "explanation.usual_everyone"
        usual.append(say(key, range=_range(row["everyone_low"], row["everyone_high"], unit, say)))
    if usual:
        parts.append(", ".join(usual))
    standing = _current(row, metadata, say)
    return say("explanation.separator").join([*parts, standing] if standing else parts)


def error_in_words(row: ExplanationRow, say: Words) -> str:
    """Return the standard error of a row's share, in percentage points; empty where the share is exact.

    Examples
    --------
    >>> row = {"contribution": 2.0, "share": 0.5, "contribution_error": 0.11}
    >>> error_in_words(row, words("en")), error_in_words({**row, "contribution_error": None}, words("en"))
    ('±\\xa03', '')
    """
    error = _share_error(row)
    return f"±\u00a0{_points(error, say)}" if _is(error) else ""


def whom(metadata: TableMetadata) -> str:
    """Return which word stands for the entity of a feature set.

    Examples
    --------
    >>> whom({"entity": ["user_name", "host_name"]}), whom({"entity": ["source_ip"]}), whom({})
    ('account', 'host', 'entity')
    """
    entity = set(metadata.get("entity") or [])
    if "user_name" in entity:
        return "account"
    return "host" if entity & {"source_ip", "destination_ip", "host_name"} else "entity"


def percentile_in_words(percentile: float, say: Words) -> str:
    """Return a percentile, rounded down so that 99.97 is never said to be 100.

    Examples
    --------
    >>> percentile_in_words(99.978, words("en")), percentile_in_words(87.3, words("en"))
    ('99.97', '87')
    """
    digits = 0 if percentile < 99 else 1 if percentile < 99.9 else 2
    scale = 10**digits
    return say.number(math.floor(percentile * scale + 1e-9) / scale, digits)


def _phrase(row: ExplanationRow, metadata: TableMetadata, say: Words) -> str:
    label = feature_label(row["feature"], metadata, say.language)
    value = value_in_words(row["feature"], row["value"], row["category"], metadata, say)
    for low, high in ((row["entity_low"], row["entity_high"]), (row["everyone_low"], row["everyone_high"])):
        if _is(high) and (row["value"] > high or (_is(low) and row["value"] < low)):
            usual = _range(low, high, unit_of(row["feature"], metadata), say)
            return say("explanation.phrase", what=label, value=value, usual=usual)
    if _is(row["category"]) and _is(row["peers"]) and row["peers"] <= RARE_PEERS:
        share = plain_number(100 * row["peers"], say)
        return say("explanation.phrase_category", what=label, value=value, share=share)
    return say("explanation.phrase_plain", what=label, value=value)


def _current(row: ExplanationRow, metadata: TableMetadata, say: Words) -> str:
    peers = row["peers"]
    if _is(row["category"]) and _is(peers):
        return say(f"explanation.has.{whom(metadata)}", share=plain_number(100 * peers, say))
    texts = []
    if _is(row["value_percentile"]) and row["value_percentile"] >= HIGH_PERCENTILE:
        texts.append(say("explanation.above", share=percentile_in_words(row["value_percentile"], say)))
    elif _is(row["everyone_low"]) and row["value"] < row["everyone_low"]:
        texts.append(say("explanation.below"))
    if _is(peers) and peers <= FEW_PEERS:
        texts.append(say(f"explanation.reach.{whom(metadata)}", share=plain_number(100 * peers, say)))
    return say("explanation.separator").join(texts)


def _share(row: ExplanationRow, say: Words) -> str:
    return f"{say.number(100 * row['share'])}\u00a0% {error_in_words(row, say)}".rstrip(" ")


def _share_error(row: ExplanationRow) -> float:
    """Return the standard error of a share, 0 to 1, that of all pushes together left out; NaN where it is exact."""
    error = row.get("contribution_error")
    if not _is(error) or not row["contribution"]:
        return math.nan
    return abs(error * row["share"] / row["contribution"])


def _points(share: float, say: Words) -> str:
    """Return a share's error in percentage points, rounded up, so that none is said to be 0."""
    points = 100 * share
    return say.number(math.ceil(points)) if points >= 1 else say.number(math.ceil(10 * points) / 10, 1)


def _range(low: float, high: float, unit: str, say: Words) -> str:
    """Return what is usual from `low` to `high`, or at most if `low` is not known."""
    if not _is(low):
        return say("explanation.at_most", value=number_in_words(high, unit, say))
    first, last = number_in_words(low, unit, say), number_in_words(high, unit, say)
    if first == last:
        return first
    same_unit = first.split("\u00a0")[1:] == last.split("\u00a0")[1:]
    dash = say("explanation.to")
    return f"{first.split(chr(0xA0))[0]}{dash}{last}" if same_unit else f"{first}{dash}{last}"


def _is(value: _Known | None) -> TypeGuard[_Known]:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _records(rows: pd.DataFrame) -> list[ExplanationRow]:
    return [cast("ExplanationRow", row) for row in rows.to_dict("records")]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
