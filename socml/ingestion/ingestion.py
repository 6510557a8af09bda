"""Files → stored events, ground truth and quarantine. Each record is kept once, and none is lost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from socml.ingestion.detection import open_format
from socml.ingestion.discovery import Found, find_files
from socml.ingestion.file_by_file import FileByFile, ProgressReport
from socml.ingestion.inputs import input_files
from socml.ingestion.matching import Match, match_files
from socml.ingestion.result import IngestResult
from socml.ingestion.staging import Staging, staging
from socml.ingestion.streams import shown
from socml.ingestion.truth import find_truth
from socml.project import (
    ConfigurationError,
    DataError,
    DatasetRecipe,
    Project,
    audit,
    find_project,
    load_dataset_recipe,
    recipe_names,
    safe_name,
)


def ingest(
    paths: Sequence[str | Path] | str | Path | None = None,
    *,
    dataset: str,
    format: str = "auto",  # noqa: A002
    project: Project | None = None,
    progress: ProgressReport | None = None,
    max_bad_share: float | None = None,
    final: bool = False,
    anew: bool = False,
    workers: int = 0,
) -> IngestResult:
    """Read files into a dataset's event table, as `ingest_files` does; a single file that cannot be read is an error.

    Raises
    ------
    DataError
        If there is nothing to read, or the only file cannot be read, or more of it is bad than is allowed. Its bad
        records are in quarantine then.
    TryLater
        If another ingest of this dataset is running.
    """
    result = ingest_files(
        paths,
        dataset=dataset,
        format=format,
        project=project,
        progress=progress,
        max_bad_share=max_bad_share,
        final=final,
        anew=anew,
        workers=workers,
    )
    if len(result.failed) == 1 and not result.per_file and not result.waiting:
        raise result.failed[0].error
    return result


def ingest_files(
    paths: Sequence[str | Path] | str | Path | None = None,
    *,
    dataset: str,
    format: str = "auto",  # noqa: A002
    project: Project | None = None,
    progress: ProgressReport | None = None,
    max_bad_share: float | None = None,
    final: bool = False,
    anew: bool = False,
    retry: bool = False,
    by_path_alone: bool = False,
    workers: int = 0,
) -> IngestResult:
    """Read files into a dataset's event table. What was read before adds nothing; a file that fails stops no other.

    Parameters
    ----------
    paths : files, folders or patterns; none: those of the recipe, or the simulator's
    dataset : a recipe's name, or a new name
    format : "auto" is the recipe's, or detected for each file by its content
    progress : called with bytes done, bytes in all, and words
    max_bad_share : share of bad records that is allowed, 0 to 1, instead of the recipe's
    final : nothing more comes: a last line without a line end is a record now
    anew : what the dataset holds gives way to what is read now, once all is read
    retry : files with records in quarantine are read again although they did not change
    by_path_alone : a file under a new path is new, whatever its bytes
    workers : processes that read files at once, each in up to 1 GB; 0: as many as pay, of the cores and the memory that
        socml.toml allows. The dataset has the same bytes whatever their number

    Raises
    ------
    DataError
        If there is nothing to read.
    TryLater, ConfigurationError
        If another ingest of this dataset is running or the disk is full; if the workspace cannot be written to.
    """
    project = project or find_project()
    safe_name(dataset)
    recipe = _recipe(dataset, project)
    if max_bad_share is not None:
        recipe = recipe.model_copy(update={"max_bad_share": max_bad_share})
    format_name = _format_name(format, recipe)
    given = [paths] if isinstance(paths, (str, Path)) else list(paths or ())
    found = _found(given, recipe, project)
    truth = find_truth(recipe, list(found.files))
    now = datetime.now(UTC)
    with staging(project, dataset, anew=anew) as stage:
        if by_path_alone:
            _forget_gone(stage, {path.parent for path in found.files})
        files = input_files(found, recipe.stream, project, now=now, final=final, without=truth.files if truth else ())
        matches = match_files(files, stage.segments, copies=recipe.stream.copies, by_path_alone=by_path_alone)
        work = FileByFile(stage, recipe, format_name, truth, now, matches, progress, retry=retry)
        work.warnings += found.warnings(lambda path: shown(path, project.root))
        for path, why in found.odd.items():
            work.fail(shown(path, project.root), DataError(f"{shown(path, project.root)} {why}."))
        _take_all(work, matches, workers)
        if anew:
            _check_all_read(work)
        stage.commit()
        result = work.result(dataset)
        if result.added or result.quarantined or anew:
            audit(project, "ingested", dataset=dataset, events=result.added, quarantined=result.quarantined, anew=anew)
    return result


def _take_all(work: FileByFile, matches: Sequence[Match], workers: int) -> None:
    """Take in every file, copies after what they are copies of."""
    ordered = sorted(matches, key=lambda match: match.copy_of is not None)
    with work.reading_ahead(ordered, workers):
        for match in ordered:
            work.take(match)


def _check_all_read(work: FileByFile) -> None:
    if work.failed:
        raise DataError(f"{work.failed[0].reason} So the dataset stays as it was: with --anew all or nothing is read.")


def _forget_gone(stage: Staging, folders: set[Path]) -> None:
    """Forget the files that a listener wrote and removed: their names do not come again."""
    for segment in [s for s in stage.segments if Path(s.path).parent in folders and not os.path.exists(s.path)]:
        stage.segments.drop(segment)


def _recipe(dataset: str, project: Project) -> DatasetRecipe:
    if dataset in recipe_names("datasets", project):
        return load_dataset_recipe(dataset, project)
    return DatasetRecipe(name=dataset)


def _format_name(given: str, recipe: DatasetRecipe) -> str:
    name = given if given != "auto" else recipe.format
    if name == "auto" and recipe.table is not None:
        return "table"
    if name != "auto":
        open_format(name)  # an unknown name is an error before anything is read
    return name


def _found(given: list[str | Path], recipe: DatasetRecipe, project: Project) -> Found:
    if given:
        return find_files(given, base=Path.cwd())
    if recipe.paths:
        return find_files(recipe.paths, base=project.root)
    made = project.workspace / "raw" / recipe.name
    if made.is_dir():
        return find_files([made], base=project.root)
    raise ConfigurationError(f"Which files? Give them: socml ingest PATH --dataset {recipe.name}")
