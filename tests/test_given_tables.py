"""Tables as data scientists have them: numbers kept as objects, dates, named fields, dictionaries, sparse rows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.ensemble import IsolationForest

import socml
from socml.features.given_table import TableError, plain_table
from socml.features.preparation import Preparation
from socml.models import make_online
from socml.project import ModelRecipe

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
