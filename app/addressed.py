"""A field of a page ↔ the address, which says what it holds: so that it can be sent to a colleague, and gone back to.

A link to another page takes along what the address of this one says of language and analyst.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def restore(name: str, read: Callable[[list[str]], object]) -> None:
    """Write into the session what the field with the key `name` holds, before it is drawn.

    That is what the address says when a page is opened or the browser went back or forward, what it held when the page
    was left if the address does not name it, and else what it holds already.

    Parameters
    ----------
    read : from what the address says, which anybody may have written and may be nothing, to the value of the field
    """
    # A mark of Streamlit's own: in a version without it, going back restores nothing.
    went_back = bool(getattr(get_script_run_ctx(), "is_history_navigation", False))
    said = st.query_params.get_all(name)
    if went_back or name not in st.session_state:
        st.session_state[name] = read(said if said or went_back else st.session_state.get(f"kept_{name}", []))
    else:
        st.session_state[name] = st.session_state[name]  # or Streamlit forgets it when another page is opened


def keep(name: str, values: list[str]) -> None:
    """Let the address say what a field holds, nothing if it is as usual; another page that is opened forgets neither."""
    st.session_state[f"kept_{name}"] = values
    if st.query_params.get_all(name) == values:
        return
    if values:
        st.query_params[name] = values
    else:
        del st.query_params[name]


def link(page: str, **names: str) -> str:
    """Return the address of a page of the app: what is opened by it is a new session, which knows nothing but its address."""
    kept = {name: str(st.session_state.get(f"kept_{name}", "")) for name in ("lang", "by")}
    return f"{page}?{urlencode({name: value for name, value in {**kept, **names}.items() if value})}"
