"""Cases of ../shared/datasets/faults → expected and seen; readers → columns that real files fill, of those they can fill.

Two tables of `make results-formats` (`benchmarks/formats.py`). What a reader can fill is what its declared cases fill
(`benchmarks/readers.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dialects import READERS, is_right, make_case
from benchmarks.readers import filled_by
from benchmarks.results import Figure
from socml.ingestion import format_names, ingest_files, load_events
from socml.project import EVENT, Project, ScratchFolder, SocmlError

_SHOWN = ("time", "source_ip", "user_name", "event_action", "event_outcome", "event_severity", "host_name")
_LONGEST = 300  # characters of what is expected


@dataclass(frozen=True)
class Fault:
    """One input that went wrong once. `holds`: whether the test that knows its right values passes; None without one."""

    file: str
    kind: str
    expected: str
    seen: str
    holds: bool | None


def read_faults(shared: Path, root: Path, passed: Mapping[str, bool]) -> list[Fault]:
    """Return each case of the manifest with what `socml ingest` makes of it. `passed`: file → whether its test passes."""
    folder = shared / "datasets" / "faults"
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    return [
        Fault(case["file"], case["kind"], case["expected"], seen(folder / case["file"], root), passed.get(case["file"]))
        for case in cases
    ]


def seen(path: Path, root: Path) -> str:
    """Return in words what a file, or a folder, becomes."""
    with ScratchFolder("faults") as folder:
        project = Project(root=root, workspace=Path(folder) / "workspace")
        try:
            done = ingest_files(path, dataset="some", project=project, final=True)
        except SocmlError as error:
            return f"refused: {str(error).replace(str(path.resolve()), path.name).replace(str(path), path.name)}"
        readers = ", ".join(dict.fromkeys(one.format for one in done.per_file))
        text = f"{readers or 'none'}: {done.added:,} events, {done.quarantined:,} quarantined, {done.skipped:,} skipped"
        text += f", {len(done.failed)} files not read" if done.failed else ""
        if not done.added:
            return text
        first = load_events("some", project=project).iloc[0]
        values = [
            f"{name} {first[name]}"
            for name in _SHOWN
            if name in first.index and str(first[name]) not in ("None", "nan", "NaT")
        ]
        return f"{text}; the first: {', '.join(values)}"


def faults_lines(faults: Sequence[Fault]) -> list[str]:
    """Return the table of faults for the page."""
    lines = [
        "## Faults: expected and seen",
        "",
        "Each small input of ../shared/datasets/faults stands for a kind. *seen* is one `socml ingest` of the file by itself; *holds* is "
        "the test that compares all its right values (tests/test_faults_read.py), where the file has one.",
        "",
        "| file | kind | expected | seen | holds |",
        "|---|---|---|---|---|",
    ]
    for one in faults:
        holds = "no test of its own" if one.holds is None else "yes" if one.holds else "no"
        cells = (one.file, one.kind, one.expected[:_LONGEST], one.seen[:_LONGEST], holds)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return [*lines, ""]


def faults_figures(faults: Sequence[Fault], versions: dict[str, str]) -> list[Figure]:
    """Return how many cases there are, how many have a test, and of how many it passes."""
    tested = [one for one in faults if one.holds is not None]
    counts = {
        "cases": len(faults),
        "cases with a test": len(tested),
        "tests that pass": sum(map(bool, (t.holds for t in tested))),
    }
    return [
        Figure("faults/MANIFEST.csv", name, n, "cases", n=len(faults), versions=versions) for name, n in counts.items()
    ]


def column_lines(real: Mapping[str, set[str]]) -> tuple[list[str], list[tuple[str, int, int]]]:
    """Return the table of columns for the page, and (reader, filled by real files, can be filled) of each.

    Parameters
    ----------
    real : reader → the event columns that real files filled
    """
    lines = [
        "## Columns filled, of those a reader can fill",
        "",
        "*can* are the columns that a reader's declared cases fill; *real* those of them that the real files here fill. A file need not "
        "hold all that its format can.",
        "",
        "| reader | can | real | only in cases |",
        "|---|---|---|---|",
    ]
    counts = []
    for reader in format_names():
        columns = real.get(reader, set())
        can = filled_by(reader).columns | columns
        left = " ".join(name for name in EVENT if name in can - columns)
        counts.append((reader, len(columns), len(can)))
        lines.append(
            f"| {reader} | {len(can)} | {len(columns) if reader in real else 'no file'} | {left if reader in real else ''} |"
        )
    return [*lines, ""], counts


def dialect_lines(versions: dict[str, str], *, dialects: int = 200) -> tuple[list[str], list[Figure]]:
    """Return the table of generated dialects for the page, and its figures: how many each reader reads right."""
    right = dict.fromkeys(READERS, 0)
    worse: list[str] = []
    with ScratchFolder("dialects") as folder:
        for seed in range(dialects):
            case = make_case(seed)
            path = Path(folder) / f"{seed}.csv"
            path.write_bytes(case.data)
            found = {name: is_right(read(path), case.truth) for name, read in READERS.items()}
            for name, holds in found.items():
                right[name] += holds
            if any(found.values()) and not found["socml"]:
                worse.append(f"{seed}: {case.dialect}")
    figures = [
        Figure("generated dialects", "read right", right["socml"], "files", peer, count, n=dialects, versions=versions)
        for peer, count in right.items()
        if peer != "socml"
    ]
    figures.append(
        Figure("generated dialects", "read right by another alone", len(worse), "files", n=dialects, versions=versions)
    )
    lines = [
        "## Tables: generated dialects",
        "",
        f"{dialects} files that differ in delimiter, quoting, line ends, encoding, header, decimal sign, blank rows and `sep=` line; right "
        "is: every row, every name (or none) and every cell. All read the bare file, without a word about it.",
        "",
        "| reader | right |",
        "|---|---|",
        *(f"| {name} | {count} of {dialects} |" for name, count in right.items()),
        "",
        f"Read right by another and not by socml: {'; '.join(worse) if worse else 'none'}.",
        "",
    ]
    return lines, figures
