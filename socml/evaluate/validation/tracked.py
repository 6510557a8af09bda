"""What was measured → an MLflow run with nested runs, its files as artefacts."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from socml.models import Registry, StartedRun, recording
from socml.project import Notice, ScratchFolder, SocmlError

if TYPE_CHECKING:
    from socml.project import Project

PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class RunRecord:
    """One run: its name, what it was made with, what was measured (values that are no numbers are left out)."""

    name: str
    parameters: dict[str, object] = field(default_factory=dict)
    metrics: dict[str, object] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def record_nested(
    experiment: str,
    parent: RunRecord,
    children: Iterable[RunRecord] = (),
    *,
    project: Project,
    artefacts: Sequence[Path] = (),
) -> str:
    """Record a run and those nested in it, and return its id.

    Where the registry is damaged, locked or does not answer, a notice says so and "" is returned: what took hours to
    measure is worth more than its record.
    """
    try:
        with recording(project) as registry:
            run = _record(registry, experiment, parent, artefacts=artefacts)
            for child in children:
                _record(registry, experiment, child, parent=run.run_id)
    except SocmlError as error:
        warnings.warn(f"What was measured is not, or not wholly, in the registry: {error}", Notice, stacklevel=3)
        return ""
    return run.run_id


def _record(
    registry: Registry, experiment: str, record: RunRecord, *, parent: str = "", artefacts: Sequence[Path] = ()
) -> StartedRun:
    """Record one finished run of an experiment."""
    run = registry.start_run(experiment, record.name, {**record.tags, **({PARENT: parent} if parent else {})})
    parameters = {key: str(value)[:500] for key, value in record.parameters.items()}
    numbers = {k: float(v) for k, v in record.metrics.items() if isinstance(v, int | float) and isfinite(v)}
    registry.log(run, parameters, numbers)
    if artefacts:
        with ScratchFolder("record") as scratch:
            for path in artefacts:
                shutil.copyfile(path, Path(scratch, path.name))
            registry.store(run, Path(scratch))
    registry.end_run(run, "FINISHED")
    return run
