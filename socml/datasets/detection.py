"""The first bytes of a file → the format it is in, by its content and not by its name."""

from __future__ import annotations

from pathlib import Path

from socml.datasets.sources import HEAD_BYTES, FileSource
from socml.errors import FormatError
from socml.formats._reader import Format
from socml.registry import component, component_names

LEAST_CONFIDENCE = 0.5


def open_format(name: str) -> Format:
    """Return the format called `name`."""
    opened: Format = component("formats", name)()
    return opened


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
    head = source.head()
    if not head:
        raise FormatError(f"{source.name} is empty: {source.damage or 'it has 0 bytes'}.")
    tried = sorted(
        ((open_format(n).sniff(head, source.path.name), n) for n in component_names("formats")), reverse=True
    )
    confidence, name = tried[0]
    if confidence >= LEAST_CONFIDENCE:
        return name, confidence
    if len(head) == HEAD_BYTES and b"\n" not in head:
        raise FormatError(
            f"{source.name}: the first line is longer than {HEAD_BYTES >> 20} MB, the limit for telling a format."
        )
    listed = ", ".join(f"{n} {c:.2f}" for c, n in tried)
    raise FormatError(
        f"{source.name}: no format is at least {LEAST_CONFIDENCE} sure that this is its own (tried: {listed}). "
        "Name one with --format."
    )
