"""HTTP and SMTP servers of this machine that keep what they are sent, for tests of responders."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What an HTTP server was sent; `answers` says what it gives back, by method and path."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)


@contextmanager
def web_server() -> Iterator[Web]:
    """Serve on this machine until the block ends."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            web.requests.append(
                {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": data}
            )
            status, body = web.answers.get((self.command, self.path), (200, {}))
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", str(body))
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  names of http.server

        def log_message(self, *_: Any) -> None:
            return

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        web.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield web


@contextmanager
def mail_server(mails: list[str], *, refuse: bool = False) -> Iterator[str]:
    """Take mails on this machine until the block ends; yield the server's address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(":")[0].split(" ")[0].upper()
                if verb == "DATA":
                    self.say("354 go on")
                    mails.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                if verb == "QUIT":
                    self.say("221 bye")
                    return
                self.say("550 unknown" if refuse and verb == "RCPT" else "250 ok")

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"smtp://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _running(server: Any) -> Iterator[Any]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
