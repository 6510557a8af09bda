"""Bytes, or a file → their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

KINDS = ("md5", "sha1", "sha256", "sha512")
_PIECE = 1 << 20


def hash_bytes(data: bytes) -> dict[str, str]:
    """Return the hashes that tools ask for, in hexadecimal.

    Examples
    --------
    >>> hash_bytes(b"")["md5"]
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    return {kind: hashlib.new(kind, data, usedforsecurity=False).hexdigest() for kind in KINDS}


def hash_file(path: str | Path) -> dict[str, str]:
    """Return the hashes of a file, of any size."""
    hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in KINDS}
    with Path(path).open("rb") as file:
        while piece := file.read(_PIECE):
            for one in hashes.values():
                one.update(piece)
    return {kind: one.hexdigest() for kind, one in hashes.items()}
