"""The nsl20-10 pool and an oracle → how fast a supervised forest learns, which families are found, what noise costs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.project import component
from socml.review import build_queue, likely_label_errors, predict_rows

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("SOCML_SHARED", ROOT.parent / "shared")) / "benchmarks" / "nsl20-10"
CHECKPOINTS = (20, 120, 220, 320, 420)
BATCH = 10
CHECK_EVERY = 100  # labels


@dataclass(frozen=True)
class Pool:
    """Rows to label, rows to judge by, and the first twenty labels, as positions in the pool."""

    matrix: NDArray[np.float32]
    malicious: NDArray[np.bool_]
    families: NDArray[np.object_]
    judged: NDArray[np.float32]
    judged_malicious: NDArray[np.bool_]
    first: list[int]


@dataclass(frozen=True)
class Campaign:
    """What one campaign reached at each checkpoint, and its CPU seconds for 100 labels."""

    f1: dict[int, float]
    families: dict[int, int]
    cpu_s: float
    second_looks: int


def load() -> Pool:
    """Read the pool; its features are numbers already."""
    pool, judged = (pd.read_parquet(FOLDER / f"{name}.parquet") for name in ("pool", "val"))
    names = [name for name in pool.columns if name not in ("instance_id", "label", "family")]
    first = pool["instance_id"].isin(pd.read_csv(FOLDER / "initial_labels.csv")["instance_id"])
    return Pool(
        pool[names].to_numpy(np.float32),
        pool["label"].to_numpy() > 0,
        pool["family"].to_numpy(dtype=object),
        judged[names].to_numpy(np.float32),
        judged["label"].to_numpy() > 0,
        np.flatnonzero(first).tolist(),
    )


def campaign(
    pool: Pool, seed: int, *, strategy: str = "rare-families", flipped: float = 0.0, check: bool = False
) -> Campaign:
    """Label from 20 to 420, ten at a time.

    Parameters
    ----------
    flipped : share of the oracle's answers, after the first twenty labels, that are on the wrong side
    check : look for likely label errors every hundred labels and ask the same oracle about them again; each second
        look is a label of the budget, and is flipped as often
    """
    random = np.random.default_rng(1000 + seed)
    detector = component("detectors", "isolation-forest")(n_estimators=100, max_samples=256, random_state=seed)
    candidates = pd.DataFrame({"anomaly_score": -detector.fit(pool.matrix).score_samples(pool.matrix)})
    leaves = detector.leaves(pool.matrix)
    labels = {row: bool(pool.malicious[row]) for row in pool.first}
    labels_given, owed, outside = len(labels), 0, 0.0  # owed: second looks that are still to be paid from the budget
    checked: set[int] = set()
    f1: dict[int, float] = {}
    families: dict[int, int] = {}
    begun = time.process_time()

    def answer(row: int) -> bool:
        return bool(pool.malicious[row]) ^ (random.uniform() < flipped)

    while True:
        rows = np.array(list(labels))
        sides = np.array(list(labels.values()))
        if check and labels_given % CHECK_EVERY == 20 and labels_given > 20:
            wrong = [row for row in _suspects(pool, rows, sides, seed) if row not in checked]
            for row in wrong:
                labels[row] = answer(row)
            checked.update(wrong)
            owed += len(wrong)
            sides = np.array(list(labels.values()))
        named = np.where(sides == pool.malicious[rows], pool.families[rows], np.array(None, dtype=object))
        predictions = predict_rows(pool.matrix, rows, sides, named, leaves=leaves, seed=seed)
        assert predictions is not None
        if labels_given in CHECKPOINTS:
            paused = time.process_time()
            f1[labels_given], families[labels_given] = _judged(pool, rows, sides, named, seed), _found(pool, rows)
            outside += time.process_time() - paused
        if labels_given >= CHECKPOINTS[-1]:
            break
        fresh = max(BATCH - owed, 0)
        owed -= BATCH - fresh
        queue = build_queue(
            candidates,
            pd.DataFrame(index=rows),
            strategy=strategy,
            budget=fresh,
            seed=seed,
            predictions=predictions.set_axis(candidates.index),
        )
        labels |= {int(row): answer(int(row)) for row in queue["row_id"]}
        labels_given += BATCH
    hundreds = (CHECKPOINTS[-1] - CHECKPOINTS[0]) / 100
    return Campaign(f1, families, (time.process_time() - begun - outside) / hundreds, len(checked))


def _suspects(pool: Pool, rows: NDArray[np.int64], sides: NDArray[np.bool_], seed: int) -> list[int]:
    found = likely_label_errors(pool.matrix[rows], sides, row_ids=[str(row) for row in rows], seed=seed)
    return [int(row) for row in found.index[found["is_error"]]]


def _judged(
    pool: Pool, rows: NDArray[np.int64], sides: NDArray[np.bool_], named: NDArray[np.object_], seed: int
) -> float:
    from sklearn.metrics import f1_score

    both = np.vstack([pool.matrix[rows], pool.judged])
    predictions = predict_rows(both, np.arange(len(rows)), sides, named, seed=seed)
    assert predictions is not None
    return float(f1_score(pool.judged_malicious, predictions["probability"][len(rows) :] >= 0.5))


def _found(pool: Pool, rows: NDArray[np.int64]) -> int:
    return len({pool.families[row] for row in rows if pool.malicious[row]})
