"""Senders that flood, idle or dribble → a receiver that counts what is lost, ends them, and keeps the good ones."""

from __future__ import annotations

import queue
import selectors
import socket
import threading
from collections.abc import Iterator

import pytest
from patience import wait_until

from socml.ingestion import clients, receiver
from socml.ingestion.clients import IDLE_S, SLOW_S
from socml.ingestion.octet_framing import MESSAGE_LIMIT, Frames
from socml.ingestion.receiver import Listened, Receiver, bound_socket

MESSAGE = b"<13>Nov 30 06:39:00 web1 a: %d"


class Bench:
    """A receiver on the loopback whose clock stands still unless it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.server = bound_socket("tcp", "127.0.0.1", 0)
        self.done = Listened()
        self.receiver = Receiver(self.server, "tcp", queue.Queue(), self.done, clock=lambda: self.now)
        self.receiver.selector.register(self.server, selectors.EVENT_READ)
        self.senders: list[socket.socket] = []

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        sender = socket.create_connection(self.server.getsockname(), source_address=(source, 0))
        self.senders.append(sender)
        self.work()
        return sender

    def send(self, sender: socket.socket, data: bytes) -> None:
        sender.sendall(data)
        self.work()

    def work(self, at: float | None = None) -> None:
        """Do what there is to do, at the given time."""
        self.now = self.now if at is None else at
        while self.receiver._once(0.05):
            pass
        self.receiver._end_silent()

    def messages(self) -> list[bytes]:
        found = []
        while not self.receiver.waiting.empty():
            found.append(self.receiver.waiting.get_nowait())
        return found

    def is_open(self, sender: socket.socket) -> bool:
        sender.setblocking(False)
        try:
            return sender.recv(1) != b""
        except BlockingIOError:
            return True
        except ConnectionError:
            return False


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for sender in made.senders:
        sender.close()
    made.server.close()


def test_a_connection_is_ended_after_a_quarter_of_an_hour_of_silence(bench: Bench) -> None:
    sender = bench.connect()
    bench.send(sender, MESSAGE % 1 + b"\n")
    bench.work(IDLE_S)
    assert bench.is_open(sender)
    bench.work(IDLE_S + 1)
    assert not bench.is_open(sender)
    assert bench.done.ended == 1
    assert "1 idle or slow connections ended" in str(bench.done)


def test_a_message_that_dribbles_in_ends_its_connection_and_is_kept(bench: Bench) -> None:
    sender = bench.connect()
    for at, letter in enumerate(b"<13>slow"):
        bench.now = at * SLOW_S / 7
        bench.send(sender, bytes([letter]))
        assert bench.is_open(sender)
    bench.work(SLOW_S + 0.1)
    assert not bench.is_open(sender)
    assert [message.endswith(b"<13>slow") for message in bench.messages()] == [True]


def test_a_sender_of_whole_messages_may_take_its_time(bench: Bench) -> None:
    sender = bench.connect()
    for at in range(10):
        bench.now = at * 10 * SLOW_S
        bench.send(sender, MESSAGE % at + b"\n")
    bench.work(9 * 10 * SLOW_S + 5 * SLOW_S)
    assert bench.is_open(sender)
    assert len(bench.messages()) == 10


def test_what_was_sent_while_nobody_listened_counts_before_a_connection_is_ended(bench: Bench) -> None:
    sender = bench.connect()
    sender.sendall(MESSAGE % 1 + b"\n")
    wait_until(lambda: bench.receiver.selector.select(0))
    bench.now = 2 * IDLE_S  # the queue was full so long
    bench.receiver._end_silent()
    assert bench.is_open(sender)
    assert bench.messages() == [MESSAGE % 1]


def test_idle_connections_of_its_own_address_never_shut_out_a_sender(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "OF_ONE_ADDRESS", 3)
    good = bench.connect()
    for number in range(20):
        bench.now += 1
        bench.send(good, MESSAGE % number + b"\n")
        bench.now += 1
        bench.connect()
        assert len(bench.receiver.clients) <= 3
    assert bench.is_open(good)
    assert bench.messages() == [MESSAGE % number for number in range(20)]
    assert bench.done.ended == 18


def test_many_connections_of_one_address_never_end_the_only_one_of_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "IN_ALL", 4)
    good = bench.connect("127.0.0.2")
    for number in range(20):
        bench.now += 1
        dribble = bench.connect("127.0.0.3")
        bench.send(dribble, MESSAGE % number + b"\n<13>half")  # newer than what the good one said
    assert len(bench.receiver.clients) == 4
    assert bench.is_open(good)
    bench.send(good, b"<13>Nov 30 06:39:00 web1 good: day\n")
    assert b"<13>Nov 30 06:39:00 web1 good: day" in bench.messages()


def test_a_process_without_files_left_ends_a_connection_for_the_newcomer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = bench.connect()
    accept, refused = bench.receiver.server.accept, [OSError(24, "Too many open files")]

    class Server:
        def accept(self) -> object:
            if refused:
                raise refused.pop()
            return accept()

        def __getattr__(self, name: str) -> object:
            return getattr(bench.server, name)

    bench.receiver.server = Server()  # type: ignore[assignment]
    bench.receiver._accept()
    assert not bench.is_open(idle)
    assert len(bench.receiver.clients) == 0


def test_a_failure_of_the_receiver_is_kept_and_stops_the_listener(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    bench.receiver.selector.unregister(bench.server)
    monkeypatch.setattr(bench.receiver, "_once", lambda timeout: 1 / 0)
    bench.receiver.run(stop)
    assert stop.is_set()
    assert isinstance(bench.receiver.failure, ZeroDivisionError)


@pytest.mark.parametrize("way", ["both", "with the datagrams", "asked at the end"])
def test_datagrams_that_the_kernel_drops_are_counted_and_told(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with bound_socket("udp", "127.0.0.1", 0) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if way == "with the datagrams":
            monkeypatch.setattr(receiver, "drops_so_far", lambda server: None)
        if way == "asked at the end":
            monkeypatch.setattr(receiver, "tell_drops", lambda server: 0)
        done, stop = Listened(), threading.Event()
        receiving = Receiver(server, "udp", queue.Queue(), done)
        for number in range(1000):
            sender.sendto(MESSAGE % number, server.getsockname())
        receiving._datagrams()  # makes room: the next datagram brings the count
        sender.sendto(MESSAGE % 1000, server.getsockname())
        stop.set()
        receiving.run(stop)
    assert done.dropped_by_kernel > 0
    assert done.received + done.dropped_by_kernel == 1001
    assert f"{done.dropped_by_kernel:,} dropped by the kernel: its buffer was full" in str(done)


def test_a_message_that_comes_byte_by_byte_is_searched_once_for_its_end() -> None:
    class Counting(bytearray):
        looked = 0

        def find(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
            Counting.looked += len(self) - start
            return super().find(what, start)

    frames = Frames()
    frames._held = Counting()
    for _ in range(MESSAGE_LIMIT):
        assert frames.feed(b"x") == []
    assert frames.feed(b"\n") == [b"x" * MESSAGE_LIMIT]
    assert Counting.looked <= 2 * MESSAGE_LIMIT + 1
