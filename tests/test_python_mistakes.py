"""What a data scientist gives by mistake in Python is refused in a sentence, not by an inner part's error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import socml
from socml.evaluate import evaluate
from socml.project import ConfigurationError, DataError, init_project, read_project

SCORES = pd.DataFrame({"anomaly_score": [0.2, 0.9, 0.5]}, index=pd.Index(["a", "b", "c"], name="row_id"))
TRUTH = pd.Series({"a": False, "b": True, "c": False})

MISTAKES: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "a queue of less than nothing": (lambda: socml.build_queue(SCORES, budget=-3), ConfigurationError, "budget is -3"),
    "a queue of no scores": (
        lambda: socml.build_queue(SCORES[[]].assign(rank=1)),
        DataError,
        "no column anomaly_score",
    ),
    "a queue of rows twice": (lambda: socml.build_queue(pd.concat([SCORES, SCORES])), DataError, "'a' more than once"),
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
    assert evaluate(SCORES["anomaly_score"], TRUTH) == evaluate(SCORES, TRUTH)


def test_a_table_that_holds_no_events_is_told(tmp_path) -> None:
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    with pytest.raises(DataError, match="none of the columns of events"):
        socml.build_features("flow", pd.DataFrame({"amount": [1.0]}), project=project)
    with pytest.raises(ConfigurationError, match="limit is -1"):
        socml.load_events("net", limit=-1, project=project)
