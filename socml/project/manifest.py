"""`manifest.json` of a dataset → which files hold its events, truth, quarantine and segments now.

One rename of the manifest makes all that an ingest wrote visible together; a file that no manifest names does not
count. Files are named by the hash of their content, so one that was damaged is found out when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from socml.project.errors import DataError

MANIFEST = "manifest.json"
PART = "part-"  # begins the names of files that count only if a manifest names them
UNDATED = "undated"
VERSION = 2  # 1 told no days of its parts
_READABLE = (1, VERSION)
_HEX_DIGITS = 32
_checked: set[tuple[str, int, int]] = set()  # parts that this process found whole: path, size, time of writing


@dataclass(frozen=True)
class Part:
    """One file of a dataset: its name (the content's hash and an ending), its size in bytes, its rows.

    Attributes
    ----------
    day : of its events, `2026-03-02`, in UTC; `UNDATED` if none has a time; empty if they are of several, or nobody looked
    origin : says which parts it was merged from, in whatever order; empty if from none
    """

    file: str
    bytes: int
    rows: int
    day: str = ""
    origin: str = ""

    @property
    def identity(self) -> int:
        """Return a number that stays when parts are merged: that of the merged one is the sum of theirs."""
        return int(self.origin or hashlib.sha256(self.file.encode()).hexdigest()[:_HEX_DIGITS], 16)


def origin_of(parts: Iterable[Part]) -> str:
    """Return what says of a part that it holds the rows of these, and of no others.

    Examples
    --------
    >>> a, b, c = (Part(name, 1, 1) for name in "abc")
    >>> ab = Part("ab", 2, 2, origin=origin_of([a, b]))
    >>> origin_of([ab, c]) == origin_of([c, b, a])
    True
    """
    return f"{sum(part.identity for part in parts) % (1 << 4 * _HEX_DIGITS):0{_HEX_DIGITS}x}"


@dataclass(frozen=True)
class Manifest:
    """All that a dataset consists of. Events lie beside the manifest, the rest in folders of its own kind.

    Attributes
    ----------
    kept_from : day before which events were removed because they were old; empty if none were
    """

    parts: tuple[Part, ...] = ()
    truth: Part | None = None
    quarantine: tuple[Part, ...] = ()
    segments: Part | None = None
    kept_from: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {"version": VERSION, **asdict(self)}


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a dataset's folder of events; None if there is none.

    Raises
    ------
    DataError
        If it is damaged, or written by a later socml.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise DataError(_damaged(path, str(error))) from None
    try:
        if content["version"] not in _READABLE:
            raise DataError(f"{path} was written by a later socml (version {content['version']!r}). Update socml.")
        truth, segments = content["truth"], content["segments"]
        return Manifest(
            parts=tuple(Part(**part) for part in content["parts"]),
            truth=Part(**truth) if truth else None,
            quarantine=tuple(Part(**part) for part in content["quarantine"]),
            segments=Part(**segments) if segments else None,
            kept_from=str(content.get("kept_from", "")),
        )
    except (KeyError, TypeError) as error:
        raise DataError(_damaged(path, f"{type(error).__name__} {error}")) from None


def check_part(path: Path, part: Part) -> Path:
    """Return `path` if the file is what its name says. The content is hashed once a process, at over 1 GB a second.

    Raises
    ------
    DataError
        If the file is missing, cut or altered.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DataError(_damaged(path, "it is missing")) from None
    if found.st_size != part.bytes:
        raise DataError(_damaged(path, f"it has {found.st_size:,} bytes instead of {part.bytes:,}"))
    key = (str(path), found.st_size, found.st_mtime_ns)
    if key not in _checked:
        if content_hash(path) != path.stem.removeprefix(PART):
            raise DataError(_damaged(path, "its content is not what its name says"))
        _checked.add(key)
    return path


def content_hash(path: Path) -> str:
    """Return the hash that a part is named by: half of the SHA-256 of its content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_HEX_DIGITS]


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path} is damaged: {why}. Put it back from a backup, or read the dataset's files anew: "
        f"socml ingest PATHS --dataset {path.parent.name} --anew"
    )
