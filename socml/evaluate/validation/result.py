"""What a validation measured ↔ its folder in the workspace: result.json, rows.parquet, two plots; and its errors, the worst first."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pyarrow as pa

from socml.evaluate.metrics.ranking import number_of
from socml.project import (
    DataError,
    Project,
    UnknownName,
    html_text,
    private_file,
    private_folder,
    read_json,
    read_table,
    safe_name,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from socml.evaluate.validation.alerts import Cluster

SHOWN = ("rows", "malicious", "average_precision", "auroc", "false_discovery_rate", "recall", "cost")


class About(TypedDict):
    """What was judged, and how."""

    model: str
    mode: str
    features: str
    feature_set: str
    datasets: list[str]
    validation: dict[str, object]  # the recipe's [validation] section
    seed: int


@dataclass(frozen=True)
class ValidationResult:
    """How well a model does on rows it was not fitted on.

    Attributes
    ----------
    validation_id : hash of all it depends on
    about : model, feature set, datasets, the [validation] section, seed
    folds : one dict a fold: name, train_rows, train_malicious, threshold, and the metrics of its rows
    pooled : metrics of the rows of all folds together; `intervals` has low and high of each
    curves : `precision_recall` and `roc` of the pooled rows
    rows : DataFrame, one row a judged row: row_id, dataset, fold, time, entity, family, told (by the model: if it is
        malicious, of which family), malicious (1, 0, NaN unknown),
        order (the lowest is looked at first, over all folds), probability (NaN for a detector), alert
    clusters : alerts that are alike, as of `alert_clusters`
    notices : what the figures do not say
    """

    validation_id: str
    about: About
    folds: list[dict[str, object]]
    pooled: dict[str, object]
    curves: dict[str, dict[str, list[float]]] = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    clusters: list[Cluster] = field(default_factory=list, repr=False)
    notices: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, without the rows."""
        names = ("validation_id", "about", "folds", "pooled", "curves", "clusters", "notices")
        return {name: getattr(self, name) for name in names}

    def table(self) -> pd.DataFrame:
        """Return a row a fold and one for all of them pooled, a column a metric."""
        import pandas as pd

        lines = {fold["name"]: {k: fold.get(k) for k in SHOWN} for fold in self.folds}
        return pd.DataFrame.from_dict({**lines, "pooled": {k: self.pooled.get(k) for k in SHOWN}}, orient="index")

    def _repr_html_(self) -> str:
        notices = "".join(f"<li>{html_text(n)}</li>" for n in self.notices)
        return f"<b>{html_text(self.about['model'])}</b>{self.table().to_html()}<ul>{notices}</ul>"


def validations_folder(project: Project) -> Path:
    """Return the folder that holds validations, whether or not there are any."""
    return project.workspace / "validations"


def validation_ids(project: Project) -> list[str]:
    """Return the ids of the validations of a workspace, the newest first."""
    found = validations_folder(project).glob("*/result.json")
    return [p.parent.name for p in sorted(found, key=lambda p: p.stat().st_mtime_ns, reverse=True)]


def save_validation(result: ValidationResult, project: Project) -> list[Path]:
    """Write a validation and return the files that tell it to people: result.json and two plots."""
    folder = validations_folder(project) / safe_name(result.validation_id)
    write_table(folder / "rows.parquet", pa.Table.from_pandas(result.rows, preserve_index=False))
    plots = _write_plots(folder, result) if result.curves else []
    return [*plots, write_json(folder / "result.json", result.to_dict())]  # last: it says that the rest is there


def load_validation(validation_id: str = "", *, project: Project) -> ValidationResult:
    """Return a validation of the workspace, the newest if no id is given.

    Raises
    ------
    UnknownName, DataError
    """
    known = validation_ids(project)
    if not known:
        raise DataError("Nothing was validated yet. Run: socml validate MODEL DATASET")
    validation_id = validation_id or known[0]
    if validation_id not in known:
        raise UnknownName("validation", validation_id, known)
    folder = validations_folder(project) / safe_name(validation_id)
    stored = read_json(folder / "result.json")
    return ValidationResult(**stored, rows=read_table(folder / "rows.parquet").to_pandas())


def _write_plots(folder: Path, result: ValidationResult) -> list[Path]:
    from socml.models import line_plot, precision_recall_plot, spaced_ticks

    curve, roc = (
        {name: np.asarray(values) for name, values in result.curves[key].items()} for key in ("precision_recall", "roc")
    )
    rate, ends, share = number_of(result.pooled, "anomaly_rate"), np.array([0.0, 1.0]), spaced_ticks(0.0, 1.0)
    alarms = {"this model": (roc["false_positive_rate"], roc["recall"]), "random order": (ends, ends)}
    plots = {
        "precision-recall.svg": precision_recall_plot(curve["precision"], curve["recall"], rate),
        "roc.svg": line_plot("ROC", "false positive rate", "recall", alarms, x_ticks=share, y_ticks=share),
    }
    for name, text in plots.items():
        private_file(private_folder(folder) / name).write_text(text, encoding="utf-8")
    return [folder / name for name in plots]


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
