"""Candidates that do the same work → what each costs, measured in turns so that a busy machine is fair to all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPEATS = 5


@dataclass(frozen=True)
class Cost:
    """Seconds of each repeat: of all the process's threads together, and by the clock on the wall."""

    cpu: list[float]
    wall: list[float]

    def ratio_to(self, peer: Cost, kind: str = "cpu") -> float:
        """Return how many times dearer the peer is: the median over repeats of the ratio within each."""
        pairs = zip(getattr(peer, kind), getattr(self, kind), strict=True)
        return float(median(theirs / ours for theirs, ours in pairs))

    def rate(self, count: int, kind: str = "cpu") -> float:
        """Return how many of `count` things a second, by the median cost."""
        return float(count / median(getattr(self, kind)))


def measure(
    candidates: Mapping[str, Callable[[], object]],
    repeats: int = REPEATS,
    *,
    times: Mapping[str, int] | None = None,
) -> dict[str, Cost]:
    """Run each once to warm up, then all in turns, a different one first every time.

    A candidate of a millisecond is at the mercy of whatever else the machine does: `times` says how often it is run
    in a repeat, and its cost is then that of one run.
    """
    names = list(candidates)
    for name in names:
        candidates[name]()
    costs = {name: Cost([], []) for name in names}
    for repeat in range(repeats):
        for k in range(len(names)):
            name = names[(k + repeat) % len(names)]
            runs = (times or {}).get(name, 1)
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(runs):
                candidates[name]()
            costs[name].cpu.append((time.process_time() - cpu) / runs)
            costs[name].wall.append((time.perf_counter() - wall) / runs)
    return costs


def most_memory() -> float:
    """Return the most that this process ever held, in MiB.

    Not `ru_maxrss`: on Linux a process begins with that of the one that started it, if it was larger.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024  # type: ignore[union-attr]
