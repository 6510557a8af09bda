"""What the line asks of a detector, whoever wrote it: a component of ours, one of the project's own, or a library's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from sklearn.base import BaseEstimator

    from socml.detectors.online._state import State


class Scorer(Protocol):
    """An estimator of scikit-learn's kind that says how normal a row is."""

    def score_samples(self, X: ArrayLike, /) -> NDArray[np.float64]:
        """Return how normal each row is, shape (n_rows,): higher is more NORMAL."""

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the parameters, by name."""

    def set_params(self, **parameters: object) -> Self:
        """Set parameters, by name."""


class Detector(Scorer, Protocol):
    """A batch detector: it learns what is usual, without labels."""

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, /) -> Self:
        """Learn what is usual from rows of shape (n_rows, n_columns)."""


class Contributing(Scorer, Protocol):
    """A detector that tells how far each cell pushed a row."""

    def contributions(self, X: ArrayLike, /) -> NDArray[np.float64]:
        """Return each cell's push toward anomalous, shape as X."""


class LogOddsClassifier(Contributing, Protocol):
    """A classifier that is a sum over columns, and tells its parts."""

    base_: float


class SequenceDetector(Detector, Protocol):
    """A detector of sequences of tokens."""

    def surprises(self, text: str, /) -> list[tuple[str, float]]:
        """Return each token of a sequence and how surprising it is there, in bits; the last is its end."""


class Forest(Detector, Protocol):
    """A detector of trees, which says in which leaf of each tree a row lies."""

    def leaves(self, X: ArrayLike, /) -> NDArray[np.integer]:
        """Return the leaf of each row in each tree, shape (n_trees, n_rows)."""


class Classifier(Scorer, Protocol):
    """A supervised detector: it learns from labelled rows, and says the family of a malicious one."""

    estimator_: BaseEstimator
    families_: Sequence[str]
    slope_: float
    intercept_: float

    def family_proba(self, X: ArrayLike, /) -> NDArray[np.float64]:
        """Return how likely each family is of a row that is malicious, shape (n_rows, n_families)."""


class RowDetector(Protocol):
    """A detector that learns row by row, and whose state is plain values and arrays."""

    def score_one(self, row: NDArray[np.float64], entity: str | None = None, /) -> float:
        """Return how normal one row is, by what was learned before: higher is more NORMAL."""

    def learn_one(self, row: NDArray[np.float64], entity: str | None = None, /) -> None:
        """Learn one row."""

    def score_learn_many(
        self, rows: NDArray[np.float64], entities: Sequence[str | None] | None = None, /
    ) -> NDArray[np.float64]:
        """Score each row, then learn it; shape (n_rows,)."""

    def state(self) -> State:
        """Return all that was learned."""

    def restore(self, state: State) -> None:
        """Know what `state` says and nothing else."""
