"""A feature table → its rows as points of a plane, so that one sees which lie together.

project_rows(features).points                       →  x and y of every row
project_rows(features, method="lda", labels=given)  →  the plane that tells the labels apart
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.explanations.rows_in_numbers import RowsInNumbers, rows_in_numbers
from socml.features import of_rows
from socml.project import DataError, Sentence, UnknownName

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("pca", "lda", "tsne")
AT_MOST = 5_000  # rows of a t-SNE: its time grows faster than they do
FEWEST = 3  # rows of which there is a plane to speak of
NAMED = 3  # features that an axis is named by


@dataclass(frozen=True)
class Projection:
    """Rows as points of a plane.

    Attributes
    ----------
    points : index row_id, columns x and y
    shares : how much of the rows' variance each axis holds, 0 to 1; empty where an axis means nothing by itself
    axes : for each axis the features that it is made of, the weightiest first; empty as `shares`
    """

    method: str
    points: pd.DataFrame = field(repr=False)
    shares: tuple[float, ...] = ()
    axes: tuple[tuple[str, ...], ...] = ()


def project_rows(
    features: pd.DataFrame, *, method: str = "pca", labels: pd.Series | None = None, seed: int = 0
) -> Projection:
    """Return the rows of a feature table as points of a plane.

    PCA shows where rows vary most and is blind to what varies little, however telling. LDA shows what tells the given
    labels apart, and shows them further apart than they are where labels are few. t-SNE keeps neighbours together;
    its distances and the sizes of its clouds mean nothing.

    Parameters
    ----------
    features : index row_id, one column a feature
    method : pca, lda (needs `labels`) or tsne (at most 5,000 rows)
    labels : index row_id, what was said of some rows; missing is no label

    Raises
    ------
    UnknownName
        For a method that is not one.
    DataError
        If there are too few or too many rows, or labels of fewer than two kinds for LDA.
    TableError
        If no feature varies.

    References
    ----------
    L. van der Maaten, G. Hinton (2008), «Visualizing Data using t-SNE», JMLR 9.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"bytes": [1.0, 2.0, 3.0, 9.0], "flows": [1.0, 2.0, 3.0, 9.0]}, index=list("abcd"))
    >>> found = project_rows(table)
    >>> found.points.shape, round(found.shares[0], 3)
    ((4, 2), 1.0)
    """
    if method not in METHODS:
        raise UnknownName("projection", method, METHODS)
    rows = rows_in_numbers(features)
    if len(rows.row_ids) < FEWEST:
        raise DataError(Sentence("error.map.few", least=FEWEST, count=len(rows.row_ids)))
    if method == "pca":
        return _pca(rows, seed)
    if method == "lda":
        return _lda(rows, labels, seed)
    return _tsne(rows, seed)


def _pca(rows: RowsInNumbers, seed: int) -> Projection:
    from sklearn.decomposition import PCA

    found = PCA(n_components=min(2, *rows.matrix.shape), random_state=seed).fit(rows.matrix)
    shares = tuple(float(share) for share in np.nan_to_num(found.explained_variance_ratio_))
    return _told("pca", rows, found.transform(rows.matrix), shares, found.components_)


def _lda(rows: RowsInNumbers, labels: pd.Series | None, seed: int) -> Projection:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    given = None if labels is None else of_rows(labels, rows.row_ids)
    known = np.zeros(len(rows.row_ids), dtype=bool) if given is None else given.notna().to_numpy()
    kinds = [] if given is None else sorted(set(given[known].astype(str)))
    if given is None or len(kinds) < 2 or known.sum() <= len(kinds):
        raise DataError(Sentence("error.map.labels"))
    found = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    found.fit(rows.matrix[known], given[known].astype(str))
    planes = found.scalings_[:, : min(2, len(kinds) - 1)].T
    placed = rows.matrix @ planes.T
    if placed.shape[1] == 1:  # two kinds are told apart along one axis: the other shows where rows vary most beside it
        placed = np.column_stack([placed, _beside(rows.matrix, planes[0], seed)])
    return _told("lda", rows, placed, (), planes)


def _beside(matrix: NDArray[np.float64], axis: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return where rows vary most when what lies along `axis` is taken out."""
    from sklearn.decomposition import PCA

    unit = axis / (np.linalg.norm(axis) or 1.0)
    rest = matrix - np.outer(matrix @ unit, unit)
    return np.asarray(PCA(n_components=1, random_state=seed).fit_transform(rest)[:, 0], dtype=np.float64)


def _tsne(rows: RowsInNumbers, seed: int) -> Projection:
    from sklearn.manifold import TSNE

    n = len(rows.row_ids)
    if n > AT_MOST:
        raise DataError(Sentence("error.map.many", most=AT_MOST, count=n))
    start = "pca" if min(rows.matrix.shape) >= 2 else "random"
    placed = TSNE(perplexity=min(30.0, (n - 1) / 3), init=start, random_state=seed).fit_transform(rows.matrix)
    return _told("tsne", rows, placed, (), np.empty((0, 0)))


def _told(
    method: str,
    rows: RowsInNumbers,
    placed: NDArray[np.float64],
    shares: tuple[float, ...],
    planes: NDArray[np.float64],
) -> Projection:
    import pandas as pd

    whole = np.zeros((len(rows.row_ids), 2))
    whole[:, : placed.shape[1]] = placed[:, :2]
    points = pd.DataFrame(whole, index=rows.row_ids, columns=["x", "y"])
    return Projection(method, points, shares, tuple(_named(plane, rows.features) for plane in planes[:2]))


def _named(plane: NDArray[np.float64], features: tuple[str, ...]) -> tuple[str, ...]:
    """Return the features that weigh most in an axis, each once."""
    ordered = [features[at] for at in np.argsort(-np.abs(plane), kind="stable")]
    return tuple(dict.fromkeys(ordered))[:NAMED]
