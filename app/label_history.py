"""The label store → what was said and by whom, with undo and export."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd
import streamlit as st
from daylist.desk import kept_today
from frame import Place, open_page
from labelling.desk import Desk, open_desk
from labelling.families import family_editor
from labelling.trust import trust
from people import kept_store
from rules import draw_rules

from socml.features import daily_folder
from socml.labels import LabelStore, write_labels
from socml.project import Project, ScratchFolder, SocmlError, Words, visible_line
from socml.review import entities_of

_SHOWN = 2_000  # rows of the table; the export has all
_TABS = {"history": "", "families": "families.", "rules": "rules.", "report": "report."}
_COLUMNS = ("time", "entity", "verdict", "reason", "family", "note", "by", "how", "state", "row_id")


def _history(place: Place) -> None:
    run = place.run
    say = place.say
    st.text(say("app.labels.about"))
    dataset = str(run["dataset"])
    desk = open_desk(place.project, str(run["run_id"]), place.analyst, may_write=place.may_write)
    store = kept_store(place.project, read_only=not place.may_write)
    events = store.history(dataset=dataset)
    if events.empty:
        st.info(say("app.labels.none"))
        _rules(place, dataset, store)
        return
    titles = {name: say(f"app.labels.{key}title") for name, key in _TABS.items()}
    wanted = titles.get(st.query_params.get("tab", ""))
    history, families, rules, report = st.tabs(
        list(titles.values()), default=wanted, on_change="rerun", key="labels_tab"
    )
    with history:
        chosen = _table(place, desk, events, store.by_analyst(dataset=dataset))
    with families:
        family_editor(store, dataset, place.analyst, chosen, say)
    if rules.open:
        with rules:
            _rules(place, dataset, store)
    if report.open:  # it costs what the rest of the page does
        with report:
            trust(place.project, str(run["run_id"]), store, say)


def _rules(place: Place, dataset: str, store: LabelStore) -> None:
    """Draw every rule of the dataset that was not taken back: whomever it is about, it can be paused here."""
    standing = [rule for rule in store.rules.all(dataset=dataset) if rule.state != "undone"]
    if standing:
        draw_rules(
            standing, kept_today(place.project, dataset), store, place.say, by=place.analyst if place.may_write else ""
        )
    else:
        st.caption(place.say("app.rules.none_at_all"))


def _table(place: Place, desk: Desk, events: pd.DataFrame, standing: pd.DataFrame) -> list[str]:
    """Draw the table of labels with what can be done to them; return the rows that are chosen in it."""
    say = place.say
    events = events.assign(state=_states(events, set(standing["label_id"])))
    with st.container(horizontal=True, vertical_alignment="center"):
        mine = st.toggle(say("app.labels.mine"), key="labels_mine")
        only_standing = st.toggle(say("app.labels.standing"), key="labels_standing")
        _offer_export(standing, say)
    events = events[events["by"] == place.analyst] if mine else events
    events = events[events["state"] == "stands"] if only_standing else events
    newest = events.iloc[::-1].head(_SHOWN).reset_index(drop=True)
    chosen = st.dataframe(
        _in_words(newest.assign(entity=newest["row_id"].map(_entities(place, desk, newest))), say),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="labels_table",
    )
    rows = newest.iloc[[row for row in chosen["selection"]["rows"] if row < len(newest)]]
    st.caption(say("app.labels.undo_about"))
    if st.button(say("app.labels.undo"), disabled=rows.empty, icon=":material/undo:", key="labels_undo"):
        own = rows[(rows["by"] == place.analyst) & rows["state"].isin(["stands", "superseded"])]
        for label_id in own["label_id"]:
            desk.triage.undo(int(label_id), client_id=uuid.uuid4().hex)
        st.toast(say("app.labels.undone", n=len(own)) if len(own) else say("app.labels.not_yours"))
        if len(own):
            st.rerun()
    return [str(row_id) for row_id in rows["row_id"].unique()]


def _entities(place: Place, desk: Desk, labels: pd.DataFrame) -> dict[str, str]:
    """Return whom the labelled rows are about: of this run, of the run that each was labelled in, and of Today's days."""
    here = desk.triage.about(list(labels["row_id"].unique()))["entity"].dropna()
    known = {str(row_id): str(entity) for row_id, entity in here.items()}
    others = labels[~labels["row_id"].isin(list(known))].dropna(subset="run_id")
    for run_id, of_run in others.groupby("run_id"):
        known |= _of_run(place.project, str(run_id), tuple(sorted(of_run["row_id"].unique())))
    on_today = set(labels[labels["run_id"].isna()]["row_id"]).difference(known)  # whose days may have no run
    return known | _of_days(place, str(labels["dataset"].iloc[0]), on_today)


def _of_days(place: Place, dataset: str, row_ids: set[str]) -> dict[str, str]:
    """Return whom rows of the days of a list are about; of no list that is not there already."""
    if not row_ids or not (daily_folder(place.project, dataset) / "state.json").is_file():
        return {}
    store = kept_store(place.project, read_only=not place.may_write)
    with suppress(SocmlError):  # the list cannot be made any more: the labels are shown all the same
        return kept_today(place.project, dataset).entities_of(store, row_ids)
    return {}


@lru_cache(maxsize=256)
def _of_run(project: Project, run_id: str, row_ids: tuple[str, ...]) -> dict[str, str]:
    return entities_of(project, run_id, row_ids)  # a run is never written anew


def _states(events: pd.DataFrame, standing: set[int]) -> list[str]:
    undone = set(events["undo_of"].dropna().astype(int))

    def state(label_id: int, is_undo: bool) -> str:
        if is_undo:
            return "undo"
        if label_id in undone:
            return "undone"
        return "stands" if label_id in standing else "superseded"

    return [state(int(i), bool(u)) for i, u in zip(events["label_id"], events["undo_of"].notna(), strict=True)]


def _in_words(rows: pd.DataFrame, say: Words) -> pd.DataFrame:
    def named(kind: str, code: object) -> str:
        key = f"{kind}.{code}"
        if not isinstance(code, str) or not code:
            return ""
        return say(key) if key in say.catalogue else visible_line(code)

    shown = rows.assign(
        time=rows["time"].dt.strftime(say("app.time")),
        verdict=rows["verdict"].map(lambda code: named("verdict", code)),
        reason=rows["reason"].map(lambda code: named("app.reason", code)),
        family=rows["family"].map(lambda code: named("app.family", code)),
        how=rows["how"].map(lambda code: named("app.labels.how", code)),
        state=rows["state"].map(lambda code: named("app.labels.state", code)),
    )
    for name in ("entity", "note", "by"):
        shown[name] = shown[name].map(lambda text: visible_line(text) if isinstance(text, str) else "")
    return shown[list(_COLUMNS)].rename(columns={name: say(f"app.labels.column.{name}") for name in _COLUMNS})


def _offer_export(standing: pd.DataFrame, say: Words) -> None:
    for ending in ("csv", "parquet", "jsonl"):
        st.download_button(
            f"{say('app.labels.export')} .{ending}",
            data=partial(_exported, standing, ending),  # made when it is asked for
            file_name=f"labels.{ending}",
            key=f"labels_export_{ending}",
            on_click="ignore",
        )


def _exported(standing: pd.DataFrame, ending: str) -> bytes:
    with ScratchFolder("export") as folder:
        return write_labels(standing, Path(folder) / f"labels.{ending}").read_bytes()


open_page(_history)
