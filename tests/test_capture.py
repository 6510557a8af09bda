"""Captures: the kernel makes the flows that a plain dictionary of packets makes, whatever the bytes."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socml.formats._reader import Parsed, ReadOptions
from socml.formats.network.pcap import ACTIVE_S, IDLE_S, Pcap
from socml.ingestion.sources import FileSource
from socml.project.errors import FormatError

V4 = [bytes([10, 0, 0, i]) for i in range(1, 5)]
V6 = [bytes(15) + bytes([i]) for i in range(1, 4)]


@dataclass
class Naive:
    """One flow of the slow way."""

    first: int
    last: int
    ends: tuple[Any, ...]
    number: int
    packets: list[list[tuple[int, int, int]]] = field(default_factory=lambda: [[], []])  # time, length, payload
    flags: list[int] = field(default_factory=lambda: [0, 0])


def _packet(rng: random.Random) -> tuple[bytes, tuple[Any, ...], int, int, int]:
    """Return a frame, its key, length, payload and flags."""
    vlan = rng.choice([0, 0, 0, 5])
    pool, version = (V4, 4) if rng.random() < 0.7 else (V6, 6)
    source, target = rng.sample(pool, 2)
    protocol = rng.choice([6, 6, 17, 1 if version == 4 else 58, 47])
    body = rng.randrange(40)
    sport, dport, flags = -1, -1, 0
    if protocol in (6, 17):
        sport, dport = rng.choice([1000, 1001]), rng.choice([80, 1000])
    if protocol == 6:
        flags = rng.choice([2, 18, 16, 17, 4, 24])
        inner = struct.pack("!HHIIBBHHH", sport, dport, 0, 0, 5 << 4, flags, 0, 0, 0) + bytes(body)
    elif protocol == 17:
        inner = struct.pack("!HHHH", sport, dport, 8 + body, 0) + bytes(body)
    else:
        inner = bytes(8 + body)
    payload = body if protocol in (1, 6, 17, 58) else body + 8
    if version == 4:
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), 7, 0, 64, protocol, 0) + source + target + inner
    else:
        more = rng.random() < 0.3
        extension = bytes([protocol, 0]) + bytes(6) if more else b""
        start = struct.pack("!IHBB", 6 << 28, len(inner) + len(extension), 0 if more else protocol, 64)
        packet = start + source + target + extension + inner
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    frame = bytes(12) + tag + struct.pack("!H", 0x0800 if version == 4 else 0x86DD) + packet
    return frame, (source, sport, target, dport, protocol, vlan), len(packet), payload, flags


def _capture(rng: random.Random, count: int) -> tuple[bytes, list[Naive], int]:
    """Return a capture, the flows in it, and how many of its packets are not IP."""
    data = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    now, other, current, flows = 1_700_000_000_000_000, 0, {}, []
    for number in range(1, count + 1):
        now += rng.choice([10, 1000, 1_000_000, 30_000_000, IDLE_S * 1_000_000])
        frame, key, length, payload, flags = _packet(rng)
        if rng.random() < 0.1:
            frame, other = bytes(12) + b"\x08\x06" + bytes(28), other + 1
            data += struct.pack("<IIII", now // 10**6, now % 10**6, len(frame), len(frame)) + frame
            continue
        kept = frame[: rng.choice([len(frame), len(frame), 74 + 8])]
        data += struct.pack("<IIII", now // 10**6, now % 10**6, len(kept), len(frame)) + kept
        back = (key[2], key[3], key[0], key[1], *key[4:])
        flow = current.get(key) or current.get(back)
        way = 0 if flow is None or flow.ends == key else 1
        if flow is None or now - flow.last >= IDLE_S * 10**6 or now - flow.first >= ACTIVE_S * 10**6:
            current.pop(back, None)
            flow, way = Naive(now, now, key, number), 0
            current[key] = flow
            flows.append(flow)
        flow.last = now
        flow.packets[way].append((now, length, payload))
        flow.flags[way] |= flags
    return data, flows, other


def _read(path: Path, data: bytes) -> list[Parsed]:
    path.write_bytes(data)
    return list(Pcap().read(FileSource(path, path.name), ReadOptions()))


@pytest.mark.parametrize("seed", range(6))
def test_flows_are_those_of_a_plain_dictionary(seed: int, tmp_path: Path) -> None:
    data, flows, other = _capture(random.Random(seed), 3000)
    parsed = _read(tmp_path / "a.pcap", data)
    rows = sorted((row for part in parsed for row in part.events.to_pylist()), key=lambda row: row["source_line"])
    assert len(rows) == len(flows)
    for row, flow in zip(rows, flows, strict=True):
        extra = dict(row["extra"])
        assert row["source_line"] == flow.number
        assert round(row["time"].timestamp() * 1e6) == flow.first
        assert row["duration_s"] == pytest.approx((flow.last - flow.first) / 1e6)
        assert row["source_port"] == (flow.ends[1] if flow.ends[1] >= 0 else None)
        assert extra.get("vlan", "0") == str(flow.ends[5])
        for side, packets in zip(("source", "destination"), flow.packets, strict=True):
            assert row[f"{side}_packets"] == len(packets)
            assert row[f"{side}_bytes"] == sum(payload for _, _, payload in packets)
            if packets:
                sizes = np.array([length for _, length, _ in packets])
                assert int(extra[f"{side}_ip_bytes"]) == sizes.sum()
                assert float(extra[f"{side}_size_mean"]) == pytest.approx(sizes.mean(), abs=1e-3)
                assert (int(extra[f"{side}_size_min"]), int(extra[f"{side}_size_max"])) == (sizes.min(), sizes.max())
            if len(packets) > 1:
                gaps = np.diff([time for time, _, _ in packets]) / 1e6
                assert float(extra[f"{side}_size_std"]) == pytest.approx(sizes.std(), abs=1e-3)
                assert float(extra[f"{side}_iat_mean_s"]) == pytest.approx(gaps.mean(), abs=2e-6)
                assert float(extra[f"{side}_iat_min_s"]) == pytest.approx(gaps.min())
                assert float(extra[f"{side}_iat_max_s"]) == pytest.approx(gaps.max())
            if len(packets) > 2:
                assert float(extra[f"{side}_iat_std_s"]) == pytest.approx(gaps.std(), abs=1e-3)
    assert sum(part.count for part in parsed) == 3000
    assert sum(part.skips.get("not IP", 0) for part in parsed) == other


def test_the_pieces_a_file_is_read_in_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, _, _ = _capture(random.Random(9), 2000)
    whole = [row for part in _read(tmp_path / "a.pcap", data) for row in part.events.to_pylist()]
    monkeypatch.setattr("socml.formats.network._capture._STEP", 1)
    monkeypatch.setattr("socml.ingestion.sources._PIECE", 4096)
    pieces = [row for part in _read(tmp_path / "a.pcap", data) for row in part.events.to_pylist()]
    order = lambda row: row["source_line"]  # noqa: E731
    assert sorted(whole, key=order) == sorted(pieces, key=order)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_capture_that_is_cut_or_damaged_never_crashes_and_counts_every_packet(
    data: st.DataObject, tmp_path: Path
) -> None:
    whole = bytearray(_capture(random.Random(3), 60)[0])
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=6)):
        whole[at] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        parsed = _read(tmp_path / "a.pcap", cut)
    except FormatError:
        return
    packets = sum(row["source_packets"] + row["destination_packets"] for p in parsed for row in p.events.to_pylist())
    skipped = sum(n for p in parsed for reason, n in p.skips.items() if reason != "in the flow of an earlier packet")
    assert packets + skipped + sum(len(p.rejects) for p in parsed) == sum(p.count for p in parsed)
    assert all(math.isfinite(row["duration_s"]) for p in parsed for row in p.events.to_pylist())


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def test_pcapng_says_what_pcap_says(tmp_path: Path) -> None:
    data, _, _ = _capture(random.Random(4), 300)
    ng = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    ng += _block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))  # nanoseconds
    at = 24
    while at < len(data):
        seconds, micros, kept, wire = struct.unpack_from("<IIII", data, at)
        ticks = (seconds * 10**6 + micros) * 1000
        packet = data[at + 16 : at + 16 + kept]
        ng += _block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, kept, wire) + packet)
        if at % 5 == 0:
            ng += _block(4, struct.pack("<HH", 0, 0))  # a name resolution block between packets
        at += 16 + kept
    classic = [row for part in _read(tmp_path / "a.pcap", data) for row in part.events.to_pylist()]
    modern = [row for part in _read(tmp_path / "a.pcapng", ng) for row in part.events.to_pylist()]
    order = lambda row: row["source_line"]  # noqa: E731
    assert sorted(modern, key=order) == sorted(classic, key=order)


def test_a_later_fragment_is_in_the_flow_of_its_datagram(tmp_path: Path) -> None:
    data = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for offset, more, body in ((0, 0x2000, struct.pack("!HHHH", 5000, 53, 40, 0) + bytes(16)), (3, 0, bytes(16))):
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 77, more | offset, 64, 17, 0) + V4[0] + V4[1]
        data += struct.pack("<IIII", 1_700_000_000, 0, 20 + len(body), 20 + len(body)) + header + body
    rows = [row for part in _read(tmp_path / "a.pcap", data) for row in part.events.to_pylist()]
    assert [(row["destination_port"], row["source_packets"]) for row in rows] == [(53, 2)]


def test_a_link_type_that_is_not_read_is_named(tmp_path: Path) -> None:
    data = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 127) + struct.pack("<IIII", 1, 0, 20, 20) + bytes(20)
    with pytest.raises(FormatError, match="link type 127 is not read"):
        _read(tmp_path / "a.pcap", data)
