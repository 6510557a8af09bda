"""What a dataset has read of each file → a registry, stored with the events, by which a file is known again.

A *segment* is one file's life: as it was first seen, later appended to, renamed, rotated, compressed, moved. Its id is
made of the stream and the first line, so the same files give the same ids in another workspace.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from socml.project import DataError, private_file

__all__ = ["Segment", "Segments", "first_line"]

_LINE_BYTES = 1 << 10  # of the first line
_COMMENT = b"#"


@dataclass
class Segment:
    """One file's life so far. Counts are of records; `lines` is the last line that was read.

    `bytes`, `hash` and `start` are of the unpacked content. `refused` says why nothing of the file is stored, or none
    of what came since. `last_hash` is of the last event's `raw`: it may have been cut.
    """

    id: str
    place: str
    stream: str
    path: str
    device: int = 0
    inode: int = 0
    size: int = 0
    modified_ns: int = 0
    bytes: int = 0
    hash: str = ""
    start: tuple[int, str] = (0, "")
    format: str = ""
    read_as: str = ""
    lines: int = 0
    last_line: int = 0
    last_hash: str = ""
    events: int = 0
    rejects: int = 0
    skips: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    refused: str = ""

    @property
    def stat_key(self) -> tuple[int, int, int, int]:
        """What the file system said of the file when it was read."""
        return self.device, self.inode, self.size, self.modified_ns

    def is_at(self, status: os.stat_result) -> bool:
        """Return whether the file system's words fit the segment: the same file, not shorter than it was."""
        return (status.st_dev, status.st_ino) == (self.device, self.inode) and status.st_size >= self.size

    def is_there(self) -> bool:
        """Return whether the file is still where it was read."""
        try:
            return self.is_at(os.stat(self.path))
        except OSError:
            return False


class Segments:
    """All segments of a dataset."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._by_id: dict[str, Segment] = {}
        self._by_bytes: dict[tuple[int, str], dict[str, Segment]] = {}
        for segment in segments:
            self.put(segment)

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def put(self, segment: Segment) -> None:
        """Add a segment, or replace what was known of it."""
        self.drop(segment)
        self._by_id[segment.id] = segment
        self._by_bytes.setdefault((segment.bytes, segment.hash), {})[segment.id] = segment

    def drop(self, segment: Segment) -> None:
        """Forget a segment."""
        known = self._by_id.pop(segment.id, None)
        if known is not None:
            self._by_bytes[known.bytes, known.hash].pop(known.id)

    def with_content(self, size: int, digest: str) -> list[Segment]:
        """Return the segments of these bytes: how many they are, and their hash."""
        return list(self._by_bytes.get((size, digest), {}).values())

    def get(self, segment_id: str) -> Segment | None:
        """Return the segment with this id."""
        return self._by_id.get(segment_id)

    def new_id(self, place: str, stream: str, first: bytes, *, taken: Container[str] = ()) -> str:
        """Return an id that no segment has, by stream and first line; of several with the same, by their order.

        `taken` are the ids of files that are being read.
        """
        encoded = [part.encode("utf-8", "surrogateescape") for part in (place, stream)]
        number = 0
        while True:
            parts = b"".join(len(part).to_bytes(8, "big") + part for part in (*encoded, first, str(number).encode()))
            found = hashlib.blake2b(parts, digest_size=8).hexdigest()
            if found not in self._by_id and found not in taken:
                return found
            number += 1

    def save(self, path: Path) -> None:
        """Write the registry as JSON."""
        lines = ",\n".join(json.dumps(asdict(segment)) for segment in self)
        private_file(path).write_text(f"[\n{lines}\n]\n", encoding="ascii")

    @classmethod
    def load(cls, path: Path) -> Segments:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If it is none.
        """
        try:
            content = json.loads(path.read_text(encoding="ascii"))
            segments = [Segment(**{**one, "start": tuple(one["start"])}) for one in content]
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path} is no registry of segments: {error}.") from None
        return cls(tuple(segments))


def first_line(head: bytes) -> bytes:
    """Return what a file is told by: its first line that is no comment, or its beginning; at most 1 KB.

    Examples
    --------
    >>> first_line(b"#separator x\\n#open 1\\n1.0 10.0.0.1\\n2.0"), first_line(b"\\x00\\x01")
    (b'1.0 10.0.0.1', b'\\x00\\x01')
    """
    for line in head[: 64 * _LINE_BYTES].split(b"\n"):
        if line.strip() and not line.startswith(_COMMENT):
            return line.rstrip(b"\r")[:_LINE_BYTES]
    return head[:_LINE_BYTES]
