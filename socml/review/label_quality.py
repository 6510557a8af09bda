"""A run under review → how far its labels can be trusted, and which of them deserve a second look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from socml.labels import DIRECTION, CurrentLabels, LabelEvent, LabelStore, label_frame, open_labels
from socml.project import (
    DataError,
    Project,
    Run,
    Sentence,
    find_project,
    open_table,
    read_metadata,
    read_run,
    read_table,
    run_features_path,
    run_folder,
)
from socml.review.campaign import TOP, CampaignReport, campaign_report
from socml.review.label_errors import likely_label_errors

SECOND_LOOK = "likely-error"


def report(run_id: str = "", *, project: Project | None = None, store: LabelStore | None = None) -> CampaignReport:
    """Report on the labels of a run, the newest if none is named; see `CampaignReport`."""
    project = project or find_project()
    run = read_run(project, run_id)
    path = run_folder(project, str(run["run_id"])) / "scores.parquet"
    labels = label_frame(_current(project, str(run["dataset"]), store).standing())
    labelled = pc.field("row_id").isin(labels["row_id"].unique().tolist())  # of a million rows, few are asked for
    ranked = read_table(path, columns=["row_id", "rank"], filters=labelled | (pc.field("rank") <= TOP))
    with open_table(path) as whole:
        n_rows = whole.metadata.num_rows
    return campaign_report(labels, ranked.to_pandas().set_index("row_id")["rank"], n_rows=n_rows)


def likely_errors(
    run_id: str = "", *, project: Project | None = None, store: LabelStore | None = None, seed: int = 0
) -> pd.DataFrame:
    """Rank the labelled rows of a run by how probably their label is wrong; see `likely_label_errors`.

    The classes are malicious and not malicious. Rows that are unsure, skipped or only suggested are left out.

    Raises
    ------
    DataError
        If the run's feature table is not there any more.
    """
    project = project or find_project()
    run = read_run(project, run_id)
    labels = _current(project, str(run["dataset"]), store).current()
    sides = {row_id: label.verdict == "malicious" for row_id, label in labels.items() if _decided(label)}
    features = _features_of(run, project, list(sides))
    given = np.where([sides[str(row_id)] for row_id in features.index], "malicious", "benign").astype(object)
    return likely_label_errors(features.to_numpy(), given, row_ids=[str(i) for i in features.index], seed=seed)


def ask_again(errors: pd.DataFrame, *, run_id: str = "", by: str, project: Project | None = None) -> int:
    """Queue what `likely_errors` calls an error for a second look by anyone; return how many are new in the queue."""
    project = project or find_project()
    dataset = str(read_run(project, run_id)["dataset"])
    wrong = {str(row_id): float(p) for row_id, p in errors[errors["is_error"]]["probability"].items()}
    with open_labels(project) as store:
        return store.second_looks.ask(wrong, reason=SECOND_LOOK, by=by, dataset=dataset)


def _current(project: Project, dataset: str, store: LabelStore | None) -> CurrentLabels:
    opened = store or open_labels(project)
    try:
        standing = CurrentLabels()
        standing.add(opened.events_since(0, dataset=dataset))
        standing.edits = opened.families.edits(dataset=dataset)
        return standing
    finally:
        if store is None:
            opened.close()


def _decided(label: LabelEvent) -> bool:
    return label.verdict in DIRECTION and not label.suggested


def _features_of(run: Run, project: Project, row_ids: list[str]) -> pd.DataFrame:
    """Return the features of some rows as numbers; a category becomes the number of its value."""
    path = run_features_path(project, run)
    if not path.is_file():
        raise DataError(Sentence("error.run.no_table", run=run["run_id"]))
    names = list(read_metadata(path)["features"])
    table = read_table(path, columns=["row_id", *names], filters=[("row_id", "in", row_ids or [""])])
    features = table.to_pandas().set_index("row_id")
    for name in names:
        if not pd.api.types.is_numeric_dtype(features[name]):
            features[name] = pd.factorize(features[name])[0]
    as_numbers: pd.DataFrame = features.astype("float64")
    return as_numbers
