"""New log files of a dataset → events, the lists of new and changed days, alerts: one command, as often as you like.

    lock → ingest → daily tables → checks → lists, alerts → sinks → what is too old goes

Every step writes in one rename, and says what it has done only after that. Killed at any moment, the next night does what
is left, and what comes out has the same bytes as if nothing had happened, or as if all days had been made at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from socml.features import days_to_build
from socml.ingestion import ingest_files, pending_files
from socml.jobs.alert_policy import Policy, alerting, read_policy
from socml.jobs.alerts import AlertBook, make_alerts, within_budget
from socml.jobs.daily_listing import MODEL, Listing, RankedDay, open_listing, read_judged
from socml.jobs.daily_run import store_day
from socml.jobs.housekeeping import tidy
from socml.jobs.night_checks import NightChecks, counts_of, of_copies, of_ingest
from socml.jobs.night_lock import night_lock
from socml.jobs.night_log import NightLog
from socml.jobs.night_metrics import metrics_target, write_metrics
from socml.jobs.night_state import NightReport, NightState, keep_report, last_reports, nights_folder
from socml.jobs.outbox import deliver, make_sink, open_cursors
from socml.jobs.ranked_days import RankedDays
from socml.models import read_context
from socml.project import (
    ConfigurationError,
    DataError,
    Project,
    Settings,
    SocmlError,
    UnknownName,
    as_socml_error,
    audit,
    clear_abandoned,
    dataset_names,
    find_project,
    load_model_recipe,
    night_settings,
)


@dataclass(frozen=True)
class Plan:
    """What a night would do: files it would open, days whose tables it would build, days it would list again as asked."""

    dataset: str
    files: list[str]
    build: list[str]
    watermark: str
    failed: str = ""
    again: tuple[str, ...] = ()


@dataclass(frozen=True)
class Night:
    """How a night is done, beside what socml.toml says.

    Parameters
    ----------
    first, last : lists are made again for these days; only for new and changed ones if not given
    today : whether the day that is not over (UTC) is listed too
    accept : checks that do not stop this night although [nightly] stop_on names them
    final : files are complete: a last line without a line end is a record
    send : whether alerts leave the machine
    workers : processes that read files at once; 0: as many as pay
    """

    first: date | None = None
    last: date | None = None
    today: bool = False
    accept: frozenset[str] = frozenset()
    final: bool = False
    send: bool = True
    workers: int = 0
    model: str = MODEL
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        """Raise ConfigurationError if it would list no day at all."""
        if self.first and self.last and self.first > self.last:
            raise ConfigurationError(f"--from {self.first} is after --to {self.last}: there is no day between them.")


def planned(dataset: str, *, project: Project | None = None, night: Night | None = None) -> Plan:
    """Return what `nightly` would do; nothing is written.

    Raises
    ------
    UnknownName
        As `nightly` does.
    ConfigurationError, DataError
    """
    project, night = project or find_project(), night or Night()
    settings = night_settings(project)
    _check_data(dataset, settings, project)
    source = settings.sources.get(dataset)
    files: list[str] = []
    failed = ""
    try:
        files = [str(path) for path in pending_files(source.paths, dataset=dataset, project=project)] if source else []
    except DataError as error:
        failed = str(error)
    recipe = load_model_recipe(night.model, project)
    build: list[date] = []
    if dataset in dataset_names(project):
        build = days_to_build(recipe.feature_sets, dataset, project=project, inside=read_context(project).inside)
    state = NightState.read(nights_folder(project, dataset))
    again = [day for day in sorted(state.versions) if night.first and day >= str(night.first)]
    again = [day for day in again if night.last is None or day <= str(night.last)]
    return Plan(dataset, files, [str(day) for day in build], state.watermark, failed, tuple(again))


def nightly(
    dataset: str, *, project: Project | None = None, night: Night | None = None, log: NightLog | None = None
) -> NightReport:
    """Do what is left to do for a dataset, and return what was done. Doing it twice does nothing twice.

    Raises
    ------
    UnknownName
        If the dataset has neither events nor files in [sources].
    ConfigurationError
        If socml.toml is wrong; nothing was done then.
    TryLater
        If another night of the dataset is running, or the disk is full.
    DataError
        If no event has a time, or what is stored is damaged.
    """
    project, night = project or find_project(), night or Night()
    settings = night_settings(project)
    for sink in settings.sinks:
        make_sink(sink, project)
    metrics_target(project, settings.nightly.metrics_file)
    _check_data(dataset, settings, project)
    folder = nights_folder(project, dataset)
    name = f"{night.now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    log = log or NightLog(name, as_json=settings.nightly.log == "json")
    try:
        with _told_in_words(), night_lock(folder, dataset), _told_in_words():  # the lock's file tells what is within it
            clear_abandoned(project.workspace)
            work = _Work(dataset, project, settings, night, log, folder)
            report = work.run()
            # a watch does one a minute: what goes on would crowd out the nights
            kept = not night.today or not report.is_idle(next(iter(last_reports(folder, 1)), None))
            if kept:
                keep_report(folder, report)
    except BaseException:  # a night that failed, or was stopped by a person, is told too
        with suppress(OSError, SocmlError):
            write_metrics(project, settings.nightly.metrics_file)
        raise
    with _told_in_words():
        write_metrics(project, settings.nightly.metrics_file)
    if kept:
        audit(project, "night", dataset=dataset, run=log.night, listed=report.listed, alerts=report.alerts)
    return report


def _check_data(dataset: str, settings: Settings, project: Project) -> None:
    known = {*settings.sources, *dataset_names(project)}
    if dataset not in known:
        raise UnknownName("dataset with events or [sources]", dataset, known)


@contextmanager
def _told_in_words() -> Iterator[None]:
    """Let what the system and libraries raise be the error that it means: it is told, and stops no other dataset's night."""
    try:
        yield
    except SocmlError:
        raise
    except Exception as error:
        known = as_socml_error(error)
        if known is None:
            raise
        raise known from error


