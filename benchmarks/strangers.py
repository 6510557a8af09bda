"""The wheel, an empty environment and what a stranger types → docs/results/strangers: three runs, each command with its time.

Run it with `make results-strangers`. The wheel is built from this checkout; packages come from the index that pip has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import RESULTS, Figure, versions_of, write_results
from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
SHOWN = 12  # lines of what a command said

CSV = """import csv, random

random.seed(4)
with open("orders.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["order", "amount", "items", "country"])
    for number in range(2000):
        writer.writerow([number, round(random.lognormvariate(3, 0.4), 2), random.randint(1, 6), random.choice("FR DE IT".split())])
    writer.writerow([2000, 9.99, 340, "FR"])
"""
FIND = """import pandas as pd
import socml

orders = pd.read_csv("orders.csv").set_index("order")
review = socml.Review(orders)
print(review.queue(3)[["row_id", "reason"]].to_string(index=False))
print(review.explain(review.queue(1).index[0]).attrs["headline"])
"""
OWN = """import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["FarOut"]


class FarOut(BaseEstimator):
    \"\"\"Score a row by its distance from the middle, in units of the spread. Blind to odd combinations.\"\"\"

    def fit(self, X, y=None):
        X = np.asarray(X, dtype=float)
        self.n_features_in_ = X.shape[1]
        self.middle_, self.spread_ = np.median(X, axis=0), X.std(axis=0) + 1e-9
        return self

    def score_samples(self, X):
        return -np.sqrt((((np.asarray(X, dtype=float) - self.middle_) / self.spread_) ** 2).sum(axis=1))
"""
MODEL = (
    'detector = "far-out"\nfeatures = "source-5min"\nabout = "My own. Blind to odd combinations of ordinary values."\n'
)
TEACH = """import pandas as pd
import socml
from socml.evaluate import measure
from socml.features import load_row_truth

features = socml.build_features("source-5min", "demo")
truth = load_row_truth("demo", "source-5min").reindex(features.index)["malicious"].astype("boolean").fillna(False).astype(bool)
middle = features["time"].min().floor("1D") + pd.Timedelta(days=2)
today, tomorrow = features["time"] < middle, features["time"] >= middle
review = socml.Review(features[today], truth=truth[today])
for answers in (0, 20, 40):
    if answers:
        review.answer(20)
    ranked = review.rank(features[tomorrow])
    found = measure("average_precision", -ranked.to_numpy(), truth[tomorrow].to_numpy(float))
    print(f"after {answers} answers today, average precision of tomorrow's list: {found:.3f}")
"""


@dataclass(frozen=True)
class Typed:
    """One command, how long it took on the clock, and the end of what it said."""

    command: str
    seconds: float
    said: str


def main() -> None:
    """Build, install, type, and write down."""
    with ScratchFolder("stranger") as folder:
        place = Path(folder)
        installed = _installed(place, _wheel(place))
        runs = {
            "From the wheel to an odd row in a CSV that is no log": [*installed, *_csv(place / "a")],
            "A detector of one's own, validated beside a shipped one": _own(place / "b"),
            "Labels in Python that move tomorrow's list": _teach(place / "c"),
        }
    figures = [
        Figure(title, typed.command.splitlines()[0], typed.seconds, "s", versions=versions_of("socml"))
        for title, commands in runs.items()
        for typed in commands
    ]
    load = os.getloadavg()[0]
    path = write_results(
        "results-strangers",
        "Three strangers",
        "An empty environment and the wheel, installed once for all three. Times are on the clock, what a person waits.",
        figures,
        notes=[
            f"Measured on {os.cpu_count()} processors at a load of {load:.0f}: an idle machine waits less. downloads were cached."
        ],
    )
    lines = [path.read_text(encoding="utf-8").rstrip(), ""]
    for title, commands in runs.items():
        lines += [f"## {title}", ""]
        for typed in commands:
            lines += [f"{typed.seconds:.1f} s:", "", "```", f"$ {typed.command}", typed.said, "```", ""]
    (RESULTS / "results-strangers.md").write_text("\n".join(lines), encoding="utf-8")


def _wheel(place: Path) -> Path:
    source = place / "source"
    kept = shutil.ignore_patterns(".venv", "workspace", ".git", "build", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, source, ignore=kept)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "dist"), "."]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    shutil.rmtree(source)
    return next((place / "dist").glob("*.whl"))


def _csv(lab: Path) -> list[Typed]:
    lab.mkdir()
    (lab / "make_orders.py").write_text(CSV, encoding="utf-8")
    (lab / "find.py").write_text(FIND, encoding="utf-8")
    return [_type("python make_orders.py", lab), _type("python find.py", lab)]


def _own(lab: Path) -> list[Typed]:
    lab.mkdir()
    typed = [_type("socml init lab", lab)]
    project = lab / "lab"
    typed += [
        _type("socml simulate logs --days 2", project),
        _type("socml ingest logs --dataset demo --final", project),
    ]
    typed.append(_type("socml new detector far-out", project))
    (project / "detectors" / "far_out.py").write_text(OWN, encoding="utf-8")
    (project / "models" / "far-out-model.toml").write_text(MODEL, encoding="utf-8")
    typed += [
        _type("socml check far-out", project),
        _type("socml validate far-out-model demo --mode by-day", project),
        _type("socml validate source-forest demo --mode by-day", project),
    ]
    return typed


def _teach(lab: Path) -> list[Typed]:
    lab.mkdir()
    typed = [_type("socml init lab", lab)]
    project = lab / "lab"
    (project / "teach.py").write_text(TEACH, encoding="utf-8")
    return [
        *typed,
        _type("socml simulate logs", project),
        _type("socml ingest logs --dataset demo --final", project),
        _type("python teach.py", project),
    ]


def _installed(place: Path, wheel: Path) -> list[Typed]:
    typed = [_type("python3 -m venv env", place)]
    shutil.copy(wheel, place)
    return [*typed, _type(f"uv pip install -q --python env {wheel.name}", place)]


def _type(command: str, folder: Path) -> Typed:
    """Run one command as a person would, and return its time and the end of what it said; an error ends all."""
    home = next((one for one in (folder, *folder.parents) if (one / "env").is_dir()), folder)
    uv = Path(sys.executable).parent
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOCML", "MLFLOW", "PYTHON", "VIRTUAL", "COV"))}
    environment = {**kept, "PATH": f"{home / 'env' / 'bin'}:/usr/bin:/bin:{uv}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    start = time.perf_counter()
    done = subprocess.run(command.split(), cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    lines = [line[:160] for line in done.stdout.strip().splitlines()]
    print(f"{seconds:6.1f} s  {command}", flush=True)
    more = [f"… {len(lines) - SHOWN} more lines"] if len(lines) > SHOWN else []
    return Typed(command, seconds, "\n".join([*lines[:SHOWN], *more]).replace(str(folder), "."))


if __name__ == "__main__":
    main()
