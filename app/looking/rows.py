"""A run and its labels → the rows that are looked at: all that are labelled, the most anomalous, and some by lot."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from socml.explanations import feature_columns, run_metadata
from socml.labels import LabelStore
from socml.project import Project, Run, TableMetadata, run_features_path
from socml.review import LiveRanking

AT_MOST = 20_000  # rows that are looked at; a picture of more says no more
MOST_ANOMALOUS = 1_000


@dataclass(frozen=True)
class LookedAt:
    """Rows of a run.

    Attributes
    ----------
    features : the features, index row_id; `attrs` says what they mean
    about : entity, time, anomaly_score, percentile and rank, index row_id
    verdicts : of those that have one, index row_id
    of : rows of the run, of which these are
    """

    features: pd.DataFrame = field(repr=False)
    about: pd.DataFrame = field(repr=False)
    verdicts: pd.Series = field(repr=False)
    metadata: TableMetadata = field(repr=False)
    of: int


def looked_at(project: Project, run: Run, ranking: LiveRanking, store: LabelStore) -> LookedAt | None:
    """Return the rows of a run that are looked at; None if its feature table is not there any more."""
    path = run_features_path(project, run)
    if not path.is_file():
        return None
    current = store.current(dataset=str(run["dataset"]))
    with ranking.lock:
        labelled = ranking.state.rows_of(current.index.tolist())
        labelled = labelled[labelled >= 0]
        n = len(ranking.state.ids)
        rows = _chosen(n, labelled.tolist())
        names = ranking.state.ids.names(rows)
        about = ranking.state.about(rows).set_axis(pd.Index(names, name="row_id"))
    metadata = run_metadata(run, project)
    features = _features(str(path), path.stat().st_mtime_ns, tuple(names))
    known = [name for name in metadata.get("features", features.columns) if name in features.columns]
    verdicts = current["verdict"].reindex(names).dropna()
    return LookedAt(features[known], about, verdicts, metadata, n)


def _chosen(n: int, labelled: list[int]) -> np.ndarray:
    if n <= AT_MOST:
        return np.arange(n)
    top = np.arange(MOST_ANOMALOUS)
    lots = np.random.default_rng(0).choice(n, AT_MOST - MOST_ANOMALOUS, replace=False)
    return np.unique(np.concatenate([top, lots, np.array(labelled, dtype=np.intp)]))


@st.cache_data(show_spinner=False, max_entries=4)
def _features(path: str, written_ns: int, names: tuple[str, ...]) -> pd.DataFrame:
    from pathlib import Path

    columns = feature_columns(Path(path))
    return columns.take(columns.positions(names))
