"""NetFlow 5, NetFlow 9 and IPFIX as an exporter sends them, datagrams one after the other in a file → flows.

A record is one direction: `source_` counts are of the flow itself, `destination_` only where the exporter counts both
ways (Cisco ASA, IPFIX biflows). Times come in eight ways; those in the exporter's uptime are put right by the header.
Versions 9 and 10 need a template, which may come minutes after the first data: data without one is quarantined, unless
exactly one template of that number and source is found in the other files of the folder. Templates, options and padding
are no flows: they are skipped and counted. Fields without a column are in `extra`, unknown ones by number. nfcapd's own
files are another format. A capture (pcap, pcapng) of the datagrams is read too, and detected as such where nearly all its
packets are datagrams; of a capture with other packets the flows of its own packets are read (`pcap`), unless this format
is asked for. `observer_name` is then the exporter's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, made
from socml.formats.network._netflow import Exporter, Fields, Found, is_datagram
from socml.formats.network._netflow_capture import captured_records, is_capture, share_of_datagrams

__all__ = ["Netflow"]

_DATAGRAM_LIMIT = 65536
_FOLDER_LIMIT = 500  # files looked at for templates
_FILE_LIMIT = 1 << 20
_NEARLY_ALL = 0.9  # of a capture's packets


class Netflow:
    """Datagrams of NetFlow 5, 9 and IPFIX."""

    name = "netflow"
    about = "NetFlow 5, NetFlow 9 and IPFIX datagrams, one after the other or in a capture (pcap, pcapng)"
    specification = "https://www.rfc-editor.org/rfc/rfc7011 and https://www.rfc-editor.org/rfc/rfc3954"
    examples: tuple[str | bytes, ...] = (
        bytes.fromhex("00050001000003e865e07290000000000000000100000000")
        + bytes.fromhex(
            "c0000207c6336401000000000001000200000003000000b4000001f4000003e813880035000011000000000000000000"
        ),
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a header with a time in it, and of a capture of nearly nothing but such."""
        if is_capture(head):
            return 0.995 if share_of_datagrams(head) >= _NEARLY_ALL else 0.0
        return is_datagram(head)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows."""
        exporter = Exporter()
        warnings: list[str] = []
        captured = is_capture(next(iter(source.chunks()), b""))
        found = enumerate(captured_records(source) if captured else _records(source, exporter, warnings), 1)
        return made(((number, one.raw, _result(one)) for number, one in found), warnings=warnings)


def _result(one: Found) -> dict[str, object] | Exception:
    if one.row is not None:
        return {**one.row, "raw": one.raw.hex()}
    return Skip(one.skip) if one.skip else ValueError(one.reject)


def _records(source: Source, exporter: Exporter, warnings: list[str]) -> Iterator[Found]:
    looked: list[bool] = []
    data = b""
    chunks = source.chunks()
    while True:
        chunk = next(chunks, None)
        data += chunk or b""
        at = 0
        while at < len(data) and (chunk is None or len(data) - at >= _DATAGRAM_LIMIT):
            try:
                found, end = exporter.read(data, at)
                if not looked and any(one.reject.startswith("no template") for one in found):
                    looked.append(True)
                    if _learn_from_folder(source.path, exporter, warnings):
                        found, end = exporter.read(data, at)
            except ValueError as error:
                yield Found(data[at : at + _DATAGRAM_LIMIT], reject=str(error))
                return
            yield from found
            at = end
        data = data[at:]
        if chunk is None:
            return


def _learn_from_folder(path: Path, exporter: Exporter, warnings: list[str]) -> bool:
    """Take the templates of the other files in the folder, but for those that two files give differently."""
    seen: dict[tuple[int, int, int], set[Fields]] = {}
    options: set[tuple[int, int, int]] = set()
    for other in sorted(path.parent.iterdir())[:_FOLDER_LIMIT]:
        if other == path or not other.is_file() or other.stat().st_size > _FILE_LIMIT:
            continue
        data, learner, at = other.read_bytes(), Exporter(), 0
        while at < len(data) and is_datagram(data[at : at + 64]):
            try:
                at = learner.read(data, at)[1]
            except ValueError:
                break
        for key, fields in learner.templates.items():
            seen.setdefault(key, set()).add(fields)
        options |= learner.options
    fresh = {key: next(iter(f)) for key, f in seen.items() if len(f) == 1 and key not in exporter.templates}
    exporter.templates |= fresh
    exporter.options |= options & fresh.keys()
    if fresh:
        warnings.append(f"{len(fresh)} templates that this file does not hold were taken from files beside it.")
    return bool(fresh)
