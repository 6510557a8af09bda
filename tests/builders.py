"""A temporary folder → a project with events, features, a scoring run and its truth, all by contract, in milliseconds.

No model is fitted: the "forest" is random cuts, and a row is anomalous when few rows share its leaves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from socml.ingestion.identity import Places
from socml.project import tables, workspace
from socml.project.project import Project, read_project
from socml.project.stored import write_json, write_table

FEATURES = {
    "source_bytes": "bytes sent by the source",
    "destination_bytes": "bytes sent back by the destination",
    "connections": "number of connections of the source in that minute",
    "duration_s": "duration in seconds",
}
FEATURES_FR = {
    "source_bytes": "octets envoyés par la source",
    "destination_bytes": "octets renvoyés par la destination",
    "connections": "nombre de connexions de la source dans la minute",
    "duration_s": "durée en secondes",
}
HOSTILE_HTML = "<img src=x onerror=\"document.title='owned'\">"
HOSTILE_TEXT = (
    f"{HOSTILE_HTML} [click](javascript:alert(1)) ![i](https://attacker.example/x) "
    "\x1b[31mred\x1b[0m \u202etxt.exe\u202c =1+1"
)
START_US = 1_750_000_000_000_000


def make_rows(project: Project, *row_ids: str, dataset: str = "d") -> None:
    """Write a feature table that has these rows and no features, so that they can be labelled."""
    path = workspace.features_path(project, dataset, "built-rows")
    write_table(path, pa.table({"row_id": list(row_ids)}), {"feature_set": "built-rows", "features": []})


@dataclass(frozen=True)
class BuiltRun:
    """What `make_run` wrote. `truth` has the index row_id and says malicious or not; `hostile` is a row_id, rank 1."""

    run_id: str
    dataset: str
    feature_set: str
    scores: pd.DataFrame
    leaves: np.ndarray
    truth: pd.Series
    families: pd.Series
    hostile: str


def make_project(root: Path, **settings: str) -> Project:
    """Write an empty project into `root`; `labels_url` and `language` may be given."""
    root.mkdir(parents=True, exist_ok=True)
    text = f'workspace = "workspace"\nlanguage = "{settings.get("language", "en")}"\n'
    text += f'[labels]\nurl = "{settings.get("labels_url", "")}"\n'
    (root / "socml.toml").write_text(text, encoding="utf-8")
    return read_project(root)


def make_run(
    project: Project,
    *,
    dataset: str = "built",
    feature_set: str = "built-flows",
    run_id: str = "",
    rows: int = 400,
    trees: int = 40,
    seed: int = 0,
    hostile: bool = True,
    leaves: bool = True,
) -> BuiltRun:
    """Write a dataset of flows and one scoring run over it.

    Five in a hundred rows are backups (benign, the most unusual) and four in a hundred are malicious (two
    families, less unusual), so that labels have something to teach.
    """
    rng = np.random.default_rng(seed)
    run_id = run_id or f"{dataset}-{seed}"
    kind = np.full(rows, "ordinary", dtype=object)
    kind[rng.permutation(rows)[: rows * 9 // 100]] = "backup"
    unusual = np.flatnonzero(kind == "backup")
    kind[unusual[: len(unusual) * 2 // 9]] = "scan"
    kind[unusual[len(unusual) * 2 // 9 : len(unusual) * 4 // 9]] = "exfiltration"
    values = _values(kind, rng)
    leaf_of = _leaves(values, trees, rng)
    anomaly_score = _anomaly_scores(leaf_of)
    malicious = np.isin(kind, ["scan", "exfiltration"])
    first = int(np.flatnonzero(malicious)[0])
    if hostile:
        anomaly_score[first] = anomaly_score.max() + 0.05
    events = _events(values, dataset, first if hostile else -1)
    ids = events["event_id"].to_pylist()
    entity = [str(e) for e in events["source_ip"].to_pylist()]
    if hostile:
        entity[first] = HOSTILE_TEXT
    built = BuiltRun(
        run_id=run_id,
        dataset=dataset,
        feature_set=feature_set,
        scores=_scores(ids, events["time"], entity, anomaly_score, run_id),
        leaves=leaf_of,
        truth=pd.Series(malicious, index=pd.Index(ids, name="row_id"), name="malicious"),
        families=pd.Series(np.where(malicious, kind, None), index=pd.Index(ids, name="row_id"), name="family"),
        hostile=ids[first] if hostile else "",
    )
    _write(project, built, events, values, with_leaves=leaves)
    return built


def _values(kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    centres = {
        "ordinary": (6.0, 7.0, 1.0, 1.0),
        "backup": (14.0, 4.0, 1.5, 6.0),
        "scan": (3.0, 1.0, 5.5, 0.2),
        "exfiltration": (11.0, 3.0, 1.0, 4.0),
    }
    centre = np.array([centres[k] for k in kind])
    spread = np.where(kind == "ordinary", 1.0, 0.4)[:, None]
    return np.exp(np.clip(centre + spread * rng.normal(size=centre.shape), 0, 18)).round(3)


def _leaves(values: np.ndarray, trees: int, rng: np.random.Generator) -> np.ndarray:
    logs = np.log(values)
    low, high = logs.min(axis=0), logs.max(axis=0)
    leaf_of = np.zeros((trees, len(values)), dtype=np.uint8)
    for tree in range(trees):
        for bit in range(6):
            column = rng.integers(values.shape[1])
            leaf_of[tree] |= (logs[:, column] > rng.uniform(low[column], high[column])).astype(np.uint8) << bit
    return leaf_of


def _anomaly_scores(leaf_of: np.ndarray) -> np.ndarray:
    share = np.mean([np.bincount(tree, minlength=64)[tree] / len(tree) for tree in leaf_of], axis=0)
    return np.asarray(0.8 - 0.5 * share, dtype=np.float64)


def _events(values: np.ndarray, dataset: str, hostile: int) -> pa.Table:
    rows = len(values)
    sources = [f"10.0.{i % 7}.{i % 31 + 1}" for i in range(rows)]
    columns: dict[str, list] = {name: [None] * rows for name in tables.EVENT}
    raw = []
    for i in range(rows):
        record = {"source": sources[i], "bytes": [float(v) for v in values[i]], "line": i + 1}
        raw.append(json.dumps(record) if i != hostile else f"{json.dumps(record)} {HOSTILE_TEXT}")
    columns |= {
        "event_id": Places(hashlib.sha256(dataset.encode()).hexdigest()[:16]).ids(np.arange(1, rows + 1)).to_pylist(),
        "time": [START_US + i * 7_000_000 for i in range(rows)],
        "dataset": [dataset] * rows,
        "class_uid": [4001] * rows,
        "raw": raw,
        "source_file": ["built.log"] * rows,
        "source_line": list(range(1, rows + 1)),
        "event_category": ["network"] * rows,
        "source_ip": sources,
        "destination_ip": [f"192.0.2.{i % 50 + 1}" for i in range(rows)],
        "destination_port": [(80, 443, 22, 53)[i % 4] for i in range(rows)],
        "network_transport": ["tcp"] * rows,
        "source_bytes": [int(v) for v in values[:, 0]],
        "destination_bytes": [int(v) for v in values[:, 1]],
        "duration_s": [float(v) for v in values[:, 3]],
    }
    if hostile >= 0:
        columns["user_agent_original"][hostile] = HOSTILE_TEXT
        columns["message"][hostile] = HOSTILE_TEXT
    return pa.table(
        {n: pa.array(columns[n], c.type) for n, c in tables.EVENT.items()}, schema=tables.schema(tables.EVENT)
    )


def _scores(
    ids: list[str], time: pa.ChunkedArray, entity: list[str], anomaly_score: np.ndarray, run_id: str
) -> pd.DataFrame:
    order = np.argsort(-anomaly_score, kind="stable")
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(1, len(ids) + 1)
    return pd.DataFrame(
        {
            "time": time.to_pandas(),
            "entity": entity,
            "anomaly_score": anomaly_score,
            "percentile": 100.0 * (len(ids) - rank) / len(ids),
            "rank": rank,
            "model_version": "built-forest/1",
            "feature_hash": "0123456789abcdef",
            "events_snapshot": "fedcba9876543210",
            "run_id": run_id,
        },
    ).set_index(pd.Index(ids, name="row_id"))


def _explanations(built: BuiltRun, values: np.ndarray, top: int = 50) -> pa.Table:
    rows = []
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    position_of = {row_id: i for i, row_id in enumerate(built.scores.index)}
    for row_id in built.scores.sort_values("rank").index[:top]:
        value = values[position_of[row_id]]
        push = np.abs(np.log(value) - np.log(values).mean(axis=0))
        for place, column in enumerate(np.argsort(-push), 1):
            rows.append(
                {
                    "row_id": row_id,
                    "position": place,
                    "feature": list(FEATURES)[column],
                    "value": float(value[column]),
                    "category": None,
                    "contribution": float(push[column]),
                    "share": float(push[column] / push.sum()),
                    "value_percentile": float(100 * (values[:, column] < value[column]).mean()),
                    "entity_low": None,
                    "entity_high": None,
                    "everyone_low": float(low[column]),
                    "everyone_high": float(high[column]),
                    "peers": float((values[:, column] >= value[column]).mean()),
                }
            )
    return pa.Table.from_pylist(rows, schema=tables.schema(tables.EXPLANATION))


def _write(project: Project, built: BuiltRun, events: pa.Table, values: np.ndarray, *, with_leaves: bool) -> None:
    part = project.workspace / "events" / built.dataset / "0000000000000001.parquet"
    write_table(part, events)
    truth = {
        "event_id": built.truth.index.to_list(),
        "malicious": built.truth.to_list(),
        "family": built.families.astype(object).where(built.families.notna(), None).to_list(),
        "technique": [{"scan": "T1046", "exfiltration": "T1048"}.get(str(f)) for f in built.families],
    }
    write_table(workspace.truth_path(project, built.dataset), pa.table(truth, schema=tables.schema(tables.TRUTH)))
    keys = {"row_id": built.truth.index.to_list(), "time": events["time"], "entity": built.scores["entity"].to_list()}
    features = pa.table({**keys, **{n: values[:, i] for i, n in enumerate(FEATURES)}})
    path = workspace.features_path(project, built.dataset, built.feature_set)
    write_table(
        path,
        features,
        {
            "feature_set": built.feature_set,
            "recipe_hash": "0123456789abcdef",
            "events_snapshot": "fedcba9876543210",
            "dataset": built.dataset,
            "entity": [],
            "window_seconds": 0,
            "features": list(FEATURES),
            "columns": FEATURES,
            "columns_fr": FEATURES_FR,
            "fill": {},
        },
    )
    row_truth = pa.table({"row_id": truth["event_id"], "malicious": truth["malicious"], "family": truth["family"]})
    write_table(path.with_suffix(".truth.parquet"), row_truth)
    _write_run(project, built, values, with_leaves=with_leaves)


def _write_run(project: Project, built: BuiltRun, values: np.ndarray, *, with_leaves: bool) -> None:
    folder = workspace.run_folder(project, built.run_id)
    scores = pa.Table.from_pandas(built.scores.reset_index(), preserve_index=False)
    write_table(folder / "scores.parquet", tables.check_table(scores, tables.SCORE, what="scores"))
    write_table(folder / "explanations.parquet", _explanations(built, values))
    if with_leaves:
        np.save(folder / "leaves.npy", built.leaves)
    write_json(
        folder / "run.json",
        {
            "run_id": built.run_id,
            "dataset": built.dataset,
            "feature_set": built.feature_set,
            "model": "built-forest",
            "model_version": "built-forest/1",
            "feature_hash": "0123456789abcdef",
            "events_snapshot": "fedcba9876543210",
            "rows": len(built.scores),
            "experiment": "",
            "finished": f"2026-01-01T00:00:0{len(workspace.list_runs(project)) % 10}+00:00",
            "metrics": {},
        },
    )
