"""What receives alerts may do whatever it likes: a night ends, nothing is lost, and no alert keeps back another."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest
from test_sinks import an_alert, http, keep, send

from socml.jobs.alerts import AlertBook
from socml.jobs.outbox import deliver, open_cursors, pending
from socml.jobs.sinks._sink import Undelivered
from socml.project import DataError, Project, SinkSettings

NOWHERE = Project(root=Path("/p"), workspace=Path("/w"))
END = b"\r\n\r\n"


@pytest.fixture
def book(tmp_path: Path) -> AlertBook:
    return AlertBook(Project(root=tmp_path, workspace=tmp_path / "w"), "office")


@contextmanager
def serving(do: Callable[[socket.socket], None]) -> Iterator[int]:
    """Do something with each connection in a thread of its own; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                do(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=one, args=server.accept()[:1], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def answering(*parts: bytes, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    """Take a request and answer it part by part; without a pause at once."""

    def do(connection: socket.socket) -> None:
        asked = b""
        while END not in asked:
            asked += connection.recv(65_536)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)

    return do


def mailing(refused: bytes = b"\0", data: bytes = b"250 taken\r\n") -> Callable[[socket.socket], None]:
    """Take mails but for recipients with `refused` in them; say `data` when a mail has come."""

    def do(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line[:4].upper() == b"DATA":
                connection.sendall(b"354 go on\r\n")
                mail = b"".join(iter(lines.readline, b".\r\n"))
                connection.sendall(data if b"GTUBE" in mail or data.startswith(b"250") else b"250 taken\r\n")
            else:
                connection.sendall(b"550 nobody\r\n" if refused in line else b"250 fine\r\n")

    return do


def mail_options(port: int, *to: str) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "sender": "socml@a.example", "to": to}


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n"],
        [b"HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\nabc"],
        [b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
        [b"no answer at all\r\n"],
    ],
)
def test_an_answer_that_is_cut_short_or_none_is_no_more_than_a_server_that_is_away(parts: list[bytes]) -> None:
    with serving(answering(*parts)) as port, pytest.raises(Undelivered) as caught:
        send("webhook", [an_alert()], url=f"http://127.0.0.1:{port}", timeout_s=5)
    assert caught.value.refused == ()


@pytest.mark.parametrize("status", [b"200", b"500"])
@pytest.mark.parametrize("head", [b"Content-Length: 100000\r\n\r\n", b"X-Long: "])
def test_an_answer_that_comes_a_byte_at_a_time_ends(status: bytes, head: bytes) -> None:
    drip = answering(b"HTTP/1.1 " + status + b" x\r\n" + head, *[b"a"] * 10_000, pause_s=0.02)
    with serving(drip) as port, pytest.raises(Undelivered):
        send("webhook", [an_alert()], url=f"http://127.0.0.1:{port}", timeout_s=0.1)


def test_a_mail_server_that_greets_a_byte_at_a_time_ends() -> None:
    def greet(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"2")
            time.sleep(0.02)

    with serving(greet) as port, pytest.raises(Undelivered, match="longer than"):
        send("smtp", [an_alert()], **mail_options(port, "a@b.example"), timeout_s=0.1)


def test_a_receiver_that_talks_for_ever_has_taken_all() -> None:
    got: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        got.append(connection.recv(65_536))
        while True:
            connection.sendall(b"x" * 1000)
            time.sleep(0.01)

    with serving(talk) as port:
        send("syslog-cef", [an_alert()], address=f"tcp://127.0.0.1:{port}", timeout_s=0.2)
    assert an_alert().key.encode() in got[0]


@pytest.mark.parametrize("answer", [b"[" * 100_000, b'{"items": [{"create": {"status": Infinity}}]}', b"{}", b"[1]"])
@pytest.mark.parametrize("kind", ["elastic-bulk", "splunk-hec"])
def test_an_answer_that_is_none_of_its_kind_is_told(kind: str, answer: bytes, monkeypatch) -> None:
    monkeypatch.setenv("HEC", "t")
    head = b"HTTP/1.1 200 x\r\nContent-Length: %d\r\n\r\n" % len(answer)
    options = {"token_variable": "HEC"} if kind == "splunk-hec" else {}
    with serving(answering(head + answer)) as port, pytest.raises(Undelivered) as caught:
        send(kind, [an_alert()], url=f"http://127.0.0.1:{port}", **options)
    assert caught.value.refused == ()


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_elastic_refuses_nothing_for_good_that_is_not_the_documents_fault(status: int) -> None:
    items = [{"create": {"status": 400}}, {"create": {"status": status, "error": {"type": "cluster_block_exception"}}}]
    with http(lambda body, n: (200, {"items": items})) as server, pytest.raises(Undelivered) as caught:
        send("elastic-bulk", [an_alert(1), an_alert(2)], url=server.url)
    assert caught.value.refused == ()


