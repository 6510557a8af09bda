"""Several detectors → one score: each calibrated by its training tail, without labels, then combined."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.detectors._spikes import BEYOND, Spikes, informative_columns, learn_spikes
from socml.detectors._tail_scale import learn_scale, normal_score, surprise
from socml.detectors.forest.shapley import expected_depth, tree_shap
from socml.detectors.forest.tables import mean_path, pack_forest
from socml.project import Interval, StrOptions, component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.ensemble import IsolationForest

    from socml.detectors._protocols import Contributing, Detector, Forest

__all__ = ["Ensemble"]

# Three views that fail in different places: random splits, distance, and linear shape. The forest decides, the others
# part what it finds alike: no member that is blind on a table can then push down what the forest sees. Weights are
# chosen by leave-one-group-out in `benchmarks/detectors.py`; docs/decisions/016 says what else was tried.
MEMBERS: dict[str, dict[str, object]] = {"isolation-forest": {"n_estimators": 200}, "knn": {}, "robust-covariance": {}}
WEIGHTS = {"isolation-forest": 8.0}
SPIKE = 4.0  # standard deviations: what a value beyond all others is worth, before the logarithm of how far it is
EXPLAINED = ("normal-scores", "mean-of-logs")


def _is_explained(ensemble: Ensemble) -> bool:
    kinds = [component("detectors", name) for name in ensemble.members or MEMBERS]
    return ensemble.combine in EXPLAINED and all(hasattr(k, "contributions") or _is_forest(k) for k in kinds)


def _has_forest(ensemble: Ensemble) -> bool:
    return any(hasattr(component("detectors", name), "leaves") for name in ensemble.members or MEMBERS)


def _is_forest(kind: type) -> bool:
    from sklearn.ensemble import IsolationForest

    return issubclass(kind, IsolationForest)


class Ensemble(BaseEstimator):
    """The weighted mean of several detectors, each by the normal score of a row's place among the training rows.

    Scores of different units become comparable by their own ranks; no labels are used. Beyond the most anomalous
    training row a score goes on growing, like the logarithm of the distance. Columns that cannot make a row unusual
    (constant ones, categories each of whose values is common) are not read. A value more than one and a half
    times as far from its column's median as every other row (or all but a handful) puts its row before all that have
    none.

    Blind to what all members are blind to: as they are by default, to rows that are unusual among their own kind
    only, to the order of rows, to groups of anomalies that make up more than a tenth of the training rows, and to
    odd combinations of values that are all common.

    Parameters
    ----------
    members : detector → its parameters; by default an isolation forest, nearest neighbours and a robust covariance
    weights : detector → its weight, above 0; 1 if not given. Where neither members nor weights are given, the
        forest's is 8
    combine : "normal-scores" (the default, described above), "mean-of-logs" of the share of training rows at least as
        anomalous, "mean" of the members' percentiles, or "max", the surprise of the most surprised
    calibration_rows : training rows that the tails are learnt from; a sample above that

    Attributes
    ----------
    columns_ : ndarray of bool, shape (n_features,): which columns the members read
    members_ : list of fitted detectors
    weights_ : ndarray of shape (n_members,), they sum to 1
    scales_ : list of ndarray, each as `socml.detectors._tail_scale` describes
    middle_, down_, up_, beyond_ : ndarray: what is a spike in the columns read, as `socml.detectors._spikes` describes
    base_ : float
        What is taken off every score: the score of a row of which nothing is known.

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

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "members": [dict, None],
        "weights": [dict, None],
        "combine": [StrOptions({"normal-scores", "mean-of-logs", "mean", "max"})],
        "calibration_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        members: dict[str, dict[str, object]] | None = None,
        weights: dict[str, float] | None = None,
        combine: str = "normal-scores",
        calibration_rows: int = 20_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.members = members
        self.weights = weights
        self.combine = combine
        self.calibration_rows = calibration_rows
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Ensemble:
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
        self.columns_ = informative_columns(X)
        X = self._read(X)
        self.middle_, self.down_, self.up_, self.beyond_ = learn_spikes(X)
        self.members_ = [self._make(name, given, random).fit(X) for name, given in self._members().items()]
        if len(X) > self.calibration_rows:
            X = X[np.sort(random.choice(len(X), self.calibration_rows, replace=False))]
        ties = "middle" if self.combine == "normal-scores" else "last"
        self.scales_ = [learn_scale(-member.score_samples(X), ties=ties) for member in self.members_]
        bases = [self._place(scale, _base(member)) for member, scale in self._each()] if _is_explained(self) else []
        self.base_ = float(self._weigh(bases)) if bases else 0.0
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the combined score, shape (n_samples,): higher is more NORMAL.

        In standard deviations of a normal distribution; with `combine="mean-of-logs"` or `"max"` in nats, with
        `"mean"` a share of 1.
        """
        check_is_fitted(self, "scales_")
        X = self._read(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))
        each = [self._place(scale, -member.score_samples(X)) for member, scale in self._each()]
        together = np.max(each, axis=0) if self.combine == "max" else self._weigh(each)
        return np.asarray(np.asarray(self.base_ - together) - _bonus(self._spikes().times(X)).max(axis=1))

    @available_if(_is_explained)
    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part, shape (n_samples, n_features): positive pushes toward anomalous.

        They sum to the score, sign turned. A member's contributions (an isolation forest's are Shapley values)
        are put on the scale of its place by one factor a row, and weighed. What a spike adds is its own column's.
        """
        check_is_fitted(self, "scales_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        every = np.zeros(X.shape)
        X = self._read(X)
        spikes = _bonus(self._spikes().times(X))
        parts = np.where(np.arange(X.shape[1]) == spikes.argmax(axis=1)[:, None], spikes, 0.0)
        for weight, (member, scale) in zip(self.weights_, self._each(), strict=True):
            own = _contributions(member, X)
            rise = self._place(scale, -member.score_samples(X)) - self._place(scale, _base(member))
            total = own.sum(axis=1)
            usable = np.abs(total) > 1e-9 * np.abs(own).sum(axis=1)
            factor = np.where(usable, rise / np.where(usable, total, 1.0), 0.0)
            even = np.where(usable, 0.0, rise / X.shape[1])  # nothing to go by: no column more than another
            parts += weight * (own * factor[:, None] + even[:, None])
        every[:, self.columns_] = parts
        return every

    @available_if(_has_forest)
    def leaves(self, X: ArrayLike) -> np.ndarray:
        """Return the leaf of each row in each tree of the first member that has trees: shape (n_trees, n_rows)."""
        check_is_fitted(self, "scales_")
        X = self._read(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))
        first = next(member for member in self.members_ if hasattr(member, "leaves"))
        return cast("Forest", first).leaves(X)

    def _read(self, X: np.ndarray) -> np.ndarray:
        return X if self.columns_.all() else np.ascontiguousarray(X[:, self.columns_])

    def _spikes(self) -> Spikes:
        beyond = getattr(self, "beyond_", BEYOND)  # models of before 0.3 have one for all columns
        return Spikes(self.middle_, self.down_, self.up_, beyond)

    def _place(self, scale: np.ndarray, scores: ArrayLike) -> np.ndarray:
        """Return a member's anomaly scores in the unit in which they are combined."""
        surprised = surprise(scale, scores)
        if self.combine == "normal-scores":
            return normal_score(surprised)
        return 1.0 - np.exp(-surprised) if self.combine == "mean" else surprised

    def _members(self) -> dict[str, dict[str, object]]:
        members = MEMBERS if self.members is None else self.members
        if not members:
            raise ValueError("An ensemble needs at least one member.")
        return members

    def _weights(self) -> np.ndarray:
        names = list(self._members())
        given = self.weights or (WEIGHTS if self.members is None and self.weights is None else {})
        for name, weight in given.items():
            if name not in names or not 0 < weight < np.inf:
                raise ValueError(f"weights gives {name!r} {weight}; members are {', '.join(names)}, weights above 0.")
        weights = np.array([float(given.get(name, 1.0)) for name in names])
        return np.asarray(weights / weights.sum())

    def _unfitted_parts(self) -> list[Detector]:
        """Return what it will be made of, whose parameters say whether its own make sense."""
        self._weights()
        return [component("detectors", name)().set_params(**given) for name, given in self._members().items()]

    def _make(self, name: str, given: dict[str, object], random: np.random.RandomState) -> Detector:
        member: Detector = component("detectors", name)().set_params(**given)
        if "random_state" in member.get_params() and "random_state" not in given:
            member.set_params(random_state=int(random.randint(np.iinfo(np.int32).max)))
        return member

    def _each(self) -> list[tuple[Detector, np.ndarray]]:
        return list(zip(self.members_, self.scales_, strict=True))

    def _weigh(self, each: Sequence[ArrayLike]) -> np.ndarray:
        return np.tensordot(self.weights_, np.asarray(each), axes=1)


def _bonus(times: np.ndarray) -> np.ndarray:
    return np.where(times > 0, SPIKE + np.log1p(times), 0.0)


def _base(member: Detector) -> float:
    """Return the anomaly score that the member's contributions start from."""
    if not _explained_by_paths(member):
        return 0.0
    return float(2.0 ** (-expected_depth(pack_forest(cast("IsolationForest", member))) / _usual_path(member)))


def _contributions(member: Detector, X: np.ndarray) -> np.ndarray:
    if not _explained_by_paths(member):
        return (
            np.zeros(X.shape) if _is_forest(type(member)) else np.asarray(cast("Contributing", member).contributions(X))
        )
    return -tree_shap(pack_forest(cast("IsolationForest", member)), np.asarray(X, dtype=np.float32)) / _usual_path(
        member
    )


def _explained_by_paths(member: Detector) -> bool:
    return _is_forest(type(member)) and int(cast("IsolationForest", member).max_samples_) > 1


def _usual_path(member: Detector) -> float:
    return float(mean_path(int(cast("IsolationForest", member).max_samples_)))
