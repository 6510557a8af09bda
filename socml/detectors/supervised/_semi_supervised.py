"""Labelled rows, and rows without a label → a classifier that learns from both: what such classifiers share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from socml.detectors.supervised._calibrated import Calibrated


class SemiSupervised(Calibrated):
    """Base of classifiers that rows without a label teach too; a subclass reads `self._unlabelled` in `_fitted`."""

    most_unlabelled = 5_000  # rows without a label that are learned from: a seeded sample of more

    @property
    def is_semi_supervised(self) -> bool:
        """Say whether rows without a label teach it too."""
        return True

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        families: ArrayLike | None = None,
        unlabelled: ArrayLike | None = None,
    ) -> SemiSupervised:
        """Learn from X (n_rows, n_columns) and y (1 malicious, 0 not), and from rows that have no label.

        Raises
        ------
        ValueError
            If y has one class only.
        """
        rows = np.empty((0, np.shape(X)[1])) if unlabelled is None else np.asarray(unlabelled)
        rng = np.random.default_rng(self.random_state)
        taken = min(len(rows), self.most_unlabelled if self.is_semi_supervised else 0)
        self._unlabelled = rows[np.sort(rng.choice(len(rows), taken, replace=False))].astype(np.float32)
        try:
            super().fit(X, y, sample_weight=sample_weight, families=families)
        finally:
            del self._unlabelled
        return self
