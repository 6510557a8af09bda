"""Scores and labels → the review queue: rows in the order to look at them, each with the reason it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.project import QUEUE, ConfigurationError, ContractError, DataError, component

if TYPE_CHECKING:
    from collections.abc import Callable


def build_queue(
    scores: pd.DataFrame | pd.Series,
    labels: pd.DataFrame | None = None,
    *,
    strategy: str = "most-anomalous",
    budget: int = 100,
    seed: int = 0,
    parameters: dict[str, object] | None = None,
    predictions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the queue, at most `budget` rows; a labelled row is never in it.

    Parameters
    ----------
    scores : index row_id, column anomaly_score (higher is more anomalous), or that column alone; ranking_score if labels have
        changed the order; entity, time, signature for strategies that look at them
    labels : index row_id, column verdict; whatever the verdict, the row was seen
    strategy : name of a file in `socml/strategies/`
    parameters : of the strategy
    predictions : of `socml.review.ranker_predictions`, index as scores, for strategies that read them; without, they do without

    Returns
    -------
    DataFrame of contract `QUEUE`

    Raises
    ------
    UnknownName, ConfigurationError
        For a strategy or a parameter that does not exist, or a budget below 0.
    DataError
        If the scores have no anomaly_score, or a row twice.

    Examples
    --------
    >>> scores = pd.DataFrame({"anomaly_score": [0.2, 0.9]}, index=pd.Index(["a", "b"], name="row_id"))
    >>> build_queue(scores)
       position row_id          reason  ranking_score
    0         1      b  most-anomalous            0.9
    1         2      a  most-anomalous            0.2
    """
    if isinstance(scores, pd.Series):
        scores = scores.to_frame("anomaly_score")
    if not isinstance(scores, pd.DataFrame):
        raise DataError(
            f"The scores are a {type(scores).__name__}; give a table or a Series, whose index names the rows."
        )
    if not {"anomaly_score", "ranking_score"} & set(scores.columns):
        raise DataError(f"The scores have no column anomaly_score; they have {', '.join(map(str, scores.columns))}.")
    if not scores.index.is_unique:
        raise DataError(f"The scores have row {scores.index[scores.index.duplicated()][0]!r} more than once.")
    candidates = scores if "ranking_score" in scores else scores.assign(ranking_score=scores["anomaly_score"])
    labels = pd.DataFrame(index=candidates.index[:0]) if labels is None else labels
    chosen = choose_rows(
        candidates, labels, strategy=strategy, budget=budget, seed=seed, parameters=parameters, predictions=predictions
    )
    return as_contract(chosen, candidates, chosen.index)


def choose_rows(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    strategy: str,
    budget: int,
    seed: int = 0,
    parameters: Mapping[str, object] | None = None,
    predictions: pd.DataFrame | None = None,
) -> pd.Series:
    """Return what a strategy chooses, checked: the rows in review order, each with its reason code."""
    if not isinstance(budget, int | np.integer) or budget < 0:
        raise ConfigurationError(f"budget is {budget!r}; it is a number of rows, 0 or more.")
    choose = component("strategies", strategy)
    _check_parameters(choose, strategy, parameters or {})
    more: dict[str, object] = dict(parameters or {})
    if predictions is not None and reads_predictions(strategy):
        more["predictions"] = predictions.reindex(candidates.index)
    chosen: pd.Series = choose(candidates, labels, budget, rng=np.random.default_rng(seed), **more)
    check_choice(chosen, candidates, labels, budget, strategy)
    return chosen


def reads_predictions(strategy: str) -> bool:
    """Say whether a strategy reads what a supervised forest thinks of the rows."""
    return "predictions" in signature(component("strategies", strategy)).parameters


def check_choice(chosen: pd.Series, candidates: pd.DataFrame, labels: pd.DataFrame, budget: int, strategy: str) -> None:
    """Raise `ContractError` if a strategy broke its promise; a labelled row shown again would cost trust."""
    problem = ""
    if len(chosen) > budget:
        problem = f"{len(chosen)} rows for a budget of {budget}"
    elif not chosen.index.is_unique:
        problem = "a row twice"
    elif len(chosen.index.intersection(labels.index)):
        problem = "a row that has a label"
    elif (candidates.index.get_indexer(chosen.index) < 0).any():
        problem = "a row that is no candidate"
    elif chosen.isna().any():
        problem = "a row without a reason"
    if problem:
        raise ContractError(f"Strategy {strategy!r} returned {problem}.")


def as_contract(chosen: pd.Series, candidates: pd.DataFrame, row_ids: Sequence[str] | pd.Index) -> pd.DataFrame:
    """Return what was chosen as a table of contract `QUEUE`; `row_ids` are the names of the chosen rows."""
    at = candidates.index.get_indexer(chosen.index)
    return queue_table(row_ids, chosen.to_numpy(), candidates["ranking_score"].to_numpy()[at])


def queue_table(
    row_ids: Sequence[str] | pd.Index, reasons: Sequence[str] | NDArray[np.object_], ranking_score: NDArray[np.float64]
) -> pd.DataFrame:
    """Return rows in review order as a table of contract `QUEUE`."""
    columns = {"row_id": np.asarray(row_ids, dtype=object), "reason": reasons, "ranking_score": ranking_score}
    queue = pd.DataFrame({"position": np.arange(1, len(row_ids) + 1, dtype=np.int32), **columns})
    return queue.astype({"row_id": "str", "reason": "str"})[list(QUEUE)]


def _check_parameters(choose: Callable[..., pd.Series], strategy: str, parameters: Mapping[str, object]) -> None:
    from socml.project import did_you_mean

    given = {"rng", "predictions"}
    known = [n for n, p in signature(choose).parameters.items() if p.kind is p.KEYWORD_ONLY and n not in given]
    for name in parameters:
        if name not in known:
            raise ConfigurationError(f"Strategy {strategy!r} has no parameter {name!r}.{did_you_mean(name, known)}")
