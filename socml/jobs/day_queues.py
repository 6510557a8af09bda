"""A day of the list and how one wants to read it → which of its rows, in what order, and why each is there.

Most anomalous is the list itself. The other ways are the strategies of Hunt, asked about entities of one day; second
looks are rows of the day on which somebody gave a verdict already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from socml.jobs.daily_listing import DailyList, RankedDay
from socml.labels import LabelEvent, LabelStore
from socml.review import choose_rows, offers_again

LISTED = "most-anomalous"
SECOND_LOOKS = "second-looks"
QUEUES = (LISTED, "mixed", "uncertain", "diverse", "random-audit", SECOND_LOOKS)
BLIND = ("second-opinion", "check-suggestion")  # nobody sees what was said before
BY_LOT = "random-audit"


def queued_rows(
    listed: DailyList, ranked: RankedDay, queue: str, store: LabelStore, *, by: str, shown: int
) -> dict[int, str]:
    """Return position in the day → why the row is there, in reading order; what is labelled already comes last.

    Rows of which nothing is unusual are only drawn by lot. Blind to what the strategy of that name is blind to.

    Parameters
    ----------
    queue : one of `QUEUES` but the first
    by : who reads; second looks are at what others said
    shown : rows that are not labelled, at most
    """
    standing = store.by_analyst(dataset=listed.dataset)
    position = {str(row_id): row for row, row_id in enumerate(ranked.row_id.tolist())}
    if queue == SECOND_LOOKS:
        return _second_looks(standing, store, listed.dataset, position, by)
    current = store.current(dataset=listed.dataset).sort_values("label_id", kind="stable")
    labels = current[["verdict"]]
    candidates = _candidates(listed, ranked, set(labels.index))
    chosen = choose_rows(
        candidates, labels, strategy=queue, budget=shown, seed=ranked.day.toordinal(), parameters=None, predictions=None
    )
    score = ranked.learned.score
    rows = {position[str(row_id)]: str(reason) for row_id, reason in chosen.items()}
    rows = {row: reason for row, reason in rows.items() if score[row] > 0 or reason == BY_LOT}
    return rows | {position[row_id]: LISTED for row_id in map(str, labels.index) if row_id in position}


def _candidates(listed: DailyList, ranked: RankedDay, labelled: set[str]) -> pd.DataFrame:
    """Return the day's rows as a strategy reads them, then the labelled rows of other days: they say where the boundary is."""
    frames = [_frame(ranked, range(len(ranked.row_id)))]
    for other in listed.days:
        if other.day != ranked.day:
            rows = [row for row, row_id in enumerate(other.row_id.tolist()) if row_id in labelled]
            frames += [_frame(other, rows)] if rows else []
    return pd.concat(frames)


def _frame(ranked: RankedDay, rows: Sequence[int]) -> pd.DataFrame:
    """Return rows of a day: score, entity, and as signature the role with the family that says most."""
    at = np.asarray(rows, dtype=np.int64)
    family = ranked.learned.evidence[at].argmax(axis=1) if len(at) else at
    roles = ranked.scores.role[at].tolist()
    return pd.DataFrame(
        {
            "ranking_score": ranked.learned.score[at],
            "entity": ranked.scores.entity[at],
            "signature": [
                f"{role} {ranked.scores.families[f]}" for role, f in zip(roles, family.tolist(), strict=True)
            ],
        },
        index=pd.Index(ranked.row_id[at], name="row_id"),
    )


def _second_looks(
    standing: pd.DataFrame, store: LabelStore, dataset: str, position: Mapping[str, int], by: str
) -> dict[int, str]:
    """Return what is offered again, then what `by` judged as the second: it can be taken back."""
    here = standing[standing["row_id"].isin(position.keys())].rename(columns={"label_id": "id"})
    labels = [LabelEvent(**{str(name): value for name, value in row.items()}) for row in here.to_dict("records")]
    offers = offers_again(labels, store.second_looks.waiting(dataset=dataset), by)
    rows = {position[offer.row_id]: offer.reason for offer in offers if offer.row_id in position}
    others = {label.row_id for label in labels if label.by != by}
    done = {label.row_id for label in labels if label.by == by and label.row_id in others}
    return rows | {position[row_id]: "second-opinion" for row_id in sorted(done) if position[row_id] not in rows}
