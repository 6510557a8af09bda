"""Ninety simulated nights, some of them bad → what a night costs, what was lost, and what `socml status` said.

Run it with `make results-night`. `NIGHTS` is the number of nights (90), `NIGHT_EVENTS` the events of each (100,000);
`NIGHT_MINUTES` the time after which no more nights are begun (none): fewer than `NIGHTS` are reported then. Every night is a
process of its own, as cron starts it; in each week one is killed at a random moment and done again. At the end all days are
made at once in another workspace, and the bytes are compared.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.project import Project, ScratchFolder, event_parts, init_project, read_project

NIGHTS = int(os.environ.get("NIGHTS") or 90)
EVENTS = int(os.environ.get("NIGHT_EVENTS") or 100_000)
MINUTES = float(os.environ.get("NIGHT_MINUTES") or "inf")
SEED = 7
ROOMS = ("daily/office/features", "daily/office/history", "daily/office/lists", "daily/office/ranked", "scores")
HOSTS, SITES = 150, 4_000
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
LOGONS = 0.1  # share of the events that are lines of auth.log
VERSIONS = versions_of("duckdb", "pyarrow", "numpy")
SETTINGS = """
[nightly]
alerts_a_day = 10

[checks]
lag_h = 1000000            # the nights are simulated: their days are long past

[sources.office]
paths = ["logs"]
final = true
"""
RECIPE = (
    'about = "x"\norigin = "simulated"\nlicence = "none"\nflaws = ["none"]\ntime_zone = "Europe/Paris"\nyear = 2026\n'
)
HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\t"
    "id.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state{more}\n#types\ttime\t"
    "string\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring{types}\n"
)


@dataclass
class Cost:
    """What one process took."""

    cpu_s: float
    memory_mb: float
    disk_mb: float
    code: int
    said: dict[str, object] = field(default_factory=dict)


@dataclass
class Office:
    """The logs of an office, written as its days go by."""

    project: Project
    written: int = 0

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.project.root / "logs"

    def flows(self, day: int, n: int, *, bytes_factor: int = 1, more: str = "", salt: int = 0) -> str:
        """Return a Zeek file of one day, with a scan on every third."""
        rng = np.random.default_rng([SEED, day, salt])
        times = np.sort(rng.uniform(0, 86_399, n)) + (FIRST + timedelta(days=day)).timestamp()
        hosts = rng.zipf(1.3, n) % HOSTS
        sites = (rng.zipf(1.2, n) + 17 * day * (rng.random(n) < 0.01)) % SITES
        sent, got = (rng.lognormal(7, 1.5, n).astype(int) * bytes_factor for _ in range(2))
        extra = "\t12" if more else ""
        lines = [
            f"{t:.6f}\tC{day}x{salt}x{i}\t10.0.{h // 250}.{h % 250 + 1}\t{40_000 + i % 20_000}\t198.18.{s // 250}.{s % 250 + 1}\t443\t"
            f"tcp\tssl\t1.5\t{b}\t{r}\tSF{extra}"
            for i, (t, h, s, b, r) in enumerate(zip(times, hosts, sites, sent, got, strict=True))
        ]
        if day % 3 == 2 and not salt:
            start = (FIRST + timedelta(days=day, hours=14)).timestamp()
            lines += [
                f"{start + i:.6f}\tS{day}x{i}\t10.0.0.{day % HOSTS + 1}\t40000\t10.0.9.{i + 1}\t445\ttcp\t-\t-\t0\t0\tS0{extra}"
                for i in range(120)
            ]
        self.written += len(lines)
        named = {"more": f"\t{more}", "types": "\tcount"} if more else {"more": "", "types": ""}
        return HEADER.format(**named) + "\n".join(lines) + "\n"

    def logons(self, day: int, n: int) -> str:
        """Return the lines of auth.log of one day, in local time."""
        rng = np.random.default_rng([SEED, day, 99])
        lines = []
        for second in np.sort(rng.integers(3 * 3600, 22 * 3600, n)).tolist():
            at = FIRST + timedelta(days=day, seconds=second)
            local = at + timedelta(hours=2 if at >= datetime(2026, 3, 29, 1, tzinfo=UTC) else 1)
            who = rng.integers(HOSTS)
            lines.append(
                f"{local:%b} {local.day:2d} {local:%H:%M:%S} gate sshd[{rng.integers(1000, 9999)}]: Accepted publickey for "
                f"user{who} from 10.0.0.{who + 1} port {rng.integers(30_000, 60_000)} ssh2"
            )
        self.written += len(lines)
        return "\n".join(lines) + "\n"

    def add_flows(self, day: int, text: str, name: str = "conn") -> None:
        """Write a day's file; the one of three days before is packed."""
        at = FIRST + timedelta(days=day)
        (self.logs / f"{name}.{at:%Y-%m-%d}.log").write_text(text)
        old = self.logs / f"{name}.{at - timedelta(days=3):%Y-%m-%d}.log"
        if old.is_file():
            with gzip.open(old.with_name(old.name + ".gz"), "wb") as packed:
                packed.write(old.read_bytes())
            old.unlink()

    def rotate_logons(self, text: str) -> None:
        """Write auth.log anew; what was there is auth.log.1, as logrotate does, and of more than seven the oldest go."""
        for number in range(7, 0, -1):
            old = self.logs / (f"auth.log.{number - 1}" if number > 1 else "auth.log")
            if old.is_file():
                old.replace(self.logs / f"auth.log.{number}")
        (self.logs / "auth.log").write_text(text)


