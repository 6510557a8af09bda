"""The nights of all datasets → a line for each thing that may be wrong: what `socml status` says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from socml.jobs.alert_policy import Policy, Replayed, read_policy, replay_policy, write_policy
from socml.jobs.alerts import AlertBook
from socml.jobs.daily_listing import open_listing, read_judged
from socml.jobs.day_checks import Problem
from socml.jobs.night_lock import unfinished_night
from socml.jobs.night_metrics import write_metrics
from socml.jobs.night_state import DayChecks, NightReport, NightState, last_reports, nights_folder
from socml.jobs.outbox import Delivery, deliver, make_sink, pending
from socml.jobs.ranked_days import RankedDays
from socml.models import read_context
from socml.project import (
    CHECKS,
    ConfigurationError,
    DataError,
    Project,
    UnknownName,
    audit,
    audit_damage,
    audited,
    check_dataset,
    load_dataset_recipe,
    load_experiment_recipe,
    load_feature_recipe,
    load_model_recipe,
    night_settings,
    recipe_names,
)
from socml.respond import read_settings

LATE = timedelta(hours=30)  # since the last night: a nightly job that did not run


@dataclass(frozen=True)
class StatusLine:
    """One thing that is well or not, and since when."""

    dataset: str
    what: str
    ok: bool
    text: str
    day: str = ""
    n: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


def night_status(
    project: Project, dataset: str = "", *, days: int = 7, now: datetime | None = None
) -> list[StatusLine]:
    """Return how the nights are, a line a check and problem; nothing is changed.

    Parameters
    ----------
    days : of logs, before the latest that was listed, and as many nights

    Raises
    ------
    DataError, UnknownName
        If there was no night yet, or none of this dataset.
    """
    folders = sorted((project.workspace / "nights").glob("*/"))
    names = [of.name for of in folders if (of / "state.json").is_file() or unfinished_night(of)]
    if not names:
        raise DataError("There was no night yet. Run: socml nightly DATASET")
    if dataset and dataset not in names:
        raise UnknownName("dataset that had a night", dataset, names)
    now = now or datetime.now(UTC)
    lines = [line for name in ([dataset] if dataset else names) for line in _of_dataset(project, name, days, now)]
    damage = audit_damage(project)
    return [
        *lines,
        *_promotions(project, now - timedelta(days=days)),
        StatusLine("", "audit", not damage, damage or "every line follows from the one before"),
    ]


def _of_dataset(project: Project, dataset: str, days: int, now: datetime) -> list[StatusLine]:
    folder = nights_folder(project, dataset)
    state = NightState.read(folder)
    reports = last_reports(folder, days)
    unfinished = unfinished_night(folder)
    lines = [_last_night(dataset, reports[-1] if reports else None, state, now, unfinished)]
    if unfinished and reports:
        lines.append(StatusLine(dataset, "unfinished", False, unfinished))
    if reports and reports[-1].stopped:
        lines.append(StatusLine(dataset, "stopped", False, reports[-1].stopped))
    problems = recent_problems(folder, days, now)
    problems += [p for report in reports for p in report.problems if not p.day]
    problems += [p for p in (reports[-1].problems if reports else []) if p.check == "lag"]
    for check in CHECKS:
        of_check = [problem for problem in problems if problem.check == check]
        lines += [_line(dataset, problem) for problem in of_check]
        if not of_check:
            lines.append(StatusLine(dataset, check, True, "nothing found"))
    failed = list(dict.fromkeys(reason for report in reports for reason in report.failed_files))
    lines += [StatusLine(dataset, "files", False, reason) for reason in failed]
    return lines + _sinks(project, dataset)


def _promotions(project: Project, since: datetime) -> list[StatusLine]:
    """Return which models another version scores with since then: nothing is wrong with that, but scores differ."""
    changes = audited(project, "promoted", "rolled back")
    latest = {str(one["model"]): one for one in changes if datetime.fromisoformat(str(one["time"])) >= since}
    return [
        StatusLine(
            "",
            f"model {name}",
            True,
            f"version {one['champion']} scores since {one['time']}: {one['what']} by {one['by']}",
        )
        for name, one in latest.items()
    ]


def _last_night(
    dataset: str, report: NightReport | None, state: NightState, now: datetime, unfinished: str
) -> StatusLine:
    if report is None:
        text = unfinished or "a night was begun and not finished: run socml nightly again"
        return StatusLine(dataset, "last night", False, text)
    age = now - datetime.fromisoformat(report.finished or report.started)
    text = f"{report.finished}: {report.added:,} events, {len(report.listed):,} days listed, {report.alerts:,} alerts"
    hours = age.total_seconds() / 3600
    late = f"; that is {hours:,.0f} hours ago" if age > LATE else ""
    if age < -LATE:
        late = f"; that is {-hours:,.0f} hours ahead of this machine's clock: one of the two was wrong"
    return StatusLine(dataset, "last night", not late, f"{text}; listed up to {state.watermark or 'nothing'}{late}")


def recent_problems(folder: Path, days: int, now: datetime) -> list[Problem]:
    """Return what was found in the last days before `now` that a night has looked at, in order."""
    today = now.astimezone(UTC).date().isoformat()
    names = sorted(path.stem for path in (folder / "checks").glob("*.json") if path.stem <= today)
    first = (date.fromisoformat(names[-1]) - timedelta(days=days - 1)).isoformat() if names else ""
    looked = [DayChecks.read(folder, date.fromisoformat(name)) for name in names if name >= first]
    return [problem for one in looked if one for problem in one.problems]


def _line(dataset: str, problem: Problem) -> StatusLine:
    where = " ".join(part for part in (problem.day, problem.subject) if part)
    return StatusLine(dataset, problem.check, False, f"{where}: {problem.text}", problem.day, problem.n)


def _sinks(project: Project, dataset: str) -> list[StatusLine]:
    book, lines = AlertBook(project, dataset), []
    for sink in night_settings(project).sinks:
        waiting = pending(book, sink.name)
        path = book.folder / "outbox" / f"{sink.name}.refused.jsonl"
        refused = len(path.read_bytes().splitlines()) if path.is_file() else 0
        text = f"{waiting:,} alerts wait" if waiting else "all alerts are sent"
        text += f"; {refused:,} were refused: {path}" if refused else ""
        lines.append(StatusLine(dataset, f"sink {sink.name}", not (waiting or refused), text))
    return lines


def check_configuration(project: Project) -> dict[str, str]:
    """Return what socml.toml and the recipes say, in words; nothing is read or contacted that they name.

    Raises
    ------
    ConfigurationError
        Naming the first thing that is wrong.
    """
    settings = night_settings(project)
    lines = {"project": str(project.root), "workspace": str(project.workspace)}
    for sink in settings.sinks:
        make_sink(sink, project)
    loads = {
        "datasets": load_dataset_recipe,
        "features": load_feature_recipe,
        "models": load_model_recipe,
        "experiments": load_experiment_recipe,
    }
    for kind, load in loads.items():
        names = recipe_names(kind, project)
        for name in names:
            load(name, project)
        lines[kind] = f"{len(names):,} recipes"
    lines["context.csv"] = f"{len(read_context(project).entities):,} entities"
    lines["respond.toml"] = ", ".join(read_settings(project).targets) or "nothing leaves"
    lines["sources"] = ", ".join(f"{name}: {', '.join(of.paths)}" for name, of in settings.sources.items()) or "none"
    lines["sinks"] = ", ".join(f"{sink.name} ({sink.kind})" for sink in settings.sinks) or "none"
    lines["stops on"] = ", ".join(settings.nightly.stop_on) or "nothing"
    return lines


def preview_policy(dataset: str, policy: Policy | None, *, project: Project) -> tuple[str, list[Replayed]]:
    """Return a policy in words (that which is set, if none is given), and what it would have done on each day.

    Raises
    ------
    UnknownName, DataError
        If the dataset has no events, or no day was listed yet.
    """
    policy = policy or read_policy(nights_folder(project, dataset), night_settings(project).nightly)
    listing = open_listing(dataset, project=project)
    judged = read_judged(dataset, project)
    ranked = RankedDays(listing, judged)
    history = ranked.history()
    if not history:
        raise DataError(f"No day of {dataset} was listed yet. Run: socml nightly {dataset}")
    verdicts = [ranked.verdicts(past.day) for past in history]
    return str(policy), replay_policy(policy, history, verdicts)


def set_policy(dataset: str, policy: Policy, *, project: Project) -> str:
    """Set when a row of a dataset alerts, and return it in words.

    Raises
    ------
    UnknownName
        If the dataset has neither events, files in [sources] nor nights.
    """
    check_dataset(dataset, project)
    audited = {name: value for name, value in vars(policy).items() if value not in {None, ""}}
    write_policy(nights_folder(project, dataset), policy)
    audit(project, "threshold", dataset=dataset, **audited)
    return str(policy)


def send_alerts(dataset: str, *, project: Project) -> list[Delivery]:
    """Send what the sinks have not taken yet, and write anew for Prometheus how many wait.

    Raises
    ------
    ConfigurationError
        If there is no sink, or one is not what its kind asks for.
    UnknownName
        If the dataset has neither events, files in [sources] nor nights.
    """
    check_dataset(dataset, project)
    sinks = night_settings(project).sinks
    if not sinks:
        raise ConfigurationError("There is no sink to send alerts to: write [sinks.NAME] into socml.toml.")
    found = deliver(AlertBook(project, dataset), sinks, project)
    write_metrics(project, night_settings(project).nightly.metrics_file)
    audit(project, "alerts sent", dataset=dataset, sent={one.sink: one.sent for one in found})
    return found
