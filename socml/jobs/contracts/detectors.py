"""A detector's class → the promises of a detector: direction, independence of rows, finiteness, saving."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import get_tags

from socml.features import Preparation
from socml.jobs.contracts.check import says_what_it_is_blind_to
from socml.models import check_learnt, load_trusted
from socml.project import ScratchFolder

if TYPE_CHECKING:
    from socml.detectors import Detector

OUTLIER = 123  # row of the planted outlier


def made(kind: type[Any]) -> Any:
    """Return a detector with its default parameters and a fixed seed."""
    detector = kind()
    return detector.set_params(random_state=0) if "random_state" in detector.get_params() else detector


def usual_rows(rows: int = 400) -> NDArray[np.float32]:
    """Return rows with nothing unusual in them."""
    return np.random.default_rng(7).normal(size=(rows, 5)).astype(np.float32)


def with_outlier() -> NDArray[np.float32]:
    """Return usual rows of which one lies far out."""
    X = usual_rows()
    X[OUTLIER] = 9.0
    return X


def has_parameters_with_defaults(kind: type[Detector]) -> None:
    """It is a scikit-learn estimator whose parameters all have defaults and are kept as given."""
    assert inspect.isclass(kind), "it is no class: a detector is one, with fit and score_samples"
    for method in ("fit", "score_samples", "get_params", "set_params"):
        hint = "; let it inherit from sklearn.base.BaseEstimator" if method.endswith("params") else ""
        assert hasattr(kind, method), f"it has no {method}{hint}"
    try:
        detector = kind()
    except TypeError as error:
        raise AssertionError(f"{kind.__name__}() cannot be made without parameters: {error}") from None
    clone(detector)


def fit_returns_itself(kind: type[Detector]) -> None:
    """`fit` returns the detector, and `score_samples` one finite number a row."""
    X = _matrix(kind)
    detector = made(kind)
    assert detector.fit(X) is detector, "fit must end in: return self"
    check_learnt(detector)
    scores = np.asarray(detector.score_samples(X))
    assert scores.shape == (len(X),), f"score_samples gave the shape {scores.shape} for {len(X)} rows"
    assert np.isfinite(scores).all(), f"{int((~np.isfinite(scores)).sum())} of {len(X)} scores are no finite numbers"


def scores_the_outlier_lowest(kind: type[Detector]) -> None:
    """A planted outlier has the lowest score: higher is more NORMAL."""
    X = with_outlier() if _reads_a_matrix(kind) else None
    if X is None:
        return
    scores = np.asarray(made(kind).fit(X).score_samples(X))
    lowest, highest = int(scores.argmin()), int(scores.argmax())
    turned = " It has the highest: give the score with a minus sign." if highest == OUTLIER else ""
    assert lowest == OUTLIER, f"the outlier is row {OUTLIER}, and row {lowest} scores lowest.{turned}"


def scores_a_row_alone_as_among_others(kind: type[Detector]) -> None:
    """A row's score does not depend on which other rows are scored with it."""
    if not _reads_a_matrix(kind):
        return
    X = with_outlier()
    detector = made(kind).fit(X)
    together = np.asarray(detector.score_samples(X[:40]))
    alone = np.concatenate([np.asarray(detector.score_samples(X[i : i + 1])) for i in range(40)])
    worst = float(np.abs(alone - together).max())
    assert worst <= 1e-6 * max(1.0, float(np.abs(together).max())), (
        f"scored alone, a row's score differs by {worst:.3g}: what is usual must be learned in fit, not in score_samples"
    )


def copes_with_few_rows(kind: type[Detector]) -> None:
    """One row, and three, are enough to fit and to score."""
    if not _reads_a_matrix(kind):
        return
    for rows in (1, 3):
        X = usual_rows(rows)
        try:
            scores = np.asarray(made(kind).fit(X).score_samples(X))
        except Exception as error:
            raise AssertionError(f"with {rows} row{'s' * (rows > 1)}: {type(error).__name__}: {error}") from error
        assert np.isfinite(scores).all(), f"with {rows} row{'s' * (rows > 1)} the scores are {scores.tolist()}"


