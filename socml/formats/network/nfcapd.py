"""Files of nfcapd and nfpcapd (nfdump 1.7, layout 2, not compressed) → flows.

nfdump compresses by LZO unless it is told not to (`nfcapd -z=0`): such a file is refused, with what to type. So is the
layout of nfdump 1.6. Of the elements of a record the common ones are read: times, counts, ports, addresses, interfaces,
both ways, VLANs, AS numbers; the others are in `extra` as hexadecimal. Numbers are in the byte order of the machine that
wrote the file, which is taken to be little. Records about exporters and interfaces are no flows and are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from socml.formats._addresses import address_text
from socml.formats._fields import whole
from socml.formats._protocols import transport
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats.network._flow_rows import flag_letters, flow_row, from_ms
from socml.project import FormatError

__all__ = ["Nfcapd"]

_MAGIC = b"\x0c\xa5"
_COMPRESSIONS = {1: "LZO", 2: "bzip2", 3: "LZ4", 4: "zstd"}
_FLOW = 11
_DATA_BLOCKS = {3}
_BLOCK_LIMIT = 64 << 20


class Nfcapd:
    """nfcapd files of layout 2 without compression."""

    name = "nfcapd"
    about = "files of nfcapd and nfpcapd (nfdump 1.7) that are not compressed"
    specification = "https://github.com/phaag/nfdump"
    examples: tuple[str | bytes, ...] = (
        bytes.fromhex("0ca5020000010701964d066b000000000000010000000000000000000000000000000000") + bytes(4),
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the magic number, in either byte order."""
        return 0.98 if head[:2] in (_MAGIC, _MAGIC[::-1]) and len(head) >= 40 else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows.

        Raises
        ------
        FormatError
            If the file is compressed, or of another layout.
        """
        return batches(_records(source), _event, is_text=False)


def _records(source: Source) -> Iterator[tuple[int, bytes]]:
    chunks = source.chunks()
    data = next(chunks, b"")
    while len(data) < 40 and (more := next(chunks, None)) is not None:
        data += more
    _check(data, source.name)
    at, number = 40, 0
    while True:
        size = struct.unpack_from("<I", data, at + 4)[0] if len(data) - at >= 12 else 0
        if size > _BLOCK_LIMIT:
            yield number + 1, data[at : at + 65536]
            return
        if len(data) - at < 12 + size:
            pieces = list(_enough(chunks, 12 + size - (len(data) - at)))
            if pieces:
                data, at = b"".join([data[at:], *pieces]), 0
                continue
            if data[at:].strip(b"\0"):
                yield number + 1, data[at : at + 65536]
            return
        count, _, kind, _ = struct.unpack_from("<IIHH", data, at)
        if kind in _DATA_BLOCKS:
            for record in _cut(data[at + 12 : at + 12 + size], count):
                number += 1
                yield number, record
        at += 12 + size


def _enough(chunks: Iterator[bytes], wanted: int) -> Iterator[bytes]:
    """Yield chunks until there are so many bytes, or the file ends."""
    while wanted > 0 and (chunk := next(chunks, None)) is not None:
        wanted -= len(chunk)
        yield chunk


def _check(data: bytes, name: str) -> None:
    if len(data) < 40:
        raise FormatError(f"{name} is cut inside its header: it has {len(data)} bytes.")
    if data[:2] != _MAGIC:
        raise FormatError(f"{name} was written on a big-endian machine: export it with nfdump -r FILE -o json.")
    layout, packed = int.from_bytes(data[2:4], "little"), data[16]
    if layout != 2:
        raise FormatError(f"{name} has nfdump's layout {layout}, and 2 is read. Export it: nfdump -r FILE -o json.")
    if packed or data[17]:
        kind = _COMPRESSIONS.get(packed, "encryption" if data[17] else str(packed))
        raise FormatError(
            f"{name} is packed with {kind}. Unpack it: nfdump -r FILE -z=0 -w OUT, or -o json > FILE.json"
        )


def _cut(block: bytes, count: int) -> Iterator[bytes]:
    at = 0
    for _ in range(count):
        size = int.from_bytes(block[at + 2 : at + 4], "little")
        if size < 4 or at + size > len(block):
            break
        yield block[at : at + size]
        at += size
    if block[at:].strip(b"\0"):
        yield block[at:]


def _event(record: bytes) -> dict[str, object]:
    kind, size, elements = struct.unpack_from("<HHH", record) if len(record) >= 6 else (0, 0, 0)
    if size != len(record):
        raise ValueError(f"a record of {size} bytes where {len(record)} are left")
    if kind != _FLOW:
        raise Skip(f"record of type {kind}")
    row = flow_row()
    extra: dict[str, str] = {}
    at = 12
    for _ in range(elements):
        if at + 4 > size:
            raise ValueError(f"{elements} elements, and the record ends before the last")
        element, length = struct.unpack_from("<HH", record, at)
        if length < 4 or at + length > size:
            raise ValueError(f"element {element} of {length} bytes does not fit its record")
        _take(element, record[at + 4 : at + length], row, extra)
        at += length
    if row.get("network_transport") not in ("tcp", "udp", "sctp", "dccp"):
        row["source_port"] = row["destination_port"] = None
    row["extra"] = extra
    return {**row, "raw": record.hex()}


def _take(element: int, value: bytes, row: dict[str, object], extra: dict[str, str]) -> None:
    try:
        if element == 1:
            first, last, received, packets, size, sport, dport, protocol, flags, status, tos = struct.unpack_from(
                "<QQQQQHHBBBB", value
            )
            row |= {"time": from_ms(first), "duration_s": max(last - first, 0) / 1000}
            row |= {"source_packets": whole(packets, "packets"), "source_bytes": whole(size, "bytes")}
            row |= {"source_port": sport, "destination_port": dport}
            row["network_transport"] = transport(protocol)
            extra |= {"tcp_flags": flag_letters(flags), "forwarding_status": str(status), "tos": str(tos)}
            extra["received"] = from_ms(received).isoformat()
        elif element == 2:
            one, two = struct.unpack_from("<II", value)
            row["source_ip"], row["destination_ip"] = str(IPv4Address(one)), str(IPv4Address(two))
        elif element == 3:
            a, b, c, d = struct.unpack_from("<QQQQ", value)
            row["source_ip"], row["destination_ip"] = (
                address_text(IPv6Address(a << 64 | b)),
                address_text(IPv6Address(c << 64 | d)),
            )
        elif element == 4:
            extra["input_interface"], extra["output_interface"] = map(str, struct.unpack_from("<II", value))
        elif element == 5:
            flows, packets, size = struct.unpack_from("<QQQ", value)
            row |= {"destination_packets": whole(packets, "packets"), "destination_bytes": whole(size, "bytes")}
            extra["flows"] = str(flows)
        elif element == 6:
            extra["vlan"], extra["vlan_out"] = map(str, struct.unpack_from("<II", value))
        elif element == 7:
            extra["source_as"], extra["destination_as"] = map(str, struct.unpack_from("<II", value))
        else:
            extra[f"element_{element}"] = value.hex()
    except struct.error:
        raise ValueError(f"element {element} has only {len(value)} bytes") from None
