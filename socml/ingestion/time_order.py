"""The times of a file's events, in the order of its lines → what to say if they run backwards.

Logs of flows are written when a flow ends and tell when it began, so theirs may step back by a day; all others by a minute,
for several programs write one file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.formats import Assumption, Format

__all__ = ["TimeOrder"]

_MINUTE, _DAY = 60_000_000, 86_400_000_000  # microseconds
_MOSTLY = 0.9  # of the steps


@dataclass
class TimeOrder:
    """How the times of a file step, so far. `allowed`: microseconds that a step back may have."""

    allowed: int
    last: int | None = None
    steps: int = 0
    falls: int = 0  # steps back, of any size
    back: int = 0  # steps back over what is allowed
    farthest: int = 0  # microseconds
    first_line: int = 0  # of the first step back over what is allowed
    _held: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)  # lines and times of parts

    @classmethod
    def of(cls, reader: Format) -> TimeOrder:
        """Return an empty one for the files of a reader."""
        return cls(_DAY if ".formats.network." in type(reader).__module__ else _MINUTE)

    def see(self, events: pa.Table) -> None:
        """Look at the next events of the file: those of a block may come in parts whose lines lie between one another's.

        Examples
        --------
        >>> order = TimeOrder(60_000_000)
        >>> order.see(pa.table({"time": pa.array([0, 7_200_000_000, 0]).view(pa.timestamp("us", "UTC")), "source_line": [1, 2, 3]}))
        >>> order.warnings()[0].partition(":")[0]
        'The times run backwards once, by up to 2'
        """
        if "time" not in events.column_names:
            return
        known = events.filter(events["time"].is_valid())
        lines = known["source_line"].to_numpy()
        if not len(lines):
            return
        if self._held and lines.min() > max(of_part.max() for of_part, _ in self._held):
            self._look()
        self._held.append((lines, known["time"].cast(pa.int64()).to_numpy()))

    def _look(self) -> None:
        """Look at the parts that were held, in the order of their lines."""
        lines = np.concatenate([of_part for of_part, _ in self._held])
        order = np.argsort(lines, kind="stable")
        micros = np.concatenate([times for _, times in self._held])[order]
        self._held.clear()
        steps = np.diff(micros, prepend=micros[0] if self.last is None else self.last)
        far = steps < -self.allowed
        self.steps += int(np.count_nonzero(steps))
        self.falls += int(np.count_nonzero(steps < 0))
        if far.any():
            self.first_line = self.first_line or int(lines[order][int(np.argmax(far))])
            self.back += int(np.count_nonzero(far))
            self.farthest = max(self.farthest, int(-steps.min()))
        self.last = int(micros[-1])

    def warnings(self) -> list[str]:
        """Return what to say, once the file was seen whole; nothing if its times run forward."""
        if self._held:
            self._look()
        if not self.back:
            return []
        if self.falls > _MOSTLY * self.steps and self.steps > 1:
            return [Assumption("time order", "The records are in the file from the newest to the oldest.")]
        often = "once" if self.back == 1 else f"{self.back:,} times"
        span = timedelta(seconds=round(self.farthest / 1e6))
        return [
            Assumption(
                "time order",
                f"The times run backwards {often}, by up to {span}, first at line {self.first_line:,}: a clock was set, files "
                "were joined, or the zone or year is another than was assumed.",
            )
        ]
