"""What the last nights did → a text file for Prometheus' node exporter (its textfile collector reads `*.prom`).

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from socml.jobs.alerts import AlertBook
from socml.jobs.night_lock import unfinished_night
from socml.jobs.night_state import NightReport, NightState, last_reports
from socml.jobs.outbox import pending
from socml.project import CHECKS, Project, night_settings, refuse_other, replacing

READABLE = 0o644  # the exporter is another user; there are counts in it, and no text from logs
_HELP = {
    "socml_night_finished_timestamp_seconds": "When the last night of a dataset ended.",
    "socml_night_ok": "1 if the last night came to its end and found nothing wrong.",
    "socml_night_stopped": "1 if a check stopped the last night before it made lists.",
    "socml_night_events_added": "Events that the last night read.",
    "socml_night_records_quarantined": "Records that the last night read and that did not parse.",
    "socml_night_days_listed": "Days whose list the last night made.",
    "socml_night_alerts": "Alerts that the last night told.",
    "socml_night_problems": "Problems that the last night found, by check.",
    "socml_night_step_seconds": "How long each step of the last night took.",
    "socml_watermark_timestamp_seconds": "Begin of the latest day that has a list.",
    "socml_alerts_waiting": "Alerts that a sink has not taken yet.",
}


def metrics_text(project: Project) -> str:
    """Return the metrics of all datasets that had a night, in the text format of Prometheus."""
    values: dict[str, list[str]] = {name: [] for name in _HELP}
    sinks = [sink.name for sink in night_settings(project).sinks]
    for folder in sorted((project.workspace / "nights").glob("*/")):
        for name, labels, value in _of_folder(folder, project, sinks):
            label_text = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            values[name].append(
                f"{name}{{{label_text}}} {value:g}" if value < 1e6 else f"{name}{{{label_text}}} {value:.0f}"
            )
    lines: list[str] = []
    for name, of in values.items():
        if of:
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", *of]
    return "\n".join(lines) + "\n"


def write_metrics(project: Project, path: str = "") -> Path:
    """Write the metrics, in one step, where [nightly] metrics_file says, or into the workspace; return where.

    Raises
    ------
    ConfigurationError
        As `metrics_target` does.
    """
    target = metrics_target(project, path)
    with replacing(target) as temporary:
        temporary.write_text(metrics_text(project), encoding="utf-8")
        os.chmod(temporary, READABLE)
    return target


def metrics_target(project: Project, path: str = "") -> Path:
    """Return where the metrics go.

    Raises
    ------
    ConfigurationError
        If a file is there that holds no metrics of socml.
    """
    target = Path(path).expanduser() if path else project.folder("metrics") / "socml.prom"
    target = target if target.is_absolute() else project.root / target
    refuse_other(target, b"# HELP socml_", "metrics")
    return target


def _of_folder(folder: Path, project: Project, sinks: Sequence[str]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the metrics of a dataset by what its last night left; one that ended in an error, or was killed, is not ok."""
    unfinished, reports = unfinished_night(folder), last_reports(folder, 1)
    if unfinished or reports:
        yield "socml_night_ok", {"dataset": folder.name}, float(not unfinished and reports[-1].is_well)
    for report in reports:
        book = AlertBook(project, report.dataset)
        waiting = {sink: pending(book, sink) for sink in sinks}
        yield from _of(report, NightState.read(folder), waiting)


def _of(
    report: NightReport, state: NightState, waiting: Mapping[str, int]
) -> Iterator[tuple[str, dict[str, str], float]]:
    of = {"dataset": report.dataset}
    yield "socml_night_finished_timestamp_seconds", of, datetime.fromisoformat(report.finished).timestamp()
    yield "socml_night_stopped", of, float(bool(report.stopped))
    yield "socml_night_events_added", of, report.added
    yield "socml_night_records_quarantined", of, report.quarantined
    yield "socml_night_days_listed", of, len(report.listed)
    yield "socml_night_alerts", of, report.alerts
    for check in CHECKS:
        yield "socml_night_problems", {**of, "check": check}, sum(p.check == check for p in report.problems)
    for step, seconds in report.seconds.items():
        yield "socml_night_step_seconds", {**of, "step": step}, seconds
    if state.watermark:
        yield (
            "socml_watermark_timestamp_seconds",
            of,
            datetime.fromisoformat(state.watermark + "T00:00:00+00:00").timestamp(),
        )
    for sink, alerts in waiting.items():
        yield "socml_alerts_waiting", {**of, "sink": sink}, alerts


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