def copes_with_a_constant_column(kind: type[Detector]) -> None:
    """A column with one value only is no trouble, and the outlier still scores lowest."""
    if not _reads_a_matrix(kind):
        return
    X = with_outlier()
    X[:, 0] = 3.0
    scores = np.asarray(made(kind).fit(X).score_samples(X))
    assert np.isfinite(scores).all(), "scores are no finite numbers: a spread of 0 must not be divided by"
    assert int(scores.argmin()) == OUTLIER, f"row {int(scores.argmin())} scores lowest, not the outlier"


def works_behind_the_preparation(kind: type[Detector]) -> None:
    """It scores a feature table with missing values and categories, prepared as in any model."""
    if not _reads_a_matrix(kind):
        return
    import pandas as pd

    table = pd.DataFrame(with_outlier().astype(float), columns=[f"c{i}" for i in range(5)])
    table.iloc[::17, 1] = np.nan
    table["kind"] = ["tcp" if i % 3 else None for i in range(len(table))]
    matrix = Preparation().fit(table).transform(table)
    assert np.isfinite(np.asarray(made(kind).fit(matrix).score_samples(matrix))).all(), "scores are no finite numbers"


def gives_the_same_scores_with_the_same_seed(kind: type[Detector]) -> None:
    """Fitted twice with the same seed it gives the same scores, to the last bit."""
    X = _matrix(kind)
    first, second = (np.asarray(made(kind).fit(X).score_samples(X)) for _ in range(2))
    assert np.array_equal(first, second), "take all randomness from a parameter random_state"


def changes_nothing_it_is_given(kind: type[Detector]) -> None:
    """Fitting and scoring change nothing in the rows they are given."""
    X = _matrix(kind)
    before = X.copy()
    made(kind).fit(X).score_samples(X)
    assert np.array_equal(X, before), "it wrote into X: work on a copy"


def survives_saving(kind: type[Detector]) -> None:
    """Saved and loaded with skops, it gives the same scores, to the last bit."""
    import skops.io

    X = _matrix(kind)
    detector = made(kind).fit(X)
    with ScratchFolder("check") as folder:
        path = Path(folder) / "detector.skops"
        try:
            skops.io.dump(detector, path)
        except Exception as error:
            raise AssertionError(
                f"it cannot be saved: {error}. Keep arrays, numbers and texts, no functions"
            ) from error
        again = load_trusted(path)
    assert np.array_equal(again.score_samples(X), detector.score_samples(X)), "loaded, it gives other scores"


def tells_contributions_that_add_up(kind: type[Detector]) -> None:
    """Where it has `contributions`, they add up to the anomaly score and blame the odd column."""
    if not hasattr(kind, "contributions") or not _reads_a_matrix(kind):
        return
    X = usual_rows()
    X[5, 2] = 12.0
    detector = made(kind).fit(X)
    parts = np.asarray(detector.contributions(X))
    assert parts.shape == X.shape, f"contributions gave the shape {parts.shape} for {X.shape}"
    assert int(parts[5].argmax()) == 2, "column 2 is odd in row 5, and another is blamed"
    assert np.allclose(parts.sum(axis=1), -detector.score_samples(X)), "they must add up to minus score_samples"


PROMISES = (
    has_parameters_with_defaults,
    fit_returns_itself,
    scores_the_outlier_lowest,
    scores_a_row_alone_as_among_others,
    copes_with_few_rows,
    copes_with_a_constant_column,
    works_behind_the_preparation,
    gives_the_same_scores_with_the_same_seed,
    changes_nothing_it_is_given,
    survives_saving,
    tells_contributions_that_add_up,
    says_what_it_is_blind_to,
)


def _reads_a_matrix(kind: type[Detector]) -> bool:
    return bool(get_tags(kind()).input_tags.two_d_array)


def _matrix(kind: type[Detector]) -> NDArray[np.generic]:
    """Return rows that the detector reads: numbers, or sequences of templates where its tags say so."""
    if _reads_a_matrix(kind):
        return with_outlier()
    rng = np.random.default_rng(7)
    texts = [" ".join(rng.choice(["open", "read", "close"], 8)) for _ in range(40)]
    return np.array([[text] for text in texts], dtype=object)
