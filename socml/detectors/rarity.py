"""A matrix of categories → how rare each row's values, and pairs of values, are, in bits."""

from __future__ import annotations

import hashlib
from itertools import combinations
from numbers import Integral, Number
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.project import Interval

__all__ = ["Rarity"]

FEW = 50  # values that a column may have at most for its numbers to count as categories, and to be paired
PAIR_ROWS = 20_000  # rows from which the pairs to watch are chosen
PAIRED = 64  # columns that the pairs are chosen among at most: there are as many pairs as their square


class Rarity(BaseEstimator):
    """The sum of −log2 of how frequent each value is, and of how much rarer a pair is than its values suggest.

    Takes text, truth values and numbers. A column of more than 50 different numbers is cut into equally wide
    bins first. The pairs watched are of the columns that depend on each other most. A value never seen is as
    rare as one in rows + 1. Values are remembered by a hash of 64 bits, not as text.

    Blind to the order and distance of numbers within a bin and to combinations of three and more; a column of
    identifiers, each used once, adds the same to every row.

    Parameters
    ----------
    max_pairs : pairs of columns that are watched; 0 for none
    n_bins : bins of a column of many numbers

    Attributes
    ----------
    edges_ : list of ndarray: bins of each column of many numbers; empty if the column is categories
    values_ : list of ndarray: the hashes of each column's values, ascending
    bits_ : list of ndarray: what each value adds, in bits
    pairs_ : ndarray of shape (n_pairs, 2): positions of the columns that are watched together
    pair_bits_ : list of ndarray: what each pair of values adds, the last row and column for unseen values

    References
    ----------
    K. Das, J. Schneider (2007), «Detecting anomalous records in categorical datasets», KDD,
    doi:10.1145/1281192.1281219

    Examples
    --------
    >>> X = [["tcp", "http"]] * 6 + [["udp", "dns"]] * 5 + [["udp", "http"]]
    >>> detector = Rarity().fit(X)
    >>> int(detector.score_samples(X).argmin())  # ordinary values, an odd pair; the lowest is the most anomalous
    11
    >>> Rarity(max_pairs=0).fit(X).contributions([["icmp", "http"]]).round(2).tolist()
    [[3.7, 0.78]]
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "max_pairs": [Interval(Integral, 0, None, closed="left")],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, max_pairs: int = 30, n_bins: int = 20) -> None:
        self.max_pairs = max_pairs
        self.n_bins = n_bins

    def fit(self, X: ArrayLike, y: object = None) -> Rarity:
        """Count the values of X, shape (n_samples, n_features); `y` is ignored. TypeError if one is no text or number."""
        self._validate_params()
        X = validate_data(self, X, dtype=None)
        self.edges_ = [_edges(X[:, j], self.n_bins) for j in range(X.shape[1])]
        self.values_: list[np.ndarray] = []
        self.bits_: list[np.ndarray] = []
        for j in range(X.shape[1]):
            values, counts = np.unique(self._hashed(X, j), return_counts=True)
            self.values_.append(values)
            self.bits_.append(np.append(np.log2(len(X) / counts), np.log2(len(X) + 1.0)))
        codes = self._codes(X)
        chosen = self._choose_pairs(codes)
        self.pairs_ = np.array(chosen, dtype=np.int64).reshape(-1, 2)
        self.pair_bits_ = [_pair_bits(codes[:, a], codes[:, b], *self._sizes(a, b)) for a, b in chosen]
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus each row's rarity, shape (n_samples,), in bits: higher is more NORMAL."""
        return np.asarray(-self.contributions(X).sum(axis=1))

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's bits, shape (n_samples, n_features), none negative; a pair's are halved between its two."""
        check_is_fitted(self, "bits_")
        X = validate_data(self, X, dtype=None, reset=False)
        codes = self._codes(X)
        parts = np.stack([bits[codes[:, j]] for j, bits in enumerate(self.bits_)], axis=1)
        for (a, b), bits in zip(self.pairs_, self.pair_bits_, strict=True):
            half = bits[codes[:, a], codes[:, b]] / 2
            parts[:, a] += half
            parts[:, b] += half
        return parts

    def _hashed(self, X: np.ndarray, j: int) -> np.ndarray:
        edges = self.edges_[j]
        if len(edges):
            return np.searchsorted(edges, np.asarray(X[:, j], dtype=np.float64), side="right").astype(np.uint64)
        if X.dtype == object:
            _check_cells(X[:, j])
        values, inverse = np.unique(X[:, j].astype(str), return_inverse=True)
        return np.array([_hash(value) for value in values], dtype=np.uint64)[inverse.ravel()]

    def _codes(self, X: np.ndarray) -> np.ndarray:
        """Return the place of each cell's value among the column's, one past the last if it was never seen."""
        codes = np.empty(X.shape, dtype=np.int64)
        for j, values in enumerate(self.values_):
            hashed = self._hashed(X, j)
            place = np.searchsorted(values, hashed)
            known = values[np.minimum(place, len(values) - 1)] == hashed
            codes[:, j] = np.where(known, place, len(values))
        return codes

    def _sizes(self, a: int, b: int) -> tuple[int, int]:
        return len(self.values_[a]) + 1, len(self.values_[b]) + 1

    def _choose_pairs(self, codes: np.ndarray) -> list[tuple[int, int]]:
        """Return the pairs of columns with the most mutual information, those with none left out.

        Of very many columns those of the largest entropy are looked at: a pair tells no more than either of its two.
        """
        step = max(len(codes) // PAIR_ROWS, 1)
        few = [j for j, values in enumerate(self.values_) if 1 < len(values) <= FEW] if self.max_pairs else []
        if len(few) > PAIRED:
            entropy = [float(self.bits_[j][codes[::step, j]].mean()) for j in few]
            few = sorted(few[at] for at in np.argsort(entropy, kind="stable")[-PAIRED:])
        dependence = {
            (a, b): _information(codes[::step, a], codes[::step, b], *self._sizes(a, b))
            for a, b in combinations(few, 2)
        }
        best = sorted((pair for pair in dependence if dependence[pair] > 0), key=lambda pair: (-dependence[pair], pair))
        return best[: self.max_pairs]


def _edges(column: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the edges of equally wide bins, both ends among them, or none if the column is categories."""
    if column.dtype.kind not in "fiu":
        return np.empty(0)
    values = np.asarray(column, dtype=np.float64)
    if len(np.unique(values)) <= FEW:
        return np.empty(0)
    low, high = values.min(), values.max()
    edges = low + (high / n_bins - low / n_bins) * np.arange(n_bins + 1)
    edges[-1] = np.nextafter(high, np.inf)  # the highest value is in the last bin, what is above it outside
    return np.asarray(edges)


