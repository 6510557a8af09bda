"""A packed file → its bytes, a piece at a time: gzip (also of several members), zstd, zip with one file in it, or plain."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from socml.project import FormatError, open_file

__all__ = ["Packed", "unpacked_pieces"]

_PIECE = 1 << 20
_ZSTD_PIECE = 1 << 10  # 4 bytes of zstd can say 128 KB, so this unpacks to 32 MB at most
_PACKED_OTHERWISE = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip"}


class Packed(Protocol):
    """The file being unpacked. `read_bytes` and `damage` are told as it goes on; nothing is read beyond `end`."""

    name: str
    path: Path
    read_bytes: int
    damage: str
    end: int | None


def unpacked_pieces(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked, in pieces of bounded size. Magic bytes decide how it is packed.

    Raises
    ------
    FormatError
        If it is packed in a way that is not read.
    """
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return _gunzipped(packed, file)
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return _unzstd(packed, file)
    if start.startswith(b"PK\x03\x04") and not _is_arrays(packed.path):
        return _unzipped(packed, file)
    for magic, kind in _PACKED_OTHERWISE.items():
        if start.startswith(magic):
            raise FormatError(f"{packed.name} is packed with {kind}, which is not read. Unpack it first.")
    return _plain(packed, file)


def _plain(packed: Packed, file: BinaryIO, length: int = _PIECE) -> Iterator[bytes]:
    while piece := file.read(min(length, max((packed.end or 0) - packed.read_bytes, 0))):
        packed.read_bytes += len(piece)
        yield piece


def _gunzipped(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    for piece in _plain(packed, file):
        rest = piece
        while rest:
            if unpack.eof:
                if not rest.strip(b"\0"):  # padding after the last member
                    break
                unpack = zlib.decompressobj(wbits=31)
            try:
                yield unpack.decompress(rest, _PIECE)
            except zlib.error as error:
                packed.damage = f"gzip: {error}"
                return
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if not unpack.eof:
        yield unpack.flush()
        packed.damage = "the gzip stream ends too early"


def _is_arrays(path: Path) -> bool:
    with open_file(path) as file:
        return b".npy" in file.read(256)  # NumPy's archive, which is a table as it is


def _unzipped(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) != 1:
            raise FormatError(f"{packed.name} is a zip archive of {len(members):,} files. Unpack it first.")
        with archive.open(members[0]) as member:
            while piece := member.read(_PIECE):
                packed.read_bytes = file.tell()
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        packed.damage = f"zip: {error}"


def _unzstd(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    window = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    unpack = window.decompressobj()
    for piece in _plain(packed, file, _ZSTD_PIECE):
        rest = piece
        while rest:
            if unpack.eof:
                unpack = window.decompressobj()
            try:
                yield unpack.decompress(rest)
            except zstandard.ZstdError as error:
                packed.damage = f"zstd: {error}"
                return
            rest = unpack.unused_data if unpack.eof else b""
    if not unpack.eof:
        packed.damage = "the zstd stream ends too early"
