"""Looked-at rows → a map of them: near is alike, colours are verdicts, a point leads to its event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from addressed import link
from figures import draw_chart, draw_table, error_in_words, pair, plain
from labelling.evidence import time_text

from looking.features_view import COLOURS, verdict_name
from looking.rows import LookedAt
from socml.explanations import Projection, feature_label, project_rows
from socml.project import SocmlError, Words, visible_line

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

METHODS = ("pca", "lda", "tsne")
MOST_POINTS = 4_000  # that a browser draws at once
_MOST_SHOWN = 50


def map_view(rows: LookedAt, run_id: str, say: Words) -> None:
    """Draw the map; what is chosen in it is listed, each with the way to its event."""
    method = st.segmented_control(
        say("app.looking.method"), METHODS, default=METHODS[0], key="map_method", required=True,
        format_func=lambda name: say(f"app.looking.map.{name}"),
    )  # fmt: skip
    st.caption(say(f"app.looking.map.about_{method}"))
    chosen = _fewer(rows)
    try:
        found = _projected(rows.features.loc[chosen], str(method), rows.verdicts)
    except SocmlError as error:
        st.info(plain(error_in_words(error, say)))
        return
    event = draw_chart(_chart(found, rows, say), say, on_select="rerun", key="map_chart")
    picked = [str(point["row_id"]) for point in event["selection"].get("chosen", []) if "row_id" in point]
    st.caption(_axes(found, rows, say))
    if picked:
        draw_table(event_table(picked[:_MOST_SHOWN], rows, run_id, say), say, column_config=links(say))


def event_table(row_ids: list[str], rows: LookedAt, run_id: str, say: Words) -> pd.DataFrame:
    """Return rows as a table whose last column leads to the event on Hunt."""
    known = rows.about.reindex(row_ids)
    return pd.DataFrame(
        {
            say("app.labels.column.entity"): [visible_line(e) if isinstance(e, str) else "—" for e in known["entity"]],
            say("app.labels.column.time"): [time_text(t, say) for t in known["time"]],
            say("app.looking.rank"): known["rank"].to_list(),
            say("app.labels.column.verdict"): [verdict_name(str(rows.verdicts.get(r, "")), say) for r in row_ids],
            say("app.looking.open"): [link("hunt", run=run_id, event=row) for row in row_ids],
        }
    )


def links(say: Words) -> dict[str, ColumnConfig]:
    """Return how the table's last column is drawn: as a link of this app."""
    name = say("app.looking.open")
    return {name: st.column_config.LinkColumn(name, display_text=say("app.looking.open_one"))}


def _fewer(rows: LookedAt) -> list[str]:
    """Return the rows that are drawn: what is labelled and most anomalous first, then some by lot."""
    if len(rows.features) <= MOST_POINTS:
        return list(rows.features.index)
    first = [*rows.verdicts.index, *rows.about["rank"].nsmallest(MOST_POINTS // 4).index]
    lots = np.random.default_rng(0).permutation(rows.features.index.to_numpy(dtype=object))
    return list(dict.fromkeys([*first, *lots]))[:MOST_POINTS]


@st.cache_data(show_spinner=False, max_entries=8)
def _projected(features: pd.DataFrame, method: str, verdicts: pd.Series) -> Projection:
    return project_rows(features, method=method, labels=verdicts if method == "lda" else None)


def _chart(found: Projection, rows: LookedAt, say: Words) -> alt.Chart:
    points = found.points.assign(
        code=rows.verdicts.reindex(found.points.index).fillna("").to_numpy(),
        entity=[
            visible_line(e) if isinstance(e, str) else "—" for e in rows.about["entity"].reindex(found.points.index)
        ],
        rank=rows.about["rank"].reindex(found.points.index).to_numpy(),
    ).reset_index(names="row_id")
    points["verdict"] = [verdict_name(str(code), say) for code in points["code"]]
    points = points.sort_values("code")  # labelled points lie on top
    codes = list(dict.fromkeys(points["code"]))
    colour = alt.Color(
        "verdict:N", title=None,
        scale=alt.Scale(domain=[verdict_name(c, say) for c in codes], range=[COLOURS.get(c, COLOURS[""]) for c in codes]),
    )  # fmt: skip
    shape = alt.Shape("verdict:N", title=None)  # colour is never the only sign
    pick = alt.selection_point(name="chosen", fields=["row_id"], toggle=True)
    axis = alt.Axis(labels=False, ticks=False)
    chart: alt.Chart = (
        alt.Chart(points, height=480)
        .mark_point(filled=True, size=42)
        .encode(
            x=alt.X("x:Q", title=say("app.looking.axis", n=1), axis=axis),
            y=alt.Y("y:Q", title=say("app.looking.axis", n=2), axis=axis),
            color=colour,
            shape=shape,
            opacity=alt.condition(pick, alt.value(0.85), alt.value(0.25)),
            tooltip=[
                alt.Tooltip("entity", title=say("app.labels.column.entity")),
                alt.Tooltip("verdict", title=say("app.labels.column.verdict")),
                alt.Tooltip("rank", title=say("app.looking.rank")),
            ],
        )
        .add_params(pick)
    )
    return chart


def _axes(found: Projection, rows: LookedAt, say: Words) -> str:
    lines = []
    for number, names in enumerate(found.axes, 1):
        features = ", ".join(plain(feature_label(name, rows.metadata, say.language)) for name in names)
        share = f" ({say.number(100 * found.shares[number - 1])} %)" if len(found.shares) >= number else ""
        lines.append(pair(f"{say('app.looking.axis', n=number)}{share}", features, say))
    return " · ".join([*lines, say("app.looking.pick")])