def run_night(project: Project, *arguments: str, kill_after_s: float | None = None) -> Cost:
    """Do one night in a process of its own, and return what it took; killed if it is to be."""
    command = [sys.executable, "-m", "socml", *(arguments or ("nightly", "office", "--json"))]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=project.root, stdout=out, stderr=err)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(process.pid, signal.SIGKILL)  # of a night that is over already, too: it was not waited for
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
        err.seek(0)
        if process.returncode not in {0, 1, 75, -9}:
            raise RuntimeError(err.read().decode())
    disk = sum(p.stat().st_size for p in project.workspace.rglob("*") if p.is_file()) / 1e6
    summary = json.loads(text) if text.startswith(("{", "[")) else {}
    return Cost(
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
        disk,
        process.returncode,
        summary if isinstance(summary, dict) else {"lines": summary},
    )


def status(project: Project) -> list[str]:
    """Return what `socml status` says is wrong or was promoted, of the last day and night."""
    lines: Any = run_night(project, "status", "office", "--days", "1", "--json").said["lines"]
    return [f"{line['what']}: {line['text']}" for line in lines if not line["ok"] or line["what"].startswith("model ")]


def told(project: Project, day: int, planted: str) -> str:
    """Return what `socml status` says after something was planted."""
    said = "; ".join(status(project)).replace(str(project.root), "…")
    return f"night {day + 1}, {planted}: {said or 'nothing was told'}"


def promote_one(project: Project) -> tuple[int, int]:
    """Fit a model, fit it again, promote that version and score with it; return rows that name another version, and all."""
    for arguments in (("fit", MODEL, "office", "--promote"), ("retrain", MODEL, "office"), ("promote", MODEL)):
        run_night(project, *arguments)
    run = run_night(project, "score", MODEL, "office", "--json").said
    versions = pq.read_table(
        project.workspace / "scores" / str(run["run_id"]) / "scores.parquet", columns=["model_version"]
    )["model_version"]
    return sum(version != f"{MODEL}/2" for version in versions.to_pylist()), len(versions)


def outcome(project: Project) -> dict[str, bytes]:
    """Return all that nights make of events, by path, without the times at which they did."""
    found = {}
    for room in ROOMS:
        for path in sorted((project.workspace / room).rglob("*")):
            if path.is_file():
                found[str(path.relative_to(project.workspace))] = path.read_bytes()
    for name in [name for name in found if name.endswith("run.json")]:
        summary = json.loads(found[name])
        found[name] = json.dumps({k: v for k, v in summary.items() if k not in {"finished", "checksum"}}).encode()
    return found


def lab_in(folder: Path) -> Project:
    """Return a project with an office's logs."""
    init_project(folder)
    with (folder / "socml.toml").open("a") as file:
        file.write(SETTINGS)
    (folder / "datasets" / "office.toml").write_text(RECIPE)
    (folder / "logs").mkdir(exist_ok=True)
    return read_project(folder)


