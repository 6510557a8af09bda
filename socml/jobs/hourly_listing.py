"""A day of the daily list → the same list for each of its hours: whom to look at now, while the day goes on.

The same columns by hour, the same detector; an hour is compared with those of the week before it. What is kept of the
hours is in `workspace/daily/DATASET/hours/`, so a watch that asks again builds the hours of the running day alone.
Labels, which are on rows of days, teach nothing here; the list of the running day, which learns, is the nightly's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import entity_hours
from socml.jobs.daily_listing import MODEL, Listing, open_listing
from socml.models import DayScores, EntitySurprise
from socml.project import ModelRecipe, Project, UnknownName, find_project
from socml.review import DailyLearner, Reason, reasons_of

MEMORY_HOURS = 7 * 24
_WEEK = 8  # days that are read: the one that is listed, and a week before it


@dataclass(frozen=True)
class RankedHour:
    """One hour of the list. `order` are positions of rows, the first to look at first."""

    begin: datetime
    scores: DayScores
    order: NDArray[np.int64]

    def frame(self) -> pd.DataFrame:
        """Return the list: time, place (1 the first), role, entity, score, once_in. Rows without a score are no part."""
        listed = self.order[self.scores.score[self.order] > 0]
        columns = {
            "time": [self.begin] * len(listed),
            "place": np.arange(1, len(listed) + 1),
            "role": self.scores.role[listed],
            "entity": self.scores.entity[listed],
            "score": self.scores.score[listed],
            "once_in": self.scores.once_in[listed],
        }
        return pd.DataFrame(columns)

    def reasons(self, listing: Listing, row: int) -> list[Reason]:
        """Return why a row is where it is, the largest part first."""
        learned = DailyLearner(self.scores.families).apply(self.scores)
        return reasons_of(self.scores, learned, row, listing.columns, {})


def hourly_list(
    dataset: str,
    *,
    project: Project | None = None,
    day: date | str | None = None,
    model: str | ModelRecipe = MODEL,
    listing: Listing | None = None,
) -> list[RankedHour]:
    """Bring a dataset's tables up to date and rank the hours of one day that have events, in their order.

    Parameters
    ----------
    day : the last with events if not given
    listing : the dataset's list, if it is open already

    Raises
    ------
    UnknownName
        If the dataset has no events of that day.
    RecipeError, ConfigurationError, DataError
    """
    project = project or find_project()
    listing = listing or open_listing(dataset, project=project, model=model)
    wanted = _day(listing, day)
    detector = EntitySurprise(
        listing.columns, memory_days=MEMORY_HOURS, groups=listing.context.groups, weights=listing.context.weights
    )
    ranked = []
    for earlier in [d for d in listing.tables.days if d <= wanted][-_WEEK:]:
        for hour in entity_hours(listing.tables, earlier, dataset, project=project, inside=listing.context.inside):
            scores = detector.score_day(hour.rows)
            if earlier == wanted:
                ranked.append(RankedHour(hour.begin, scores, np.argsort(-scores.score, kind="stable")))
    return ranked


def entity_hour_table(
    dataset: str, *, project: Project | None = None, role: str = "source inside", model: str | ModelRecipe = MODEL
) -> pd.DataFrame:
    """Return all hours of all days as one feature table, for any detector: LODA, random cut forest, isolation forest.

    Index `row_id` ("2026-03-02T09 10.0.0.1"), columns `time`, `entity`, then log(1 + value) of each column of the role.

    Parameters
    ----------
    role : "source inside", "destination inside", "host inside", "account inside" or "source outside"
    """
    project = project or find_project()
    listing = open_listing(dataset, project=project, model=model)
    chosen = [i for i, column in enumerate(listing.columns) if column.role == role.split(" ", maxsplit=1)[0]]
    names = [listing.columns[i].name for i in chosen]
    return pd.concat(list(_hour_frames(dataset, listing, project, role, chosen, names)))


def _hour_frames(
    dataset: str, listing: Listing, project: Project, role: str, chosen: list[int], names: list[str]
) -> Iterator[pd.DataFrame]:
    yield pd.DataFrame({"time": pd.Series(dtype="datetime64[us, UTC]"), "entity": pd.Series(dtype=object)})
    for day in listing.tables.days:
        for hour in entity_hours(listing.tables, day, dataset, project=project, inside=listing.context.inside):
            mine = hour.rows.role == role
            entity = hour.rows.entity[mine]
            frame = pd.DataFrame(np.log1p(hour.rows.values[mine][:, chosen]), columns=names)
            frame.insert(0, "entity", entity)
            frame.insert(0, "time", pd.Timestamp(hour.begin).as_unit("us"))
            yield frame.set_index(pd.Index([f"{hour.begin:%Y-%m-%dT%H} {one}" for one in entity], name="row_id"))


def _day(listing: Listing, day: date | str | None) -> date:
    by_name = {str(one): one for one in listing.tables.days}
    if day is None:
        return listing.tables.days[-1]
    if str(day) not in by_name:
        raise UnknownName(f"day of {listing.dataset}", str(day), by_name)
    return by_name[str(day)]