def _check_cells(column: np.ndarray) -> None:
    for kind in set(map(type, column)):
        if not issubclass(kind, str | bytes | Number | np.generic | None.__class__):
            raise TypeError(f"argument must be a string or a real number, not {kind.__name__!r}")


def _hash(value: str) -> int:
    return int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _counts(a: np.ndarray, b: np.ndarray, size_a: int, size_b: int) -> np.ndarray:
    return np.bincount(a * size_b + b, minlength=size_a * size_b).reshape(size_a, size_b).astype(np.float64)


def _information(a: np.ndarray, b: np.ndarray, size_a: int, size_b: int) -> float:
    """Return the mutual information of two columns, in bits, less what chance alone would give."""
    counts = _counts(a, b, size_a, size_b)
    share = counts / counts.sum()
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    seen = share > 0
    chance = (size_a - 2) * (size_b - 2) / (2 * len(a) * np.log(2))  # Miller's correction
    return float((share[seen] * np.log2(share[seen] / expected[seen])).sum() - chance)


def _pair_bits(a: np.ndarray, b: np.ndarray, size_a: int, size_b: int) -> np.ndarray:
    """Return log2 of how often a pair was expected over how often it came, one added to both; never below 0."""
    counts = _counts(a, b, size_a, size_b)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
    return np.asarray(np.maximum(np.log2((expected + 1.0) / (counts + 1.0)), 0.0))
