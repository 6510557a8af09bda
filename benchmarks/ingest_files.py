"""Real samples → larger files of the same kind, by repetition with changed times, in a folder of its own."""

from __future__ import annotations

import gzip
import os
import re
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[2] / "shared")
DATASETS = SHARED / "datasets"
APACHE = DATASETS / "web-access-logs" / "elastic_apache_logs.gz"


def enlarged(kind: str, folder: Path, size: int) -> Path:
    """Write a file of about `size` bytes: zeek, zeek-json, eve, ssh, ssh-ports, apache, pcap or pcap-long."""
    path = folder / _NAMES[kind]
    with path.open("wb") as file:
        for piece in _PIECES[kind]():
            file.write(piece)
            if file.tell() >= size:
                break
    return path


def _zeek() -> Iterator[bytes]:
    text = gzip.decompress((DATASETS / "rita-zeek" / "proxy" / "conn.log.gz").read_bytes())
    lines = [line for line in text.split(b"\n") if line]
    records = [line.split(b"\t", 2) for line in lines if not line.startswith(b"#")]
    start = float(records[0][0]) if records[0][0][:1].isdigit() else 1_500_000_000.0
    yield b"\n".join(line for line in lines if line.startswith(b"#") and not line.startswith(b"#close")) + b"\n"
    repeat = 0
    while True:  # times of this log are blanked out with X, so they are made anew, a hundred a second
        yield b"".join(
            b"%.6f\t%s%d\t%s\n" % (start + repeat * len(records) / 100 + n / 100, record[1], repeat, record[2])
            for n, record in enumerate(records)
        )
        repeat += 1


def _eve() -> Iterator[bytes]:
    text = gzip.decompress((DATASETS / "suricata-eve" / "slips_test6-malicious.suricata.json.gz").read_bytes())
    first = datetime(2021, 6, 6)
    dated = re.compile(rb"2021-06-(\d\d)T")
    repeat = 0
    while True:
        shift = timedelta(days=30 * repeat)

        def moved(found: re.Match[bytes], shift: timedelta = shift) -> bytes:
            return f"{first.replace(day=int(found[1])) + shift:%Y-%m-%d}T".encode()

        yield dated.sub(moved, text)
        repeat += 1


def _zeek_json() -> Iterator[bytes]:
    path = DATASETS / "stratosphere-zeek" / "002-zeek-scenario-port-scanning" / "conn.log.gz"
    text = gzip.decompress(path.read_bytes())
    stamp = re.compile(rb'"ts":(\d+)\.')
    repeat = 0
    while True:
        shift = 1_000_000 * repeat  # seconds
        yield stamp.sub(lambda found, shift=shift: b'"ts":%d.' % (int(found[1]) + shift), text)  # type: ignore[misc]
        repeat += 1


def _ssh(moves: bool = False) -> Iterator[bytes]:
    """Yield an sshd's log; where it moves, a client has another port each time and a process another number."""
    text = gzip.decompress((DATASETS / "loghub-2k" / "OpenSSH" / "OpenSSH_2k.log.gz").read_bytes())
    rests = [line.rstrip(b"\r")[15:] for line in text.split(b"\n") if line]
    numbers = re.compile(rb"(?<= port )\d+|(?<=sshd\[)\d+")
    when = datetime(2025, 1, 1)
    step = timedelta(seconds=11)
    repeat = 0
    while True:

        def moved(found: re.Match[bytes], shift: int = 7 * repeat) -> bytes:
            return b"%d" % (1024 + (int(found[0]) + shift) % 64_000)

        piece = []
        for rest in rests:
            when = when + step if when.month < 12 else when
            there = numbers.sub(moved, rest) if moves else rest
            piece.append(f"{when:%b} {when.day:2d} {when:%H:%M:%S}".encode() + there + b"\n")
        yield b"".join(piece)
        repeat += 1


def _apache() -> Iterator[bytes]:
    text = gzip.decompress(APACHE.read_bytes())
    repeat = 0
    while True:
        yield text.replace(b"/2015:", b"/%d:" % (1980 + repeat))
        repeat += 1


def _pcap(pause_s: int = 4000) -> Iterator[bytes]:
    """Yield a capture; after a pause of over two minutes the flows of an earlier repetition have ended."""
    data = gzip.decompress((DATASETS / "pcaps-small" / "tcpreplay_test.pcap.gz").read_bytes())
    yield data[:24]
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, micros, captured, wire = struct.unpack_from("<IIII", data, at)
        packets.append((seconds, struct.pack("<III", micros, captured, wire) + data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    repeat = 0
    while True:
        yield b"".join(struct.pack("<I", seconds + repeat * pause_s) + rest for seconds, rest in packets)
        repeat += 1


_PIECES: dict[str, Callable[[], Iterator[bytes]]] = {
    "zeek": _zeek, "zeek-json": _zeek_json, "eve": _eve, "ssh": _ssh, "ssh-ports": lambda: _ssh(moves=True), "apache": _apache, "pcap": _pcap, "pcap-long": lambda: _pcap(pause_s=60),
}  # fmt: skip
_NAMES = {
    "zeek": "conn.log", "zeek-json": "conn.log", "eve": "eve.json", "ssh": "auth.log", "ssh-ports": "auth.log", "apache": "access.log", "pcap": "x.pcap",
    "pcap-long": "x.pcap",
}  # fmt: skip
