"""A feature table and a stated time → its rows of that time: to fit on a period known to be clean, or to score one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from socml.project import DataError, Period, open_table, parquet_writer, replacing

if TYPE_CHECKING:
    import pandas as pd


def rows_of_period(features: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the rows of a feature table whose time lies in a period; all of them if it is open on both sides.

    Raises
    ------
    DataError
        If there are none; says from when to when the table's rows are.
    """
    import pandas as pd

    if period.is_open:
        return features
    time = pd.to_datetime(features["time"], utc=True)
    chosen = time.notna()
    if period.begin is not None:
        chosen &= time >= period.begin
    if period.end is not None:
        chosen &= time < period.end
    if not chosen.any():
        raise DataError(f"No row lies {period}.{_span(time)}")
    kept = features[chosen]
    kept.attrs = features.attrs
    return kept


def features_of_period(path: Path, period: Period) -> Path:
    """Return a feature file with the rows of a period only, written beside the whole one; that itself if it is open.

    Raises
    ------
    DataError
        As `rows_of_period` does.
    """
    import pyarrow as pa

    if period.is_open:
        return path
    with open_table(path) as file:
        schema = file.schema_arrow
        name = hashlib.blake2b(str(period).encode(), digest_size=6).hexdigest()
        target = path.parent / "periods" / f"{path.stem}.{name}.parquet"
        found, times = 0, []
        with replacing(target) as temporary, parquet_writer(temporary, schema) as writer:
            for batch in file.iter_batches():
                table = pa.Table.from_batches([batch])
                chosen = period.chosen(table["time"])
                times.append(table["time"])
                kept = table.filter(chosen)
                found += len(kept)
                if len(kept):
                    writer.write_table(kept)
            if not found:
                raise DataError(f"No row lies {period}.{_span(pa.chunked_array(times).to_pandas())}")
    return target


def _span(time: pd.Series) -> str:
    known = time.dropna()
    return f" The rows are from {known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M} UTC." if len(known) else ""
