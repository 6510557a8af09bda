"""The sources of `socml` and the verbs on a small table → docs/results/results-house: size, arrows, types, CPU seconds.

Run it with `make results-house`. Figures of before the rooms are those that were measured then, on the same machine.
"""

from __future__ import annotations

import ast
import io
import os
import resource
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from benchmarks.results import Figure, versions_of, write_results
from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
SOCML = ROOT / "socml"
# The order of the rooms from below, as pyproject.toml's layers have it; an arrow up goes against it.
ORDER = (
    "project formats ingestion features detectors labels tools simulator models explanations respond evaluate review jobs "
    "cli"
).split()
SIDE_BY_SIDE = [{"features", "detectors", "labels", "tools", "simulator"}, {"review", "evaluate", "respond"}]
LONG = 40  # lines of a function
BEFORE = {
    "lines": 51_900.0,
    "files": 434.0,
    "rooms": 46.0,
    "`Any` annotations": 524.0,
    "fit": 7.4,
    "score": 5.2,
    "queue": 1.3,
}
ROWS, REPEATS = 8_000, 3


@dataclass(frozen=True)
class Module:
    """One file: its room, its text and its tree."""

    path: Path
    room: str
    text: str
    tree: ast.Module


def main() -> None:
    """Count, measure, and write the table."""
    modules = list(_modules())
    figures = [*counted(modules), *measured()]
    write_results(
        "results-house",
        "The house",
        "What `socml/` is made of, and what its verbs cost. The peer is socml as it was before its rooms were made.",
        figures,
        notes=[
            "CPU seconds: of a fresh process with byte code cached, user and system, the least of three runs.",
            f"Verbs run on {ROWS:,} rows of flows; `fit` is the first of a new project, its registry made on the way.",
            "An arrow is a room that imports another; up is against the layers of pyproject.toml.",
            "Expected: ≤ 45,000 lines, ≤ 340 files, ≤ 1 arrow up, no cycle, ≤ 60 `Any`, fit ≤ 4 s, score ≤ 2.5 s, queue ≤ 1 s.",
        ],
    )
    for figure in figures:
        print(f"{figure.measure}: {figure.value:,.3g} {figure.unit}")


def counted(modules: list[Module]) -> list[Figure]:
    """Return the figures that are read from the sources."""
    arrows = _arrows(modules)
    functions = [node for module in modules for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)]
    found = {
        "lines": sum(module.text.count("\n") for module in modules),
        "lines of code, without docstrings, comments and blank lines": sum(_code_lines(module) for module in modules),
        "files": len(modules),
        "rooms": len({module.room for module in modules if (SOCML / module.room).is_dir()}),
        "arrows between rooms": len(arrows),
        "arrows up": sum(_is_up(*arrow) for arrow in arrows),
        "cycles of rooms, the arrows up left out": _cycles(arrow for arrow in arrows if not _is_up(*arrow)),
        "`Any` annotations": sum(_anys(module.tree) for module in modules),
        f"functions over {LONG} lines": sum(_length(node) > LONG for node in functions),
        f"functions over {LONG} lines without their docstring": sum(
            _length(node) - _docstring_length(node) > LONG for node in functions
        ),
        "public names without docstring": sum(_undocumented(module.tree) for module in modules),
    }
    return [_figure("sources", name, float(value), "") for name, value in found.items()]


