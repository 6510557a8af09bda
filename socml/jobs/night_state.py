"""What the nights of a dataset have done so far: `workspace/nights/DATASET/`.

`state.json` has the watermark and what each day was listed with; `checks/2026-03-02.json` what was seen of a day;
`reports/` a file a night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from socml.jobs.day_checks import Problem
from socml.jobs.day_profile import DayProfile
from socml.jobs.drift import Summary
from socml.project import Project, read_json, safe_name, write_json

MOST_REPORTS = 400
_NUMBER = re.compile(r"n(\d{7})-")


@dataclass
class NightState:
    """Days are ISO dates.

    Attributes
    ----------
    watermark : the latest day that was listed; empty before the first night
    alert_from : days before it are history: they were there before the first night, and nobody is interrupted for them
    versions : day → what its events were when it was listed
    runs : day → the scoring run that holds its list
    was_fresh : whether a night has ever found events that were not too old: logs of years ago are no lag
    superseded : runs of days that were listed again since; the next night removes them
    events, quarantined : how many there were after the last night
    """

    watermark: str = ""
    alert_from: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    superseded: list[str] = field(default_factory=list)
    was_fresh: bool = False
    events: int = 0
    quarantined: int = 0

    @classmethod
    def read(cls, folder: Path) -> NightState:
        """Return the state of a dataset's nights; an empty one before the first."""
        path = folder / "state.json"
        return cls(**read_json(path)) if path.is_file() else cls()

    def write(self, folder: Path) -> None:
        """Write the state, in one step."""
        write_json(folder / "state.json", asdict(self))


@dataclass(frozen=True)
class DayChecks:
    """What was seen of a day: its profile, what is wrong, and what its columns and scores were like."""

    profile: DayProfile
    problems: tuple[Problem, ...]
    columns: Mapping[str, Summary] = field(default_factory=dict)
    scores: Mapping[str, Summary] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it, in one step."""
        record = {
            "profile": self.profile.to_dict(),
            "problems": [problem.to_dict() for problem in self.problems],
            "columns": {name: asdict(one) for name, one in self.columns.items()},
            "scores": {name: asdict(one) for name, one in self.scores.items()},
        }
        write_json(folder / "checks" / f"{self.profile.day}.json", record)

    @classmethod
    def read(cls, folder: Path, day: date) -> DayChecks | None:
        """Return what was seen of a day; None if nobody looked."""
        path = folder / "checks" / f"{day}.json"
        if not path.is_file():
            return None
        record = read_json(path)
        return cls(
            DayProfile.from_dict(record["profile"]),
            tuple(Problem(**one) for one in record["problems"]),
            {name: Summary(**one) for name, one in record["columns"].items()},
            {name: Summary(**one) for name, one in record["scores"].items()},
        )


@dataclass
class NightReport:
    """What a night did.

    Attributes
    ----------
    listed : days whose list was made
    alerts : how many were told that had not been before
    stopped : why no list was made; empty if all were
    """

    night: str
    dataset: str
    started: str
    finished: str = ""
    added: int = 0
    quarantined: int = 0
    duplicates: int = 0
    failed_files: list[str] = field(default_factory=list)
    built: int = 0
    listed: list[str] = field(default_factory=list)
    alerts: int = 0
    problems: list[Problem] = field(default_factory=list)
    deliveries: list[dict[str, object]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Return whether nothing is wrong: no problem, nothing unread, everything delivered."""
        waiting = any(one["waiting"] or one["error"] for one in self.deliveries)
        return not (self.problems or self.failed_files or self.stopped or waiting)

    def is_idle(self, before: NightReport | None) -> bool:
        """Return whether there was nothing to do, and nothing is wrong that was not in the night before."""
        moved = any(one["sent"] or one["refused"] for one in self.deliveries)
        did = self.added or self.quarantined or self.listed or self.removed or moved
        return not did and self._wrong() == (before._wrong() if before else [])

    def _wrong(self) -> list[tuple[object, ...]]:
        """Return what is wrong, without figures that change by themselves, such as hours."""
        waiting = [(one["sink"], one["waiting"]) for one in self.deliveries if one["waiting"] or one["error"]]
        found = [(one.check, one.day, one.subject) for one in self.problems]
        return [
            *found,
            *((reason,) for reason in self.failed_files),
            *waiting,
            *([("stopped",)] if self.stopped else []),
        ]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {**asdict(self), "ok": self.is_well}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> NightReport:
        """Return what `to_dict` made."""
        values = {name: value for name, value in record.items() if name != "ok"}
        return cls(**{**values, "problems": [Problem(**one) for one in record["problems"]]})


def nights_folder(project: Project, dataset: str) -> Path:
    """Return the folder of a dataset's nights, whether or not it is there."""
    return project.workspace / "nights" / safe_name(dataset)


def keep_report(folder: Path, report: NightReport) -> None:
    """Keep what a night did; of more than 400 the oldest go.

    The file's name begins with how many there were: a night whose clock was wrong is not the last for ever.
    """
    paths = _reports(folder)
    number = _NUMBER.match(paths[-1].name) if paths else None
    name = f"n{int(number[1]) + 1 if number else 1:07}-{report.night}.json"
    write_json(folder / "reports" / name, report.to_dict())
    for path in [*paths, folder / "reports" / name][:-MOST_REPORTS]:
        path.unlink()


def last_reports(folder: Path, n: int) -> list[NightReport]:
    """Return what the last nights did, the last one last; none before the first."""
    return [NightReport.from_dict(read_json(path)) for path in _reports(folder)[-n:]]


def _reports(folder: Path) -> list[Path]:
    """Return the reports in their order. Those of an earlier socml, whose names begin with a year, come first."""
    return sorted((folder / "reports").glob("*.json"))
