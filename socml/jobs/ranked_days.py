"""The days of a list → those that have to be ranked now; the others are remembered from when they were.

`workspace/daily/DATASET/ranked/` holds a table a day (rows, values, scores) and what its labels taught, and `index.json`
with a chain: what a day's list depends on, from the first day on (events, recipes, context, labels). A day is ranked again
if its link is another than it was, so an old label or a late event costs the days since then, and a usual night one day.
What is remembered has the same bytes as if every day had been ranked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from socml.features import EntityDay, entity_day
from socml.jobs.alert_policy import PastDay
from socml.jobs.daily_listing import Judged, Listing, RankedDay, Ranker
from socml.models import MEMORY_DAYS, DayScores
from socml.project import DataError, read_json, read_table, write_json, write_table

VERSION = "4"  # another one when the same events, recipes and labels give other scores
_VALUE = "value."


class LabelledRow(TypedDict):
    """A row of an earlier day that something was said of, as far as labels teach by it."""

    role: str
    entity: str
    evidence: list[float]
    column: list[int]
    malicious: float | None
    reasons: dict[str, bool]


class RankedDays:
    """What is remembered of a list's days.

    Parameters
    ----------
    context : what the project says of its machines and people, as bytes: a change ranks all days again
    """

    def __init__(self, listing: Listing, judged: Judged, *, context: bytes = b"") -> None:
        self._listing, self._judged, self._labels = listing, judged, judged.labels
        self._reasons = judged.reasons_by_row()
        rules = "\n".join(sorted(map(repr, judged.rules)))
        self._folder = listing.tables.folder / "ranked"
        self._identity = hashlib.blake2b(f"{VERSION}\n{listing.model.hash}\n{rules}\n".encode() + context).hexdigest()
        index = self._read_index()
        self._chain: dict[str, str] = index["chain"]
        self._day_of: dict[str, str] = index["day_of"]  # labelled row → its day; empty if no day has it

    @property
    def days(self) -> tuple[date, ...]:
        """Return the list's days, in order."""
        return self._listing.tables.days

    def links(self) -> dict[date, str]:
        """Return for each day what its list depends on, as a hash that holds those of the days before."""
        self._find_labels()
        by_day: dict[str, list[str]] = {}
        for row_id in self._said_of():
            by_day.setdefault(self._day_of[row_id], []).append(row_id)
        links, link = {}, self._identity
        for day in self.days:
            link = self._link(day, link, by_day.get(day.isoformat(), []))
            links[day] = link
        return links

    def stale(self) -> list[date]:
        """Return the days that have to be ranked, in order: from the first that is not as it was."""
        links = self.links()
        valid = 0
        for day in self.days:
            if self._chain.get(day.isoformat()) != links[day] or not self._path(day).is_file():
                break
            valid += 1
        return list(self.days[valid:])

    def rank(self, first: date | None = None) -> Iterator[RankedDay]:
        """Yield the days that have to be ranked, and all from `first` on. One counts as ranked when the next is asked for.

        So a day whose list was not dealt with to the end is ranked again, with the same result.
        """
        stale = self.stale()
        begin = min([day for day in (first, *stale[:1]) if day is not None], default=None)
        todo = [day for day in self.days if begin is not None and day >= begin]
        if not todo:
            return
        try:
            ranker = self._remembered([day for day in self.days if day < todo[0]])
        except DataError:  # a file was lost or damaged: every day is ranked anew
            self._chain.clear()
            yield from self.rank(self.days[0])
            return
        for day in todo:
            rows = entity_day(self._listing.tables, day)
            ranked = ranker.rank(rows, self._judged)
            yield ranked
            self._keep(rows, ranked)

    def history(self) -> list[PastDay]:
        """Return the scores of the days that are remembered, at most 60, the latest last."""
        days = [day for day in self.days if self._path(day).is_file()][-MEMORY_DAYS:]
        return [PastDay(day, self._scores(day, "unlearned"), self._scores(day, "learned")) for day in days]

    def verdicts(self, day: date) -> dict[int, bool]:
        """Return the verdicts on a remembered day's rows: position of the row → whether it is malicious."""
        ids = pq.read_table(self._path(day), columns=["row_id"])["row_id"].to_pylist()
        return {i: self._labels[row_id] for i, row_id in enumerate(ids) if row_id in self._labels}

    def _scores(self, day: date, name: str) -> NDArray[np.float64]:
        if name not in pq.read_schema(self._path(day)).names:
            name = "learned"  # an earlier socml ranked this day, and kept no other
        return np.asarray(pq.read_table(self._path(day), columns=[name])[name].to_numpy())

    def _remembered(self, days: Sequence[date]) -> Ranker:
        ranker = Ranker(self._listing.columns, self._listing.context)
        recent = set(days[-MEMORY_DAYS:])
        for day in days:
            families, labelled = self._labelled(day)
            if day in recent:
                table = read_table(self._path(day))
                malicious = np.flatnonzero(table["malicious"].to_numpy(zero_copy_only=False)).tolist()
                score, learned = (table[name].to_numpy() for name in ("score", "learned"))
                ranker.remember(self._rows(day, table), score=score, learned=learned, malicious=malicious)
            if labelled:
                verdicts = {i: bool(row["malicious"]) for i, row in enumerate(labelled) if row["malicious"] is not None}
                reasons = {(i, family): bad for i, row in enumerate(labelled) for family, bad in row["reasons"].items()}
                ranker.relearn(_as_scores(day, families, labelled), verdicts, reasons)
        return ranker

    def _rows(self, day: date, table: pa.Table) -> EntityDay:
        role, entity = (np.array(table[name].to_pylist(), object) for name in ("role", "entity"))
        columns = [table[_VALUE + column.name].to_numpy() for column in self._listing.columns]
        return EntityDay(day, role, entity, np.column_stack(columns) if columns else np.empty((len(role), 0)))

    def _keep(self, rows: EntityDay, ranked: RankedDay) -> None:
        ids = ranked.row_id.tolist()
        verdicts = {row_id: self._labels[row_id] for row_id in ids if row_id in self._labels}
        said_of = [row_id for row_id in ids if row_id in verdicts or row_id in self._reasons]
        columns: dict[str, pa.Array] = {
            "row_id": pa.array(ids, pa.string()),
            "role": pa.array(rows.role.tolist(), pa.string()),
            "entity": pa.array(rows.entity.tolist(), pa.string()),
            "score": pa.array(ranked.scores.score),
            "learned": pa.array(ranked.learned.score),
            "unlearned": pa.array(ranked.unlearned.score),
            "malicious": pa.array([verdicts.get(row_id, False) for row_id in ids], pa.bool_()),
        }
        columns |= {_VALUE + c.name: pa.array(rows.values[:, i]) for i, c in enumerate(self._listing.columns)}
        write_table(self._path(ranked.day), pa.table(columns))
        self._keep_labelled(ranked, set(said_of))
        before = [day for day in self.days if day < ranked.day]
        link = self._chain[before[-1].isoformat()] if before else self._identity
        self._chain[ranked.day.isoformat()] = self._link(ranked.day, link, said_of)
        self._chain = {day: link for day, link in self._chain.items() if day <= ranked.day.isoformat()}
        self._day_of |= dict.fromkeys(said_of, ranked.day.isoformat())
        write_json(self._folder / "index.json", {"chain": self._chain, "day_of": self._day_of})

    def _keep_labelled(self, ranked: RankedDay, said_of: Collection[str]) -> None:
        path = self._folder / f"{ranked.day}.labels.json"
        if not said_of:
            path.unlink(missing_ok=True)
            return
        scores = ranked.scores
        labelled: list[LabelledRow] = [
            {
                "role": scores.role[i],
                "entity": scores.entity[i],
                "evidence": scores.evidence[i].tolist(),
                "column": scores.column[i].tolist(),
                "malicious": self._labels.get(row_id),
                "reasons": self._reasons.get(row_id, {}),
            }
            for i, row_id in enumerate(ranked.row_id.tolist())
            if row_id in said_of
        ]
        write_json(path, {"families": list(scores.families), "rows": labelled})

    def _labelled(self, day: date) -> tuple[tuple[str, ...], list[LabelledRow]]:
        """Return a day's families and what is kept of the rows that something was said of."""
        path = self._folder / f"{day}.labels.json"
        found = read_json(path) if path.is_file() else {"families": [], "rows": []}
        return tuple(found["families"]), list(found["rows"])

    def _said_of(self) -> set[str]:
        return {*self._labels, *self._reasons}

    def _find_labels(self) -> None:
        """Find the day of each labelled row, the latest days first; a row of no day is of another list."""
        unknown = {row_id for row_id in self._said_of() if row_id not in self._day_of}
        if not unknown:
            return
        for day in reversed(self.days):
            if not unknown:
                break
            if self._path(day).is_file():
                ids = set(pq.read_table(self._path(day), columns=["row_id"])["row_id"].to_pylist())
                self._day_of |= dict.fromkeys(unknown & ids, day.isoformat())
                unknown -= ids
        self._day_of |= dict.fromkeys(unknown, "")
        write_json(self._folder / "index.json", {"chain": self._chain, "day_of": self._day_of})

    def _link(self, day: date, before: str, said_of: Collection[str]) -> str:
        depends_on = [before, str(day), self._listing.tables.versions[day]]
        depends_on += [
            f"{row_id} {self._labels.get(row_id)} {sorted(self._reasons.get(row_id, {}).items())}"
            for row_id in sorted(said_of)
        ]
        return hashlib.blake2b("\n".join(depends_on).encode(), digest_size=16).hexdigest()

    def _path(self, day: date) -> Path:
        return self._folder / f"{day}.parquet"

    def _read_index(self) -> dict[str, dict[str, str]]:
        path = self._folder / "index.json"
        try:
            found = read_json(path) if path.is_file() else {}
            return {"chain": dict(found.get("chain", {})), "day_of": dict(found.get("day_of", {}))}
        except (DataError, AttributeError, TypeError, ValueError):
            return {"chain": {}, "day_of": {}}


def _as_scores(day: date, families: tuple[str, ...], labelled: Sequence[LabelledRow]) -> DayScores:
    """Return as much of a day's scores as labels teach by: the labelled rows, and of them what their families say."""
    n = len(labelled)
    nothing = np.zeros((n, 0))
    return DayScores(
        day=day,
        role=np.array([row["role"] for row in labelled], object),
        entity=np.array([row["entity"] for row in labelled], object),
        values=nothing,
        families=families,
        surprise=nothing,
        evidence=np.array([row["evidence"] for row in labelled], np.float64),
        column=np.array([row["column"] for row in labelled], np.int64),
        parts=nothing,
        score=np.zeros(n),
        once_in=np.zeros(n),
        peers=nothing,
        own_largest=nothing,
        days_seen=np.zeros(n, np.int64),
    )
