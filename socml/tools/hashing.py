"""Bytes, or a file → their hashes; a hash → which kind it may be."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

KINDS = ("md5", "sha1", "sha256", "sha512")
_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512", 56: "sha224", 96: "sha384"}
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


def kind_of_hash(text: str) -> str:
    """Return which hash a text is by its length, "" if it is none. NTLM and MD4 are as long as MD5.

    Examples
    --------
    >>> kind_of_hash("d41d8cd98f00b204e9800998ecf8427e"), kind_of_hash("hello")
    ('md5', '')
    """
    text = text.strip()
    return _LENGTHS.get(len(text), "") if re.fullmatch(r"[0-9a-fA-F]+", text) else ""
