"""Verbs of operation: nightly, watch, status, threshold, alerts, check."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import AnyAddress, Final, Json, Workers
from socml.cli._output import as_json, note, say, table
from socml.project import ConfigurationError, DataError, UnknownName, find_project

if TYPE_CHECKING:
    from socml.jobs import NightReport, Plan
    from socml.project import SocmlError

Dataset = Annotated[str, typer.Argument(help="dataset; the only one of [sources] if not given")]
Datasets = Annotated[str, typer.Argument(help="dataset; all of [sources] if not given")]
_DAY = "%Y-%m-%d"


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (nightly, watch, status, alerts):
        app.command()(verb)
    threshold = typer.Typer(help="When a row of the daily list becomes an alert.", no_args_is_help=True)
    threshold.command("preview")(preview)
    threshold.command("set")(set_threshold)
    app.add_typer(threshold, name="threshold")


def nightly(
    dataset: Datasets = "",
    from_: Annotated[datetime | None, typer.Option("--from", formats=[_DAY], help="make lists again from here")] = None,
    to: Annotated[datetime | None, typer.Option("--to", formats=[_DAY], help="and list no later day")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and do nothing")] = False,
    today: Annotated[bool, typer.Option("--today", help="list the day that is not over too")] = False,
    accept: Annotated[list[str] | None, typer.Option(help="a check that does not stop this night")] = None,
    final: Final = False,
    no_send: Annotated[bool, typer.Option("--no-send", help="alerts stay on this machine")] = False,
    workers: Workers = 0,
    json_: Json = False,
) -> None:
    """Do what is new: read new log files, list new and changed days, tell and send alerts. Twice does nothing twice.

    Exits with 0 if all is well, 1 if something was found (socml status says what), 3 if a check stopped it, 75 if another
    night is running.

    \b
    Examples:  socml nightly office      socml nightly office --dry-run
               socml nightly office --from 2026-03-01 --to 2026-03-07
    """
    from socml.jobs import Night, nightly_all, planned

    project = find_project()
    checks = _checks(accept or [])
    night = Night(
        first=_day(from_), last=_day(to), today=today, accept=checks, final=final, send=not no_send, workers=workers
    )
    if dry_run:
        _say_plans([planned(name, project=project, night=night) for name in _datasets(dataset)], json_=json_)
        return
    reports, errors = nightly_all(_datasets(dataset), project=project, night=night)
    _say_reports(reports, errors, one=bool(dataset), json_=json_)
    if errors:
        raise errors[0]
    if any(report.stopped for report in reports):
        raise typer.Exit(DataError.exit_code)
    if not all(report.is_well for report in reports):
        raise typer.Exit(1)


def watch(
    dataset: Dataset = "",
    every: Annotated[float, typer.Option(min=1, help="seconds from one round to the next")] = 60.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="watch this long; else until Ctrl-C")] = None,
    listen: Annotated[str, typer.Option(help="receive syslog too: udp://127.0.0.1:5514 or tcp://…")] = "",
    any_address: AnyAddress = False,
    online: Annotated[list[str] | None, typer.Option(help="an online model that scores each event as it comes")] = None,
    metrics: Annotated[str, typer.Option(help="answer Prometheus too, at 127.0.0.1:9469 for example")] = "",
    no_send: Annotated[bool, typer.Option("--no-send", help="alerts stay on this machine")] = False,
) -> None:
    """Follow the files of a dataset, and a syslog address: lists and alerts of the day so far, every minute.

    \b
    Examples:  socml watch office      socml watch office --every 30 --listen udp://127.0.0.1:5514
               socml watch office --metrics 127.0.0.1:9469
               socml watch office --online online-half-space-trees
    """
    from socml.jobs import Night, serve_metrics
    from socml.jobs import watch as follow

    before: NightReport | None = None

    def told(report: NightReport) -> None:
        nonlocal before
        if not report.is_idle(before):
            _say_report(report)
        before = report

    with ExitStack() as meanwhile:
        if metrics:
            port = meanwhile.enter_context(serve_metrics(metrics, find_project(), any_address=any_address))
            note(f"Prometheus is answered on port {port}, at /metrics.")
        done = follow(
            _dataset(dataset),
            night=Night(send=not no_send),
            online=online or (),
            every=every,
            seconds=seconds,
            address=listen,
            any_address=any_address,
            on_round=told,
            on_ready=lambda host, port: note(f"Listening on {host} port {port}. Ctrl-C stores the rest and ends."),
        )
    scored = f", {done.scored:,} rows scored online" if online else ""
    say(f"{done.rounds:,} rounds, {done.added:,} events read from files{scored}, {done.alerts:,} alerts")


def status(
    dataset: Annotated[str, typer.Argument(help="dataset; all that had a night if not given")] = "",
    days: Annotated[int, typer.Option(min=1, max=36_500, help="days of logs, and nights, that are told of")] = 7,
    json_: Json = False,
) -> None:
    """Say how the nights are: what was listed, what each check found in the last days, what waits to be sent.

    Exits with 1 if anything is wrong.

    \b
    Examples:  socml status      socml status office --days 30 --json
    """
    from socml.jobs import night_status

    found = night_status(find_project(), dataset, days=days)
    if json_:
        as_json([one.to_dict() for one in found])
    else:
        rows = [("ok" if one.ok else "!!", one.dataset, one.what, one.text) for one in found]
        table(["", "dataset", "what", "found"], rows)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def alerts(
    dataset: Dataset = "",
    day: Annotated[datetime | None, typer.Option(formats=[_DAY], help="of this day alone")] = None,
    send: Annotated[bool, typer.Option("--send", help="try again to send what waits")] = False,
    json_: Json = False,
) -> None:
    """List the alerts of a dataset, the newest last; with --send, send what sinks have not taken yet.

    \b
    Examples:  socml alerts office      socml alerts office --day 2026-03-02 --json      socml alerts office --send
    """
    from socml.jobs import AlertBook, send_alerts
    from socml.project import check_dataset

    project = find_project()
    name = _dataset(dataset)
    check_dataset(name, project)
    if send:
        deliveries = send_alerts(name, project=project)
        for one in deliveries:
            note(
                f"{one.sink}: {one.sent:,} sent, {one.refused:,} refused, {one.waiting:,} waiting. {one.error}".strip()
            )
        if any(one.waiting for one in deliveries):
            raise typer.Exit(75)
        return
    book, at = AlertBook(project, name), _day(day)
    found = book.of_day(at) if at else book.read()
    if json_:
        as_json([alert.to_dict() for alert in found])
        return
    rows = [
        (a.day, a.status, a.entity, a.role, a.family, f"{a.score:.2f}", a.headline(project.language)) for a in found
    ]
    table(["day", "", "entity", "role", "family", "score", "why"], rows, numbers=["score"])


Budget = Annotated[int | None, typer.Option("--alerts-a-day", help="rows a day that may interrupt someone")]
Rate = Annotated[float | None, typer.Option("--fdr", help="share of false alerts, 0 to 1")]
Above = Annotated[float | None, typer.Option("--score", help="rows with a higher score")]


def preview(
    dataset: Dataset = "", alerts_a_day: Budget = None, fdr: Rate = None, score: Above = None, json_: Json = False
) -> None:
    """Say what a threshold would have done on each day of the history; nothing is changed.

    \b
    Examples:  socml threshold preview office --alerts-a-day 10      socml threshold preview office --fdr 0.1
    """
    from socml.jobs import Policy, preview_policy

    name, project = _dataset(dataset), find_project()
    given = (alerts_a_day, fdr, score) != (None, None, None)
    policy = Policy(alerts_a_day, fdr, score) if given else None
    policy_text, replayed = preview_policy(name, policy, project=project)
    if json_:
        days = [
            {
                "day": str(d.day),
                "alerts": d.alerts,
                "labelled": d.labelled,
                "malicious": d.malicious,
                "rows_lacking": d.lacking,
            }
            for d in replayed
        ]
        as_json({"dataset": name, "threshold": policy_text, "days": days})
        return
    counts = [one.alerts for one in replayed]
    say(
        f"{name}: {policy_text}: {sum(counts):,} rows on {len(counts):,} days, {max(counts, default=0):,} on the busiest"
    )
    rows = [(d.day, d.alerts, f"{d.malicious} of {d.labelled}" if d.labelled else "") for d in replayed]
    table(["day", "rows that alert", "malicious of those labelled"], rows, numbers=["rows that alert"])
    if short := [one for one in replayed if one.lacking]:
        note(
            f"On {len(short):,} of these days no single row could alert: it takes more rows of earlier days, on "
            f"{short[-1].day} {short[-1].lacking:,} more. A higher rate takes fewer."
        )
    if not given:
        note(f"This is what is set. Another: socml threshold preview {name} --alerts-a-day 10")


def set_threshold(dataset: Dataset = "", alerts_a_day: Budget = None, fdr: Rate = None, score: Above = None) -> None:
    """Set from when on a row alerts, from the next night on. See before: socml threshold preview

    \b
    Examples:  socml threshold set office --alerts-a-day 10      socml threshold set office --fdr 0.1
    """
    from socml.jobs import Policy, set_policy

    name = _dataset(dataset)
    threshold = set_policy(name, Policy(alerts_a_day, fdr, score), project=find_project())
    say(f"{name}: from the next night on {threshold}")


def _checks(names: list[str]) -> frozenset[str]:
    from socml.project import CHECKS

    for name in names:
        if name not in CHECKS:
            raise UnknownName("check", name, CHECKS)
    return frozenset(names)


def _datasets(named: str) -> list[str]:
    from socml.project import night_settings

    sources = sorted(night_settings(find_project()).sources)
    if not named and not sources:
        raise ConfigurationError('Which dataset? Name it, or write [sources.NAME] with paths = ["…"] into socml.toml.')
    return [named] if named else sources


def _dataset(named: str) -> str:
    """Return the dataset that is named; the only one of [sources] if none is."""
    known = _datasets(named)
    if len(known) > 1:
        raise ConfigurationError(f"Which dataset? Name one of [sources]: {', '.join(known)}.")
    return known[0]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _say_plans(plans: list[Plan], *, json_: bool) -> None:
    if json_:
        as_json([asdict(plan) for plan in plans])
        return
    for plan in plans:
        say(f"{plan.dataset}: {len(plan.files):,} files to read, {len(plan.build):,} days to build")
        for line in (*plan.files[:20], *plan.build[:20]):
            say(f"  {line}")
        if plan.again:
            say(f"  lists of {len(plan.again):,} days made again: {plan.again[0]} to {plan.again[-1]}")
        say(f"  listed up to {plan.watermark or 'nothing yet'}; days of files that are not read yet are not known")
        if plan.failed:
            say(f"  {plan.failed}")


def _say_reports(reports: list[NightReport], errors: list[SocmlError], *, one: bool, json_: bool) -> None:
    if json_ and reports:
        as_json(reports[0].to_dict() if one else [report.to_dict() for report in reports])
    for report in [] if json_ else reports:
        _say_report(report)
    for error in errors[1:]:
        note(f"socml: {', '.join(error.__notes__)}: {error}")


def _say_report(report: NightReport) -> None:
    say(
        f"{report.dataset}: {report.added:,} events read, {len(report.listed):,} days listed, {report.alerts:,} alerts, "
        f"{len(report.problems):,} problems"
    )
    for problem in report.problems:
        say(f"  {problem.check}: {problem.subject} {problem.day}: {problem.text}")
    for reason in report.failed_files:
        say(f"  not read: {reason}")
    if report.quarantined:
        say(f"  {report.quarantined:,} records in quarantine: socml quarantine {report.dataset}")
    for sentence in report.removed:
        say(f"  removed: {sentence}")
    for one in report.deliveries:
        say(
            f"  {one['sink']}: {one['sent']:,} sent, {one['refused']:,} refused, {one['waiting']:,} waiting. {one['error']}"
        )
    if report.stopped:
        note(f"socml: stopped: {report.stopped}")
