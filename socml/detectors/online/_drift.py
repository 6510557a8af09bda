"""A stream of numbers between 0 and 1 → whether its distribution has changed, with a state that can be kept.

KSWIN is River's class. ADWIN is River's algorithm line by line, because River's own object (compiled) can
neither be read nor be filled again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from socml.detectors.online._state import State
from socml.project import RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BUCKETS = 5
CLOCK = 32  # values between two looks for a change
LEAST_WINDOW = 5
GRACE = 10


def make_drift(name: str) -> Adwin | Kswin | None:
    """Return a drift detector: `adwin`, `kswin`, or None for `none`.

    Raises
    ------
    RecipeError
    """
    known: dict[str, Callable[[], Adwin | Kswin | None]] = {"adwin": Adwin, "kswin": Kswin, "none": lambda: None}
    if name not in known:
        raise RecipeError(f"There is no drift detector called {name!r}.{did_you_mean(name, known)}")
    return known[name]()


class Adwin:
    """Keep a window of recent values that lets go of its older part when the means of the two differ.

    Blind to a change of shape that leaves the mean as it was.

    Attributes
    ----------
    rows : list of buckets a row; a bucket in row r is the (total, variance) of 2**r values; oldest first

    References
    ----------
    A. Bifet, R. Gavaldà (2007), «Learning from Time-Changing Data with Adaptive Windowing», SDM.

    Examples
    --------
    >>> adwin = Adwin()
    >>> [i for i in range(200) if adwin.update(float(i >= 100))]
    [127]
    """

    def __init__(self, delta: float = 0.002) -> None:
        self.delta = delta
        self.detected = False
        self.rows: list[list[tuple[float, float]]] = [[]]
        self._reset()

    def update(self, value: float) -> bool:
        """Learn a value; say whether the distribution has changed. After a change it starts anew."""
        if self.detected:
            self._reset()
        self._insert(value)
        self.detected = self._changed()
        return self.detected

    def state(self) -> State:
        """Return all that it knows."""
        plain = {"width": self.width, "total": self.total, "variance": self.variance, "tick": self.tick}
        return {**plain, "detected": self.detected, "rows": [[list(b) for b in row] for row in self.rows]}

    def restore(self, state: State) -> None:
        """Know what `state` says and nothing else."""
        self.rows = [[(float(t), float(v)) for t, v in row] for row in state["rows"]]
        self.width, self.tick = int(state["width"]), int(state["tick"])
        self.total, self.variance = float(state["total"]), float(state["variance"])
        self.detected = bool(state["detected"])

    def _reset(self) -> None:
        self.rows = [[]]
        self.width, self.tick = 0, 0
        self.total, self.variance = 0.0, 0.0
        self.detected = False

    def _insert(self, value: float) -> None:
        self.rows[0].append((value, 0.0))
        self.width += 1
        if self.width > 1:
            apart = value - self.total / (self.width - 1.0)
            self.variance += (self.width - 1.0) * apart * apart / self.width
        self.total += value
        for index, row in enumerate(self.rows):
            if len(row) <= MOST_BUCKETS:
                break
            if index + 1 == len(self.rows):
                self.rows.append([])
            size = 2.0**index
            (t1, v1), (t2, v2) = row[0], row[1]
            apart = t1 / size - t2 / size
            self.rows[index + 1].append((t1 + t2, v1 + v2 + size * size * apart * apart / (size + size)))
            del row[:2]

    def _changed(self) -> bool:
        self.tick += 1
        if self.tick % CLOCK or self.width <= GRACE:
            return False
        changed = False
        while self._cut():
            changed = True
            self._drop_oldest()
        return changed

    def _cut(self) -> bool:
        """Say whether the window's older part differs from its newer part, wherever it is cut."""
        n0, u0, n1, u1 = 0.0, 0.0, float(self.width), self.total
        for index in range(len(self.rows) - 1, -1, -1):
            size = 2.0**index
            for total, _ in self.rows[index]:
                n0, n1, u0, u1 = n0 + size, n1 - size, u0 + total, u1 - total
                if n0 >= LEAST_WINDOW and n1 >= LEAST_WINDOW and self._differ(n0, n1, u0 / n0 - u1 / n1):
                    return True
        return False

    def _differ(self, n0: float, n1: float, apart: float) -> bool:
        surety = math.log(2 * math.log(self.width) / self.delta)
        share = 1.0 / (n0 - LEAST_WINDOW + 1) + 1.0 / (n1 - LEAST_WINDOW + 1)
        spread = self.variance / self.width
        return abs(apart) > math.sqrt(2 * share * spread * surety) + 2 / 3 * surety * share

    def _drop_oldest(self) -> None:
        size = 2 ** (len(self.rows) - 1)
        total, variance = self.rows[-1].pop(0)
        self.width -= size
        self.total -= total
        apart = total / size - self.total / self.width
        self.variance -= variance + size * self.width * apart * apart / (size + self.width)
        if not self.rows[-1]:
            self.rows.pop()


class Kswin:
    """River's KSWIN: compare the newest 30 of 100 values with 30 of the others by a Kolmogorov-Smirnov test.

    Blind to a change slower than its window.

    References
    ----------
    C. Raab, M. Heusinger, F.-M. Schleif (2020), «Reactive Soft Prototype Computing for Concept Drift Streams»,
    Neurocomputing.
    """

    def __init__(self, alpha: float = 0.0001, seed: int = 0) -> None:
        from river.drift import KSWIN

        self._kswin = KSWIN(alpha=alpha, seed=seed)

    def update(self, value: float) -> bool:
        """Learn a value; say whether the distribution has changed. After a change it starts anew."""
        self._kswin.update(value)  # type: ignore[no-untyped-call]  # River gives it no types
        return bool(self._kswin.drift_detected)

    def state(self) -> State:
        """Return all that it knows."""
        version, numbers, gauss = self._kswin._rng.getstate()
        return {
            "window": [float(v) for v in self._kswin.window],
            "n": int(self._kswin.n),
            "p_value": float(self._kswin.p_value),
            "detected": bool(self._kswin.drift_detected),
            "rng": [version, list(numbers), gauss],
        }

    def restore(self, state: State) -> None:
        """Know what `state` says and nothing else."""
        self._kswin.window.clear()
        self._kswin.window.extend(state["window"])
        self._kswin.n, self._kswin.p_value = state["n"], state["p_value"]
        self._kswin._drift_detected = state["detected"]
        version, numbers, gauss = state["rng"]
        self._kswin._rng.setstate((version, tuple(numbers), gauss))
