"""Messages over the loopback → events: framing, a killed process, and what may not be listened on."""

from __future__ import annotations

import errno
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S, wait_until

from socml.ingestion.buffer import Spool
from socml.ingestion.event_query import load_events
from socml.ingestion.ingestion import ingest
from socml.ingestion.listener import PLACE_BYTES, _Waiting, listen
from socml.ingestion.octet_framing import MESSAGE_LIMIT, Frames, one_line
from socml.ingestion.receiver import Listened
from socml.project.errors import ConfigurationError, DataError, TryLater
from socml.project.project import Project

LOGIN = b"<86>Nov 30 06:39:00 web1 sshd[1]: Failed password for root from 192.0.2.9 port %d ssh2"


def _listen(
    address: str,
    project: Project,
    send: Callable[[str, int], None],
    messages: int,
    *,
    every: float = 10.0,
    meanwhile: Callable[[Listened], None] = lambda done: None,
) -> Listened:
    """Listen in a thread, send, do something meanwhile, and stop when all messages that were sent have come."""
    stop, where, done = threading.Event(), [], Listened()
    more = {"stop": stop, "on_ready": lambda *at: where.append(at), "every": every}
    with ThreadPoolExecutor(1) as thread, patch("socml.ingestion.listener.Listened", lambda: done):
        listening = thread.submit(listen, address, dataset="net", project=project, **more)
        try:
            wait_until(lambda: where or listening.done())
            send(*where[0])
            meanwhile(done)
            wait_until(lambda: done.received + done.dropped >= messages or listening.done(), lambda: done)
        finally:
            stop.set()
        assert listening.result() is done
    return done


def test_datagrams_become_events_and_one_without_a_header_gets_its_senders(lab: Project) -> None:
    def send(host: str, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(50):
                sender.sendto(LOGIN % number, (host, port))
            sender.sendto(b"no header\nand a second line", (host, port))
            sender.sendto(b"<13>Foo 99 06:39:00 web1 a: not a month", (host, port))
            sender.sendto(b"# not a comment", (host, port))

    done = _listen("udp://127.0.0.1:0", lab, send, 53)
    assert (done.received, done.stored, done.quarantined, done.dropped) == (53, 52, 1, 0)
    assert done.headed == 2
    events = load_events("net", project=lab)
    assert sorted(events["source_port"].dropna()) == list(range(50))
    assert events[events["message"] == "no header#012and a second line"]["host_name"].tolist() == ["127.0.0.1"]
    assert not list((lab.workspace / "spool" / "net").glob("0*"))


def test_a_connection_may_send_lines_and_counted_messages(lab: Project) -> None:
    def send(host: str, port: int) -> None:
        with socket.create_connection((host, port)) as sender:
            counted = LOGIN % 7 + b"\nsecond line"
            sender.sendall(LOGIN % 1 + b"\n" + LOGIN % 2 + b"\r\n")
            sender.sendall(b"%d %s" % (len(counted), counted) + LOGIN % 3 + b"\n")
            sender.sendall(LOGIN % 4)  # without its end

    done = _listen("tcp://127.0.0.1:0", lab, send, 5, every=0.2)
    assert (done.received, done.stored) == (5, 5)
    assert sorted(load_events("net", project=lab)["source_port"].dropna()) == [1, 2, 3, 4, 7]


def test_the_same_reader_of_files_gives_the_same_events(lab: Project, tmp_path: Path) -> None:
    def send(host: str, port: int) -> None:
        with socket.create_connection((host, port)) as sender:
            sender.sendall(b"".join(LOGIN % n + b"\n" for n in range(20)))

    _listen("tcp://127.0.0.1:0", lab, send, 20)
    path = tmp_path / "auth.log"
    path.write_bytes(b"".join(LOGIN % n + b"\n" for n in range(20)))
    assert ingest(path, dataset="net", project=lab).added == 0


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 9), max_size=20))
def test_counted_messages_arrive_whole_however_the_stream_is_cut(texts: list[bytes], cuts: list[int]) -> None:
    messages = [b"<13>" + text for text in texts]
    stream = b"".join(b"%d %s" % (len(m), m) for m in messages)
    frames, found, at = Frames(), [], 0
    for cut in [*cuts, len(stream)]:
        found += frames.feed(stream[at : at + cut])
        at += cut
    assert found + frames.close() == messages


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(1, 9), max_size=20))
def test_lines_arrive_whole_however_the_stream_is_cut(texts: list[bytes], cuts: list[int]) -> None:
    lines = [b"<13>" + text.replace(b"\n", b"") for text in texts]
    stream = b"".join(line + b"\n" for line in lines)
    frames, found, at = Frames(), [], 0
    for cut in [*cuts, len(stream)]:
        found += frames.feed(stream[at : at + cut])
        at += cut
    assert found + frames.close() == lines


