"""A zip archive's directory → whether it may be unpacked, told before any of it is.

A bomb is told by what it says of itself: how large it is unpacked, how many times it shrank, how many members it has.
The directory may lie, and gains nothing by it: Python's reader gives no more of a member than the directory says.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

MOST_BYTES = 2 << 30  # unpacked; a model that keeps a million rows of 100 columns has 0.8 GB
MOST_MEMBERS = 100_000  # a tree of a forest takes a few
# Deflate shrinks a thousand times at most, and does so with nothing but repetition; learned numbers shrink 1 to 20 times.
RATIO_LIMIT = 200
RATIO_FROM = 64 << 20  # bytes unpacked; below it no ratio does harm
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_archive(path: Path) -> None:
    """Refuse an archive that would not fit into memory, or is made to look small.

    Raises
    ------
    ValueError
        Saying which limit it is over.
    zipfile.BadZipFile, OSError
        If it is no zip archive that can be read.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
    packed = max(path.stat().st_size, 1)
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"it is an archive of {len(members):,} members, and {MOST_MEMBERS:,} is the most")
    if unpacked > MOST_BYTES:
        raise ValueError(f"it unpacks to {unpacked / 1e9:.1f} GB, and {MOST_BYTES / 1e9:.1f} GB is the most")
    if unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * packed:
        raise ValueError(f"it unpacks to {unpacked // packed:,} times its size, and {RATIO_LIMIT} times is the most")
    if strange := [member.filename for member in members if member.compress_type not in _KINDS]:
        raise ValueError(f"{strange[0][:80]!r} in it is packed in another way than deflate")
