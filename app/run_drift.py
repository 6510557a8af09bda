"""The runs of one model version over a dataset → how its scores move from run to run, and which features moved."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import streamlit as st
from figures import draw_chart, tips
from frame import Place, heading
from numpy.typing import NDArray

from socml.explanations import feature_label, run_metadata
from socml.jobs import column_effects
from socml.project import Project, Run, Words, list_runs, run_features_path, run_folder, visible_line

_SHARES = {"drift_50": 0.5, "drift_95": 0.95, "drift_999": 0.999}
_COLOURS = ("#9aa3ad", "#2e86ab", "#e0a030")  # red is for malicious alone
_RUNS = 60  # the newest that are drawn
_FEATURES = 12
_ROWS = 200_000  # of a feature table that are compared


def run_drift(place: Place) -> None:
    """Draw the scores of the version's runs, and the features of the chosen run against the one before it."""
    run, say = place.run, place.say
    same = ("dataset", "feature_set", "model_version")
    runs = [one for one in list_runs(place.project) if all(one.get(k) == run.get(k) for k in same)][:_RUNS][::-1]
    heading(say("app.runs.drift"))
    if len(runs) < 2:
        st.caption(say("app.runs.drift_none"))
        return
    st.caption(say("app.runs.drift_about"))
    draw_chart(_lines(place.project, runs, say), say)
    at = [one["run_id"] for one in runs].index(run["run_id"]) if run in runs else -1
    if at > 0:
        _features(place, run, runs[at - 1])


def _lines(project: Project, runs: list[Run], say: Words) -> alt.Chart:
    names = [say(f"app.runs.{name}") for name in _SHARES]
    rows = [
        {"n": n, "run": _name(run), "score": score, "share": name}
        for n, run in enumerate(runs, 1)
        for name, score in zip(names, _quantiles(str(run_folder(project, str(run["run_id"])))), strict=True)
    ]
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows), height=220)
        .mark_line(point=True)
        .encode(
            x=alt.X("n:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("score:Q", title=say("app.runs.score"), scale=alt.Scale(zero=False)),
            color=alt.Color(
                "share:N",
                title=None,
                legend=alt.Legend(symbolType="stroke", labelLimit=320),
                scale=alt.Scale(domain=names, range=_COLOURS),
            ),
            strokeDash=alt.StrokeDash(
                "share:N",
                title=None,
                legend=alt.Legend(symbolType="stroke", labelLimit=320),
                scale=alt.Scale(domain=names),
            ),
            tooltip=tips(
                {"run": say("app.runs.drift_run"), "share": say("app.runs.drift_share"), "score": say("app.runs.score")}
            ),
        )
    )
    return chart


@st.cache_data(show_spinner=False, max_entries=256)
def _quantiles(folder: str) -> list[float]:
    scores = pq.read_table(Path(folder) / "scores.parquet", columns=["anomaly_score"])["anomaly_score"].to_numpy()
    return [float(q) for q in np.quantile(scores, list(_SHARES.values()))] if len(scores) else [0.0] * len(_SHARES)


def _features(place: Place, run: Run, before: Run) -> None:
    say, paths = place.say, [run_features_path(place.project, one) for one in (run, before)]
    if paths[0] == paths[1] or not all(path.is_file() for path in paths):
        return  # the same rows scored again, or a table that is gone
    metadata = run_metadata(run, place.project)
    now, then = (_values(str(path), path.stat().st_mtime_ns, tuple(metadata.get("features", ()))) for path in paths)
    rows = [
        {"feature": visible_line(feature_label(name, metadata, say.language)), "size": size}
        for name, size, _ in column_effects(now, then)[:_FEATURES]
    ]
    if not rows:
        return
    st.caption(say("app.runs.drift_features", at=_name(before)) + ". " + say("app.runs.drift_features_about"))
    chart = (
        alt.Chart(pd.DataFrame(rows), height=alt.Step(24))
        .mark_bar()
        .encode(
            x=alt.X("size:Q", title=say("app.runs.drift_size")),
            y=alt.Y("feature:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
            tooltip=tips({"feature": say("app.looking.feature"), "size": say("app.runs.drift_size")}),
        )
    )
    draw_chart(chart, say)


@st.cache_data(show_spinner=False, max_entries=4)
def _values(path: str, written_ns: int, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    file = pq.ParquetFile(path)
    known = [name for name in names if name in file.schema_arrow.names]
    batch = next(file.iter_batches(batch_size=_ROWS, columns=known), None)
    if batch is None:
        return {}
    frame = batch.to_pandas()
    numeric = frame.select_dtypes("number")
    return {str(name): numeric[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numeric}


def _name(run: Run) -> str:
    return visible_line(str(run.get("day") or str(run.get("finished", ""))[:16].replace("T", " ")))
