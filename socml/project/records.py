"""What goes from room to room as JSON: a feature table's account of itself, and a scoring run's. Declared here, once.

Both are plain dictionaries when the program runs. A file that an earlier socml wrote may lack a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict, cast

if TYPE_CHECKING:
    import pandas as pd


class TableMetadata(TypedDict, total=False):
    """What a feature table says of itself: under the key `socml` of its file, and in `attrs["socml"]` of a DataFrame."""

    feature_set: str
    recipe_hash: str
    sql_hash: str
    events_snapshot: str
    dataset: str
    entity: list[str]  # event columns that a row is about
    window_seconds: int
    features: list[str]
    columns: dict[str, str]  # feature → what it means, with its unit
    columns_fr: dict[str, str]
    fill: dict[str, float]  # feature → value that stands for "none"
    version: str  # hash of what it was made from, where it is built anew when that changes
    sampled_from: int  # rows of the file, where not all were read


def metadata_of(table: pd.DataFrame) -> TableMetadata:
    """Return what a feature table in memory says of itself; empty if nothing."""
    return cast("TableMetadata", table.attrs.get("socml") or {})


class Run(TypedDict, total=False):
    """What `run.json` says of a scoring run."""

    run_id: str
    dataset: str
    feature_set: str
    model: str
    model_version: str  # name/version
    feature_hash: str
    sql_hash: str
    events_snapshot: str
    features_path: str  # below the workspace
    rows: int
    reviewed: int  # the most anomalous rows, which have leaves and are ranked anew by labels; absent where all are
    leaf_bytes: int  # that the leaves of a row take in memory
    experiment: str
    finished: str  # ISO 8601
    metrics: Mapping[str, object]
    online: bool  # of a model that learned as it scored, from
    seed: int | None
    daily: bool  # a day's list, of
    day: str
    leaves_checksum: str
    leaves_removed: bool  # no one had labelled a row of it, and there are newer runs
    checksum: str