def test_a_message_over_the_limit_is_shortened_and_the_next_is_whole() -> None:
    long = b"<13>" + b"x" * (2 * MESSAGE_LIMIT)
    for stream in (long + b"\n<13>next\n", b"%d %s" % (len(long), long) + b"9 <13>next\n"):
        frames = Frames()
        found = [m for i in range(0, len(stream), 1000) for m in frames.feed(stream[i : i + 1000])] + frames.close()
        assert [len(m) for m in found] == [MESSAGE_LIMIT, len(found[1])]
        assert one_line(found[1]) == b"<13>next"
        assert frames.shortened == 1


def test_an_address_that_others_reach_or_that_is_none_is_refused(lab: Project) -> None:
    for address in ("udp://0.0.0.0:5514", "tcp://[::]:5514", "udp://192.0.2.1:514"):
        with pytest.raises(ConfigurationError, match="other machines reach"):
            listen(address, dataset="net", project=lab, seconds=0)
    for address in ("http://127.0.0.1:1", "udp://127.0.0.1", "udp://example.com:1", "udp://[::1:5", "x"):
        with pytest.raises(ConfigurationError, match="is not an address to listen on"):
            listen(address, dataset="net", project=lab, seconds=0)


def _listener(lab: Project) -> subprocess.Popen[str]:
    """Start a listener in a process of its own; its first line is its port."""
    script = (
        "import sys; from pathlib import Path; from socml.ingestion.listener import listen\n"
        "from socml.project.project import Project\n"
        "project = Project(root=Path(sys.argv[1]), workspace=Path(sys.argv[2]))\n"
        "print(listen('tcp://127.0.0.1:0', dataset='net', project=project, every=600,\n"
        "             on_ready=lambda host, port: print(port, flush=True)))\n"
    )
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a runner may ignore it
    command = [sys.executable, "-c", heeding + script, str(lab.root), str(lab.workspace)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_listener_that_is_asked_to_end_stores_all_that_was_sent_and_half_a_line_too(lab: Project) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with _listener(lab) as process:
            try:
                port = int((process.stdout.readline() if process.stdout else "") or 0)
                with socket.create_connection(("127.0.0.1", port)) as sender:
                    sender.sendall(b"".join(LOGIN % n + b"\n" for n in range(number * 1000, number * 1000 + 500)))
                    sender.sendall(LOGIN % (number * 1000 + 500))  # without its end
                    process.send_signal(number)
                    assert process.wait(PATIENCE_S) == 0
            finally:
                process.kill()
        stored = set(load_events("net", project=lab)["source_port"])
        assert stored >= set(range(number * 1000, number * 1000 + 501))


def test_what_a_killed_listener_had_written_is_stored_by_the_next(lab: Project) -> None:
    process = _listener(lab)
    try:
        port = int((process.stdout.readline() if process.stdout else "") or 0)
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"".join(LOGIN % n + b"\n" for n in range(500)))
            folder = lab.workspace / "spool" / "net"
            wait_until(lambda: sum(p.read_bytes().count(b"\n") for p in folder.glob("0*")) == 500)
            os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    done = listen("tcp://127.0.0.1:0", dataset="net", project=lab, seconds=0)
    assert (done.received, done.stored) == (0, 500)
    assert len(load_events("net", project=lab)) == 500
    assert listen("tcp://127.0.0.1:0", dataset="net", project=lab, seconds=0).stored == 0


def test_a_spool_rotates_and_numbers_its_files_on_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socml.ingestion.buffer.FILE_BYTES", 10)
    with Spool(tmp_path) as spool:
        spool.write([b"first line"])
        spool.write([b"b"])
        assert [p.suffix for p in sorted(tmp_path.glob("0*"))] == [".log", ".part"]
        with pytest.raises(TryLater, match="Another listener"), Spool(tmp_path):
            pass
    with Spool(tmp_path) as again:
        again.write([b"c"])
        assert [p.read_bytes() for p in again.finished()] == [b"first line\n", b"b\n", b"c\n"]


