"""Kills at random moments and inputs of known outcome → what was lost, doubled or invented: docs/results/results-reliability.

Run it with `make results-reliability`. Each kill is a SIGKILL of `python -m socml VERB` after a random part of the time
that the verb takes; then the verb is run once more, and what is there is compared with an undisturbed run.
`RELIABILITY_KILLS` is the number of kills of each verb (40), `SOCML_SHARED` the folder of the datasets.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.results import Figure, versions_of, write_results
from socml.ingestion import ingest_files, load_events
from socml.labels import open_labels
from socml.models import load_model
from socml.project import Project, ScratchFolder, init_project, read_project

ROOT = Path(__file__).resolve().parents[1]
FAULTS = Path(os.environ.get("SOCML_SHARED", ROOT.parent / "shared")) / "datasets" / "faults"
KILLS = int(os.environ.get("RELIABILITY_KILLS") or 40)
SEED = 7
LINES, FILES = 400, 12
VERSIONS = versions_of("duckdb", "pyarrow", "sqlalchemy")
RECIPE = """\
-- entity = "source_ip"
-- window = "1 hour"
-- blind_to = "everything but numbers"
-- [columns]
-- events = "events of the source in the hour"
-- ports = "different source ports"
select source_ip, window_start, count(*) as events, count(distinct source_port) as ports from events group by all
"""
LABELLING = """\
import sys
from pathlib import Path
from socml.labels import record_label
from socml.project import read_project
project = read_project(Path(sys.argv[1]))
for number, row_id in enumerate(sys.argv[2:]):
    print("sent", row_id, flush=True)
    record_label(row_id, "benign", dataset="net", by="ana", client_id=f"c{number}", project=project)
    print("stored", row_id, flush=True)
