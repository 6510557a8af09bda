"""A scoring run → what people look at rather than read: how scores lie, what a budget finds, and beside another run."""

from __future__ import annotations

from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import streamlit as st
from figures import draw_chart, draw_table, error_in_words, moment_text, plain, tips
from frame import Place, heading
from numpy.typing import NDArray
from people import kept_store

from socml.evaluate import compare, precision_recall, truth_of_rows
from socml.features import load_row_truth
from socml.project import Project, SocmlError, Words, list_runs, run_folder, visible_line

BINS = 60
POINTS = 400  # of a curve; a screen shows no more
BUDGET = 1_000  # rows read, at most, of the curve of what they find
_MOVED = 12


@dataclass(frozen=True)
class Curves:
    """What is drawn of a run: scores in bins by what is known of the rows, and two curves where the truth is known."""

    bins: pd.DataFrame = field(repr=False)
    precision: pd.DataFrame = field(repr=False)
    found: pd.DataFrame = field(repr=False)


def run_plots(place: Place) -> None:
    """Draw the run that is chosen."""
    run, say = place.run, place.say
    run_id, dataset = str(run["run_id"]), str(run["dataset"])
    labels = kept_store(place.project).current(dataset=dataset)["verdict"]
    curves = _curves(
        str(place.project.workspace), run_id, dataset, str(run.get("feature_set", "")), labels, place.project
    )
    heading(say("app.runs.scores"))
    st.caption(say("app.runs.scores_about"))
    if curves.bins.empty:
        st.info(say("app.no_rows"))
        return
    draw_chart(_scores(curves.bins, say), say)
    if len(curves.precision):
        left, right = st.columns(2)
        with left:
            heading(say("app.runs.precision"))
            st.caption(say("app.runs.precision_about"))
            draw_chart(_line(curves.precision, ("recall", "precision"), say), say)
        with right:
            heading(say("app.runs.found"))
            st.caption(say("app.runs.found_about"))
            draw_chart(_line(curves.found, ("rows_read", "found"), say), say)


def beside_another(place: Place) -> None:
    """Draw what is different in another run over the same rows, once it is asked for."""
    run, say = place.run, place.say
    same = ("dataset", "feature_set")
    others = [o for o in list_runs(place.project) if all(o.get(k) == run.get(k) for k in same)]
    names = {str(o["run_id"]): o for o in others if o["run_id"] != run["run_id"]}
    heading(say("app.runs.compare"))
    if not names:
        st.caption(say("app.runs.compare_none"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = st.selectbox(
            say("app.runs.compare_with"), list(names), key="compare_with", width=460,
            format_func=lambda one: visible_line(f"{names[one]['model_version']} · {moment_text(str(names[one].get('finished')), say)}"),
        )  # fmt: skip
        pressed = st.button(say("app.runs.compare_do"), key="compare_do")
    if not pressed:
        return
    try:
        found = compare(str(run["run_id"]), str(other), project=place.project)
    except SocmlError as error:
        st.info(plain(error_in_words(error, say)))
        return
    with st.container(horizontal=True):
        st.metric(say("app.runs.rank_correlation"), say.number(found.rank_correlation, 3))
        for top, share in found.overlap.items():
            st.metric(say("app.runs.overlap", n=say.number(top)), f"{say.number(100 * share)} %")
    if found.metrics:
        names_of = {"metric": say("app.runs.metric"), "a": say("app.runs.this"), "b": say("app.runs.other"),
                    "difference": say("app.runs.difference"), "low": say("app.runs.low"), "high": say("app.runs.high")}  # fmt: skip
        table = pd.DataFrame(found.metrics)
        draw_table(table[[n for n in names_of if n in table]].rename(columns=names_of), say)
    moved = found.moved.head(_MOVED)
    shown = {
        say("app.labels.column.entity"): [visible_line(e) if isinstance(e, str) else "—" for e in moved["entity"]],
        say("app.runs.rank_here"): moved["rank_a"].to_list(),
        say("app.runs.rank_there"): moved["rank_b"].to_list(),
    }
    draw_table(pd.DataFrame(shown), say)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={Project: lambda p: str(p.workspace)})
def _curves(workspace: str, run_id: str, dataset: str, feature_set: str, labels: pd.Series, project: Project) -> Curves:
    scores = pq.read_table(run_folder(project, run_id) / "scores.parquet", columns=["row_id", "anomaly_score", "rank"])
    score, rank = scores["anomaly_score"].to_numpy(), scores["rank"].to_numpy()
    low, high = score.min(initial=0.0), score.max(initial=0.0)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)  # of scores that are all the same, one bar
    truth = _truth(project, dataset, feature_set, scores["row_id"].to_pandas())
    kinds = {"malicious": truth == 1.0, "benign": truth == 0.0, "": np.isnan(truth)}
    if np.isnan(truth).all():
        kinds = _said(labels, scores["row_id"].to_pandas())
    bins = [
        {"from": low, "to": high, "kind": kind, "rows": int(n)}
        for kind, here in kinds.items()
        for low, high, n in zip(edges[:-1], edges[1:], np.histogram(score[here], edges)[0], strict=True)
        if n
    ]
    precision = found = pd.DataFrame()
    if (truth == 1.0).any():
        exact, recall = precision_recall(rank, truth)
        at = np.unique(np.linspace(0, len(recall) - 1, POINTS).astype(int))
        precision = pd.DataFrame({"recall": recall[at], "precision": exact[at]})
        hits = np.nan_to_num(truth[np.argsort(rank, kind="stable")][:BUDGET]).cumsum()
        found = pd.DataFrame({"rows_read": np.arange(1, len(hits) + 1), "found": hits})
    return Curves(pd.DataFrame(bins), precision, found)


