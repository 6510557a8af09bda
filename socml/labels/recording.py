"""Verdicts of analysts → an append-only store that several people write at once; the current label is a view.

Nothing is changed or deleted: a new verdict supersedes, an undo is an event of its own. `client_id` makes
every delivery safe to repeat.

    record_label(row_id, "malicious", run_id=…, dataset=…, by="ana")   →  Acknowledgement
    undo_label(by="ana")                                               →  the last one, and only one's own
    read_labels(dataset=…)                                             →  DataFrame, one row a labelled row
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from socml.labels.rows import check_row
from socml.labels.store import LabelStore
from socml.labels.verdicts import Acknowledgement, LabelDetails, NewLabel
from socml.project import ConfigurationError, Project, find_project

if TYPE_CHECKING:
    import pandas as pd


def labels_url(project: Project) -> str:
    """Return the address of a project's label store: SQLite in the workspace unless `[labels] url` says otherwise.

    A relative SQLite path is relative to the project, not to the working folder.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if not project.labels_url:
        return f"sqlite:///{project.folder() / 'labels.sqlite'}"
    try:
        url = make_url(project.labels_url)
    except ArgumentError as error:
        raise ConfigurationError(
            f"[labels] url is not an address of a database: {project.labels_url.split('@')[-1]!r}. "
            'Write "sqlite:///labels.sqlite" or "postgresql+psycopg://user@host/name".'
        ) from error
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str(project.root / Path(url.database).expanduser()))
    return url.render_as_string(hide_password=False)


def open_labels(project: Project | None = None, *, read_only: bool = False) -> LabelStore:
    """Return the project's label store, made or brought up to date if needed. Close it, or use `with`."""
    return LabelStore(labels_url(project or find_project()), read_only=read_only)


def record_label(
    row_id: str,
    verdict: str,
    *,
    by: str = "analyst",
    client_id: str = "",
    project: Project | None = None,
    **details: Unpack[LabelDetails],
) -> Acknowledgement:
    """Record one verdict on one row; `details` are the other fields of `NewLabel`.

    Raises
    ------
    UnknownName
        For a verdict or a run that is not one; the nearest is named.
    DataError
        For a row that does not exist: in the run that `run_id` names, else in the `dataset`, else anywhere.

    Examples
    --------
    >>> record_label("r1", "malicous")
    Traceback (most recent call last):
    ...
    socml.project.errors.UnknownName: There is no verdict called 'malicous'. Did you mean 'malicious'?
    """
    label = NewLabel(row_id=row_id, verdict=verdict, by=by, client_id=client_id or uuid.uuid4().hex, **details)
    project = project or find_project()
    check_row(project, row_id, dataset=label.dataset, run_id=label.run_id)
    with open_labels(project) as store:
        return store.record([label])[0]


def undo_label(
    label_id: int | None = None, *, by: str = "analyst", client_id: str = "", project: Project | None = None
) -> Acknowledgement:
    """Undo a label of one's own; without `label_id`, the last that still stands."""
    with open_labels(project) as store:
        return store.undo(label_id, by=by, client_id=client_id or uuid.uuid4().hex)


def read_labels(*, dataset: str = "", project: Project | None = None) -> pd.DataFrame:
    """Return the current label of each labelled row (index `row_id`): the last that was not undone, whoever gave it."""
    with open_labels(project) as store:
        return store.current(dataset=dataset)


def read_analyst_labels(*, dataset: str = "", project: Project | None = None) -> pd.DataFrame:
    """Return the current label of each row and analyst, to see where they agree."""
    with open_labels(project) as store:
        return store.by_analyst(dataset=dataset)


def read_label_events(*, dataset: str = "", project: Project | None = None) -> pd.DataFrame:
    """Return everything that was ever recorded, undone labels and undos too, in the order it was recorded."""
    with open_labels(project) as store:
        return store.history(dataset=dataset)