"""


@dataclass(frozen=True)
class Damage:
    """What one disturbed run did to what it should have kept."""

    lost: int = 0
    doubled: int = 0
    invented: int = 0
    broken: int = 0  # files that differ from those of an undisturbed run, or cannot be read


def main() -> None:
    """Measure all and write the table."""
    figures: list[Figure] = []
    with ScratchFolder("reliability") as folder:
        base = _prepared(Path(folder))
        kinds: dict[str, Callable[[Path, Path, random.Random], Iterator[Damage]]] = {
            "ingest": _ingest_kills, "features": _features_kills, "fit": _fit_kills, "score": _score_kills,
            "label": _label_kills,
        }  # fmt: skip
        for name, kills in kinds.items():
            figures += _figures(
                f"{name} killed at random moments", list(kills(base, Path(folder), random.Random(SEED)))
            )
        for name, case in _fault_cases().items():
            figures += _figures(name, [case(Path(folder))])
    write_results(
        "results-reliability",
        "Reliability: kills and faults",
        "How many inputs and kills were tried, and what was lost, doubled, invented or broken afterwards.",
        figures,
        notes=[
            f"Seed {SEED}. After each kill the verb was run once more. Kills between two renames are tests: "
            "tests/test_ingest_faults.py breaks off before each one.",
        ],
    )


def _figures(case: str, found: list[Damage]) -> list[Figure]:
    return [
        Figure(case, what, float(sum(getattr(one, what) for one in found)), "", n=len(found), versions=VERSIONS)
        for what in ("lost", "doubled", "invented", "broken")
    ]


def _login(number: int) -> str:
    at = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return f"Nov 30 {at} web1 sshd[{number}]: Failed password for root from 192.0.2.{number % 250} port {number + 1024} ssh2"


def _prepared(folder: Path) -> Path:
    """Return a project that went down the line once, undisturbed, with its logs beside it."""
    project_folder, logs = folder / "base", folder / "logs"
    init_project(project_folder)
    (project_folder / "features" / "by-hour.sql").write_text(RECIPE)
    (project_folder / "models" / "odd.toml").write_text('detector = "isolation-forest"\nfeatures = "by-hour"\n')
    logs.mkdir()
    for file in range(FILES):
        numbers = range(file * LINES, (file + 1) * LINES)
        (logs / f"host{file}.log").write_text("".join(f"{_login(n)}\n" for n in numbers))
    for verb in (_ingest(logs), ["features", "by-hour", "net"], ["fit", "odd", "net"], ["score", "odd", "net"]):
        subprocess.run([sys.executable, "-m", "socml", *verb], cwd=project_folder, check=True, capture_output=True)
    return project_folder


def _ingest(logs: Path) -> list[str]:
    return ["ingest", str(logs), "--dataset", "net", "--format", "syslog", "--final"]


def _kills(
    verb: list[str], base: Path, folder: Path, rng: random.Random, forget: Callable[[Path], None]
) -> Iterator[Path]:
    """Yield a copy of the project after each kill of `verb` and one more run of it."""
    before = time.monotonic()
    _run(verb, _copy(base, folder, forget))
    takes = time.monotonic() - before
    for _ in range(KILLS):
        project = _copy(base, folder, forget)
        process = subprocess.Popen(
            [sys.executable, "-m", "socml", *verb], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(rng.uniform(0, takes))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        _run(verb, project)
        yield project


def _copy(base: Path, folder: Path, forget: Callable[[Path], None]) -> Path:
    target = folder / "killed"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    forget(target)
    return target


def _run(verb: list[str], project: Path) -> None:
    subprocess.run([sys.executable, "-m", "socml", *verb], cwd=project, check=True, capture_output=True)


def _forget(*names: str) -> Callable[[Path], None]:
    def forget(project: Path) -> None:
        for name in names:
            shutil.rmtree(project / "workspace" / name, ignore_errors=True)

    return forget


def _of_events(project: Project, expected: Counter[str]) -> Damage:
    seen = Counter(load_events("net", columns=["raw"], project=project)["raw"])
    doubled = sum((seen - expected)[raw] for raw in expected)
    invented = sum(count for raw, count in seen.items() if raw not in expected)
    return Damage(lost=(expected - seen).total(), doubled=doubled, invented=invented)


def _ingest_kills(base: Path, folder: Path, rng: random.Random) -> Iterator[Damage]:
    expected = Counter(_login(n) for n in range(FILES * LINES))
    forget = _forget("events", "quarantine", "truth", "features", "scores")
    for killed in _kills(_ingest(folder / "logs"), base, folder, rng, forget):
        yield _of_events(read_project(killed), expected)


def _features_kills(base: Path, folder: Path, rng: random.Random) -> Iterator[Damage]:
    path = Path("workspace") / "features" / "net" / "by-hour.parquet"
    for killed in _kills(["features", "by-hour", "net"], base, folder, rng, _forget("features")):
        yield Damage(broken=int((killed / path).read_bytes() != (base / path).read_bytes()))


def _fit_kills(base: Path, folder: Path, rng: random.Random) -> Iterator[Damage]:
    for killed in _kills(["fit", "odd", "net"], base, folder, rng, _forget()):
        broken = 0
        try:
            load_model("odd", project=read_project(killed))
            _run(["score", "odd", "net"], killed)
        except Exception:  # whatever a half-written model makes the reader raise is what is counted
            broken = 1
        yield Damage(broken=broken)


def _score_kills(base: Path, folder: Path, rng: random.Random) -> Iterator[Damage]:
    def scores(project: Path) -> list[bytes]:
        return [path.read_bytes() for path in sorted((project / "workspace" / "scores").glob("*/scores.parquet"))]

    expected = scores(base)
    for killed in _kills(["score", "odd", "net"], base, folder, rng, _forget("scores")):
        yield Damage(broken=int(scores(killed) != expected))


def _label_kills(base: Path, folder: Path, rng: random.Random) -> Iterator[Damage]:
    """Kill a process that labels; what it was told is stored is there once, and nothing that it had not sent."""
    features = pq.read_table(base / "workspace" / "features" / "net" / "by-hour.parquet")
    rows = features["row_id"].to_pylist()[:40]
    for _ in range(KILLS):
        project = _copy(base, folder, _forget())
        command = [sys.executable, "-c", LABELLING, str(project), *rows]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            output, _unused = process.communicate(timeout=rng.uniform(1.0, 4.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            output, _unused = process.communicate()
        pairs = [line.split() for line in output.splitlines() if len(line.split()) == 2]
        sent, stored = ({row for word, row in pairs if word == what} for what in ("sent", "stored"))
        with open_labels(read_project(project)) as store:
            there = Counter(event.row_id for event in store.events_since(0))
        yield Damage(
            lost=len(stored - set(there)),
            doubled=sum(count - 1 for count in there.values()),
            invented=len(set(there) - sent),
        )


def _fault_cases() -> dict[str, Callable[[Path], Damage]]:
    """Return the inputs of known outcome that are about identity, half lines, names and folders with one bad file."""
    return {
        "two servers write identical lines": lambda folder: _counted(folder, ["two_servers"], 200),
        "a rotation splits identical lines": lambda folder: _counted(folder, ["rotated"], 10),
        "a file that grows past half a line": _half_line,
        "one bad file in a folder": lambda folder: _counted(folder, ["one_bad_in_a_folder"], 40),
        "names in data that are SQL": _injected,
    }


def _fresh(folder: Path) -> Project:
    target = folder / "case"
    shutil.rmtree(target, ignore_errors=True)
    return Project(root=target, workspace=target / "workspace")


def _counted(folder: Path, names: list[str], expected: int) -> Damage:
    """Read copies, then the same again: each event is there once."""
    project = _fresh(folder)
    logs = project.root / "logs"
    for name in names:
        shutil.copytree(FAULTS / name, logs / name)
    for _ in range(2):
        ingest_files([logs], dataset="net", project=project, final=True)
    count = len(load_events("net", columns=["event_id"], project=project))
    return Damage(lost=max(expected - count, 0), doubled=max(count - expected, 0))


def _half_line(folder: Path) -> Damage:
    project = _fresh(folder)
    log = project.root / "half.log"
    log.parent.mkdir(parents=True)
    for state in ("half_line_1.log", "half_line_2.log"):
        log.write_bytes((FAULTS / state).read_bytes())
        ingest_files([log], dataset="net", project=project)
    events = load_events("net", project=project)
    cut = int(events["raw"].str.endswith("sec").sum())
    return Damage(lost=max(2 - len(events), 0), doubled=max(len(events) - 2, 0), invented=cut)


def _injected(folder: Path) -> Damage:
    project = _fresh(folder)
    result = ingest_files([FAULTS / "header_injection.csv"], dataset="net", project=project, final=True)
    written = [path for place in (Path.cwd(), project.root, FAULTS) for path in place.rglob("owned.csv")]
    return Damage(lost=int(not result.added and not result.warnings), invented=len(written))


if __name__ == "__main__":
    main()