def _truth(project: Project, dataset: str, feature_set: str, row_ids: pd.Series) -> NDArray[np.float64]:
    try:
        truth = load_row_truth(dataset, feature_set, project=project)
        return truth_of_rows(truth, pd.Index(row_ids)) if len(truth) else np.full(len(row_ids), np.nan)
    except SocmlError:  # a feature set that is gone, or a truth of other rows: scores are drawn without
        return np.full(len(row_ids), np.nan)


def _said(labels: pd.Series, row_ids: pd.Series) -> dict[str, NDArray[np.bool_]]:
    given = row_ids.map(labels).to_numpy(dtype=object)
    known = sorted({str(verdict) for verdict in given if isinstance(verdict, str)})
    there = {verdict: given == verdict for verdict in known}
    return there | {"": np.array([not isinstance(verdict, str) for verdict in given], dtype=bool)}


def _scores(bins: pd.DataFrame, say: Words) -> alt.Chart:
    from looking.features_view import COLOURS

    def name(kind: str) -> str:
        return say(f"verdict.{kind}") if kind else say("app.runs.unknown")

    kinds = list(dict.fromkeys(bins["kind"]))
    scale = alt.Scale(domain=[name(kind) for kind in kinds], range=[COLOURS.get(kind, COLOURS[""]) for kind in kinds])
    chart: alt.Chart = (
        alt.Chart(bins.assign(name=[name(kind) for kind in bins["kind"]]), height=240)
        .mark_bar(opacity=0.75)
        .encode(
            x=alt.X("from:Q", title=say("app.runs.score")),
            x2="to:Q",
            y=alt.Y("rows:Q", title=say("app.runs.column.rows"), stack=None, scale=alt.Scale(type="symlog")),
            y2=alt.datum(0),  # else a bar that has two ends across has no height
            color=alt.Color("name:N", title=None, scale=scale),
            tooltip=tips(
                {
                    "from": say("app.looking.from"),
                    "to": say("app.looking.to"),
                    "name": say("app.labels.column.verdict"),
                    "rows": say("app.runs.column.rows"),
                }
            ),
        )
    )
    return chart


def _line(curve: pd.DataFrame, names: tuple[str, str], say: Words) -> alt.Chart:
    x, y = names
    chart: alt.Chart = (
        alt.Chart(curve, height=220)
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X(f"{x}:Q", title=say(f"app.runs.{x}")),
            y=alt.Y(f"{y}:Q", title=say(f"app.runs.{y}")),
            tooltip=tips({x: say(f"app.runs.{x}"), y: say(f"app.runs.{y}")}),
        )
    )
    return chart
