"""Log files → Parquet, by socml and by its peers → docs/results/bench-ingest.

Run it with `make bench-ingest`; name cases (zeek, zeek-json, eve, ssh, ssh-ports, apache, pcap, pcap-long, apache-lines, memory) to measure only those.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import ingest_peers as peers
from benchmarks.ingest_files import APACHE, enlarged
from benchmarks.ingest_values import differing_values
from benchmarks.interleaved import Cost, measure
from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.formats import Parsed, ReadOptions
from socml.ingestion import FileSource, Places, ingest, open_format, write_options
from socml.project import Project, ScratchFolder

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1_000_000
SIZE = int(os.environ.get("BENCH_INGEST_MB") or 24) * MEGABYTE
MEMORY_BYTES = int(os.environ.get("BENCH_INGEST_MEMORY_MB") or 5_000) * MEGABYTE
REPEATS = 3
Peer = Callable[[Path, Path], int]
CASES: dict[str, tuple[str, str, dict[str, Peer], tuple[str, ...]]] = {
    "zeek": ("zeek-tsv", "Zeek conn.log, TSV", {"zat": peers.zat_zeek}, ("zat", "pandas")),
    "zeek-json": ("zeek-json", "Zeek conn.log, JSON", {"python json": peers.json_zeek}, ()),
    "eve": (
        "suricata-eve",
        "Suricata EVE, NDJSON",
        {"python json": peers.json_eve, "orjson": peers.orjson_eve},
        ("orjson",),
    ),
    "ssh": ("syslog", "sshd syslog", {"python re": peers.re_ssh}, ()),
    "ssh-ports": ("syslog", "sshd syslog, ports and process numbers change", {"python re": peers.re_ssh}, ()),
    "apache": ("access-log", "Apache combined", {"python re": peers.re_apache, "pyarrow.csv": peers.csv_apache}, ()),
    "pcap": ("pcap", "PCAP to flows, 7 packets each", {"dpkt": peers.dpkt_flows}, ("dpkt",)),
    "pcap-long": ("pcap", "PCAP to flows, 200 packets each", {"dpkt": peers.dpkt_flows}, ("dpkt",)),
}
TARGETS = (
    "Targets, without raw: Zeek ≥ 1 × zat; EVE ≥ 2 × python json; sshd ≥ 2 × re; Apache ≥ 4 × re; PCAP ≥ 15 × dpkt. "
    "With raw no more than twice the time without. Peak memory under 1 GiB on 5 GB. A missed target is in the table "
    "as it was measured."
)


def main() -> None:
    """Measure what is asked for, or all, and write the table."""
    wanted = sys.argv[1:] or [*CASES, "apache-lines", "memory"]
    figures: list[Figure] = []
    kept = measured_before("bench-ingest") if sys.argv[1:] else []
    with ScratchFolder("ingest") as folder:
        for name in wanted:
            sys.stderr.write(f"{name} …\n")
            work = Path(folder) / name
            work.mkdir()
            if name == "memory":
                figures += memory_figures(work)
            elif name == "apache-lines":
                figures += lost_lines(work)
            else:
                figures += case_figures(name, work)
            shutil.rmtree(work)
            renewed = {figure.case for figure in figures}  # after each: a run that is stopped keeps what it measured
            write([*figures, *(figure for figure in kept if figure.case not in renewed)])
    for figure in figures:
        beside = f"   {figure.peer} {figure.peer_value:,.4g}   × {figure.ratio:,.2f}" if figure.ratio else ""
        print(f"{figure.case}: {figure.measure} {figure.value:,.4g} {figure.unit}{beside}")


def case_figures(name: str, work: Path) -> list[Figure]:
    """Return the rates of one kind of file, ours with and without raw, beside each peer and the limit."""
    format_name, case, beside, packages = CASES[name]
    versions = versions_of("socml", "pyarrow", "numba", *packages)
    path = enlarged(name, work, SIZE)
    size = path.stat().st_size / MEGABYTE
    counter = iter(range(1_000_000))

    def with_raw() -> None:
        project = Project(root=ROOT, workspace=work / f"w{next(counter)}", threads=1)
        ingest(path, dataset="bench", format=format_name, project=project)

    def without_raw() -> int:
        return read_without_raw(format_name, path, work / "ours.parquet")

    stored = table_of(format_name, path)

    def limit() -> None:
        path.read_bytes()
        pq.write_table(stored, work / "limit.parquet", **write_options(stored.schema))

    candidates: dict[str, Callable[[], object]] = {"with raw": with_raw, "without raw": without_raw, "limit": limit}
    for peer, function in beside.items():
        candidates[peer] = partial(function, path, work / f"{peer.split()[-1]}.parquet")
    costs = measure(candidates, repeats=REPEATS)
    figures = [
        rate(case, ours, costs[ours], size, peer, costs[peer], versions)
        for ours in ("without raw", "with raw")
        for peer in (*beside, "limit")
    ]
    dearer = costs["without raw"].ratio_to(costs["with raw"])
    figures.append(Figure(case, "time with raw, to that without", dearer, "times", n=len(stored), versions=versions))
    figures += row_figures(name, case, path, work, len(stored), versions)
    return figures


def row_figures(name: str, case: str, path: Path, work: Path, ours: int, versions: dict[str, str]) -> list[Figure]:
    """Return how many records each made of the file, and what is checked of their values."""
    figures = [
        Figure(case, f"records by {peer}", function(path, work / "rows.parquet"), "records", "socml", ours, n=ours)
        for peer, function in CASES[name][2].items()
    ]
    if name.startswith("pcap") and find_spec("nfstream"):
        flows = peers.nfstream_flows(path)
        figures.append(
            Figure(case, "flows by nfstream", flows, "flows", "socml", ours, n=ours, versions=versions_of("nfstream"))
        )
    if name == "eve":
        bad, compared = differing_values(parts_of("suricata-eve", path))
        figures.append(Figure(case, "values that differ from orjson's", bad, "values", n=compared, versions=versions))
    return figures


def rate(case: str, ours: str, cost: Cost, size: float, peer: str, theirs: Cost, versions: dict[str, str]) -> Figure:
    """Return megabytes a CPU second, ours beside a peer's, and the ratio."""
    peer_rate = size / median(theirs.cpu)
    return Figure(
        case, f"MB a CPU second, {ours}", size / median(cost.cpu), "MB/s", peer, peer_rate, cost.ratio_to(theirs),
        round(size), versions,
    )  # fmt: skip


