"""Templates in the other files of a folder or command → the one that data without a template of its own was made by.

Exporters number their templates as they like, and two may use the same number, so a template is told by its version, source
and number, and of several that differ the one is taken whose records fit the data; then that of the same sender (in captures),
of the file whose name begins most like this one's, and of the nearest time. If two are left that differ, none is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from socml.formats.network._netflow import VARIABLE, Exporter, Fields, is_datagram

__all__ = ["Library", "Sighting", "files_beside"]

_FILES_LIMIT = 500  # files looked at for templates
_FILE_LIMIT = 1 << 20  # bytes of one
_PADDING = 4  # a set is padded to a multiple of it

Key = tuple[int, int, int]  # version, source, number


@dataclass(frozen=True)
class Sighting:
    """A template in another file: its fields, and where and when it was seen (`sent_ms` since 1970)."""

    fields: Fields
    is_options: bool
    sent_ms: float
    file: str
    sender: str = ""


@dataclass
class Library:
    """The templates of other files, looked for when the first is missed. `name`: the file that misses them."""

    name: str
    files: tuple[Path, ...]
    used: set[Key] = field(default_factory=set)
    _sightings: dict[Key, list[Sighting]] | None = None

    def find(self, key: Key, size: int, sent_ms: float, sender: str = "") -> Sighting | None:
        """Return the template that data of `size` bytes, its set's header left out, was made by; None if none is likeliest."""
        if self._sightings is None:
            self._sightings = {}
            for path in self.files[:_FILES_LIMIT]:
                self._learn(path)
        fitting = [one for one in self._sightings.get(key, ()) if _fits(one.fields, size)]
        if not fitting:
            return None
        ranks = [(self._rank(one, sent_ms, sender), one) for one in fitting]
        best = max(rank for rank, _ in ranks)
        found = {(one.fields, one.is_options): one for rank, one in ranks if rank == best}
        if len(found) > 1:
            return None
        self.used.add(key)
        return next(iter(found.values()))

    def _rank(self, one: Sighting, sent_ms: float, sender: str) -> tuple[bool, int, float]:
        alike = _same_start(self.name, one.file)
        return (bool(sender) and one.sender == sender, alike, -abs(one.sent_ms - sent_ms))

    def _learn(self, path: Path) -> None:
        from socml.formats.network._netflow_capture import datagrams_of, is_capture

        data = path.read_bytes()
        if is_capture(data):
            for payload, sender in datagrams_of(data):
                self._note(payload, path.name, sender)
        else:
            self._note(data, path.name, "")

    def _note(self, data: bytes, file: str, sender: str) -> None:
        learner, at = Exporter(), 0
        while at < len(data) and is_datagram(data[at : at + 64]):
            try:
                at = learner.read(data, at)[1]
            except ValueError:
                break
        assert self._sightings is not None
        for key, sent_ms, fields, is_options in learner.learnt:
            self._sightings.setdefault(key, []).append(Sighting(fields, is_options, sent_ms, file, sender))


def files_beside(path: Path, more: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files of a file's folder and those of the same command that are small enough to be looked at."""
    folder = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    others = dict.fromkeys(other for other in (*folder, *more) if other != path)
    return tuple(other for other in others if other.is_file() and other.stat().st_size <= _FILE_LIMIT)


def _same_start(name: str, other: str) -> int:
    """Return how many characters two names begin alike with."""
    return next((at for at, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), min(len(name), len(other)))


def _fits(fields: Fields, size: int) -> bool:
    """Return whether a set's data is whole records and padding; records of variable size always fit."""
    if any(length == VARIABLE for _, _, length in fields):
        return True
    of_one = sum(length for _, _, length in fields)
    return 0 < of_one <= size and size % of_one < _PADDING
