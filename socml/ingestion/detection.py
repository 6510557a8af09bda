"""The first bytes of a file → the format it is in, by its content and not by its name.

Every format says how sure it is; those that claim the file are weighed by how many of its first records they read.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from socml.formats import Format, MapReader, head_in_utf8, holds_objects
from socml.ingestion.format_maps import map_of, map_paths
from socml.ingestion.sources import HEAD_BYTES, FileSource
from socml.ingestion.trial import share_read
from socml.project import FormatError, Notice, component, component_names, revision

LEAST_CONFIDENCE = 0.5
TELLS_MUCH = 0.6  # of any-json: most of the records have a time and something else that is known
CLOSE = 0.1
TAKE_NEARLY_ANYTHING = ("text-lines", "table", "key-values")
_OTHERS = {
    b"FEA1": "a Feather file of the first version",
    b"ORC": "an ORC file", b"Obj\x01": "an Avro file", b"SQLite format 3\0": "an SQLite database",
    b"\x93NUMPY": "a NumPy array", b"\x89HDF": "an HDF5 file", b"MATLAB 5": "a file of MATLAB",
    b"\x80\x04\x95": "a pickle", b"\x80\x05\x95": "a pickle",
    b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "a document of Office",
}  # fmt: skip
FULLY = 0.95  # of the first records: damage and a cut end are no other format
MOST_TRIED = 5
_FAILED: set[str] = set()  # readers of which it was told that they fail


def open_format(name: str) -> Format:
    """Return the format called `name`."""
    maps = map_paths()
    if name in maps:
        return MapReader(map_of(maps[name]))
    opened: Format = _format_class(name, revision())()
    return opened


def format_names() -> list[str]:
    """Return the names of all formats: those written in Python, and the maps of the package and of the project."""
    return sorted({*component_names("formats"), *map_paths()})


@cache
def _format_class(name: str, revision: int) -> type[Format]:
    """Return the class of a format; `revision` says which the name means, where a project or notebook has its own."""
    found: type[Format] = component("formats", name)
    return found


def detect(path: str | Path) -> tuple[str, float]:
    """Return the format of a file and how sure that is, 0.5 to 1.

    Raises
    ------
    FormatError
        If no format is at least half sure; it lists what was tried. Also for a file of 0 bytes.
    """
    source = FileSource(Path(path), str(path))
    return detect_source(source)


def detect_source(source: FileSource) -> tuple[str, float]:
    """Like `detect`, for a file that is open already."""
    return rank_source(source)[0]


def rank_source(source: FileSource) -> list[tuple[str, float]]:
    """Return every format and how sure it is that the file is its own, the surest first.

    Raises
    ------
    FormatError
        As `detect` does.
    """
    head = source.head()
    if not head and source.is_parquet:
        return [("table", 1.0)]
    if not head and source.is_arrow and not source.damage:
        return [("any-json", 1.0)]
    if not head:
        raise FormatError(f"{source.name} is empty: {source.damage or 'it has 0 bytes'}.")
    if not head.strip():
        raise FormatError(f"{source.name} holds nothing but blanks.")
    head = head_in_utf8(head)
    maps = map_paths()
    readers = _readers(tuple(dict.fromkeys((*component_names("formats"), *maps))), tuple(maps.values()), revision())
    tried = sorted(((_sureness(reader, name, head, source), name) for name, reader in readers), reverse=True)
    if source.is_parquet:
        is_claimed = tried[0][0] >= LEAST_CONFIDENCE
        return _ranked_rows(source, _judged(source, head, tried, dict(readers)) if is_claimed else [])
    if tried[0][0] >= LEAST_CONFIDENCE:
        return [(name, confidence) for confidence, name in _judged(source, head, tried, dict(readers))]
    if len(head) == HEAD_BYTES and b"\n" not in head:
        raise FormatError(
            f"{source.name}: the first line is longer than {HEAD_BYTES >> 20} MB, the limit for telling a format."
        )
    if kind := next((kind for start, kind in _OTHERS.items() if head.startswith(start)), None):
        raise FormatError(
            f"{source.name} is {kind}, which is not read. Write it as Parquet, CSV or lines of text first."
        )
    nearest = ", ".join(f"{name} {confidence:.2f}" for confidence, name in tried[:4] if confidence > 0)
    raise FormatError(
        f"{source.name}: no format is at least {LEAST_CONFIDENCE} sure that this is its own "
        f"({f'nearest: {nearest}' if nearest else f'none of {len(tried)} knows anything in it'}). "
        f"Name one with --format; socml formats lists them. Try: {_suggestions(source, tried)}"
    )


def _ranked_rows(source: FileSource, judged: Sequence[tuple[float, str]]) -> list[tuple[str, float]]:
    """Return who reads the rows of a Parquet file: a reader that knows such objects; of objects within objects that tell
    something, any-json; else they are a table.
    """
    ranked = [(name, confidence) for confidence, name in judged if name != "table"]
    name, confidence = ranked[0] if ranked else ("", 0.0)
    is_known = confidence > LEAST_CONFIDENCE and name not in (*TAKE_NEARLY_ANYTHING, "any-json")
    if is_known or (name == "any-json" and confidence >= TELLS_MUCH and holds_objects(source.path, source.name)):
        return ranked
    return [("table", 1.0), *((name, 0.0) for name, _ in ranked)]


def _sureness(reader: Format, name: str, head: bytes, source: FileSource) -> float:
    """Return how sure a reader is. One that fails, as one of the project's own may, has no say in the files of others."""
    try:
        return reader.sniff(head, source.path.name)
    except Exception as error:
        if name not in _FAILED:  # once, and not with each of thousands of files
            _FAILED.add(name)
            failed = f"the reader {name} failed to look at it ({type(error).__name__}: {error}). This is a bug in it."
            warnings.warn(f"{source.name}: {failed}", Notice, stacklevel=2)
        return 0.0


