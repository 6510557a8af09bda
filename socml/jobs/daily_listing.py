"""A dataset → its daily list: whom to look at on each day, in order, each with its reasons.

`score_days` goes over all days in order: each is scored by the days before it, and re-ranked by the labels so far.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import Column, DailyTables, EntityDay, Step, absent_sets, build_daily, columns_of, entity_days
from socml.models import Context, DayEvidence, DayScores, EntitySurprise, read_context
from socml.project import ModelRecipe, Project, RecipeError, UnknownName, find_project, load_model_recipe
from socml.review import DailyLearner, Learned, Reason, reasons_of, silenced

if TYPE_CHECKING:
    from socml.labels import BenignRule, LabelStore

MODEL = "daily"


@dataclass(frozen=True)
class RankedDay:
    """One day of the list. `order` are positions of rows, the first to look at first; `row_id` is in the rows' order.

    `before` is what the labels of earlier days left of it, `learned` what those of the day itself made of that.
    """

    scores: DayScores
    before: DayEvidence
    learned: Learned
    row_id: NDArray[np.object_]
    order: NDArray[np.int64]

    @property
    def day(self) -> date:
        """Return the day."""
        return self.scores.day

    def frame(self) -> pd.DataFrame:
        """Return the list: day, place (1 the first), row_id, role, entity, score, once_in. Rows without a score are no part."""
        listed = self.order[self.learned.score[self.order] > 0]
        columns = {
            "day": [self.day] * len(listed),
            "place": np.arange(1, len(listed) + 1),
            "row_id": self.row_id[listed],
            "role": self.scores.role[listed],
            "entity": self.scores.entity[listed],
            "score": self.learned.score[listed],
            "once_in": self.scores.once_in[listed],
        }
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class DailyList:
    """All days of a dataset's list.

    Attributes
    ----------
    absent : feature sets for which the dataset has no events: they are left out
    """

    dataset: str
    model: ModelRecipe
    tables: DailyTables
    columns: tuple[Column, ...]
    days: tuple[RankedDay, ...]
    context: Context
    absent: tuple[str, ...]

    def of(self, day: date | str | None = None) -> RankedDay:
        """Return one day; the last if none is named.

        Raises
        ------
        UnknownName
            If the dataset has no events of that day.
        """
        if day is None:
            return self.days[-1]
        by_day = {str(ranked.day): ranked for ranked in self.days}
        if str(day) not in by_day:
            raise UnknownName(f"day of {self.dataset}", str(day), by_day)
        return by_day[str(day)]

    def frame(self) -> pd.DataFrame:
        """Return all days' lists as one table."""
        return pd.concat([ranked.frame() for ranked in self.days], ignore_index=True)

    def reasons(self, ranked: RankedDay, rows: Sequence[int]) -> list[list[Reason]]:
        """Return the reasons of some rows of a day."""
        about = about_rows(self.tables, ranked, rows)
        return [
            reasons_of(ranked.scores, ranked.learned, row, self.columns, about.get(_key(ranked, row), {}))
            for row in rows
        ]


def daily_list(
    dataset: str,
    *,
    project: Project | None = None,
    model: str | ModelRecipe = MODEL,
    labels: Mapping[str, bool] | None = None,
    step: Step | None = None,
) -> DailyList:
    """Bring a dataset's daily tables up to date and rank each of its days.

    Parameters
    ----------
    labels : row_id → whether it is malicious; what the project's label store says of the dataset if not given: labels,
        verdicts on one reason, and rules «always benign when …»
    step : called with each day that has to be built

    Raises
    ------
    UnknownName, RecipeError, ConfigurationError, DataError
    """
    project = project or find_project()
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    if recipe.mode != "daily" or not recipe.feature_sets:
        raise RecipeError(f'{recipe.path} is no model of the daily list: give mode = "daily" and features = [ … ].')
    context = read_context(project)
    tables = build_daily(recipe.feature_sets, dataset, project=project, inside=context.inside, step=step)
    columns = columns_of(tables.recipes)
    judged = read_judged(dataset, project) if labels is None else Judged(labels)
    days = tuple(rank_scored(score_days(tables, columns, judged=judged, context=context), columns, judged=judged))
    return DailyList(dataset, recipe, tables, columns, days, context, tuple(absent_sets(tables)))


@dataclass(frozen=True)
class Judged:
    """All that people said of a dataset's list.

    Attributes
    ----------
    labels : row_id → whether it is malicious
    reasons : (row_id, family) → whether that reason of the row is malicious
    rules : «always benign when …», those that are on
    """

    labels: Mapping[str, bool] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    rules: tuple[BenignRule, ...] = ()


