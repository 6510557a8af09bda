"""A run's model → which version scores every night, and the two steps that change that, for whoever may."""

from __future__ import annotations

import streamlit as st
from figures import error_in_words, plain
from frame import Place, heading

from socml.jobs import promote_version, roll_back
from socml.project import SocmlError, visible_line


def promotion(place: Place) -> None:
    """Draw promote and roll back; only a lead may, where there are accounts."""
    run, say = place.run or {}, place.say
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
