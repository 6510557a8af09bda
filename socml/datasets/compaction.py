"""Many small parts of a dataset → few larger ones, so that a batch costs the same at the day's end as at its start.

Parts of about the same size are merged eight at a time, so a dataset keeps a number of small parts that grows with the
logarithm of its rows, and each row is written again at most six times. No reader sees an event twice or not at all: a
note in the folder says which parts a merged one stands for, and they count until it is there (`workspace.parts_in_use`).
They are deleted an hour later, when whoever had opened them is done. Killed at any point, the next ingest goes on.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from socml.workspace import Replacement, merges_done, parts_in_use, replaced_parts, write_replaced_parts

__all__ = ["compact"]

FANOUT = 8
LARGEST_ROWS = 250_000  # a part with more is left alone
LARGEST_BYTES = 256 << 20
GRACE_S = 3600
_WAITING = ".merging"


def compact(
    folder: Path,
    *,
    write: Callable[[pa.Table, Path], Path],
    content_hash: Callable[[Path], str],
    now: float | None = None,
) -> int:
    """Merge small parts of `folder` where there are many; return how many parts were read for it.

    Call it with the dataset's lock held. A part that does not match the hash in its name is left for its reader to tell,
    and so are parts whose columns do not fit together.

    Parameters
    ----------
    write : writes a table into a folder, under the name that its content gives
    now : seconds since 1970, to tell what was replaced an hour ago
    """
    now = time.time() if now is None else now
    _settle(folder, now)
    read = 0
    left_alone: set[Path] = set()
    while group := _group([part for part in parts_in_use(folder) if part not in left_alone]):
        read += len(group)
        damaged = {part for part in group if content_hash(part) != part.stem}
        table = None if damaged else _merged(group)
        if table is None:
            left_alone |= damaged or set(group)
        else:
            _replace(folder, group, table, write, now)
    return read


def _group(parts: Sequence[Path]) -> list[Path]:
    """Return the eight oldest parts of the smallest size of which there are as many; none if there are not."""
    tiers: dict[int, list[Path]] = {}
    for part in parts:
        try:
            rows = pq.read_metadata(part).num_rows
        except (pa.ArrowException, OSError):
            continue  # damaged: whoever reads the dataset is told
        if rows * FANOUT <= LARGEST_ROWS and part.stat().st_size * FANOUT <= LARGEST_BYTES:
            tiers.setdefault((rows.bit_length() + 2) // 3, []).append(part)  # 8 times as many rows, the next tier
    full = [found for _, found in sorted(tiers.items()) if len(found) >= FANOUT]
    return sorted(full[0], key=lambda part: (part.stat().st_mtime_ns, part.name))[:FANOUT] if full else []


def _merged(parts: Sequence[Path]) -> pa.Table | None:
    try:
        return pa.concat_tables([pq.read_table(part) for part in parts], promote_options="default")
    except pa.ArrowException:
        return None


def _replace(
    folder: Path, parts: Sequence[Path], table: pa.Table, write: Callable[[pa.Table, Path], Path], now: float
) -> None:
    waiting = folder / _WAITING
    waiting.mkdir(exist_ok=True)
    merged = write(table, waiting)
    note = Replacement(merged=merged.name, parts=[part.name for part in parts], at=now)
    write_replaced_parts(folder, [*replaced_parts(folder), note])  # without effect until the merged part is there
    merged.rename(folder / merged.name)


def _settle(folder: Path, now: float) -> None:
    """Delete what was replaced an hour ago, and forget a merge that did not happen or is long done."""
    shutil.rmtree(folder / _WAITING, ignore_errors=True)  # what a killed process left
    notes = replaced_parts(folder)
    kept = []
    for note in merges_done(notes, {path.name for path in folder.glob("*.parquet")}):
        parts = [folder / name for name in note["parts"] if (folder / name).is_file()]
        if now - note["at"] > GRACE_S:
            for part in parts:
                part.unlink()
        if parts or now - note["at"] <= 2 * GRACE_S:  # who listed the folder before looks at the notes after
            kept.append(note)
    if kept != notes:
        write_replaced_parts(folder, kept)