def _modules() -> Iterator[Module]:
    for path in sorted(SOCML.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield Module(path, path.relative_to(SOCML).with_suffix("").parts[0], text, ast.parse(text))


def _arrows(modules: list[Module]) -> set[tuple[str, str]]:
    """Return (room, imported room): what runs, what is imported in a function, and what only types need."""
    arrows = set()
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("socml."):
                arrows.add((module.room, (node.module or "").split(".")[1]))
    rooms = {module.room for module in modules} & set(ORDER)
    return {(start, end) for start, end in arrows if start != end and {start, end} <= rooms}


def _is_up(start: str, end: str) -> bool:
    beside = any({start, end} <= rooms for rooms in SIDE_BY_SIDE)
    return not beside and ORDER.index(end) > ORDER.index(start)


def _cycles(arrows: Iterator[tuple[str, str]]) -> int:
    graph = defaultdict(set)
    for start, end in arrows:
        graph[start].add(end)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return 1
    return 0


def _anys(tree: ast.Module) -> int:
    """Count `Any` where a type stands: of parameters, results, variables and attributes."""
    annotations = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            annotations.append(node.annotation)
        if isinstance(node, ast.FunctionDef):
            annotations.append(node.returns)
    inside = (part for annotation in annotations if annotation for part in ast.walk(annotation))
    return sum(isinstance(part, ast.Name) and part.id == "Any" for part in inside)


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def _docstring_length(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> int:
    return _length(node.body[0]) if ast.get_docstring(node) is not None else 0


def _code_lines(module: Module) -> int:
    """Count the lines that hold more than a comment or a docstring."""
    told: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and _docstring_length(node):
            told.update(range(node.body[0].lineno, node.body[0].lineno + _docstring_length(node)))
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in quiet:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - told)


def _undocumented(tree: ast.Module) -> int:
    public = [tree, *tree.body]
    public += [
        inner for node in tree.body if isinstance(node, ast.ClassDef) and _is_public(node) for inner in node.body
    ]
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return sum(isinstance(node, kinds) and _is_public(node) and not ast.get_docstring(node) for node in public)


def _is_public(node: ast.AST) -> bool:
    overloads = any(ast.unparse(one) == "overload" for one in getattr(node, "decorator_list", ()))
    return not getattr(node, "name", "x").startswith("_") and not overloads  # they have their function's docstring


def measured() -> Iterator[Figure]:
    """Yield the CPU seconds of the import and of the verbs."""
    yield _figure("python", "import socml; socml.fit", _least(["-c", "import socml; socml.fit"], ROOT), "CPU s")
    with ScratchFolder("house") as folder:
        lab = _lab(Path(folder))
        verbs = {
            "ingest": ["ingest", "conn.log", "--dataset", "net"],
            "features": ["features", "flow", "net"],
            "fit": ["fit", "flow-forest", "net"],
            "score": ["score", "flow-forest", "net"],
            "queue": ["queue"],
        }
        for name, command in verbs.items():
            once = name in ("ingest", "fit")  # the first in a new project
            yield _figure(
                "verbs", name, _least(["-m", "socml", *command], lab, repeats=1 if once else REPEATS), "CPU s"
            )


def _lab(folder: Path) -> Path:
    lab = folder / "lab"
    subprocess.run([sys.executable, "-m", "socml", "init", str(lab)], check=True, capture_output=True)
    names = (
        "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state".split()
    )
    lines = ["#separator \\x09", "#path\tconn", "#fields\t" + "\t".join(names)]
    for row in range(ROWS):
        source, port = f"10.0.{row % 7}.{row % 199}", 40_000 + row % 9_973
        sizes = f"{(row % 97) / 10:.1f}\t{row * 37 % 5_003}\t{row * 91 % 70_001}"
        cells = (
            f"{1_700_000_000 + row}.5\tC{row}\t{source}\t{port}\t192.0.2.{row % 83}\t{443 if row % 5 else 22}\ttcp\tssl"
        )
        lines.append(f"{cells}\t{sizes}\tSF")
    (lab / "conn.log").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return lab


def _least(arguments: list[str], folder: Path, repeats: int = REPEATS) -> float:
    """Return the least CPU time of some runs of Python, in seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(ROOT)
    seconds = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def _figure(case: str, measure: str, value: float, unit: str) -> Figure:
    before = BEFORE.get(measure)
    peer = "before the rooms" if before is not None else ""
    ratio = value / before if before else None
    return Figure(case, measure, value, unit, peer, before, ratio, versions=versions_of("socml", "scikit-learn"))


if __name__ == "__main__":
    main()
