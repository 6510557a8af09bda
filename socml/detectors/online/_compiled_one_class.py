"""Scaled rows in the order they come → how well each agrees with a one-class support vector machine."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def one_class_normality(
    scaled: NDArray[np.float64],
    admitted: NDArray[np.bool_],
    directions: NDArray[np.float64],
    phases: NDArray[np.float64],
    weights: NDArray[np.float64],
    intercept: NDArray[np.float64],
    nu: float,
    rate: float,
) -> NDArray[np.float64]:
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
