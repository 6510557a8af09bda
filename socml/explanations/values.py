"""A feature's value → how an analyst reads it: bytes in kB, durations in minutes, shares in percent."""

from __future__ import annotations

import math
import re
from numbers import Real

from socml.project import TableMetadata, Words, visible_line

LONGEST_CATEGORY = 40  # characters of a category that are shown
LONGEST_STEPS = 160  # the same, of the steps of a sequence
_UNIT_TAIL = re.compile(r", (in seconds|en secondes|(de )?0 (to|à) 1)$")
_BYTES = (1.0, 1e3, 1e6, 1e9, 1e12, 1e15)


def feature_label(feature: str, metadata: TableMetadata, language: str) -> str:
    """Return what a feature means, in words, without the unit that its value carries anyway.

    Examples
    --------
    >>> feature_label("longest_s", {"columns": {"longest_s": "longest connection, in seconds"}}, "en")
    'longest connection'
    >>> feature_label("src_bytes", {}, "en")
    'src bytes'
    """
    columns = metadata.get("columns") or {}
    own = (metadata.get("columns_fr") or {}) if language == "fr" else {}
    label = str(own.get(feature) or columns.get(feature) or feature)
    if label == feature:
        label = feature.replace("_", " ").strip() or feature
    return visible_line(_UNIT_TAIL.sub("", label))


def unit_of(feature: str, metadata: TableMetadata) -> str:
    """Return the unit of a feature: "bytes", "seconds", "share", "steps" or "" (a number), by meaning, then by name.

    Examples
    --------
    >>> unit_of("largest_upload", {"columns": {"largest_upload": "bytes sent in the largest connection"}})
    'bytes'
    >>> unit_of("duration_s", {}), unit_of("failed_share", {}), unit_of("flows", {})
    ('seconds', 'share', '')
    """
    about = str((metadata.get("columns") or {}).get(feature, ""))
    parts = feature.lower().split("_")
    if about.endswith(", in seconds") or parts[-1] in {"s", "seconds"}:
        return "seconds"
    if about.endswith(", 0 to 1") or parts[-1] == "share":
        return "share"
    if about.startswith("steps in order"):
        return "steps"
    if about.startswith("bytes ") or ("bytes" in parts and not {"ratio", "rate", "entropy"} & set(parts)):
        return "bytes"
    return ""


def value_in_words(feature: str, value: float | None, category: object, metadata: TableMetadata, words: Words) -> str:
    """Return a value as an analyst reads it; a category in quotes, harmless.

    Examples
    --------
    >>> from socml.project.wording import words
    >>> value_in_words("source_bytes", 4_200_000.0, None, {}, words("fr"))
    '4,2\\xa0Mo'
    >>> value_in_words("service_port", None, "22", {}, words("en"))
    '“22”'
    """
    if category is not None and category == category:  # noqa: PLR0124 (NaN)
        text = visible_line(category)
        longest = LONGEST_STEPS if unit_of(feature, metadata) == "steps" else LONGEST_CATEGORY
        shown = text if len(text) <= longest else text[: longest - 1] + "…"
        return words("explanation.quoted", text=shown)
    if value is None or math.isnan(value):
        return words("explanation.missing")
    if (metadata.get("fill") or {}).get(feature) == value:
        return words("explanation.none")
    return number_in_words(value, unit_of(feature, metadata), words)


def cell_in_words(feature: str, cell: object, metadata: TableMetadata, words: Words) -> str:
    """Return a cell of a feature table, number or category or missing, as an analyst reads it.

    Examples
    --------
    >>> from socml.project.wording import words
    >>> [cell_in_words("port", cell, {}, words("en")) for cell in (22.0, "ssh", None)]
    ['22', '“ssh”', 'missing']
    """
    if cell is None or isinstance(cell, Real):
        return value_in_words(feature, None if cell is None else float(cell), None, metadata, words)
    return value_in_words(feature, None, cell if cell == cell else None, metadata, words)  # noqa: PLR0124 (NaT, NaN)


def number_in_words(value: float, unit: str, words: Words) -> str:
    """Return a number with its unit, to three figures.

    Examples
    --------
    >>> from socml.project.wording import words
    >>> number_in_words(7385, "seconds", words("en")), number_in_words(0.985, "share", words("en"))
    ('2\\xa0h 3\\xa0min', '98.5\\xa0%')
    >>> number_in_words(1204, "", words("en"))
    '1,204'
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if unit == "bytes":
        return _bytes(value, words)
    if unit == "seconds":
        return _duration(value, words)
    if unit == "share":
        return f"{plain_number(100 * value, words)}\u00a0%"
    return plain_number(value, words)


def plain_number(value: float, words: Words) -> str:
    """Return a number with no more digits than tell it apart to half a percent."""
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-4:
        return f"{value:.1e}"
    for digits in range(7):
        if abs(round(value, digits) - value) <= 0.005 * abs(value):
            return words.number(value, digits)
    return words.number(value, 6)


def _bytes(value: float, words: Words) -> str:
    if abs(value) < 1000:
        return f"{plain_number(value, words)}\u00a0{words('explanation.unit.byte')}"
    power = min(sum(abs(value) >= 0.9995 * limit for limit in _BYTES) - 1, len(_BYTES) - 1)
    return f"{plain_number(value / _BYTES[power], words)}\u00a0{words(f'explanation.unit.byte{power}')}"


def _duration(seconds: float, words: Words) -> str:
    if abs(seconds) < 1 and seconds:
        return f"{plain_number(1000 * seconds, words)}\u00a0ms"
    if abs(seconds) < 60:
        return f"{plain_number(seconds, words)}\u00a0s"
    rest = round(abs(seconds))
    day = words("explanation.unit.day")
    sizes = ((86400, day), (3600, "h"), (60, "min"), (1, "s"))
    first = next(i for i, (size, _) in enumerate(sizes) if rest >= size)
    (large, large_unit), (small, small_unit) = sizes[first], sizes[first + 1]
    text = f"{words.number(rest // large)}\u00a0{large_unit}"
    if rest % large // small:
        text += f" {rest % large // small}\u00a0{small_unit}"
    return f"-{text}" if seconds < 0 else text
