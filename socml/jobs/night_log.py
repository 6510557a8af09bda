"""What a night is doing → lines with time and run id, as text or as JSON, one object a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from socml.project import visible_line


@dataclass
class NightLog:
    """Where a night tells what it does. `seconds` has how long each step took."""

    night: str
    as_json: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    seconds: dict[str, float] = field(default_factory=dict)

    def say(self, event: str, *, level: str = "info", **about: object) -> None:
        """Write one line."""
        now = datetime.now(UTC)
        if self.as_json:
            record = {"time": now.isoformat(timespec="milliseconds"), "level": level, "run": self.night, "event": event}
            self.stream.write(json.dumps({**record, **about}, ensure_ascii=False, default=str) + "\n")
        else:
            more = "".join(f" {name}={visible_line(str(value))}" for name, value in about.items())
            self.stream.write(f"{now:%H:%M:%S} {visible_line(event)}{more}\n")
        self.stream.flush()

    @contextmanager
    def step(self, event: str) -> Iterator[None]:
        """Tell that something is done, and how long it took."""
        started = time.perf_counter()
        yield
        taken = time.perf_counter() - started
        self.seconds[event] = round(self.seconds.get(event, 0.0) + taken, 3)
        self.say(event, seconds=round(taken, 2))
