"""What the daily list of a dataset has read and built so far, in `workspace/daily/DATASET/state.json`.

It is written before stale parts are cut away and after each day that was built: killed at any point, the next run
finds which days it still has to build. It knows the events by their day and by what their parts were merged from, never
by the names of files: what `ingest` merges makes nothing stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from socml.project import UNDATED, Part, origin_of, write_json

VERSION = 2  # 1 knew events by the names of their files
KEY = "key "  # begins the parts that are kept of keys: their files remember more than one day


@dataclass
class DailyState:
    """Days are ISO dates. `built` are keys and feature sets, by name and hash, with the days that were built of each."""

    meanings: str = ""  # which meanings and inside networks everything was built with
    events: dict[str, str] = field(default_factory=dict)  # day → what tells its events from others
    spread: dict[str, list[str]] = field(default_factory=dict)  # part of several days → those days
    parts: dict[str, set[str]] = field(default_factory=dict)
    uncut: set[str] = field(default_factory=set)  # parts that may remember what is stale: cut that away first

    @classmethod
    def read(cls, path: Path) -> DailyState:
        """Return the state as it was written; an empty one if nothing was, or an earlier socml did."""
        if not path.is_file():
            return cls()
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("version") != VERSION:
            return cls()
        parts = {name: set(days) for name, days in found["parts"].items()}
        return cls(found["meanings"], found["events"], found["spread"], parts, set(found["uncut"]))

    def write(self, path: Path) -> None:
        """Write the state, in one step."""
        parts = {name: sorted(days) for name, days in sorted(self.parts.items())}
        about = {"version": VERSION, "meanings": self.meanings, "uncut": sorted(self.uncut)}
        write_json(path, {**about, "events": self.events, "spread": self.spread, "parts": parts})

    @property
    def days(self) -> list[date]:
        """Return the days that have events, in order."""
        return sorted(date.fromisoformat(day) for day in self.events)

    def take(self, parts: Iterable[Part], days_in: Callable[[Part], list[str]], *, kept_from: str = "") -> None:
        """Make the days whose events are no longer as they were stale, and all later ones.

        Parameters
        ----------
        days_in : reads which days a part has that is of several
        kept_from : day before which events were removed because they were old: what was built of them stays as it is
        """
        by_day: dict[str, list[Part]] = {}
        spread: dict[str, list[str]] = {}
        for part in parts:
            for day in self._days_of(part, spread, days_in):
                by_day.setdefault(day, []).append(part)
        now = {day: origin_of(of) for day, of in by_day.items() if day >= kept_from}
        now |= {day: origin for day, origin in self.events.items() if day < kept_from}
        now = dict(sorted(now.items()))
        changed = [day for day in {*now, *self.events} if now.get(day) != self.events.get(day)]
        self.events, self.spread = now, spread
        if changed:
            self.make_stale(date.fromisoformat(min(changed)))

    def parts_of(self, day: date, parts: Iterable[Part]) -> list[Part]:
        """Return which of the parts have events of a day."""
        at = day.isoformat()
        return [part for part in parts if at in (part.day, *self.spread.get(part.file, ()))]

    def make_stale(self, first: date) -> None:
        """Forget that anything was built of `first` or of a later day."""
        at = first.isoformat()
        for name, days in self.parts.items():
            if gone := {day for day in days if day >= at}:
                days.difference_update(gone)
                self.uncut |= {name} if name.startswith(KEY) else set()

    def built(self, part: str) -> set[str]:
        """Return the days that were built of a part; add to it when one more is."""
        return self.parts.setdefault(part, set())

    def _days_of(self, part: Part, spread: dict[str, list[str]], days_in: Callable[[Part], list[str]]) -> list[str]:
        if part.day:
            return [] if part.day == UNDATED else [part.day]
        spread[part.file] = self.spread[part.file] if part.file in self.spread else days_in(part)
        return spread[part.file]
