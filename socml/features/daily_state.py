"""What the daily list of a dataset has read and built so far, in `workspace/daily/DATASET/state.json`.

It is written before stale parts are cut away and after each day that was built: killed at any point, the next run
finds which days it still has to build.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from socml.project import write_json


@dataclass
class DailyState:
    """Days are ISO dates. `parts` are keys and feature sets, by name and hash, with the days that were built of each."""

    meanings: str = ""  # which meanings and inside networks everything was built with
    files: dict[str, list[str]] = field(default_factory=dict)  # event file → days that it has events of
    parts: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> DailyState:
        """Return the state as it was written; an empty one if nothing was."""
        if not path.is_file():
            return cls()
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(found["meanings"], found["files"], {name: set(days) for name, days in found["parts"].items()})

    def write(self, path: Path) -> None:
        """Write the state, in one step."""
        parts = {name: sorted(days) for name, days in sorted(self.parts.items())}
        write_json(path, {"meanings": self.meanings, "files": self.files, "parts": parts})

    @property
    def days(self) -> list[date]:
        """Return the days that have events, in order."""
        return sorted({date.fromisoformat(day) for days in self.files.values() for day in days})

    def files_of(self, day: date) -> list[str]:
        """Return the event files that have events of a day."""
        return sorted(name for name, days in self.files.items() if day.isoformat() in days)

    def make_stale(self, first: date) -> None:
        """Forget that anything was built of `first` or of a later day."""
        for days in self.parts.values():
            days.difference_update([day for day in days if day >= first.isoformat()])

    def built(self, part: str) -> set[str]:
        """Return the days that were built of a part; add to it when one more is."""
        return self.parts.setdefault(part, set())
