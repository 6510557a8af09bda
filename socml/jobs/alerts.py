"""The rows of a day that alert → alerts: one an entity and family of behaviour, told once in `quiet_days`.

`workspace/alerts/DATASET/2026-03-02.json` holds what the day gave, and `alerts.jsonl` every alert, a line each, in the
order in which they came. An alert's id is made of what it is about and its first day, so it is the same when the day is
made again. What goes on is told again sooner only if it is ten times as rare as when it was told. A day that is listed many
times, as in a watch, has one budget: what comes after it is spent is told only if it is ten times as rare as the least in it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from heapq import heapify, heappush, heapreplace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socml.jobs.daily_listing import Listing, RankedDay
from socml.project import (
    Project,
    one_at_a_time,
    private_file,
    private_folder,
    read_json,
    reading,
    safe_name,
    words,
    write_json,
)
from socml.review import Reason

MOST_REASONS = 3
WORSE = 1.0  # by how much a score must have grown to be told again: as rare as once in ten times as many


@dataclass(frozen=True)
class Told:
    """A reason: its part of the score, and words in both languages."""

    column: str
    family: str
    value: float
    part: float
    text: str
    text_fr: str


@dataclass(frozen=True)
class Alert:
    """Whom to look at, why, and where it is shown. `status` is new, or worse: it was told before and is rarer now."""

    alert_id: str
    status: str
    dataset: str
    day: str
    first_day: str
    entity: str
    role: str
    owner: str
    family: str
    score: float
    once_in_entity_days: float
    reasons: tuple[Told, ...]
    row_id: str
    run_id: str
    model_version: str
    link: str

    @property
    def severity(self) -> int:
        """Return 1 to 10, as CEF has it: 10 is as rare as one in a million."""
        return int(min(max(round(np.log10(max(self.once_in_entity_days, 1.0)) * 10 / 6), 1), 10))

    @property
    def key(self) -> str:
        """Return what tells this message from every other: the alert, its day, and whether it is new or worse."""
        return f"{self.alert_id}-{self.day}-{self.status}"

    @property
    def seconds(self) -> float:
        """Return when the day began, in seconds since 1970."""
        return (date.fromisoformat(self.day) - date(1970, 1, 1)).total_seconds()

    def headline(self, language: str = "en") -> str:
        """Return whom it is about, and the first reason."""
        first = self.reasons[0] if self.reasons else None
        text = "" if first is None else first.text_fr if language == "fr" else first.text
        return f"{self.whom(language)}: {text}"

    def whom(self, language: str = "en") -> str:
        """Return whom it is about, with the role as the list has it; that of an online model may have no words."""
        key = f"daily.role.{self.role.replace(' ', '_')}"
        return f"{self.entity} ({words(language).catalogue.get(key, self.role)})"

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Alert:
        """Return what `to_dict` made."""
        return cls(**{**record, "reasons": tuple(Told(**one) for one in record["reasons"])})


class AlertBook:
    """The alerts of a dataset, as they are kept."""

    def __init__(self, project: Project, dataset: str) -> None:
        self.folder = project.workspace / "alerts" / safe_name(dataset)
        self.path = self.folder / "alerts.jsonl"

    def of_day(self, day: date) -> list[Alert]:
        """Return the alerts of a day; none if there are none."""
        path = self.folder / f"{day}.json"
        return [Alert.from_dict(one) for one in read_json(path)] if path.is_file() else []

    def before(self, day: date, days: int) -> list[Alert]:
        """Return the alerts of so many days before a day, the earliest first."""
        return [alert for back in range(days, 0, -1) for alert in self.of_day(day - timedelta(days=back))]

    def keep(self, day: date, alerts: Sequence[Alert]) -> list[Alert]:
        """Add the alerts of a day to those it has, and return the ones that are new. What was told stays told."""
        with one_at_a_time(self.folder / "lock"):  # a night and the online models of a watch may be at it
            there = self.of_day(day)
            known = {alert.key for alert in there}
            fresh = [alert for alert in alerts if alert.key not in known]
            if fresh:
                write_json(self.folder / f"{day}.json", [alert.to_dict() for alert in (*there, *fresh)])
            add_alerts(self.path, [*there, *fresh])
        return fresh

    def read(self) -> list[Alert]:
        """Return all alerts, in the order in which they came."""
        return read_alerts(self.path)


def read_alerts(path: Path) -> list[Alert]:
    """Return the alerts of a file, a line each; none if it is not there.

    Raises
    ------
    DataError
        If a line is no alert.
    """
    with reading(path, remedy="Mend or move that file; the alerts of each day are beside it, in DAY.json"):
        return [Alert.from_dict(json.loads(line)) for line in _whole_lines(path)] if path.is_file() else []


def add_alerts(path: Path, alerts: Sequence[Alert]) -> None:
    """Write the alerts that a file lacks behind those that it has; half a line, of a run that was killed, gives way."""
    private_folder(path.parent)
    known = {alert.key for alert in read_alerts(private_file(path))}
    missing = [alert.to_dict() for alert in alerts if alert.key not in known]
    size = sum(len(line) for line in _whole_lines(path))
    if not missing and size == path.stat().st_size:
        return
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in missing))
        file.flush()
        os.fsync(file.fileno())


def make_alerts(
    listing: Listing,
    ranked: RankedDay,
    wanted: NDArray[np.bool_],
    *,
    book: AlertBook,
    quiet_days: int,
    run_id: str,
    link: str = "",
) -> list[Alert]:
    """Return the alerts of a day: of the rows that alert, one an entity and family that was not told lately.

    Parameters
    ----------
    wanted : which rows alert, in the rows' order
    quiet_days : days within which what goes on is not told again
    link : {run}, {row} and {day} are filled in
    """
    rows = [row for row in ranked.order.tolist() if wanted[row]]
    recent = _lately(book.before(ranked.day, quiet_days))
    alerts: dict[str, Alert] = {}
    for row, reasons in zip(rows, listing.reasons(ranked, rows), strict=True):
        if not reasons:
            continue
        about = (str(ranked.scores.entity[row]), reasons[0].family)
        score, before = float(ranked.learned.score[row]), recent.get(about)
        if before is None or score >= before[1] + WORSE:
            alert = _alert(
                listing, ranked, row, reasons, first_day=before[0] if before else "", run_id=run_id, link=link
            )
            alerts.setdefault(alert.alert_id, alert)  # of an entity in two roles, the higher score stands for both
    return list(alerts.values())


def within_budget(alerts: Sequence[Alert], told: Sequence[Alert], most: int | None) -> list[Alert]:
    """Return which of a day's alerts are told, in their order: up to `most` a day, with those that were told before.

    Beyond them one is told if it is `WORSE` than the least of the `most` highest, and takes its place; so decoys that come
    first cannot hide what matters. With k places and scores between 0 and s that is at most k · s / `WORSE` more.

    Parameters
    ----------
    alerts : of the day as it is ranked now, the highest first
    told : of the same model and day, in any order
    most : None is without end
    """
    known = {alert.key for alert in told}
    places = sorted((alert.score for alert in told), reverse=True)[:most]
    heapify(places)
    chosen = []
    for alert in alerts:
        if alert.key in known:
            continue
        if most is None or len(places) < most:
            heappush(places, alert.score)
        elif places and alert.score >= places[0] + WORSE:
            heapreplace(places, alert.score)
        else:
            continue
        chosen.append(alert)
    return chosen


def _alert(
    listing: Listing, ranked: RankedDay, row: int, reasons: Sequence[Reason], *, first_day: str, run_id: str, link: str
) -> Alert:
    """Return the alert of a row; without a `first_day` it is new."""
    day, row_id = ranked.day.isoformat(), str(ranked.row_id[row])
    entity, family = str(ranked.scores.entity[row]), reasons[0].family
    return Alert(
        alert_id=_id(listing.dataset, entity, family, first_day or day),
        status="worse" if first_day else "new",
        dataset=listing.dataset,
        day=day,
        first_day=first_day or day,
        entity=entity,
        role=str(ranked.scores.role[row]),
        owner=listing.context.of(entity).owner or "",
        family=family,
        score=float(ranked.learned.score[row]),
        once_in_entity_days=float(ranked.scores.once_in[row]),
        reasons=_told(reasons, listing),
        row_id=row_id,
        run_id=run_id,
        model_version=f"{listing.model.name}/daily-{listing.model.hash[:8]}",
        link=_filled(link, run=run_id, row=row_id, day=day),
    )


def _lately(alerts: Sequence[Alert]) -> dict[tuple[str, str], tuple[str, float]]:
    """Return for each entity and family the first day of what goes on, and the highest score it was told with."""
    recent: dict[tuple[str, str], tuple[str, float]] = {}
    for alert in alerts:
        about = (alert.entity, alert.family)
        recent[about] = (alert.first_day, max(alert.score, recent.get(about, ("", 0.0))[1]))
    return recent


def _told(reasons: Sequence[Reason], listing: Listing) -> tuple[Told, ...]:
    by_name = {column.name: column for column in listing.columns}
    return tuple(
        Told(
            column=reason.column,
            family=reason.family,
            value=float(reason.value),
            part=float(reason.part),
            text=reason.in_words(by_name[reason.column], words("en")),
            text_fr=reason.in_words(by_name[reason.column], words("fr")),
        )
        for reason in reasons[:MOST_REASONS]
    )


def _filled(link: str, **values: str) -> str:
    for name, value in values.items():
        link = link.replace("{" + name + "}", value)
    return link


def _id(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that were written to their end."""
    lines = path.read_bytes().splitlines(keepends=True)
    return lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines
