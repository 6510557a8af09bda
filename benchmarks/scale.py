"""Millions of flows → what each step costs, end to end, on one machine: rows a CPU second, peak memory, growth.

Run it with `make bench-scale`; `SCALE="1 10"` names the sizes in millions (1, 10 and 50 as far as the disk goes: a million
takes 350 MB). Every step is a process of the command line, as people and cron start it. Where the extra `spark` is
installed, `SPARK_MILLIONS` (0: none) of them are done on Spark `local[2]` too, and the tables compared.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Figure, versions_of, write_results
from socml.project import ScratchFolder, features_path, init_project, list_runs, read_project, run_folder

SIZES = [int(size) for size in (os.environ.get("SCALE") or "1 10 50").split()]
SPARK_MILLIONS = int(os.environ.get("SPARK_MILLIONS") or 0)
MILLION = 1_000_000
BYTES_A_MILLION = 350 << 20  # of disk: the log, its events, features, scores and leaves
MEMORY_TARGET_MIB = 2048
MEMORY_LIMIT = "1GB"  # [engine] memory_limit of DuckDB
FIELDS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state orig_pkts resp_pkts"
TYPES = "time string addr port addr port enum string interval count count string count count"
STEPS = {
    "ingest": ("ingest", "logs", "--dataset", "office", "--final"),
    "features source-5min": ("features", "source-5min", "office"),
    "features flow": ("features", "flow", "office"),
    "fit flow-forest": ("fit", "flow-forest", "office", "--promote"),
    "score flow-forest": ("score", "flow-forest", "office"),
    "queue": ("queue", "--json"),
}
PEER = "scikit-learn's score_samples"
NOTES = (
    f"Each step is a process of the command line, Python's start and imports among its CPU. [engine] memory_limit is {MEMORY_LIMIT}.",
    "Of more than about 2 million flows, fit learns from a sample, and labels rank the most anomalous rows: as many as memory_limit "
    "has room for. Every row is scored.",
    f"Scoring alone: the same fitted forest and the same matrix of 200,000 rows, one process, medians of 3; the peer is {PEER}.",
)


@dataclass(frozen=True)
class Spent:
    """What a process used: CPU and wall seconds, and MiB at its largest."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def write_flows(path: Path, rows: int, seed: int = 7) -> None:
    """Write a Zeek conn.log of three days: 5,000 sources, 50,000 destinations, long tails."""
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    head += "#fields\t" + "\t".join(FIELDS.split()) + "\n#types\t" + "\t".join(TYPES.split()) + "\n"
    sql = f"""
        select 1772409600 + i * (259200.0 / {rows}) as ts, 'C' || i, '10.' || (s // 62500) || '.' || (s // 250 % 250) || '.' || (s % 250 + 1),
               40000 + i % 20000, '198.18.' || (d // 250) || '.' || (d % 250 + 1), [443, 80, 53, 22, 445][1 + i % 5], 'tcp', 'ssl',
               round(u * 60, 3), cast(exp(6 + 4 * u) as bigint), cast(exp(7 + 3 * v) as bigint),
               ['SF', 'SF', 'SF', 'S0', 'REJ'][1 + cast(floor(v * 5) as int)], cast(1 + u * 20 as int), cast(1 + v * 20 as int)
        from (select range as i, random() as u, random() as v, cast(floor(pow(random(), 3) * 5000) as bigint) as s,
                     cast(floor(pow(random(), 3) * 50000) as bigint) as d from range({rows}))"""
    body = path.with_suffix(".body")
    with duckdb.connect() as connection:
        connection.execute(f"select setseed({seed / 100})")
        connection.execute("set threads = 1")  # the same bytes each time
        connection.execute(f"copy ({sql}) to '{body}' (delimiter '\t', header false, quote '')")
    with path.open("wb") as log, body.open("rb") as lines:
        log.write(head.encode())
        shutil.copyfileobj(lines, log)
    body.unlink()


def spent(command: Sequence[str], folder: Path) -> Spent:
    """Run a command and return what it used."""
    began = os.times().elapsed
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            raise RuntimeError(f"{command}: {err.read().decode()[-2000:]}")
    return Spent(used.ru_utime + used.ru_stime, os.times().elapsed - began, used.ru_maxrss / 1024)


def measured(millions: int) -> list[Figure]:
    """Do every step with so many flows, and return what each took."""
    rows, case = millions * MILLION, f"{millions} million flows"
    figures: list[Figure] = []
    with ScratchFolder("scale") as scratch:
        root = Path(scratch)
        init_project(root)
        settings = root / "socml.toml"
        settings.write_text(settings.read_text().replace('memory_limit = "4GB"', f'memory_limit = "{MEMORY_LIMIT}"'))
        (root / "logs").mkdir()
        write_flows(root / "logs" / "conn.log", rows)
        total = 0.0
        peak = 0.0
        for name, arguments in STEPS.items():
            used = spent([sys.executable, "-m", "socml", *arguments], root)
            total, peak = total + used.cpu_s, max(peak, used.peak_mib)
            figures.append(Figure(case, f"{name}: rows a CPU second", rows / used.cpu_s, "rows/s", n=rows))
            figures.append(Figure(case, f"{name}: CPU", used.cpu_s, "s", n=rows))
            figures.append(Figure(case, f"{name}: peak memory", used.peak_mib, "MiB", n=rows))
            print(case, name, f"{used.cpu_s:.1f} s {used.peak_mib:.0f} MiB", flush=True)
        figures.append(Figure(case, "all steps: rows a CPU second", rows / total, "rows/s", n=rows))
        figures.append(
            Figure(
                case,
                f"all steps: peak memory (target {MEMORY_TARGET_MIB} MiB)",
                peak,
                "MiB",
                "target",
                float(MEMORY_TARGET_MIB),
                peak / MEMORY_TARGET_MIB,
                rows,
            )
        )
        figures += scoring_beside(root, case)
        if millions <= SPARK_MILLIONS:
            figures += on_spark(root, case, rows)
        figures.append(Figure(case, "workspace", _bytes_in(root / "workspace") / 1e6, "MB", n=rows))
    return figures


def scoring_beside(root: Path, case: str) -> list[Figure]:
    """Return rows a CPU second of the fitted forest beside scikit-learn's on the same matrix, both in one process."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--score", root],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "SOCML_PROJECT": str(root)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    ours, theirs, largest, rows = float(result[0]), float(result[1]), float(result[2]), int(result[3])
    return [
        Figure(case, "scoring alone: rows a CPU second", ours, "rows/s", PEER, theirs, ours / theirs, rows),
        Figure(case, "scoring alone: largest difference of a score", largest, "", PEER, n=rows),
    ]


def score_both() -> None:
    """Print the rates of both, the largest difference, and of how many rows. Runs in the project's folder."""
    import time

    from sklearn.ensemble import IsolationForest

    from socml.models import load_model

    project = read_project(Path(os.environ["SOCML_PROJECT"]))
    version = load_model("flow-forest", "champion", project=project)
    path = features_path(project, "office", "flow")
    block = next(pq.ParquetFile(path).iter_batches(200_000)).to_pandas()
    matrix = version.preparation.transform(block)
    detector: Any = version.detector
    detector.score_samples(matrix[:1000])  # compiled before it is measured
    theirs = IsolationForest()
    theirs.__dict__.update(
        detector.__getstate__()
    )  # the same trees; called through ours, its method would call our code
    rates: dict[str, Any] = {}
    scores: dict[str, Any] = {}
    for _ in range(3):
        for name, score in (
            ("ours", detector.score_samples),
            ("theirs", theirs.score_samples),
        ):
            began = time.process_time()
            scores[name] = np.asarray(score(matrix))
            rates.setdefault(name, []).append(len(matrix) / (time.process_time() - began))
    largest = float(np.abs(scores["ours"] - scores["theirs"]).max())
    print(np.median(rates["ours"]), np.median(rates["theirs"]), largest, len(matrix))


def on_spark(root: Path, case: str, rows: int) -> list[Figure]:
    """Do features and scores on Spark, and return what they took and whether they are the same."""
    project = read_project(root)
    features = features_path(project, "office", "source-5min")
    flow_run = run_folder(project, str(list_runs(project)[0]["run_id"])) / "scores.parquet"
    before = [pq.read_table(path) for path in (features, flow_run)]
    features.unlink()
    shutil.rmtree(flow_run.parent)
    spark = ("--engine", "spark", "--master", "local[2]")
    figures = []
    for name, arguments in (
        ("features source-5min on Spark local[2]", ("features", "source-5min", "office", *spark)),
        ("score flow-forest on Spark local[2]", ("score", "flow-forest", "office", *spark)),
    ):
        used = spent([sys.executable, "-m", "socml", *arguments], root)
        print(case, name, f"{used.wall_s:.1f} s", flush=True)
        figures.append(Figure(case, f"{name}: elapsed", used.wall_s, "s", n=rows))
    other = [pq.read_table(path) for path in (features, flow_run)]
    figures.append(
        Figure(
            case,
            "rows of source-5min that differ by more than 1e-9 on Spark",
            _differ(before[0], other[0]),
            n=len(before[0]),
        )
    )
    figures.append(
        Figure(
            case, "scores that differ on Spark", 0 if before[1].equals(other[1]) else len(before[1]), n=len(before[1])
        )
    )
    return figures


def _differ(one: pa.Table, other: pa.Table) -> int:
    if one.schema.names != other.schema.names or len(one) != len(other):
        return max(len(one), len(other))
    wrong = np.zeros(len(one), bool)
    for name in one.column_names:
        a, b = one[name].to_pandas(), other[name].to_pandas()
        same = (
            np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)
            if a.dtype.kind == "f"
            else ((a == b) | (a.isna() & b.isna()))
        )
        wrong |= ~np.asarray(same)
    return int(wrong.sum())


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def growth(figures: Sequence[Figure]) -> list[Figure]:
    """Return each step's rows a CPU second of the largest size, beside those of the smallest."""
    sizes = sorted({figure.case for figure in figures}, key=lambda case: int(case.split()[0]))
    if len(sizes) < 2:
        return []
    of = {(figure.case, figure.measure): figure for figure in figures}
    found = []
    for measure in [f"{name}: rows a CPU second" for name in (*STEPS, "all steps")]:
        first, last = of[sizes[0], measure], of[sizes[-1], measure]
        found.append(
            replace(
                last,
                measure=f"{measure}, beside {sizes[0]}",
                peer=sizes[0],
                peer_value=first.value,
                ratio=last.value / first.value,
            )
        )
    return found


def main() -> None:
    """Measure each size that the disk has room for, and write the table."""
    figures: list[Figure] = []
    notes = list(NOTES)
    versions = versions_of("socml", "duckdb", "pyarrow", "numpy", "scikit-learn")
    for millions in SIZES:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if millions * BYTES_A_MILLION * 3 > free:
            notes.append(f"{millions} million flows were not measured: the disk has {free / 1e9:.0f} GB free.")
            continue
        figures += measured(millions)
        write_results(
            "bench-scale",
            "Flows by the million, end to end",
            "A Zeek conn.log of three days, from the file to the queue, on one machine.",
            [replace(figure, versions=versions) for figure in (*figures, *growth(figures))],
            notes=notes,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score_both()
    else:
        main()
