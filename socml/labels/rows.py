"""Row ids → those that exist in the workspace: no label is stored for a row that nobody could have seen.

A row is one of a scoring run, of a feature table or an event of a dataset.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from socml.project import (
    DataError,
    Project,
    dataset_names,
    event_files,
    list_runs,
    open_table,
    read_run,
    run_folder,
    visible_line,
)

if TYPE_CHECKING:
    import pyarrow as pa

NEAR = 6  # first characters that a row which was meant shares with what was written


def check_row(project: Project, row_id: str, *, dataset: str = "", run_id: str = "") -> None:
    """Raise if there is no such row in the run, else in the dataset, else anywhere in the workspace.

    Raises
    ------
    DataError
        Names the nearest row, or says where rows are listed.
    UnknownName
        If there is no such run.
    """
    if row_id in existing_rows(project, [row_id], dataset=dataset, run_id=run_id):
        return
    raise DataError(missing_row(project, row_id, dataset=dataset, run_id=run_id))


def existing_rows(project: Project, row_ids: Collection[str], *, dataset: str = "", run_id: str = "") -> set[str]:
    """Return those of `row_ids` that exist. Tables are read until all are found, the small ones first.

    Raises
    ------
    DataError
        If a row is in no table that can be read, and one is damaged: it may be there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, found = set(row_ids), set[str]()
    damaged: DataError | None = None
    for path, name in _tables(project, dataset, run_id):
        if wanted <= found:
            break
        try:
            for ids in _column(path, name):
                is_wanted = pc.is_in(ids, value_set=pa.array(sorted(wanted - found), pa.string()))
                found |= set(ids.filter(is_wanted).to_pylist())
        except DataError as error:
            damaged = error
    if damaged is not None and not wanted <= found:
        raise damaged
    return found


def missing_row(project: Project, row_id: str, *, dataset: str = "", run_id: str = "") -> str:
    """Return the sentence about a row that does not exist: the nearest, or where rows are listed."""
    shown = visible_line(row_id)[:80]
    where = f"run {run_id}" if run_id else f"dataset {dataset!r}" if dataset else "this workspace"
    near = _nearest(project, row_id, dataset, run_id)
    hint = f"Did you mean {near!r}?" if near else "See which there are: socml queue"
    if not near and dataset and dataset not in dataset_names(project):
        hint = f"Ingest its events first: socml ingest PATH --dataset {dataset}"
    return f"There is no row {shown!r} in {where}. {hint}"


def _nearest(project: Project, row_id: str, dataset: str, run_id: str) -> str:
    """Return the first row that begins as `row_id` does; empty if none does. Ids are hashes: only a start can be near."""
    import pyarrow.compute as pc

    start = row_id[:NEAR]
    if len(start) < NEAR:
        return ""
    for path, name in _tables(project, dataset, run_id):
        for ids in _column(path, name):
            begins = ids.filter(pc.starts_with(ids, pattern=start))
            if len(begins):
                return str(begins[0].as_py())
    return ""


def _tables(project: Project, dataset: str, run_id: str) -> Iterator[tuple[Path, str]]:
    """Yield the tables of the run if one is named, else of the dataset's runs, features and events, and the ids' column."""
    runs = [read_run(project, run_id)] if run_id else list_runs(project)
    for run in runs:
        if run_id or dataset in {"", run["dataset"]}:
            yield run_folder(project, str(run["run_id"])) / "scores.parquet", "row_id"
    if run_id:
        return
    for path in sorted((project.workspace / "features").glob("*/*.parquet")):
        if dataset in {"", path.parent.name}:
            yield path, "row_id"
    for name in dataset_names(project):
        if dataset in {"", name}:
            yield from ((path, "event_id") for path in event_files(project, name))


def _column(path: Path, name: str) -> Iterator[pa.Array]:
    """Yield the values of one text column in parts; nothing of a table that lacks it or is lost."""
    import pyarrow as pa

    if not path.is_file():
        return
    with open_table(path) as file:
        if name in file.schema_arrow.names:
            for batch in file.iter_batches(columns=[name]):
                yield batch.column(0).cast(pa.string())
