"""Looked-at rows → each feature by itself: histogram by verdict, usual range, what is missing, and what warns."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st
from figures import draw_chart, draw_table, tips
from frame import heading

from looking.rows import LookedAt
from socml.explanations import (
    FeatureProfile,
    correlated_features,
    feature_label,
    number_in_words,
    profile_features,
    unit_of,
)
from socml.project import Words, visible_line

COLOURS = {"malicious": "#d1495b", "benign": "#2e86ab", "false_alarm": "#e0a030", "unsure": "#8d6cab", "": "#9aa3ad"}
_MOST_PAIRS = 12


def features_view(rows: LookedAt, say: Words) -> None:
    """Draw the features of the looked-at rows."""
    profiles = {profile.feature: profile for profile in profile_features(rows.features, rows.verdicts)}
    names = {name: visible_line(feature_label(name, rows.metadata, say.language)) for name in profiles}
    chosen = st.selectbox(
        say("app.looking.feature"), list(profiles), format_func=names.__getitem__, key="looking_feature"
    )
    profile = profiles[str(chosen)]
    st.text(_told(profile, rows, say))
    for code in profile.warnings:
        st.warning(say(f"app.looking.warning.{code.replace('-', '_')}"))
    chart = _chart(profile, names[str(chosen)], say)
    if chart is not None:
        draw_chart(chart, say)
    heading(say("app.looking.all"))
    draw_table(_table(profiles, names, rows, say), say)
    pairs = correlated_features(rows.features)[:_MOST_PAIRS]
    if pairs:
        heading(say("app.looking.alike"))
        st.caption(say("app.looking.alike_about"))
        columns = [say("app.looking.first"), say("app.looking.second"), say("app.looking.correlation")]
        told = [(names[pair.first], names[pair.second], round(pair.correlation, 3)) for pair in pairs]
        draw_table(pd.DataFrame(told, columns=columns), say)


def verdict_name(code: str, say: Words) -> str:
    """Return a verdict in words; none is said to be none."""
    return say(f"verdict.{code}") if code else say("app.looking.unlabelled")


def _usual(profile: FeatureProfile, rows: LookedAt, say: Words) -> str:
    if profile.low is None or profile.high is None:
        return "—"
    unit = unit_of(profile.feature, rows.metadata)
    low, high = (number_in_words(value, unit, say) for value in (profile.low, profile.high))
    return low if low == high else say("app.triage.why.span", low=low, high=high)


def _told(profile: FeatureProfile, rows: LookedAt, say: Words) -> str:
    parts = [say("app.looking.missing_share", n=say.number(100 * profile.missing, 1))]
    if profile.is_number:
        parts.insert(0, say("app.looking.usual", span=_usual(profile, rows, say)))
    if profile.separation is not None:
        parts.append(say("app.looking.separates", n=say.number(100 * profile.separation)))
    return " · ".join(parts)


def _chart(profile: FeatureProfile, title: str, say: Words) -> alt.Chart | None:
    rows = [
        {
            "verdict": verdict_name(label, say),
            "colour": COLOURS.get(label, COLOURS[""]),
            "rows": n,
            **_place(profile, at),
        }
        for label, counts in profile.counts.items()
        for at, n in enumerate(counts)
        if n
    ]
    if not rows:
        return None
    verdicts = list(dict.fromkeys(row["verdict"] for row in rows))
    colours = list(dict.fromkeys(row["colour"] for row in rows))
    colour = alt.Color("verdict:N", title=None, scale=alt.Scale(domain=verdicts, range=colours))
    base = alt.Chart(pd.DataFrame(rows), height=300)
    y = alt.Y("rows:Q", title=say("app.data.rows"), stack=True)
    told = {"verdict": say("app.labels.column.verdict"), "rows": say("app.data.rows")}
    if not profile.is_number:
        bars: alt.Chart = base.mark_bar().encode(
            x=alt.X("value:N", title=title, sort=None), y=y, color=colour, tooltip=tips({"value": title, **told})
        )
        return bars
    scale = alt.Scale(type="symlog") if profile.is_log else alt.Scale()
    x = alt.X("from:Q", title=title, scale=scale)
    stacked = pd.DataFrame(rows)  # here, for a bar with two ends across is not stacked by the chart
    stacked["top"] = stacked.groupby("from")["rows"].cumsum()
    stacked["below"] = stacked["top"] - stacked["rows"]
    steps: alt.Chart = (
        base.properties(data=stacked)
        .mark_bar()
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y("below:Q", title=say("app.data.rows")),
            y2="top:Q",
            color=colour,
            tooltip=tips({"from": say("app.looking.from"), "to": say("app.looking.to"), **told}),
        )
    )
    return steps


def _place(profile: FeatureProfile, at: int) -> dict[str, str | float]:
    if profile.is_number:
        return {"from": profile.edges[at], "to": profile.edges[at + 1]}
    return {"value": visible_line(profile.values[at])}


def _table(profiles: dict[str, FeatureProfile], names: dict[str, str], rows: LookedAt, say: Words) -> pd.DataFrame:
    columns = [say(f"app.looking.column.{name}") for name in ("feature", "usual", "missing", "separation", "warnings")]
    told = [
        (
            names[name],
            _usual(profile, rows, say),
            f"{say.number(100 * profile.missing, 1)} %",
            "—" if profile.separation is None else f"{say.number(100 * profile.separation)} %",
            ", ".join(say(f"app.looking.short.{code.replace('-', '_')}") for code in profile.warnings),
        )
        for name, profile in profiles.items()
    ]
    return pd.DataFrame(told, columns=columns)
