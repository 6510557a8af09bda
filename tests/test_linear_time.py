"""Every reader takes time that grows linearly with its input: twice as much input takes at most twice as many steps.

A step is a line of Python that is run, the standard library's too; no clock is looked at. What C code does unseen in one
step is told from the source: patterns in test_regex_linear.py, and texts that are cut or grown in a loop at the end here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import socml
from benchmarks.fuzz import seeds_of
from socml.formats import _csv_records
from socml.formats._cef import cef_fields
from socml.formats._reader import ReadOptions
from socml.ingestion.detection import detect, format_names, open_format
from socml.ingestion.sources import FileSource
from socml.project.errors import SocmlError

SIZE = 1000  # bytes that are put in, and then twice as many
ALLOWANCE = 2000  # steps: what is done once, on some inputs only
GROWTH = 2.25

# what separates, opens, closes, escapes or continues something in any format
UNITS = (
    b"=", b"\\", b'"', b"'", b" ", b"\t", b"[", b"{", b"(", b"<", b"|", b",", b";", b":", b"&", b"%", b"-", b"/", b".", b"1", b"A",
    b"a=b ", b'a="b" ', b"a=b|", b"a=b\t", b"a=\\", b'a="\\" ', b'"a":1,', b'{"a":', b'["a",', b"<a>", b"[a@1 b=\"c\"]", b"[**] ",
    b"a: b, ", b"\n", b"x\n", b" x\n", b"\r\n", b"\n\n", b"\xff", b"\0", b"From a\n\n", b" from a port 1", b"; a: b", b"{}", b"}\n{",
)  # fmt: skip


def counted(work: Callable[[], object]) -> int:
    """Return how many lines of Python a piece of work runs."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


