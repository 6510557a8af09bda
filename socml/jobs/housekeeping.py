"""What is too old, or was made again since → removed, as socml.toml says. What a person has judged stays.

Events go by day; the tables, lists and memory that were made of them stay. A day whose events are gone is not made again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, timedelta

from socml.features import daily_folder
from socml.ingestion import forget_events
from socml.jobs.night_state import NightState
from socml.labels import read_labels
from socml.project import (
    UNDATED,
    NightSettings,
    Project,
    Run,
    audit,
    drop_leaves,
    event_parts,
    leaves_file,
    list_runs,
    run_folder,
)

GB = 1 << 30


def tidy(
    dataset: str, state: NightState, settings: NightSettings, project: Project, *, outdated: Iterable[str] = ()
) -> list[str]:
    """Remove what the settings say, and return what was removed, a sentence each.

    Parameters
    ----------
    outdated : runs that were superseded before this night
    """
    removed = [*_runs(dataset, outdated, state, project)]
    newest = date.fromisoformat(state.watermark) if state.watermark else None
    if newest and settings.keep_runs_days:
        removed += _old_lists(dataset, newest - timedelta(days=settings.keep_runs_days), state, project)
    if settings.keep_leaves_runs:
        removed += _old_leaves(dataset, settings.keep_leaves_runs, project)
    first = _first_kept(dataset, newest, settings, project)
    if first:
        parts = forget_events(dataset, first, project=project)
        if parts:
            removed.append(f"events before {first}: {parts:,} parts")
    for sentence in removed:
        audit(project, "removed", dataset=dataset, removed=sentence)
    return removed


def _runs(dataset: str, outdated: Iterable[str], state: NightState, project: Project) -> list[str]:
    current, gone = set(state.runs.values()), []
    for run_id in dict.fromkeys(outdated):
        folder = run_folder(project, run_id)
        if run_id not in current and folder.is_dir():
            shutil.rmtree(folder)
            gone.append(run_id)
        state.superseded.remove(run_id)
    return [f"run {run_id}, whose day of {dataset} was listed again" for run_id in gone]


def _old_lists(dataset: str, before: date, state: NightState, project: Project) -> list[str]:
    folder = daily_folder(project, dataset)
    gone = []
    for day, run_id in sorted(state.runs.items()):
        if day >= before.isoformat():
            break
        if (folder / "ranked" / f"{day}.labels.json").is_file():
            continue  # somebody has judged a row of it
        shutil.rmtree(run_folder(project, run_id), ignore_errors=True)
        (folder / "lists" / f"{day}.parquet").unlink(missing_ok=True)
        del state.runs[day]
        gone.append(day)
    return [f"lists of {len(gone):,} days before {before}"] if gone else []


def _old_leaves(dataset: str, newest: int, project: Project) -> list[str]:
    """Remove the leaves of runs that have newer ones of their model, and that nobody has labelled: learning is done elsewhere."""
    if not any((project.workspace / "scores").glob("*/leaves.*")):
        return []
    labelled = set(read_labels(project=project)["run_id"].dropna())
    runs: dict[str, list[Run]] = {}
    for run in list_runs(project):  # the newest first
        if run["dataset"] == dataset and leaves_file(run_folder(project, run["run_id"])):
            runs.setdefault(run["model"], []).append(run)
    old = [run for of_model in runs.values() for run in of_model[newest:] if run["run_id"] not in labelled]
    size = sum(drop_leaves(project, run) for run in old)
    return [f"leaves of {len(old):,} runs that nobody labelled ({size / 1e6:,.1f} MB)"] if old else []


def _first_kept(dataset: str, newest: date | None, settings: NightSettings, project: Project) -> str:
    """Return the first day whose events are kept; empty if all are. A day that was not listed yet is never removed."""
    if newest is None or not (settings.keep_events_days or settings.keep_events_gb):
        return ""
    first = ""
    if settings.keep_events_days:
        first = (newest - timedelta(days=settings.keep_events_days)).isoformat()
    if settings.keep_events_gb:
        by_day: dict[str, int] = {}
        for part in event_parts(project, dataset):
            by_day[part.day] = by_day.get(part.day, 0) + part.bytes
        left = sum(by_day.values())
        for day in sorted(day for day in by_day if day and day != UNDATED):
            if left <= settings.keep_events_gb * GB or day >= newest.isoformat():
                break
            left -= by_day[day]
            first = max(first, (date.fromisoformat(day) + timedelta(days=1)).isoformat())
    return first
