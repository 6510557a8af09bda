"""Processes that label through leases, some of them killed → what they were told, to be compared with the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from patience import PATIENCE_S, wait_until

CHECKOUT = Path(__file__).resolve().parents[1]
LEASE_S = 40.0
MARGIN_S = 20.0  # before a lease ends its holder labels no more, and may be held up for as long
AT_ONCE = 5

ANALYST = """
import os, random, sys, time
from datetime import UTC, datetime, timedelta
from socml.labels import LabelStore, NewLabel, database
database.BUSY_MS = 3_600_000  # SQLite lets a process starve while others are busy; here each gets its turn in the end
url, who, begin, others = sys.argv[1:5]
rows, seconds, margin, at_once, stop_after, is_patient, enough = map(float, sys.argv[5:])
rows = [f"r{i}" for i in range(int(rows))]
done = 0
with LabelStore(url) as store:
    print("ready", "-", 0, 0, flush=True)
    while not os.path.exists(begin):
        time.sleep(0.01)
    while True:
        if done >= enough:
            print("enough", "-", 0, 0, flush=True)
            while not os.path.exists(others):
                time.sleep(0.01)
            enough = float("inf")
        leases = store.leases.claim(rows, by=who, n=int(at_once), seconds=seconds, campaign="team")
        if not leases and not is_patient and not store.leases.held(campaign="team"):
            break
        if not leases:
            time.sleep(0.5)
        for lease in leases:
            began = lease.expires - timedelta(seconds=seconds)
            print("holds", lease.row_id, began.timestamp(), lease.expires.timestamp(), flush=True)
        for lease in leases:
            if datetime.now(UTC) > lease.expires - timedelta(seconds=margin):
                break
            if done == stop_after:
                print("stuck", lease.row_id, 0, 0, flush=True)
                time.sleep(86_400)
            given = NewLabel(lease.row_id, "benign", client_id=f"{who}-{lease.row_id}", by=who)
            told = store.record([given])[0]
            print("said", told.row_id, told.client_id, 0, flush=True)
            done += 1
            time.sleep(random.uniform(0.01, 0.03))  # who never looks up keeps the others from SQLite's lock
"""


@dataclass
class Told:
    """What the analysts were told.

    Attributes
    ----------
    holds : (row_id, began, ends, who): each lease that was granted, in seconds of the store's clock
    said : (row_id, client_id): each label that was acknowledged
    stuck : rows that a killed analyst had before them
    """

    holds: list[tuple[str, float, float, str]] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)


def label_together(url: str, folder: Path, *, analysts: int, labels: int, patience_s: float = PATIENCE_S) -> Told:
    """Let `analysts` processes label `labels` rows each, and kill -9 two of them in the middle.

    One is killed while it waits with rows before it, the other whatever it is doing; it never ends by itself.
    Each of the two begins alone, so that it comes to hold rows however busy the machine is: a SQLite that others
    keep busy may let a process wait until they have labelled everything. The others do the rest; nobody goes on
    past a third of their share before each of them has come so far, however unevenly the machine runs them.
    """
    names = [f"analyst{n}" for n in range(analysts)]
    logs = {name: folder / f"{name}.log" for name in names}
    killed = names[:2]
    workers = {}
    for name in names:
        begin = folder / (f"begin-{name}" if name in killed else "begin")
        stop_after = AT_ONCE + 2 if name == names[0] else -1
        numbers = [labels * analysts, LEASE_S, MARGIN_S, AT_ONCE, stop_after, int(name in killed), labels // 3 + 1]
        options = [url, name, begin, folder / "go-on", *numbers]
        with logs[name].open("wb") as log:
            workers[name] = subprocess.Popen(
                [sys.executable, "-c", ANALYST, *map(str, options)],
                stdout=log,
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            )
    try:
        for log in logs.values():
            _wait_for([log], "ready", 1, patience_s)
        for name, what in zip(killed, ("stuck", "holds"), strict=True):
            (folder / f"begin-{name}").touch()
            _wait_for([logs[name]], what, 1, patience_s)
        (folder / "begin").touch()
        for name in names[2:]:
            _wait_for([logs[name]], "enough", 1, patience_s)
        (folder / "go-on").touch()
        _wait_for(list(logs.values()), "said", labels * analysts // 2, patience_s)
        for name in killed:
            workers[name].send_signal(signal.SIGKILL)
        for name in names:
            assert workers[name].wait(patience_s) == (-signal.SIGKILL if name in killed else 0), name
    finally:
        for worker in workers.values():
            if worker.poll() is None:
                worker.kill()
    return _read(logs)


def overlapping(told: Told) -> list[tuple[str, str, str]]:
    """Return (row_id, who, who else) for each moment at which two had a row before them; there should be none."""
    ended = dict(told.said)
    clashes = []
    of_row: dict[str, list[tuple[float, float, str]]] = {}
    for row_id, began, ends, who in told.holds:
        of_row.setdefault(row_id, []).append((began, ends, who))
    for row_id, leases in of_row.items():
        leases.sort()
        for (_, ends, who), (began, _, other) in pairwise(leases):
            if who != other and (began < ends or ended.get(row_id, "").startswith(f"{who}-")):
                clashes.append((row_id, who, other))
    return clashes


def _wait_for(logs: list[Path], what: str, times: int, patience_s: float) -> None:
    def told() -> list[str]:
        return [f"{log.name}: {log.read_text()[-200:]}" for log in logs]

    wait_until(lambda: sum(log.read_text().count(f"{what} ") for log in logs) >= times, told, patience_s=patience_s)


def _read(logs: dict[str, Path]) -> Told:
    told = Told()
    for who, log in logs.items():
        for line in log.read_text().split("\n")[:-1]:  # what a killed process was writing is no whole line
            what, row_id, first, second = line.split()
            if what == "holds":
                told.holds.append((row_id, float(first), float(second), who))
            elif what == "said":
                told.said.append((row_id, first))
            elif what == "stuck":
                told.stuck.append(row_id)
    return told