def test_a_name_in_the_spool_is_never_used_twice(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        with Spool(tmp_path) as spool:
            spool.write([b"a heartbeat"])
            for path in spool.finished():
                names.append(path.name)
                path.unlink()
    assert names == ["0000000001.log", "0000000002.log", "0000000003.log"]


def test_a_file_that_cannot_be_stored_waits_and_the_listener_goes_on(
    lab: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(host: str, port: int) -> None:
        with socket.create_connection((host, port)) as sender:
            sender.sendall(LOGIN % 1 + b"\n")

    with monkeypatch.context() as patched:
        for error in (OSError(28, "No space left on device"), DataError("The reader has a fault.")):
            patched.setattr("socml.ingestion.listener.ingest_files", Mock(side_effect=error))
            with pytest.raises(DataError, match=r"(No space|a fault).* The messages are kept in .*spool/net"):
                _listen("tcp://127.0.0.1:0", lab, send, 1, every=0.05)
    assert listen("tcp://127.0.0.1:0", dataset="net", project=lab, seconds=0).stored >= 1
    assert load_events("net", project=lab)["source_port"].tolist() == [1, 1], "sent twice, so there twice"


def test_a_port_that_is_taken_is_one_sentence(lab: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"Cannot listen on tcp://127.0.0.1:{port}: Address already in use"
        ):
            listen(f"tcp://127.0.0.1:{port}", dataset="net", project=lab, seconds=0)


def test_a_full_queue_drops_datagrams_and_makes_connections_wait(lab: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socml.ingestion.listener.QUEUED", 2)
    monkeypatch.setattr("socml.ingestion.receiver._LONGEST_WAIT_S", PATIENCE_S)
    write, has_room = Spool.write, threading.Event()

    def write_later(spool: Spool, lines: list[bytes]) -> None:
        assert has_room.wait(PATIENCE_S)
        write(spool, lines)

    monkeypatch.setattr("socml.ingestion.listener.Spool.write", write_later)

    def datagrams(host: str, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(100):
                sender.sendto(LOGIN % number, (host, port))

    def all_have_come(done: Listened) -> None:
        wait_until(lambda: done.received + done.dropped == 100, lambda: done)
        has_room.set()

    done = _listen("udp://127.0.0.1:0", lab, datagrams, 100, meanwhile=all_have_come)
    assert done.dropped > 0
    assert done.received + done.dropped == 100
    assert done.stored == done.received

    def connection(host: str, port: int) -> None:
        with socket.create_connection((host, port)) as sender:
            sender.sendall(b"".join(LOGIN % n + b"\n" for n in range(100, 140)))

    def the_queue_is_full(done: Listened) -> None:
        wait_until(lambda: done.received >= 3, lambda: done)  # one is being written, two wait
        has_room.set()

    has_room.clear()
    done = _listen("tcp://127.0.0.1:0", lab, connection, 40, meanwhile=the_queue_is_full)
    assert (done.received, done.stored, done.dropped) == (40, 40, 0)


def test_a_disk_that_is_full_ends_the_listener_with_words(lab: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(spool: Spool, lines: list[bytes]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("socml.ingestion.listener.Spool.write", full)

    def send(host: str, port: int) -> None:
        with socket.create_connection((host, port)) as sender:
            sender.sendall(LOGIN % 1 + b"\n")

    with pytest.raises(DataError, match="No space left"):
        listen("tcp://127.0.0.1:0", dataset="net", project=lab, on_ready=send, seconds=PATIENCE_S)


def test_a_line_that_the_disk_had_no_room_for_is_no_beginning_of_the_next(tmp_path: Path, monkeypatch) -> None:
    write = os.write

    def full_after(file: int, data: bytes) -> int:
        if len(data) > 8:
            return write(file, data[:8])
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spool(tmp_path) as spool:
        spool.write([b"before"])
        monkeypatch.setattr(os, "write", full_after)
        with pytest.raises(OSError, match="No space"):
            spool.write([b"has no room"])
        monkeypatch.undo()
        spool.write([b"after"])
        assert [path.read_bytes() for path in spool.finished()] == [b"before\nafter\n"]


def test_what_waits_is_bounded_in_memory_however_long_the_messages_are() -> None:
    waiting, messages = _Waiting(100), 0
    with pytest.raises(queue.Full):
        while True:
            waiting.put(b"a" * MESSAGE_LIMIT, block=False)
            messages += 1
    assert messages * MESSAGE_LIMIT < 2 * 100 * PLACE_BYTES
    while not waiting.empty():
        waiting.get_nowait()
    for _ in range(100):
        waiting.put(b"short", block=False)
    with pytest.raises(queue.Full):
        waiting.put(b"short", block=False)
