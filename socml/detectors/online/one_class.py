"""Scaled rows → how well each agrees with a one-class support vector machine that learns as they come."""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np

from socml.detectors._arrays import Flags, Floats
from socml.detectors.online._detector import OnlineDetector, Shared
from socml.project import njit

__all__ = ["OneClass"]


class OneClass(OnlineDetector):
    """River's OneClassSVM, compiled, on random Fourier features of standardised inputs.

    The features make it local: River's linear machine alone says the same of all that lies in one direction.

    Blind to clusters narrower than its kernel, and slow to find a second one.

    `score_one` is River's score, w·φ(x): higher is more NORMAL.

    Parameters
    ----------
    nu : share of rows that may lie outside, 0 to 1
    rate : learning rate
    n_parts : random Fourier features
    width : width of the Gaussian kernel, in standard deviations of a column times the root of the columns

    References
    ----------
    A. Rahimi, B. Recht (2007), «Random Features for Large-Scale Kernel Machines», NeurIPS.
    B. Schölkopf et al. (2001), «Estimating the Support of a High-Dimensional Distribution», Neural Computation 13.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(600, 3))
    >>> detector = OneClass(seed=1)
    >>> _ = detector.score_learn_many(rows)
    >>> detector.score_one(np.zeros(3)) > detector.score_one(np.full(3, 9.0))
    True
    """

    arrays = ("_weights", "_intercept")

    def __init__(
        self, *, nu: float = 0.1, rate: float = 0.01, n_parts: int = 64, width: float = 1.0, **others: Unpack[Shared]
    ) -> None:
        super().__init__(**others)
        self.nu, self.rate, self.n_parts, self.width = float(nu), float(rate), int(n_parts), float(width)

    def _start(self, n_columns: int) -> None:
        rng = np.random.default_rng(self.seed)
        spread = 1.0 / (self.width * np.sqrt(n_columns))
        self._directions = rng.normal(scale=spread, size=(self.n_parts, n_columns))
        self._phases = rng.uniform(0.0, 2.0 * np.pi, size=self.n_parts)
        self._weights, self._intercept = np.zeros(self.n_parts), np.ones(1)

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        model = (self._directions, self._phases, self._weights, self._intercept)
        return np.asarray(one_class_normality(scaled, admitted, *model, self.nu, self.rate))

    def _adapt(self) -> None:
        self._weights *= 0.5


@njit(cache=True, nogil=True)
def one_class_normality(
    scaled: Floats,
    admitted: Flags,
    directions: Floats,
    phases: Floats,
    weights: Floats,
    intercept: Floats,
    nu: float,
    rate: float,
) -> Floats:
    """Return each row's agreement w·φ(x), shape (n_rows,): higher is more NORMAL.

    φ are random Fourier features of a Gaussian kernel; w is learned by River's rule for its OneClassSVM.

    Parameters
    ----------
    scaled : float64 (n_rows, n_columns)
    admitted : bool (n_rows,), whether a row is learned after it was scored
    directions, phases : float64 (n_parts, n_columns) and (n_parts,), of the Fourier features
    weights, intercept : float64 (n_parts,) and (1,); changed in place
    nu : share of rows that may lie outside, 0 to 1
    rate : learning rate
    """
    n_parts = phases.size
    scale = math.sqrt(2.0 / n_parts)
    part = np.empty(n_parts)
    normality = np.empty(scaled.shape[0])
    for i in range(scaled.shape[0]):
        agreement = 0.0
        for k in range(n_parts):
            angle = phases[k]
            for j in range(scaled.shape[1]):
                angle += directions[k, j] * scaled[i, j]
            part[k] = scale * math.cos(angle)
            agreement += weights[k] * part[k]
        normality[i] = agreement
        if not admitted[i]:
            continue
        gradient = -1.0 if agreement + intercept[0] <= 1.0 else 0.0
        intercept[0] -= rate * gradient + rate * nu
        for k in range(n_parts):
            weights[k] -= rate * (gradient * part[k] + weights[k] * (nu / 2.0))
    return normality
