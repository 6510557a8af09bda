"""Tables as data scientists have them: numbers kept as objects, dates, named fields, dictionaries, sparse rows."""

from __future__ import annotations

import warnings
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest

import socml
from socml.evaluate import evaluate
from socml.explanations.contributions import typical_row
from socml.features.given_table import TableError, plain_table
from socml.features.preparation import Preparation
from socml.models import make_online
from socml.project import DataError, ModelError, ModelRecipe, Notice, Project

ROWS = 60
AMOUNTS = np.random.default_rng(0).normal(10, 1, ROWS)
AMOUNTS[7] = 900.0

AS_OBJECTS = {
    "floats": [float(x) for x in AMOUNTS],
    "floats, some missing": [None if i == 3 else float(x) for i, x in enumerate(AMOUNTS)],
    "integers": [int(x) for x in AMOUNTS],
    "integers of any size": [10**25 if i == 7 else int(x) for i, x in enumerate(AMOUNTS)],
    "integers, some missing": [pd.NA if i == 3 else int(x) for i, x in enumerate(AMOUNTS)],
    "decimals of a database": [None if i == 3 else Decimal(f"{x:.2f}") for i, x in enumerate(AMOUNTS)],
    "numbers of NumPy": [np.float32(x) for x in AMOUNTS],
}


@pytest.mark.parametrize("how", list(AS_OBJECTS))
def test_numbers_kept_as_objects_are_numbers(how):
    table = pd.DataFrame({"amount": pd.Series(AS_OBJECTS[how], dtype=object)})
    detector = socml.make_detector("robust-z").fit(table)
    assert int(detector.score_samples(table).argmin()) == 7
    assert table["amount"].dtype == object, "the table that was given is as it was"


def test_numbers_kept_as_objects_are_numbers_to_explanations_and_online_models_too():
    table = pd.DataFrame({"amount": pd.Series(AS_OBJECTS["decimals of a database"], dtype=object)})
    with socml.Review(table, detector="robust-z") as review:
        assert "900" in review.explain(7).attrs["headline"]
    online = make_online(ModelRecipe(mode="online", detector="gaussian", features="mine"), ["amount"])
    online.score_learn_many(table)
    assert online.columns.kinds == {"amount": "number"}


def test_a_column_of_truth_values_is_the_same_kind_whether_or_not_one_is_missing():
    whole = pd.DataFrame({"seen": [True, False] * 20, "bytes": np.arange(40.0)})
    gaps = whole.assign(seen=pd.Series([None, *whole["seen"][1:]], dtype=object))
    for first, later in ((whole, gaps), (gaps, whole)):
        assert np.isfinite(Preparation().fit(first).transform(later)).all()


@pytest.mark.parametrize(
    "value", [date(2024, 1, 2), datetime(2024, 1, 2, 3), time(4, 5), timedelta(days=1), pd.Period("2024-01", freq="M")]
)
@pytest.mark.parametrize("gap", [False, True])
def test_dates_and_times_kept_as_objects_are_refused_with_what_to_do(value, gap):
    column = pd.Series([value, None if gap else value] * 5, dtype=object)
    with pytest.raises(TableError, match="Column 'when' is .*make numbers of it"):
        Preparation().fit(pd.DataFrame({"when": column, "bytes": np.arange(10.0)}))


def test_a_column_of_months_is_refused_with_what_to_do():
    with pytest.raises(TableError, match="make numbers of it"):
        Preparation().fit(pd.DataFrame({"when": pd.period_range("2024-01", periods=9, freq="M")}))


def test_named_fields_and_dictionaries_are_rows():
    fields = np.array([(1.0, 2), (3.0, 4), (90.0, 5)], dtype=[("bytes", float), ("ports", int)])
    assert list(plain_table(fields).columns) == ["bytes", "ports"]
    assert len(socml.make_detector("robust-z").fit(fields).score_samples(fields)) == 3
    rows = [{"bytes": 1.0, "proto": "tcp"}, {"bytes": 2.0, "proto": "udp"}]
    pd.testing.assert_frame_equal(plain_table(rows), pd.DataFrame(rows))


