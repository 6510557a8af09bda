"""A model file whose support vectors or neighbours are not as many as it says is refused before libsvm reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.svm import SVC, SVR, NuSVC, OneClassSVM

from socml.models import load_trusted
from socml.project import ModelError

RNG = np.random.default_rng(7)
ROWS = RNG.normal(size=(120, 3))
KINDS = RNG.integers(0, 3, 120)
MACHINES: dict[str, Callable[[], Any]] = {
    "classes": lambda: SVC(gamma=1.0).fit(ROWS, KINDS),
    "nu": lambda: NuSVC(gamma=1.0, nu=0.3).fit(ROWS, KINDS),
    "one class": lambda: OneClassSVM(gamma=1.0).fit(ROWS),
    "numbers": lambda: SVR(gamma=1.0).fit(ROWS, ROWS[:, 0]),
    "kernel": lambda: SVC(kernel="precomputed").fit(ROWS @ ROWS.T, KINDS),
}
FORGED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "more vectors": ("support_", lambda a: np.concatenate([a] * 50)),
    "no vectors": ("support_vectors_", lambda a: a[:0]),
    "narrow vectors": ("support_vectors_", lambda a: a[:, :1]),
    "no coefficients": ("_dual_coef_", lambda a: a[:0]),
    "few coefficients": ("_dual_coef_", lambda a: a[:, :2]),
    "counts": ("_n_support", lambda a: a * 1000),
    "a count below none": ("_n_support", lambda a: a - 10**6),
    "counts of one": ("_n_support", lambda a: a[:1]),
    "constants": ("_intercept_", lambda a: a[:0]),
    "chances": ("_probA", lambda a: np.ones(2)),
    "said to be sparse": ("_sparse", lambda a: True),
}
OF_A_KERNEL = {
    "rows outside": ("support_", lambda a: np.full_like(a, 2**30)),
    "rows before": ("support_", lambda a: np.full_like(a, -5)),
    "another kernel": ("kernel", lambda _: "poly"),
}
TRIED = [
    *((kind, change) for kind in ("classes", "one class", "numbers", "nu") for change in FORGED.values()),
    *(("kernel", change) for change in OF_A_KERNEL.values()),
]
# a regression's and a single class's vectors are counted by `support_` alone
HARMLESS = {("one class", "counts"), ("numbers", "counts")}


def name_of(change: tuple[str, Callable[[Any], Any]]) -> str:
    return next(name for of in (FORGED, OF_A_KERNEL) for name, one in of.items() if one is change)


@pytest.mark.parametrize(
    ("kind", "change"),
    [pytest.param(k, c, id=f"{k}, {name_of(c)}") for k, c in TRIED if (k, name_of(c)) not in HARMLESS],
)
def test_a_machine_that_is_not_of_one_size_is_refused(
    kind: str, change: tuple[str, Callable[[Any], Any]], tmp_path: Path
) -> None:
    model = MACHINES[kind]()
    attribute, forge = change
    vars(model)[attribute] = forge(vars(model)[attribute])
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises(ModelError, match=r"m\.skops is not a model that can be read"):
        load_trusted(tmp_path / "m.skops")


@pytest.mark.parametrize("kind", MACHINES)
def test_a_machine_as_it_was_fitted_is_read_and_decides_the_same(kind: str, tmp_path: Path) -> None:
    model = MACHINES[kind]()
    skops.io.dump(model, tmp_path / "m.skops")
    rows = ROWS @ ROWS.T if kind == "kernel" else ROWS
    np.testing.assert_array_equal(load_trusted(tmp_path / "m.skops").predict(rows), model.predict(rows))


@pytest.mark.parametrize("make", [LocalOutlierFactor, KNeighborsClassifier])
def test_neighbours_among_no_rows_are_refused(make: Callable[..., Any], tmp_path: Path) -> None:
    novelty = {"novelty": True} if make is LocalOutlierFactor else {}
    model = make(algorithm="brute", **novelty).fit(ROWS, KINDS)
    model._fit_X = model._fit_X[:0]
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises(ModelError, match="no row among which"):
        load_trusted(tmp_path / "m.skops")
