"""The cookie of a session: no script reads it, a ticket counts once and for a minute, and other sites get none."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("streamlit")
from app_pages import APP


@pytest.fixture
def cookie(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(APP))
    import session_cookie

    return session_cookie


def posted(cookie: Any, body: bytes, **headers: str) -> tuple[int, str]:
    """Return the status and the cookie that a request to the route is answered with."""
    from starlette.requests import Request

    sent = {"host": "lab.example", "origin": "http://lab.example", **headers}
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/session",
        "query_string": b"",
        "server": ("lab.example", 80),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave an event loop in this one
        answer = thread.submit(lambda: asyncio.run(cookie.keep(Request(scope, receive)))).result()
    return answer.status_code, answer.headers.get("set-cookie", "")


def test_a_ticket_is_exchanged_once_for_a_cookie_that_no_script_reads(cookie: Any) -> None:
    ticket = cookie.ticket_for("secret-token")
    status, kept = posted(cookie, ticket.encode())
    assert status == 204
    assert kept.startswith(f"{cookie.COOKIE}=secret-token;")
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in kept
    assert "Secure" not in kept
    assert posted(cookie, ticket.encode()) == (403, "")


def test_behind_https_the_cookie_is_never_sent_in_the_clear(cookie: Any) -> None:
    _, kept = posted(cookie, cookie.ticket_for("t").encode(), x_forwarded_proto="https", origin="https://lab.example")
    assert "Secure" in kept


def test_signing_out_takes_the_cookie_away(cookie: Any) -> None:
    status, kept = posted(cookie, cookie.ticket_for("").encode())
    assert status == 204
    assert "Max-Age=0" in kept


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://lab.example.evil.example", ""])
def test_another_site_gets_no_cookie_and_spends_no_ticket(cookie: Any, origin: str) -> None:
    ticket = cookie.ticket_for("t")
    assert posted(cookie, ticket.encode(), origin=origin) == (403, "")
    assert posted(cookie, ticket.encode())[0] == 204


def test_what_is_no_ticket_is_refused(cookie: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (b"", b"x" * 43, b"\xff\x00", "é".encode()):
        assert posted(cookie, body) == (403, "")
    assert posted(cookie, b"x" * 10_000) == (413, "")
    late = cookie.ticket_for("t")
    monkeypatch.setattr(cookie, "LASTS_S", -1.0)
    old = cookie.ticket_for("t")
    assert posted(cookie, old.encode()) == (403, "")
    assert cookie.token_of(late) == "t"
