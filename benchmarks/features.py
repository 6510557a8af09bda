"""Ten million flows → CPU and memory of all daily sets of flows and of `source-5min`, beside short scripts of the same columns.

Run it with `make bench-features`; `python -m benchmarks.features 1000000` measures fewer flows. Each side runs in a process of
its own. The DuckDB script reads the Parquet files as they are: no meanings, no memory of earlier days, no workspace.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.results import Figure, versions_of, write_results
from socml.project import EVENT, Project, ScratchFolder, load_feature_recipe, schema, starter_root, write_table

FLOWS, PART = 10_000_000, 500_000
SETS = (
    "daily-scan",
    "daily-edge",
    "daily-beacon",
    "daily-upload",
    "daily-collect",
    "daily-flood",
    "daily-volume",
    "daily-long",
)
DUCKDB, POLARS = "one DuckDB script", "one polars script"
USUAL = "4GB"  # what DuckDB may hold as socml comes; the scripts may hold 1 GB


@dataclass(frozen=True)
class Spent:
    """What a process used: CPU seconds, and MiB at its largest."""

    cpu_s: float
    peak_mib: float


def main(flows: int) -> None:
    """Make the flows, measure, and write the table."""
    with ScratchFolder("features") as folder:
        make_flows(Path(folder), flows)
        report(Path(folder), flows)


def report(folder: Path, flows: int) -> None:
    """Measure each side over the flows of a folder and write the table."""
    pairs = [
        (f"{flows:,} flows, {len(SETS)} daily sets", "daily", "duckdb-daily", DUCKDB),
        (f"{flows:,} flows, {len(SETS)} daily sets, in {USUAL}", "daily-usual", "duckdb-daily", DUCKDB),
        (f"{flows:,} flows, source-5min", "source-5min", "duckdb-5min", DUCKDB),
    ]
    peers = ["duckdb"]
    if find_spec("polars"):
        pairs.append((f"{flows:,} flows, source-5min", "source-5min", "polars-5min", POLARS))
        pairs.append((f"{flows:,} flows, source-5min, in {USUAL}", "source-5min-usual", "polars-5min", POLARS))
        peers.append("polars")
    versions = versions_of("socml", *peers)
    spent = {name: _spent(name, folder) for name in sorted({side for pair in pairs for side in pair[1:3]})}
    figures = []
    for case, ours, peer, what in pairs:
        for measure, unit, of in (("CPU", "s", "cpu_s"), ("memory at its largest", "MiB", "peak_mib")):
            value, other = getattr(spent[ours], of), getattr(spent[peer], of)
            figures.append(Figure(case, measure, value, unit, what, other, value / other, flows, versions))
    write_results(
        "bench-features",
        "Feature sets over many flows",
        "One day of flows of 2,000 machines inside. Targets: CPU at most 1.5 times the script's, memory under 1,536 MiB.",
        figures,
        notes=[
            "each side in a process of its own, its start and imports included.",
            f"DuckDB may hold 1 GB on each side before it spills to disk, or {USUAL} where the case says so: as socml comes. polars has no limit.",
            "the target is set for ten million flows; of fewer, the start of a process weighs more. `n` says how many were measured.",
            "polars is no part of the development environment: its script is measured where it is installed.",
        ],
    )


def make_flows(folder: Path, n: int) -> None:
    """Write one day of flows as the stored events of the dataset `flows`."""
    rng = np.random.default_rng(0)
    outside = np.array([f"198.18.{i // 250}.{1 + i % 250}" for i in range(40_000)])
    inside = np.array([f"10.20.{i // 250}.{1 + i % 250}" for i in range(2_000)])
    for part, begin in enumerate(range(0, n, PART)):
        rows = min(PART, n - begin)
        far = outside[(rng.random(rows) ** 3 * outside.size).astype(int)]
        near = inside[rng.integers(0, inside.size, rows)]
        moments = 1_772_409_600_000_000 + rng.integers(0, 86_400_000_000, rows)  # 2026-03-02
        columns = {
            "time": moments,
            "source_ip": inside[(rng.random(rows) ** 2 * inside.size).astype(int)],
            "destination_ip": np.where(rng.random(rows) < 0.7, far, near),
            "source_port": rng.integers(32_768, 61_000, rows),
            "destination_port": rng.choice([443, 80, 53, 445, 22, 8080], rows),
            "duration_s": rng.exponential(2.0, rows),
            "source_bytes": rng.integers(40, 20_000, rows),
            "destination_bytes": rng.integers(40, 200_000, rows),
            "source_packets": rng.integers(1, 40, rows),
            "destination_packets": rng.integers(0, 40, rows),
            "connection_state": rng.choice(["SF", "S0", "REJ"], rows, p=[0.88, 0.08, 0.04]),
        }
        words = {
            "event_category": "network",
            "event_action": "connection",
            "network_transport": "tcp",
            "dataset": "flows",
        }
        arrays = {name: pa.nulls(rows, column.type) for name, column in EVENT.items()}
        arrays |= {name: pa.array(values).cast(EVENT[name].type) for name, values in columns.items()}
        arrays |= {name: pa.array([text] * rows, EVENT[name].type) for name, text in words.items()}
        arrays["class_uid"] = pa.array(np.full(rows, 4001)).cast(EVENT["class_uid"].type)
        arrays["event_id"] = pa.array([f"{begin + i:032x}" for i in range(rows)])
        for name in ("raw", "source_file"):
            arrays[name] = pa.array([""] * rows, EVENT[name].type)
        arrays["source_line"] = pa.array(np.arange(rows)).cast(EVENT["source_line"].type)
        write_table(folder / "events" / "flows" / f"flows-{part}.parquet", pa.table(arrays, schema=schema(EVENT)))


def _daily(folder: Path, limit: str = "1GB") -> None:
    from socml.features import build_daily

    build_daily(SETS, "flows", project=_project(folder, limit))


def _source_5min(folder: Path, limit: str = "1GB") -> None:
    from socml.features import build_feature_file

    build_feature_file("source-5min", "flows", project=_project(folder, limit))


def _duckdb_daily(folder: Path) -> None:
    import duckdb

    files = str(folder / "events" / "flows" / "*.parquet")
    connection = duckdb.connect()
    connection.execute("set threads = 2; set memory_limit = '1GB'; set timezone = 'UTC'")
    connection.execute(f"""
        create temp table flows as
        select time, cast(time as date) as day, source_ip, true as source_inside, source_ip as inside_ip, destination_ip,
               destination_ip like '10.%' as destination_inside, destination_port, duration_s, source_bytes,
               destination_bytes, connection_state in ('S0', 'REJ') as failed, connection_state = 'SF' as answered,
               case when destination_port in (22, 445) then destination_ip end as remote_ip
        from read_parquet('{files}')""")
    for name, column in (("pair", "destination_ip"), ("remote", "remote_ip")):
        connection.execute(f"""
            create temp table {name} as select distinct {column}, inside_ip, day as first_day, day as began from flows
            where {column} is not null""")
        connection.execute(
            f"create temp table {name}_sources as select {column}, first_day as day, count(*) as sources from {name} group by all"
        )
    for name in SETS:
        recipe = load_feature_recipe(name, _project(folder))
        target = folder / f"duckdb-{name}.parquet"
        connection.execute(f"copy ({recipe.sql}\n) to '{target}' (format parquet, compression zstd)")


def _duckdb_5min(folder: Path) -> None:
    import duckdb

    files = str(folder / "events" / "flows" / "*.parquet")
    connection = duckdb.connect()
    connection.execute("set threads = 2; set memory_limit = '1GB'; set timezone = 'UTC'")
    windows = "time_bucket(interval 5 minutes, time) as window_start"
    connection.execute(f"create view events as select *, {windows} from read_parquet('{files}')")
    sql = load_feature_recipe("source-5min", _project(folder)).sql
    connection.execute(f"copy ({sql}\n) to '{folder / 'duckdb-5min.parquet'}' (format parquet, compression zstd)")


def _polars_5min(folder: Path) -> None:
    import polars as pl

    inside = r"^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|fe80:|f[cd]|ff0|224\.|255\.)"
    flows = pl.scan_parquet(folder / "events" / "flows" / "*.parquet").filter(pl.col("class_uid") == 4001)
    port, destinations = pl.col("destination_port"), pl.col("destination_ip").n_unique()
    table = flows.group_by("source_ip", pl.col("time").dt.truncate("5m").alias("window_start")).agg(
        pl.len().cast(pl.Float64).alias("flows"),
        destinations.cast(pl.Float64).alias("destinations"),
        port.n_unique().cast(pl.Float64).alias("ports"),
        (port.n_unique() / destinations).alias("ports_per_destination"),
        pl.col("connection_state").is_in(["S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR"]).mean().alias("failed_share"),
        pl.col("source_bytes").fill_null(0).sum().alias("bytes_sent"),
        pl.col("destination_bytes").fill_null(0).sum().alias("bytes_received"),
        pl.col("source_bytes").fill_null(0).max().alias("largest_upload"),
        pl.col("source_packets").fill_null(0).sum().alias("packets_sent"),
        pl.col("duration_s").mean().alias("mean_duration_s"),
        pl.col("duration_s").max().alias("longest_s"),
        (port == 53).sum().alias("dns_flows"),
        port.is_in([22, 3389, 5900, 445, 139, 5985, 5986]).sum().alias("remote_control_flows"),
        (1 - pl.col("destination_ip").str.contains(inside).cast(pl.Float64)).mean().alias("outside_share"),
    )
    table.sink_parquet(folder / "polars.parquet")


SIDES: dict[str, Callable[[Path], None]] = {
    "daily": _daily,
    "daily-usual": partial(_daily, limit=USUAL),
    "duckdb-daily": _duckdb_daily,
    "source-5min": _source_5min,
    "source-5min-usual": partial(_source_5min, limit=USUAL),
    "duckdb-5min": _duckdb_5min,
    "polars-5min": _polars_5min,
}


def _project(folder: Path, limit: str = USUAL) -> Project:
    """Return a project with the flows of a folder, and nothing made of them yet with this limit."""
    workspace = folder / f"in-{limit}"
    if not workspace.exists():
        shutil.copytree(folder / "events", workspace / "events", copy_function=os.link)
    return Project(root=starter_root(), workspace=workspace, threads=2, memory_limit=limit)


def _spent(name: str, folder: Path) -> Spent:
    """Return what one side uses in a process of its own."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.features", "--side", name, str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    sys.stderr.write(f"{name}: {time.monotonic() - begin:.0f} s\n")
    return Spent(**json.loads(answer.stdout.splitlines()[-1]))


def _run_side(name: str, folder: Path) -> None:
    SIDES[name](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        _run_side(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else FLOWS)
