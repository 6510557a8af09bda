"""Packed files: what is read is what was packed, whole, cut at any byte, damaged, a bomb, several members or an archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from socml.ingestion import FileSource
from socml.ingestion.unpacking import _unstreamed
from socml.project import DataError, FormatError

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
TEXT = b"".join(b"Mar  2 10:00:%02d web1 app: line %d\n" % (n % 60, n * n) for n in range(40_000))


def read(path: Path) -> tuple[bytes, str]:
    source = FileSource(path, path.name)
    return b"".join(source.chunks()), source.damage


@pytest.mark.parametrize("kind", PACK)
def test_what_was_packed_is_read_and_members_follow_each_other(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(PACK[kind](TEXT) + PACK[kind](b"") + PACK[kind](TEXT[:100]))
    assert read(path) == (TEXT + TEXT[:100], "")


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_padding_behind_the_last_member_is_no_member(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(PACK[kind](TEXT) + bytes(512))
    assert read(path) == (TEXT, "")


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("share", [0.0001, 0.3, 0.9, 0.99999])
def test_what_is_cut_is_read_up_to_the_cut_which_is_told(kind: str, share: float, tmp_path: Path) -> None:
    path, packed = tmp_path / "a", PACK[kind](TEXT)
    path.write_bytes(packed[: max(8, int(len(packed) * share))])
    found, damage = read(path)
    assert TEXT.startswith(found)
    assert damage == f"the {kind} stream ends too early"


@pytest.mark.parametrize("kind", ["bzip2", "xz"])
def test_damage_is_told_and_what_is_before_it_is_read(kind: str, tmp_path: Path) -> None:
    path, packed = tmp_path / "a", bytearray(PACK[kind](TEXT))
    packed[len(packed) // 2] ^= 255
    path.write_bytes(packed)
    found, damage = read(path)
    assert TEXT.startswith(found)
    assert damage.startswith(f"{kind}: ")


@pytest.mark.parametrize("kind", ["bzip2", "xz"])
def test_a_bomb_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socml.ingestion.sources.RATIO_FROM", 1 << 20)
    path = tmp_path / "a"
    path.write_bytes(PACK[kind](bytes(64 << 20)))
    with pytest.raises(DataError, match="Unpack it yourself"):
        read(path)


def test_xz_that_wants_more_memory_than_is_given_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(TEXT, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]))
    found, damage = read(path)
    assert (found, damage.startswith("xz: Memory usage limit")) == (b"", True)


@pytest.mark.parametrize("kind", ["", *PACK])
def test_an_archive_of_files_is_no_log(kind: str, tmp_path: Path) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        member = tarfile.TarInfo("a.log")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    path = tmp_path / "a.tar"
    path.write_bytes(PACK[kind](held.getvalue()) if kind else held.getvalue())
    with pytest.raises(FormatError, match="tar archive of files"):
        read(path)


@pytest.mark.parametrize("at", range(5))
def test_a_log_into_which_somebody_wrote_the_word_of_tar_is_read(at: int, tmp_path: Path) -> None:
    path, line = tmp_path / "access.log", b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0000] "GET /%s HTTP/1.1" 404 12\n'
    path.write_bytes(line % (b"ustar" * 60)[at:] + line % b"login" * 50)
    assert read(path) == (path.read_bytes(), "")


@pytest.mark.parametrize("kind", ["bzip2", "xz"])
def test_members_of_nothing_cost_no_more_than_their_bytes_many_times(kind: str, tmp_path: Path) -> None:
    """What is left of a piece is copied after each member: counted are the bytes that are given to be unpacked."""
    member = PACK[kind](b"")
    path, given = tmp_path / "a", 0
    path.write_bytes(member * ((1 << 20) // len(member)))

    class Counting:
        def __init__(self) -> None:
            self.inner = bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor()

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            nonlocal given
            given += len(data)
            return self.inner.decompress(data, max_length)

    with path.open("rb") as file:
        source = FileSource(path, "a", end=path.stat().st_size)
        assert b"".join(_unstreamed(source, file, kind, Counting, (OSError,))) == b""
    assert given < path.stat().st_size * (1 << 16) / len(member)


def test_lines_that_returns_end_wait_while_a_line_feed_may_still_come(tmp_path: Path) -> None:
    path = tmp_path / "progress.log"
    path.write_bytes(b"10:00:01 10 %\r10:00:02 20 %\r10:00:03")
    source = FileSource(path, path.name, holds_back=True)
    assert (b"".join(source.chunks()), source.waiting) == (b"", 36)
    assert read(path)[0] == b"10:00:01 10 %\n10:00:02 20 %\n10:00:03"
    path.write_bytes(path.read_bytes() + b" 30 %\r\nnext\r\n")
    source = FileSource(path, path.name, holds_back=True)
    assert (b"".join(source.chunks()), source.waiting) == (path.read_bytes(), 0)


def test_a_workbook_is_called_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(FormatError, match="workbook of a spreadsheet"):
        read(tmp_path / "a.xlsx")
