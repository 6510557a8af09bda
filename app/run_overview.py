"""The workspace → which runs there are, how well their data were read, and which version of a model scores every night."""

from __future__ import annotations

import pandas as pd
import pyarrow.dataset as ds
import streamlit as st
from figures import draw_table, error_in_words, moment_text, plain
from frame import Place, heading, open_page
from run_drift import run_drift
from run_plots import beside_another, run_plots

from socml.jobs import promote_version, roll_back
from socml.project import (
    Project,
    SocmlError,
    Words,
    dataset_names,
    event_files,
    list_runs,
    open_events,
    open_table,
    quarantine_files,
    visible_line,
)


def promotion(place: Place) -> None:
    """Draw promote and roll back; only a lead may, where there are accounts."""
    run, say = place.run, place.say
    model, _, version = str(run.get("model_version", "")).rpartition("/")
    if not model or not version.isdigit():  # the daily list is fused anew each night, and has no versions to promote
        return
    heading(say("app.runs.promotion"))
    st.caption(say("app.runs.promotion_about"))
    if not place.may_lead:
        st.caption(say("app.runs.promotion_lead"))
        return
    with st.container(horizontal=True):
        promoted = st.button(say("app.runs.promote", version=plain(f"{model}/{version}")), key="promote")
        returned = st.button(say("app.runs.roll_back"), key="roll_back")
    if promoted or returned:
        try:
            if promoted:
                now = promote_version(model, version, project=place.project, by=place.analyst)
            else:
                now = roll_back(model, project=place.project, by=place.analyst)
            st.session_state["promotion_said"] = (model, True, say("app.runs.promoted", version=now))
        except SocmlError as error:
            st.session_state["promotion_said"] = (model, False, visible_line(error_in_words(error, say)))
    about, done, text = st.session_state.get("promotion_said", ("", False, ""))
    if about == model:  # the page may be drawn again at once, and what was done is still to be read
        (st.success if done else st.info)(text)


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
