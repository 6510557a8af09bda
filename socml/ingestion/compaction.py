"""Many small parts of a dataset → few larger ones, so that a batch costs the same at the day's end as at its start.

Parts of one day and about the same size are merged eight at a time, so a dataset keeps a number of small parts that grows with the
logarithm of its rows, and each row is written again at most six times. The manifest that names the merged part names the
others no longer: no reader sees an event twice or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from socml.project import DataError, Part, origin_of

__all__ = ["compact"]

FANOUT = 8
LARGEST_ROWS = 250_000  # a merged part has no more
LARGEST_BYTES = 256 << 20


def compact(
    parts: Sequence[Part], *, read: Callable[[Part], pa.Table], write: Callable[[pa.Table], Part]
) -> tuple[Part, ...]:
    """Return the parts that hold the same rows, eight small ones merged wherever there are as many of one size.

    A part that is damaged is left for its reader to tell, and so are parts whose columns do not fit together.
    """
    kept = list(dict.fromkeys(parts))
    left_alone: set[Part] = set()
    while group := _group([part for part in kept if part not in left_alone]):
        try:
            merged = write(pa.concat_tables([read(part) for part in group], promote_options="default"))
        except (DataError, pa.ArrowException):
            left_alone |= set(group)
            continue
        kept = [part for part in kept if part not in group]
        kept.append(replace(merged, day=group[0].day, origin=origin_of(group)))
    return tuple(kept)


def _group(parts: Sequence[Part]) -> list[Part]:
    """Return the first eight parts of one day and the smallest size of which there are as many; none if there are not."""
    sizes: dict[tuple[int, str], list[Part]] = {}
    for part in parts:
        if part.rows * FANOUT <= LARGEST_ROWS and part.bytes * FANOUT <= LARGEST_BYTES:
            size = (part.rows.bit_length() + 2) // 3  # 8 times as many rows, the next size
            sizes.setdefault((size, part.day), []).append(part)
    full = [found for _, found in sorted(sizes.items()) if len(found) >= FANOUT]
    return full[0][:FANOUT] if full else []
