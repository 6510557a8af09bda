"""Files to be read → what became of each, read by the machines of a Spark cluster.

Each file is one task, with the readers and the rules that this machine has, and its rows wait in the workspace, which all
machines see. They are taken in the order of the files, so the dataset has the same bytes whoever read them. A file whose
reader kills its process stops no other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from socml.ingestion.file_reading import Outcome
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.reading_pool import as_planned
from socml.ingestion.reading_worker import Answer, Order, Setup, answer
from socml.ingestion.run import FileJob
from socml.ingestion.staged_file import staging_writers
from socml.project import (
    ConfigurationError,
    DataError,
    Notice,
    Project,
    RecipeError,
    has_registered,
    open_components,
    spark_connection,
)

__all__ = ["SparkReading", "is_for_spark"]

AT_ONCE = 256  # files whose rows wait in the workspace until it is their turn


def is_for_spark(project: Project, jobs: Sequence[FileJob]) -> bool:
    """Return whether the project's cluster is to read the files: a single one is not divided.

    A notebook's own readers are in its process alone.
    """
    return project.engine == "spark" and len(jobs) > 1 and not has_registered("formats")


class SparkReading:
    """A cluster that reads files ahead of their turn, `AT_ONCE` of them.

    Parameters
    ----------
    setup : what each process needs to know; attempts at a file have folders of their own below its folder
    jobs : the files, in their order
    report : called with the bytes that were read of files whose turn has not come, the file that was read last, and its events
    """

    def __init__(
        self, setup: Setup, jobs: Sequence[FileJob], project: Project, report: Callable[[int, FileJob, int], None]
    ) -> None:
        self._setup, self._jobs, self._project, self._report = setup, jobs, project, report
        self._numbers = {str(job.match.file.path): number for number, job in enumerate(jobs)}
        self._done: dict[int, Outcome | None] = {}

    def outcome(self, job: FileJob, columns: OwnColumns) -> Outcome | None:
        """Return what became of the next file; None if it has to be read by this process.

        Raises
        ------
        OSError
            If a machine cannot write to the workspace.
        ConfigurationError
            If the machines of the cluster do not see it.
        """
        number = self._numbers.get(str(job.match.file.path))
        if number is None:
            return None
        if number not in self._done:
            self._read_from(number)
        return as_planned(self._done.pop(number), self._jobs[number], job)

    def close(self) -> None:
        """Forget what was read and not asked for; it goes with the staging area."""
        self._done = {}

    def _read_from(self, first: int) -> None:
        numbers = range(first, min(first + AT_ONCE, len(self._jobs)))
        jobs = [self._jobs[number].afresh() for number in numbers]
        try:
            answers = self._on_cluster(jobs)
        except RecipeError:  # a file ended its process: each is read by itself, so that it is told which
            answers = [self._alone(job) for job in jobs]
        for number, said in zip(numbers, answers, strict=True):
            if said.fault:
                raise said.fault
            self._check_seen(said.outcome)
            self._done[number] = said.outcome
        events = answers[-1].outcome.result.events if answers[-1].outcome and answers[-1].outcome.result else 0
        self._report(sum(job.match.file.source.size for job in jobs), jobs[-1], events)

    def _on_cluster(self, jobs: Sequence[FileJob]) -> list[Answer]:
        with spark_connection(self._project.master, memory_limit=self._project.memory_limit) as connection:
            return connection.map(partial(_answer, self._setup), jobs, where=f"reading {len(jobs)} files")

    def _alone(self, job: FileJob) -> Answer:
        try:
            return self._on_cluster([job])[0]
        except RecipeError as error:
            name = job.match.file.source.name
            return Answer(
                Outcome(
                    error=DataError(
                        f"{name}: the process that read it ended ({error}). Read it alone, with --engine duckdb --workers 1, "
                        "to see why."
                    )
                )
            )

    def _check_seen(self, outcome: Outcome | None) -> None:
        shipped = outcome.shipped if outcome else None
        if shipped and not all(path.exists() for rows in shipped.rows.values() for path in rows.paths):
            raise ConfigurationError(
                f"A machine of {self._project.master} read a file, and its rows are not here: the workspace has to lie where "
                "every machine of the cluster sees it under the same path."
            )


def _answer(setup: Setup, job: FileJob) -> Answer:
    """Read a file on a machine of the cluster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # the asking process said it
        open_components(setup.opened)
    try:
        folder = Path(mkdtemp(prefix="attempt-", dir=setup.folder))
    except OSError as fault:
        return Answer(fault=fault)
    return answer(replace(setup, folder=folder), Order(job, None), staging_writers(folder))
