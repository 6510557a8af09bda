"""Whole processes → what starting costs, and what scoring ten million rows of Parquet costs from file to file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import most_memory
from benchmarks.results import Figure, versions_of
from benchmarks.speed_tables import COLUMNS, make_table
from socml.project import ScratchFolder

ROWS, PART, TREES = 10_000_000, 500_000, 100
BATCH = 65_536
RUNS = 3

START = """
import time, numba, numpy as np, sklearn.ensemble
X = np.random.default_rng(0).normal(size=(5000, 8)).astype(np.float32)
t = time.process_time()
from socml.detectors.forest.tables import pack_forest
from socml.detectors.forest.scoring import score_samples, leaf_matrix
from socml.detectors.forest.shapley import tree_shap
forest = pack_forest(sklearn.ensemble.IsolationForest(random_state=0).fit(X))
score_samples(forest, X); leaf_matrix(forest, X); tree_shap(forest, X[:500])
print(time.process_time() - t)
"""


def start_figures() -> list[Figure]:
    """Fit, score, tell leaves and explain for the first time in a process, with nothing compiled and with all."""
    versions = versions_of("numba", "numpy")
    with ScratchFolder("kernels") as folder:
        where = {**os.environ, "NUMBA_CACHE_DIR": folder}
        cold, *warm = (_printed([sys.executable, "-c", START], where) for _ in range(1 + RUNS))
    case = "first fit, score, leaves and explanation in a process (imports of numba and scikit-learn not counted)"
    return [
        Figure(case, "nothing compiled yet", cold, "CPU s", n=1, versions=versions),
        Figure(case, "compiled at install", float(np.median(warm)), "CPU s", n=RUNS, versions=versions),
    ]


def end_to_end_figures() -> list[Figure]:
    """Read, score and write ten million rows, beside reading and writing them only, each in a process of its own."""
    versions = versions_of("pyarrow", "numba", "numpy")
    with ScratchFolder("rows") as folder:
        source = Path(folder) / "rows.parquet"
        _write_source(source, make_table(PART))
        runs: dict[str, list[dict[str, float]]] = {"score": [], "copy": []}
        for _ in range(RUNS):
            for what, done in runs.items():
                command = [sys.executable, "-m", "benchmarks.speed_whole", what, str(source)]
                done.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    ours, bare = ({k: float(np.median([run[k] for run in done])) for k in done[0]} for done in runs.values())
    case, peer = f"{ROWS:,} rows of Parquet, {COLUMNS} columns: read, score, write", "read and write only"
    figures = []
    for kind, words in (("cpu", "rows a CPU second"), ("wall", "rows a second of time")):
        values = ROWS / ours[kind], ROWS / bare[kind]
        figures.append(Figure(case, words, values[0], "rows/s", peer, values[1], values[0] / values[1], ROWS, versions))
    memory = Figure(case, "most memory held", ours["mib"], "MiB", peer, bare["mib"], ours["mib"] / bare["mib"], ROWS)
    return [*figures, memory]


def _write_source(path: Path, table: np.ndarray) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = pa.table({f"f{j}": table[:, j] for j in range(table.shape[1])})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(ROWS // len(table)):
            writer.write_table(part, row_group_size=BATCH)


def _run(what: str, source: Path) -> dict[str, float]:
    """Read the file batch by batch and write one number a row: its score, or only its first column."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from sklearn.ensemble import IsolationForest

    from socml.detectors import pack_forest, score_samples

    forest = pack_forest(IsolationForest(n_estimators=TREES, random_state=0).fit(make_table(20_000, COLUMNS)))
    score_samples(forest, make_table(200, COLUMNS))
    cpu, wall = time.process_time(), time.perf_counter()
    schema = pa.schema([("anomaly_score", pa.float64())])
    block = np.empty((BATCH, COLUMNS), dtype=np.float32)
    # without pre_buffer=False pyarrow keeps every row group that it has read
    with (
        pq.ParquetFile(source, pre_buffer=False) as file,
        pq.ParquetWriter(source.with_suffix(f".{what}"), schema) as writer,
    ):
        for batch in file.iter_batches(BATCH):
            if what == "score":
                rows = block[: len(batch)]
                for j, column in enumerate(batch.columns):
                    rows[:, j] = column.to_numpy()
                values = -score_samples(forest, rows, threads=2)
            else:
                values = batch.column(0).to_numpy().astype(np.float64)
            writer.write_batch(pa.record_batch([pa.array(values)], schema=schema))
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return {**spent, "mib": most_memory()}


def _printed(command: list[str], environment: dict[str, Any]) -> float:
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], Path(sys.argv[2]))))
