"""The labels of a run → how far they can be trusted: what is left, precision, agreement, families found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from figures import draw_chart

from socml.labels import LabelStore
from socml.project import Project, Words
from socml.review import CampaignReport, overview, report, report_lines

if TYPE_CHECKING:
    import altair as alt


def trust(project: Project, run_id: str, store: LabelStore, say: Words) -> None:
    """Draw the report of a run's campaign, each figure with its interval."""
    campaign = report(run_id, project=project, store=store)
    st.text(overview(campaign, say))
    names = {name: say(f"app.labels.report.column.{name}") for name in ("name", "value", "interval", "labels", "about")}
    lines = pd.DataFrame([line._asdict() for line in report_lines(campaign, say)])
    st.dataframe(lines[list(names)].rename(columns=names), hide_index=True, row_height=38)
    if len(campaign.families):
        draw_chart(_curve(campaign, say), say)


def _curve(campaign: CampaignReport, say: Words) -> alt.Chart:
    import altair as alt  # 2 s, and only who asks for the curve waits for them

    curve = campaign.families.rename(columns={"labels": "x", "families": "y"})
    most = max(1, int(curve["y"].max()))  # an axis has a length though nothing was found yet
    chart: alt.Chart = (
        alt.Chart(curve, height=220)
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("x:Q", title=say("app.labels.report.labels"), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y(
                "y:Q",
                title=say("app.labels.report.families"),
                scale=alt.Scale(domain=[0, most]),
                axis=alt.Axis(tickMinStep=1),
            ),
        )
    )
    return chart
