"""A temporary folder → a project whose flows have ground truth, with small recipes: for what learns from it or is judged by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from builders import make_project, make_run

from socml.project.project import Project

FEATURES = """-- entity = "source_ip"
-- blind_to = "everything else"
-- [columns]
-- source_bytes = "bytes sent"
-- destination_bytes = "bytes received"
-- duration_s = "duration in seconds"
-- [columns_fr]
-- source_bytes = "octets envoyés"
-- destination_bytes = "octets reçus"
-- duration_s = "durée en secondes"
select event_id, time, source_ip, source_bytes, destination_bytes, duration_s from events
"""
MODELS = {
    "tiny-forest": 'detector = "isolation-forest"\nfeatures = "tiny"\n[parameters]\nn_estimators = 20\n',
    "tiny-baseline": 'detector = "robust-z"\nfeatures = "tiny"\n',
    "tiny-classifier": 'mode = "supervised"\ndetector = "random-forest"\nfeatures = "tiny"\n'
    "[parameters]\nn_estimators = 20\nn_jobs = 1\n"
    "[search]\nmin_rows = 60\n[search.parameters]\nmin_samples_leaf = [1, 4]\n"
    '"preparation.log" = [true, false]\n',
    "tiny-regression": 'mode = "supervised"\ndetector = "logistic-regression"\nfeatures = "tiny"\n',
    "tiny-learner": 'mode = "supervised"\ndetector = "logistic-regression"\nfeatures = "tiny"\n'
    '[training]\nlabels = "analysts"\nmin_rows = 6\nmin_malicious = 2\n',
}


def known_lab(root: Path, *, datasets: tuple[str, ...] = ("built",), rows: int = 600) -> Project:
    """Write a project with datasets of `rows` flows, four in a hundred malicious of two families, and the recipes."""
    project = make_project(root)
    for number, dataset in enumerate(datasets):
        make_run(project, dataset=dataset, rows=rows, seed=number, hostile=False)
    for folder in ("datasets", "features", "models", "experiments"):
        (root / folder).mkdir(exist_ok=True)
    (root / "features" / "tiny.sql").write_text(FEATURES, encoding="utf-8")
    for name, text in MODELS.items():
        (root / "models" / f"{name}.toml").write_text(text, encoding="utf-8")
    return project


def two_kinds(rows: int = 600, *, rate: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix of four columns and which rows are malicious: likelier the larger the first column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4)).astype(np.float32)
    odds = 2.5 * X[:, 0] + np.log(rate / (1 - rate)) - 1.0
    return X, (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
