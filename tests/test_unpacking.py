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


def test_a_workbook_is_called_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(FormatError, match="workbook of a spreadsheet"):
        read(tmp_path / "a.xlsx")
