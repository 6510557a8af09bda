"""A capture is read as NetFlow only where nearly all its packets are datagrams of an exporter."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from socml.formats._reader import ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

V5 = bytes.fromhex("00050001000003e865e07290000000000000000100000000") + bytes.fromhex(
    "c0000207c6336401000000000001000200000003000000b4000001f4000003e813880035000011000000000000000000"
)
TEMPLATE = "00090001000186a065e073600000000100000007" + "0000001401000003" + "00080004000c000400010004"
DATA = "00090001000186a065e073600000000100000007" + "01000010" + "c0000207c633640100000064"


def packet(payload: bytes, *, sender: str = "192.0.2.1", port: int = 5001, behind: bytes = b"") -> bytes:
    """Return an Ethernet frame with a UDP datagram to port 9995."""
    udp = struct.pack("!HHHH", port, 9995, len(payload) + 8, 0) + payload
    address = ip_address(sender)
    if address.version == 6:
        ip = struct.pack("!IHBB", 0x60000000, len(udp), 17, 64) + address.packed + bytes(16)
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + address.packed + b"\xc0\x00\x02\x09"
    return bytes(12) + (b"\x86\xdd" if address.version == 6 else b"\x08\x00") + ip + udp + behind


def capture(folder: Path, packets: list[bytes]) -> Path:
    """Return a classic capture of these packets, a second apart."""
    path = folder / "export.pcap"
    head = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    records = [struct.pack("<IIII", 1709208416 + at, 0, len(p), len(p)) + p for at, p in enumerate(packets)]
    path.write_bytes(head + b"".join(records))
    return path


@pytest.mark.parametrize(("others", "expected"), [(0, "netflow"), (1, "netflow"), (3, "pcap"), (40, "pcap")])
def test_a_capture_is_netflow_if_nearly_all_its_packets_are(others: int, expected: str, tmp_path: Path) -> None:
    path = capture(tmp_path, [packet(V5)] * 12 + [packet(b"a query for a name")] * others)
    assert detect(path)[0] == expected


def test_each_sender_has_templates_of_its_own_and_trailers_of_frames_are_no_data(tmp_path: Path) -> None:
    template, data = bytes.fromhex(TEMPLATE), bytes.fromhex(DATA)
    path = capture(
        tmp_path,
        [
            packet(template, behind=b"\xde\xad\xbe\xef"),
            packet(data, behind=b"\xde\xad\xbe\xef"),
            packet(data, sender="192.0.2.3"),  # no template came from there
            packet(b"something else"),
            packet(V5, sender="2001:db8::1"),
            packet(data)[:-6],
        ],
    )
    parts = list(open_format("netflow").read(FileSource(path, path.name), ReadOptions()))
    events = [event for part in parts for event in part.events.to_pylist()]
    assert [(e["observer_name"], e["source_bytes"], e["source_line"]) for e in events] == [
        ("192.0.2.1", 100, 2),
        ("2001:db8::1", 180, 5),
    ]
    assert [reject.reason for part in parts for reject in part.rejects] == [
        "no template 256 came before this data",
        "a set of 16 bytes where 10 are left",
    ]
    assert parts[0].skips == {"template": 1, "packet without a NetFlow datagram": 1}
