"""A night's new and changed days → what is wrong with them, kept a file a day; each day is looked at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from socml.features import DailyTables
from socml.jobs.daily_listing import Listing, RankedDay
from socml.jobs.day_checks import Problem, problems_of
from socml.jobs.day_profile import profile_of
from socml.jobs.drift import drift_of, score_summary, summaries_of
from socml.jobs.night_state import DayChecks, NightState
from socml.project import CheckSettings, Project, event_parts, events_folder, part_path, read_manifest

_DRIFT = ("feature-drift", "score-drift")
LEAST_RECORDS = 20  # records of a night below which no share in quarantine is told


class NightChecks:
    """The checks of a dataset's days."""

    def __init__(self, folder: Path, settings: CheckSettings, project: Project) -> None:
        self._folder, self._settings, self._project = folder, settings, project

    def look_at(self, tables: DailyTables, days: Sequence[date], *, listed: Mapping[str, str]) -> list[Problem]:
        """Look at the days that are not listed as they are; return what is wrong with them.

        Parameters
        ----------
        listed : day → version of its events when it was listed; a day that a problem stopped is not among them
        """
        found: list[Problem] = []
        for i, day in enumerate(days):
            is_looked_at = (self._folder / "checks" / f"{day}.json").is_file()
            if is_looked_at and listed.get(day.isoformat()) == tables.versions[day]:
                continue
            known = DayChecks.read(self._folder, day)
            if known is not None and known.profile.version == tables.versions[day]:
                found += [problem for problem in known.problems if problem.check not in _DRIFT]
                continue
            files = [part_path(self._project, tables.folder.name, part) for part in tables.events(day)]
            profile = profile_of(day, files, version=tables.versions[day], project=self._project)
            before = [DayChecks.read(self._folder, d) for d in days[max(0, i - self._settings.history_days) : i]]
            problems = problems_of(profile, [one.profile for one in before if one], self._settings)
            DayChecks(profile, tuple(problems)).write(self._folder)
            found += problems
        return found

    def drift(self, listing: Listing, ranked: RankedDay) -> list[Problem]:
        """Compare a day's columns and scores with those of the days before; return what has drifted."""
        own = DayChecks.read(self._folder, ranked.day)
        if own is None:
            return []
        now = summaries_of(listing.columns, ranked.scores.role, ranked.scores.values)
        scores = {"the list": score_summary(ranked.scores.score)}
        before = self._before(ranked.day)
        at = ranked.day.isoformat()
        remembering = {name for recipe in listing.tables.recipes if recipe.first_seen for name in recipe.columns}
        columns = [one.columns for one in before]
        drifted = drift_of("feature-drift", at, now, columns, self._settings, remembering=remembering)
        drifted += drift_of("score-drift", at, scores, [one.scores for one in before], self._settings)
        kept = [problem for problem in own.problems if problem.check not in _DRIFT]
        replace(own, problems=(*kept, *drifted), columns=now, scores=scores).write(self._folder)
        return drifted

    def _before(self, day: date) -> list[DayChecks]:
        names = sorted(p.stem for p in (self._folder / "checks").glob("*.json") if p.stem < day.isoformat())
        found = [DayChecks.read(self._folder, date.fromisoformat(n)) for n in names[-self._settings.history_days :]]
        return [one for one in found if one is not None and one.columns]

    def lag(self, days: Sequence[date], state: NightState, now: datetime) -> list[Problem]:
        """Return whether the newest event of the days that are over is too old, where nights have found newer ones before."""
        last = DayChecks.read(self._folder, days[-1]) if days else None
        if last is None or not last.profile.sources:
            return []
        newest = max(source.last for source in last.profile.sources.values())
        end = datetime.combine(days[-1], datetime.min.time(), UTC).timestamp() + newest
        hours = (now.timestamp() - end) / 3600
        if hours <= self._settings.lag_h:
            state.was_fresh = True
            return []
        text = f"the newest event is {hours:,.0f} hours old"
        late = Problem("lag", days[-1].isoformat(), "all sources", text, last.profile.rows)
        return [late] if state.was_fresh else []


def of_ingest(dataset: str, state: NightState, settings: CheckSettings, project: Project) -> list[Problem]:
    """Return whether too much of what came since the last night is in quarantine."""
    events, quarantined = counts_of(dataset, project)
    new, bad = max(events - state.events, 0), quarantined - state.quarantined
    if bad <= 0 or new + bad < LEAST_RECORDS or bad / (new + bad) <= settings.quarantine_share:
        return []
    share = bad / (new + bad)
    text = f"{bad:,} of {new + bad:,} records that came did not parse ({share:.1%}): socml quarantine {dataset}"
    return [Problem("quarantine", "", dataset, text, new + bad, round(share, 4))]


def of_copies(same_bytes: Sequence[tuple[str, str]], altered: Sequence[str]) -> list[Problem]:
    """Return which files came twice, under two names or changed under one: their events count twice."""
    text = (
        "has the same bytes as {}: its events count twice; copies = true under [stream] in the recipe takes them once"
    )
    changed = (
        "begins as it did when it was read before, and goes on otherwise: if it was mended in place, what it had counts "
        "twice; socml ingest PATHS --anew with all files takes it once"
    )
    return [
        *(Problem("copies", "", other, text.format(one), len(same_bytes)) for one, other in same_bytes),
        *(Problem("copies", "", name, changed, len(altered)) for name in altered),
    ]


def counts_of(dataset: str, project: Project) -> tuple[int, int]:
    """Return how many events a dataset has, and how many records are in quarantine; nothing is read but the manifest."""
    manifest = read_manifest(events_folder(project, dataset))
    quarantined = sum(part.rows for part in manifest.quarantine) if manifest else 0
    return sum(part.rows for part in event_parts(project, dataset)), quarantined
