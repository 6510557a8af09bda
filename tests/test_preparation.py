from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from socml.features.given_table import feature_names
from socml.features.preparation import Preparation
from socml.project.errors import ModelError


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_matrix_is_float32_finite_and_as_wide_as_its_names():
    frame = table(
        a=[1.0, np.nan, np.inf, -np.inf, 5.0], b=["x", None, "x", "y", "z"], c=[True, False, True, True, False]
    )
    preparation = Preparation().fit(frame)
    matrix = preparation.transform(frame)
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix).all()
    assert matrix.shape == (5, len(preparation.get_feature_names_out()))


def test_every_matrix_column_knows_the_feature_it_came_from():
    preparation = Preparation().fit(table(a=[1.0, np.nan, 3.0], b=["x", "y", "x"]))
    assert preparation.origin_ == {"a": "a", "a is missing": "a", "b=x": "b", "b=y": "b", "b rarity": "b"}


def test_a_heavy_tail_goes_through_the_logarithm_and_a_plain_column_does_not():
    rng = np.random.default_rng(0)
    heavy, plain = np.exp(3 * rng.normal(size=500)), rng.normal(size=500)
    matrix = Preparation().fit(table(heavy=heavy, plain=plain)).transform(table(heavy=heavy, plain=plain))
    assert np.allclose(matrix[:, 0], np.log1p(heavy), rtol=1e-6)
    assert np.allclose(matrix[:, 1], plain, rtol=1e-6)


def test_the_logarithm_can_be_switched_off_in_the_recipe():
    heavy = np.exp(3 * np.random.default_rng(0).normal(size=500))
    assert np.allclose(Preparation(log=False).fit_transform(table(heavy=heavy))[:, 0], heavy, rtol=1e-6)


def test_a_missing_number_becomes_the_median_and_is_marked():
    preparation = Preparation().fit(table(a=[1.0, 2.0, 9.0, np.nan]))
    assert preparation.transform(table(a=[np.nan])).tolist() == [[2.0, 1.0]]
    assert preparation.missing_["a"] == 0.25


def test_an_infinite_value_lies_beyond_everything_seen_on_its_side():
    preparation = Preparation().fit(table(a=[1.0, 5.0, -3.0]))
    matrix = preparation.transform(table(a=[np.inf, -np.inf, 5.0, -3.0]))[:, 0]
    assert matrix[0] > matrix[2]
    assert matrix[1] < matrix[3]


def test_numbers_too_large_for_the_matrix_stay_finite():
    preparation = Preparation(log=False).fit(table(a=[0.0, 1.0, 2.0]))
    assert np.isfinite(preparation.transform(table(a=[1e300, -1e300, np.finfo(float).max]))).all()


def test_an_unseen_category_is_rarer_than_any_that_was_seen():
    values = ["tcp"] * 98 + ["udp", "gre"]
    preparation = Preparation().fit(table(proto=values))
    rarity = preparation.transform(table(proto=["tcp", "udp", "never"]))[:, -1]
    assert rarity[0] < rarity[1] < rarity[2]


def test_a_missing_category_is_a_value_of_its_own_and_no_text_can_pretend_to_be_it():
    preparation = Preparation().fit(table(proto=["tcp", None, None, "udp"]))
    missing, text = preparation.transform(table(proto=[None, ""]))
    assert not np.array_equal(missing, text)
    assert preparation.typical_["proto"] is None


def test_only_frequent_values_get_a_column():
    values = ["a"] * 500 + ["b"] * 495 + [f"r{i}" for i in range(5)]
    assert Preparation().fit(table(x=values)).feature_names_out_ == ["x=a", "x=b", "x rarity"]


def test_constant_and_empty_columns_are_dropped_and_said():
    frame = table(a=[1.0, 2.0], same=[3.0, 3.0], none=[np.nan, np.nan], text=["x", "x"], blank=[None, None])
    preparation = Preparation().fit(frame)
    assert preparation.feature_names_out_ == ["a"]
    assert set(preparation.dropped_) == {"same", "none", "text", "blank"}


def test_nothing_that_varies_is_an_error_in_words():
    with pytest.raises(ModelError, match="No feature of the table varies: a"):
        Preparation().fit(table(a=[1.0, 1.0]))
    with pytest.raises(ModelError, match="no rows"):
        Preparation().fit(table(a=[]))


def test_a_renamed_column_is_an_error_that_names_the_nearest():
    preparation = Preparation().fit(table(source_bytes=[1.0, 2.0]))
    with pytest.raises(ModelError, match=r"'source_bytes', which the model reads\. Did you mean 'src_bytes'"):
        preparation.transform(table(src_bytes=[1.0]))


@pytest.mark.parametrize(("fitted", "given"), [([1.0, 2.0], ["a", "b"]), (["a", "b"], [1.0, 2.0])])
def test_a_column_that_changed_its_kind_is_an_error(fitted, given):
    preparation = Preparation().fit(table(a=fitted, b=[1.0, 2.0]))
    with pytest.raises(ModelError, match="Column 'a' was a"):
        preparation.transform(table(a=given, b=[1.0, 2.0]))


def test_a_column_that_is_all_missing_is_taken_whatever_its_type():
    preparation = Preparation().fit(table(a=[1.0, 2.0, np.nan], b=["x", "y", None]))
    assert np.isfinite(preparation.transform(table(a=[None], b=[np.nan]))).all()


def test_a_time_is_no_feature():
    with pytest.raises(ModelError, match="a feature is a number, a truth value or a category"):
        Preparation().fit(table(a=pd.to_datetime(["2026-01-01", "2026-01-02"])))


def test_order_of_columns_and_columns_that_are_no_features_do_not_matter():
    frame = table(a=[1.0, 2.0, 3.0], b=["x", "y", "x"])
    preparation = Preparation().fit(frame)
    shuffled = frame[["b", "a"]].assign(entity="h", more=1)
    assert np.array_equal(preparation.transform(shuffled), preparation.transform(frame))


def test_metadata_says_which_columns_are_features():
    frame = table(entity=["h"], source_ip=["10.0.0.1"], flows=[1.0])
    assert feature_names(frame) == ["source_ip", "flows"]
    frame.attrs["socml"] = {"features": ["flows"]}
    assert feature_names(frame) == ["flows"]


def test_the_table_that_was_given_is_not_changed():
    frame = table(a=[1.0, np.nan, 3.0], b=["x", None, "x"])
    before = frame.copy(deep=True)
    Preparation().fit(frame).transform(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_categories_of_pandas_and_of_arrow_give_the_same_matrix():
    plain = table(a=["x", "y", None, "x"])
    preparation = Preparation().fit(plain)
    for kind in ("category", "string"):
        assert np.array_equal(preparation.transform(plain.astype(kind)), preparation.transform(plain))


def test_values_that_differ_only_in_type_count_as_one():
    preparation = Preparation().fit(table(a=pd.Series([1, "1", "x"], dtype=object)))
    assert np.array_equal(*preparation.transform(table(a=pd.Series([1, "1"], dtype=object))))


def test_a_table_without_rows_gives_a_matrix_without_rows():
    frame = table(a=[1.0, 2.0], b=["x", "y"])
    assert Preparation().fit(frame).transform(frame.iloc[:0]).shape == (0, 4)