def full_disk(project: Project) -> int:
    """Do a night with a disk that is full after 128 more kilobytes, and return its exit code; -1 if none can be mounted."""
    workspace = project.workspace
    size = sum(p.stat().st_size + 4096 for p in workspace.rglob("*")) + (64 << 20)
    aside = workspace.with_name("aside")
    workspace.rename(aside)
    workspace.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", workspace], check=False).returncode == 0
    )
    try:
        if not mounted:
            return -1
        shutil.copytree(aside, workspace, dirs_exist_ok=True)
        room = os.statvfs(workspace)
        used = (room.f_blocks - room.f_bfree) * room.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + (128 << 10)}", workspace], check=True)
        code = run_night(project).code
        shutil.rmtree(aside)
        shutil.copytree(workspace, aside)  # what the full disk left is what the next night finds
        return code
    finally:
        if mounted:
            subprocess.run(["umount", workspace], check=True)
        workspace.rmdir()
        aside.rename(workspace)


def main() -> None:
    """Do all nights, and write the results."""
    done, figures, lines = nights()
    about = (
        f"{done} nights of {EVENTS:,} events (Zeek's conn.log and auth.log, rotated and packed), each a process of "
        "`socml nightly` with all 19 daily feature sets."
    )
    figures = [replace(figure, versions=VERSIONS) for figure in figures]
    figures += [figure for figure in measured_before("results-night") if figure.case != case_of(done)]
    write_results("results-night", "Ninety nights", about, figures, notes=[*lines, *NOTES])


def nights() -> tuple[int, list[Figure], list[str]]:
    """Do all nights; return how many were done, the figures, and what `socml status` said of what was planted."""
    until = time.monotonic() + 60 * MINUTES
    rng = random.Random(SEED)
    kills = {rng.randrange(max(week, 2), min(week + 7, NIGHTS)) for week in range(0, NIGHTS - 2, 7)}
    at = {name: int(NIGHTS * share) for name, share in PLANTED.items()}
    figures: list[Figure] = []
    lines: list[str] = []
    with ScratchFolder("nights") as scratch:
        project = lab_in(Path(scratch) / "a")
        office = Office(project)
        costs: dict[int, Cost] = {}
        walls: dict[int, float] = {}
        survived = 0
        full = -1
        promoted: tuple[int, int] | None = None
        for day in range(NIGHTS):
            if time.monotonic() > until:
                break
            plant(office, day, at)
            if day == at["a full disk"]:
                full = full_disk(project)
                lines.append(told(project, day, "a disk that is full, before the night is done again"))
            if day in kills:
                usual = walls[max(walls)]
                if run_night(project, kill_after_s=rng.uniform(0.05, 1) * usual).code == -9:
                    survived += 1
                    lines.append(told(project, day, "killed, before it is done again"))
            began = time.monotonic()
            costs[day] = run_night(project)
            walls[day] = time.monotonic() - began
            if day == at["a model is fitted again and promoted"]:
                promoted = promote_one(project)
            planted = [name for name, on in at.items() if on == day]
            if planted:
                lines.append(told(project, day, ", ".join(planted)))
            print(day + 1, f"{costs[day].cpu_s:.1f} s", f"{costs[day].memory_mb:.0f} MB", flush=True)
        stored = sum(part.rows for part in event_parts(project, "office"))
        case = case_of(len(costs))
        figures += costs_of(costs, case)
        figures += [
            Figure(
                case,
                "events that were written and are not stored, or twice",
                abs(office.written - stored),
                "events",
                n=office.written,
            ),
            Figure(case, "nights that were killed in their course, and done again", survived, "nights", n=len(costs)),
        ]
        if full >= 0:
            figures.append(Figure(case, "exit code of the night whose disk was full (75: try later)", full))
        if promoted:
            others, rows = promoted
            figures.append(
                Figure(case, "score rows that name another version than the one promoted", others, "rows", n=rows)
            )
        figures += compared(project, Path(scratch) / "b", case)
    return len(costs), figures, lines


