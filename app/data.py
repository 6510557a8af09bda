"""The workspace → the health of what is read: sources and how far behind they are, what waits in quarantine, alerts to come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

import altair as alt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import streamlit as st
from daylist.desk import has_list, kept_today
from daylist.rows import absent_text, short_day
from figures import draw_chart, draw_table, plain, tips
from frame import Visit, heading, open_day_page, say_how_to_begin

from socml.project import Words, open_events, quarantine_files, visible_line

_BATCH = 500_000
_SAMPLES = 200
_LONGEST = 300


class _Source(TypedDict):
    """What a file of the dataset holds."""

    events: int
    first: datetime | None
    last: datetime | None


def _data(visit: Visit) -> None:
    say = visit.say
    if not visit.dataset:
        say_how_to_begin(say)
        return
    events = open_events(visit.project, visit.dataset)
    n = events.count_rows()
    sources = _sources(str(visit.project.workspace), visit.dataset, n, events)
    last = max((s["last"] for s in sources.values() if s["last"] is not None), default=None)
    with st.container(horizontal=True):
        st.metric(say("app.runs.datasets.events"), say.number(n))
        st.metric(say("app.data.sources"), say.number(len(sources)))
        st.metric(say("app.data.lag"), _lag(last, say))
    heading(say("app.data.sources"))
    draw_table(_table(sources, last, say), say)
    if has_list(visit):
        _days(visit)
    _quarantine(visit)


@st.cache_data(
    show_spinner=False, max_entries=8, hash_funcs={ds.Dataset: lambda d: 0, ds.FileSystemDataset: lambda d: 0}
)
def _sources(workspace: str, dataset: str, n: int, events: ds.Dataset) -> dict[str, _Source]:
    """Return file → events, first and last moment; read in batches, two columns alone."""
    found: dict[str, _Source] = {}
    for batch in events.to_batches(columns=["source_file", "time"], batch_size=_BATCH):
        table = pa.table({"file": batch["source_file"].cast(pa.string()), "time": batch["time"]})
        grouped = table.group_by("file").aggregate([("time", "min"), ("time", "max"), ("time", "count")])
        for row in grouped.to_pylist():
            one = found.setdefault(str(row["file"]), {"events": 0, "first": None, "last": None})
            one["events"] = int(one["events"]) + int(row["time_count"])
            one["first"] = min(filter(None, (one["first"], row["time_min"])), default=None)
            one["last"] = max(filter(None, (one["last"], row["time_max"])), default=None)
    return found


def _table(sources: dict[str, _Source], last: datetime | None, say: Words) -> pd.DataFrame:
    rows = [
        {
            say("app.data.source"): visible_line(name),
            say("app.runs.datasets.events"): one["events"],
            say("app.runs.datasets.first"): _moment(one["first"], say),
            say("app.runs.datasets.last"): _moment(one["last"], say),
            say("app.data.behind"): _behind(one["last"], last, say),
        }
        for name, one in sorted(sources.items())
    ]
    return pd.DataFrame(rows)


def _days(visit: Visit) -> None:
    """Draw how many rows of the list each day has, so that one sees what the mornings cost."""
    say = visit.say
    today = kept_today(visit.project, visit.dataset)
    sizes = today.sizes(visit.store)
    rows = [{"day": short_day(day, say), "rows": n, "of": entities} for day, n, entities in sizes]
    heading(say("app.data.days"))
    st.caption(say("app.data.days_about"))
    chart = (
        alt.Chart(pd.DataFrame(rows), height=180)
        .mark_bar(width={"band": 0.5})
        .encode(
            x=alt.X("day:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            # The axis has a length though no day has a row, or its marks would be millionths.
            y=alt.Y(
                "rows:Q",
                title=say("app.data.rows"),
                scale=alt.Scale(domain=[0, max([1, *(n for _, n, _ in sizes)])]),
                axis=alt.Axis(tickMinStep=1),
            ),
            tooltip=tips({"day": say("app.entity.day"), "rows": say("app.data.rows"), "of": say("app.data.entities")}),
        )
    )
    draw_chart(chart, say)
    if absent := today.refresh(visit.store).absent_families:
        st.caption(absent_text(absent, say))


def _quarantine(visit: Visit) -> None:
    say = visit.say
    heading(say("app.runs.datasets.quarantined"))
    files = quarantine_files(visit.project, visit.dataset)
    held = ds.dataset([str(path) for path in files]) if files else None
    if held is None or not held.count_rows():
        st.caption(say("app.data.nothing_held"))
        return
    st.caption(say("app.data.retry", n=held.count_rows(), dataset=plain(visit.dataset)))
    st.code(f"socml quarantine {visible_line(visit.dataset)}", language=None)
    reasons = pc.value_counts(pa.chunked_array(held.to_table(columns=["reason"])["reason"])).to_pylist()
    counted = sorted(reasons, key=lambda one: -one["counts"])
    names = (say("app.runs.quarantine.reason"), say("app.data.records"))
    draw_table(
        pd.DataFrame([(visible_line(one["values"]), one["counts"]) for one in counted], columns=list(names)), say
    )
    rows = held.head(_SAMPLES).to_pylist()
    shown = {
        say("app.runs.quarantine.file"): [visible_line(row["source_file"]) for row in rows],
        say("app.runs.quarantine.line"): [row["source_line"] for row in rows],
        say("app.runs.quarantine.reason"): [visible_line(row["reason"]) for row in rows],
        say("app.runs.quarantine.raw"): [
            visible_line(row["raw"][:_LONGEST].decode("utf-8", "backslashreplace")) for row in rows
        ],
    }
    draw_table(pd.DataFrame(shown), say, plain={say("app.runs.quarantine.line")})


def _lag(last: object, say: Words) -> str:
    if not isinstance(last, datetime):
        return "—"
    return _span((datetime.now(UTC) - last.astimezone(UTC)).total_seconds(), say)


def _behind(mine: object, newest: object, say: Words) -> str:
    if not isinstance(mine, datetime) or not isinstance(newest, datetime):
        return "—"
    return _span((newest - mine).total_seconds(), say)


def _span(seconds: float, say: Words) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            key = "app.data.n_days" if unit == "days" else f"today.unit.{unit}"
            return say(key, n=say.number(seconds // size)).replace(" ", "\u00a0")
    return say("today.unit.seconds", n=say.number(max(0, seconds))).replace(" ", "\u00a0")


def _moment(value: object, say: Words) -> str:
    return value.strftime(say("app.time")) if isinstance(value, datetime) else ""


open_day_page(_data)
