"""Files of a run and the segments of a dataset → which file is which segment, which are new, and which wait.

A file is a segment that it goes on from, byte for byte: at the segment's own path or with its inode, or anywhere once
the segment is no longer where it was read (rotated, renamed, packed, moved). Each segment is claimed once a run. So
rotation and moves add nothing, and the same bytes under two paths that both stay are two streams.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from socml.ingestion.prefix import START, Prefix
from socml.ingestion.segments import Segment, Segments, first_line
from socml.ingestion.sources import FileSource
from socml.ingestion.streams import StreamName, file_stem, is_packed
from socml.project import SocmlError

__all__ = ["InputFile", "Match", "match_files"]

ALIKE = 4 << 10  # bytes that two logs of one path may begin with alike: a banner, a header


@dataclass
class InputFile:
    """A file to be read. `place` stands for its folder.

    `settled` says that nothing was written to it for a while, `is_old` that it was not renamed or made either.
    """

    path: Path
    place: str
    stream: StreamName
    status: os.stat_result
    source: FileSource
    settled: bool
    is_old: bool
    named: bool = False
    first: bytes = b""  # what the file is told by, once its beginning was read

    @property
    def stat_key(self) -> tuple[int, int, int, int]:
        """What the file system says of the file."""
        return self.status.st_dev, self.status.st_ino, self.status.st_size, self.status.st_mtime_ns


@dataclass
class Match:
    """What a file is.

    Attributes
    ----------
    segment : what it goes on from; None for a new one
    is_whole : whether all of the file was read before, as `segment`
    copy_of : the file of this run that it is a copy of, and counts as
    waits, problem : why it is not read now; why it cannot be
    is_altered : it is new, and begins as what was read at its path, which is nowhere else now
    """

    file: InputFile
    segment: Segment | None = None
    is_whole: bool = False
    copy_of: Match | None = None
    waits: str = ""
    problem: str = ""
    is_altered: bool = False


def match_files(
    files: Sequence[InputFile], segments: Segments, *, copies: bool = False, by_path_alone: bool = False
) -> list[Match]:
    """Return what each file is, in the files' order.

    Parameters
    ----------
    copies : the same bytes under two paths are one file
    by_path_alone : a file under a new path is new, whatever its bytes: what a listener writes
    """
    matching = _Matching(files, segments)
    matching.by_file_system(renamed=not by_path_alone)
    matching.read_beginnings(everything=copies)
    matching.claim(_at_own_path, whole=True)
    if by_path_alone:
        matching.claim(_at_own_path, whole=False)
    else:
        # What is the same, then what goes on; what has the same inode or path, then what came from elsewhere.
        matching.claim(lambda segment, file: segment.is_at(file.status), whole=True)
        matching.claim_gone(whole=True)
        matching.claim(lambda segment, file: segment.is_at(file.status), whole=False)
        matching.claim(_at_own_path, whole=False)
        matching.release()
        matching.claim_gone(whole=True)
        matching.claim_gone(whole=False)
        matching.find_copies(copies=copies)
    return list(matching.matches.values())


class _Matching:
    def __init__(self, files: Sequence[InputFile], segments: Segments) -> None:
        self.matches = {str(file.path): Match(file) for file in files}
        self.segments = segments
        self.claimed: set[str] = set()
        self.prefixes: dict[str, Prefix] = {}  # path → its bytes, where a segment begins like it
        self.candidates: dict[str, list[Segment]] = {}
        self.starts: dict[tuple[int, str], list[Segment]] = defaultdict(list)
        for segment in segments:
            self.starts[segment.start].append(segment)
        self._there: dict[str, bool] = {}

    def open_matches(self) -> list[Match]:
        """Return the matches of files that are nothing yet."""
        return [m for m in self.matches.values() if m.segment is None and not (m.problem or m.waits or m.copy_of)]

    def by_file_system(self, *, renamed: bool) -> None:
        """Take files that the file system says are unchanged, at their path or, if `renamed`, at another."""
        known = {segment.stat_key: segment for segment in self.segments}
        for at_own_path in (True, False) if renamed else (True,):
            for match in self.open_matches():
                segment = known.get(match.file.stat_key)
                if segment is None or segment.id in self.claimed:
                    continue
                if (segment.path == str(match.file.path)) if at_own_path else not segment.is_there():
                    self._take(match, segment, whole=True)

    def read_beginnings(self, *, everything: bool) -> None:
        """Hash the files that some segment, or a packed twin, begins like."""
        twins = _with_twins(match.file for match in self.matches.values())
        for path, match in self.matches.items():
            if match.segment is not None:
                continue
            try:
                beginning = match.file.source.beginning(START)
                match.file.first = first_line(beginning)
                head = Prefix()
                head.update(beginning)
                found = [s for start in head.at.items() for s in self.starts.get(start, ()) if s.bytes]
                if found or everything or path in twins:
                    self.prefixes[path] = match.file.source.hash_all({segment.bytes for segment in found})
                    self.candidates[path] = found
            except OSError as error:
                match.problem = f"{match.file.source.name} cannot be read: {error.strerror or error}."
            except SocmlError as error:
                match.problem = str(error)

    def claim(self, allowed: Callable[[Segment, InputFile], bool], *, whole: bool) -> None:
        """Take, of the segments that are `allowed`, the longest that a file goes on from; `whole`: that it equals."""
        for match in self.open_matches():
            segment = self._longest(match, allowed, whole=whole)
            if segment is not None:
                self._take(match, segment, whole=whole)

    def claim_gone(self, *, whole: bool) -> None:
        """As `claim`, of segments that are no longer where they were; those of a file's own stream first."""
        self.claim(lambda s, file: _of_its_stream(s, file) and not self.is_there(s), whole=whole)
        self.claim(lambda s, file: not self.is_there(s), whole=whole)

    def _longest(self, match: Match, allowed: Callable[[Segment, InputFile], bool], *, whole: bool) -> Segment | None:
        path = str(match.file.path)
        prefix = self.prefixes.get(path)
        fitting = [
            segment
            for segment in self.candidates.get(path, ())
            if prefix is not None
            and segment.id not in self.claimed
            and prefix.at.get(segment.bytes) == segment.hash
            and (segment.bytes == prefix.bytes) is whole
            and allowed(segment, match.file)
        ]
        near = (match.file.place, match.file.stream.name)
        return max(
            fitting,
            key=lambda s: (s.bytes, s.is_at(match.file.status), s.path == path, (s.place, s.stream) == near),
            default=None,
        )

    def _take(self, match: Match, segment: Segment, *, whole: bool) -> None:
        match.segment, match.is_whole = segment, whole
        self.claimed.add(segment.id)

    def release(self) -> None:
        """Note which segments are gone: another file is now where they were."""
        for segment in self.segments:
            at_its_path = self.matches.get(segment.path)
            if at_its_path is not None and at_its_path.segment is not segment:
                self._there[segment.id] = False

    def is_there(self, segment: Segment) -> bool:
        """Return whether a segment is still where it was read."""
        if segment.id not in self._there:
            self._there[segment.id] = segment.is_there()
        return self._there[segment.id]

    def find_copies(self, *, copies: bool) -> None:
        """Tell what has the bytes of another file: a copy, a rotation under way, or a stream of its own."""
        seen: dict[tuple[int, str], list[Match]] = defaultdict(list)
        for match in self.matches.values():
            if match.segment is not None and match.is_whole:
                seen[match.segment.bytes, match.segment.hash].append(match)
        for match in self.matches.values():
            prefix = self.prefixes.get(str(match.file.path))
            if match.segment is not None or prefix is None or match.problem:
                if match.segment is not None and not match.is_whole and prefix is not None:
                    seen[prefix.bytes, prefix.hash].append(match)
                continue
            key = (prefix.bytes, prefix.hash)
            same = [m for m in seen[key] if copies or _are_twins(m.file, match.file)]
            like = [s for s in self.segments.with_content(*key) if copies or self.is_there(s)] if prefix.bytes else []
            twins = [s for s in like if copies or _is_packed_as(Path(s.path), match.file.path)]
            rotated = [s for s in like if self._may_be_under_way(s, match.file)]
            if same:
                match.copy_of = same[0]
            elif twins:
                match.segment, match.is_whole = twins[0], True
            elif rotated:
                match.waits = (
                    f"has the bytes of {Path(rotated[0].path).name} beside it, as while a file is being rotated"
                )
            elif match.file.source.damage and self._has_twin(match.file):
                match.waits = "is being packed: it ends too early, and the file that it is made of is beside it"
            else:
                seen[key].append(match)
                match.is_altered = self._is_altered(match)

    def _is_altered(self, match: Match) -> bool:
        """Say whether a file was changed in place: what was read of it, unless that was a banner alone, is read once more.

        Blind to a file that is shorter now than the beginning by which it was known.
        """
        path = str(match.file.path)
        return any(
            segment.path == path and segment.start[0] >= ALIKE and segment.events and segment.id not in self.claimed
            for segment in self.candidates.get(path, ())
        )

    def _may_be_under_way(self, segment: Segment, file: InputFile) -> bool:
        return _of_its_stream(segment, file) and not file.is_old and Path(segment.path).parent == file.path.parent

    def _has_twin(self, file: InputFile) -> bool:
        return not file.is_old and any(_are_twins(other.file, file) for other in self.matches.values())


def _at_own_path(segment: Segment, file: InputFile) -> bool:
    return segment.path == str(file.path)


def _of_its_stream(segment: Segment, file: InputFile) -> bool:
    return (segment.place, segment.stream) == (file.place, file.stream.name)


def _with_twins(files: Iterable[InputFile]) -> set[str]:
    """Return the paths of files that lie packed and unpacked in one folder."""
    groups: dict[tuple[Path, str], list[InputFile]] = defaultdict(list)
    for file in files:
        groups[file.path.parent, file_stem(file.path.name)].append(file)
    return {str(file.path) for group in groups.values() if len(group) > 1 for file in group}


def _are_twins(one: InputFile, other: InputFile) -> bool:
    return _is_packed_as(one.path, other.path)


def _is_packed_as(one: Path, other: Path) -> bool:
    """Return whether two files of one folder have one name but for the ending of a packed file."""
    if one.parent != other.parent or one == other or file_stem(one.name) != file_stem(other.name):
        return False
    return is_packed(one.name) or is_packed(other.name)
