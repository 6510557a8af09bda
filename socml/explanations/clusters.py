"""A feature table → groups of rows that are alike, each with what sets it apart.

cluster_rows(features, n_clusters=6).cluster   →  the number of each row's cluster
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.explanations.rows_in_numbers import RowsInNumbers, rows_in_numbers
from socml.project import DataError, Sentence, UnknownName

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("k-means", "gaussian-mixture", "hdbscan")
NONE = -1  # the cluster of a row that is in none
MANY = 50_000  # rows above which k-means reads them in batches
AT_MOST = 50_000  # rows of HDBSCAN, which compares them by pairs
SET_APART = 3  # features that a cluster is told by


@dataclass(frozen=True)
class Cluster:
    """A group of rows that are alike.

    Attributes
    ----------
    number : from 0, the largest cluster first
    size : rows in it
    nearest : the row nearest to its middle, to look at first
    higher, lower : features that are higher or lower in it than in all rows, the most different first
    """

    number: int
    size: int
    nearest: str
    higher: tuple[str, ...]
    lower: tuple[str, ...]


@dataclass(frozen=True)
class Clusters:
    """The rows of a table in groups.

    Attributes
    ----------
    cluster : index row_id, the number of each row's cluster; −1 for a row that is in none
    groups : the clusters, the largest first
    """

    method: str
    cluster: pd.Series = field(repr=False)
    groups: tuple[Cluster, ...]


def cluster_rows(
    features: pd.DataFrame, *, method: str = "k-means", n_clusters: int = 8, least: int = 10, seed: int = 0
) -> Clusters:
    """Return the rows of a feature table in groups of rows that are alike.

    k-means finds round groups of like size and puts every row into one; a Gaussian mixture finds stretched ones too;
    HDBSCAN finds dense groups of any shape and leaves rows alone that are in none. All are blind to features that are
    on no scale with the others: every feature counts the same.

    Parameters
    ----------
    features : index row_id, one column a feature
    method : k-means, gaussian-mixture or hdbscan
    n_clusters : how many, of k-means and the mixture; fewer where there are fewer rows
    least : rows of a cluster of HDBSCAN

    Raises
    ------
    UnknownName
        For a method that is not one.
    DataError
        If `n_clusters` or `least` is too small, or there are too many rows for HDBSCAN.
    TableError
        If no feature varies.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"bytes": [1.0, 1.1, 1.2, 90.0, 91.0]}, index=list("abcde"))
    >>> found = cluster_rows(table, n_clusters=2)
    >>> found.cluster.to_list(), found.groups[1].higher
    ([0, 0, 0, 1, 1], ('bytes',))
    """
    if method not in METHODS:
        raise UnknownName("way of clustering", method, METHODS)
    if n_clusters < 1 or least < 2:
        raise DataError("Clustering needs n_clusters of 1 or more, and least of 2 or more.")
    rows = rows_in_numbers(features)
    codes = _codes(rows.matrix, method, min(n_clusters, len(rows.row_ids)), least, seed)
    return _told(method, rows, _largest_first(codes))


def _codes(matrix: NDArray[np.float64], method: str, n_clusters: int, least: int, seed: int) -> NDArray[np.intp]:
    from sklearn.cluster import HDBSCAN, KMeans, MiniBatchKMeans
    from sklearn.mixture import GaussianMixture

    if method == "hdbscan":
        if len(matrix) > AT_MOST:
            raise DataError(Sentence("error.map.many_grouped", most=AT_MOST, count=len(matrix)))
        if len(matrix) < 2 * least:
            return np.full(len(matrix), NONE, dtype=np.intp)
        return np.asarray(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(matrix), dtype=np.intp)
    if method == "gaussian-mixture":
        mixture = GaussianMixture(n_clusters, covariance_type="diag", reg_covar=1e-3, random_state=seed)
        return np.asarray(mixture.fit_predict(matrix), dtype=np.intp)
    distinct = min(n_clusters, len(np.unique(matrix[:MANY], axis=0)))
    if len(matrix) > MANY:
        many = MiniBatchKMeans(distinct, random_state=seed, n_init=3, batch_size=4096)
        return np.asarray(many.fit_predict(matrix), dtype=np.intp)
    return np.asarray(KMeans(distinct, random_state=seed, n_init=3).fit_predict(matrix), dtype=np.intp)


def _largest_first(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the codes numbered by size, the largest 0; −1 stays."""
    found, sizes = np.unique(codes[codes != NONE], return_counts=True)
    number = {int(code): at for at, code in enumerate(found[np.argsort(-sizes, kind="stable")])}
    return np.array([number.get(int(code), NONE) for code in codes], dtype=np.intp)


def _told(method: str, rows: RowsInNumbers, codes: NDArray[np.intp]) -> Clusters:
    import pandas as pd

    groups = []
    for number in range(int(codes.max(initial=NONE)) + 1):
        members = np.flatnonzero(codes == number)
        middle = rows.matrix[members].mean(axis=0)
        distance = np.square(rows.matrix[members] - middle).sum(axis=1)
        nearest = str(rows.row_ids[members[int(distance.argmin())]])
        higher, below = (_apart(sign * middle, rows.features) for sign in (1.0, -1.0))
        lower = tuple(name for name in below if name not in higher)  # of a category one value is more, others less
        groups.append(Cluster(number, len(members), nearest, higher, lower))
    return Clusters(method, pd.Series(codes, index=rows.row_ids, name="cluster"), tuple(groups))


def _apart(middle: NDArray[np.float64], features: tuple[str, ...]) -> tuple[str, ...]:
    """Return the features by which a cluster lies half a standard deviation or more above all rows' mean."""
    ordered = [features[at] for at in np.argsort(-middle, kind="stable") if middle[at] >= 0.5]
    return tuple(dict.fromkeys(ordered))[:SET_APART]
