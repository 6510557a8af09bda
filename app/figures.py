"""Numbers in tables, cells and charts → written as the language of the page writes them: 4,5 and 12 000 in French.

Streamlit and Vega would follow the browser's language, or none.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from socml.project import Words, error_text, visible_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import altair as alt
    import pandas as pd

DIGITS = 4  # after the comma, at most
SMALL = 1e-4  # below, as a power of ten
_FRENCH: dict[str, Any] = {
    "number": {
        "decimal": ",",
        "thousands": "\u202f",
        "grouping": [3],
        "currency": ["", "\u00a0€"],
        "percent": "\u202f%",
    },
    "time": {
        "dateTime": "%A %e %B %Y à %X",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["AM", "PM"],
        "days": ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
        "shortDays": ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
        "months": [
            *("janvier", "février", "mars", "avril", "mai", "juin"),
            *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
        ],
        "shortMonths": [
            *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
            *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
        ],
    },
}


def figure(value: float, say: Words, digits: int = DIGITS) -> str:
    """Return a number with the digits that it has, `digits` after the comma at most.

    Examples
    --------
    >>> from socml.project import words
    >>> figure(4.5, words("fr")), figure(12000, words("en")), figure(0.00001, words("fr"))
    ('4,5', '12,000', '1,0e-05')
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value):
        return say.number(value)
    if abs(value) < SMALL:
        return f"{value:.1e}".replace(".", say.number(0.5, 1)[1])
    return say.number(value, digits).rstrip("0").rstrip(".,")


def error_in_words(error: Exception | None, say: Words) -> str:
    """Return what went wrong as the page's language says it; nothing for no error."""
    return error_text(error, say) if error else ""


def moment_text(written: str, say: Words) -> str:
    """Return a moment of a run's record as the page writes moments; as it stands there, if it is none.

    Examples
    --------
    >>> from socml.project import words
    >>> moment_text("2026-03-05T10:02:03.5+00:00", words("fr")), moment_text("", words("fr"))
    ('05/03/2026 10:02:03 UTC', '')
    """
    try:
        return datetime.fromisoformat(written).astimezone(UTC).strftime(say("app.time"))
    except ValueError:
        return written


def plain(value: object) -> str:
    """Return a value as text for what takes Markdown, so that it fetches nothing: a host's name may hold an image's address.

    An address in it is a link, which asks for nothing until it is clicked.

    Examples
    --------
    >>> print(plain("![x](https://example.com)"))
    \\!\\[x\\]\\(https\\://example\\.com\\)
    """
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|:~$^&" else c for c in visible_line(value))


def pair(name: str, value: str, say: Words) -> str:
    """Return a name and its value, the colon set as the language sets it."""
    return f"{name}\u00a0: {value}" if say.language == "fr" else f"{name}: {value}"


def cell_text(name: str, value: Any, say: Words, longest: int) -> str:
    """Return an event's value as text that cannot act; `name` is its column, for a port is no quantity."""
    if value is None or value != value:  # noqa: PLR0124  NaN is not itself
        return ""
    if name.endswith("_port"):
        return str(int(value))
    if isinstance(value, int | float):
        return figure(value, say, 3)
    return visible_line(value)[:longest]


def draw_table(table: pd.DataFrame, say: Words, *, plain: Collection[str] = (), **options: Any) -> Any:
    """Draw a table; its numbers sort as numbers. The columns of `plain` are no quantities: ports, numbers of lines."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    quantities: list[Any] = [
        name
        for name in table.columns
        if name not in plain and is_numeric_dtype(table[name]) and not is_bool_dtype(table[name])
    ]
    written: Any = partial(figure, say=say)
    shown = table.style.format(written, subset=quantities, na_rep="—") if quantities else table
    return st.dataframe(shown, hide_index=True, placeholder="—", **options)


def tips(titles: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return what a mark says under the pointer: each column of the chart by its name on the page, and not by that in the code."""
    import altair as alt

    return [alt.Tooltip(column, title=title) for column, title in titles.items()]


def draw_chart(chart: alt.Chart | alt.LayerChart, say: Words, **options: Any) -> Any:
    """Draw a chart as wide as the page; its axes and tooltips write numbers and dates as the language does."""
    return st.altair_chart(
        chart.configure(locale=_FRENCH) if say.language == "fr" else chart, width="stretch", **options
    )
