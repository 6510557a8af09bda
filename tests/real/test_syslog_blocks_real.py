"""Real syslog, whole, cut and damaged: the fast way over blocks and the careful way, line by line, agree."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from syslog_oracle import compare

pytestmark = pytest.mark.real
LONGEST = 400_000  # bytes of a file that are read


def _files(shared: Path) -> list[Path]:
    folders = [shared / "datasets" / "auth-logs", shared / "samples" / "syslog"]
    folders += [shared / "datasets" / "loghub-2k" / name for name in ("OpenSSH", "Linux")]
    return sorted(
        path for folder in folders for path in folder.rglob("*") if path.is_file() and ".csv" not in path.name
    )


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data)[:LONGEST]


def test_real_files_are_read_the_same_both_ways(shared: Path) -> None:
    files = _files(shared)
    fast = sum(compare([_bytes(path)]) for path in files if path.stat().st_size)
    print(f"{len(files)} files, {fast:,} lines the fast way")
    assert fast > 5_000


def test_and_so_are_pieces_of_them_that_were_cut_and_damaged(shared: Path) -> None:
    rng = random.Random(5)
    for path in _files(shared):
        data = _bytes(path)
        begin = rng.randrange(len(data) or 1)
        piece = bytearray(data[begin : begin + rng.randrange(1, 20_000)])
        for _ in range(len(piece) // 200):
            piece[rng.randrange(len(piece))] = rng.choice(b" :[]<>.-=;'\"/%\t\r\x00\xc3" + bytes(range(48, 123)))
        middle = piece.find(b"\n", len(piece) // 2) + 1
        zone, year = rng.choice([None, "Europe/Paris"]), rng.choice([None, 2023])
        compare([bytes(piece[:middle]), bytes(piece[middle:])], zone, year)
