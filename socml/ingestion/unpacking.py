"""A packed file → its bytes, a piece at a time: gzip, bzip2 and xz (also of several members), zstd, zip with one file in it, or plain."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from socml.formats import ARROW, PARQUET
from socml.project import FormatError, open_file

__all__ = ["Packed", "unpacked_pieces"]

_PIECE = 1 << 20
_PACKED_PIECE = (
    1 << 16
)  # of gzip, bzip2, xz: what is left of one is copied after each member, and one may have 20 bytes
_ZSTD_PIECE = 1 << 10  # 4 bytes of zstd can say 128 KB, so this unpacks to 32 MB at most
_XZ_MEMORY = 1 << 28  # bytes that a stream may want to be unpacked with; xz -9 wants 65 MB
_TAR = 257, b"ustar"  # where a tar archive says that it is one
_OFFICE = "xl/workbook.xml"  # in the zip archive that a workbook is


class _Unpacker(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


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
    pieces = _pieces(packed, file, start)
    first = b""
    while len(first) < _TAR[0] + len(_TAR[1]) and (piece := next(pieces, None)) is not None:
        first += piece
    if first[_TAR[0] :].startswith(_TAR[1]) and b"\0" in first[: _TAR[0]]:  # as no text has, whoever wrote into it
        raise FormatError(f"{packed.name} is a tar archive of files. Unpack it first.")
    for mark, kind in ((PARQUET, "a Parquet"), (ARROW, "an Arrow")):
        if first.startswith(mark) and not start.startswith(mark):
            raise FormatError(f"{packed.name} is {kind} file that is packed as a whole. Unpack it first.")
    return chain([first], pieces)


def _pieces(packed: Packed, file: BinaryIO, start: bytes) -> Iterator[bytes]:
    if start.startswith(b"\x1f\x8b"):
        return _gunzipped(packed, file)
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return _unzstd(packed, file)
    if start.startswith(b"BZh"):
        import bz2

        return _unstreamed(packed, file, "bzip2", bz2.BZ2Decompressor, (OSError, ValueError))
    if start.startswith(b"\xfd7zXZ"):
        import lzma

        return _unstreamed(packed, file, "xz", partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY), (lzma.LZMAError,))
    if start.startswith(b"7z\xbc\xaf"):
        raise FormatError(f"{packed.name} is packed with 7-Zip, which is not read. Unpack it first.")
    if start.startswith(b"PK\x03\x04") and not _is_arrays(packed.path):
        return _unzipped(packed, file)
    return _plain(packed, file)


def _plain(packed: Packed, file: BinaryIO, length: int = _PIECE) -> Iterator[bytes]:
    while piece := file.read(min(length, max((packed.end or 0) - packed.read_bytes, 0))):
        packed.read_bytes += len(piece)
        yield piece


def _gunzipped(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    for piece in _plain(packed, file, _PACKED_PIECE):
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


def _unstreamed(
    packed: Packed, file: BinaryIO, kind: str, begin: Callable[[], _Unpacker], errors: tuple[type[Exception], ...]
) -> Iterator[bytes]:
    unpack = begin()
    for piece in _plain(packed, file, _PACKED_PIECE):
        rest = piece
        while rest or not (unpack.eof or unpack.needs_input):
            if unpack.eof:
                if not rest.strip(b"\0"):  # padding after the last member
                    break
                unpack = begin()
            try:
                yield unpack.decompress(rest, _PIECE)
            except errors as error:
                packed.damage = f"{kind}: {error}"
                return
            rest = unpack.unused_data if unpack.eof else b""
    if not unpack.eof:
        packed.damage = f"the {kind} stream ends too early"


def _is_arrays(path: Path) -> bool:
    with open_file(path) as file:
        return b".npy" in file.read(256)  # NumPy's archive, which is a table as it is


def _unzipped(packed: Packed, file: BinaryIO) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        members = [m for m in archive.infolist() if not m.is_dir()]
        if any(member.filename == _OFFICE for member in members):
            raise FormatError(f"{packed.name} is a workbook of a spreadsheet. Save its sheet as CSV first.")
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