def test_an_estimator_is_a_detector_and_stays_as_it_was_given():
    table = pd.DataFrame({"amount": AMOUNTS, "items": np.arange(ROWS) % 5})
    given = IsolationForest(n_estimators=30, random_state=0)
    with socml.Review(table, detector=given, n_estimators=20) as review:
        assert review.queue(1)["row_id"].tolist() == ["7"]
        assert len(review.rank(table[:0])) == 0
    assert given.n_estimators == 30
    assert not hasattr(given, "estimators_")


def test_sparse_rows_are_refused_in_a_sentence():
    with pytest.raises(TableError, match="toarray"):
        socml.Review(sparse.csr_matrix(np.eye(5)))


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """A table whose rows are numbered, with a time and an entity, and a model fitted on it."""
    root = tmp_path_factory.mktemp("numbered")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(100, 2)), columns=["a", "b"])
    table.loc[7, "a"] = 9.0
    table["time"] = pd.date_range("2026-01-01", periods=100, freq="h", tz="UTC")
    table["entity"] = [f"host{i % 5}" for i in range(100)]
    return socml.fit("robust-z", table, project=Project(root=root, workspace=root / "workspace")), table


def test_the_rows_that_scores_name_are_explained_in_a_table_that_is_numbered(numbered):
    version, table = numbered
    scores = socml.anomaly_scores(version, table)
    told = socml.explain(version, table, scores.nsmallest(2, "rank").index)  # as the README does
    assert (told["row_id"].iloc[0], told["feature"].iloc[0]) == (7, "a")
    assert told[:2].equals(socml.explain(version, table, [7]))
    with pytest.raises(DataError, match="no row '100'"):
        socml.explain(version, table, ["100"])
    with pytest.raises(DataError, match="names a row twice"):
        socml.explain(version, pd.concat([table, table]), ["7"])


def test_scores_keep_the_time_and_entity_of_a_table_that_is_numbered(numbered):
    version, table = numbered
    scores = socml.anomaly_scores(version, table)
    assert scores["time"].tolist() == table["time"].tolist()
    assert scores["entity"].tolist() == table["entity"].tolist()
    twice = socml.anomaly_scores(version, pd.concat([table, table]))
    assert twice["entity"].tolist() == 2 * table["entity"].tolist()
    parted = table.set_axis(pd.MultiIndex.from_product([range(10), range(10)]), axis=0)
    assert socml.anomaly_scores(version, parted).index[7] == "(0, 7)"


def test_a_measured_time_that_is_called_time_is_said_to_be_no_feature():
    table = pd.DataFrame({"a": [1.0, 2.0, 9.0], "time": [3.0, 4.0, 400.0]})
    with pytest.warns(Notice, match="The column 'time' holds numbers, and is no feature"):
        detector = socml.make_detector("robust-z").fit(table)
    assert detector["preparation"].feature_names_in_ == ["a"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        socml.make_detector("robust-z").fit(table.assign(time=pd.date_range("2026-01-01", periods=3)))


@pytest.mark.parametrize("missing", [[0.9, np.nan, 0.1], ["0.9", "0.2", "0.1"]])
def test_what_has_no_score_has_no_place_in_an_order(missing):
    with pytest.raises(DataError, match="no place in an order"):
        evaluate(pd.Series(missing), pd.Series([0, 1, 0]))


class Told(BaseEstimator):
    """A detector that says of rows what it was made to say."""

    def __init__(self, says=None):
        self.says = says

    def fit(self, X, y=None):
        self.rows_ = len(X)
        return self

    def score_samples(self, X):
        return np.full(self.says or len(X), 0.0 if self.says else np.nan)


class Forgetful(Told):
    """A detector that keeps what it learnt where scikit-learn does not look."""

    def fit(self, X, y=None):
        return self


@pytest.mark.parametrize(
    ("made", "said"),
    [(Told(), "gave 50 times NaN for 50 rows"), (Told(3), r"gave the shape \(3,\) for 50 rows"), (Told(50), "")],
)
def test_a_detector_of_ones_own_that_says_no_number_a_row_is_told_so(made, said):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["a", "b"])
    for use in (lambda: socml.make_detector(made).fit(table), lambda: socml.Review(table, detector=made).close()):
        if not said:
            use()
            continue
        with pytest.raises(ModelError, match=said):
            use()


