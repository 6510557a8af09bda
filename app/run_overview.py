"""The workspace → which runs there are and how well their data were read."""

from __future__ import annotations

import pandas as pd
import pyarrow.dataset as ds
import streamlit as st
from figures import draw_table, moment_text, plain
from frame import Place, open_page
from promotion import promotion
from run_drift import run_drift
from run_plots import beside_another, run_plots

from socml.project import (
    Project,
    Words,
    dataset_names,
    event_files,
    list_runs,
    open_events,
    open_table,
    quarantine_files,
    visible_line,
)

_RUN = ("run_id", "dataset", "feature_set", "model_version", "rows", "finished")
_METRICS = ("average_precision", "auroc", "anomaly_rate")
_QUARANTINED = 200
_LONGEST = 500


def _overview(place: Place) -> None:
    say = place.say
    st.text(say("app.runs.about"))
    draw_table(_runs(place.project, say), say)
    st.caption(say("app.runs.metrics.note"))
    run_plots(place)
    run_drift(place)
    beside_another(place)
    promotion(place)
    names = dataset_names(place.project)
    if not names:
        return
    st.subheader(say("app.runs.datasets.title"), anchor=False)
    st.text(say("app.runs.datasets.about"))
    draw_table(_datasets(place.project, names, say), say)
    for name in names:
        held = _quarantine(place.project, name)
        if held is not None:
            _show_quarantine(held, name, say)


def _runs(project: Project, say: Words) -> pd.DataFrame:
    rows = []
    for run in list_runs(project):
        metrics = run.get("metrics") or {}
        columns = {name: visible_line(run.get(name, "")) for name in _RUN}
        finished = moment_text(columns["finished"], say)
        figures = {"rows": run.get("rows"), **{name: metrics.get(name) for name in _METRICS}}
        rows.append({**columns, "finished": finished, **figures})
    names = {name: say(f"app.runs.column.{name}") for name in (*_RUN, *_METRICS)}
    return pd.DataFrame(rows, columns=list(names)).dropna(axis=1, how="all").rename(columns=names)


def _datasets(project: Project, names: list[str], say: Words) -> pd.DataFrame:
    rows = []
    for name in names:
        first, last = _span(project, name)
        held = _quarantine(project, name)
        rows.append(
            {
                "dataset": name,
                "events": open_events(project, name).count_rows(),
                "quarantined": held.count_rows() if held is not None else 0,
                "first": _moment(first, say),
                "last": _moment(last, say),
            }
        )
    words_of = {"dataset": say("app.runs.column.dataset")}
    counted = ("events", "quarantined", "first", "last")
    words_of |= {name: say(f"app.runs.datasets.{name}") for name in counted}
    return pd.DataFrame(rows).rename(columns=words_of)


def _span(project: Project, name: str) -> tuple[object, object]:
    """Return the first and last moment of a dataset, from the files' statistics: no event is read."""
    moments = []
    for path in event_files(project, name):
        with open_table(path) as file:
            held = file.metadata
        at = held.schema.to_arrow_schema().get_field_index("time")
        for group in range(held.num_row_groups):
            statistics = held.row_group(group).column(at).statistics
            if statistics is not None and statistics.has_min_max:
                moments += [statistics.min, statistics.max]
    return (min(moments), max(moments)) if moments else (None, None)


def _quarantine(project: Project, name: str) -> ds.Dataset | None:
    files = quarantine_files(project, name)
    held = ds.dataset([str(path) for path in files]) if files else None
    return held if held is not None and held.count_rows() else None


def _show_quarantine(held: ds.Dataset, name: str, say: Words) -> None:
    rows = held.head(_QUARANTINED).to_pylist()
    with st.expander(plain(say("app.runs.quarantine.title", dataset=name, n=len(rows)))):
        shown = pd.DataFrame(
            {
                say("app.runs.quarantine.file"): [visible_line(row["source_file"]) for row in rows],
                say("app.runs.quarantine.line"): [row["source_line"] for row in rows],
                say("app.runs.quarantine.reason"): [visible_line(row["reason"]) for row in rows],
                say("app.runs.quarantine.raw"): [
                    visible_line(row["raw"][:_LONGEST].decode("utf-8", "backslashreplace")) for row in rows
                ],
            }
        )
        draw_table(shown, say, plain={say("app.runs.quarantine.line")})


def _moment(value: object, say: Words) -> str:
    return value.strftime(say("app.time")) if hasattr(value, "strftime") else ""


open_page(_overview)
