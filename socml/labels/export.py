"""Labels → a table with one column a field, and that → a file for other tools: CSV, Parquet or JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from socml.labels.records import LabelEvent, fields_of
from socml.project import ConfigurationError, UnknownName, replacing, spreadsheet_text

if TYPE_CHECKING:
    import pandas as pd

_NAMES = 1 << 16  # bytes in which a file's column names stand


def label_frame(labels: Iterable[LabelEvent]) -> pd.DataFrame:
    """Return labels as a table: a column a field of `LabelEvent`, `id` called label_id; times in UTC."""
    import pandas as pd

    fields = fields_of(LabelEvent)
    frame = pd.DataFrame(labels, columns=list(fields))
    for name in ("time", "given_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    kinds = {int: "int64", float: "float64", bool: "bool", str: "str", datetime: "datetime64[us, UTC]"}
    types = {n: "Int64" if kind is int and missing else kinds[kind] for n, (kind, missing) in fields.items()}
    return frame.astype(types).rename(columns={"id": "label_id"})


def write_labels(labels: pd.DataFrame, path: str | Path) -> Path:
    """Write labels (from `read_labels` and its like) to `path`; its ending says how: .csv, .parquet, .jsonl.

    In CSV no cell is a formula and no control character acts; Parquet and JSON lines keep every character. Labels that were
    written there before give way.

    Raises
    ------
    ConfigurationError
        If another file is there.
    UnknownName
        For another ending.
    """
    path = Path(path)
    writers = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    if path.suffix not in writers:
        raise UnknownName("file ending for labels", path.suffix, writers)
    if path.is_file() and not _holds_labels(path):
        raise ConfigurationError(f"{path} is there, and holds no labels of socml. Name another file, or remove it.")
    frame = labels.reset_index() if labels.index.name else labels
    with replacing(path) as temporary:
        writers[path.suffix](frame, temporary)
    return path


def _holds_labels(path: Path) -> bool:
    """Say whether a file has a label's id where its ending has the names of columns, or nothing in it."""
    with path.open("rb") as file:
        first = file.read(_NAMES)
        file.seek(max(0, path.stat().st_size - _NAMES))
        return not first.strip() or b"label_id" in (
            file.read() if path.suffix == ".parquet" else first.partition(b"\n")[0]
        )


def _csv(frame: pd.DataFrame, path: Path) -> None:
    texts = frame.select_dtypes(include=["str", "object"]).columns
    inert = frame.assign(**{str(name): frame[name].map(spreadsheet_text, na_action="ignore") for name in texts})
    inert.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _jsonl(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us")
