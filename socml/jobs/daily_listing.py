"""A dataset → its daily list: whom to look at on each day, in order, each with its reasons.

`rank_days` goes over all days in order: each is scored by the days before it, and re-ranked by the labels so far.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import Column, DailyTables, EntityDay, Step, absent_sets, build_daily, columns_of, entity_days
from socml.models import MEMORY_DAYS, Context, DayEvidence, DayScores, EntitySurprise, read_context
from socml.project import ModelRecipe, Project, RecipeError, UnknownName, find_project, load_model_recipe
from socml.review import DailyLearner, Learned, Reason, reasons_of, silenced

if TYPE_CHECKING:
    from socml.labels import BenignRule, LabelStore

MODEL = "daily"


@dataclass(frozen=True)
class RankedDay:
    """One day of the list. `order` are positions of rows, the first to look at first; `row_id` is in the rows' order.

    `before` is what the labels of earlier days left of it, `learned` what those of the day itself made of that.

    Attributes
    ----------
    unlearned : the list as the labels of earlier days alone make it: what a scoring run holds
    recent : the learned scores of the days before, at most 60 of them, and of this one, the last
    """

    scores: DayScores
    before: DayEvidence
    learned: Learned
    unlearned: Learned
    row_id: NDArray[np.object_]
    order: NDArray[np.int64]
    recent: tuple[NDArray[np.float64], ...]

    def without_own_labels(self) -> RankedDay:
        """Return the day as it was before any of its own rows was labelled."""
        score = self.unlearned.score
        order, recent = np.argsort(-score, kind="stable"), (*self.recent[:-1], score)
        return replace(self, learned=self.unlearned, order=order, recent=recent)

    def told(self) -> RankedDay:
        """Return the day with the rows alone that some family has evidence of: of most lists one in ten, or fewer."""
        at = np.flatnonzero(self.scores.evidence.any(axis=1))
        learned, unlearned = self.learned.of(at), self.unlearned.of(at)
        order = np.argsort(-learned.score, kind="stable")
        return RankedDay(
            self.scores.of(at), self.before.of(at), learned, unlearned, self.row_id[at], order, self.recent
        )

    @property
    def day(self) -> date:
        """Return the day."""
        return self.scores.day

    def listed(self, most: int | None = None) -> NDArray[np.int64]:
        """Return the positions of the first rows of the list, those that have something to say."""
        first = self.order[:most]
        return first[self.learned.score[first] > 0]

    def frame(self) -> pd.DataFrame:
        """Return the list: day, place (1 the first), row_id, role, entity, score, once_in. Rows without a score are no part."""
        listed = self.listed()
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
class Listing:
    """What all days of a dataset's list have in common."""

    dataset: str
    model: ModelRecipe
    tables: DailyTables
    columns: tuple[Column, ...]
    context: Context

    def reasons(self, ranked: RankedDay, rows: Sequence[int]) -> list[list[Reason]]:
        """Return the reasons of some rows of a day."""
        about = about_rows(self.tables, ranked, rows)
        return [
            reasons_of(ranked.scores, ranked.learned, row, self.columns, about.get(_key(ranked, row), {}))
            for row in rows
        ]


@dataclass(frozen=True)
class DailyList(Listing):
    """All days of a dataset's list.

    Attributes
    ----------
    absent : feature sets for which the dataset has no events: they are left out
    roles : of all rows of all days
    """

    days: tuple[RankedDay, ...]
    absent: tuple[str, ...]
    roles: frozenset[str] = frozenset()

    @property
    def absent_families(self) -> tuple[str, ...]:
        """Families of which no feature set has events, in the recipe's order."""
        there = {column.family for column in self.columns if column.feature_set not in self.absent}
        return tuple(dict.fromkeys(column.family for column in self.columns if column.family not in there))

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


def daily_list(
    dataset: str,
    *,
    project: Project | None = None,
    model: str | ModelRecipe = MODEL,
    labels: Mapping[str, bool] | None = None,
    step: Step | None = None,
    whole: str | None = None,
) -> DailyList:
    """Bring a dataset's daily tables up to date and rank each of its days.

    Parameters
    ----------
    labels : row_id → whether it is malicious; what the project's label store says of the dataset if not given: labels,
        verdicts on one reason, and rules «always benign when …»
    step : called with each day that has to be built
    whole : the day (empty: the last) that is returned with all its rows, others with those that have something to say;
        all days have all if not given, which takes some 5 KB a row

    Raises
    ------
    UnknownName, RecipeError, ConfigurationError, DataError
    """
    project = project or find_project()
    listing = open_listing(dataset, project=project, model=model, step=step)
    judged = read_judged(dataset, project) if labels is None else Judged(labels)
    days: list[RankedDay] = []
    roles: set[str] = set()
    wanted = None if whole is None else whole or str(listing.tables.days[-1])
    for ranked in rank_days(listing.tables, listing.columns, judged=judged, context=listing.context):
        roles |= set(ranked.scores.role.tolist())
        days.append(ranked if wanted in {None, str(ranked.day)} else ranked.told())
    return DailyList(
        **vars(listing), days=tuple(days), absent=tuple(absent_sets(listing.tables)), roles=frozenset(roles)
    )


