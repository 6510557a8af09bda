"""Hand-made log files, a day each → a project whose nights are quick: two feature sets, a dozen hosts."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from socml.jobs import Night, NightLog, NightReport, nightly
from socml.project import Project, read_project, starter_root

HOSTS = [f"10.0.0.{i}" for i in range(1, 13)]
SETS = ("daily-scan", "daily-edge")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


class Quiet:
    """A stream that nobody reads."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def lab_in(folder: Path, more: str = "", *, sets: tuple[str, ...] = SETS) -> Project:
    """Return a project of its own whose dataset `office` is what lies in its folder `logs`."""
    for kind in ("datasets", "models", "experiments", "features"):
        (folder / kind).mkdir(parents=True)
    for name in sets:
        shutil.copy(starter_root() / "features" / f"{name}.sql", folder / "features")
    (folder / "models" / "daily.toml").write_text(
        f'about = "x"\nmode = "daily"\ndetector = "entity-surprise"\nfeatures = {json.dumps(list(sets))}\n'
    )
    (folder / "socml.toml").write_text(
        f'[engine]\nthreads = 2\n\n[sources.office]\npaths = ["logs"]\nfinal = true\n{more}\n'
    )
    (folder / "logs").mkdir()
    return read_project(folder)


def flows(number: int, *, n: int = 12, seed: int = 0, **changes: object) -> list[dict[str, object]]:
    """Return ordinary flows of a working day, `number` days after Monday; `changes` replace fields of each."""
    rng = np.random.default_rng([number, seed])
    start = (MONDAY + timedelta(days=number)).timestamp()
    made = [
        {
            "_path": "conn",
            "ts": start + 7 * 3600 + float(rng.integers(0, 12 * 3600)),
            "uid": f"C{rng.integers(1 << 40):x}",
            "id.orig_h": host,
            "id.orig_p": int(rng.integers(30_000, 60_000)),
            "id.resp_h": f"203.0.113.{rng.integers(1, 6)}",
            "id.resp_p": 443,
            "proto": "tcp",
            "duration": 1.0,
            "orig_bytes": int(rng.integers(500, 5000)),
            "resp_bytes": int(rng.integers(500, 5000)),
            "conn_state": "SF",
            **changes,
        }
        for host in HOSTS
        for _ in range(n)
    ]
    return sorted(made, key=lambda flow: flow["ts"])  # type: ignore[arg-type, return-value]


def scan(number: int, source: str = "10.0.0.4", n: int = 60) -> list[dict[str, object]]:
    """Return the flows of a scan in the afternoon."""
    start = (MONDAY + timedelta(days=number, hours=14)).timestamp()
    about = {
        "_path": "conn",
        "id.orig_h": source,
        "id.orig_p": 40_000,
        "id.resp_p": 445,
        "proto": "tcp",
        "conn_state": "S0",
    }
    return [{**about, "ts": start + i, "uid": f"S{number}-{i}", "id.resp_h": f"10.0.1.{i + 1}"} for i in range(n)]


def write_day(project: Project, number: int, records: list[dict[str, object]], name: str = "conn") -> Path:
    """Write a day's log file, as Zeek rotates it."""
    path = project.root / "logs" / f"{name}.{MONDAY + timedelta(days=number):%Y-%m-%d}.log"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def after(number: int) -> datetime:
    """Return the night that follows a day: two o'clock of the next."""
    return MONDAY + timedelta(days=number + 1, hours=2)


def night(project: Project, number: int, **options: object) -> NightReport:
    """Do the night that follows a day, without a word."""
    chosen = Night(now=after(number), **options)  # type: ignore[arg-type]
    return nightly("office", project=project, night=chosen, log=NightLog(f"{number:03}", stream=Quiet()))  # type: ignore[arg-type]


def outcome(project: Project) -> dict[str, bytes]:
    """Return all that nights make of events, by path: tables, history, lists, runs, alerts. Times of day are left out."""
    found: dict[str, bytes] = {}
    for room in ("daily", "scores", "alerts"):
        for path in sorted((project.workspace / room).rglob("*")):
            if path.is_file() and path.name not in {"state.json", "index.json"}:
                found[str(path.relative_to(project.workspace))] = path.read_bytes()
    for name in [name for name in found if name.endswith("run.json")]:
        said = json.loads(found[name])
        found[name] = json.dumps({k: v for k, v in said.items() if k not in {"finished", "checksum"}}).encode()
    return found
