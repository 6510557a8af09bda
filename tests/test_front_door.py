"""Before all routes of the app: nobody uploads who is not signed in, and no page of another site frames an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("streamlit")

from socml.labels import open_labels
from socml.project import Project

PASSWORD = "correct horse battery"
UPLOAD = "/_stcore/upload_file/a-session/a-file"


def asked(
    path: str, method: str = "GET", cookie: str = "", client: str = "127.0.0.1", **headers_: str
) -> tuple[int, dict[str, str], bool]:
    """Return status and headers of an answer, and whether the app behind the door was reached."""
    from front_door import FrontDoor

    reached, sent = [], []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOWALL")]})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = {"host": "localhost:8501", **headers_}
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    headers += [(b"cookie", f"other=1; socml_session={cookie}".encode())] if cookie else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": (client, 50_000)}
    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave an event loop in this one
        thread.submit(lambda: asyncio.run(FrontDoor(behind)(scope, receive, send))).result()
    return sent[0]["status"], {key.decode(): value.decode() for key, value in sent[0]["headers"]}, bool(reached)


@pytest.mark.parametrize("path", ["/", "/hunt", "/_stcore/health", "/nothing"])
def test_no_answer_is_framed_by_another_site(path: str, app_project: Project) -> None:
    _, headers, reached = asked(path)
    assert reached
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", [UPLOAD, f"/socml{UPLOAD}"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_only_who_is_signed_in_uploads(path: str, method: str, app_project: Project) -> None:
    assert asked(path, method)[2], "where there are no accounts, whoever is at this machine does"
    with open_labels(app_project) as store:
        store.accounts.make("vera", "viewer", PASSWORD, by="setup")
        token = store.accounts.sign_in("vera", PASSWORD)
        assert asked(path, method)[::2] == (403, False)
        assert asked(path, method, "made up")[::2] == (403, False)
        assert asked(path, method, token)[::2] == (200, True)
        store.accounts.close("vera", by="setup")
        store.accounts.make("lea", "lead", PASSWORD, by="setup")
        assert asked(path, method, token)[::2] == (403, False), "an account that was closed"


def test_without_accounts_nobody_uploads_from_elsewhere(app_project: Project) -> None:
    assert asked(UPLOAD, "PUT", client="::1")[2]
    assert not asked(UPLOAD, "PUT", client="192.0.2.7")[2]
    assert not asked(UPLOAD, "PUT", host="socml.example.org")[2]
    assert asked(UPLOAD, "PUT", client="::ffff:127.0.0.1")[2], "as a socket for both kinds of address names it"
    assert not asked(UPLOAD, "PUT", client="::ffff:192.0.2.7")[2]
    own = "forwarded x_forwarded_for x_forwarded_host x_forwarded_proto x_forwarded_server x_real_ip via"
    for name in [*own.split(), "x_client_ip", "cf_connecting_ip", "true_client_ip", "x_original_host"]:
        for value in ("x", ""):
            assert not asked(UPLOAD, "PUT", **{name: value})[2], "a proxy on this machine brings whoever reaches it"


def test_the_server_has_the_door_before_all_else() -> None:
    from app_pages import APP

    source = (APP / "server.py").read_text()
    assert "middleware=[Middleware(FrontDoor)," in source
