"""Templates in other files of a folder or command, in any order; of templates that differ, the one that the data was made by."""

from __future__ import annotations

import struct
from pathlib import Path

from socml.ingestion import ingest_files
from socml.ingestion.event_query import load_events
from socml.project import Project

# source and destination address, source and destination port, protocol, bytes, packets
WIDE = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4))
# the same, with destination before source and wider counters
OTHER = ((12, 4), (8, 4), (11, 2), (7, 2), (4, 1), (1, 8), (2, 8))
SENT = 1_772_445_600  # 2026-03-02T10:00:00Z


def datagram(body: bytes, *, version: int = 9, sent: int = SENT, source: int = 0) -> bytes:
    """Return a datagram of NetFlow 9 or IPFIX with one set."""
    if version == 9:
        return struct.pack("!HHIIII", 9, 1, 1000, sent, 1, source) + body
    return struct.pack("!HHIII", 10, 16 + len(body), sent, 1, source) + body


def template(fields: tuple[tuple[int, int], ...], number: int = 256, *, version: int = 9) -> bytes:
    """Return a set that holds one template."""
    inside = struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *one) for one in fields)
    return struct.pack("!HH", 0 if version == 9 else 2, 4 + len(inside)) + inside


def data(fields: tuple[tuple[int, int], ...], number: int = 256) -> bytes:
    """Return a set of one flow, 192.0.2.1:4022 to 198.51.100.2:22."""
    values = {8: 0xC0000201, 12: 0xC6336402, 7: 4022, 11: 22, 4: 6, 1: 60, 2: 1}
    inside = b"".join(values[element].to_bytes(size, "big") for element, size in fields)
    inside += b"\0" * (-len(inside) % 4)
    return struct.pack("!HH", number, 4 + len(inside)) + inside


def _flows(project: Project, *paths: Path) -> list[tuple[str, int, str, int]]:
    found = ingest_files(list(paths), dataset="some", project=project, final=True, max_bad_share=1.0)
    if not found.added:
        return []
    events = load_events("some", project=project)
    columns = ["source_ip", "source_port", "destination_ip", "destination_port"]
    return [tuple(row) for row in events[columns].astype(object).to_numpy().tolist()]


FLOW = ("192.0.2.1", 4022, "198.51.100.2", 22)


def test_a_template_is_found_in_another_folder_of_the_command_and_in_a_later_file(lab: Project, tmp_path: Path) -> None:
    for version in (9, 10):
        first, other = tmp_path / f"a{version}", tmp_path / f"z{version}"
        first.mkdir()
        other.mkdir()
        (first / "flows.dat").write_bytes(datagram(data(WIDE), version=version))
        (other / "templates.dat").write_bytes(datagram(template(WIDE, version=version), version=version))
        assert FLOW in _flows(lab, first / "flows.dat", other / "templates.dat")


def test_of_templates_that_differ_the_one_whose_records_fit_is_taken(lab: Project, tmp_path: Path) -> None:
    (tmp_path / "data.dat").write_bytes(datagram(data(WIDE)))
    (tmp_path / "one.dat").write_bytes(datagram(template(OTHER)))
    (tmp_path / "two.dat").write_bytes(datagram(template(WIDE)))
    assert _flows(lab, tmp_path) == [FLOW]


def test_of_templates_that_fit_the_nearest_in_time_is_taken(lab: Project, tmp_path: Path) -> None:
    swapped = (WIDE[1], WIDE[0], WIDE[3], WIDE[2], *WIDE[4:])
    (tmp_path / "data.dat").write_bytes(datagram(data(WIDE), sent=SENT + 30))
    (tmp_path / "x.dat").write_bytes(
        datagram(template(swapped), sent=SENT - 86_400)
        + datagram(template(WIDE), sent=SENT)
        + datagram(template(swapped), sent=SENT + 86_400)
    )
    assert _flows(lab, tmp_path) == [FLOW]


def test_of_templates_that_fit_that_of_the_same_exporters_file_is_taken(lab: Project, tmp_path: Path) -> None:
    swapped = (WIDE[1], WIDE[0], WIDE[3], WIDE[2], *WIDE[4:])
    (tmp_path / "edge1_data.dat").write_bytes(datagram(data(WIDE)))
    (tmp_path / "edge1_tpl.dat").write_bytes(datagram(template(WIDE)))
    (tmp_path / "core_tpl.dat").write_bytes(datagram(template(swapped)))
    assert _flows(lab, tmp_path) == [FLOW]


def test_where_nothing_tells_two_templates_apart_the_data_is_quarantined(lab: Project, tmp_path: Path) -> None:
    swapped = (WIDE[1], WIDE[0], WIDE[3], WIDE[2], *WIDE[4:])
    (tmp_path / "data.dat").write_bytes(datagram(data(WIDE)))
    (tmp_path / "x.dat").write_bytes(datagram(template(WIDE)))
    (tmp_path / "y.dat").write_bytes(datagram(template(swapped)))
    assert _flows(lab, tmp_path) == []
