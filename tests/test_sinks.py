"""Alerts leave: over real sockets to HTTP, SMTP, TCP and UDP servers, once each, however often a server fails."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from socml.jobs.alerts import Alert, AlertBook, Told
from socml.jobs.outbox import deliver, make_sink, open_cursors, pending
from socml.jobs.sinks._sink import Undelivered
from socml.project import ConfigurationError, Project, SinkSettings, UnknownName, component_names

EVIL = 'host\n|CEF:0|x=y\\ <b>"é\u202e'


def an_alert(number: int = 1, entity: str = "10.0.0.4") -> Alert:
    told = Told("scanned", "scan", 60.0, 3.0, f"scan: {number} addresses", f"balayage : {number} adresses")
    return Alert(
        alert_id=f"{number:024x}", status="new", dataset="office", day="2026-03-02", first_day="2026-03-02",
        entity=entity, role="source inside", owner="", family="scan", score=3.0, once_in_entity_days=1000.0,
        reasons=(told,), row_id=f"{number:032x}", run_id="r", model_version="daily/1", link="https://socml.example/?run=r",
    )  # fmt: skip


class Server(ThreadingHTTPServer):
    """An HTTP server that answers as it is told, and keeps what it was sent."""

    def __init__(self, answer: Callable[[bytes, int], tuple[int, object]]) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.requests.append((handler.path, dict(handler.headers.items()), body))
                status, said = answer(body, len(self.requests))
                handler.send_response(status)
                if status == 302:
                    handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
                handler.end_headers()
                handler.wfile.write(json.dumps(said).encode())

            def log_message(handler, *args: object) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def http(answer: Callable[[bytes, int], tuple[int, object]] = lambda body, n: (200, {})) -> Iterator[Server]:
    with Server(answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def tcp() -> Iterator[tuple[int, list[bytes]]]:
    got: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            got.append(self.rfile.read())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], got
        server.shutdown()


class SmtpHandler(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs; the first mails are turned away while `server.busy` is above 0."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines))
                self.wfile.write(b"250 taken\r\n")
            elif verb == b"MAIL" and self.server.busy > 0:
                self.server.busy -= 1
                self.wfile.write(b"451 later\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
                if verb == b"QUIT":
                    return


def send(kind: str, alerts: list[Alert], **options: object) -> None:
    make_sink(SinkSettings("s", kind, options), Project(root=Path("/p"), workspace=Path("/p/w"))).send(alerts, "batch1")


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(Project(root=tmp_path, workspace=tmp_path / "w"), "office")


def keep(book: AlertBook, *alerts: Alert) -> None:
    from datetime import date

    book.keep(date(2026, 3, 2), alerts)


def test_webhook_sends_json_with_a_key_a_token_and_a_signature(monkeypatch) -> None:
    import hashlib
    import hmac

    monkeypatch.setenv("HOOK_TOKEN", "t0ken")
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    with http() as server:
        send(
            "webhook",
            [an_alert(entity=EVIL)],
            url=server.url,
            token_variable="HOOK_TOKEN",
            signing_variable="HOOK_SECRET",
        )
    _, headers, body = server.requests[0]
    assert headers["Idempotency-Key"] == "batch1"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["X-Socml-Signature"] == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    (alert,) = json.loads(body)["alerts"]
    assert (alert["entity"], alert["key"]) == (EVIL, an_alert().key)


def test_webhook_follows_no_redirect() -> None:
    with http(lambda body, n: (302, {})) as server, pytest.raises(Undelivered, match="302"):
        send("webhook", [an_alert()], url=server.url)


def test_a_secret_that_is_not_set_is_told_by_its_variable_alone(monkeypatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(ConfigurationError, match="NO_SUCH"):
        send("splunk-hec", [an_alert()], url="http://127.0.0.1:1", token_variable="NO_SUCH")


def test_elastic_takes_a_document_an_alert_and_one_that_is_there_counts() -> None:
    def answer(body: bytes, n: int) -> tuple[int, object]:
        items = [json.loads(line) for line in body.splitlines()[::2]]
        return 200, {
            "items": [{"create": {"_id": i["create"]["_id"], "status": 409 if k else 201}} for k, i in enumerate(items)]
        }

    with http(answer) as server:
        send("elastic-bulk", [an_alert(1), an_alert(2)], url=server.url, index="alerts")
    path, _, body = server.requests[0]
    first, document = (json.loads(line) for line in body.splitlines()[:2])
    assert path == "/_bulk"
    assert first == {"create": {"_index": "alerts", "_id": an_alert(1).key}}
    assert document["event"]["reason"].startswith("10.0.0.4 (source inside): scan")


@pytest.mark.parametrize(("status", "refused"), [(400, (1,)), (429, ())])
def test_elastic_says_which_document_is_refused_for_good(status: int, refused: tuple[int, ...]) -> None:
    items = [{"create": {"status": 201}}, {"create": {"status": status, "error": {"type": "x"}}}]
    with http(lambda body, n: (200, {"items": items})) as server, pytest.raises(Undelivered) as caught:
        send("elastic-bulk", [an_alert(1), an_alert(2)], url=server.url)
    assert caught.value.refused == refused


def test_splunk_takes_events_with_its_token(monkeypatch) -> None:
    monkeypatch.setenv("HEC", "abc")
    with http(lambda body, n: (200, {"text": "Success", "code": 0})) as server:
        send("splunk-hec", [an_alert(1), an_alert(2)], url=server.url, token_variable="HEC", index="main")
    path, headers, body = server.requests[0]
    events = [json.loads(line) for line in body.splitlines()]
    assert (path, headers["Authorization"]) == ("/services/collector/event", "Splunk abc")
    assert [e["event"]["key"] for e in events] == [an_alert(1).key, an_alert(2).key]
    assert events[0]["time"] == 1772409600.0
    with http(lambda body, n: (200, {"code": 9})) as server, pytest.raises(Undelivered):
        send("splunk-hec", [an_alert(1)], url=server.url, token_variable="HEC")


def test_cef_over_tcp_is_framed_and_one_line_whatever_the_log_said() -> None:
    with tcp() as (port, got):
        send("syslog-cef", [an_alert(1, EVIL), an_alert(2)], address=f"tcp://127.0.0.1:{port}")
    (data,) = got
    messages = []
    while data:
        length, data = data.split(b" ", 1)
        messages.append(data[: int(length)].decode())
        data = data[int(length) :]
    assert len(messages) == 2
    assert re.match(
        r"<132>1 2026-03-02T00:00:00Z socml socml - alert - CEF:0\|socml\|socml\|[^|]+\|scan\|", messages[0]
    )
    assert not re.search(r"[\n\u202e]", messages[0])
    assert "\\=y" in messages[0]
    assert messages[0].count("CEF:0|socml|") == 1


def test_cef_and_gelf_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        address = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        send("syslog-cef", [an_alert()], address=address)
        assert b"externalId=" + an_alert().key.encode() in receiver.recv(65_535)
        send("gelf", [an_alert()], address=address)
        said = json.loads(zlib.decompress(receiver.recv(65_535)))
        assert (said["version"], said["_key"], said["_entity"]) == ("1.1", an_alert().key, "10.0.0.4")


def test_a_long_gelf_message_comes_in_chunks_that_make_it() -> None:
    import random

    long = an_alert(entity="".join(random.Random(1).choices("abcdefghijklmnop", k=20_000)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        send("gelf", [long], address=f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        first = receiver.recv(65_535)
        parts = [first, *(receiver.recv(65_535) for _ in range(first[11] - 1))]
    assert {part[:10] for part in parts} == {b"\x1e\x0f" + first[2:10]}
    whole = b"".join(part[12:] for part in sorted(parts, key=lambda part: part[10]))
    assert json.loads(zlib.decompress(whole))["_entity"] == long.entity


def test_gelf_over_tcp_ends_each_message_with_a_zero_byte() -> None:
    with tcp() as (port, got):
        send("gelf", [an_alert(1), an_alert(2)], address=f"tcp://127.0.0.1:{port}")
    assert [json.loads(m)["_key"] for m in got[0].split(b"\0")[:-1]] == [an_alert(1).key, an_alert(2).key]


def test_a_mail_has_all_alerts_of_a_batch_and_the_same_id_when_it_is_sent_again(book: AlertBook) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SmtpHandler) as server:
        server.mails, server.busy = [], 1
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        options = {"host": "127.0.0.1", "port": server.server_address[1], "security": "none", "sender": "socml@a.example",
                   "to": ["soc@a.example"], "language": "fr"}  # fmt: skip
        sinks = [SinkSettings("mail", "smtp", options)]
        open_cursors(book, sinks)
        keep(book, an_alert(1, "évil\r\nBcc: x@y"), an_alert(2))
        (done,) = deliver(book, sinks, Project(root=Path("/p"), workspace=Path("/w")), pauses_s=(0,))
        send("smtp", [an_alert(1), an_alert(2)], **options)
        send("smtp", [an_alert(1), an_alert(2)], **options)
        server.shutdown()
    assert (done.sent, done.waiting) == (2, 0)
    mail, again, third = (message_from_bytes(m, policy=policy.default) for m in server.mails)
    assert mail["Subject"] == "socml : 2 alertes de office, 2026-03-02"
    assert mail["Bcc"] is None
    assert "balayage : 1 adresses" in mail.get_content()
    assert "10.0.0.4 (source interne), " in mail.get_content()
    assert again["Message-ID"] == third["Message-ID"] != mail["Message-ID"]


def test_a_server_that_is_away_loses_and_doubles_nothing(book: AlertBook) -> None:
    project = Project(root=Path("/p"), workspace=Path("/w"))
    with http(lambda body, n: (503 if n <= 2 else 200, {})) as server:
        sinks = [
            SinkSettings("hook", "webhook", {"url": server.url}),
            SinkSettings("gone", "webhook", {"url": "http://127.0.0.1:1"}),
        ]
        open_cursors(book, sinks)
        keep(book, *(an_alert(i) for i in range(250)))
        gone, hook = sorted(deliver(book, sinks, project, pauses_s=()), key=lambda one: one.sink)
        assert (hook.sent, hook.waiting, gone.waiting) == (0, 250, 250)
        assert gone.error
        keep(book, an_alert(999))
        deliver(book, sinks, project, pauses_s=())
        assert deliver(book, sinks, project, pauses_s=())[0].waiting == 0
        deliver(book, sinks, project, pauses_s=())
    taken = [(h["Idempotency-Key"], json.loads(b)["alerts"]) for _, h, b in server.requests[2:]]
    assert [a["alert_id"] for _, alerts in taken for a in alerts] == [f"{i:024x}" for i in [*range(250), 999]]
    first = [h["Idempotency-Key"] for _, h, _ in server.requests[:3]]
    assert len(set(first)) == 1  # the batch that failed is sent again as it was
    assert pending(book, "gone") == 251


def test_one_alert_that_is_refused_keeps_back_no_other(book: AlertBook) -> None:
    bad = f"{7:024x}".encode()
    with http(lambda body, n: (400 if bad in body else 200, {})) as server:
        sinks = [SinkSettings("hook", "webhook", {"url": server.url})]
        open_cursors(book, sinks)
        keep(book, *(an_alert(i) for i in range(20)))
        (done,) = deliver(book, sinks, Project(root=Path("/p"), workspace=Path("/w")), pauses_s=())
    assert (done.sent, done.refused, done.waiting) == (19, 1, 0)
    refused = (book.folder / "outbox" / "hook.refused.jsonl").read_text().splitlines()
    assert [json.loads(line)["alert_id"] for line in refused] == [bad.decode()]


def test_a_sink_that_is_new_gets_no_old_alerts(book: AlertBook) -> None:
    keep(book, an_alert(1))
    sinks = [SinkSettings("hook", "webhook", {"url": "http://127.0.0.1:1"})]
    open_cursors(book, sinks)
    assert pending(book, "hook") == 0
    keep(book, an_alert(1), an_alert(2))
    assert pending(book, "hook") == 1


def test_half_a_line_of_a_killed_run_gives_way(book: AlertBook) -> None:
    keep(book, an_alert(1))
    with book.path.open("ab") as file:
        file.write(b'{"alert_id": "000')
    assert [alert.key for alert in book.read()] == [an_alert(1).key]
    keep(book, an_alert(1), an_alert(2))
    assert [alert.key for alert in book.read()] == [an_alert(1).key, an_alert(2).key]


@pytest.mark.parametrize("kind", component_names("sinks"))
def test_each_sink_refuses_an_option_it_does_not_know(kind: str) -> None:
    project = Project(root=Path("/p"), workspace=Path("/w"))
    with pytest.raises(ConfigurationError, match=r"\[sinks.x\]"):
        make_sink(SinkSettings("x", kind, {"no_such_option": 1}), project)
    with pytest.raises(UnknownName, match="sink"):
        make_sink(SinkSettings("x", f"{kind}s", {}), project)


@pytest.mark.parametrize("address", ["tcp://host", "ftp://a:1", "udp://u:p@h:1", "514"])
def test_an_address_that_is_none_is_said_so(address: str) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        make_sink(SinkSettings("x", "syslog-cef", {"address": address}), Project(root=Path("/p"), workspace=Path("/w")))
