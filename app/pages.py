"""The pages of the app, in the order of a day, and the document that a browser loads for any of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from scripts import bundle
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from socml.project import LANGUAGES, words


@dataclass(frozen=True)
class Page:
    """One page: its place in the address, the file that draws it, the key of its title, its icon, and if it is in the line of pages."""

    path: str
    file: str
    title: str
    icon: str
    listed: bool = True


PAGES = (
    Page("", "today_page.py", "today", "today"),
    Page("hunt", "hunt.py", "hunt", "troubleshoot"),
    Page("features", "features_page.py", "looking", "bar_chart"),
    Page("cases", "cases.py", "cases", "work"),
    Page("labels", "label_history.py", "labels", "history"),
    Page("runs", "run_overview.py", "runs", "monitoring"),
    Page("data", "data.py", "data", "database"),
    Page("entity", "entity.py", "entity", "lan", listed=False),
    Page("tools", "tools.py", "tools", "handyman"),
)


def page_routes() -> list[Route]:
    """Return the routes that answer a page's address with Streamlit's document, our script before its own."""
    return [Route(f"/{page.path}", _document) for page in PAGES]


async def _document(_: Request) -> Response:
    return HTMLResponse(_with_places(), headers={"Cache-Control": "no-cache"})


@cache
def _with_places() -> str:
    document = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    told = f'<script type="application/json" id="told">{json.dumps(_told())}</script>'
    script, _ = bundle("shell.js", "")
    return document.replace("<head>", f'<head>\n    {told}\n    <script type="module">\n{script}</script>', 1)


def _told() -> dict[str, object]:
    """Return language → its notice, and language → what Streamlit says in English and that language says instead."""
    said = {key: text for key, text in words("en").catalogue.items() if key.startswith("app.streamlit.")}
    return {
        "away": {name: [words(name)("app.away.title"), words(name)("app.away.about")] for name in LANGUAGES},
        "words": {name: {t: words(name).catalogue[k] for k, t in said.items()} for name in LANGUAGES if name != "en"},
    }