def nightly_all(
    datasets: Sequence[str], *, project: Project | None = None, night: Night | None = None
) -> tuple[list[NightReport], list[SocmlError]]:
    """Do a night of each dataset. One that fails stops no other: its error is returned, with the dataset's name."""
    reports: list[NightReport] = []
    errors: list[SocmlError] = []
    for dataset in datasets:
        try:
            reports.append(nightly(dataset, project=project, night=night))
        except SocmlError as error:
            errors.append(error)
            error.add_note(dataset)
    return reports, errors


class _Work:
    """One night, step by step."""

    def __init__(
        self, dataset: str, project: Project, settings: Settings, night: Night, log: NightLog, folder: Path
    ) -> None:
        self.dataset, self.project, self.settings = dataset, project, settings
        self.night, self.log, self.folder = night, log, folder
        self.state = NightState.read(folder)
        self.outdated = list(self.state.superseded)  # of earlier nights: whoever had them open has had a day
        self.book = AlertBook(project, dataset)
        self.report = NightReport(log.night, dataset, night.now.isoformat(timespec="seconds"))
        today = night.now.astimezone(UTC).date().isoformat()
        if self.state.watermark > today:  # of a night whose clock was ahead: what is too old goes by it
            self.state.watermark = max((day for day in self.state.versions if day <= today), default="")

    def run(self) -> NightReport:
        with self.log.step("ingest"):
            self._ingest()
        with self.log.step("features"):
            listing = open_listing(self.dataset, project=self.project, model=self.night.model)
        self.report.built = listing.tables.built
        checks = NightChecks(self.folder, self.settings.checks, self.project)
        today = self.night.now.astimezone(UTC).date()
        over = [day for day in self._over(listing.tables.days) if day < today]
        with self.log.step("checks"):
            self.report.problems += of_ingest(self.dataset, self.state, self.settings.checks, self.project)
            # a day that is not over has no usual volume and hours yet
            self.report.problems += checks.look_at(listing.tables, over, listed=self.state.versions)
            # the newest day there is, whichever is asked for
            self.report.problems += checks.lag(
                [day for day in listing.tables.days if day < today], self.state, self.night.now
            )
        blocked = self._blocked()
        if self.settings.sinks:
            open_cursors(self.book, self.settings.sinks)
        with self.log.step("lists"):
            self._list(listing, checks, blocked)
        with self.log.step("alerts"):
            self._send()
        with self.log.step("housekeeping"):
            self.report.removed = tidy(
                self.dataset, self.state, self.settings.nightly, self.project, outdated=self.outdated
            )
        if not self.report.stopped:  # else the same is still wrong in the next night
            self.state.events, self.state.quarantined = counts_of(self.dataset, self.project)
        self.state.write(self.folder)
        self.report.seconds = self.log.seconds
        self.report.finished = datetime.now(UTC).isoformat(timespec="seconds")
        return self.report

    def _ingest(self) -> None:
        source = self.settings.sources.get(self.dataset)
        if source is None:
            return
        try:
            result = ingest_files(
                [self.project.root / Path(path).expanduser() for path in source.paths],
                dataset=self.dataset,
                format=source.format,
                project=self.project,
                max_bad_share=source.max_bad_share,
                final=source.final or self.night.final,
                workers=self.night.workers,
            )
        except DataError as error:  # there is no file at all: what was read before is still listed
            self.report.failed_files.append(str(error))
            if self.dataset not in dataset_names(self.project):
                raise
            return
        self.report.added, self.report.duplicates = result.added, result.duplicates
        self.report.quarantined = result.quarantined
        self.report.failed_files += [f.reason for f in result.failed]
        self.report.problems += of_copies(result.same_bytes, result.altered)

    def _over(self, days: Iterable[date]) -> list[date]:
        """Return the days that may be listed: those that are over, up to the last that was asked for."""
        end = self.night.now.astimezone(UTC).date()
        over = [day for day in days if day < end or (self.night.today and day == end)]
        return [day for day in over if self.night.last is None or day <= self.night.last]

    def _blocked(self) -> date | None:
        """Return the first day that may not be listed, as one of its problems stops a night; None if there is none."""
        stopping = set(self.settings.nightly.stop_on) - self.night.accept
        stops = [problem for problem in self.report.problems if problem.check in stopping]
        if not stops:
            return None
        first = min(stops, key=lambda problem: problem.day)
        self.report.stopped = (
            f"{first.check} of {first.subject} {first.day}: {first.text}. No list is made from there on. Mend it, or go on "
            f"with: socml nightly {self.dataset} --accept {first.check}"
        )
        return date.fromisoformat(first.day) if first.day else date.min

    def _list(self, listing: Listing, checks: NightChecks, blocked: date | None) -> None:
        over = [day for day in self._over(listing.tables.days) if blocked is None or day < blocked]
        if not over:
            return
        if not self.state.alert_from:  # killed in the first night, its history is history still
            self.state.alert_from = over[-1].isoformat()
            self.state.write(self.folder)
        path = self.project.root / "context.csv"
        context = path.read_bytes() if path.is_file() else b""
        judged = read_judged(self.dataset, self.project)
        policy = read_policy(self.folder, self.settings.nightly)
        ranked_days = RankedDays(listing, judged, context=context)
        for ranked in ranked_days.rank(self.night.first):
            if ranked.day > over[-1]:
                break
            self._list_day(listing, ranked, checks, policy)

    def _list_day(self, listing: Listing, ranked: RankedDay, checks: NightChecks, policy: Policy) -> None:
        run = store_day(listing, ranked, project=self.project)
        at, version = ranked.day.isoformat(), listing.tables.versions[ranked.day]
        self.report.problems += checks.drift(listing, ranked)
        kept = []
        if at >= self.state.alert_from and self.state.versions.get(at) != version:
            wanted = alerting(policy, ranked.learned.score, ranked.recent[:-1])
            alerts = make_alerts(
                listing,
                ranked,
                wanted,
                book=self.book,
                quiet_days=self.settings.nightly.quiet_days,
                run_id=str(run["run_id"]),
                link=self.settings.nightly.link,
            )
            told = [
                one for one in self.book.of_day(ranked.day) if one.model_version.startswith(f"{listing.model.name}/")
            ]
            kept = self.book.keep(ranked.day, within_budget(alerts, told, policy.alerts_a_day))
        old = self.state.runs.get(at)
        if old and old != run["run_id"]:
            self.state.superseded.append(old)
        self.state.versions[at], self.state.runs[at] = version, str(run["run_id"])
        self.state.watermark = max(self.state.watermark, at)
        self.state.write(self.folder)
        self.report.listed.append(at)
        self.report.alerts += len(kept)
        self.log.say("listed", day=at, rows=len(ranked.row_id), alerts=len(kept), run_id=run["run_id"])

    def _send(self) -> None:
        if not self.settings.sinks or not self.night.send:
            return
        for delivery in deliver(self.book, self.settings.sinks, self.project):
            self.report.deliveries.append(delivery.to_dict())
            if delivery.error:
                self.log.say(
                    "not delivered", level="warning", sink=delivery.sink, waiting=delivery.waiting, why=delivery.error
                )
