"""What the parts of bench-speed share: made-up tables, and what is told of a cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.results import Figure

COLUMNS = 40
AGAIN = 20  # times that what takes a few milliseconds is run in a repeat


def make_table(n: int, d: int = COLUMNS, seed: int = 0) -> np.ndarray:
    """Return float32 columns as flows have them, in turn: volumes, counts, shares, flags, measurements."""
    rng = np.random.default_rng(seed)
    kinds: list[Callable[[], np.ndarray]] = [
        lambda: rng.lognormal(5, 2, n),
        lambda: rng.poisson(3, n),
        lambda: rng.beta(2, 5, n),
        lambda: rng.random(n) < 0.1,
        lambda: rng.normal(size=n),
    ]
    return np.ascontiguousarray(np.stack([np.asarray(kinds[j % 5](), np.float32) for j in range(d)], axis=1))


def rates(
    case: str,
    costs: dict[str, Any],
    count: int,
    things: str,
    peer: str,
    versions: dict[str, str],
    *,
    wall: bool = False,
) -> list[Figure]:
    """Return what a CPU second (and a second on the wall) does here and at the peer, and the ratio."""
    ours, theirs = costs["ours"], costs["peer"]
    figures = []
    for kind, words in (("cpu", "a CPU second"), ("wall", "a second of time"))[: 2 if wall else 1]:
        figures.append(
            Figure(
                case, f"{things} {words}", ours.rate(count, kind), f"{things}/s", peer, theirs.rate(count, kind),
                ours.ratio_to(theirs, kind), count, versions,
            )
        )  # fmt: skip
    return figures
