"""An online service in the test: a server that plays each of them, and a project that asks it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from socml.project.project import LOOKUP_SERVICES, Project, read_project
from socml.tools.indicators import Indicator
from socml.tools.online import look_up_online as look_up_in_time

look_up_online = partial(look_up_in_time, limit_s=PATIENCE_S)  # a busy machine is no slow service


KEY = "k3y0f7h3t3st0123456789abcdef"


ADDRESS = Indicator("ipv4", "9.9.9.9")


DOMAIN = Indicator("domain", "c2.evil.example")


URL = Indicator("url", "http://c2.evil.example/a b?x=1&y=2")


SHA256 = Indicator("sha256", "ab" * 32)


@dataclass
class Played:
    """What the server was asked, and what it answers: by a start of a path, or to all."""

    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    slow_s: float = 0.0  # before each byte
    by_path: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def says(self, value: Any, status: int = 200) -> None:
        """Answer with this JSON."""
        self.body, self.status = json.dumps(value).encode(), status

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Played]:
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            played.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            found = next((v for start, v in played.by_path.items() if self.path.startswith(start)), None)
            status, answer = found or (played.status, played.body)
            self.send_response(status)
            for name, value in played.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            try:
                for i in range(len(answer)) if played.slow_s else ():
                    self.wfile.write(answer[i : i + 1])
                    time.sleep(played.slow_s)
                if not played.slow_s:
                    self.wfile.write(answer)
            except OSError:
                pass  # whoever asked has gone

        do_POST = do_GET  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None: ...

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.daemon_threads = True
    played.port = served.server_address[1]
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield played
    served.shutdown()
    served.server_close()


def project_of(root: Path, server: Played, *names: str, never: str = "", language: str = "en") -> Project:
    """Write a project whose services are all the server, each under its name."""
    root.mkdir(parents=True, exist_ok=True)
    text = f'language = "{language}"\n[lookups]\nnever = [{never}]\n'
    for name in names:
        text += f'[lookups.{name}]\nkey_variable = "{name.upper()}_KEY"\naddress = "{server.address}/{name}"\n'
        text += "private_address = true\n"
    (root / "socml.toml").write_text(text, encoding="utf-8")
    return read_project(root)


def engines(**stats: int) -> dict[str, Any]:
    return {"data": {"id": "cd" * 32, "attributes": {"last_analysis_stats": stats}}}


def noise(classification: str, scans: bool = True, common: bool = False) -> dict[str, Any]:
    return {"classification": classification, "noise": scans, "riot": common, "name": "X", "last_seen": "2024-01-02"}


def host(*states: str, listed: str = "not listed") -> dict[str, Any]:
    urls = [{"url_status": state} for state in states]
    return {"query_status": "ok", "url_count": "7", "urls": urls, "blacklists": {"spamhaus_dbl": listed}}


@pytest.fixture
def lookup_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each service has its key, and nothing of this machine's environment leads elsewhere."""
    for name in LOOKUP_SERVICES:
        monkeypatch.setenv(f"{name.upper()}_KEY", KEY)
    for name in ("SOCML_PROJECT", "SOCML_WORKSPACE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