PLANTED = {
    "a late file of two days before": 0.12,
    "a full disk": 0.2,
    "summer time begins": 27 / 90,
    "a new column": 0.36,
    "auth.log is silent": 0.45,
    "a burst of five times the flows": 0.56,
    "bytes in another unit": 0.68,
    "a model is fitted again and promoted": 0.8,
}
MODEL = "source-forest"
NOTES = (
    "CPU and memory are of the whole process, Python's start and imports among them (2 s of CPU). The detector compares a day "
    "with the 60 before it: until night 60 there are more of them each night.",
    "Cases of another number of nights or events are of earlier runs.",
    "The daily list's model is not fitted: the one that is promoted scores windows beside it, and changes no list.",
)


def plant(office: Office, day: int, at: dict[str, int]) -> None:
    """Write a day's logs, with what goes wrong on it."""
    n = int(EVENTS * (1 - LOGONS))
    if day == at["a burst of five times the flows"]:
        n *= 5
    more = "vlan" if day == at["a new column"] else ""
    factor = 1000 if day == at["bytes in another unit"] else 1
    office.add_flows(day, office.flows(day, n, bytes_factor=factor, more=more))
    if day == at["a late file of two days before"]:
        office.add_flows(day - 2, office.flows(day - 2, n // 10, salt=1), name="late")
    if day != at["auth.log is silent"]:
        office.rotate_logons(office.logons(day, int(EVENTS * LOGONS)))


def case_of(done: int) -> str:
    """Return the words for so many nights."""
    first = "" if done == NIGHTS else "the first "
    return f"{first}{done} nights × {EVENTS:,} events"


def costs_of(costs: dict[int, Cost], case: str) -> list[Figure]:
    """Return what nights 2, 30 and the last took, beside night 2; each the median of three, as far as there are."""
    figures = []
    done = len(costs)
    measures: dict[str, tuple[str, Callable[[Cost], float]]] = {
        "CPU": ("s", lambda cost: cost.cpu_s),
        "peak memory": ("MB", lambda cost: cost.memory_mb),
    }
    for measure, (unit, of) in measures.items():
        base = float(np.median([of(costs[day]) for day in (1, 2, 3)]))
        figures.append(Figure(case, f"{measure}, night 1 (first start)", of(costs[0]), unit))
        for night in sorted({2, done // 3, 2 * done // 3, done}):
            near = [d for d in range(night - 2, night + 1) if 0 < d < done]
            value = float(np.median([of(costs[day]) for day in near]))
            figures.append(
                Figure(
                    case,
                    f"{measure}, about night {night} (target 1.2 × night 2)",
                    value,
                    unit,
                    "nights 2 to 4",
                    base,
                    value / base,
                    len(near),
                )
            )
    grown = [costs[day].disk_mb - costs[day - 1].disk_mb for day in range(1, done)]
    for night in sorted({done // 3, done}):
        figures.append(
            Figure(
                case,
                f"disk that a night adds, ten nights to night {night}",
                float(np.median(grown[max(0, night - 11) : night - 1])),
                "MB",
                "nights 2 to 11",
                float(np.median(grown[:10])),
                float(np.median(grown[max(0, night - 11) : night - 1]) / np.median(grown[:10])),
                10,
            )
        )
    return figures


def compared(project: Project, folder: Path, case: str) -> list[Figure]:
    """Make all days at once from the same events, and return how many files are other than the nights made them."""
    other = lab_in(folder)
    for kind in ("events", "truth", "quarantine"):
        if (project.workspace / kind).is_dir():
            shutil.copytree(project.workspace / kind, other.workspace / kind)
    settings = other.root / "socml.toml"
    settings.write_text(settings.read_text().split("[sources.office]")[0])
    shutil.rmtree(other.root / "logs")
    cost = run_night(other)
    one, all_at_once = outcome(project), outcome(other)
    current = set(json.loads((project.workspace / "nights" / "office" / "state.json").read_text())["runs"].values())
    one = {name: of for name, of in one.items() if not name.startswith("scores/") or name.split("/")[1] in current}
    wrong = [name for name in {*one, *all_at_once} if one.get(name) != all_at_once.get(name)]
    print("other bytes:", sorted(wrong)[:10])
    return [
        Figure(
            case, "files whose bytes are other than if all days had been made at once", len(wrong), "files", n=len(one)
        ),
        Figure(case, "CPU of all days made at once", cost.cpu_s, "s"),
    ]


if __name__ == "__main__":
    main()