def _suggestions(source: FileSource, tried: Sequence[tuple[float, str]]) -> str:
    """Return the commands to try three formats with: the nearest, then those that take nearly anything."""
    nearest = [name for confidence, name in tried if confidence > 0]
    names = list(dict.fromkeys([*nearest, *TAKE_NEARLY_ANYTHING]))[:3]
    return "; ".join(f"socml peek {shlex.quote(source.name)} --format {name}" for name in names)


def _judged(
    source: FileSource, head: bytes, tried: list[tuple[float, str]], readers: Mapping[str, Format]
) -> list[tuple[float, str]]:
    """Return the formats by how sure they are, each that claims the file weighed by how much it reads of it.

    One that reads all is as sure as it was, and none of the others is asked if they are not close.
    """
    claims = [(confidence, name) for confidence, name in tried if confidence >= LEAST_CONFIDENCE][:MOST_TRIED]
    rest = tried[len(claims) :]
    judged: list[tuple[float, str]] = []
    for at, (confidence, name) in enumerate(claims):
        share = share_read(readers[name], head, source.path, source.modified)
        judged.append((confidence * share, name))
        if share >= FULLY and (at + 1 == len(claims) or confidence - claims[at + 1][0] >= CLOSE):
            judged += claims[at + 1 :]
            break
    best = max(judged)
    if best[0] < LEAST_CONFIDENCE:  # it is read as the likeliest, and what does not read is said
        judged = [(LEAST_CONFIDENCE, tried[0][1]), *(one for one in judged if one[1] != tried[0][1])]
    return sorted([*judged, *rest], reverse=True)


@lru_cache(maxsize=1)
def _readers(names: tuple[str, ...], maps: tuple[Path, ...], revision: int) -> tuple[tuple[str, Format], ...]:
    """Return the readers by name, made once: a folder may hold thousands of small files, and each is shown to all."""
    return tuple((name, open_format(name)) for name in names)


def close_call(ranked: Sequence[tuple[str, float | None]]) -> list[str]:
    """Return a warning if the second format is nearly as sure as the first.

    Examples
    --------
    >>> close_call([("syslog", 0.75), ("table", 0.7)])
    ['Detected as syslog (0.75), and table is nearly as sure (0.70). Name the right one with --format.']
    >>> close_call([("syslog", 0.9), ("table", 0.5)]), close_call([("syslog", None)])
    ([], [])
    """
    sure = [(name, confidence) for name, confidence in ranked[:2] if confidence is not None]
    if len(sure) < 2 or sure[0][1] - sure[1][1] >= CLOSE:
        return []
    (first, one), (second, other) = sure
    return [
        f"Detected as {first} ({one:.2f}), and {second} is nearly as sure ({other:.2f}). "
        "Name the right one with --format."
    ]