@pytest.mark.parametrize("address", ["tcp://a..b:514", "udp://a..b:514", f"tls://{'a' * 70}.example:514"])
def test_a_host_that_cannot_be_one_is_told(address: str) -> None:
    with pytest.raises(Undelivered):
        send("syslog-cef", [an_alert()], address=address)


@pytest.mark.parametrize(
    "wrong", [{"to": ["a@b.example\nBcc: c@d.example"]}, {"sender": "a\r\nX: y"}, {"host": "a..b"}]
)
def test_an_address_with_a_line_end_is_told(wrong: dict[str, object]) -> None:
    with pytest.raises(Undelivered):
        send("smtp", [an_alert()], **{**mail_options(1, "a@b.example"), **wrong})


def test_an_alert_that_is_too_long_for_a_datagram_keeps_back_no_other() -> None:
    long = an_alert(1, "u" * 200_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        address = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        with pytest.raises(Undelivered) as caught:
            send("syslog-cef", [long, an_alert(2)], address=address)
        assert caught.value.refused == (0,)
        assert an_alert(2).key.encode() in receiver.recv(65_535)


def test_a_gelf_message_of_too_many_chunks_is_refused_and_not_cut() -> None:
    import random

    letters = "".join(random.Random(1).choices([chr(c) for c in range(0x100, 0x3000)], k=150_000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        with pytest.raises(Undelivered) as caught:
            send("gelf", [an_alert(1, letters), an_alert(2)], address=f"udp://127.0.0.1:{receiver.getsockname()[1]}")
    assert caught.value.refused == (0,)


def test_gelf_over_http_has_a_key_a_message_and_sends_none_twice() -> None:
    bad = an_alert(2).key.encode()
    with http(lambda body, n: (400 if bad in body else 202, {})) as server, pytest.raises(Undelivered) as caught:
        send("gelf", [an_alert(i) for i in range(1, 4)], address=server.url)
    assert caught.value.refused == (1,)
    assert [headers["Idempotency-Key"] for _, headers, _ in server.requests] == [an_alert(i).key for i in range(1, 4)]


def test_a_mail_that_a_filter_refuses_keeps_back_no_other(book: AlertBook) -> None:
    with serving(mailing(data=b"554 looks like spam\r\n")) as port:
        sinks = [SinkSettings("mail", "smtp", mail_options(port, "soc@a.example"))]
        open_cursors(book, sinks)
        keep(book, an_alert(1), an_alert(2, "GTUBE"), an_alert(3))
        (done,) = deliver(book, sinks, NOWHERE, pauses_s=())
    assert (done.sent, done.refused, done.waiting) == (2, 1, 0)
    (kept,) = (book.folder / "outbox" / "mail.refused.jsonl").read_bytes().splitlines()
    assert json.loads(kept)["entity"] == "GTUBE"


def test_an_address_that_the_mail_server_does_not_take_is_named_though_others_are(book: AlertBook) -> None:
    with serving(mailing(refused=b"gone@")) as port:
        sinks = [SinkSettings("mail", "smtp", mail_options(port, "soc@a.example", "gone@a.example"))]
        open_cursors(book, sinks)
        keep(book, an_alert())
        (done,) = deliver(book, sinks, NOWHERE, pauses_s=())
        assert deliver(book, sinks, NOWHERE, pauses_s=())[0].sent == 0
    assert (done.sent, done.waiting, done.error) == (1, 0, "the server does not take gone@a.example")


def test_what_was_refused_is_read_again_whatever_is_in_it(book: AlertBook) -> None:
    path = book.folder / "outbox" / "hook.refused.jsonl"
    with http(lambda body, n: (400, {})) as server:
        sinks = [SinkSettings("hook", "webhook", {"url": server.url})]
        open_cursors(book, sinks)
        for number in (1, 2):
            keep(book, an_alert(number, f"a\u2028b\x85c\x1c{number}"))
            assert deliver(book, sinks, NOWHERE, pauses_s=())[0].refused == 1
            with path.open("ab") as file:
                file.write(b'{"alert_id": "0')  # as a killed run leaves it
        keep(book, an_alert(3))
        deliver(book, sinks, NOWHERE, pauses_s=())
    assert [json.loads(line)["alert_id"] for line in path.read_bytes().splitlines()] == [
        an_alert(number).alert_id for number in (1, 2, 3)
    ]


def test_whatever_a_sink_raises_stops_no_other(book: AlertBook) -> None:
    with http() as server:
        sinks = [
            SinkSettings("a", "gelf", {"address": "tcp://127.0.0.1:1"}),
            SinkSettings("b", "webhook", {"url": server.url}),
        ]
        open_cursors(book, sinks)
        keep(book, an_alert())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("socml.jobs.sinks.gelf.send_stream", lambda *_, **__: {}["gone"])
            first, second = deliver(book, sinks, NOWHERE, pauses_s=())
    assert (first.waiting, first.error) == (1, "KeyError: 'gone'")
    assert (second.sent, second.waiting) == (1, 0)


def test_alerts_that_come_after_the_file_was_cut_are_sent(book: AlertBook) -> None:
    with http() as server:
        sinks = [SinkSettings("hook", "webhook", {"url": server.url})]
        open_cursors(book, sinks)
        keep(book, an_alert(1), an_alert(2))
        deliver(book, sinks, NOWHERE, pauses_s=())
        lines = book.path.read_bytes().splitlines(keepends=True)
        book.path.write_bytes(b"")  # as a rotation with copytruncate does
        book.keep(date(2026, 3, 3), [an_alert(number) for number in (3, 4, 5)])
        assert pending(book, "hook") == 3
        assert deliver(book, sinks, NOWHERE, pauses_s=())[0].sent == 3
        book.path.write_bytes(book.path.read_bytes()[:-1].rpartition(b"\n")[0] + b"\n" + lines[0])  # 3, 4, 1
        assert pending(book, "hook") == 3  # 5, at which it was, is gone


def test_two_that_keep_alerts_at_once_lose_none(book: AlertBook, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_keep_many, args=(tmp_path, first)) for first in (0, 100, 200)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wanted = {an_alert(first + i).key for first in (0, 100, 200) for i in range(15)}
    assert {alert.key for alert in book.of_day(date(2026, 3, 2))} == wanted
    assert sorted(alert.key for alert in book.read()) == sorted(wanted)


def _keep_many(folder: Path, first: int) -> None:
    book = AlertBook(Project(root=folder, workspace=folder / "w"), "office")
    for i in range(15):
        keep(book, an_alert(first + i))


def test_two_that_deliver_at_once_send_each_alert_once(book: AlertBook) -> None:
    with http() as server:
        sinks = [SinkSettings("hook", "webhook", {"url": server.url})]
        open_cursors(book, sinks)
        keep(book, *(an_alert(i) for i in range(250)))
        both = [threading.Thread(target=deliver, args=(book, sinks, NOWHERE)) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    taken = [alert["alert_id"] for _, _, body in server.requests for alert in json.loads(body)["alerts"]]
    assert taken == [f"{i:024x}" for i in range(250)]


def test_a_line_that_is_no_alert_is_told_with_its_file(book: AlertBook) -> None:
    keep(book, an_alert())
    book.path.write_bytes(b"\0\0\0\n" + book.path.read_bytes())
    with pytest.raises(DataError, match=r"alerts\.jsonl"):
        book.read()


def test_what_is_late_is_left_alone() -> None:
    from socml.project import within

    late: list[bool] = []

    def wait(gone: threading.Event) -> None:
        late.append(gone.wait(30))

    with pytest.raises(TimeoutError, match="longer than 0.05 s"):
        within(0.05, wait)
    with pytest.raises(KeyError):
        within(30, lambda _: {}["gone"])
    assert within(30, lambda _: 7) == 7
