"""New events and an online model → their scores, a run a day, and alerts. What was scored is never scored again.

    new events → rows of the last two days → those that are new, scored and learned → checkpoint → alerts → runs

The checkpoint is one file: the model's state, and the rows of these days with their scores. Alerts and runs follow from it,
and are made again from it by whoever comes after a watch that was killed. A row of a window counts once a later window has
begun. Blind to events that come more than a day after the newest, and to what a feature set finds in earlier days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.detectors import State, read_state, write_state
from socml.features import features_since
from socml.jobs.alerts import Alert, AlertBook, Told
from socml.jobs.night_lock import no_night
from socml.models import OnlineModel, make_online, online_of_state, recipe_hash, save_online_run
from socml.project import (
    NightSettings,
    Project,
    TableMetadata,
    dataset_names,
    event_parts,
    events_snapshot,
    load_model_recipe,
    night_settings,
    read_json,
    safe_name,
    words,
    write_json,
    write_table,
)

HISTORY_DAYS = 7  # that a model learns first, and tells nothing of
KEPT_DAYS = 2  # whose rows are known
UNUSUAL = 99.9  # percentile from which a row may alert
_BLOCK = 65_536
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class OnlineRound:
    """What a round did with one model: rows that it scored, alerts that are new."""

    model: str
    rows: int = 0
    alerts: int = 0


@dataclass
class _Day:
    """The rows of a day in the order in which they were scored; `scores` has shape (2, rows): normality and percentile."""

    row_id: list[str] = field(default_factory=list)
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 0)))


def score_new_events(
    dataset: str, model: str, *, project: Project, settings: NightSettings | None = None
) -> OnlineRound:
    """Score what came since the last round, learn it, and tell what is unusual.

    Raises
    ------
    RecipeError, ModelError
        If the recipe is not of an online model, or the checkpoint is damaged or of another recipe.
    TryLater
        If another watch of the dataset is at it.
    """
    if dataset not in dataset_names(project):
        return OnlineRound(model)
    folder = project.workspace / "online" / safe_name(dataset)
    with no_night(folder, dataset):
        watched = _Watched(
            dataset, model, project, settings or night_settings(project).nightly, folder / safe_name(model)
        )
        rows = watched.score()
        return OnlineRound(model, rows, watched.tell())


class _Watched:
    """A dataset as one model has seen it so far."""

    def __init__(self, dataset: str, model: str, project: Project, settings: NightSettings, folder: Path) -> None:
        self.dataset, self.project, self.settings, self.folder = dataset, project, settings, folder
        self.recipe = load_model_recipe(model, project)
        self.days: dict[str, _Day] = {}
        self.online: OnlineModel | None = None
        self.snapshot = self.since = ""  # the events that were looked at, and the day of the first round
        self.untold = 0  # rows of that day that came before: the first round tells nothing
        self.table, self.metadata = pa.table({}), TableMetadata()
        if self._path.is_file():
            self._restore(read_state(self._path))

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.npz"

    def _restore(self, state: State) -> None:
        self.online = online_of_state(state["model"], self.recipe, where=self._path, project=self.project)
        self.snapshot, self.since, self.untold = state["snapshot"], state["since"], state["untold"]
        for day, kept in state["days"].items():
            self.days[day] = _Day(kept["row_id"].tolist(), kept["scores"])

    def _write(self) -> None:
        assert self.online is not None
        days: State = {
            day: {"row_id": np.array(kept.row_id, np.str_), "scores": kept.scores} for day, kept in self.days.items()
        }
        about = {"snapshot": self.snapshot, "since": self.since, "untold": self.untold}
        write_state(self._path, {**about, "model": self.online.state(), "days": days})

    def score(self) -> int:
        """Score and learn the rows that are new, and keep that; return how many they are."""
        snapshot = events_snapshot(self.project, self.dataset)
        # a clock that is years ahead must not make today's events old
        latest = str(datetime.now(UTC).date() + timedelta(days=1))
        days = {part.day for part in event_parts(self.project, self.dataset)}
        newest = max((day for day in days if day[:1].isdigit() and day <= latest), default="")
        if not newest:
            return 0
        first = min(self.days, default=str(date.fromisoformat(newest) - timedelta(days=HISTORY_DAYS)))
        if snapshot == self.snapshot and not self._is_untold():
            return 0
        read = features_since(self.recipe.features, self.dataset, date.fromisoformat(first), project=self.project)
        self.table, self.metadata = read[0].filter(pa.array(_days(read[0]) <= latest)), read[1]
        begins = self.online is None
        if self.online is None:
            self.online = make_online(self.recipe, list(self.metadata["features"]), project=self.project)
        fresh = self._fresh() if snapshot != self.snapshot else self.table.slice(0, 0)
        for block in _blocks(fresh):
            self._learn(self.online, block)
        if begins:
            self.since = max(self.days, default=newest)
            self.untold = len(self.days[self.since].row_id) if self.days else 0
        if snapshot != self.snapshot:
            self.snapshot = snapshot
            self._write()
        return len(fresh)

    def _fresh(self) -> pa.Table:
        """Return the rows that were not scored; of windows those alone that are over."""
        known = {row for day in self.days.values() for row in day.row_id}
        new = [row not in known for row in self.table["row_id"].to_pylist()]
        window = int(self.metadata.get("window_seconds") or 0) * 1_000_000
        times = _moments(self.table)
        over = times + window <= times.max(initial=0)
        return self.table.filter(pa.array(np.array(new, bool) & over))

    def _learn(self, online: OnlineModel, block: pa.Table) -> None:
        said = np.vstack(online.score_learn_many(block.to_pandas()))
        names, days = np.array(block["row_id"].to_pylist(), np.str_), _days(block)
        for day in np.unique(days).tolist():
            kept, at = self.days.setdefault(str(day), _Day()), days == day
            kept.row_id += names[at].tolist()
            kept.scores = np.hstack([kept.scores, said[:, at]])

    def _is_untold(self) -> bool:
        """Return whether a watch was killed before it had told what the checkpoint knows."""
        told = self._told()
        return any(told.get(day) != len(kept.row_id) for day, kept in self.days.items())

    def _told(self) -> dict[str, int]:
        """Return how many rows of each day alerts and runs were made of."""
        path = self.folder / "told.json"
        return dict(read_json(path)) if path.is_file() else {}

    def tell(self) -> int:
        """Make the alerts and runs of the days that changed, and forget the days before; return how many alerts are new."""
        if self.online is None or not len(self.table):
            return 0
        new = 0
        book, told, days = AlertBook(self.project, self.dataset), self._told(), _days(self.table)
        for day, kept in sorted(self.days.items()):
            if told.get(day) == len(kept.row_id):
                continue
            if day >= self.since:
                new += len(book.keep(date.fromisoformat(day), list(self._alerts(day, kept, book))))
            self._save_run(day, kept, self.table.filter(pa.array(days == day)))
            told[day] = len(kept.row_id)
        write_json(self.folder / "told.json", {day: rows for day, rows in told.items() if day in self.days})
        if len(self.days) > KEPT_DAYS:
            self.days = dict(sorted(self.days.items())[-KEPT_DAYS:])
            self._write()
        return new

    def _save_run(self, day: str, kept: _Day, rows: pa.Table) -> None:
        assert self.online is not None
        at = {row: number for number, row in enumerate(kept.row_id)}
        places = [at.get(row, -1) for row in rows["row_id"].to_pylist()]
        scored = rows.filter(pa.array([place >= 0 for place in places]))
        scores = kept.scores[:, [place for place in places if place >= 0]]
        path = write_table(self.folder / f"{day}.parquet", scored, self.metadata)
        save_online_run(self.online, path, scores, {"run_id": self._run_id(day), "online": True}, project=self.project)

    def _run_id(self, day: str) -> str:
        parts = (self.dataset, recipe_hash(self.recipe), day)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    def _alerts(self, day: str, kept: _Day, book: AlertBook) -> Iterator[Alert]:
        """Yield an alert for each entity with an unusual row, as the rows were scored, up to the day's budget."""
        name = self.recipe.name or ""
        recent = book.before(date.fromisoformat(day), self.settings.quiet_days)
        quiet = {alert.entity for alert in recent if alert.family == name}
        rows = {row["row_id"]: row for row in self._told_rows(kept)}
        told = 0
        for number in self._unusual(kept):
            if day == self.since and number < self.untold:
                continue
            row = rows.get(kept.row_id[number])
            if row is None or row["entity"] in quiet or told == self.settings.alerts_a_day:
                continue
            quiet.add(row["entity"])
            told += 1
            yield self._alert(day, name, row, float(kept.scores[1, number]))

    def _unusual(self, kept: _Day) -> Sequence[int]:
        return np.flatnonzero(kept.scores[1] >= UNUSUAL).tolist()

    def _told_rows(self, kept: _Day) -> list[dict[str, str]]:
        unusual = pa.array([kept.row_id[number] for number in self._unusual(kept)], pa.string())
        chosen = self.table.select(["row_id", "time", "entity"]).filter(pc.is_in(self.table["row_id"], unusual))
        return [
            {"row_id": row["row_id"], "time": f"{row['time']:%H:%M:%S}", "entity": row["entity"] or ""}
            for row in chosen.to_pylist()
        ]

    def _alert(self, day: str, name: str, row: dict[str, str], percentile: float) -> Alert:
        said = {"time": row["time"], "share": f"{percentile:.2f}", "model": name}
        text, text_fr = (words(language)("alert.online.rarer", **said) for language in ("en", "fr"))
        run_id = self._run_id(day)
        identity = "".join(f"{len(part)}:{part}" for part in (self.dataset, row["entity"], name, day))
        filled = {"run": run_id, "row": row["row_id"], "day": day}
        link = self.settings.link
        for key, value in filled.items():
            link = link.replace("{" + key + "}", value)
        return Alert(
            alert_id=hashlib.blake2b(identity.encode(), digest_size=12).hexdigest(),
            status="new",
            dataset=self.dataset,
            day=day,
            first_day=day,
            entity=row["entity"],
            role=_role(self.metadata),
            owner="",
            family=name,
            score=percentile,
            once_in_entity_days=1 / max(1 - percentile / 100, 1e-4),
            reasons=(Told(column="", family=name, value=percentile, part=1.0, text=text, text_fr=text_fr),),
            row_id=row["row_id"],
            run_id=run_id,
            model_version=f"{name}/online-{recipe_hash(self.recipe)[:8]}",
            link=link,
        )


def _role(metadata: TableMetadata) -> str:
    """Return the role of whom the rows are about, as the daily list calls it."""
    prefix = (metadata.get("entity") or [""])[0].partition("_")[0]
    return {"destination": "destination", "user": "account", "host": "host"}.get(prefix, "source")


def _moments(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(table["time"].cast(pa.int64()).to_numpy(), np.int64)


def _days(table: pa.Table) -> NDArray[np.str_]:
    return np.datetime_as_string((_moments(table) // _DAY_US).astype("datetime64[D]"))


def _blocks(table: pa.Table) -> Iterator[pa.Table]:
    for at in range(0, len(table), _BLOCK):
        yield table.slice(at, _BLOCK)