def parts_of(format_name: str, path: Path) -> Iterator[Parsed]:
    """Yield what a reader makes of a file."""
    yield from open_format(format_name).read(FileSource(path, path.name), ReadOptions(year=2025))


def read_without_raw(format_name: str, path: Path, out: Path) -> int:
    """Read, give ids, leave `raw` out, write Parquet."""
    places, tables = Places("0" * 16), []
    for part in parts_of(format_name, path):
        if len(part.events):
            ids = places.ids(part.events["source_line"].to_numpy())
            tables.append(part.events.drop_columns(["raw"]).append_column("event_id", ids))
    table = pa.concat_tables(tables, promote_options="default")
    pq.write_table(table, out, **write_options(table.schema))
    return len(table)


def table_of(format_name: str, path: Path) -> pa.Table:
    """Return the events of a file, raw among them."""
    tables = [part.events for part in parts_of(format_name, path) if len(part.events)]
    return pa.concat_tables(tables, promote_options="default")


def lost_lines(work: Path) -> list[Figure]:
    """Return how many lines of a real access log are accounted for, by us and by pyarrow.csv."""
    path = work / "access.log"
    path.write_bytes(gzip.decompress(APACHE.read_bytes()))
    lines = path.read_bytes().count(b"\n")
    ours = sum(part.count for part in parts_of("access-log", path))
    theirs = peers.csv_apache(path, work / "csv.parquet")
    versions = versions_of("pyarrow")
    return [
        Figure("a real Apache log", "lines not accounted for", lines - ours, "lines", "pyarrow.csv", lines - theirs, n=lines, versions=versions)
    ]  # fmt: skip


_PEAK = """
import resource, sys
from pathlib import Path
from socml.ingestion import ingest
from socml.project import Project
result = ingest(sys.argv[1], dataset="large", format=sys.argv[3], project=Project(root=Path(sys.argv[2]), workspace=Path(sys.argv[1]).parent / "w"))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, result.records, result.added + result.quarantined + result.skipped + result.duplicates)
"""


def memory_figures(work: Path) -> list[Figure]:
    """Return the peak memory of an ingest of a large file, in a process of its own."""
    path = enlarged("zeek", work, MEMORY_BYTES)
    size = path.stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path), str(ROOT), "zeek-tsv"], stdout=subprocess.PIPE, text=True, check=True
    )
    peak, seconds, records, accounted = done.stdout.split()
    case, versions = f"Zeek conn.log of {size / 1e9:.1f} GB", versions_of("socml", "pyarrow")
    return [
        Figure(case, "peak memory", int(peak) / 1024, "MiB", n=int(records), versions=versions),
        Figure(case, "CPU time", float(seconds), "s", n=int(records), versions=versions),
        Figure(case, "records not accounted for", int(records) - int(accounted), "records", n=int(records)),
    ]


def write(figures: list[Figure]) -> Path:
    """Write docs/results/bench-ingest."""
    return write_results(
        "bench-ingest",
        "Reading logs, beside the usual ways",
        "Raw text to zstd Parquet, one process. `with raw` is `socml ingest` as it is: event ids, duplicates told apart, "
        "every record's own text kept, what does not parse in quarantine. `without raw` is the same reader and ids, but "
        "the text of the record is dropped, as the peers do. The limit is reading the file's bytes and writing the "
        "Parquet of our events, raw among them.",
        figures,
        notes=[
            f"Files: real samples repeated with changed times to {SIZE // MEGABYTE} MB (n of a rate: MB).",
            f"CPU seconds of all threads; candidates take turns, {REPEATS} repeats, median. The machine has two shared cores.",
            "Each different message of a block of syslog is read once: every fourth line is another message where clients' ports "
            "change, every hundredth where they do not.",
            "A peer keeps the fields that a script would take; socml keeps every field of the record, in `extra`.",
            "Flows by nfstream (idle 120 s, active 1,800 s) are counted where nfstream is installed; it is no dependency.",
            "dpkt's loop ends a flow after 120 s of silence only, so that it makes fewer of a long capture.",
            TARGETS,
            "No reader can be faster than the limit, its own Parquet being written: where the limit is below a target times "
            "the peer, as it is for Zeek, the target is out of reach.",
        ],
    )


if __name__ == "__main__":
    main()
