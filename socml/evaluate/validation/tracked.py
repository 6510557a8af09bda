"""What was measured → an MLflow run with nested runs, its files as artefacts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from socml.models import experiment_id, open_registry
from socml.project import TryLater

if TYPE_CHECKING:
    from mlflow import MlflowClient

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

    Raises
    ------
    TryLater
        If the tracking server does not answer.
    """
    from mlflow.exceptions import MlflowException

    try:
        client = open_registry(project)
        number = experiment_id(client, experiment, project)
        run_id = record_run(client, number, parent, artefacts=artefacts)
        for child in children:
            record_run(client, number, child, parent=run_id)
    except MlflowException as error:
        raise TryLater(f"The tracking server does not answer: {error}") from error
    return run_id


def record_run(
    client: MlflowClient, experiment: str, record: RunRecord, *, parent: str = "", artefacts: Sequence[Path] = ()
) -> str:
    """Record one finished run under an experiment's id and return the run's id."""
    from mlflow.entities import Metric, Param

    tags = {**record.tags, **({PARENT: parent} if parent else {})}
    run_id = str(client.create_run(experiment, run_name=record.name, tags=tags).info.run_id)
    parameters = [Param(key, str(value)[:500]) for key, value in record.parameters.items()]
    numbers = {k: v for k, v in record.metrics.items() if isinstance(v, int | float) and isfinite(v)}
    metrics = [Metric(key, float(value), 0, 0) for key, value in numbers.items()]
    client.log_batch(run_id, metrics=metrics, params=parameters)
    for path in artefacts:
        client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, "FINISHED")
    return run_id
