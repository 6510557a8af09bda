"""A scoring run → why its rows are anomalous: stored contributions, and words an analyst trusts.

The top rows of a run are explained at once, any other when someone asks; either is stored with the run.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.explanations.contributions import explain, explainer_of, feature_contributions
from socml.explanations.feature_columns import check_same_rows, feature_columns, feature_table
from socml.explanations.normal import normal_in_words, what_would_be_normal, would_be_normal
from socml.explanations.sentences import estimated_in_words, headline, why_table
from socml.models import ModelVersion, kept_model
from socml.project import (
    EXPLANATION,
    DataError,
    Notice,
    Project,
    Run,
    SocmlError,
    TableMetadata,
    UnknownName,
    check_table,
    find_project,
    html_text,
    read_metadata,
    read_run,
    read_table,
    run_features_path,
    run_folder,
    schema,
    words,
    write_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from socml.explanations.contributions import Explainer


@dataclass(frozen=True)
class InWords:
    """A row's explanation in words; `why` has a line for each feature. All text is inert.

    `estimated` says how far off the shares may be, and is empty where they are exact; `pushes` is what the words
    are made of: a feature each, its contribution, share and `contribution_error` (None where exact).
    """

    row_id: str
    headline: str
    why: pd.DataFrame
    would_be_normal: str
    estimated: str = ""
    pushes: tuple[dict[str, object], ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        why = self.why.to_dict("records")
        payload = {
            "row_id": self.row_id,
            "headline": self.headline,
            "why": why,
            "would_be_normal": self.would_be_normal,
        }
        return {**payload, "estimated": self.estimated or None, "pushes": list(self.pushes)}

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html_text(name)}</th>" for name in self.why.columns)
        lines = self.why.itertuples(index=False)
        body = "".join(f"<tr>{''.join(f'<td>{html_text(v)}</td>' for v in line)}</tr>" for line in lines)
        table = f"<table><tr>{head}</tr>{body}</table>"
        below = "".join(f"<p>{html_text(text)}</p>" for text in (self.estimated, self.would_be_normal) if text)
        return f"<p><b>{html_text(self.headline)}</b></p>{table}{below}"


def explain_run(run_id: str, *, top: int = 200, project: Project | None = None) -> pd.DataFrame:
    """Explain the `top` most anomalous rows of a run and store it; return their explanation table.

    Rows that are stored already are not explained again.
    """
    project = project or find_project()
    path = run_folder(project, read_run(project, run_id)["run_id"]) / "scores.parquet"
    ranked = read_table(path, columns=["row_id", "rank"], filters=pc.field("rank") <= top).sort_by("rank")
    return explain_rows(run_id, ranked["row_id"].to_pylist(), project=project)


def explain_rows(run_id: str, row_ids: Sequence[str], *, project: Project | None = None) -> pd.DataFrame:
    """Return the explanation table of rows of a run: as stored, else explained now and stored.

    Raises
    ------
    DataError
        If a row is not in the run, or its features are not those that were scored.
    """
    project = project or find_project()
    run = read_run(project, run_id)
    path = run_folder(project, run["run_id"]) / "explanations.parquet"
    wanted = list(dict.fromkeys(row_ids))
    stored = _stored(path, wanted)
    there = set(stored["row_id"].unique().to_pylist())
    absent = [row_id for row_id in wanted if row_id not in there]
    if absent:
        fresh = keep_explanations(run, _explained(run, absent, project), project=project)
        stored = pa.concat_tables([stored, fresh])
    table: pd.DataFrame = stored.to_pandas()
    place = {row_id: at for at, row_id in enumerate(wanted)}
    order = np.lexsort((table["position"].to_numpy(), table["row_id"].map(place).to_numpy(dtype=np.int64)))
    return table.iloc[order].reset_index(drop=True)


def explanation_in_words(
    run_id: str, row_id: str, *, project: Project | None = None, language: str = "en", top: int = 8
) -> InWords:
    """Return a row's explanation in words: headline, why table, and what would make it normal."""
    project = project or find_project()
    run = read_run(project, run_id)
    explained = explain_rows(run["run_id"], [row_id], project=project)
    about = run_metadata(run, project)
    try:
        version = _opened(run["model_version"], project)
        rows = feature_columns(run_features_path(project, run))
        found = what_would_be_normal(version, rows.take(rows.positions([row_id])), explained)
        normal = normal_in_words(found, features_metadata=about, language=language)
    except (UnknownName, DataError):  # the run outlived its model or its table: what is stored can still be told
        normal = _not_tried(run, language)
    return InWords(
        row_id=row_id,
        headline=headline(explained, features_metadata=about, language=language),
        why=why_table(explained, features_metadata=about, language=language, top=top),
        would_be_normal=normal,
        estimated=estimated_in_words(explained, language=language),
        pushes=tuple(_pushes(explained)),
    )


