"""The label store → a file for other tools: CSV, Parquet or JSON lines, with who, when and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from socml.project import UnknownName, replacing, spreadsheet_text

if TYPE_CHECKING:
    import pandas as pd


def write_labels(labels: pd.DataFrame, path: str | Path) -> Path:
    """Write labels (from `read_labels` and its like) to `path`; its ending says how: .csv, .parquet, .jsonl.

    In CSV no cell is a formula and no control character acts; Parquet and JSON lines keep every character.

    Raises
    ------
    UnknownName
        For another ending.
    """
    path = Path(path)
    writers = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    if path.suffix not in writers:
        raise UnknownName("file ending for labels", path.suffix, writers)
    frame = labels.reset_index() if labels.index.name else labels
    with replacing(path) as temporary:
        writers[path.suffix](frame, temporary)
    return path


def _csv(frame: pd.DataFrame, path: Path) -> None:
    texts = frame.select_dtypes(include=["str", "object"]).columns
    inert = frame.assign(**{str(name): frame[name].map(spreadsheet_text, na_action="ignore") for name in texts})
    inert.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _jsonl(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us")
