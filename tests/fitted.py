"""A temporary folder → a project with a feature table of planted outliers, in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from socml.project.project import Project
from socml.project.recipes import ModelRecipe
from socml.project.stored import write_table
from socml.project.workspace import features_path

HOSTILE = "<img src=x onerror=alert(1)>\u202e"
METADATA = {
    "feature_set": "source-5min",
    "recipe_hash": "0123456789abcdef",
    "events_snapshot": "fedcba9876543210",
    "dataset": "planted",
    "entity": ["source_ip"],
    "window_seconds": 300,
    "features": ["destinations", "bytes_sent", "longest_s", "failed_share", "protocol", "sensor"],
    "columns": {
        "destinations": "different destination addresses",
        "bytes_sent": "bytes sent",
        "longest_s": "longest connection, in seconds",
        "failed_share": "share of connections that failed, 0 to 1",
        "protocol": "most frequent protocol",
        "sensor": "sensor",
    },
    "columns_fr": {
        "destinations": "adresses de destination différentes",
        "bytes_sent": "octets envoyés",
        "longest_s": "connexion la plus longue, en secondes",
        "failed_share": "part des connexions échouées, de 0 à 1",
        "protocol": "protocole le plus fréquent",
        "sensor": "capteur",
    },
    "fill": {"longest_s": -1.0},
}
FOREST = ModelRecipe(
    name="planted-forest",
    detector="isolation-forest",
    features="source-5min",
    parameters={"n_estimators": 60},
    hash="f",
)
BASELINE = ModelRecipe(name="planted-baseline", detector="robust-z", features="source-5min", hash="b")
ESTIMATED = ModelRecipe(name="estimated", detector="local-outlier", features="source-5min", hash="l")


@dataclass(frozen=True)
class Planted:
    """A feature table, its file, and which rows are outliers."""

    project: Project
    features: pd.DataFrame
    path: Path
    truth: pd.Series


def planted_features(rows: int = 1200, seed: int = 3) -> tuple[pd.DataFrame, pd.Series]:
    """Return a feature table of 20 hosts with six outliers, the first of them hostile text, and the truth."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01", periods=rows, freq="5min", tz="UTC"),
            "entity": [f"10.0.0.{i % 20}" for i in range(rows)],
            "source_ip": [f"10.0.0.{i % 20}" for i in range(rows)],
            "destinations": rng.poisson(8, rows).astype(float),
            "bytes_sent": np.exp(rng.normal(9, 1.5, rows)).round(),
            "longest_s": np.where(rng.random(rows) < 0.1, -1.0, rng.exponential(20, rows).round(3)),
            "failed_share": np.where(rng.random(rows) < 0.05, np.nan, rng.beta(1, 9, rows)),
            "protocol": rng.choice(["tcp", "udp", "icmp"], rows, p=[0.7, 0.28, 0.02]),
            "sensor": "east",
        },
        index=pd.Index([f"{i:032x}" for i in range(rows)], name="row_id"),
    )
    odd = frame.index[100:106]
    frame.loc[odd, "destinations"] = 1204.0
    frame.loc[odd, "failed_share"] = 0.98
    frame.loc[odd, "bytes_sent"] = 4.2e9
    frame["protocol"] = frame["protocol"].astype(object)
    frame.loc[odd[0], "protocol"] = HOSTILE
    frame.attrs["socml"] = METADATA
    return frame, pd.Series(frame.index.isin(odd), index=frame.index, name="malicious")


def planted(root: Path) -> Planted:
    """Write the feature table into a project under `root`."""
    project = Project(root=root, workspace=root / "workspace")
    frame, truth = planted_features()
    path = features_path(project, "planted", "source-5min")
    table = pa.Table.from_pandas(frame.reset_index(), preserve_index=False)
    write_table(path, table.replace_schema_metadata(None), METADATA)
    return Planted(project, frame, path, truth)


@dataclass(frozen=True)
class EstimatedAndExact:
    """Two models of one feature table, by name: the version and its scoring run."""

    project: Project
    features: pd.DataFrame
    made: dict[str, tuple[Any, dict[str, Any]]]


def estimated_and_exact(root: Path) -> EstimatedAndExact:
    """Write two runs into a project under `root`: `estimated` is explained by drawn orders, `planted-forest` exactly."""
    from socml.models.fitting import fit
    from socml.models.scoring import score_run

    data = planted(root)
    # more features than the coalitions that the budget holds
    noise = {f"noise_{i}": np.random.default_rng(i).normal(size=len(data.features)) for i in range(12)}
    wide = data.features.assign(**noise)
    wide.attrs["socml"] = about = {**METADATA, "features": [*METADATA["features"], *noise]}
    table = pa.Table.from_pandas(wide.reset_index(), preserve_index=False)
    write_table(data.path, table.replace_schema_metadata(None), about)
    made = {}
    for model in (ESTIMATED, FOREST):
        version = fit(model, wide, project=data.project)
        made[model.name] = version, score_run(version, data.path, project=data.project)
    return EstimatedAndExact(data.project, wide, made)


def score_in_blocks(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let runs score and write so many rows at a time."""
    for module in ("scoring", "scored_blocks"):
        monkeypatch.setattr(f"socml.models.{module}.BLOCK", rows)
