"""A file → its bytes, unpacked as they are read, in whole lines: magic bytes decide what a file is, not its name.

Plain, gzip (also of several members), zstd, and zip with one file in it. What a damaged file still holds is read; the damage itself is a
reject. Memory is bounded whatever the file holds: a line over `LINE_LIMIT` is rejected, and a file that unpacks
to far more than it should is refused.
"""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np

from socml.errors import DataError, FormatError
from socml.formats._reader import Block, Reject

BLOCK_BYTES = 8 << 20
LINE_LIMIT = 16 << 20
HEAD_BYTES = 1 << 20
KEPT_BYTES = 64 << 10  # of a line over the limit
RATIO_LIMIT = 300  # logs shrink 5 to 50 times; a bomb a thousand times
RATIO_FROM = 1 << 30
_PIECE = 1 << 20
_ZSTD_PIECE = 1 << 10  # 4 bytes of zstd can say 128 KB, so this unpacks to 32 MB at most
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PACKED_OTHERWISE = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip"}


@dataclass
class FileSource:
    """One file. `rejects` are those of the source itself: lines over the limit, and damage; `lines` counts all.

    Both are of the last pass over the file, as `read_bytes` is, of the packed file.
    """

    path: Path
    name: str
    rejects: list[Reject] = field(default_factory=list)
    lines: int = 0
    read_bytes: int = 0
    damage: str = ""

    @property
    def size(self) -> int:
        """Size on disk in bytes."""
        return self.path.stat().st_size

    @property
    def modified(self) -> datetime | None:
        """When the file was last written, by the time inside a gzip file if it holds one."""
        with self.path.open("rb") as file:
            start = file.read(8)
        inside = int.from_bytes(start[4:8], "little") if start.startswith(b"\x1f\x8b") else 0
        return datetime.fromtimestamp(inside or self.path.stat().st_mtime, UTC)

    def head(self) -> bytes:
        """Return the first bytes, unpacked: at most `HEAD_BYTES`."""
        head = b""
        for chunk in self.chunks():
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
        return head[:HEAD_BYTES]

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, unpacked. Damage ends the file and is noted in `damage`."""
        self.damage = ""
        self.read_bytes = unpacked = 0
        with self.path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            for chunk in _as_utf8(self._unpacked(file, start)):
                unpacked += len(chunk)
                if unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * max(self.read_bytes, 1):
                    raise DataError(
                        f"{self.name}: {self.read_bytes:,} bytes unpack to over {unpacked:,}: refused, more than "
                        f"{RATIO_LIMIT} times. Unpack it yourself if you trust it."
                    )
                if chunk:
                    yield chunk

    def blocks(self) -> Iterator[Block]:
        """Yield whole lines in blocks of about `BLOCK_BYTES`. A byte-order mark at the start is left out."""
        self.rejects, self.lines = [], 0
        held: list[bytes] = []
        size = 0
        for chunk in self._long_lines_out(self._without_mark()):
            held.append(chunk)
            size += len(chunk)
            if size >= BLOCK_BYTES or isinstance(chunk, _AfterLongLine):
                lines, rest = _whole_lines(held)
                if lines:
                    yield self._block(lines)
                if isinstance(chunk, _AfterLongLine):
                    self._note_long_line(chunk)
                    rest = b""
                held, size = [rest], len(rest)
        yield from self._last(b"".join(held))

    def _block(self, data: bytes) -> Block:
        first = self.lines + 1
        self.lines += int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10)) + (not data.endswith(b"\n"))
        return Block(first, data)

    def _last(self, data: bytes) -> Iterator[Block]:
        cut = data.rfind(b"\n") + 1 if self.damage else len(data)
        if data[:cut]:
            yield self._block(data[:cut])
        if self.damage:
            self.lines += 1
            self.rejects.append(Reject(self.lines, f"the file is damaged here: {self.damage}", data[cut:]))

    def _note_long_line(self, end: _AfterLongLine) -> None:
        self.lines += 1
        limit = LINE_LIMIT >> 20
        reason = (
            f"a line of {end.length:,} bytes, over the limit of {limit} MB; its first {KEPT_BYTES >> 10} KB are kept"
        )
        self.rejects.append(Reject(self.lines, reason, end.start))

    def _without_mark(self) -> Iterator[bytes]:
        first = True
        for chunk in self.chunks():
            yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
            first = False

    def _long_lines_out(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks; in place of a line over the limit comes an empty chunk that tells of it."""
        length, start = 0, b""  # of the line that is not yet ended
        dropping = False
        for whole in chunks:
            for chunk in (whole[i : i + _PIECE] for i in range(0, len(whole), _PIECE)):
                piece = chunk
                if dropping:
                    end = piece.find(b"\n") + 1
                    length += end or len(piece)
                    if not end:
                        continue
                    yield _AfterLongLine(start, length - 1)
                    piece, length, dropping = piece[end:], 0, False
                cut = piece.rfind(b"\n") + 1
                if cut:
                    length, start = 0, b""
                length += len(piece) - cut
                if len(start) < KEPT_BYTES:
                    start = (start + piece[cut : cut + KEPT_BYTES])[:KEPT_BYTES]
                yield piece
                dropping = length > LINE_LIMIT
        if dropping:
            yield _AfterLongLine(start, length)

    def _unpacked(self, file: BinaryIO, start: bytes) -> Iterator[bytes]:
        if start.startswith(b"\x1f\x8b"):
            return self._gunzipped(file)
        if start.startswith(b"\x28\xb5\x2f\xfd"):
            return self._unzstd(file)
        if start.startswith(b"PK\x03\x04") and not self._is_arrays():
            return self._unzipped(file)
        for magic, kind in _PACKED_OTHERWISE.items():
            if start.startswith(magic):
                raise FormatError(f"{self.name} is packed with {kind}, which is not read. Unpack it first.")
        return self._plain(file)

    def _plain(self, file: BinaryIO) -> Iterator[bytes]:
        while piece := file.read(_PIECE):
            self.read_bytes += len(piece)
            yield piece

    def _gunzipped(self, file: BinaryIO) -> Iterator[bytes]:
        unpack = zlib.decompressobj(wbits=31)
        for piece in self._plain(file):
            rest = piece
            while rest:
                if unpack.eof:
                    if not rest.strip(b"\0"):  # padding after the last member
                        break
                    unpack = zlib.decompressobj(wbits=31)
                try:
                    yield unpack.decompress(rest, _PIECE)
                except zlib.error as error:
                    self.damage = f"gzip: {error}"
                    return
                rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        if not unpack.eof:
            yield unpack.flush()
            self.damage = "the gzip stream ends too early"

    def _is_arrays(self) -> bool:
        with self.path.open("rb") as file:
            return b".npy" in file.read(256)  # NumPy's archive, which is a table as it is

    def _unzipped(self, file: BinaryIO) -> Iterator[bytes]:
        try:
            archive = zipfile.ZipFile(file)
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise FormatError(f"{self.name} is a zip archive of {len(members):,} files. Unpack it first.")
            with archive.open(members[0]) as member:
                while piece := member.read(_PIECE):
                    self.read_bytes = file.tell()
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            self.damage = f"zip: {error}"

    def _unzstd(self, file: BinaryIO) -> Iterator[bytes]:
        import zstandard

        window = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        unpack = window.decompressobj()
        while piece := file.read(_ZSTD_PIECE):
            self.read_bytes += len(piece)
            rest = piece
            while rest:
                if unpack.eof:
                    unpack = window.decompressobj()
                try:
                    yield unpack.decompress(rest)
                except zstandard.ZstdError as error:
                    self.damage = f"zstd: {error}"
                    return
                rest = unpack.unused_data if unpack.eof else b""
        if not unpack.eof:
            self.damage = "the zstd stream ends too early"


def _whole_lines(chunks: list[bytes]) -> tuple[bytes, bytes]:
    """Return the chunks as one, up to their last line end, and what is behind it."""
    last = chunks[-1] if b"\n" in chunks[-1] else b"".join(chunks)
    cut = last.rfind(b"\n") + 1
    return (b"".join([*chunks[:-1], last[:cut]]) if last is chunks[-1] else last[:cut]), last[cut:]


def _as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield text in UTF-16 with a byte-order mark, as PowerShell writes it, in UTF-8; all else as it is."""
    first = next(chunks, b"")
    if not first.startswith(_UTF16):
        yield first
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder("utf-16")("backslashreplace")
    yield decoder.decode(first).encode()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


class _AfterLongLine(bytes):
    """An empty chunk that stands for a line over the limit, whose held part is to be dropped."""

    start: bytes
    length: int

    def __new__(cls, start: bytes, length: int) -> _AfterLongLine:
        marker = super().__new__(cls)
        marker.start, marker.length = start, length
        return marker
