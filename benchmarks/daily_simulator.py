"""The simulator beside real captures, and how much a single column gives away: two tables of `results-daily`."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks.daily_moved import CAPTURES, DATASETS
from benchmarks.results import Figure
from socml.features import is_inside_sql
from socml.ingestion import ingest
from socml.project import Project, event_files, truth_path

_NUMBERS = ("source_bytes", "destination_bytes", "duration_s", "source_port", "hour", "length_of_name", "length_of_url")
_WORDS = (
    *(
        "destination_port",
        "connection_state",
        "network_transport",
        "network_protocol",
        "source_range",
        "destination_range",
    ),
    *(
        "event_action",
        "user_agent_original",
        "tls_client_ja3",
        "dns_response_code",
        "process_name",
        "process_parent_name",
    ),
    *("http_response_status_code", "user_name", "host_name"),
)
_FEWEST = 20  # events of a value, below which it is one of the others


def leaks(dataset: str, lab: Project, versions: dict[str, str]) -> list[Figure]:
    """Return the best AUROC that a single column reaches over the events of each kind of attack.

    The kind of event is that of most of the attack's own (flow, lookup, request, logon …); the benign ones are of the same kind. Of words,
    each value counts by its share of malicious events in the same data, so this flatters the column.
    """
    events = _labelled_events(dataset, lab)
    figures = []
    for family, of in sorted(events[events["family"] != ""].groupby("family")):
        kind = of["kind"].mode()[0]
        same = events[(events["kind"] == kind) & ((events["family"] == family) | (events["family"] == ""))]
        bad = (same["family"] == family).to_numpy()
        found = {name: _auroc(_as_score(same[name], bad), bad) for name in (*_NUMBERS, *_WORDS)}
        best = max(found, key=lambda name: found[name])
        figures.append(
            Figure(
                f"simulator, {family}",
                f"best single column: {best}",
                found[best],
                "AUROC",
                n=int(bad.sum()),
                versions=versions,
            )
        )
    return figures


def _labelled_events(dataset: str, lab: Project) -> pd.DataFrame:
    ranges = {
        f"{side}_range": f"""case when {side}_ip like '10.20.1.%' then 'servers' when {side}_ip like '10.%' then 'clients'
            else regexp_extract({side}_ip, '^[0-9]+') end"""
        for side in ("source", "destination")
    }
    of_ranges = ", ".join(f"{sql} as {name}" for name, sql in ranges.items())
    words = ", ".join(name for name in _WORDS if not name.endswith("_range"))
    numbers = ", ".join(_NUMBERS[:4])
    sql = f"""
        select coalesce(cast(class_uid as varchar), event_category) as kind, coalesce(family, '') as family,
               {numbers}, extract(hour from time at time zone 'UTC') as hour, length(dns_question_name) as length_of_name,
               length(url_original) as length_of_url, {words}, {of_ranges}
        from read_parquet(?) e left join (select event_id, family from read_parquet(?) where malicious) t using (event_id)"""
    paths = [str(path) for path in event_files(lab, dataset)]
    return duckdb.execute(sql, [paths, str(truth_path(lab, dataset))]).df()


def _as_score(values: pd.Series, bad: np.ndarray) -> np.ndarray:
    """Return numbers as they are (missing ones lowest), and words by their share of malicious events."""
    if values.name in _NUMBERS:
        return values.astype("float64").fillna(-1.0).to_numpy()
    words = values.astype("string").fillna("")
    common = words.map(words.value_counts()) >= _FEWEST
    words = words.where(common, "another")
    return words.map(pd.Series(bad, index=words.index).groupby(words).mean()).to_numpy(np.float64)


def _auroc(score: np.ndarray, bad: np.ndarray) -> float:
    """Return the area under the curve, in the better direction; 0.5 if there is nothing to compare."""
    n, m = int(bad.sum()), int((~bad).sum())
    if not n or not m:
        return 0.5
    area = (rankdata(score)[bad].sum() - n * (n + 1) / 2) / (n * m)
    return float(max(area, 1 - area))


_MEASURES = {
    "connections without an answer": "avg(case when connection_state in ('S0', 'REJ', 'RSTOS0', 'SH', 'INT', 'REQ', 'S_', 'S_R', 'S_RA')"
    " or (connection_state = 'new' and coalesce(destination_packets, 0) = 0) then 1.0 else 0.0 end)",
    "outside destinations that one source uses": "(select avg(case when n = 1 then 1.0 else 0.0 end) from outside)",
    "bytes sent, median": "median(source_bytes)",
    "bytes sent, 95th percentile": "quantile_cont(source_bytes, 0.95)",
    "bytes received, median": "median(destination_bytes)",
    "seconds, median": "median(duration_s)",
    "seconds, 95th percentile": "quantile_cont(duration_s, 0.95)",
}


def beside_captures(dataset: str, lab: Project, versions: dict[str, str]) -> list[Figure]:
    """Return what flows of a simulated dataset and of real captures are like, one figure a measure and dataset."""
    captures = [c for c in CAPTURES if DATASETS.name and (DATASETS / c.path).exists()]
    named = [(f"simulator, {dataset}", dataset)]
    for capture in captures:
        name = "real-" + "".join(c for c in capture.name.lower() if c.isalnum())
        ingest([str(DATASETS / capture.path)], dataset=name, project=lab, final=True)
        named.append((capture.name, name))
    return [figure for case, name in named for figure in _distribution(case, name, lab, versions)]


def _distribution(case: str, dataset: str, lab: Project, versions: dict[str, str]) -> Sequence[Figure]:
    inside = is_inside_sql("source_ip"), is_inside_sql("destination_ip")
    sql = f"""
        with flows as (select * from read_parquet(?) where class_uid = 4001 and destination_ip is not null),
        outside as (
            select destination_ip, count(distinct source_ip) as n from flows where {inside[0]} and not {inside[1]} group by all
        ) select count(*), {", ".join(_MEASURES.values())} from flows"""
    n, *values = duckdb.execute(sql, [[str(path) for path in event_files(lab, dataset)]]).fetchone() or (0,)
    return [
        Figure(case, f"flows: {name}", float(value), "", n=int(n), versions=versions)
        for name, value in zip(_MEASURES, values, strict=True)
        if value is not None and n
    ]