@dataclass(frozen=True)
class ScoredDay:
    """One day as the detector scored it by the days before."""

    rows: EntityDay
    scores: DayScores
    row_id: NDArray[np.object_]


def rank_days(
    tables: DailyTables, columns: tuple[Column, ...], *, labels: Mapping[str, bool], context: Context
) -> Iterator[RankedDay]:
    """Yield each day scored by the days before it, and re-ranked by the labels of rows up to that day."""
    judged = Judged(labels)
    return rank_scored(score_days(tables, columns, judged=judged, context=context), columns, judged=judged)


def score_days(
    tables: DailyTables,
    columns: tuple[Column, ...],
    *,
    judged: Judged,
    context: Context,
    days: Iterable[EntityDay] | None = None,
) -> Iterator[ScoredDay]:
    """Yield each day scored by the days before it; of labels only that a row is malicious changes anything here.

    `days` are the rows of the tables, if they were read before.
    """
    malicious: set[tuple[date, str, str]] = set()
    detector = EntitySurprise(columns, malicious=malicious, groups=context.groups, weights=context.weights)
    bad = {row_id for row_id, is_bad in judged.labels.items() if is_bad}
    for rows in entity_days(tables) if days is None else days:
        ids = row_ids(rows.day, rows.role, rows.entity)
        named = zip(ids.tolist(), rows.role, rows.entity, strict=True) if bad else ()
        detector.malicious |= {(rows.day, role, entity) for row_id, role, entity in named if row_id in bad}
        yield ScoredDay(rows, detector.score_day(rows), ids)


def rank_scored(scored: Iterable[ScoredDay], columns: tuple[Column, ...], *, judged: Judged) -> Iterator[RankedDay]:
    """Yield scored days, in their order, as what people said of them and of the days before makes them."""
    learner: DailyLearner | None = None
    by_row: dict[str, dict[str, bool]] = {}
    for (row_id, family), malicious in judged.reasons.items():
        by_row.setdefault(row_id, {})[family] = malicious
    for of_day in scored:
        scores, ids = of_day.scores, of_day.row_id
        learner = learner or DailyLearner(scores.families)
        named = ids.tolist() if judged.labels or by_row else []
        verdicts = {i: judged.labels[row_id] for i, row_id in enumerate(named) if row_id in judged.labels}
        reasons = {
            (i, family): malicious
            for i, row_id in enumerate(named)
            for family, malicious in by_row.get(row_id, {}).items()
        }
        mask = silenced(scores, columns, judged.rules) if judged.rules else None
        before = learner.day_evidence(scores, silenced=mask)
        learner.learn(scores, verdicts, reasons)
        learned = learner.apply(scores, labelled=verdicts, silenced=mask)
        yield RankedDay(scores, before, learned, ids, np.argsort(-learned.score, kind="stable"))


def row_ids(day: date, role: NDArray[np.object_], entity: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the id of each row: a hash of the day, the role and the entity, each with its length."""
    texts = (f"daily/{day}/{len(r)}:{r}/{len(e)}:{e}" for r, e in zip(role.tolist(), entity.tolist(), strict=True))
    return np.array([hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts], dtype=object)


def read_judged(dataset: str, project: Project, *, store: LabelStore | None = None) -> Judged:
    """Return what the label store says of a dataset's list; `store` is the project's if not given."""
    from socml.labels import DIRECTION, open_labels

    if store is None:
        with open_labels(project) as opened:
            return read_judged(dataset, project, store=opened)
    current = store.current(dataset=dataset)
    verdicts = current["verdict"].to_dict() if len(current) else {}
    labels = {str(row): DIRECTION[verdict] > 0 for row, verdict in verdicts.items() if verdict in DIRECTION}
    return Judged(labels, store.reasons.directions(dataset=dataset), tuple(store.rules.standing(dataset=dataset)))


def about_rows(tables: DailyTables, ranked: RankedDay, rows: Sequence[int]) -> dict[tuple[str, str], dict[str, str]]:
    """Return what the values of some rows are about, by (role, entity) and column."""
    wanted = {_key(ranked, row) for row in rows}
    found: dict[tuple[str, str], dict[str, str]] = {key: {} for key in wanted}
    for recipe in tables.recipes:
        if not recipe.shown_with:
            continue
        table = tables.read(recipe, ranked.day).to_pandas()
        table = table[pd.MultiIndex.from_frame(table[["role", "entity"]]).isin(wanted)]
        for record in table.to_dict("records"):
            of = found[record["role"], record["entity"]]
            of |= {c: str(record[s]) for c, s in recipe.shown_with.items() if isinstance(record[s], str)}
    return found


def _key(ranked: RankedDay, row: int) -> tuple[str, str]:
    return str(ranked.scores.role[row]), str(ranked.scores.entity[row])
