"""A project with accounts → who is before the page; without any, everybody who can reach it may write.

A session's token is kept in a cookie of this site alone that no script reads, and ends by itself; the store knows only its
hash. Without the app's own server (`streamlit run app/home.py`) a session lives as long as its tab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlsplit

import single_sign_on
import streamlit as st
from language import choose_language
from session_cookie import COOKIE, ticket_for

from socml.labels import LabelStore, open_labels
from socml.project import DataError, Project, Words, find_project, is_loopback, visible_line

_TICKET = "session_ticket"
# Exchanges a ticket for the cookie, once; the token itself never reaches a script.
_KEEP = """let last = "";
export default function ({ data }) {
  if (!data.ticket || data.ticket === last) return;
  last = data.ticket;
  fetch(new URL("session", document.baseURI), { method: "POST", body: data.ticket, credentials: "same-origin" });
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
    if not _asks_who(project):
        if not is_from_here(st.context.headers, st.context.ip_address):
            st.error(say("app.people.exposed"))
            return None
        return Visitor("", "analyst", may_write=True)
    token = _token()
    account = accounts.of(token)
    if account is None and token and not st.session_state.get(_TICKET):
        st.session_state[_TICKET] = ticket_for("")  # a cookie of a session that ended goes
    _keep_cookie()
    if account is None:
        if token and st.session_state.get(COOKIE) != "":  # else they signed out themselves
            st.info(say("app.people.ended"))
        _sign_in(project, say)
        return None
    with st.sidebar:
        st.text(f"{visible_line(account.name)} · {say(f'app.people.role.{account.role}')}")
        if st.button(say("app.people.sign_out"), key="sign_out"):
            accounts.sign_out(token)
            _begin("", leave=single_sign_on.is_configured() and bool(st.user.is_logged_in))
    return Visitor(account.name, account.role, account.may_write)


def is_still(person: Visitor, project: Project) -> bool:
    """Say whether who is before the page is who it was drawn for: sessions end, and roles change."""
    if not _asks_who(project):
        return not person.name
    account = kept_store(project).accounts.of(_token())
    return account is not None and Visitor(account.name, account.role, account.may_write) == person


def may_enter(token: str, headers: Mapping[str, str], address: str | None) -> bool:
    """Say whether a request may come in, without a page: a session's token opens the app, or without accounts this machine."""
    project = find_project()
    if not _asks_who(project):
        return is_from_here(headers, address)
    return kept_store(project).accounts.of(token) is not None


# How headers begin that a proxy adds, of whatever make
_OF_PROXIES = (
    "forwarded", "x-forwarded-", "x-original-", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "via",
)  # fmt: skip


def is_from_here(headers: Mapping[str, str], address: str | None) -> bool:
    """Say whether a browser is on this machine, and was led here by its own address.

    A page elsewhere may let its name lead to this machine, and is then of the same origin as this app (DNS rebinding). A
    proxy on this machine brings whoever reaches it; one that says so in no header, and not for which host, is not noticed.
    """
    if any(name.lower().startswith(_OF_PROXIES) for name in headers):
        return False
    try:
        host = urlsplit(f"//{headers.get('Host') or ''}").hostname
    except ValueError:
        return False
    return all(is_loopback(one) for one in (address, host) if isinstance(one, str) and one)


def _asks_who(project: Project) -> bool:
    return kept_store(project).accounts.exist() or single_sign_on.is_configured()


def _token() -> str:
    return str(st.session_state.get(COOKIE) or st.context.cookies.get(COOKIE) or "")


def _sign_in(project: Project, say: Words) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        choose_language(say.language, say)
    if single_sign_on.is_configured():
        _sign_in_elsewhere(project, say)
    with st.form("sign_in", width=420):
        st.subheader(say("app.people.sign_in"), anchor=False)
        name = st.text_input(say("app.people.name"), autocomplete="username", max_chars=60)
        password = st.text_input(say("app.people.password"), type="password", autocomplete="current-password")
        if not st.form_submit_button(say("app.people.sign_in")):
            return
    try:
        token = kept_store(project).accounts.sign_in(name or "", password or "")
    except DataError:
        st.error(say("app.people.refused"))
        return
    _begin(token)


def _sign_in_elsewhere(project: Project, say: Words) -> None:
    address, accounts = single_sign_on.vouched_for(), kept_store(project).accounts
    if address:
        try:
            token = accounts.begin(address)
        except DataError:
            st.error(say("app.people.no_account"))
            # Whoever may make accounts types it: what an address holds is no command.
            st.code(f"socml people add {quote(visible_line(address))} --elsewhere", language=None)
        else:
            if single_sign_on.spend():
                _begin(token)
            else:
                accounts.sign_out(token)  # another tab was first
    elif single_sign_on.lacks_verification():
        st.error(say("app.people.unverified"))
    if st.button(say("app.people.elsewhere"), key="sign_in_elsewhere", type="primary"):
        st.login()


def _begin(token: str, *, leave: bool = False) -> None:
    """Go on with a session, or with none; the next drawing lets the browser keep it."""
    st.session_state[COOKIE], st.session_state[_TICKET] = token, ticket_for(token)
    if leave:
        st.logout()
    st.rerun()


def _keep_cookie() -> None:
    ticket = st.session_state.get(_TICKET)
    if ticket:
        st.components.v2.component("socml.session", js=_KEEP)(key="session", data={"ticket": ticket}, height=1)


@st.cache_resource(show_spinner=False, hash_funcs={Project: lambda p: (str(p.workspace), p.labels_url)})
def kept_store(project: Project, *, read_only: bool = False) -> LabelStore:
    """Return the project's label store, one for all sessions; a viewer's writes nothing, whatever asks it to."""
    return open_labels(project, read_only=read_only)
