"""Looked-at rows → groups of rows that are alike, what sets each apart, and one verdict for a whole group."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pandas as pd
import streamlit as st
from figures import draw_table, error_in_words, pair, plain
from frame import heading
from labelling.desk import Desk

from looking.features_view import verdict_name
from looking.map_view import event_table, links
from looking.rows import LookedAt
from socml.explanations import Cluster, Clusters, cluster_rows, feature_label
from socml.labels import DIRECTION
from socml.project import DataError, SocmlError, Words, visible_line

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = ("k-means", "gaussian-mixture", "hdbscan")
MOST, LEAST, USUAL = 20, 2, 8
AT_ONCE = 500  # rows that one verdict is suggested for
_SHOWN = 10


def clusters_view(rows: LookedAt, desk: Desk, say: Words, *, may_write: bool) -> None:
    """Draw the groups; the one that is chosen can be labelled at once, and that be taken back at once."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.selectbox(
            say("app.looking.clustering"), METHODS, key="cluster_method", width=260,
            format_func=lambda name: say(f"app.looking.cluster.{name.replace('-', '_')}"),
        )  # fmt: skip
        n = st.number_input(
            say("app.looking.n_clusters"), LEAST, MOST, USUAL, key="n_clusters", width=160, disabled=method == "hdbscan"
        )
    try:
        found = _clustered(rows.features, str(method), int(n))
    except SocmlError as error:
        st.info(plain(error_in_words(error, say)))
        return
    draw_table(_table(found, rows, say), say)
    if not found.groups:
        return
    numbers = [group.number for group in found.groups]
    number = st.selectbox(
        say("app.looking.which"),
        numbers,
        key="cluster",
        width=260,
        format_func=lambda k: say("app.looking.group", n=k + 1),
    )
    group = found.groups[int(number)]
    members = found.cluster.index[found.cluster == group.number]
    first = rows.about["rank"].reindex(members).nsmallest(_SHOWN).index.to_list()
    shown = list(dict.fromkeys([group.nearest, *first]))
    heading(say("app.looking.members"))
    draw_table(event_table(shown, rows, str(desk.triage.run["run_id"]), say), say, column_config=links(say))
    if may_write:
        _label(group, [str(row) for row in rows.about["rank"].reindex(members).sort_values().index], desk, say)


def _label(group: Cluster, members: list[str], desk: Desk, say: Words) -> None:
    """Give a verdict on the row nearest to the group's middle, and suggest it for the others."""
    st.caption(say("app.looking.label_about", n=AT_ONCE))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdict = st.selectbox(
            say("app.labels.column.verdict"), list(DIRECTION), key="cluster_verdict", width=220,
            format_func=lambda code: verdict_name(code, say),
        )  # fmt: skip
        given = st.button(say("app.looking.label", n=len(members)), key="cluster_label")
        batch = str(st.session_state.get("cluster_batch", ""))
        undone = st.button(say("app.looking.undo"), key="cluster_undo", disabled=not batch, icon=":material/undo:")
    try:
        if given:
            st.session_state["cluster_batch"] = uuid.uuid4().hex
            label_cluster(desk, group.nearest, members, str(verdict), str(st.session_state["cluster_batch"]))
            st.rerun()
        elif undone:
            take_back(desk, batch)
            st.session_state["cluster_batch"] = ""
            st.rerun()
    except SocmlError as error:
        st.toast(plain(error_in_words(error, say)), icon=":material/error:")


def label_cluster(desk: Desk, nearest: str, members: list[str], verdict: str, batch: str) -> int:
    """Record a verdict on one row and suggest it for the open rows among `members`; return how many it was suggested for."""
    desk.triage.label(nearest, verdict, client_id=f"{batch}:nearest", how="cluster")
    others = [row for row in members if row != nearest][:AT_ONCE]
    return len(desk.triage.propagate(nearest, others, batch_id=batch))


def take_back(desk: Desk, batch: str) -> None:
    """Take back what `label_cluster` recorded, the suggestions and the verdict they came from."""
    with suppress(DataError):  # there was nothing to suggest it for
        desk.triage.undo_batch(batch, client_id=f"{batch}:undo")
    desk.triage.undo(of_client_id=f"{batch}:nearest", client_id=f"{batch}:nearest:undo")


@st.cache_data(show_spinner=False, max_entries=8)
def _clustered(features: pd.DataFrame, method: str, n_clusters: int) -> Clusters:
    return cluster_rows(features, method=method, n_clusters=n_clusters)


def _table(found: Clusters, rows: LookedAt, say: Words) -> pd.DataFrame:
    verdicts = rows.verdicts.reindex(found.cluster.index).dropna()
    counts = verdicts.groupby(found.cluster.reindex(verdicts.index)).value_counts()
    columns = [say(f"app.looking.column.{name}") for name in ("group", "rows", "apart", "labels")]
    told = [
        (
            say("app.looking.group", n=group.number + 1),
            group.size,
            _apart(group, rows, say),
            _said(counts, group.number, say),
        )
        for group in found.groups
    ]
    alone = int((found.cluster < 0).sum())
    if alone:
        told.append((say("app.looking.in_none"), alone, "", _said(counts, -1, say)))
    return pd.DataFrame(told, columns=columns)


def _said(counts: pd.Series, number: int, say: Words) -> str:
    of_group = [
        (code, n) for (cluster, code), n in cast("Mapping[tuple[int, str], int]", counts).items() if cluster == number
    ]
    return ", ".join(pair(verdict_name(str(code), say), say.number(n), say) for code, n in of_group)


def _apart(group: Cluster, rows: LookedAt, say: Words) -> str:
    def named(names: tuple[str, ...]) -> str:
        return ", ".join(visible_line(feature_label(name, rows.metadata, say.language)) for name in names)

    parts = [say("app.looking.higher", names=named(group.higher))] if group.higher else []
    parts += [say("app.looking.lower", names=named(group.lower))] if group.lower else []
    return "; ".join(parts) or say("app.looking.ordinary")