def attacks(name: str) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield inputs by what is in them: each a function from a size to a file."""
    seed = min(seeds_of(name), key=lambda data: (len(data) > 20_000, -len(data)))[:20_000]
    record = seed.rstrip(b"\n").rsplit(b"\n", 1)[-1]
    middle, end = len(seed) - len(record) // 2 - 1, len(seed.rstrip(b"\n"))
    for unit in UNITS:
        fill = lambda size, unit=unit: unit * (size // len(unit))  # noqa: E731
        yield f"{unit!r} in the middle", lambda size, fill=fill: seed[:middle] + fill(size) + seed[middle:]
        yield f"{unit!r} at the end", lambda size, fill=fill: seed[:end] + fill(size) + seed[end:]
    tail = record[-24:]
    yield "its own end again", lambda size: seed[:end] + tail * (size // max(len(tail), 1)) + b"\n"
    yield "its records again", lambda size: seed + (record + b"\n") * (4 * size // len(record))
    yield "keys", lambda size: b"{%s}\n" % b",".join(b'"k%d":%d' % (i, i) for i in range(size // 8))
    for comma in (b",", b"\t", b";"):
        yield (
            f"columns by {comma!r}",
            lambda size, comma=comma: b"\n".join(comma.join(b"%s%d" % (x, i) for i in range(size // 8)) for x in (b"c", b"", b"")),
        )  # fmt: skip


def read(name: str, path: Path, data: bytes) -> Callable[[], None]:
    """Return the work of telling and reading a file."""
    path.write_bytes(data)

    def work() -> None:
        reader = open_format(name)
        try:
            reader.sniff(data, path.name)
            for _ in reader.read(FileSource(path, path.name), ReadOptions(year=2026)):
                pass
        except SocmlError:
            pass  # refused as a whole

    return work


@pytest.mark.parametrize("name", format_names())
def test_twice_the_input_takes_at_most_twice_the_steps(name: str, tmp_path: Path) -> None:
    path = tmp_path / "input.log"
    worse, least = [], 0
    for what, made in attacks(name):
        steps = lambda size, made=made: counted(read(name, path, made(size)))  # noqa: E731
        least = least or min(steps(0), steps(0))  # what is loaded once counts the first time
        if growth(steps, SIZE, least) and (found := growth(steps, SIZE + 60, least)):
            worse.append(f"{what}: {found}")
    assert not worse


def growth(steps: Callable[[int], int], size: int, least: int = 0) -> str:
    """Return what twice the input takes if that is more than twice the steps; any input takes at least so many."""
    twice = steps(2 * size)
    once = steps(size) if twice > GROWTH * least + ALLOWANCE else least
    return f"{once} steps, then {twice}" if twice > GROWTH * once + ALLOWANCE else ""


def test_a_leef_line_of_one_key_takes_linear_time() -> None:
    once, twice = (counted(lambda n=n: cef_fields("LEEF:2.0|V|P|1.0|7|^|" + "a=b^" * n)) for n in (1000, 2000))
    assert twice <= 2 * once + 10


def test_a_quote_that_is_never_closed_costs_its_line_and_linear_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_csv_records, "RECORD_LIMIT", 500)
    path = tmp_path / "x.csv"
    steps = []
    for size in (1000, 2000):
        path.write_bytes(b'a,"b\n' + b"c,d\n" * size)
        found: list[tuple[int, bytes]] = []
        steps.append(counted(lambda found=found: found.extend(_csv_records.csv_records(FileSource(path, "x.csv")))))
        assert found == [(1, b'a,"b'), *((number, b"c,d") for number in range(2, size + 2))]
    assert steps[1] <= 2 * steps[0] + 100


def test_steps_that_grow_with_the_square_are_seen() -> None:
    def square(size: int) -> Callable[[], None]:
        def work() -> None:
            for i in range(size):
                for _ in range(i):
                    pass

        return work

    assert growth(lambda size: counted(square(size)), 100)
    assert not growth(lambda size: size, 10_000)


# One piece of a file at a time, of a megabyte or of a stated limit, not one record at a time; or a bytearray
BY_PIECES = {
    ("_capture.py", "data = data[used:]"), ("_envelope.py", "head += chunk"), ("_multiline.py", "held = held[limit:]"),
    ("_unified2.py", "held += chunk"), ("_unified2.py", "held = held[at:]"), ("eml.py", "held += chunk"), ("eml.py", "held = held[at:]"),
    ("gelf.py", "data += chunk"), ("gelf.py", "data = data[at:]"), ("journald_export.py", "held += chunk"),
    ("journald_export.py", "held = held[at:]"), ("netflow.py", "data += chunk or b''"), ("netflow.py", "data = data[at:]"),
    ("windows_event_xml.py", "held += chunk"), ("windows_event_xml.py", "held = held[at:]"), ("_audit_interpreted.py", "value = value[1:-1]"), ("_unified2.py", "held += record"), ("nfcapd.py", "data += more"), ("nfcapd.py", "data = b''.join([data[at:], *pieces])"),
}  # fmt: skip
TEXTS = {"held", "data", "text", "rest", "head", "record", "message"}


def grown_or_cut(loop: ast.AST) -> Iterator[str]:
    """Yield the statements in a loop that copy all that is left of a text, or of a list."""
    for node in ast.walk(loop):
        match node:
            case ast.Assign(targets=[target], value=ast.Subscript(value=cut, slice=ast.Slice(lower=ast.expr()))):
                if ast.unparse(target) == ast.unparse(cut):
                    yield ast.unparse(node)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add()) if name in TEXTS:
                yield ast.unparse(node)
            case ast.AugAssign(target=ast.Subscript(), value=ast.BinOp(left=ast.Constant(value=str() | bytes()))):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)]):
                yield ast.unparse(node)
            case ast.While(test=test):
                whole = [part for part in ast.walk(test) if isinstance(part, ast.Attribute) and "strip" in part.attr]
                if any(isinstance(part.value, ast.Name) for part in whole):
                    yield f"while {ast.unparse(test)}"


def test_no_reader_cuts_or_grows_a_text_record_by_record() -> None:
    found = set()
    for path in (Path(socml.__file__).parent / "formats").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.For | ast.While):
                found |= {(path.name, what) for what in grown_or_cut(node)}
    assert found - BY_PIECES == set()


def test_telling_the_format_of_many_small_files_lists_no_folder_for_each(tmp_path: Path) -> None:
    def steps_a_file(files: int) -> float:
        folder = tmp_path / str(files)
        folder.mkdir()
        paths = [folder / f"{i}.log" for i in range(files)]
        for path in paths:
            path.write_text("Mar  1 13:07:00 web01 sshd[1]: Failed password for root from 192.0.2.9 port 1 ssh2\n")
        detect(paths[0])  # what is loaded once
        return counted(lambda: [detect(path) for path in paths[1:]]) / (files - 1)

    few, many = steps_a_file(12), steps_a_file(60)
    assert few < 8000  # some 4,000: a share for each reader; 53,000 when it listed the folder
    assert many < 1.1 * few  # as many in a folder of five times the files
