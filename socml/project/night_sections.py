"""The sections of socml.toml that a night reads → typed settings: [nightly], [checks], [sources.NAME], [sinks.NAME].

A key that is not known is an error that names the nearest one. No section holds a secret: `…_variable` names the
environment variable that does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from socml.project.declared import Declared, checked
from socml.project.errors import ConfigurationError, UnknownName
from socml.project.project import MARKER, Project
from socml.project.workspace import dataset_names, safe_name

CHECKS = ("schema", "units", "volume", "silent-source", "lag", "quarantine", "copies", "feature-drift", "score-drift")
STOPPING = tuple(check for check in CHECKS if check != "copies")  # which only the night knows that reads them
LONGEST_DAYS = 36_500  # a hundred years; a date has no more room before it for many more
_SECRET = re.compile(r"(?i)(^|_)(key|token|secret|password|passwd)$")


S = TypeVar("S", bound=Declared)


class NightSettings(Declared):
    """[nightly]: what a night does beside making the lists."""

    alerts_a_day: int = Field(20, ge=0)  # rows a day that may interrupt someone; 0: none
    false_discovery_rate: float = Field(0.0, ge=0, lt=1)  # above 0: instead of alerts_a_day
    quiet_days: int = Field(
        7, ge=0, le=LONGEST_DAYS
    )  # an entity and family that was alerted is not alerted again within so many days
    stop_on: tuple[Literal[STOPPING], ...] = ()  # type: ignore[valid-type]  # checks that stop a night before it ranks
    link: str = ""  # of an alert; {run}, {row} and {day} are filled in
    metrics_file: str = ""  # for the textfile collector of Prometheus; empty: workspace/metrics/socml.prom
    log: Literal["text", "json"] = "text"
    keep_events_days: int = Field(
        0, ge=0, le=LONGEST_DAYS
    )  # events older than the newest day by more are removed; 0: none
    keep_runs_days: int = Field(0, ge=0, le=LONGEST_DAYS)  # lists that nobody labelled
    keep_leaves_runs: int = Field(
        2, ge=0
    )  # newest runs of a model whose rows labels can rank; labelled ones too; 0: all
    keep_events_gb: float = Field(0.0, ge=0)  # the oldest days go until so much is left; 0: no limit


class CheckSettings(Declared):
    """[checks]: from where on something is a problem."""

    volume_ratio: float = Field(3.0, gt=1)  # events of a source, beside the median of the days before
    silent_h: float = Field(6.0, gt=0)  # hours without an event at a day's end, where there usually is one
    lag_h: float = Field(36.0, gt=0)  # hours from the newest event to the night
    quarantine_share: float = Field(0.01, ge=0, le=1)  # records that came since the last night
    effect: float = Field(0.8, gt=0)  # effect size (Cohen's d or h) of drift
    least_n: int = Field(100, ge=2)  # entity-days below which no drift is told
    history_days: int = Field(14, ge=3, le=LONGEST_DAYS)  # days before that a day is compared with
    least_days: int = Field(3, ge=1)  # days of history before which nothing is compared


class SourceSettings(Declared):
    """[sources.NAME]: the files of a dataset that a night ingests."""

    paths: tuple[Annotated[str, Field(min_length=1)], ...]  # an empty one would be the project's own folder
    format: str = "auto"
    final: bool = False  # files are complete when they come: a last line without a line end is a record
    max_bad_share: float | None = Field(None, ge=0, le=1)


@dataclass(frozen=True)
class SinkSettings:
    """[sinks.NAME]: where alerts are sent. `options` are those of the kind."""

    name: str
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """All that socml.toml says of nights."""

    nightly: NightSettings
    checks: CheckSettings
    sources: dict[str, SourceSettings]
    sinks: tuple[SinkSettings, ...]


def night_settings(project: Project) -> Settings:
    """Return what a project's socml.toml says of nights; what it does not say is as written in this module.

    Raises
    ------
    ConfigurationError
        Naming the section and key, and what is known.
    """
    given = project.settings
    sources = {
        safe_name(name): _read(SourceSettings, section, f"sources.{name}", project)
        for name, section in _tables(given, "sources", project).items()
    }
    sinks = tuple(_sink(name, section, project) for name, section in sorted(_tables(given, "sinks", project).items()))
    return Settings(
        _read(NightSettings, given.get("nightly", {}), "nightly", project),
        _read(CheckSettings, given.get("checks", {}), "checks", project),
        sources,
        sinks,
    )


def check_dataset(dataset: str, project: Project) -> None:
    """Let a dataset pass that has events, files in [sources], or nights.

    Raises
    ------
    UnknownName
        If it has none of these: the name is a slip.
    """
    nights = [path.parent.name for path in (project.workspace / "nights").glob("*/state.json")]
    known = {*night_settings(project).sources, *dataset_names(project), *nights}
    if safe_name(dataset) not in known:
        raise UnknownName("dataset with events or [sources]", dataset, known)


def _read(kind: type[S], section: object, name: str, project: Project) -> S:
    where = f"{project.root / MARKER}: [{name}]"
    if not isinstance(section, dict):
        raise ConfigurationError(f"{where} must be a section.")
    return checked(kind, section, where)


def _sink(name: str, section: object, project: Project) -> SinkSettings:
    where = f"{project.root / MARKER}: [sinks.{name}]"
    if not isinstance(section, dict) or not isinstance(section.get("kind"), str):
        raise ConfigurationError(f'{where} must be a section with kind = "…".')
    for key in section:
        if _SECRET.search(key):
            raise ConfigurationError(
                f"{where} must not hold a secret, for this file is committed: write {key}_variable, and name the "
                "environment variable that holds it."
            )
    return SinkSettings(safe_name(name), section["kind"], {k: v for k, v in section.items() if k != "kind"})


def _tables(given: dict[str, object], name: str, project: Project) -> dict[str, object]:
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise ConfigurationError(f"{project.root / MARKER}: [{name}] must hold sections, [{name}.NAME].")
    return found
