"""One day of the daily list → a scoring run, as every other: scores, explanations and words, for the queue and the app."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from socml.explanations import explained_rows, keep_explanations
from socml.features import daily_folder
from socml.jobs.daily_listing import Listing, RankedDay
from socml.models import FILE, ModelMetadata, ModelVersion, SignalRanking, make_reference, save_run
from socml.project import EXPLANATION, TIME, Project, Run, TableMetadata, read_run, run_folder, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLE_COLUMNS = {"source": "source_ip", "destination": "destination_ip", "host": "host_name", "account": "user_name"}
EXPLAINED = 200  # rows of a day that are explained with it


def store_day(listed: Listing, ranked: RankedDay, *, project: Project, attacks: pd.DataFrame | None = None) -> Run:
    """Write a day's list as a scoring run and return what `run.json` says. The same list gives the same run.

    Its scores are those before the labels of the day itself: the queue learns these as they are given. Percentiles are
    among the rows of this day and the 60 before it.

    Parameters
    ----------
    attacks : the rows that show attacks, as `attack_rows` returns them, for the metrics
    """
    ranked = ranked.without_own_labels()
    features = _write_features(listed, ranked, project)
    normality = -SignalRanking(ranked.before).learn([], [])  # `save_run` takes what a detector says: higher is NORMAL
    identity = "\n".join([listed.dataset, str(ranked.day), listed.model.hash, *ranked.row_id.tolist()])
    rows = [normality, ranked.scores.values, *ranked.before.arrays().values()]
    run_id = hashlib.blake2b(b"".join([identity.encode(), *(of.tobytes() for of in rows)]), digest_size=8).hexdigest()
    folder = run_folder(project, run_id)
    if all((folder / name).is_file() for name in ("run.json", "scores.parquet", "explanations.parquet", FILE)):
        return read_run(project, run_id)
    reference = make_reference(-np.concatenate(ranked.recent))
    lineage: ModelMetadata = {"feature_set": listed.model.name, "feature_hash": _hash_of_sets(listed)}
    version = ModelVersion(listed.model.name, f"daily-{listed.model.hash[:8]}", None, reference, None, lineage)  # type: ignore[arg-type]
    about: Run = {"run_id": run_id, "day": str(ranked.day), "daily": True}
    truth = None if attacks is None else _truth_of(ranked, attacks)
    run = save_run(version, features, normality, about, project=project, truth=truth)
    ranked.before.write(folder)
    there = explained_rows(run, project=project)  # of a run that was stopped halfway
    first = [row for row in ranked.order[:EXPLAINED].tolist() if ranked.row_id[row] not in there]
    keep_explanations(run, _explanations(listed, ranked, first), project=project)
    return run


def _write_features(listed: Listing, ranked: RankedDay, project: Project) -> Path:
    """Write the day's rows as a feature table, beside the daily tables, and return its path."""
    scores = ranked.scores
    arrays: dict[str, pa.Array] = {
        "row_id": pa.array(ranked.row_id, pa.string()),
        "time": pa.array([pd.Timestamp(ranked.day, tz="UTC")] * len(ranked.row_id), TIME),
        "entity": pa.array(scores.entity, pa.string()),
        "role": pa.array(scores.role, pa.string()),
    }
    roles = [str(role).split(" ", maxsplit=1)[0] for role in scores.role]
    for role, name in ROLE_COLUMNS.items():
        of_role = [entity if of == role else None for entity, of in zip(scores.entity, roles, strict=True)]
        arrays[name] = pa.array(of_role, pa.string())
    arrays |= {column.name: pa.array(scores.values[:, c]) for c, column in enumerate(listed.columns)}
    names = [column.name for column in listed.columns]
    metadata: TableMetadata = {
        "feature_set": listed.model.name,
        "recipe_hash": _hash_of_sets(listed),
        "events_snapshot": "",
        "dataset": listed.dataset,
        "entity": list(ROLE_COLUMNS.values()),
        "window_seconds": 86400,
        "features": names,
        "columns": {column.name: column.about for column in listed.columns},
        "columns_fr": {column.name: column.about_fr for column in listed.columns},
        "fill": {},
    }
    path = daily_folder(project, listed.dataset) / "lists" / f"{ranked.day}.parquet"
    return write_table(path, pa.table(arrays), metadata)


def _hash_of_sets(listed: Listing) -> str:
    parts = "\n".join(f"{recipe.name}/{recipe.hash}" for recipe in listed.tables.recipes)
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


def _truth_of(ranked: RankedDay, truth: pd.DataFrame) -> pd.Series | None:
    if truth.empty:
        return None
    bad = set(truth[truth["day"] == ranked.day][["role", "entity"]].itertuples(index=False, name=None))
    roles = [role.split(" ")[0] for role in ranked.scores.role.tolist()]
    malicious = [key in bad for key in zip(roles, ranked.scores.entity.tolist(), strict=True)]
    return pd.Series(malicious, index=pd.Index(ranked.row_id, name="row_id"), name="malicious")


def _explanations(listed: Listing, ranked: RankedDay, rows: Sequence[int]) -> pd.DataFrame:
    """Return the reasons as explanations: the contributions of a row sum to its score exactly.

    Of the entity's own days only the largest value is known, and of one below the column's floor that it is below.
    """
    floors = {column.name: column.floor for column in listed.columns}
    lines = []
    for row, found in zip(rows, listed.reasons(ranked, rows), strict=True):
        total = sum(reason.part for reason in found) or 1.0
        for position, reason in enumerate(found, 1):
            lines.append(
                {
                    "row_id": ranked.row_id[row],
                    "position": position,
                    "feature": reason.column,
                    "value": reason.value,
                    "category": None,
                    "contribution": reason.part,
                    "share": reason.part / total,
                    "contribution_error": None,
                    "value_percentile": 100.0 * (1.0 - reason.peers),
                    "entity_low": None,
                    "entity_high": None if reason.own_largest is None else reason.own_largest or floors[reason.column],
                    "everyone_low": None,
                    "everyone_high": None,
                    "peers": reason.peers,
                }
            )
    table = pd.DataFrame(lines, columns=list(EXPLANATION))
    return table.astype(
        dict.fromkeys(("contribution_error", "entity_low", "entity_high", "everyone_low", "everyone_high"), "float64")
    )
