"""The label store's families → a table of them, and their edits, each of which can be taken back."""

from __future__ import annotations

import uuid

import pandas as pd
import streamlit as st
from figures import error_in_words, pair, plain

from socml.labels import FamilyEdit, LabelStore
from socml.project import SocmlError, Words, visible_line

KINDS = ("rename", "merge", "split", "swap")
_SHOWN = 8  # edits that can be taken back from the page; the command line takes any


def family_editor(store: LabelStore, dataset: str, analyst: str, chosen: list[str], say: Words) -> None:
    """Draw the families of a dataset and what can be done with them.

    Parameters
    ----------
    chosen : rows that are chosen in the table of labels, to be split off
    """
    st.text(say("app.labels.families.about"))
    counts = store.families.counts(dataset=dataset)
    if not counts:
        st.info(say("app.labels.families.none"))
    else:
        st.dataframe(_table(counts, say), hide_index=True, width=640)
        _editor(store, dataset, analyst, chosen, list(counts), say)
    _edits(store, dataset, analyst, say)


def family_name(family: str, say: Words) -> str:
    """Return a family in words if it is one that the catalogue knows, else as it is, harmless."""
    key = f"app.family.{family}"
    return say(key) if key in say.catalogue else visible_line(family)


def _table(counts: dict[str, dict[str, int]], say: Words) -> pd.DataFrame:
    rows = [
        {
            say("app.labels.families.column.family"): family_name(family, say),
            say("app.labels.families.column.rows"): ", ".join(
                pair(say(f"verdict.{verdict}"), say.number(n), say) for verdict, n in its.items()
            ),
        }
        for family, its in counts.items()
    ]
    return pd.DataFrame(rows)


def _editor(store: LabelStore, dataset: str, analyst: str, chosen: list[str], families: list[str], say: Words) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        family = st.selectbox(
            say("app.labels.families.family"),
            families,
            key="family",
            format_func=lambda name: family_name(name, say),
            width=240,
        )
        kind = st.selectbox(
            say("app.labels.families.what"),
            KINDS,
            key="family_kind",
            format_func=lambda name: say(f"app.labels.families.kind.{name}"),
            width=380,
        )
        into = ""
        if kind == "merge":
            others = [name for name in families if name != family]
            into = st.selectbox(
                say("app.labels.families.into"),
                others,
                key="family_into",
                format_func=lambda name: family_name(name, say),
                width=240,
            )
        elif kind != "swap":
            into = st.text_input(say("app.labels.families.into_new"), key="family_name", max_chars=100, width=240)
        if st.button(say("app.labels.families.do"), key="family_do") and family:
            _do(store, str(kind), family, (into or "").strip(), chosen, analyst, dataset, say)


def _do(
    store: LabelStore, kind: str, family: str, into: str, chosen: list[str], analyst: str, dataset: str, say: Words
) -> None:
    families, more = store.families, {"by": analyst, "dataset": dataset, "client_id": uuid.uuid4().hex}
    try:
        if kind == "swap":
            families.swap(family, **more)
        elif kind == "split":
            families.split(family, into, chosen, **more)
        elif kind == "merge":
            families.merge(family, into, **more)
        else:
            families.rename(family, into, **more)
    except SocmlError as error:
        st.error(plain(error_in_words(error, say)))
        return
    st.toast(say("app.labels.families.done"))
    st.rerun()


def _edits(store: LabelStore, dataset: str, analyst: str, say: Words) -> None:
    for edit in store.families.edits(dataset=dataset)[::-1][:_SHOWN]:
        text = say("app.labels.families.undo", edit=_in_words(edit, say))
        if st.button(text, key=f"family_undo_{edit.id}", icon=":material/undo:"):
            store.families.undo(edit.id, by=analyst, client_id=uuid.uuid4().hex)
            st.toast(say("app.labels.families.undone"))
            st.rerun()


def _in_words(edit: FamilyEdit, say: Words) -> str:
    family, into = (plain(family_name(name or "", say)) for name in (edit.family, edit.into))
    return say(f"app.labels.families.edit.{edit.kind}", family=family, into=into)
