"""A validation → its errors, the worst first, each down to its feature row and the events behind that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from socml.project import Project, UnknownName

if TYPE_CHECKING:
    import pandas as pd

    from socml.evaluate.validation.result import ValidationResult

KINDS = ("false-positives", "false-negatives")


def list_errors(result: ValidationResult, kind: str, *, limit: int = 20) -> pd.DataFrame:
    """Return the errors of a kind: alerts on benign rows, the most pressing first; or malicious rows without an alert,
    those that were thought most ordinary first.

    Columns are those of `result.rows`.

    Raises
    ------
    UnknownName
        For a kind that is not `false-positives` or `false-negatives`.
    """
    if kind not in KINDS:
        raise UnknownName("kind of error", kind, KINDS)
    rows = result.rows
    alert, malicious = rows["alert"].to_numpy(dtype=bool), rows["malicious"].to_numpy(dtype=np.float64)
    false_positives = kind == "false-positives"
    wrong = alert & (malicious == 0) if false_positives else ~alert & (malicious == 1)
    found = rows[wrong].sort_values("order", ascending=false_positives, kind="stable")
    first: pd.DataFrame = found.drop_duplicates(["dataset", "row_id"]).head(limit)
    return first.reset_index(drop=True)


def error_features(result: ValidationResult, row_id: str, *, project: Project) -> pd.DataFrame:
    """Return the feature row behind a judged row: a line a feature with its value, meaning and what is usual.

    Columns: value, low and high (10 % and 90 % quantile of the whole table; null for a category), meaning.
    """
    import pandas as pd
    from pandas.api import types

    from socml.features import load_features

    table = load_features(_dataset(result, row_id), result.about["feature_set"], project=project)
    about = table.attrs["socml"]
    row = table.loc[row_id]
    lines = {}
    for name in about["features"]:
        numeric = types.is_numeric_dtype(table[name])
        low, high = table[name].quantile([0.1, 0.9]) if numeric else (None, None)
        lines[name] = {"value": row[name], "low": low, "high": high, "meaning": about["columns"].get(name, name)}
    return pd.DataFrame.from_dict(lines, orient="index")


def error_events(result: ValidationResult, row_id: str, *, project: Project, limit: int = 50) -> pd.DataFrame:
    """Return the events behind a judged row, the first `limit` of them."""
    from socml.features import load_features
    from socml.ingestion import events_of_row

    dataset = _dataset(result, row_id)
    table = load_features(dataset, result.about["feature_set"], project=project)
    row = {str(name): value for name, value in table.loc[row_id].items()}
    return events_of_row(
        dataset, row={**row, "row_id": row_id}, feature_metadata=table.attrs["socml"], limit=limit, project=project
    )


def _dataset(result: ValidationResult, row_id: str) -> str:
    found = result.rows.loc[result.rows["row_id"] == row_id, "dataset"]
    if found.empty:
        near = [str(r) for r in result.rows["row_id"] if str(r).startswith(row_id[:4])][:12]
        raise UnknownName(f"row of validation {result.validation_id}", row_id, near)
    return str(found.iloc[0])
