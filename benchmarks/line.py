"""Real logs and the demo → the whole line, typed as a person would → docs/results/results-line.

Run it with `make results-line`. It reads the datasets beside the checkout (`SOCML_SHARED` names another place).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import Figure, versions_of, write_results
from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SOCML_SHARED", ROOT.parent / "shared")) / "datasets"

# dataset recipe, its files, the model and the dumb baseline on the same feature set
CASES = (
    ("demo", None, "source-forest", "source-baseline"),
    ("demo", None, "flow-forest", "flow-baseline"),
    ("stratosphere-008", "stratosphere-zeek/008-zeek-mixed/data", "flow-forest", "flow-baseline"),
    ("stratosphere-008", "stratosphere-zeek/008-zeek-mixed/data", "source-forest", "source-baseline"),
    ("stratosphere-010", "stratosphere-zeek/010-zeek-mixed/data", "flow-forest", "flow-baseline"),
    ("stratosphere-010", "stratosphere-zeek/010-zeek-mixed/data", "source-forest", "source-baseline"),
    ("suricata-eve", "suricata-eve", "flow-forest", None),
    ("elastic-auth", "auth-logs/elastic_auth.log.gz", "auth-forest", None),
    ("nsl-kdd", "nsl-kdd/KDDTrain+_20Percent.txt.gz", "table-forest", "table-baseline"),
    ("unsw-nb15-raw", "unsw-nb15/raw_headerless_bom_3400.csv.gz", "table-forest", "table-baseline"),
    ("cic-ids2017", "cic-ids2017/cic2017_mix_dev.csv.gz", "table-forest", "table-baseline"),
)
MEASURES = ("average_precision", "auroc", "precision_at_100")
REPLAYED = {("demo", "source-forest"), ("stratosphere-008", "source-forest"), ("stratosphere-008", "flow-forest")}
SEEDS = 3


def main() -> None:
    """Run every case in a new project and write what came out."""
    versions = versions_of("socml", "scikit-learn", "duckdb", "pyarrow")
    figures: list[Figure] = []
    with ScratchFolder("line") as folder:
        lab = Path(folder) / "lab"
        socml("init", lab, cwd=folder)
        done: dict[str, Any] = {}
        for dataset, files, model, baseline in CASES:
            if dataset not in done:
                done[dataset] = ingest(dataset, files, lab)
                figures += ingest_figures(dataset, done[dataset], versions)
            figures += case_figures(dataset, model, baseline, lab, versions)
            path = write(figures)  # after each case: a run that is stopped keeps what it measured
    sys.stdout.write(path.read_text(encoding="utf-8"))


def write(figures: list[Figure]) -> Path:
    """Write the table of what was measured so far."""
    return write_results(
        "results-line",
        "The whole line on real files",
        "`socml ingest`, `features`, `fit`, `score`, `queue` and `replay` on the built-in demo and on real files. "
        "The peer is `robust-z`, the dumb baseline, on the same rows. Judge by average precision and precision at a "
        "budget, beside the anomaly rate: AUROC flatters where anomalies are rare, and where most rows are attacks "
        "an unsupervised score ranks the minority, here the benign rows, first.",
        figures,
        notes=[
            "anomaly rate: share of the rows with known truth that are malicious; random order has it as average precision.",
            f"found in the next 20 rows: after 20 labels by an oracle, mean of {SEEDS} seeds of the query strategy; "
            "its peer is the same ranking without labels.",
            "found by labels 21 to 40: the same replay going on, each label re-ranking the queue before the next.",
        ],
    )


def ingest(dataset: str, files: str | None, lab: Path) -> dict[str, Any]:
    """Ingest a dataset and return what `socml ingest --json` says."""
    if files is not None:
        return dict(json.loads(socml("ingest", SHARED / files, "--dataset", dataset, "--json", cwd=lab)))
    socml("simulate", lab / "logs", cwd=lab)
    return dict(json.loads(socml("ingest", lab / "logs", "--dataset", dataset, "--json", cwd=lab)))


def ingest_figures(dataset: str, summary: dict[str, Any], versions: dict[str, str]) -> list[Figure]:
    """Return how many records became events, and how many did not."""
    names = {"added": "events", "quarantined": "quarantined", "duplicates": "duplicates"}
    return [
        Figure(dataset, f"records: {name}", summary[key], "records", n=summary["records"], versions=versions)
        for key, name in names.items()
    ]


def case_figures(dataset: str, model: str, baseline: str | None, lab: Path, versions: dict[str, str]) -> list[Figure]:
    """Fit, score and queue one model; return its figures beside the baseline's."""
    scored = fit_and_score(model, dataset, lab)
    peer = fit_and_score(baseline, dataset, lab).get("metrics", {}) if baseline else {}
    case, rows = f"{dataset} · {model}", scored["rows"]
    queue = json.loads(socml("queue", "--run", scored["run_id"], "-n", "20", "--json", cwd=lab))
    figures = [
        Figure(case, "rows scored", rows, "rows", n=rows, versions=versions),
        Figure(case, "rows in the first queue", len(queue), "rows", n=rows, versions=versions),
    ]
    metrics = scored.get("metrics", {})
    if "anomaly_rate" in metrics:
        figures.append(Figure(case, "anomaly rate", metrics["anomaly_rate"], "share", n=rows, versions=versions))
    for measure in MEASURES:
        if measure in metrics:
            figures.append(beside(case, measure.replace("_", " "), metrics[measure], peer.get(measure), rows, versions))
    if (dataset, model) in REPLAYED:
        figures.extend(replay_figures(case, scored["run_id"], rows, lab, versions))
    return figures


def fit_and_score(model: str, dataset: str, lab: Path) -> dict[str, Any]:
    """Fit a model on a dataset, make it the champion, score with it; return what `socml score --json` says."""
    socml("fit", model, dataset, "--promote", "--json", cwd=lab)
    return dict(json.loads(socml("score", model, dataset, "--json", cwd=lab)))


def replay_figures(case: str, run_id: str, rows: int, lab: Path, versions: dict[str, str]) -> list[Figure]:
    """Return what 20 oracle labels are worth for the next 20 rows, and what the next 20 labels then find."""
    result = json.loads(socml("replay", "--run", run_id, "--budget", "40", "--seeds", str(SEEDS), "--json", cwd=lab))
    curves = [r["curve"] for r in result]
    measured = {
        "found in the next 20 rows": ([c[20]["ahead"] for c in curves], [c[20]["ahead_without"] for c in curves]),
        "found by labels 21 to 40": (
            [c[40]["found"] - c[20]["found"] for c in curves],
            [c[40]["found_without"] - c[20]["found_without"] for c in curves],
        ),
    }
    figures = []
    for measure, (with_labels, without) in measured.items():
        learnt, static = sum(with_labels) / SEEDS, sum(without) / SEEDS
        ratio = learnt / static if static else None
        figures.append(Figure(case, measure, learnt, "malicious rows", "without labels", static, ratio, rows, versions))
    return figures


def beside(case: str, measure: str, value: float, peer: float | None, rows: int, versions: dict[str, str]) -> Figure:
    """Return a metric with the baseline's beside it, where there is one."""
    if peer is None:
        return Figure(case, measure, value, n=rows, versions=versions)
    return Figure(case, measure, value, "", "robust-z", peer, value / peer if peer else None, rows, versions)


def socml(*arguments: object, cwd: Path | str) -> str:
    """Type a command in the project; return what it wrote to standard output."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOCML_", "MLFLOW_"))}
    command = [sys.executable, "-m", "socml", *map(str, arguments)]
    sys.stderr.write("socml " + " ".join(map(str, arguments)) + "\n")
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