def normal_of_rows(
    run_id: str, row_ids: Sequence[str], *, project: Project | None = None, language: str = "en"
) -> dict[str, str]:
    """Return what would make each row normal, in words, as `explanation_in_words` does: the table is read once for all."""
    project = project or find_project()
    run = read_run(project, run_id)
    reasons = explain_rows(run["run_id"], row_ids, project=project)
    explained = {str(row_id): table for row_id, table in reasons.groupby("row_id", sort=False)}
    if run.get("online") or _is_daily(run):
        return dict.fromkeys(explained, _not_tried(run, language))
    about = run_metadata(run, project)
    try:
        version = _opened(run["model_version"], project)
        columns = feature_columns(run_features_path(project, run))
        rows = columns.take(columns.positions(list(explained)))
    except (UnknownName, DataError):  # the run outlived its model or its table
        return dict.fromkeys(explained, _not_tried(run, language))
    found = would_be_normal(version, rows, list(explained.values()))
    return {
        row_id: normal_in_words(one, features_metadata=about, language=language)
        for row_id, one in zip(explained, found, strict=True)
    }


def prepare_explanations(run_id: str, *, project: Project | None = None) -> None:
    """Read and sort now what the explanation of any row of a run needs, so that nobody waits for it later."""
    project = project or find_project()
    run = read_run(project, run_id)
    if run.get("online") or _is_daily(run):
        return
    path = run_features_path(project, run)
    version, columns = _opened(run["model_version"], project), feature_table(path)
    explainer, preparation = _explainer(run["model_version"], project), version.preparation
    first = columns.take(np.arange(1)).index.to_list()
    check_same_rows(run, version, path, first, project)
    for name in preparation.numbers_:
        columns.spread(name)
    for name in preparation.categories_:
        columns.shares(name)
    feature_contributions(version, columns.take(columns.positions(first)), explainer)


def _is_daily(run: Run) -> bool:
    """Return whether the scores of a run need the day's other rows, so that no row can be scored again alone."""
    return run["model_version"].rpartition("/")[2].startswith("daily-")


def _not_tried(run: Run, language: str) -> str:
    """Return why it is not told what would make a row of a run normal."""
    reason = "daily" if _is_daily(run) else "learned_on" if run.get("online") else "unknown"
    return words(language)(f"explanation.normal.{reason}")


def headlines(
    run_id: str, row_ids: Sequence[str], *, project: Project | None = None, language: str = "en"
) -> list[str]:
    """Return the headline of each row, in order; a row that cannot be explained says so."""
    project = project or find_project()
    run = read_run(project, run_id)
    about = run_metadata(run, project)
    try:
        table = explain_rows(run["run_id"], row_ids, project=project)
    except SocmlError:
        table = _stored(run_folder(project, run["run_id"]) / "explanations.parquet", list(row_ids)).to_pandas()
    by_row = dict(iter(table.groupby("row_id", sort=False)))
    return [
        headline(by_row[row_id], features_metadata=about, language=language)
        if row_id in by_row
        else words(language)("explanation.not_explained")
        for row_id in row_ids
    ]


def keep_explanations(run: Run, explained: pd.DataFrame, *, project: Project) -> pa.Table:
    """Store explanations of rows of a run that had none, by the contract EXPLANATION; return them as Arrow."""
    path = run_folder(project, run["run_id"]) / "explanations.parquet"
    table = pa.Table.from_pandas(explained, preserve_index=False)
    fresh = check_table(table, EXPLANATION, what="explanations").cast(schema(EXPLANATION))
    write_table(path, pa.concat_tables([_read(path), fresh]))
    return fresh


def explained_rows(run: Run, *, project: Project) -> set[str]:
    """Return which rows of a run have an explanation."""
    path = run_folder(project, run["run_id"]) / "explanations.parquet"
    return set(_read(path)["row_id"].to_pylist())


def run_metadata(run: Run, project: Project) -> TableMetadata:
    """Return what the features of a run mean: the metadata of its feature table, empty if that is gone."""
    path = run_features_path(project, run)
    return read_metadata(path) if path.is_file() else {}


def _pushes(explained: pd.DataFrame) -> list[dict[str, object]]:
    """Return the pushes as plain values; a missing one is None."""
    names = ["feature", "contribution", "share", "contribution_error"]
    plain = explained.sort_values("position")[names].astype(object)
    return [{str(k): v for k, v in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")]


def _stored(path: Path, row_ids: list[str]) -> pa.Table:
    return _read(path, pc.field("row_id").isin(pa.array(row_ids, pa.string())))


def _read(path: Path, filters: pc.Expression | None = None) -> pa.Table:
    contract = schema(EXPLANATION)  # a file from before a column of it was there has nulls in it
    if not path.is_file():
        return contract.empty_table()
    try:
        return read_table(path, schema=contract, filters=filters)
    except DataError as error:  # what it told is worked out again, row by row, when someone asks
        warnings.warn(f"Rows are explained again: {error}", Notice, stacklevel=2)
        path.unlink()
        return contract.empty_table()


def _explained(run: Run, row_ids: list[str], project: Project) -> pd.DataFrame:
    if run.get("online"):
        raise DataError(f"The model of run {run['run_id']} learned on since. To explain more of it: socml explain")
    path = run_features_path(project, run)
    version = _opened(run["model_version"], project)
    check_same_rows(run, version, path, row_ids, project)
    return explain(version, path, row_ids, explainer=_explainer(run["model_version"], project))


def _opened(label: str, project: Project) -> ModelVersion:
    name, _, number = label.rpartition("/")
    return kept_model(name, number, project)


@lru_cache(maxsize=4)
def _explainer(label: str, project: Project) -> Explainer:
    return explainer_of(_opened(label, project))
