"""Several detectors → one score: each calibrated by its training tail, without labels, then combined."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.detectors._tail_scale import learn_scale, surprise
from socml.detectors.forest.shapley import expected_depth, tree_shap
from socml.detectors.forest.tables import mean_path, pack_forest
from socml.project import component

__all__ = ["Ensemble"]

# Four views that fail in different places: random splits, tails by column, linear shape, and distance.
MEMBERS: dict[str, dict[str, Any]] = {
    "isolation-forest": {"n_estimators": 200},
    "ecod": {},
    "knn": {},
    "robust-covariance": {},
}


def _is_explained(ensemble: Ensemble) -> bool:
    kinds = [component("detectors", name) for name in ensemble.members or MEMBERS]
    return ensemble.combine == "mean-of-logs" and all(hasattr(k, "contributions") or _is_forest(k) for k in kinds)


def _has_forest(ensemble: Ensemble) -> bool:
    return any(hasattr(component("detectors", name), "leaves") for name in ensemble.members or MEMBERS)


def _is_forest(kind: Any) -> bool:
    from sklearn.ensemble import IsolationForest

    return issubclass(kind, IsolationForest)


class Ensemble(BaseEstimator):
    """The mean surprise of several detectors: of each, −log of the share of training rows at least as anomalous.

    Scores of different units become comparable by their own tails; no labels are used. Beyond the most anomalous
    training row a score goes on growing, like the logarithm of the distance.

    Blind to what all members are blind to: as they are by default, to rows that are unusual among their own kind
    only, to the order of rows, and to groups of anomalies that make up more than a tenth of the training rows.

    Parameters
    ----------
    members : detector → its parameters; by default an isolation forest, ECOD, nearest neighbours and a robust
        covariance
    weights : detector → its weight, above 0; 1 if not given
    combine : "mean-of-logs" (the default, described above), "mean" of the members' percentiles, or "max", the
        surprise of the most surprised
    calibration_rows : training rows that the tails are learnt from; a sample above that

    Attributes
    ----------
    members_ : list of fitted detectors
    weights_ : ndarray of shape (n_members,), they sum to 1
    scales_ : list of ndarray, each as `socml.detectors._tail_scale` describes
    base_ : float
        What is taken off every score, in nats: the surprise of a row of which nothing is known.

    References
    ----------
    H.-P. Kriegel, P. Kröger, E. Schubert, A. Zimek (2011), «Interpreting and Unifying Outlier Scores», SDM,
    doi:10.1137/1.9781611972818.2. C. C. Aggarwal, S. Sathe (2015), «Theoretical Foundations and Algorithms for
    Outlier Ensembles», SIGKDD Explorations 17, doi:10.1145/2830544.2830549

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 1.1], [0.2, 0.9], [0.1, 1.0], [9.0, 9.0]]
    >>> detector = Ensemble(members={"ecod": {}, "knn": {"n_neighbors": 2}}, random_state=0).fit(X)
    >>> int(detector.score_samples(X).argmin())  # the lowest score is the most anomalous
    4
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "members": [dict, None],
        "weights": [dict, None],
        "combine": [StrOptions({"mean-of-logs", "mean", "max"})],
        "calibration_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        members: dict[str, dict[str, Any]] | None = None,
        weights: dict[str, float] | None = None,
        combine: str = "mean-of-logs",
        calibration_rows: int = 20_000,
        random_state: Any = None,
    ) -> None:
        self.members = members
        self.weights = weights
        self.combine = combine
        self.calibration_rows = calibration_rows
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Ensemble:
        """Fit each member on X of shape (n_samples, n_features), then learn its tail; `y` is ignored.

        Raises
        ------
        ValueError
            If there are no members, or a weight is for none of them or is not above 0.
        UnknownName
            If a member is no detector.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        random = check_random_state(self.random_state)
        self.weights_ = self._weights()
        self.members_ = [self._make(name, given, random).fit(X) for name, given in self._members().items()]
        if len(X) > self.calibration_rows:
            X = X[np.sort(random.choice(len(X), self.calibration_rows, replace=False))]
        self.scales_ = [learn_scale(-member.score_samples(X)) for member in self.members_]
        self.base_ = (
            float(self._weigh([surprise(s, _base(m)) for m, s in self._each()])) if _is_explained(self) else 0.0
        )
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the combined surprise, shape (n_samples,), in nats: higher is more NORMAL.

        With `combine="mean"` it is a share of 1 instead of nats.
        """
        check_is_fitted(self, "scales_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        each = [surprise(scale, -member.score_samples(X)) for member, scale in self._each()]
        if self.combine == "max":
            return -np.max(each, axis=0)
        if self.combine == "mean":
            each = [1.0 - np.exp(-surprised) for surprised in each]
        return self.base_ - self._weigh(each)

    @available_if(_is_explained)
    def contributions(self, X: Any) -> np.ndarray:
        """Return each cell's part, shape (n_samples, n_features): positive pushes toward anomalous.

        They sum to the score, sign turned. A member's contributions (an isolation forest's are Shapley values)
        are put on the scale of its surprise by one factor a row, and weighed.
        """
        check_is_fitted(self, "scales_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        parts = np.zeros(X.shape)
        for weight, (member, scale) in zip(self.weights_, self._each(), strict=True):
            own = _contributions(member, X)
            rise = surprise(scale, -member.score_samples(X)) - surprise(scale, _base(member))
            total = own.sum(axis=1)
            usable = np.abs(total) > 1e-9 * np.abs(own).sum(axis=1)
            factor = np.where(usable, rise / np.where(usable, total, 1.0), 0.0)
            even = np.where(usable, 0.0, rise / X.shape[1])  # nothing to go by: no column more than another
            parts += weight * (own * factor[:, None] + even[:, None])
        return parts

    @available_if(_has_forest)
    def leaves(self, X: Any) -> np.ndarray:
        """Return the leaf of each row in each tree of the first member that has trees: shape (n_trees, n_rows)."""
        check_is_fitted(self, "scales_")
        return next(member for member in self.members_ if hasattr(member, "leaves")).leaves(X)

    def _members(self) -> dict[str, dict[str, Any]]:
        members = MEMBERS if self.members is None else self.members
        if not members:
            raise ValueError("An ensemble needs at least one member.")
        return members

    def _weights(self) -> np.ndarray:
        given, names = self.weights or {}, list(self._members())
        for name, weight in given.items():
            if name not in names or not weight > 0:
                raise ValueError(f"weights gives {name!r} {weight}; members are {', '.join(names)}, weights above 0.")
        weights = np.array([float(given.get(name, 1.0)) for name in names])
        return weights / weights.sum()

    def _make(self, name: str, given: dict[str, Any], random: np.random.RandomState) -> Any:
        member = component("detectors", name)().set_params(**given)
        if "random_state" in member.get_params() and "random_state" not in given:
            member.set_params(random_state=int(random.randint(np.iinfo(np.int32).max)))
        return member

    def _each(self) -> list[tuple[Any, Any]]:
        return list(zip(self.members_, self.scales_, strict=True))

    def _weigh(self, each: Any) -> Any:
        return np.tensordot(self.weights_, np.asarray(each), axes=1)


def _base(member: Any) -> float:
    """Return the anomaly score that the member's contributions start from."""
    if not _explained_by_paths(member):
        return 0.0
    return float(2.0 ** (-expected_depth(pack_forest(member)) / _usual_path(member)))


def _contributions(member: Any, X: np.ndarray) -> np.ndarray:
    if not _explained_by_paths(member):
        return np.zeros(X.shape) if _is_forest(type(member)) else np.asarray(member.contributions(X))
    return -tree_shap(pack_forest(member), np.asarray(X, dtype=np.float32)) / _usual_path(member)


def _explained_by_paths(member: Any) -> bool:
    return _is_forest(type(member)) and int(member.max_samples_) > 1


def _usual_path(member: Any) -> float:
    return float(mean_path(int(member.max_samples_)))
