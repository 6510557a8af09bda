"""Real captures and beacons → moved onto hosts of a simulated organisation: where each would stand on that day.

Each is put on a host of its own, on the last day. It is ranked alone: all other rows of the day are as without it.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from benchmarks.results import Figure
from socml.features import Column, DailyTables, EntityDay, build_daily, columns_of, daily_folder, entity_days
from socml.ingestion import ingest
from socml.models import EntitySurprise
from socml.project import EVENT, Project, event_files, open_events, schema, write_table

DATASETS = Path(os.environ.get("SOCML_CAPTURES", ""))  # folder of real captures; without one they are left out
FIRST = 20
RITA = "RITA v5's four sub-scores, by pair"


@dataclass(frozen=True)
class Capture:
    """A real capture, and the machine in it whose traffic is moved."""

    name: str
    path: str
    source: str


CAPTURES = (
    Capture("CTU-13, Argus flows", "ctu-13", "10.0.2.15"),
    Capture("stratosphere 002, a port scan", "stratosphere-zeek/002-zeek-scenario-port-scanning", "172.16.1.11"),
    Capture("stratosphere 008, mixed", "stratosphere-zeek/008-zeek-mixed/data", "147.32.81.167"),
    Capture("stratosphere 010, mixed", "stratosphere-zeek/010-zeek-mixed/data", "147.32.83.234"),
    Capture("Suricata EVE, malware", "suricata-eve", "192.168.1.129"),
    Capture("RITA's proxy capture", "rita-zeek/proxy", "10.136.0.18"),
)


@dataclass(frozen=True)
class Beacon:
    """Calls every so many seconds, each moved by up to `jitter` of that, a share of them missed."""

    every_s: float
    jitter: float
    missed: float


def beacons(rng: np.random.Generator, n: int) -> list[Beacon]:
    """Return beacons of 1 minute to 1 hour, jitter up to 50 %, up to 30 % of the calls missed."""
    drawn = zip(
        np.exp(rng.uniform(np.log(60), np.log(3600), n)), rng.uniform(0, 0.5, n), rng.uniform(0, 0.3, n), strict=True
    )
    found = [Beacon(*map(float, one)) for one in drawn]
    # every other one is of the quieter kind, which the first figure is about
    return [Beacon(b.every_s, b.jitter * 0.6, b.missed / 3) if i % 2 else b for i, b in enumerate(found)]


def measure_moved(base: str, sets: Sequence[str], lab: Project, seed: int, versions: dict[str, str]) -> list[Figure]:
    """Return where captures and beacons stand among the rows of a simulated dataset's last day."""
    columns, days = _days(base, sets, lab)
    last = days[-1]
    rng = np.random.default_rng(seed)
    hosts = [str(h) for h in last.entity[last.role == "source inside"] if str(h).startswith("10.20.1")]
    hosts = [h for h in rng.permutation(hosts).tolist() if h.split(".")[2] not in ("1",)]
    captures = [c for c in CAPTURES if DATASETS.name and (DATASETS / c.path).exists()]
    drawn = beacons(rng, max(0, min(60, len(hosts) - len(captures))))
    parts = [_moved(c, host, last.day, lab) for c, host in zip(captures, hosts, strict=False)]
    calls = [(_calls(b, h, last.day, rng), b, h) for b, h in zip(drawn, hosts[len(captures) :], strict=False)]
    parts += [events for events, _, _ in calls]
    moved = f"{base}-moved"
    _store(base, moved, parts, lab)
    _, with_all = _days(moved, sets, lab)
    detector = EntitySurprise(columns)
    for day in days[:-1]:
        detector.score_day(day)
    places = {host: _place(detector, last, with_all[-1], host) for host in hosts[: len(parts)]}
    figures = [
        Figure(
            f"{c.name}, moved onto one host of {base}", "place in the day's list", places[h], "rows", versions=versions
        )
        for c, h in zip(captures, hosts, strict=False)
    ]
    rita = _rita_places(base, moved, last.day, [h for _, _, h in calls], lab)
    for what, chosen in (
        ("all", [True] * len(calls)),
        ("jitter ≤ 30 %, misses ≤ 10 %", [b.jitter <= 0.3 and b.missed <= 0.1 for _, b, _ in calls]),
        ("jitter ≤ 30 %", [b.jitter <= 0.3 for _, b, _ in calls]),
    ):
        mine = [h for (_, _, h), yes in zip(calls, chosen, strict=True) if yes]
        if mine:
            value = float(np.mean([places[h] <= FIRST for h in mine]))
            peer = float(np.mean([rita[h] <= FIRST for h in mine]))
            case = f"beacons on hosts of {base}, {what}"
            measure = "share in the day's first 20"
            figures.append(Figure(case, measure, value, "", RITA, peer, None, len(mine), versions))
    return figures


