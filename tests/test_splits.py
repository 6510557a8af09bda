"""Few rows, lopsided shares and rare kinds → folds that have what was asked for, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from socml.evaluate import make_folds
from socml.evaluate.validation.splits import Rows
from socml.project import DataError, Validation


def rows(malicious: list[float]) -> Rows:
    count = len(malicious)
    return Rows(np.arange(count) * 1e6, np.array(["a"] * count, dtype=object), np.array(malicious))


@pytest.mark.parametrize(("share", "count", "expected"), [(0.7, 10, 7), (0.3, 10, 3), (0.9, 100, 90), (0.99, 3, 2)])
def test_the_last_share_of_the_rows_is_judged(share, count, expected):
    (fold,) = make_folds(
        rows([0.0, 1.0] * (count // 2) + [0.0] * (count % 2)), Validation(mode="temporal", test_share=share)
    )
    assert len(fold.test) == expected


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("malicious", [[0.0, 1.0], [0.0, 1.0, np.nan] * 4, [0.0] * 7, [1.0, 1.0, *[0.0] * 20]])
def test_a_draw_of_few_rows_has_rows_on_both_sides(share, malicious):
    folds = make_folds(rows(malicious), Validation(mode="random", test_share=share, folds=3))
    wanted = min(max(int(np.ceil(round(share * len(malicious), 9))), 1), len(malicious) - 1)
    assert [len(fold.test) for fold in folds] == [wanted] * 3
    assert all(sorted([*fold.train, *fold.test]) == list(range(len(malicious))) for fold in folds)


def test_a_draw_keeps_the_shares_of_the_kinds_where_it_can():
    for fold in make_folds(rows([1.0] * 10 + [0.0] * 30), Validation(mode="random", test_share=0.2, folds=4)):
        assert (fold.test < 10).sum() == 2


def test_one_row_cannot_be_drawn_from():
    with pytest.raises(DataError, match="One row cannot be parted"):
        make_folds(rows([1.0]), Validation(mode="random"))
