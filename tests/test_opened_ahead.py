"""Hunt's run is read while the browser still loads the page: the run that the page will show, once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("streamlit")
from app_pages import APP

from socml.project import DataError


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(APP))
    import ahead

    monkeypatch.setattr(ahead, "find_project", lambda: "lab")
    monkeypatch.setattr(ahead, "list_runs", lambda _: [{"run_id": "new"}, {"run_id": "old"}])
    return ahead


def opened(ahead: Any, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[tuple[str, str]]:
    """Ask a server for some addresses one after another, and return which runs were read."""
    found: list[tuple[str, str]] = []
    passed: list[str] = []
    monkeypatch.setattr(ahead, "kept_ranking", lambda *run: found.append(run))

    async def pages(scope: Any, _: Any, __: Any) -> None:
        passed.append(scope["path"])

    server = ahead.OpensHuntAhead(pages)
    for address in addresses:
        path, _, query = address.partition("?")
        scope = {"type": "http", "path": path, "query_string": query.encode()}
        with ThreadPoolExecutor(1) as thread:  # a browser's tests leave an event loop in this one
            thread.submit(lambda asked=scope: asyncio.run(server(asked, None, None))).result()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.name.endswith("(_open)"):
                thread.join()
    assert passed == [address.partition("?")[0] for address in addresses]
    return found


def test_the_run_of_the_address_or_the_newest_is_read(ahead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(ahead, monkeypatch, "/hunt") == [("lab", "new")]
    assert opened(ahead, monkeypatch, "/socml/hunt?by=alice&run=old") == [("lab", "old")]
    assert opened(ahead, monkeypatch, "/hunt?run=%2e%2e%2f%ff&run=old") == [("lab", "new")]
    assert opened(ahead, monkeypatch, "/labels", "/static/hunt.js", "/") == []


def test_no_address_makes_it_read_run_after_run(ahead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(ahead, monkeypatch, "/hunt?run=old", "/hunt?run=new", "/hunt") == [("lab", "old")]


def test_what_is_wrong_with_a_project_is_left_to_the_page(ahead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> None:
        raise DataError("There is no project here.")

    monkeypatch.setattr(ahead, "find_project", lost)
    monkeypatch.setattr(ahead, "find_project", lost)
    raised: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    assert opened(ahead, monkeypatch, "/hunt") == []
    assert raised == []
