"""Graylog's Extended Log Format in files → events: JSON lines, a TCP stream (NUL after each), zlib datagrams, chunks.

Senders disagree: graypy writes version 1.0, pygelf 1.1; both are read. `timestamp` is seconds, with a fraction, and may
be missing: the server then takes the time of arrival, which a file does not know. Additional fields begin with `_`,
which is left out. Files of one chunk each are put together from the folder they lie in, at the file of chunk 0; the
others are skipped. A datagram of several zlib streams one after the other is several messages.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from socml.formats._envelope import first_objects, members
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats.store._gelf import CHUNK_MAGIC, MESSAGE_LIMIT, Assembler, gelf_event, split_stream
from socml.project import open_file

__all__ = ["Gelf"]

_FOLDER_LIMIT = 10_000  # files looked at for the chunks of one message
_PIECE = 1024  # bytes that are unpacked at a time: what follows a stream is copied
_DATAGRAM_LIMIT = 1 << 20


class Gelf:
    """GELF 1.0 and 1.1, as lines, as a TCP stream, and as datagrams."""

    name = "gelf"
    about = "Graylog GELF: JSON lines, NUL-separated TCP streams, zlib datagrams, chunks"
    specification = "https://go2docs.graylog.org/current/getting_in_log_data/gelf.html"
    examples = (
        '{"version":"1.1","host":"web01","short_message":"Failed password","timestamp":1709208416.25,"level":4,'
        '"_src_ip":"192.0.2.7"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of chunks, and of messages with a version and a short message."""
        if head.startswith(CHUNK_MAGIC):
            return 0.95
        if head[:1] == b"\x78" and (head[0] * 256 + head[1] if len(head) > 1 else 1) % 31 == 0:
            return 0.95 if b'"short_message"' in _unpacked_start(head) else 0.0
        found = first_objects(head.replace(b"\0", b"\n"))
        fit = sum("short_message" in one and "host" in one for one in found)
        return 0.97 * fit / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        start = next(iter(source.chunks()), b"")
        if start.startswith(CHUNK_MAGIC):
            return batches(_chunk(source), _chunk_event, is_text=False)
        if start[:1] == b"\x78":
            return batches(_streams(source), _zlib_event, is_text=False)
        return batches(_messages(source) if b"\0" in start else members(source), gelf_event)


def _unpacked_start(head: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(head, 65536)
    except zlib.error:
        return b""


def _messages(source: Source) -> Iterator[tuple[int, bytes]]:
    rest, number = b"", 0
    for chunk in source.chunks():
        messages, rest = split_stream(rest + chunk)
        for message in messages:
            number += 1
            yield number, message
        if len(rest) > MESSAGE_LIMIT:
            yield number + 1, rest[:65536]
            return
    if rest.strip():
        yield number + 1, rest


def _streams(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the zlib streams of a file, packed, with their numbers; what is left at the end as it is."""
    data, number = b"", 1
    for chunk in source.chunks():
        data += chunk
        at = 0
        while end := _stream_end(data, at):
            yield number, data[at:end]
            at, number = end, number + 1
        data = data[at:]
        if len(data) > _DATAGRAM_LIMIT:
            break
    if data:
        yield number, data


def _stream_end(data: bytes, at: int) -> int:
    """Return where the zlib stream that begins at `at` ends; 0 if none begins or ends there."""
    if data[at : at + 1] != b"\x78":
        return 0
    unpacking, unpacked = zlib.decompressobj(), 0
    while at < len(data) and unpacked <= MESSAGE_LIMIT:
        try:
            unpacked += len(unpacking.decompress(data[at : at + _PIECE]))
        except zlib.error:
            return 0
        at += _PIECE
        if unpacking.eof:
            return min(at, len(data)) - len(unpacking.unused_data)
    return 0


def _zlib_event(record: bytes) -> dict[str, object]:
    message = Assembler().add(record)
    row = gelf_event(message or b"")
    return {**row, "raw": (message or b"").decode("utf-8", "backslashreplace")}


def _chunk(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the one chunk of this file or, if it is the first of its message, all of them together, chunk by chunk."""
    own = b"".join(source.chunks())[:_DATAGRAM_LIMIT]
    if len(own) < 12 or own[10] != 0:
        yield 1, own
        return
    parts = {0: own}
    siblings = sorted(source.path.parent.iterdir())[:_FOLDER_LIMIT]
    for path in siblings:
        if path != source.path and path.is_file() and path.stat().st_size <= _DATAGRAM_LIMIT:
            with open_file(path) as file:
                head = file.read(12)
                if len(head) == 12 and head[:10] == own[:10] and head[11] == own[11]:
                    parts[head[10]] = head + file.read()
    yield 1, b"".join(len(part).to_bytes(4, "big") + part for _, part in sorted(parts.items()))


def _chunk_event(record: bytes) -> dict[str, object]:
    if record.startswith(CHUNK_MAGIC):
        Assembler().add(record)
        raise Skip("chunk of a message that another file begins")
    assembler, at, seen = Assembler(), 0, 0
    while at < len(record):
        size = int.from_bytes(record[at : at + 4], "big")
        message = assembler.add(record[at + 4 : at + 4 + size])
        seen, at = seen + 1, at + 4 + size
        if message is not None:
            return {**gelf_event(message), "raw": message.decode("utf-8", "backslashreplace")}
    raise ValueError(f"{seen} of {record[15]} chunks are there")
