"""A query strategy → its promises: the budget, no labelled row, a reason a row, the same queue with the same seed."""

from __future__ import annotations

from inspect import Parameter, isfunction, signature
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from socml.jobs.contracts.check import says_what_it_is_blind_to

if TYPE_CHECKING:
    from collections.abc import Callable

_SITUATIONS: dict[str, dict[str, str]] = {
    "without labels": {},
    "with malicious labels only": {"r0": "malicious", "r3": "malicious"},
    "with benign labels only": {"r0": "benign", "r40": "false_alarm"},
    "with labels of both sides": {"r0": "malicious", "r1": "benign", "r2": "unsure"},
    "with labels of rows that are elsewhere": {"elsewhere": "malicious", "r1": "benign"},
}


def takes_candidates_labels_and_budget(strategy: Callable[..., pd.Series]) -> None:
    """It is a function of candidates, labels, budget and, by keyword, rng; further parameters have defaults."""
    assert isfunction(strategy), "it is no function"
    parameters = signature(strategy).parameters
    first = list(parameters)[:3]
    assert first == ["candidates", "labels", "budget"], f"its first three parameters are {', '.join(first)}"
    assert "rng" in parameters, "it has no parameter rng"
    assert parameters["rng"].kind is Parameter.KEYWORD_ONLY, "rng must come after a *"
    for name, parameter in list(parameters.items())[3:]:
        assert name == "rng" or parameter.default is not Parameter.empty, f"{name} has no default"


def honours_the_budget(strategy: Callable[..., pd.Series]) -> None:
    """It gives as many rows as the budget says, or all that are open, and each once."""
    for situation, labels in _SITUATIONS.items():
        for budget in (1, 10, 200):
            chosen = _chosen(strategy, labels, budget)
            n_open = 60 - sum(row.startswith("r") for row in labels)
            assert len(chosen) == min(budget, n_open), (
                f"{situation}, {len(chosen)} rows for a budget of {budget} and {n_open} open rows"
            )
            assert chosen.index.is_unique, f"{situation}, a row comes twice"


def shows_no_labelled_row(strategy: Callable[..., pd.Series]) -> None:
    """It never gives a row that has a label, nor one that is no candidate."""
    for situation, labels in _SITUATIONS.items():
        chosen = set(_chosen(strategy, labels, 200).index)
        assert not chosen & set(labels), f"{situation}, it gives {sorted(chosen & set(labels))[0]}, which has one"
        assert chosen <= set(_candidates().index), f"{situation}, it gives a row that is no candidate"


def gives_a_reason_a_row(strategy: Callable[..., pd.Series]) -> None:
    """Every row has a reason, a short text."""
    reasons = list(_chosen(strategy, {}, 10))
    assert all(isinstance(reason, str) and reason for reason in reasons), f"reasons are {reasons[:3]}"


def gives_the_same_queue_with_the_same_seed(strategy: Callable[..., pd.Series]) -> None:
    """The same tables and the same rng give the same queue."""
    first, second = (_chosen(strategy, _SITUATIONS["with labels of both sides"], 20) for _ in range(2))
    assert list(first.index) == list(second.index), "take all randomness from rng"


def changes_nothing_it_is_given(strategy: Callable[..., pd.Series]) -> None:
    """It leaves the tables as they were."""
    rows, labels = _candidates(), _labels({"r0": "benign"})
    before = rows.copy(), labels.copy()
    strategy(rows, labels, 10, rng=np.random.default_rng(7))
    assert rows.equals(before[0]), "it changed the candidates"
    assert labels.equals(before[1]), "it changed the labels"


def works_without_rows_and_optional_columns(strategy: Callable[..., pd.Series]) -> None:
    """It works where there is no candidate, no label table's column, and only a ranking score."""
    rng = np.random.default_rng(7)
    assert not len(strategy(_candidates().head(0), _labels({}), 5, rng=rng)), "without candidates it gives rows"
    strategy(_candidates()[["ranking_score"]], _labels({"r1": "benign"}), 5, rng=rng)
    strategy(_candidates(), pd.DataFrame(), 5, rng=rng)


PROMISES = (
    takes_candidates_labels_and_budget,
    honours_the_budget,
    shows_no_labelled_row,
    gives_a_reason_a_row,
    gives_the_same_queue_with_the_same_seed,
    changes_nothing_it_is_given,
    works_without_rows_and_optional_columns,
    says_what_it_is_blind_to,
)


def _chosen(strategy: Callable[..., pd.Series], labels: dict[str, str], budget: int) -> pd.Series:
    chosen = strategy(_candidates(), _labels(labels), budget, rng=np.random.default_rng(7))
    assert isinstance(chosen, pd.Series), f"it gives a {type(chosen).__name__}, not a Series of reasons by row_id"
    return chosen


def _candidates() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    score = np.sort(rng.normal(size=60).round(1))[::-1]  # rounded, so that there are equal scores
    return pd.DataFrame(
        {
            "entity": rng.choice(["a", "b", "c"], 60),
            "time": pd.date_range("2026-01-01", periods=60, tz="UTC"),
            "anomaly_score": score,
            "percentile": 50.0,
            "rank": np.arange(1, 61),
            "ranking_score": score,
            "signature": rng.integers(0, 9, 60),
        },
        index=pd.Index([f"r{i}" for i in range(60)], name="row_id"),
    )


def _labels(verdicts: dict[str, str]) -> pd.DataFrame:
    index = pd.Index(list(verdicts), dtype="str", name="row_id")
    return pd.DataFrame({"verdict": list(verdicts.values())}, index=index, dtype="str")
