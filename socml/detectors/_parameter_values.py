"""An unfitted estimator → a sentence if one of its parameters makes no sense, before anything is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from socml.project import RecipeError

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

LARGEST = 2**63 - 1  # whole number that 64 bits hold
MOST = 100_000  # parts that a model is built of
PARTS = {  # parameters that say how many are built, of our detectors, scikit-learn's, PyOD's and River's
    "n_estimators",
    "n_bins",
    "n_models",
    "n_parts",
    "n_projections",
    "n_random_cuts",
    "n_trees",
    "narrow",
}


def check_values(estimator: object, where: str) -> None:
    """Raise RecipeError if a parameter of an estimator, or of one within it, is out of range by what its class says.

    A number of parts that no machine would build is out of range too, and so is True for a number. Blind to parameters that
    their class says nothing of.

    Examples
    --------
    >>> from socml.detectors.hbos import Hbos
    >>> check_values(Hbos(n_bins=0), "The model")
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: The model: The 'n_bins' parameter of Hbos must be an int in the range [1, inf). Got 0 instead.
    """
    from sklearn.base import BaseEstimator

    if not isinstance(estimator, BaseEstimator):
        return
    waiting: list[object] = [estimator]
    seen: list[object] = []
    try:
        while waiting:
            one = waiting.pop()
            if any(one is other for other in seen) or isinstance(one, type) or not hasattr(one, "get_params"):
                continue
            seen.append(one)
            _check_own(cast("BaseEstimator", one))
            waiting += [*one.get_params().values(), *(one._unfitted_parts() if hasattr(one, "_unfitted_parts") else [])]
    except (ValueError, TypeError) as error:
        raise RecipeError(f"{where}: {error}") from None


def check_parts(name: str, value: object, what: str) -> None:
    """Raise ValueError if a parameter says that more parts are to be built than a machine would build, or less than none."""
    if name in PARTS and isinstance(value, int | float) and not 0 <= value <= MOST:
        raise ValueError(f"{what}; it must be a number, at most {MOST:,}.")


def _check_own(estimator: BaseEstimator) -> None:
    """Raise ValueError if a parameter of an estimator itself is out of range."""
    from socml.project import Interval

    said = getattr(estimator, "_parameter_constraints", {})
    for name, value in estimator.get_params(deep=False).items():
        kinds = said.get(name, [])
        what = f"{name} of {type(estimator).__name__} is {value!r}"
        if isinstance(value, bool):
            if any(isinstance(kind, Interval) for kind in kinds) and not {"boolean", "verbose"} & set(map(str, kinds)):
                raise ValueError(f"{what}; it must be a number.")
        elif isinstance(value, int) and abs(value) > LARGEST:
            raise ValueError(f"{what}, which is beyond 64 bits.")
        else:
            check_parts(name, value, what)
    if said:
        estimator._validate_params()
