"""A model version and a feature file → how normal each row is, by Spark: the model is broadcast, rows come as Arrow batches.

The machines of the cluster need the same socml installed. Scores are those of this machine, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from socml.project import DataError, Project, quoted, spark_connection

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pyspark import Broadcast

    from socml.models.version import ModelVersion

ScoreBlock = Callable[["ModelVersion", "pd.DataFrame"], tuple["NDArray[np.float64]", "NDArray[np.integer]"]]
_SCHEMA = "row_id string, time timestamp, normality double, leaves binary"


def spark_scores(
    version: ModelVersion, features_path: Path, reads: Sequence[str], score: ScoreBlock, *, project: Project
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.integer]]]:
    """Yield the normality (n,) and the leaves (n_trees, n) of blocks of a feature file's rows, in the file's order.

    Parameters
    ----------
    reads : columns that the model reads
    score : says both of a block of rows; it runs on the cluster

    Raises
    ------
    DataError
        If Spark does not give the rows of the file: another one lies there on the cluster.
    """
    import pyarrow.parquet as pq

    where = str(features_path)
    expected = pq.read_table(features_path, columns=["row_id"])["row_id"]
    kind = version.forest.leaves(version.preparation.blank()).dtype
    with spark_connection(project.master, memory_limit=project.memory_limit) as connection:
        connection.read_parquet("features", [features_path])
        named = ", ".join(map(quoted, dict.fromkeys(["row_id", "time", *reads])))
        rows = connection.select(f"select {named} from features", where=where)  # noqa: S608
        shared = connection.broadcast(version)
        scored = rows.mapInArrow(partial(_scored_batches, shared, tuple(reads), score), _SCHEMA)
        in_order = scored.orderBy(scored["time"].asc_nulls_last(), "row_id")
        at = 0
        for batch in connection.batches(in_order, where=where):
            if batch.column("row_id").to_pylist() != expected.slice(at, len(batch)).to_pylist():
                raise DataError(f"{where}: Spark gives other rows than this file has. Build it again: socml features")
            at += len(batch)
            leaves = np.frombuffer(b"".join(batch.column("leaves").to_pylist()), dtype=kind)
            yield batch.column("normality").to_numpy(), leaves.reshape(len(batch), -1).T
        if at != len(expected):
            raise DataError(f"{where}: Spark gives {at:,} rows of {len(expected):,}. Build it again: socml features")


def _scored_batches(
    shared: Broadcast[ModelVersion], reads: Sequence[str], score: ScoreBlock, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not len(batch):
            continue
        normality, leaves = score(shared.value, batch.select(list(reads)).to_pandas())
        by_row = np.ascontiguousarray(leaves.T)
        yield pa.RecordBatch.from_arrays(
            [
                batch.column("row_id"),
                batch.column("time"),
                pa.array(normality),
                pa.array([row.tobytes() for row in by_row], pa.binary()),
            ],
            names=["row_id", "time", "normality", "leaves"],
        )
