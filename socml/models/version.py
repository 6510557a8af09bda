"""A fitted pipeline and what belongs to it → a model version, as every stage hands it on, with the scale of its percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np

from socml.project import ModelError, TableMetadata, html_text

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from socml.detectors import Forest, Scorer
    from socml.features import Preparation, Sequences

EXACT_TAIL = 5_000  # most anomalous reference rows that are all kept, so that high percentiles are exact
AT_ONCE = 1_000_000  # rows that are looked up at a time, so that many take the memory of the result


@dataclass(frozen=True)
class Reference:
    """The training scores that a percentile is measured against, in the detector's direction.

    Attributes
    ----------
    normality : ndarray, ascending: scores of reference rows; higher is more NORMAL
    ranks : ndarray of int: how many of the reference rows score at most that
    rows : number of reference rows
    """

    normality: np.ndarray
    ranks: np.ndarray
    rows: int

    def percentile(self, normality: np.ndarray) -> np.ndarray:
        """Return the share of reference rows that are more normal, 0 to 100: high is anomalous.

        Exact for the 5,000 most anomalous reference rows, to 0.01 below.

        Examples
        --------
        >>> make_reference(np.array([-0.9, -0.5, -0.4, -0.3])).percentile(np.array([-0.9, -0.45, -1.0]))
        array([ 75.,  50., 100.])
        """
        percentile, at_most = np.empty(len(normality)), np.concatenate([[0], self.ranks])
        for start in range(0, len(normality), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            at = np.searchsorted(self.normality, normality[some], side="right")
            percentile[some] = 100.0 * (1.0 - at_most[at] / self.rows)
        return percentile


def make_reference(normality: np.ndarray) -> Reference:
    """Return the scale of these reference scores (higher is more NORMAL), thinned where it may be."""
    ordered = np.sort(np.asarray(normality, dtype=np.float64))
    kept = np.arange(len(ordered))
    if len(ordered) > 4 * EXACT_TAIL:
        thinned = np.linspace(EXACT_TAIL, len(ordered) - 1, 3 * EXACT_TAIL).astype(np.int64)
        kept = np.concatenate([kept[:EXACT_TAIL], thinned])
    values = np.unique(ordered[kept])
    return Reference(values, np.searchsorted(ordered, values, side="right"), len(ordered))


class Calibration(TypedDict):
    """How a classifier's votes become a probability: slope and intercept of the logistic curve."""

    slope: float
    intercept: float


class ModelMetadata(TypedDict, total=False):
    """What a model version remembers of how it was made: plain values that JSON holds."""

    model: str
    about: str
    detector: str
    parameters: Mapping[str, object]
    preparation: Mapping[str, object]
    recipe_hash: str
    seed: int
    experiment: str
    feature_set: str
    feature_hash: str
    sql_hash: str
    events_snapshot: str
    dataset: str
    table_hash: str
    rows: int
    features: list[str]
    columns: dict[str, str]
    columns_fr: dict[str, str]
    fill: dict[str, float]
    typical: Mapping[str, object]  # feature → its median, or its most frequent category
    git_commit: str
    versions: dict[str, str]  # of socml and the libraries
    format: int  # of the files
    notices: list[str]
    metrics: Mapping[str, object]
    period: str
    mlflow_run_id: str
    mode: str  # "supervised", and then
    taught_by: str
    taught_rows: int
    taught_malicious: int
    families: list[str]
    calibration: Calibration


@dataclass(frozen=True)
class ModelVersion:
    """A fitted model in the registry.

    `metadata` says what it was fitted on and with. `companion` is the forest whose leaves re-rank the rows
    when someone labels: the detector itself if it has leaves, else one fitted beside it on the same matrix.
    """

    name: str
    version: str
    pipeline: Pipeline
    reference: Reference = field(repr=False)
    companion: Forest | None = field(default=None, repr=False)
    metadata: ModelMetadata = field(default_factory=ModelMetadata, repr=False)

    @property
    def label(self) -> str:
        """Return name/version, as it stands in a score table."""
        return f"{self.name}/{self.version}"

    @property
    def preparation(self) -> Preparation | Sequences:
        """Return the step that turns features into the detector's matrix."""
        step: Preparation | Sequences = self.pipeline.named_steps["preparation"]
        return step

    @property
    def detector(self) -> Scorer:
        """Return the fitted detector."""
        step: Scorer = self.pipeline.named_steps["detector"]
        return step

    @property
    def forest(self) -> Forest:
        """Return the forest that gives the leaves: the detector's own, or the companion."""
        return cast("Forest", self.detector if hasattr(self.detector, "leaves") else self.companion)

    def check_table(self, table: TableMetadata) -> None:
        """Raise if a feature table, by what its metadata says, is not what this model was fitted on.

        Raises
        ------
        ModelError
            If it is of another feature set, or was built by another SELECT.
        """
        fitted = self.metadata["feature_set"]
        if table.get("feature_set", fitted) != fitted:
            raise ModelError(
                f"Model {self.label} was fitted on the feature set {fitted!r}, and this is {table['feature_set']!r}."
            )
        if self._is_of_other_sql(table):
            raise ModelError(
                f"The SQL of {fitted!r} has changed since model {self.label} was fitted on it: fit again (socml fit "
                f"{self.name} {table.get('dataset') or 'DATASET'} --promote), or put features/{fitted}.sql back."
            )

    def _is_of_other_sql(self, table: TableMetadata) -> bool:
        """Say whether a table is of another SELECT, where both are known; an earlier socml kept the recipe's hash only."""
        if self.metadata.get("sql_hash") and table.get("sql_hash"):
            return bool(self.metadata["sql_hash"] != table["sql_hash"])
        known = self.metadata.get("columns") and table.get("recipe_hash")  # a table of no recipe has no meanings
        return bool(known) and self.metadata["feature_hash"] != table["recipe_hash"]

    def _repr_html_(self) -> str:
        shown = {
            key: self.metadata.get(key) for key in ("detector", "feature_set", "dataset", "rows", "seed", "metrics")
        }
        rows = "".join(f"<tr><th>{html_text(k)}</th><td>{html_text(v)}</td></tr>" for k, v in shown.items() if v)
        notices = "".join(f"<li>{html_text(n)}</li>" for n in self.metadata.get("notices", []))
        return f"<table><caption>{html_text(self.label)}</caption>{rows}</table><ul>{notices}</ul>"


def check_version(given: object) -> None:
    """Raise a ModelError if something else is given for a model version: its name, or an estimator."""
    if not isinstance(given, ModelVersion):
        shown = repr(given) if isinstance(given, str) else f"A {type(given).__name__}"
        raise ModelError(f"{shown} is no model version: socml.fit and socml.load_model return one.")
