"""A dataset's daily list and what people said of it → the day as it is read in the morning: rows, reasons, ranges, groups.

Days are scored once and kept: after a verdict only what was learned is worked out anew.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile

import numpy as np

from socml.features import DailyTables, absent_sets, build_daily, columns_of, daily_folder, entity_day
from socml.jobs.daily_listing import (
    MODEL,
    DailyList,
    Judged,
    RankedDay,
    Ranker,
    about_rows,
    rank_scored,
    read_judged,
)
from socml.jobs.day_queues import LISTED, QUEUES, queued_rows
from socml.jobs.kept_days import KeptDay, middle_of
from socml.jobs.today_rows import DayOfEntity, TodayList, TodayReason, TodayRow, Usual, dots_of, grouped_rows
from socml.labels import BenignRule, LabelStore
from socml.models import MEMORY_DAYS, read_context, row_keys
from socml.project import Project, UnknownName, event_files, load_model_recipe
from socml.review import Reason, RuleHit, hits, reasons_of

SHOWN = 60  # rows of a day
_WEEKS = 28  # days of an entity's strip
_MIDDLE = (0.05, 0.95)  # of everyone's values: what is usual for all
_JUDGED_LEAST = 10  # labelled rows from which the share of false ones is told


class Today:
    """The daily list of one dataset, kept by an app. Threads may share it."""

    def __init__(self, dataset: str, *, project: Project) -> None:
        self.dataset, self.project = dataset, project
        self._recipe = load_model_recipe(MODEL, project)
        self._lock = threading.RLock()
        self._built: tuple[object, ...] = ()
        self._list: DailyList | None = None
        self._kept: tuple[KeptDay, ...] = ()
        self._malicious: frozenset[str] = frozenset()
        self._judged: Judged | None = None
        self._version: tuple[int, ...] = ()
        self._told: dict[tuple[date, str, tuple[int, ...]], TodayList] = {}
        self._abouts: dict[date, dict[tuple[str, str], dict[str, str]]] = {}
        self._places: dict[tuple[str, str], list[int | None]] = {}  # of an entity's row in each day

    def refresh(self, store: LabelStore) -> DailyList:
        """Return the list as it is by now: events that came are built, and what was said since is learned."""
        with self._lock:
            stamp, version = _stamp(self.project, self.dataset), store.version()
            if self._list is not None and stamp == self._built and version == self._version:
                return self._list
            judged = read_judged(self.dataset, self.project, store=store)
            self._version = version
            malicious = frozenset(row for row, bad in judged.labels.items() if bad)
            if self._list is not None and stamp == self._built and judged == self._judged:
                return self._list
            if self._list is None or stamp != self._built:
                self._build()
                self._built = _stamp(self.project, self.dataset)
            self._score(judged, malicious)
            assert self._list is not None
            listed, told = self._list, (kept.told for kept in self._kept)
            days = tuple(rank_scored(told, listed.columns, judged=judged, context=listed.context))
            self._list = replace(listed, days=days)
            self._judged = judged
            self._told = {}
            return self._list

    def of(
        self, store: LabelStore, day: str = "", *, shown: int = SHOWN, queue: str = LISTED, by: str = ""
    ) -> TodayList:
        """Return one day; the last if none is named.

        Rows are grouped in the list itself alone: what is asked for otherwise is judged one by one.

        Parameters
        ----------
        queue : how its rows are chosen, one of `QUEUES`
        by : who reads; second looks are at what others said

        Raises
        ------
        UnknownName
            If the dataset has no events of that day, or there is no such queue.
        """
        if queue not in QUEUES:
            raise UnknownName("queue", queue, QUEUES)
        with self._lock:
            listed = self.refresh(store)
            ranked = listed.of(day or None)
            if queue == LISTED:
                causes = dict.fromkeys(ranked.listed(shown).tolist(), LISTED)
            else:
                listed, ranked = self._with_all_rows(listed, ranked.day, store)
                causes = queued_rows(listed, ranked, queue, store, by=by, shown=shown)
            key = (ranked.day, queue, tuple(causes))
            if key not in self._told:
                self._told[key] = self._told_of(listed, ranked, causes, shown, grouped=queue == LISTED)
            return self._told[key]

    def drawn_from(self, store: LabelStore, day: str) -> int:
        """Return how many rows of a day have no label: of those a row is drawn by lot."""
        with self._lock:
            asked = self.refresh(store).of(day).day
            kept = next(kept for kept in self._kept if kept.day == asked)
            return len(kept) - len(kept.named(self._labelled(store)))

    def sizes(self, store: LabelStore) -> list[tuple[date, int, int]]:
        """Return of each day how many rows its list has, and how many entities were seen."""
        with self._lock:
            days = self.refresh(store).days
            counts = [int((ranked.learned.score > 0).sum()) for ranked in days]
            return [(kept.day, count, len(kept)) for kept, count in zip(self._kept, counts, strict=True)]

    def _with_all_rows(self, listed: DailyList, day: date, store: LabelStore) -> tuple[DailyList, RankedDay]:
        """Return the list and a day of it with ordinary rows too: all of that day, of others where one has a label."""
        labelled = self._labelled(store)
        days = [
            kept.whole(ranked) if ranked.day == day or not set(kept.named(labelled)) <= set(kept.at) else ranked
            for kept, ranked in zip(self._kept, listed.days, strict=True)
        ]
        listed = replace(listed, days=tuple(days))
        return listed, listed.of(day)

    def _labelled(self, store: LabelStore) -> list[str]:
        return [str(row_id) for row_id in store.current(dataset=self.dataset).index]

    def _told_of(
        self, listed: DailyList, ranked: RankedDay, causes: Mapping[int, str], shown: int, *, grouped: bool
    ) -> TodayList:
        at = [other.day for other in listed.days].index(ranked.day)
        before = listed.days[at - 1] if at else None
        self._find([_who(ranked, row) for row in causes])
        known = _families_listed(before, shown) if before is not None else None
        reasons = self._reasons(ranked, list(causes))
        marks = [
            replace(self._row(at, ranked, row, place, of_row, known), cause=cause)
            for place, ((row, cause), of_row) in enumerate(zip(causes.items(), reasons, strict=True), 1)
        ]
        rows = tuple(grouped_rows(marks) if grouped else marks)
        return TodayList(
            dataset=self.dataset,
            day=ranked.day,
            days=tuple(other.day for other in listed.days),
            rows=rows,
            of_all=len(self._kept[at]),
            new=sum(row.is_new for row in rows),
            false_expected=self._false_expected(len(rows)) if grouped else None,
            absent_families=listed.absent_families,
        )

    def strip(self, store: LabelStore, role: str, entity: str, *, until: date | None = None) -> list[DayOfEntity]:
        """Return up to 28 days of an entity, the last one `until`."""
        with self._lock:
            listed = self.refresh(store)
            self._find([(role, entity)])
            found = []
            for kept, ranked, place in zip(self._kept, listed.days, self._places[role, entity], strict=True):
                if until is None or kept.day <= until:
                    found.append(_day_of_entity(kept, ranked, place))
            return found[-_WEEKS:]

    def roles_of(self, store: LabelStore, entity: str) -> list[str]:
        """Return the roles in which an entity was seen on any day."""
        with self._lock:
            self.refresh(store)
            roles = sorted({role for kept in self._kept for role in kept.roles})
            self._find([(role, entity) for role in roles])
            return [role for role in roles if any(place is not None for place in self._places[role, entity])]

    def day_of_row(self, store: LabelStore, row_id: str) -> date | None:
        """Return the day that a row is of, None if there is no such row."""
        found = self.about_row(store, row_id)
        return None if found is None else found[0]

    def about_row(self, store: LabelStore, row_id: str) -> tuple[date, str, str] | None:
        """Return the day, the role and the entity of a row, None if there is no such row."""
        with self._lock:
            self.refresh(store)
            for kept in reversed(self._kept):
                for place in kept.named([row_id]):
                    return (kept.day, *kept.who(place))
            return None

    def entities_of(self, store: LabelStore, row_ids: Collection[str]) -> dict[str, str]:
        """Return whom rows of any day are about; a row that no day has is left out."""
        with self._lock:
            self.refresh(store)
            found = ((kept, place) for kept in self._kept for place in kept.named(row_ids).tolist())
            return {kept.row_id(place): kept.who(place)[1] for kept, place in found}

    def column(self, name: str) -> str:
        """Return the family of a column, empty if there is none of that name."""
        with self._lock:
            columns = self._list.columns if self._list is not None else ()
            return next((column.family for column in columns if column.name == name), "")

    def preview(self, store: LabelStore, rule: BenignRule) -> list[tuple[RuleHit, bool]]:
        """Return what a rule would take of the days there are, and whether each row was judged malicious."""
        with self._lock:
            listed = self.refresh(store)
            judged = self._judged or Judged()
            return [
                (hit, judged.labels.get(str(ranked.row_id[hit.row]), False))
                for ranked in listed.days
                for hit in hits(ranked.scores, listed.columns, rule)
            ]

    def _build(self) -> None:
        context = read_context(self.project)
        tables = build_daily(self._recipe.feature_sets, self.dataset, project=self.project, inside=context.inside)
        columns = columns_of(tables.recipes)
        before, absent = self._list, tuple(absent_sets(tables))
        self._list = DailyList(self.dataset, self._recipe, tables, columns, context, (), absent)
        same = before is not None and (before.columns, before.context) == (columns, context)
        self._kept = self._kept[: _same_days(before.tables, tables)] if before is not None and same else ()
        self._abouts, self._places = {}, {}

    def _score(self, judged: Judged, malicious: frozenset[str]) -> None:
        """Score the days that are not scored yet; none of them learns from what is labelled malicious before it."""
        assert self._list is not None
        changed = malicious ^ self._malicious
        of_changed = (i + 1 for i, kept in enumerate(self._kept) if changed and len(kept.named(changed)))
        valid = next(of_changed, len(self._kept))
        self._malicious = malicious
        tables = self._list.tables
        if valid == len(tables.days):
            return
        ranker = Ranker(self._list.columns, self._list.context)
        for kept in self._kept[max(0, valid - MEMORY_DAYS) : valid]:
            rows, score = kept.remembered()
            ranker.remember(rows, score=score, learned=score, malicious=kept.named(malicious).tolist())
        scored = (ranker.score(entity_day(tables, day), judged) for day in tables.days[valid:])
        self._kept = (*self._kept[:valid], *map(KeptDay.of, scored))
        self._abouts = {}

    def _row(
        self,
        at: int,
        ranked: RankedDay,
        row: int,
        place: int,
        reasons: Sequence[Reason],
        known: set[tuple[str, str, str]] | None,
    ) -> TodayRow:
        assert self._list is not None
        role, entity = _who(ranked, row)
        of_entity = self._list.context.of(entity)
        total = sum(reason.part for reason in reasons) or 1.0
        once_in = float(ranked.scores.once_in[row])
        reasons_told = tuple(TodayReason(r, self._usual(at, role, entity, r.column), r.part / total) for r in reasons)
        places = self._places[role, entity][: at + 1]
        seen = [kept.day for kept, of in zip(self._kept, places, strict=False) if of is not None]
        return TodayRow(
            row_id=str(ranked.row_id[row]),
            place=place,
            entity=entity,
            role=role,
            score=float(ranked.learned.score[row]),
            once_in=once_in,
            dots=dots_of(once_in),
            reasons=reasons_told,
            is_new=known is not None
            and bool(reasons)
            and not any((role, entity, r.family) in known for r in reasons[:2]),
            group=str(ranked.row_id[row]),
            owner=of_entity.owner,
            peer_group=of_entity.peer_group,
            watched=of_entity.watch,
            first_day=seen[0] if seen else ranked.day,
        )

    def _find(self, who: Sequence[tuple[str, str]]) -> None:
        """Find out where the rows of some entities are in each day."""
        new = [one for one in dict.fromkeys(who) if one not in self._places]
        if new:
            keys = row_keys(*(np.array(names, object) for names in zip(*new, strict=True)))
            of_days = [kept.places(keys).tolist() for kept in self._kept]
            for i, one in enumerate(new):
                self._places[one] = [places[i] if places[i] >= 0 else None for places in of_days]

    def _reasons(self, ranked: RankedDay, rows: Sequence[int]) -> list[list[Reason]]:
        """Return the reasons of rows; what their values are about is read once a day."""
        assert self._list is not None
        if ranked.day not in self._abouts:
            self._abouts[ranked.day] = about_rows(self._list.tables, ranked, _with_evidence(ranked))
        about = self._abouts[ranked.day]
        keys = [(str(ranked.scores.role[row]), str(ranked.scores.entity[row])) for row in rows]
        return [
            reasons_of(ranked.scores, ranked.learned, row, self._list.columns, about.get(key, {}))
            for row, key in zip(rows, keys, strict=True)
        ]

    def _usual(self, at: int, role: str, entity: str, column: str) -> Usual:
        assert self._list is not None
        c = next(i for i, of in enumerate(self._list.columns) if of.name == column)
        days = self._kept[max(0, at - MEMORY_DAYS) : at + 1]
        places = self._places[role, entity][max(0, at - MEMORY_DAYS) : at + 1]
        *own, now = [kept.cell(place, c) for kept, place in zip(days, places, strict=True) if place is not None]
        low, high = middle_of(days, c, role, now, _MIDDLE) or (0.0, 0.0)
        if not own or self._list.columns[c].is_new:
            return Usual(None, None, low, high, len(own))
        return Usual(min(own), max(own), low, high, len(own))

    def _false_expected(self, shown: int) -> float | None:
        judged = self._judged.labels if self._judged else {}
        if len(judged) < _JUDGED_LEAST:
            return None
        return shown * sum(not bad for bad in judged.values()) / len(judged)


def _same_days(before: DailyTables, now: DailyTables) -> int:
    """Return how many days from the first on have the same tables as before."""
    days = [zip(of.days, map(of.versions.__getitem__, of.days), strict=True) for of in (before, now)]
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*days, strict=False)))


def _who(ranked: RankedDay, row: int) -> tuple[str, str]:
    return str(ranked.scores.role[row]), str(ranked.scores.entity[row])


def _with_evidence(ranked: RankedDay) -> list[int]:
    """Return the rows that a reason can be told of."""
    found: list[int] = np.flatnonzero(ranked.scores.evidence.any(axis=1)).tolist()
    return found


def _day_of_entity(kept: KeptDay, ranked: RankedDay, place: int | None) -> DayOfEntity:
    """Return what a day says of the entity whose row is at `place` of it, None if it has none."""
    if place is None:
        return DayOfEntity(kept.day, None, 0.0, 0, ())
    row = int(np.searchsorted(kept.at, place))
    if row == len(kept.at) or kept.at[row] != place:
        return DayOfEntity(kept.day, kept.row_id(place), 0.0, 0, ())
    evidence, score = ranked.learned.evidence[row], float(ranked.learned.score[row])
    order = [f for f in np.argsort(-evidence).tolist() if evidence[f] > 0]
    families = tuple((ranked.scores.families[f], float(evidence[f])) for f in order)
    dots = dots_of(float(ranked.scores.once_in[row])) if score > 0 else 0
    return DayOfEntity(kept.day, kept.row_id(place), score, dots, families)


def _families_listed(ranked: RankedDay, shown: int) -> set[tuple[str, str, str]]:
    found = set()
    for row in ranked.listed(shown).tolist():
        for f in np.flatnonzero(ranked.learned.parts[row] > 0).tolist():
            found.add((str(ranked.scores.role[row]), str(ranked.scores.entity[row]), ranked.scores.families[f]))
    return found


def _stamp(project: Project, dataset: str) -> tuple[object, ...]:
    """Return what changes when events of a dataset do, without reading any."""
    context = project.root / "context.csv"
    files = tuple((path.name, path.stat().st_size) for path in event_files(project, dataset))
    state = daily_folder(project, dataset) / "state.json"
    return files, context.stat().st_mtime_ns if context.is_file() else 0, state.is_file()
