"""A format's class → its promises: it knows its own examples, loses nothing, and fills known columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socml.formats import Format, Parsed, ReadOptions
from socml.ingestion import FileSource
from socml.project import EVENT, FormatError, ScratchFolder, did_you_mean

LEAST = 0.5


def says_what_it_is(kind: type[Format]) -> None:
    """It has name, about, specification and examples, and the methods sniff and read."""
    for name in ("name", "about", "specification", "examples"):
        assert getattr(kind, name, None), f"it has no {name}"
    for name in ("sniff", "read"):
        assert callable(getattr(kind, name, None)), f"it has no {name}"
    assert isinstance(kind.examples, tuple | list), "examples is a tuple of lines; one needs a comma: (line,)"


def knows_its_own_examples(kind: type[Format]) -> None:
    """`sniff` is at least half sure of its own examples, not of nothing, and stays between 0 and 1."""
    sure = kind().sniff(_examples(kind), "input.log")
    assert LEAST <= sure <= 1, f"of its own examples it is {sure:.2f} sure; at least {LEAST} is needed"
    for head in (b"", b"\n", b"\x00\xff" * 50, b"some words that no log begins with\n"):
        other = kind().sniff(head, "input.log")
        assert 0 <= other <= 1, f"sniff gave {other} for {head[:20]!r}"


def reads_its_own_examples(kind: type[Format]) -> None:
    """`read` rejects none of its examples: they become events, or are skipped and counted."""
    if not all(isinstance(example, str) for example in kind.examples):
        return  # the beginning of a binary file
    with _source(_examples(kind)) as source:
        parts: list[Parsed] = list(kind().read(source, ReadOptions(year=2026)))
    rejects = [reject for part in parts for reject in part.rejects]
    assert not rejects, f"line {rejects[0].line} of the examples is rejected: {rejects[0].reason}"
    assert sum(part.count for part in parts), "nothing came of them"


def fills_known_columns(kind: type[Format]) -> None:
    """Every column of its events is one of the event contract, and raw and source_line are among them."""
    if kind.name == "table":  # which keeps a table's own columns
        return
    with _source(_examples(kind)) as source:
        for part in kind().read(source, ReadOptions(year=2026)):
            for name in part.events.column_names:
                assert name in EVENT, f"there is no event column {name!r}.{did_you_mean(name, EVENT)}"
            for name in ("raw", "source_line"):
                assert name in part.events.column_names, f"its events have no {name!r}"
            assert len(part.records) == len(part.events), f"{len(part.records)} records for {len(part.events)} events"


def loses_nothing(kind: type[Format]) -> None:
    """A line that does not fit becomes a reject with a reason: records = events + rejects + skips."""
    if not getattr(kind, "one_a_line", True) or getattr(kind, "may_span_lines", False):
        return
    if not all(isinstance(example, str) for example in kind.examples):
        return
    lines = [example for example in kind.examples if isinstance(example, str) and "\n" not in example]
    torn = "".join(f"{line}\n" for line in [*lines, "\x7f no such line \x7f", *lines]).encode()
    with _source(torn) as source:
        try:
            parts = list(kind().read(source, ReadOptions(year=2026)))
        except FormatError:
            return  # it refuses the file as a whole, which loses nothing either
        counted = sum(part.count for part in parts) + len(source.rejects)
    expected = 2 * len(lines) + 1
    assert counted == expected, f"of {expected} lines {counted} are accounted for"


PROMISES = (says_what_it_is, knows_its_own_examples, reads_its_own_examples, fills_known_columns, loses_nothing)


def _examples(kind: type[Format]) -> bytes:
    return b"".join(one if isinstance(one, bytes) else f"{one}\n".encode() for one in kind.examples)


@contextmanager
def _source(content: bytes) -> Iterator[FileSource]:
    with ScratchFolder("check") as folder:
        path = Path(folder) / "input.log"
        path.write_bytes(content)
        yield FileSource(path, path.name)
