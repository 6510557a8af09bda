"""A project with accounts → who is before the page; without any, everybody who can reach it may write.

A session's token is kept in a cookie of this site alone, and ends by itself; the store knows only its hash.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from socml.labels import LabelStore, open_labels
from socml.project import DataError, Project, Words, is_loopback, visible_line

_COOKIE = "socml_session"
# Sets or clears the cookie; the token is made of letters, digits, "-" and "_" alone.
_KEEP = """export default function ({ data, parentElement }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = data.token
    ? `socml_session=${data.token}; Path=/; SameSite=Strict${secure}`
    : `socml_session=; Path=/; Max-Age=0; SameSite=Strict${secure}`;
}"""


@dataclass(frozen=True)
class Visitor:
    """Who it is; an empty name where no accounts are, and names are typed."""

    name: str
    role: str
    may_write: bool


def visitor(project: Project, say: Words) -> Visitor | None:
    """Return who is before the page; None after drawing the sign-in, if there are accounts and nobody is signed in."""
    accounts = kept_store(project).accounts
    if not accounts.exist():
        visiting = st.context.ip_address  # None on this machine
        if isinstance(visiting, str) and visiting and not is_loopback(visiting):
            st.error(say("app.people.exposed"))
            return None
        return Visitor("", "analyst", may_write=True)
    token = str(st.session_state.get(_COOKIE) or st.context.cookies.get(_COOKIE) or "")
    account = accounts.of(token)
    if account is None:
        _sign_in(project, say)
        return None
    _keep_cookie(token)
    with st.sidebar:
        st.text(f"{visible_line(account.name)} · {say(f'app.people.role.{account.role}')}")
        if st.button(say("app.people.sign_out"), key="sign_out"):
            accounts.sign_out(token)
            st.session_state[_COOKIE] = ""
            _keep_cookie("")
            st.rerun()
    return Visitor(account.name, account.role, account.may_write)


def _sign_in(project: Project, say: Words) -> None:
    with st.form("sign_in", width=420):
        st.subheader(say("app.people.sign_in"))
        name = st.text_input(say("app.people.name"), autocomplete="username", max_chars=60)
        password = st.text_input(say("app.people.password"), type="password", autocomplete="current-password")
        if not st.form_submit_button(say("app.people.sign_in")):
            return
    try:
        st.session_state[_COOKIE] = kept_store(project).accounts.sign_in(name or "", password or "")
    except DataError:
        st.error(say("app.people.refused"))
        return
    st.rerun()


def _keep_cookie(token: str) -> None:
    st.components.v2.component("socml.session", js=_KEEP)(key="session", data={"token": token}, height=1)


@st.cache_resource(show_spinner=False, hash_funcs={Project: lambda p: (str(p.workspace), p.labels_url)})
def kept_store(project: Project, *, read_only: bool = False) -> LabelStore:
    """Return the project's label store, one for all sessions; a viewer's writes nothing, whatever asks it to."""
    return open_labels(project, read_only=read_only)