def _days(dataset: str, sets: Sequence[str], lab: Project) -> tuple[tuple[Column, ...], list[EntityDay]]:
    tables: DailyTables = build_daily(sets, dataset, project=lab)
    return columns_of(tables.recipes), list(entity_days(tables))


def _place(detector: EntitySurprise, day: EntityDay, moved: EntityDay, host: str) -> int:
    """Return the place of a host's row on a day on which it alone has what was moved onto it."""
    row = np.flatnonzero((day.role == "source inside") & (day.entity == host))
    new = np.flatnonzero((moved.role == "source inside") & (moved.entity == host))
    values = day.values.copy()
    values[row] = moved.values[new]
    alone = EntityDay(day.day, day.role, day.entity, values)
    score = copy.deepcopy(detector).score_day(alone).score
    return int((score > score[row[0]]).sum()) + 1


def _moved(capture: Capture, host: str, day: date, lab: Project) -> pa.Table:
    """Return a capture's events of one machine, as of `host` on `day`: a day of them, at their times of the day."""
    dataset = "real-" + "".join(c for c in capture.name.lower() if c.isalnum())
    ingest([str(DATASETS / capture.path)], dataset=dataset, project=lab, final=True)
    table = open_events(lab, dataset).to_table(filter=pc.field("source_ip") == capture.source)
    table = table.filter(pc.is_valid(table["time"]))
    frame = table.select(["time"]).to_pandas()["time"]
    offset = pd.Timestamp(day, tz="UTC") - frame.min().normalize()
    first = frame < frame.min() + pd.Timedelta(days=1)
    within = pd.Timestamp(day, tz="UTC") + (frame + offset - pd.Timestamp(day, tz="UTC")) % pd.Timedelta(days=1)
    table = table.set_column(table.column_names.index("time"), "time", pa.array(within, EVENT["time"].type))
    source = pa.array([host] * len(table), EVENT["source_ip"].type)
    table = table.set_column(table.column_names.index("source_ip"), "source_ip", source)
    return table.filter(pa.array(first.to_numpy()))


def _calls(beacon: Beacon, host: str, day: date, rng: np.random.Generator) -> pa.Table:
    """Return the flows of a beacon over the whole day, to a destination of its own."""
    exact = np.arange(0, 86_000, beacon.every_s)
    moved = exact + rng.uniform(-beacon.jitter, beacon.jitter, exact.size) * beacon.every_s
    seconds = np.sort(np.clip(moved, 0, 86_399)[rng.random(exact.size) >= beacon.missed])
    n = seconds.size
    a, b, c = rng.integers([64, 0, 1], [128, 256, 255]).tolist()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    arrays = {name: pa.nulls(n, column.type) for name, column in EVENT.items()}
    arrays |= {
        "time": pa.array(
            pd.to_datetime(midnight) + pd.to_timedelta(np.floor(seconds * 1e6), unit="us"), EVENT["time"].type
        ),
        "source_ip": _constant(host, n, "source_ip"),
        "destination_ip": _constant(f"100.{a}.{b}.{c}", n, "destination_ip"),
        "destination_port": _constant(443, n, "destination_port"),
        "class_uid": _constant(4001, n, "class_uid"),
        "event_category": _constant("network", n, "event_category"),
        "event_action": _constant("connection", n, "event_action"),
        "network_transport": _constant("tcp", n, "network_transport"),
        "connection_state": _constant("SF", n, "connection_state"),
        "source_bytes": pa.array(rng.integers(300, 520, n), EVENT["source_bytes"].type),
        "destination_bytes": pa.array(rng.integers(200, 900, n), EVENT["destination_bytes"].type),
        "duration_s": pa.array(rng.uniform(0.05, 0.6, n), EVENT["duration_s"].type),
    }
    return pa.table(arrays)


def _constant(value: object, n: int, name: str) -> pa.Array:
    return pa.array([value] * n, EVENT[name].type)


