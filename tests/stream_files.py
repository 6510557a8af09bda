"""Files of one stream, and what is stored of them."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from socml.ingestion.event_query import load_events
from socml.project.project import Project

SSHD = "Mar  2 10:00:{:02} h1 sshd[1]: Failed password for root from 192.0.2.1 port {} ssh2\n"


OLD = datetime(2026, 3, 3, tzinfo=UTC).timestamp()


def write(path: Path, text: str | bytes, *, old: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if old:
        os.utime(path, (OLD, OLD))
    return path


def sshd(first: int, count: int) -> str:
    return "".join(SSHD.format(n % 60, n) for n in range(first, first + count))


def raws(project: Project, dataset: str = "d") -> Counter[str]:
    return Counter(load_events(dataset, columns=["raw"], project=project)["raw"])
