"""Two revisions → the same line over the same logs, and every stored value that differs.

Run it with `make results-unchanged BEFORE=REVISION`. Both revisions are checked out beside each other and run with the
packages that are installed now. A difference is no fault by itself: a change that was asked for shows here, and one
that was not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Figure, versions_of, write_results
from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SOCML_SHARED", ROOT.parent / "shared")) / "datasets"
CASES: tuple[tuple[str, str | None, str], ...] = (
    ("demo", None, "source-forest"),
    ("stratosphere-008", "stratosphere-zeek/008-zeek-mixed/data", "flow-forest"),
    ("nsl-kdd", "nsl-kdd/KDDTrain+_20Percent.txt.gz", "table-forest"),
)
LABELLED = 10  # of the first rows, malicious and benign in turn
KINDS = ("events", "features", "scores", "explanations")
# Which run, on what day and under which number says nothing of the data.
NOT_COMPARED = {"run_id", "scored_at", "ingested_at", "created_at", "client_id", "model_version", "label_id", "at"}


def main() -> None:
    """Run both and write what differs."""
    before = sys.argv[1] if len(sys.argv) > 1 else "HEAD~1"
    figures: list[Figure] = []
    with ScratchFolder("unchanged") as folder:
        trees = {"before": Path(folder) / "before", "now": Path(folder) / "now"}
        for name, revision in (("before", before), ("now", "HEAD")):
            _git("worktree", "add", "--quiet", "--detach", str(trees[name]), revision)
        try:
            for dataset, files, model in CASES:
                labs = {name: Path(folder) / f"{name}-{dataset}" for name in trees}
                queues = {name: run_line(trees[name], labs[name], dataset, files, model) for name in trees}
                figures += compared(dataset, labs["before"], labs["now"], queues["before"], queues["now"])
        finally:
            for tree in trees.values():
                _git("worktree", "remove", "--force", str(tree))
    path = write_results(
        "results-unchanged",
        "The same line at two revisions",
        f"Ingest, features, fit, score, queue and {LABELLED} labels, at `{_git('rev-parse', '--short', before)}` and at "
        f"`{_git('rev-parse', '--short', 'HEAD')}`, on the same logs, with the same packages.",
        figures,
        notes=[
            "columns that differ: of those that both have, by any value of any row; rows are compared in stored order.",
            f"Not compared: {', '.join(sorted(NOT_COMPARED))}.",
        ],
    )
    sys.stdout.write(path.read_text(encoding="utf-8"))


def run_line(tree: Path, lab: Path, dataset: str, files: str | None, model: str) -> list[list[str]]:
    """Run the line of a tree in a new project; return the queue before and after the labels."""
    socml(tree, lab.parent, "init", lab)
    if files is None:
        socml(tree, lab, "simulate", lab / "logs")
    source = lab / "logs" if files is None else SHARED / files
    socml(tree, lab, "ingest", source, "--dataset", dataset)
    socml(tree, lab, "fit", model, dataset, "--promote")
    socml(tree, lab, "score", model, dataset)
    first = queue(tree, lab)
    for at, row_id in enumerate(first[:LABELLED]):
        socml(tree, lab, "label", row_id, ("malicious", "benign")[at % 2], "--by", "tester")
    return [first, queue(tree, lab)]


def queue(tree: Path, lab: Path) -> list[str]:
    """Return the row ids of the queue."""
    return [str(row["row_id"]) for row in json.loads(socml(tree, lab, "queue", "-n", "50", "--json"))]


def compared(
    dataset: str, before: Path, now: Path, queues_before: list[list[str]], queues_now: list[list[str]]
) -> list[Figure]:
    """Return a figure for each kind of table, and for both queues."""
    versions = versions_of("socml", "scikit-learn", "duckdb", "pyarrow")
    figures = []
    for kind in KINDS:
        old, new = table_of(before, kind), table_of(now, kind)
        if old is None or new is None:
            continue
        both = [name for name in new.column_names if name in old.column_names and name not in NOT_COMPARED]
        differ = [name for name in both if not old[name].combine_chunks().equals(new[name].combine_chunks())]
        for measure, value in (
            ("rows", new.num_rows),
            ("columns that differ", len(differ)),
            ("columns that are new or gone", len(set(old.column_names) ^ set(new.column_names))),
        ):
            figures.append(Figure(dataset, f"{kind}: {measure}", value, n=len(both), versions=versions))
        if differ:
            sys.stderr.write(f"{dataset} {kind}: {', '.join(differ)}\n")
    for name, old_queue, new_queue in zip(("first", "learnt"), queues_before, queues_now, strict=True):
        moved = sum(a != b for a, b in zip(old_queue, new_queue, strict=False)) + abs(len(old_queue) - len(new_queue))
        figures.append(Figure(dataset, f"{name} queue: places that differ", moved, n=len(new_queue), versions=versions))
    return figures


def table_of(lab: Path, kind: str) -> pa.Table | None:
    """Return all rows of a kind of table of a project, in the order of their files' names."""
    parts = [pq.read_table(path, partitioning=None) for path in tables(lab / "workspace", kind)]
    return pa.concat_tables(parts, promote_options="permissive") if parts else None


def tables(workspace: Path, kind: str) -> Iterator[Path]:
    """Yield the Parquet files of a kind: those in its folder, or of its name in a run's."""
    folder = workspace / kind
    yield from sorted(folder.rglob("*.parquet")) if folder.is_dir() else sorted(workspace.rglob(f"{kind}.parquet"))


def socml(tree: Path, cwd: Path, *words: object) -> str:
    """Run a command of a tree and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "socml", *map(str, words)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(ROOT), *words], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