def _store(base: str, moved: str, parts: Sequence[pa.Table], lab: Project) -> None:
    """Write a dataset with the events of another and of some parts."""
    folder = lab.workspace / "events" / moved
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.rmtree(daily_folder(lab, moved), ignore_errors=True)
    for number, path in enumerate(event_files(lab, base)):
        os.link(path, folder / f"all-{number}.parquet")
    wanted = schema(EVENT)
    tables = []
    for number, part in enumerate(parts):
        names = part.column_names
        arrays = {f.name: part[f.name] if f.name in names else pa.nulls(len(part), f.type) for f in wanted}
        arrays["event_id"] = pa.array([f"{number:08d}{i:024d}" for i in range(len(part))])
        for name in ("dataset", "raw", "source_file"):
            arrays[name] = pa.array(["moved"] * len(part))
        arrays["source_line"] = pa.array(range(1, len(part) + 1), pa.int64())
        tables.append(pa.table(arrays).select(wanted.names).cast(wanted))
    write_table(folder / "moved.parquet", pa.concat_tables(tables))


def _rita_places(base: str, moved: str, day: date, hosts: Sequence[str], lab: Project) -> dict[str, int]:
    """Return the place of each host's best pair by RITA's beacon score, alone among the pairs of the simulated dataset."""
    others = _rita_of_pairs(base, day, lab)
    mine = _rita_of_pairs(moved, day, lab).groupby("source_ip").max()
    best = {host: float(mine.get(host, 0.0)) for host in hosts}
    return {
        host: int(((others > best[host]) & (others.index.get_level_values("source_ip") != host)).sum()) + 1
        for host in hosts
    }


def _rita_of_pairs(dataset: str, day: date, lab: Project) -> pd.Series:
    """Return the score of each inside source and outside destination of a day."""
    columns = ["time", "source_ip", "destination_ip", "source_bytes", "class_uid"]
    begin = pd.Timestamp(day, tz="UTC")
    first, last = (pa.scalar((begin + pd.Timedelta(days=d)).to_pydatetime(), EVENT["time"].type) for d in (0, 1))
    within = (pc.field("class_uid") == 4001) & (pc.field("time") >= first) & (pc.field("time") < last)
    flows = ds.dataset(event_files(lab, dataset)).to_table(columns=columns, filter=within).to_pandas()
    flows = flows[flows["source_ip"].str.startswith("10.", na=False) & ~flows["destination_ip"].str.startswith("10.")]
    scores = {}
    for names, pair in flows.groupby(["source_ip", "destination_ip"], sort=False):
        if len(pair) > 3:
            moments = np.sort((pair["time"] - begin).dt.total_seconds().to_numpy())
            scores[names] = rita_score(moments, pair["source_bytes"].fillna(0).to_numpy(np.float64))
    return pd.Series(scores, index=pd.MultiIndex.from_tuples(list(scores), names=["source_ip", "destination_ip"]))


def rita_score(moments: NDArray[np.float64], sent: NDArray[np.float64]) -> float:
    """Return RITA v5's beacon score, 0 to 1: the mean of timestamp, data size, duration and histogram.

    References
    ----------
    https://github.com/activecm/rita, analysis/beacons
    """
    gaps = np.diff(moments)
    gaps = gaps[gaps > 0]
    if len(gaps) < 3:
        return 0.0
    hours = np.histogram(moments, bins=24, range=(0, 86_400))[0]
    spread = hours.std() / hours.mean()
    covered = (moments[-1] - moments[0]) / 86_400
    runs = max((len(run) for run in "".join("1" if h else "0" for h in hours).split("0")), default=0)
    parts = [
        _regular(gaps),
        _regular(sent),
        min(1.0, max(covered, runs / 12)),
        max(0.0, 1.0 - spread),
    ]
    return float(np.mean(parts))


def _regular(values: NDArray[np.float64]) -> float:
    """Return the mean of Bowley's skewness, turned, and of the median absolute deviation beside the median, turned."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    skew = (low + high - 2 * middle) / (high - low) if high - low >= 10 and middle not in (low, high) else 0.0
    spread = float(np.median(np.abs(values - middle)))
    scaled = max(0.0, 1.0 - spread / middle) if middle >= 1 else 0.0
    return (1.0 - abs(float(skew)) + scaled) / 2
