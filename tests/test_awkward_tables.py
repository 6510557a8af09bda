"""Awkward data, for every detector and the preparation before it: finite scores, nothing turned round, or a sentence."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

import socml
from socml.features.preparation import Preparation
from socml.project.errors import ModelError
from socml.project.registry import component, component_names


def make(name: str) -> BaseEstimator:
    detector = component("detectors", name)()
    return detector.set_params(random_state=0) if "random_state" in detector.get_params() else detector


DETECTORS = [n for n in component_names("detectors") if get_tags(make(n)).input_tags.two_d_array]


def usual(rows: int = 120, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(rows, columns))


def almost_constant() -> np.ndarray:
    return np.where(np.arange(120)[:, None] == 7, 1.0 + 1e-12, np.ones((120, 3)))


MATRICES = {
    "one row": usual(1),
    "two rows": usual(2),
    "one column": usual(120, 1),
    "all rows alike": np.ones((50, 3)),
    "one row twice, the rest alike": np.vstack([np.ones((50, 3)), np.full((2, 3), 2.0)]),
    "almost constant": almost_constant(),
    "duplicates": np.repeat(usual(12), 10, axis=0),
    "float32 ties": (16_777_216 + np.arange(120.0)[:, None] + usual() * 0).astype(np.float32),
    "booleans": usual() > 0.5,
    "large": usual() * 1e30,
    "tiny": usual() * 1e-30,
    "more columns than rows": usual(20, 200),
}


@pytest.mark.parametrize("shape", list(MATRICES))
@pytest.mark.parametrize("name", DETECTORS)
def test_awkward_matrices_have_finite_scores(name, shape):
    X = np.asarray(MATRICES[shape], dtype=np.float32 if shape == "float32 ties" else np.float64)
    scores = make(name).fit(X).score_samples(X)
    assert scores.shape == (len(X),)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_what_a_constant_column_has_never_been_makes_no_row_more_normal(name):
    X = usual()
    X[:, 1] = 4.0
    detector = make(name).fit(X)
    same, other = detector.score_samples(np.array([[0.0, 4.0, 0.0], [0.0, 5.0, 0.0]]))
    assert np.isfinite([same, other]).all()
    assert other <= same + 1e-9


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "isolation-forest"])
def test_sparse_matrices_are_refused_in_a_sentence(name):
    with pytest.raises(TypeError, match="[Ss]parse"):
        make(name).fit(sparse.csr_matrix(usual()))


def test_the_isolation_forest_reads_sparse_matrices_as_dense_ones():
    X = np.where(usual() > 1, usual(), 0.0)
    dense, thin = (make("isolation-forest").fit(one).score_samples(one) for one in (X, sparse.csr_matrix(X)))
    np.testing.assert_allclose(thin, dense, atol=1e-9)


def awkward_table() -> pd.DataFrame:
    n = 90
    return pd.DataFrame(
        {
            "huge": np.where(np.arange(n) == 3, 1e258, np.arange(n)),
            "infinite": np.where(np.arange(n) == 4, np.inf, np.where(np.arange(n) == 5, -np.inf, 1.0 * np.arange(n))),
            "largest": np.where(np.arange(n) == 6, -1.7e308, 1.7e308),
            "missing": np.full(n, np.nan),
            "nothing": pd.array([None] * n, dtype=pd.ArrowDtype(pa.null())),
            "half": np.where(np.arange(n) % 2, np.nan, 1.0),
            "constant": 1.0,
            "truth": np.arange(n) % 3 == 0,
            "identifier": [f"user-{i}" for i in range(n)],
            "few": np.where(np.arange(n) % 2, "a", None),
        }
    )


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", DETECTORS)
def test_awkward_columns_go_through_the_preparation(name):
    table = awkward_table()
    scores = Pipeline([("preparation", Preparation()), ("detector", make(name))]).fit(table).score_samples(table)
    assert np.isfinite(scores).all()


def test_a_column_of_dates_is_refused_by_name():
    table = pd.DataFrame({"when": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True)})
    with pytest.raises(ModelError, match="'when'"):
        Preparation().fit(table)


def test_a_table_without_a_known_value_says_that_nothing_varies():
    with pytest.raises(ModelError, match="No feature of the table varies"):
        Preparation().fit(pd.DataFrame({"a": [np.nan, np.nan], "b": [None, None]}))


def test_the_default_reads_ten_thousand_columns():
    X = np.random.default_rng(0).normal(size=(60, 10_000)).astype(np.float32)
    X[7] *= 6
    detector = component("detectors", "ensemble")(random_state=0).fit(X)
    assert int(detector.score_samples(X).argmin()) == 7
    assert np.allclose(detector.contributions(X[:3]).sum(axis=1), -detector.score_samples(X[:3]))


@pytest.mark.parametrize(("share", "rows"), [(0.1, 5), (0.3, 3)])
def test_a_share_of_few_rows_that_is_no_row_is_a_sentence(share, rows):
    with pytest.raises(ValueError, match=f"max_samples={share} of {rows} rows"):
        component("detectors", "isolation-forest")(max_samples=share).fit(usual(rows))


@pytest.mark.parametrize("name", DETECTORS)
def test_the_same_seed_gives_the_same_bytes_for_any_number_of_threads(name):
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 40)) @ rng.normal(size=(40, 40))  # so many that the libraries share the sums out
    told = []
    for threads in (1, 2, 4):
        detector = make(name)
        if "n_jobs" in detector.get_params():
            detector.set_params(n_jobs=threads)
        with threadpool_limits(threads):
            scores = detector.fit(X).score_samples(X).tobytes()
            parts = detector.contributions(X[:50]).tobytes() if hasattr(detector, "contributions") else b""
        told.append((scores, parts))
    assert told[0] == told[1] == told[2]


class OnlyArrow:
    """A table of a library that pandas knows nothing of."""

    columns = ("a", "s")

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.Table.from_pandas(self.table).__arrow_c_stream__(requested_schema)


FORMS = {
    "records": lambda table: table.to_dict("records"),
    "named fields": lambda table: np.array(list(table.itertuples(index=False)), dtype=[("a", float), ("s", "U1")]),
    "a record array": lambda table: table.astype({"s": object}).to_records(index=False),
    "Arrow": pa.Table.from_pandas,
    "only Arrow's stream": OnlyArrow,
    "a relation of DuckDB": lambda table: duckdb.from_arrow(pa.Table.from_pandas(table)),
    "Arrow's own types": lambda table: table.convert_dtypes(dtype_backend="pyarrow"),
    "Arrow's dictionaries": lambda table: table.astype({"s": pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_the_same_in_whatever_form_it_comes(form):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=60), "s": rng.choice(["x", "y", "z"], 60)})
    given = FORMS[form](table)
    expected = socml.make_detector("robust-z").fit(table).score_samples(table)
    assert np.array_equal(socml.make_detector("robust-z").fit(given).score_samples(given), expected)
    with socml.Review(given, detector="robust-z") as review:
        assert np.array_equal(review.triage.scores["anomaly_score"], -expected)


@pytest.mark.parametrize("kind", [float, int, bool])
def test_what_an_array_masks_is_missing(kind):
    values = (np.random.default_rng(0).normal(size=(80, 2)) * 3).astype(kind)
    masked = np.ma.masked_array(values, mask=np.arange(160).reshape(80, 2) % 7 == 0)
    gaps = np.where(np.ma.getmaskarray(masked), np.nan, values.astype(float))
    detector, peer = (socml.make_detector("robust-z").fit(rows) for rows in (masked, gaps))
    assert np.array_equal(detector.score_samples(masked), peer.score_samples(gaps))
    assert detector["preparation"].missing_["x0"] == pytest.approx(12 / 80, abs=0.01)
