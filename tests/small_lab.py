"""A folder → a project that went down the whole line once, small enough to be copied for each fault."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from socml.project.project import Project, read_project

DATASET, FEATURES, MODEL = "office", "source-hour", "source-odd"
ROWS = 600
RECIPES = {
    f"features/{FEATURES}.sql": """\
-- entity = "source_ip"
-- window = "1 hour"
-- blind_to = "everything but volume"
-- [columns]
-- flows = "flows of the source in the hour"
-- bytes_sent = "bytes sent by the source in the hour"
select source_ip, window_start, count(*) as flows, sum(coalesce(source_bytes, 0)) as bytes_sent
from events group by all
""",
    f"models/{MODEL}.toml": f'detector = "isolation-forest"\nfeatures = "{FEATURES}"\n[parameters]\nn_estimators = 10\n',
    "experiments/first.toml": f'question = "What is odd?"\ndataset = "{DATASET}"\nmodel = "{MODEL}"\n',
    f"datasets/{DATASET}.toml": 'about = "Flows of a small office."\n',
}


@dataclass(frozen=True)
class Said:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str


def socml(project: Project, *arguments: str | Path) -> Said:
    """Run one command line in a project, in this process."""
    return run_in(project.root, *arguments)


def run_in(folder: Path, *arguments: str | Path) -> Said:
    """Run one command line as `python -m socml` does in a folder, in this process: its imports are paid for once."""
    from socml.cli import main

    out, err, code = StringIO(), StringIO(), 0
    here = Path.cwd()
    import pandas as _  # noqa: F401  the command line keeps it from being imported where it is not there yet

    with ExitStack() as stack:
        stack.enter_context(patch.object(sys, "argv", ["socml", *map(str, arguments)]))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        stack.callback(os.chdir, here)
        os.chdir(folder)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Said(code, out.getvalue(), err.getvalue())


def flows(path: Path, rows: int = ROWS) -> Path:
    """Write a Zeek log of connections in which one host sends a lot."""
    lines = ["#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes"]
    for number in range(rows):
        sent = 5_000_000 if number % 97 == 0 else 100 + number % 50
        moment = 1_760_000_000 + 60 * number
        lines.append(f"{moment}.0\tC{number}\t192.0.2.{number % 9 + 1}\t50000\t198.51.100.1\t443\ttcp\t{sent}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_lab(root: Path) -> Project:
    """Ingest, build, fit, score, explain and label once."""
    for name, text in RECIPES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "socml.toml").write_text('workspace = "workspace"\n', encoding="utf-8")
    project = read_project(root)
    flows(root / "conn.log")
    for command in (
        ("ingest", "conn.log", "--dataset", DATASET),
        ("features", FEATURES, DATASET),
        ("fit", MODEL, DATASET),
        ("score", MODEL, DATASET, "--top", "20"),
    ):
        said = socml(project, *command)
        assert said.code == 0, said
    said = socml(project, "label", first_row(project), "benign", "--by", "ana")
    assert said.code == 0, said
    return project


def copy_lab(project: Project, root: Path) -> Project:
    """Copy a lab, so that a test can damage it. The registry's addresses of files are rewritten to the copy."""
    import sqlite3
    from contextlib import closing

    shutil.copytree(project.root, root)
    with closing(sqlite3.connect(root / "workspace" / "mlflow" / "mlflow.db")) as registry, registry:
        for table, column in (
            ("runs", "artifact_uri"),
            ("experiments", "artifact_location"),
            ("model_versions", "source"),
        ):
            registry.execute(
                f"update {table} set {column} = replace({column}, ?, ?)",
                (str(project.root), str(root)),
            )
    return read_project(root)


def first_row(project: Project) -> str:
    """Return the id of the most unusual row."""
    from socml.models.scoring import load_scores

    return str(load_scores(project=project)["rank"].idxmin())
