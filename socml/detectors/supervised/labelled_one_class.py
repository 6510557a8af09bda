"""A numeric matrix, few labels and many rows without → how far a row lies outside of what is usual, as labels correct it."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from socml.detectors.supervised._calibrated import FittedClassifier, SemiSupervised
from socml.project import Interval

__all__ = ["LabelledOneClass"]

SOFT = 0.1  # over which a hinge bends, so that it has a slope everywhere


class LabelledOneClass(SemiSupervised):
    """A one-class support vector machine that labels correct: rows without a label say what is usual, labels the rest.

    Finds what is unlike all usual rows, also where no label was malicious; a benign label makes rows like it usual, a
    malicious one rows like it unusual. Blind to malicious rows that are as common as benign ones and that no label
    named, and, like any kernel of one width, to what is odd in one column among very many.

    Parameters
    ----------
    nu : share of the rows without a label that may lie outside, 0 to 1
    label_weight : what all labels together weigh beside all rows without one
    n_parts : random Fourier features that stand for the Gaussian kernel
    calibration_folds : folds held out in turn to calibrate the probabilities; 0 leaves them as they are
    random_state : seed of the features, the folds and the sample of at most 5,000 rows without a label

    References
    ----------
    N. Görnitz, M. Kloft, K. Rieck, U. Brefeld (2013), «Toward Supervised Anomaly Detection», JAIR 46,
    doi:10.1613/jair.3623: problem (11), here with a hinge that bends, on random features.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> usual = rng.normal(size=(200, 2))
    >>> X, y = np.vstack([usual[:4], [[5.0, 0.0], [6.0, 0.0]]]), [0, 0, 0, 0, 1, 1]
    >>> classifier = LabelledOneClass(calibration_folds=0, random_state=0).fit(X, y, unlabelled=usual)
    >>> usual_row, other_side = classifier.score_samples([[0.0, 0.0], [-5.0, 0.0]])
    >>> bool(other_side < usual_row)  # though no label was ever on that side
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        **SemiSupervised._parameter_constraints,
        "nu": [Interval(Real, 0, 1, closed="right")],
        "label_weight": [Interval(Real, 0, None, closed="neither")],
        "n_parts": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        nu: float = 0.1,
        label_weight: float = 10.0,
        n_parts: int = 256,
        calibration_folds: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.nu = nu
        self.label_weight = label_weight
        self.n_parts = n_parts
        self.calibration_folds = calibration_folds
        self.random_state = random_state

    def _unfitted_parts(self) -> list[FittedClassifier]:
        return []  # what it is made of has parameters of its own choosing

    def _fitted(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Any:
        usual = np.concatenate([self._unlabelled, X[y == 0]])
        parts = self._parts(usual.shape[1]).fit(usual)
        side, share = np.where(y == 1, -1.0, 1.0), self.label_weight * weight / weight.sum()
        return parts, *_boundary(parts.transform(usual), parts.transform(X), side, share, self.nu)

    def _fitted_families(self, X: np.ndarray, names: np.ndarray, weight: np.ndarray) -> Any:
        every = make_pipeline(*(step for _, step in self._parts(X.shape[1]).steps), LogisticRegression(max_iter=1000))
        return every.fit(X, names, logisticregression__sample_weight=weight)

    def _log_odds(self, estimator: Any, X: np.ndarray) -> np.ndarray:
        parts, weights, least = estimator
        return np.asarray(least - parts.transform(X) @ weights, dtype=np.float64)

    def _parts(self, columns: int) -> Any:
        kernel = RBFSampler(gamma=1.0 / columns, n_components=self.n_parts, random_state=self.random_state or 0)
        return make_pipeline(StandardScaler(), kernel)


def _boundary(
    usual: np.ndarray, labelled: np.ndarray, side: np.ndarray, share: np.ndarray, nu: float
) -> tuple[np.ndarray, float]:
    """Return w and ρ: a row whose features φ have w·φ < ρ lies outside.

    Parameters
    ----------
    usual, labelled : features of the rows, shape (n_rows, n_parts)
    side, share : of each labelled row, 1 where it belongs inside and −1 outside, and what it weighs
    """
    from scipy.optimize import minimize

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        w, least, margin = at[:-2], at[-2], at[-1]
        lost, slope = _hinge(least - usual @ w)
        wrong, push = _hinge(margin - side * (labelled @ w - least))
        lost, slope, push = lost / (nu * len(usual)), slope / (nu * len(usual)), push * share / nu
        value = 0.5 * w @ w - least - share.sum() * margin + lost.sum() + wrong @ share / nu
        turn = side * push
        ends = [slope.sum() + turn.sum() - 1.0, push.sum() - share.sum()]
        return float(value), np.concatenate([w - usual.T @ slope - labelled.T @ turn, ends])

    start = np.concatenate([usual.mean(axis=0), [0.0, 0.0]])
    bounds = [(None, None)] * (len(start) - 1) + [(0.0, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}).x
    return found[:-2], float(found[-2])


def _hinge(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return max(0, z), bent over SOFT, and its slope."""
    slope = np.clip(z / SOFT, 0.0, 1.0)
    return slope * (z - 0.5 * SOFT * slope), slope