def open_listing(
    dataset: str, *, project: Project, model: str | ModelRecipe = MODEL, step: Step | None = None
) -> Listing:
    """Bring a dataset's daily tables up to date; no day is ranked yet.

    Raises
    ------
    UnknownName, RecipeError, ConfigurationError, DataError
    """
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    if recipe.mode != "daily" or not recipe.feature_sets:
        raise RecipeError(f'{recipe.where} is no model of the daily list: give mode = "daily" and features = [ … ].')
    context = read_context(project)
    tables = build_daily(recipe.feature_sets, dataset, project=project, inside=context.inside, step=step)
    return Listing(dataset, recipe, tables, columns_of(tables.recipes), context)


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

    def reasons_by_row(self) -> dict[str, dict[str, bool]]:
        """Return the verdicts on reasons: row_id → family → whether it is malicious."""
        by_row: dict[str, dict[str, bool]] = {}
        for (row_id, family), malicious in self.reasons.items():
            by_row.setdefault(row_id, {})[family] = malicious
        return by_row


@dataclass(frozen=True)
class ScoredDay:
    """One day as the detector scored it by the days before."""

    rows: EntityDay
    scores: DayScores
    row_id: NDArray[np.object_]


class Ranker:
    """Rank days one after the other: each is scored by those before it, and re-ranked by the labels up to it."""

    def __init__(self, columns: tuple[Column, ...], context: Context) -> None:
        self._columns = columns
        self._detector = EntitySurprise(columns, groups=context.groups, weights=context.weights)
        self._learner = DailyLearner(self._detector.families)
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=MEMORY_DAYS)

    def rank(self, rows: EntityDay, judged: Judged) -> RankedDay:
        """Return the list of a day that comes after all that were ranked or remembered."""
        return self.learn(self.score(rows, judged), judged)

    def score(self, rows: EntityDay, judged: Judged) -> ScoredDay:
        """Score a day by those before it; of labels only that a row is malicious changes anything here."""
        ids = row_ids(rows.day, rows.role, rows.entity)
        named = zip(ids.tolist(), rows.role, rows.entity, strict=True) if judged.labels else ()
        bad = {(rows.day, role, entity) for row_id, role, entity in named if judged.labels.get(row_id)}
        self._detector.malicious |= bad
        return ScoredDay(rows, self._detector.score_day(rows), ids)

    def learn(self, scored: ScoredDay, judged: Judged) -> RankedDay:
        """Rank a scored day as what people said of it, and of the days before, makes it."""
        scores, by_row = scored.scores, judged.reasons_by_row()
        named = list(enumerate(scored.row_id.tolist())) if judged.labels or by_row else []
        verdicts = {i: judged.labels[row_id] for i, row_id in named if row_id in judged.labels}
        reasons = {(i, family): bad for i, row_id in named for family, bad in by_row.get(row_id, {}).items()}
        mask = silenced(scores, self._columns, judged.rules) if judged.rules else None
        before = self._learner.day_evidence(scores, silenced=mask)
        unlearned = self._learner.apply(scores, silenced=mask)
        learned = unlearned
        if verdicts or reasons:
            self._learner.learn(scores, verdicts, reasons)
            learned = self._learner.apply(scores, labelled=verdicts, silenced=mask)
        self._recent.append(learned.score)
        order = np.argsort(-learned.score, kind="stable")
        return RankedDay(scores, before, learned, unlearned, scored.row_id, order, tuple(self._recent))

    def remember(
        self, rows: EntityDay, *, score: NDArray[np.float64], learned: NDArray[np.float64], malicious: Sequence[int]
    ) -> None:
        """Take a day that was ranked before, as `rank` left it; what its labels taught comes by `relearn`."""
        self._detector.malicious |= {(rows.day, rows.role[i], rows.entity[i]) for i in malicious}
        self._detector.remember(rows, score)
        self._recent.append(learned)

    def relearn(
        self, labelled: DayScores, verdicts: Mapping[int, bool], reasons: Mapping[tuple[int, str], bool]
    ) -> None:
        """Learn again what was said of a day; of `labelled` only the rows that something was said of need to be there."""
        self._learner.learn(labelled, verdicts, reasons)


def rank_days(
    tables: DailyTables, columns: tuple[Column, ...], *, judged: Judged, context: Context
) -> Iterator[RankedDay]:
    """Yield each day scored by the days before it, and re-ranked by what was said of rows up to that day."""
    ranker = Ranker(columns, context)
    for rows in entity_days(tables):
        yield ranker.rank(rows, judged)


def rank_scored(
    scored: Iterable[ScoredDay], columns: tuple[Column, ...], *, judged: Judged, context: Context
) -> Iterator[RankedDay]:
    """Yield scored days, in their order, as what people said of them and of the days before makes them."""
    ranker = Ranker(columns, context)
    for day in scored:
        yield ranker.learn(day, judged)


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
