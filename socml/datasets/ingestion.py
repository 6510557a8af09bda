"""Files → stored events, ground truth and quarantine. Each record is kept once, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from socml.datasets.detection import close_call, open_format, rank_source
from socml.datasets.finding import find_files
from socml.datasets.publishers import warnings_of_recipe
from socml.datasets.result import FileResult, IngestResult, summed
from socml.datasets.sources import FileSource
from socml.datasets.staging import Staging, quarantine_table, reject_ids, staging
from socml.datasets.truth import TruthBeside, find_truth
from socml.errors import ConfigurationError, DataError, FormatError, SocmlError
from socml.formats._reader import Parsed, ReadOptions, Reject
from socml.identity import Occurrences, event_id_column
from socml.project import Project, find_project
from socml.recipes import DatasetRecipe, load_dataset_recipe, recipe_names
from socml.tables import EVENT
from socml.workspace import safe_name

ProgressReport = Callable[[int, int, str], None]  # bytes done, bytes in all, words
JUDGED_FROM = 100  # records; a share of fewer says little before the file's end


def ingest(
    paths: Sequence[str | Path] | str | Path | None = None,
    *,
    dataset: str,
    format: str = "auto",  # noqa: A002
    project: Project | None = None,
    progress: ProgressReport | None = None,
    max_bad_share: float | None = None,
) -> IngestResult:
    """Read files into a dataset's event table. The same records again add nothing.

    Parameters
    ----------
    paths : files, folders or patterns; none: those of the recipe, or the simulator's
    dataset : a recipe's name, or a new name
    format : "auto" is the recipe's, or detected for each file by its content
    progress : called with bytes done, bytes in all, and words
    max_bad_share : share of bad records that is allowed, 0 to 1, instead of the recipe's

    Raises
    ------
    DataError
        If there is nothing to read, or more of a file is bad than the recipe allows. What was read before that
        file is stored; nothing of the file is, but its bad records are in quarantine.
    TryLater
        If another ingest of this dataset is running.
    """
    project = project or find_project()
    safe_name(dataset)
    recipe = _recipe(dataset, project)
    if max_bad_share is not None:
        recipe = recipe.model_copy(update={"max_bad_share": max_bad_share})
    given = [paths] if isinstance(paths, (str, Path)) else list(paths or ())
    files = _files(given, recipe, project)
    truth = find_truth(recipe, [path for path, _ in files])
    files = [(path, named) for path, named in files if truth is None or path.resolve() not in truth.files]
    with staging(project, dataset) as stage:
        run = _Run(stage, recipe, format, truth, sum(p.stat().st_size for p, _ in files), progress)
        try:
            for path, named in files:
                run.read_file(FileSource(path, _shown_path(path, project)), named=named, alone=len(files) == 1)
        except DataError:
            stage.drop_file()
            stage.commit()
            raise
        stage.commit()
    return summed(dataset, run.results, [*run.skipped_files, *run.label_warnings()])


class _Run:
    def __init__(
        self,
        stage: Staging,
        recipe: DatasetRecipe,
        format_name: str,
        truth: TruthBeside | None,
        total_bytes: int,
        progress: ProgressReport | None,
    ) -> None:
        self.stage, self.recipe, self.truth, self.progress = stage, recipe, truth, progress
        self.format_name = _format_name(format_name, recipe)
        self.total_bytes, self.done_bytes = total_bytes, 0
        self.results: list[FileResult] = []
        self.skipped_files: list[str] = list(truth.warnings) if truth else []
        self.labels: dict[bool | None, int] = {}
        self.column_types = _stored_types(stage)

    def read_file(self, source: FileSource, *, named: bool, alone: bool) -> None:
        """Read one file. One that is not recognised is an error if it was named, else a warning; so is an empty one."""
        try:
            ranked = rank_source(source) if self.format_name == "auto" else [(self.format_name, None)]
            if source.size == 0:
                raise FormatError(f"{source.name} is empty: it has 0 bytes.")
            reading = _Reading(self, source, ranked)
            self.results.append(reading.to_the_end())
        except FormatError as error:
            if alone or (named and source.size):
                raise
            self.stage.drop_file()
            self.skipped_files.append(f"Not read: {error}")
        self.done_bytes += source.size

    def options(self) -> ReadOptions:
        """Return what the readers need to know of the recipe and of the dataset so far."""
        recipe = self.recipe
        return ReadOptions(
            time_zone=recipe.time_zone,
            year=recipe.year,
            time_format=recipe.time_format,
            table=recipe.table,
            truth=recipe.truth,
            column_types=self.column_types,
        )

    def label_warnings(self) -> list[str]:
        """Say so if all labels are the same."""
        values = {value for value, count in self.labels.items() if count and value is not None}
        if len(values) != 1:
            return []
        said = "malicious" if values.pop() else "benign"
        return [f"Every label says {said}: AUROC and average precision cannot be computed from these files alone."]


class _Reading:
    """One file, from its first record to its last."""

    def __init__(self, run: _Run, source: FileSource, ranked: Sequence[tuple[str, float | None]]) -> None:
        self.run, self.source = run, source
        self.format_name, self.confidence = ranked[0]
        self.seen, self.seen_bad = Occurrences(), Occurrences()
        self.events = self.added = self.bad = 0
        self.skips: dict[str, int] = {}
        self.warnings: list[str] = close_call(ranked)
        self.first_bad: Reject | None = None

    def to_the_end(self) -> FileResult:
        """Read all and return what became of it."""
        for parsed in open_format(self.format_name).read(self.source, self.run.options()):
            self._take(parsed)
            self._take_rejects(parsed.rejects)
            self._take_rejects(self._source_rejects())
            self._judge(at_end=False)
            self._report()
        self._take_rejects(self._source_rejects())
        self._judge(at_end=True)
        self._check_none_lost()
        self._last_warnings()
        self.run.stage.keep_file()
        skipped = sum(self.skips.values())
        return FileResult(
            file=self.source.name,
            format=self.format_name,
            records=self.events + self.bad + skipped,
            events=self.events,
            added=self.added,
            duplicates=self.events - self.added,
            quarantined=self.bad,
            skipped=skipped,
            skips=self.skips,
            warnings=tuple(self.warnings),
            confidence=self.confidence,
        )

    def _take(self, parsed: Parsed) -> None:
        for reason, count in parsed.skips.items():
            self.skips[reason] = self.skips.get(reason, 0) + count
        self.warnings += parsed.warnings
        rows = len(parsed.events)
        if not rows:
            return
        ids = event_id_column(parsed.records, self.seen)
        events = parsed.events.append_column("event_id", ids)
        for name, value in (("dataset", self.run.stage.dataset), ("source_file", self.source.name)):
            events = events.append_column(name, pa.repeat(pa.scalar(value), rows))
        self._take_truth(events, parsed.truth)
        self.events += rows
        self.added += self.run.stage.add_events(events, time_is_certain=parsed.time_is_certain)
        self.run.column_types |= {f.name: f.type for f in parsed.events.schema if f.name not in EVENT}

    def _take_truth(self, events: pa.Table, truth: pa.Table | None) -> None:
        if self.run.truth is not None:
            truth = self.run.truth.of_events(events, self.source.path)
        if truth is None:
            return
        for value in truth["malicious"].value_counts().to_pylist():
            self.run.labels[value["values"]] = self.run.labels.get(value["values"], 0) + value["counts"]
        self.run.stage.truth.add(truth.append_column("event_id", events["event_id"]))

    def _take_rejects(self, rejects: list[Reject]) -> None:
        if not rejects:
            return
        self.first_bad = self.first_bad or rejects[0]
        self.bad += len(rejects)
        lines, reasons, raws = [r.line for r in rejects], [r.reason for r in rejects], [r.raw for r in rejects]
        table = quarantine_table(self.source.name, lines, reasons, raws)
        self.run.stage.add_rejects(table, reject_ids(lines, reasons, raws, self.seen_bad))
        if self.run.recipe.bad_rows == "stop":
            raise DataError(f"{self._first_bad()}. The recipe stops at the first bad record.")

    def _source_rejects(self) -> list[Reject]:
        rejects, self.source.rejects = self.source.rejects, []
        return rejects

    def _judge(self, *, at_end: bool) -> None:
        records, allowed = self.events + self.bad, self.run.recipe.max_bad_share
        if not self.bad or self.bad <= allowed * records or (records < JUDGED_FROM and not at_end):
            return
        raise DataError(
            f"{self.source.name}: {self.bad:,} of {records:,} records ({self.bad / records:.1%}) do not read as "
            f"{self.format_name}; {allowed:.0%} are allowed. The first: {self._first_bad()}. Nothing of this file was "
            "stored; its bad records are in quarantine. Name another format with --format, or raise max_bad_share "
            "in the dataset's recipe."
        )

    def _first_bad(self) -> str:
        first = self.first_bad
        return f"{self.source.name}:{first.line}: {first.reason}" if first else self.source.name

    def _check_none_lost(self) -> None:
        read = self.events + self.bad + sum(self.skips.values())
        lines, one_a_line = self.source.lines, getattr(open_format(self.format_name), "one_a_line", True)
        if lines and (read < lines or (one_a_line and read > lines)):
            raise SocmlError(
                f"{self.source.name} has {self.source.lines:,} lines, and {self.format_name} accounts for {read:,}. "
                "This is a bug in the format's reader; nothing of this file was stored."
            )

    def _last_warnings(self) -> None:
        if self.source.damage:
            self.warnings.append(f"The file is damaged: {self.source.damage}. What could be read before was kept.")
        if not self.events and not self.bad:
            self.warnings.append("It holds no records, only a header.")
        if self.format_name == "table" and self.seen.repeats:
            self.warnings.append(f"{self.seen.repeats:,} rows are exact copies of an earlier row; all are kept.")
        self.warnings += warnings_of_recipe(self.run.recipe, self.source.path.name, self.events, self.run.column_types)
        if self.bad:
            first = self.first_bad
            where = f"line {first.line:,}: {first.reason}" if first else ""
            self.warnings.append(
                f"{self.bad:,} {'record is' if self.bad == 1 else 'records are'} in quarantine, first {where}."
            )

    def _report(self) -> None:
        if self.run.progress:
            done = self.run.done_bytes + self.source.read_bytes
            self.run.progress(done, self.run.total_bytes, f"{self.source.path.name}: {self.events:,} records")


def _recipe(dataset: str, project: Project) -> DatasetRecipe:
    if dataset in recipe_names("datasets", project):
        return load_dataset_recipe(dataset, project)
    return DatasetRecipe(name=dataset)


def _format_name(asked: str, recipe: DatasetRecipe) -> str:
    name = asked if asked != "auto" else recipe.format
    if name == "auto" and recipe.table is not None:
        return "table"
    if name != "auto":
        open_format(name)  # an unknown name is an error before anything is read
    return name


def _files(given: list[str | Path], recipe: DatasetRecipe, project: Project) -> list[tuple[Path, bool]]:
    if given:
        return find_files(given, base=Path.cwd())
    if recipe.paths:
        return find_files(recipe.paths, base=project.root)
    made = project.workspace / "raw" / recipe.name
    if made.is_dir():
        return find_files([made], base=project.root)
    raise ConfigurationError(f"Which files? Give them: socml ingest PATH --dataset {recipe.name}")


def _shown_path(path: Path, project: Project) -> str:
    whole = path.resolve()
    return str(whole.relative_to(project.root)) if whole.is_relative_to(project.root) else str(whole)


def _stored_types(stage: Staging) -> dict[str, pa.DataType]:
    import pyarrow.parquet as pq

    types: dict[str, pa.DataType] = {}
    for part in stage.known.parts:
        types |= {f.name: f.type for f in pq.read_schema(part.path) if f.name not in EVENT}
    return types