def test_a_detector_of_ones_own_that_seems_unfitted_is_told_so_when_it_is_checked_and_fitted(tmp_path):
    from socml.project import register, unregister

    register(Forgetful, kind="detectors")
    try:
        broken = {one.promise: one.problem for one in socml.check_component("forgetful")[1] if not one.ok}
        assert any("attribute whose name ends in _" in problem for problem in broken.values())
        with pytest.raises(ModelError, match="Forgetful keeps nothing that it learnt"):
            socml.fit(
                "forgetful",
                pd.DataFrame({"a": [1.0, 2.0, 3.0]}),
                project=Project(root=tmp_path, workspace=tmp_path / "workspace"),
            )
    finally:
        unregister("detectors", "forgetful")


FAR = {
    "int64": (2**60, "int64"),
    "the least there is": (-(2**63), "int64"),
    "the largest there is": (2**63 - ROWS, "int64"),
    "uint64": (2**64 - ROWS, "uint64"),
    "nullable": (2**60, "Int64"),
    "Arrow's": (2**60, "int64[pyarrow]"),
    "objects": (2**60, object),
    "seconds since 1970, as floats": (1_700_000_000, "float64"),
}


@pytest.mark.parametrize("how", FAR)
def test_numbers_close_together_far_from_0_keep_their_digits(how):
    far, kind = FAR[how]
    places = [int(place) for place in np.random.default_rng(0).integers(0, ROWS, ROWS)]
    table = pd.DataFrame({"n": pd.Series([far + place for place in places], dtype=kind)})
    matrix = Preparation().fit(table).transform(table)
    assert np.array_equal(matrix[:, 0] - matrix[0, 0], np.array(places) - places[0])
    near = pd.DataFrame({"n": [float(place) for place in places]})
    scores, expected = (socml.make_detector("robust-z").fit(rows).score_samples(rows) for rows in (table, near))
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_a_missing_whole_number_far_from_0_is_the_middle_one_to_the_digit(tmp_path):
    far = 2**60
    numbers = pd.Series([None, *(far + place % 5 for place in range(ROWS))], dtype="Int64")
    table = pd.DataFrame({"n": numbers, "a": np.append(AMOUNTS, 10.0)})
    assert Preparation().fit(table).transform(table)[0, :2].tolist() == [0.0, 1.0]
    version = socml.fit("isolation-forest", table, project=Project(root=tmp_path, workspace=tmp_path / "workspace"))
    assert version.preparation.typical_["n"] == far + 2
    told = socml.explain(version, table, [8])  # the row of AMOUNTS[7]
    assert told["feature"].iloc[0] == "a"
    usual = version.preparation.transform(typical_row(version.preparation))
    assert usual[0, :2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("kind", ["int64", object])
def test_whole_numbers_that_are_no_longer_told_apart_are_said(kind):
    wide = pd.DataFrame({"n": pd.Series([*(2**60 + place for place in range(9)), 5], dtype=kind)})
    with pytest.warns(Notice, match=r"'n' holds whole numbers beyond 2\^53 that are no longer told apart"):
        Preparation().fit(wide)
    beyond = pd.DataFrame({"n": pd.Series([10**30, 10**30 + 1, 3], dtype=object)})
    with pytest.warns(Notice, match="no longer told apart"):
        Preparation().fit(beyond)


@pytest.mark.parametrize("others", [[1, 2, 3], [1.5, 2, 3]])
def test_a_whole_number_beyond_any_float_is_infinite(others):
    table = pd.DataFrame({"n": pd.Series([10**400, -(10**400), *others], dtype=object)})
    assert plain_table(table)["n"].tolist() == [np.inf, -np.inf, *others]


def test_long_doubles_are_numbers_to_a_model_that_is_kept(tmp_path):
    table = pd.DataFrame({"amount": AMOUNTS.astype(np.longdouble)})
    version = socml.fit("robust-z", table, project=Project(root=tmp_path, workspace=tmp_path / "workspace"))
    assert socml.anomaly_scores(version, table)["rank"].idxmin() == "7"


def test_an_array_has_the_columns_in_the_order_they_were_fitted_in():
    table = pd.DataFrame({"b": AMOUNTS, "a": np.arange(ROWS)})
    detector = socml.make_detector("robust-z").fit(table)
    with pytest.warns(UserWarning, match="valid feature names"):
        assert np.array_equal(detector.score_samples(table.to_numpy()), detector.score_samples(table))


def test_numbers_written_as_text_are_said():
    table = pd.DataFrame({"amount": [f"{amount:.3f}" for amount in AMOUNTS], "n": np.arange(ROWS)})
    with pytest.warns(Notice, match="'amount' holds numbers written as text"):
        Preparation().fit(table)
    declared = table.copy()
    declared.attrs["socml"] = {"features": ["amount", "n"], "feature_set": "mine"}
    few = table.assign(amount=[str(i % 10) for i in range(ROWS)])
    named = table.assign(amount=[f"a{i}" for i in range(ROWS)])
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        for other in (table.astype({"amount": "category"}), declared, few, named):
            Preparation().fit(other)


def test_a_dictionary_of_columns_is_a_table():
    table = pd.DataFrame({"amount": AMOUNTS, "kind": ["a", "b"] * (ROWS // 2)})
    of_columns = table.to_dict("list")
    expected = socml.make_detector("robust-z").fit(table).anomaly_score(table)
    assert np.array_equal(socml.make_detector("robust-z").fit(of_columns).anomaly_score(of_columns), expected)
    assert socml.Review(of_columns, detector="robust-z").queue(1)["row_id"].tolist() == ["7"]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ({"amount": 1.0, "size": 2.0}, r"A dictionary is columns by name, as many values in each; one row is \[row\]"),
        ({"amount": [1.0], "size": [2.0, 3.0]}, "A dictionary is columns by name"),
        ((row for row in [[1.0], [2.0]]), r"this is a generator: give list\(X\)"),
        ({1.0, 2.0}, r"this is a set: give list\(X\)"),
    ],
)
def test_what_is_no_table_is_told_by_what_it_is(rows, match):
    for read in (socml.make_detector("robust-z").fit, socml.Review):
        with pytest.raises(TableError, match=match):
            read(rows)


def test_a_column_of_another_kind_says_what_to_make_of_it():
    table = pd.DataFrame({"amount": AMOUNTS, "band": pd.arrays.IntervalArray.from_breaks(range(ROWS + 1))})
    with pytest.raises(TableError, match="Drop it, or make numbers or a text of it"):
        Preparation().fit(table)


@pytest.mark.parametrize(
    ("column", "match"),
    [
        (pd.date_range("2026-03-04", periods=ROWS), "is datetime64"),
        (pd.to_timedelta(range(ROWS), unit="s"), "is timedelta64"),
        (AMOUNTS * 1j, "is complex128"),
        ([[1]] * ROWS, "holds lists or the like"),
    ],
)
def test_an_online_model_refuses_columns_that_a_batch_model_refuses(column, match):
    recipe = ModelRecipe(mode="online", detector="gaussian", features="flow")
    with pytest.raises(ModelError, match=match):
        make_online(recipe, ["amount"]).score_learn_many(pd.DataFrame({"amount": column}))


@pytest.mark.parametrize("kind", ["int64", "uint64", "Int64", "object"])
def test_an_online_model_tells_identifiers_beyond_float64_apart(kind):
    first = 2**60
    table = pd.DataFrame({"id": pd.Series([first + i % 5 for i in range(400)], dtype=kind)})
    far = pd.DataFrame({"id": pd.Series([first + 60], dtype=kind)})
    recipe = ModelRecipe(mode="online", detector="gaussian", features="flow", preparation={"log": False})
    at_once, one_by_one, restored = (make_online(recipe, ["id"]) for _ in range(3))
    scores, _ = at_once.score_learn_many(table)
    assert scores.tolist() == [one_by_one.score_learn_many(table.iloc[i : i + 1])[0][0] for i in range(len(table))]
    assert at_once.score_one(far) < at_once.score_one(table.iloc[:1]) - 10
    restored.columns.restore(at_once.columns.state())
    restored.detector.restore(at_once.detector.state())
    assert restored.score_one(far) == at_once.score_one(far)


def test_an_online_model_of_before_goes_on_as_it_was():
    columns = make_online(ModelRecipe(mode="online", detector="gaussian", features="flow"), ["id"]).columns
    table = pd.DataFrame({"id": [2**60, 2**60 + 1]})
    columns.restore(
        {"features": ["id"], "rows": 3, "kinds": {"id": "number"}, "categories": [], "values": [], "counts": {}}
    )
    assert columns.read(table).ravel().tolist() == [np.log1p(2.0**60)] * 2
