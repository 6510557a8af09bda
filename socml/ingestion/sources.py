"""A file → its bytes, unpacked as they are read, in whole lines: magic bytes decide what a file is, not its name.

Plain, gzip, bzip2 and xz (also of several members), zstd, and zip with one file in it; rows of Parquet and Arrow as lines of JSON. What a damaged file still holds is read; the damage itself is a
reject. Memory is bounded whatever the file holds: a line over `LINE_LIMIT` is rejected, and a file that unpacks
to far more than it should is refused. A file that grows while it is read is read up to where it ended at first.
"""

from __future__ import annotations

import codecs
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from socml.formats import ARROW, PARQUET, Block, Reject, arrow_lines, row_lines
from socml.ingestion.prefix import Prefix
from socml.ingestion.unpacking import unpacked_pieces
from socml.project import DataError, open_file

BLOCK_BYTES = 8 << 20
LINE_LIMIT = 16 << 20
HEAD_BYTES = 1 << 20
KEPT_BYTES = 64 << 10  # of a line over the limit
RATIO_LIMIT = 300  # logs shrink 5 to 50 times; a bomb a thousand times
RATIO_FROM = 1 << 30
_PIECE = 1 << 20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass
class FileSource:
    """One file. `rejects` are those of the source itself: lines over the limit, and damage; `lines` counts all.

    Both are of the last pass over the file, as `read_bytes` is, of the packed file.

    Attributes
    ----------
    holds_back : whether a last line without line end is left for later; `waiting` counts its bytes
    ends_in_line : whether the last pass ended with a line without line end
    by_returns : whether its lines end with a carriage return alone, so far: of a file that grows a line feed may follow
    prefix : the hash of the unpacked bytes, once all of them were read
    end : how many bytes of the packed file are read: where it ended when it was first looked at
    """

    path: Path
    name: str
    rejects: list[Reject] = field(default_factory=list)
    lines: int = 0
    read_bytes: int = 0
    damage: str = ""
    holds_back: bool = False
    waiting: int = 0
    ends_in_line: bool = False
    by_returns: bool = False
    prefix: Prefix | None = None
    end: int | None = None

    @property
    def size(self) -> int:
        """Size on disk in bytes, when it was first asked for."""
        if self.end is None:
            self.end = self.path.stat().st_size
        return self.end

    def afresh(self) -> FileSource:
        """Return the same file, up to the same end, as if nothing of it had been read."""
        return FileSource(self.path, self.name, end=self.end)

    @property
    def modified(self) -> datetime | None:
        """When the file was last written, by the time inside a gzip file if it holds one."""
        with open_file(self.path) as file:
            start = file.read(8)
        inside = int.from_bytes(start[4:8], "little") if start.startswith(b"\x1f\x8b") else 0
        return datetime.fromtimestamp(inside or self.path.stat().st_mtime, UTC)

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file: read as lines of JSON, told from others by its own bytes."""
        with open_file(self.path) as file:
            return file.read(len(PARQUET)) == PARQUET

    @property
    def is_arrow(self) -> bool:
        """Whether it is an Arrow file: read as lines of JSON too."""
        with open_file(self.path) as file:
            return file.read(len(ARROW)) == ARROW

    @property
    def is_rows(self) -> bool:
        """Whether it holds rows in columns, as Parquet and Arrow do."""
        return self.is_parquet or self.is_arrow

    @property
    def is_unfinished(self) -> bool:
        """Whether it is a Parquet or an Arrow file without its end, which is written last."""
        mark = ARROW if self.is_arrow else PARQUET
        with open_file(self.path) as file:
            file.seek(-min(len(mark), self.size), os.SEEK_END)
            return self.is_rows and file.read() != mark

    def head(self, limit: int = HEAD_BYTES) -> bytes:
        """Return the first bytes as they are read, unpacked: at most `limit`."""
        return self._first(self._row_chunks() if self.is_rows else self._all_chunks(), limit)

    def beginning(self, limit: int) -> bytes:
        """Return the first bytes that the file is told by, unpacked: at most `limit`."""
        return self._first(self._all_chunks(), limit)

    def _first(self, chunks: Iterator[bytes], limit: int) -> bytes:
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= limit:
                break
        return head[:limit]

    def hash_all(self, lengths: Iterable[int] = ()) -> Prefix:
        """Return the hash of all bytes, unpacked, and of what they begin with at these lengths."""
        if self.prefix is None or not set(lengths) <= self.prefix.at.keys():
            self.prefix = None
            for _ in self._all_chunks(Prefix(lengths)):
                pass
        assert self.prefix is not None
        return self.prefix

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, unpacked. Damage ends the file and is noted in `damage`."""
        self.waiting, self.ends_in_line = 0, False
        if self.is_rows:
            yield from self._row_chunks()
            return
        chunks = self._all_chunks(Prefix() if self.prefix is None else None)
        yield from self._ended_lines(chunks) if self.holds_back else chunks

    def _ended_lines(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what is before the last line end; the rest is `waiting`, unless it is damaged or no line at all."""
        held: list[bytes] = []
        for chunk in chunks:
            cut = 0 if self.by_returns else chunk.rfind(b"\n") + 1
            if cut:
                yield b"".join([*held, chunk[:cut]])
                held = []
            held.append(chunk[cut:])
            if sum(map(len, held)) > LINE_LIMIT:
                yield b"".join(held)
                held = []
        if self.damage:
            yield b"".join(held)
        else:
            self.waiting = sum(map(len, held))

    def _row_chunks(self) -> Iterator[bytes]:
        """Yield the rows of a Parquet or an Arrow file as lines of JSON. Rows that cannot be read are noted in `damage`."""
        self.damage = ""
        self.read_bytes = unpacked = 0
        for rows in (arrow_lines if self.is_arrow else row_lines)(self.path, self.name):
            unpacked += len(rows.data)
            self.read_bytes = int(rows.share * self.size)
            self._check_ratio(unpacked, self.size)
            self.damage = self.damage or rows.damage
            if rows.data:
                yield rows.data

    def _check_ratio(self, unpacked: int, packed: int) -> None:
        if unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * max(packed, 1):
            raise DataError(
                f"{self.name}: {packed:,} bytes unpack to over {unpacked:,}: refused, more than "
                f"{RATIO_LIMIT} times. Unpack it yourself if you trust it."
            )

    def _all_chunks(self, prefix: Prefix | None = None) -> Iterator[bytes]:
        """Yield the bytes, unpacked, and hash them if `prefix` is given."""
        self.damage = ""
        self.read_bytes = unpacked = 0
        with open_file(self.path) as file:
            if self.end is None:
                self.end = os.fstat(file.fileno()).st_size
            for chunk in self._as_text(unpacked_pieces(self, file)):
                unpacked += len(chunk)
                if prefix is not None:
                    prefix.update(chunk)
                self._check_ratio(unpacked, self.read_bytes)
                if chunk:
                    self.ends_in_line = not chunk.endswith(b"\n")
                    yield chunk
        if prefix is not None:
            self.prefix = prefix

    def _as_text(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield text in UTF-16 with a byte-order mark, as PowerShell writes it, in UTF-8, and lines that a carriage return
        alone ends, as old spreadsheets write them, with a line feed; all else as it is.
        """
        first = next(chunks, b"")
        self.by_returns = first.count(b"\r") > 1 and not (b"\n" in first or b"\0" in first)
        chunks = itertools.chain([first], chunks)
        if first.startswith(_UTF16):
            yield from _decoded(chunks)
        elif self.by_returns:
            yield from (chunk.replace(b"\r", b"\n") for chunk in chunks)
        else:
            yield from chunks

    def blocks(self) -> Iterator[Block]:
        """Yield whole lines in blocks of about `BLOCK_BYTES`. A byte-order mark at the start is left out."""
        self.rejects, self.lines = [], 0
        held: list[bytes] = []
        size = 0
        for chunk in self._long_lines_out(self._without_mark()):
            held.append(chunk)
            size += len(chunk)
            if size >= BLOCK_BYTES or isinstance(chunk, _AfterLongLine):
                lines, rest = _whole_lines(held)
                if lines:
                    yield self._block(lines)
                if isinstance(chunk, _AfterLongLine):
                    self._note_long_line(chunk)
                    rest = b""
                held, size = [rest], len(rest)
        yield from self._last(b"".join(held))

    def _block(self, data: bytes) -> Block:
        first = self.lines + 1
        self.lines += int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10)) + (not data.endswith(b"\n"))
        return Block(first, data)

    def _last(self, data: bytes) -> Iterator[Block]:
        cut = data.rfind(b"\n") + 1 if self.damage else len(data)
        if data[:cut]:
            yield self._block(data[:cut])
        if self.damage:
            self.lines += 1
            self.rejects.append(Reject(self.lines, f"the file is damaged here: {self.damage}", data[cut:]))

    def _note_long_line(self, end: _AfterLongLine) -> None:
        self.lines += 1
        limit = LINE_LIMIT >> 20
        reason = (
            f"a line of {end.length:,} bytes, over the limit of {limit} MB; its first {KEPT_BYTES >> 10} KB are kept"
        )
        self.rejects.append(Reject(self.lines, reason, end.start))

    def _without_mark(self) -> Iterator[bytes]:
        first = True
        for chunk in self.chunks():
            yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
            first = False

    def _long_lines_out(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks; in place of a line over the limit comes an empty chunk that tells of it."""
        length, start = 0, b""  # of the line that is not yet ended
        dropping = False
        for whole in chunks:
            for chunk in (whole[i : i + _PIECE] for i in range(0, len(whole), _PIECE)):
                piece = chunk
                if dropping:
                    end = piece.find(b"\n") + 1
                    length += end or len(piece)
                    if not end:
                        continue
                    yield _AfterLongLine(start, length - 1)
                    piece, length, dropping = piece[end:], 0, False
                cut = piece.rfind(b"\n") + 1
                if cut:
                    length, start = 0, b""
                length += len(piece) - cut
                if len(start) < KEPT_BYTES:
                    start = (start + piece[cut : cut + KEPT_BYTES])[:KEPT_BYTES]
                yield piece
                dropping = length > LINE_LIMIT
        if dropping:
            yield _AfterLongLine(start, length)


def _whole_lines(chunks: list[bytes]) -> tuple[bytes, bytes]:
    """Return the chunks as one, up to their last line end, and what is behind it."""
    last = chunks[-1] if b"\n" in chunks[-1] else b"".join(chunks)
    cut = last.rfind(b"\n") + 1
    return (b"".join([*chunks[:-1], last[:cut]]) if last is chunks[-1] else last[:cut]), last[cut:]


def _decoded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("backslashreplace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


class _AfterLongLine(bytes):
    """An empty chunk that stands for a line over the limit, whose held part is to be dropped."""

    start: bytes
    length: int

    def __new__(cls, start: bytes, length: int) -> _AfterLongLine:
        marker = super().__new__(cls)
        marker.start, marker.length = start, length
        return marker
