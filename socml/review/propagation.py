"""A verdict on one row → the rows that are like it, with a preview, and what is suggested for them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from socml.labels import DIRECTION, CurrentLabels, LabelEvent, NewLabel
from socml.project import DataError, Sentence
from socml.review.ranking_state import RankingState

ALIKE = 0.7  # of the trees: a row is like another from here on
WEIGHT = 0.3  # of a suggestion against an analyst's own label
AT_MOST = 500  # rows in one step
PREVIEW = 5


@dataclass(frozen=True)
class SimilarRows:
    """The open rows that are like one row, the most alike first.

    Attributes
    ----------
    row_id : the row they are like
    rows : DataFrame with row_id, entity, time, alike (share of the trees in which both fall into the same leaf)
        and same_signature (both fall into the same leaves of the first trees)
    """

    row_id: str
    rows: pd.DataFrame

    @property
    def nearest(self) -> pd.DataFrame:
        """The rows that are most alike, to see whether the verdict fits."""
        return self.rows.head(PREVIEW)

    @property
    def furthest(self) -> pd.DataFrame:
        """The rows that are least alike, to see how far it would reach; none twice."""
        return self.rows.iloc[PREVIEW:].tail(PREVIEW)


def similar_rows(
    board: RankingState, row_id: str, *, at_least: float = ALIKE, same_entity: bool = False, limit: int = AT_MOST
) -> SimilarRows:
    """Return the open rows that share at least `at_least` of their leaves with `row_id`.

    Blind to likeness in columns that the forest never cut.
    """
    alike = board.alike(row_id)
    row = board.row_of(row_id)
    wanted = board.is_open & (alike >= at_least)
    wanted[row] = False
    candidates = board.candidates
    if same_entity:
        wanted &= (candidates["entity"] == candidates["entity"].iloc[row]).to_numpy(dtype=bool, na_value=False)
    found = np.flatnonzero(wanted)
    found = found[np.argsort(-alike[found], kind="stable")][:limit]
    rows = board.about(found)[["entity", "time"]].reset_index(drop=True)
    rows.insert(0, "row_id", pd.Series(board.ids.names(found), dtype="str"))
    signature = candidates["signature"].to_numpy()
    return SimilarRows(row_id, rows.assign(alike=alike[found], same_signature=signature[found] == signature[row]))


def suggestions(
    standing: CurrentLabels,
    board: RankingState,
    by: str,
    row_id: str,
    row_ids: Sequence[str],
    batch_id: str = "",
    weight: float = WEIGHT,
) -> list[NewLabel]:
    """Return the labels that `by`'s verdict on `row_id` suggests for those of `row_ids` that are open.

    Raises
    ------
    DataError
        If there is no such verdict, or it says neither malicious nor benign.
    """
    label = standing.by_analyst().get((row_id, by))
    if label is None or label.suggested:
        raise DataError(Sentence("error.label.nothing_to_suggest", by=by, row=row_id))
    if label.verdict not in DIRECTION:
        raise DataError(Sentence("error.label.says_nothing", verdict=label.verdict))
    batch_id = batch_id or uuid.uuid4().hex
    if any(event.batch_id == batch_id for event in standing.standing()):
        return []
    same = _suggested(label, batch_id, weight)
    return [
        replace(same, row_id=other, client_id=f"{batch_id}:{other}")
        for other in dict.fromkeys(row_ids)
        if board.is_open[board.row_of(other)]
    ]


def _suggested(label: LabelEvent, batch_id: str, weight: float) -> NewLabel:
    """Return what a label says, as a suggestion."""
    return NewLabel(
        row_id=label.row_id,
        verdict=str(label.verdict),
        client_id=batch_id,
        run_id=label.run_id or "",
        dataset=label.dataset or "",
        reason=label.reason or "",
        family=label.family or "",
        technique=label.technique or "",
        by=label.by,
        how="propagation",
        model_version=label.model_version or "",
        weight=weight,
        batch_id=batch_id,
        suggested=True,
    )
