"""NetFlow 5, NetFlow 9 and IPFIX as an exporter sends them, datagrams one after the other in a file → flows.

A record is one direction: `source_` counts are of the flow itself, `destination_` only where the exporter counts both
ways (Cisco ASA, IPFIX biflows). Times come in eight ways; those in the exporter's uptime are put right by the header.
Versions 9 and 10 need a template, which may come minutes after the first data: data without one is read
by the likeliest template in the other files of the folder or command (`_netflow_templates.py`), else quarantined. Templates, options and padding
are no flows: they are skipped and counted. Fields without a column are in `extra`, unknown ones by number. nfcapd's own
files are another format. A capture (pcap, pcapng) of the datagrams is read too, and detected as such where nearly all its
packets are datagrams; of a capture with other packets the flows of its own packets are read (`pcap`), unless this format
is asked for. `observer_name` is then the exporter's address.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source, no_events
from socml.formats._records import Skip, made
from socml.formats.network._netflow import Exporter, Fields, Found, is_datagram
from socml.formats.network._netflow_capture import captured_records, is_capture, share_of_datagrams
from socml.formats.network._netflow_templates import Library, Sighting, files_beside

__all__ = ["Netflow"]

_DATAGRAM_LIMIT = 65536
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
        library = Library(source.path.name, files_beside(source.path, options.beside))

        def exporter_of(sender: str) -> Exporter:
            return Exporter(elsewhere=lambda key, size, sent_ms: _of(library.find(key, size, sent_ms, sender)))

        captured = is_capture(next(iter(source.chunks()), b""))
        found = captured_records(source, exporter_of) if captured else _records(source, exporter_of(""))
        yield from made((number, one.raw, _result(one)) for number, one in enumerate(found, 1))
        if library.used:
            count = "1 template" if len(library.used) == 1 else f"{len(library.used)} templates"
            were = "was" if len(library.used) == 1 else "were"
            yield Parsed(
                no_events(), [], warnings=[f"{count} that this file does not hold {were} taken from files beside it."]
            )


def _of(sighting: Sighting | None) -> tuple[Fields, bool] | None:
    return None if sighting is None else (sighting.fields, sighting.is_options)


def _result(one: Found) -> dict[str, object] | Exception:
    if one.row is not None:
        return {**one.row, "raw": one.raw.hex()}
    return Skip(one.skip) if one.skip else ValueError(one.reject)


def _records(source: Source, exporter: Exporter) -> Iterator[Found]:
    data = b""
    chunks = source.chunks()
    while True:
        chunk = next(chunks, None)
        data += chunk or b""
        at = 0
        while at < len(data) and (chunk is None or len(data) - at >= _DATAGRAM_LIMIT):
            try:
                found, end = exporter.read(data, at)
            except ValueError as error:
                yield Found(data[at : at + _DATAGRAM_LIMIT], reject=str(error))
                return
            yield from found
            at = end
        data = data[at:]
        if chunk is None:
            return
