"""A simulation → the streams that online detectors are compared on, with what is true of them, and what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from socml.evaluate import number_of

EVENTS = 1_000_000
SIMULATION = {"days": 5, "hosts": 330, "seed": 7}
EVERY = 20  # flows of which the thinned stream has one
BUDGET, SOURCES = 100, 20  # rows, and sources, that someone looks at in a day
ROWS_FOUND, SOURCES_FOUND = f"attacks in {BUDGET} rows a day", f"attacks in {SOURCES} sources a day"
STREAMS = ("flows", f"every {EVERY}th flow", "windows of 5 minutes")
FLOWS, THINNED, WINDOWS = STREAMS


def prepare(lab: Path) -> None:
    """Simulate, ingest, build both feature tables, and keep the streams of the first million flows."""
    from socml.features import build_feature_file
    from socml.ingestion import ingest
    from socml.project import Project, starter_root
    from socml.simulator import simulate

    project = Project(root=starter_root(), workspace=lab / "workspace")
    logs = simulate(lab / "raw", **SIMULATION)  # type: ignore[arg-type]
    flows = [path for path in logs.files if path.name.startswith("conn.")]
    (lab / "flows").mkdir()
    for path in [*flows, logs.truth]:
        path.rename(lab / "flows" / path.name)
    ingest([lab / "flows"], dataset="demo", project=project)
    table = pd.read_parquet(build_feature_file("flow", "demo", project=project))[:EVENTS]
    if len(table) < EVENTS:
        raise SystemExit(f"The simulation gave {len(table):,} flows, not {EVENTS:,}.")
    windows = pd.read_parquet(build_feature_file("source-5min", "demo", project=project))
    windows = windows[windows["time"] <= table["time"].iloc[-1]]
    keep(lab, FLOWS, table, project)
    keep(lab, THINNED, table[::EVERY], project)
    keep(lab, WINDOWS, windows, project)


def keep(lab: Path, stream: str, table: pd.DataFrame, project: Any) -> None:
    """Write the rows that a detector reads, and what is true of each: its source, its day, and its attack."""
    from socml.detectors import OnlineColumns
    from socml.features import load_row_truth
    from socml.project import features_path, read_metadata

    feature_set = "source-5min" if stream == WINDOWS else "flow"
    features = read_metadata(features_path(project, "demo", feature_set))["features"]
    np.save(lab / f"{stream}.npy", OnlineColumns(features).read(table))
    truth = load_row_truth("demo", feature_set, project=project).reindex(table["row_id"])
    known = pd.DataFrame({"entity": table["entity"].astype(str), "day": table["time"].dt.floor("D")})
    known["malicious"] = truth["malicious"].astype("boolean").fillna(False).to_numpy(bool)
    known["family"] = truth["family"].to_numpy()
    known["family"] = known["family"].where(known["malicious"], None)
    known.to_parquet(lab / f"{stream}.parquet")


def load(lab: Path, stream: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the rows of a stream, and what is true of them."""
    return np.load(lab / f"{stream}.npy"), pd.read_parquet(lab / f"{stream}.parquet")


def attacks_of(known: pd.DataFrame) -> pd.DataFrame:
    """Return the attacks of a stream: a family on a day each."""
    return known[known["malicious"]][["day", "family"]].drop_duplicates()


def found(normality: np.ndarray, known: pd.DataFrame) -> dict[str, float]:
    """Return which share of the attacks shows among the day's least normal rows and sources; and average precision."""
    from socml.evaluate import ranking_metrics

    rows = known.assign(normality=normality).sort_values("normality", kind="stable")
    by_row = attacks_of(rows.groupby("day").head(BUDGET))
    sources = rows.drop_duplicates(["day", "entity"]).groupby("day").head(SOURCES)[["day", "entity"]]
    bad = known[known["malicious"]][["day", "entity", "family"]].drop_duplicates()
    by_source = attacks_of(bad.merge(sources, on=["day", "entity"]).assign(malicious=True))
    attacks = len(attacks_of(known))
    precision = number_of(ranking_metrics(normality, known["malicious"].to_numpy(float)), "average_precision")
    return {
        ROWS_FOUND: len(by_row) / attacks,
        SOURCES_FOUND: len(by_source) / attacks,
        "average precision": precision,
    }
