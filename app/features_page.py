"""A run's feature table → its features, the map of its rows and groups of rows: the page Features."""

from __future__ import annotations

import streamlit as st
from addressed import keep, restore
from frame import Place, open_page
from labelling.desk import kept_ranking, open_desk
from looking import clusters_view, features_view, looked_at, map_view
from people import kept_store

VIEWS = ("features", "map", "groups")


def _features(place: Place) -> None:
    run, say = place.run, place.say
    run_id = str(run["run_id"])
    store = kept_store(place.project, read_only=not place.may_write)
    rows = looked_at(place.project, run, kept_ranking(place.project, run_id), store)
    if rows is None:
        st.info(say("app.looking.gone"))
        return
    if not rows.of:
        st.info(say("app.no_rows"))
        return
    st.text(say("app.looking.about", n=say.number(len(rows.features)), of=say.number(rows.of)))
    restore("view", lambda said: said[0] if said and said[0] in VIEWS else VIEWS[0])
    view = st.segmented_control(
        say("app.looking.view"), VIEWS, key="view", required=True,
        format_func=lambda name: say(f"app.looking.view_{name}"), label_visibility="collapsed",
    )  # fmt: skip
    keep("view", [str(view)] if view != VIEWS[0] or "view" in st.query_params else [])
    if view == "features":
        features_view(rows, say)
    elif view == "map":
        map_view(rows, run_id, say)
    else:
        clusters_view(
            rows,
            open_desk(place.project, run_id, place.analyst, may_write=place.may_write),
            say,
            may_write=place.may_write,
        )


open_page(_features)
