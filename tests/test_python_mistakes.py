"""What a data scientist gives by mistake in Python is refused in a sentence, not by an inner part's error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import socml
from socml.evaluate import evaluate
from socml.features import TableError
from socml.project import ConfigurationError, DataError, ModelError, UnknownName, init_project, read_project

SCORES = pd.DataFrame({"anomaly_score": [0.2, 0.9, 0.5]}, index=pd.Index(["a", "b", "c"], name="row_id"))
TRUTH = pd.Series({"a": False, "b": True, "c": False})

REVIEW = socml.Review(pd.Series([0.2, 0.9]))


class Lazy:
    """A table that is read when it is asked for, as polars' LazyFrame and Spark's DataFrame."""

    columns = ("a",)

    def collect(self):
        raise AssertionError


MISTAKES: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "a queue of less than nothing": (lambda: socml.build_queue(SCORES, budget=-3), ConfigurationError, "budget is -3"),
    "a queue of no scores": (
        lambda: socml.build_queue(SCORES[[]].assign(rank=1)),
        DataError,
        "no column anomaly_score",
    ),
    "a queue of rows twice": (lambda: socml.build_queue(pd.concat([SCORES, SCORES])), DataError, "'a' more than once"),
    "a queue of a list": (lambda: socml.build_queue([1.0, 2.0]), DataError, "The scores are a list"),  # type: ignore[arg-type]
    "less than nothing to look at": (lambda: REVIEW.queue(-1), ConfigurationError, "budget is -1"),
    "a name for a model": (lambda: socml.anomaly_scores("pca", SCORES), ModelError, "'pca' is no model version"),  # type: ignore[arg-type]
    "a detector for a model": (
        lambda: socml.explain(socml.make_detector("pca"), SCORES, ["a"]),  # type: ignore[arg-type]
        ModelError,
        "A OutlierDetector is no model version: socml.fit",
    ),
    "a file's name for a table": (
        lambda: socml.make_detector("pca").fit("t.csv"),
        TableError,
        "this is 't.csv'. Read a file",
    ),
    "nothing for a table": (lambda: socml.make_detector("pca").fit(None), TableError, "this is None"),  # type: ignore[arg-type]
    "a frame without rows yet": (
        lambda: socml.Review(Lazy()),
        TableError,
        r"A Lazy holds no rows yet: give X.collect\(\)",
    ),  # type: ignore[arg-type]
    "a number for a component": (lambda: socml.register(3), ConfigurationError, "3 is no component"),
    "an online detector that is none": (
        lambda: socml.DictDetector("lodda"),
        UnknownName,
        "no online detector called 'lodda'",
    ),
    "a list for a dictionary": (lambda: socml.DictDetector().learn_one([1.0]), DataError, "this is a list"),  # type: ignore[arg-type]
    "scores that are a list": (lambda: evaluate([1, 2], [0, 1]), DataError, "Scores are a table"),  # type: ignore[arg-type]
    "scores that are an array": (lambda: evaluate(np.ones(3), TRUTH), DataError, "Scores are a table"),  # type: ignore[arg-type]
    "scores of another name": (lambda: evaluate(SCORES.rename(columns=str.upper), TRUTH), DataError, "anomaly_score"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str) -> None:
    make, error, said = MISTAKES[mistake]
    with pytest.raises(error, match=said):
        make()


def test_scores_may_be_a_series() -> None:
    assert socml.build_queue(SCORES["anomaly_score"].rename("mine")).equals(socml.build_queue(SCORES))
    assert evaluate(SCORES["anomaly_score"], TRUTH) == evaluate(SCORES, TRUTH)


def test_a_table_that_holds_no_events_is_told(tmp_path) -> None:
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    with pytest.raises(DataError, match="none of the columns of events"):
        socml.build_features("flow", pd.DataFrame({"amount": [1.0]}), project=project)
    with pytest.raises(ConfigurationError, match="limit is -1"):
        socml.load_events("net", limit=-1, project=project)
