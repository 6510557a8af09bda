"""socml compare: two runs side by side, the same figures as either has alone, and the rows that moved."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import make_project, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from shell import socml

from socml.evaluate.comparison import _spearman, compare
from socml.evaluate.metrics.ranking import evaluate
from socml.project.errors import DataError, UnknownName
from socml.project.stored import write_json, write_table
from socml.project.workspace import run_folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    project = make_project(tmp_path_factory.mktemp("compare"))
    built = make_run(project, run_id="one", rows=400, hostile=False)
    return project, built, other_run(project, "one", "two")


def other_run(project, source, run_id, *, seed=1, rows=None):
    """Write a run over the same rows, by a model that knows more: truth and a little noise."""
    folder, rng = run_folder(project, source), np.random.default_rng(seed)
    table = pq.read_table(folder / "scores.parquet")
    truth = pq.read_table(next((project.workspace / "features" / "built").glob("*.truth.parquet"))).to_pandas()
    malicious = truth.set_index("row_id")["malicious"].reindex(table["row_id"].to_pylist()).to_numpy(dtype=bool)
    score = malicious * 0.5 + rng.random(len(table))
    rank = np.empty(len(table), dtype=np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(1, len(table) + 1)
    for name, values in (("anomaly_score", score), ("rank", rank)):
        table = table.set_column(table.column_names.index(name), table.schema.field(name), pa.array(values))
    write_table(run_folder(project, run_id) / "scores.parquet", table.slice(0, rows) if rows else table)
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    write_json(run_folder(project, run_id) / "run.json", {**said, "run_id": run_id, "model_version": "knowing/1"})
    return table.to_pandas().set_index("row_id")


def test_a_run_equals_itself(runs):
    project, _, _ = runs
    found = compare("one", "one", project=project)
    assert found.rank_correlation == pytest.approx(1)
    assert set(found.overlap.values()) == {1.0}
    assert all(m["difference"] == m["low"] == m["high"] == 0 for m in found.metrics)
    assert (found.moved["times"] == 1).all()


def test_metrics_are_those_of_each_run_and_their_difference(runs):
    project, built, two = runs
    found = compare("one", "two", project=project)
    alone = [evaluate(scores, built.truth) for scores in (built.scores, two)]
    for metric in found.metrics:
        name = metric["metric"]
        assert (metric["a"], metric["b"]) == pytest.approx((alone[0][name], alone[1][name]))
        assert metric["difference"] == pytest.approx(metric["b"] - metric["a"])
    precision = next(m for m in found.metrics if m["metric"] == "average_precision")
    assert precision["low"] <= precision["difference"] <= precision["high"]
    more = compare("one", "two", metrics=["recall_at_20"], project=project).metrics[-1]
    assert more["difference"] == more["b"] - more["a"] != 0
    back = compare("two", "one", project=project)
    assert back.metrics[0]["difference"] == pytest.approx(-found.metrics[0]["difference"])


def test_overlap_and_movement_are_what_counting_gives(runs):
    project, built, two = runs
    found = compare("one", "two", project=project, moved=400)
    first = {k: set(built.scores.nsmallest(k, "rank").index) & set(two.nsmallest(k, "rank").index) for k in (10, 100)}
    assert found.overlap == {k: len(rows) / k for k, rows in first.items()}
    assert found.moved["times"].is_monotonic_decreasing
    ranks = found.moved.set_index("row_id")
    assert (ranks["rank_b"] == two["rank"].reindex(ranks.index)).all()
    assert (ranks["malicious"].astype(bool) == built.truth.reindex(ranks.index)).all()


def test_runs_over_some_shared_rows_are_compared_over_those(runs):
    project, _, _ = runs
    other_run(project, "one", "part", rows=150)
    found = compare("one", "part", project=project)
    assert found.rows == 150
    assert found.notices == ["Run one has 250 rows that the other has not: they are left out."]


def test_runs_that_share_no_row_are_an_error_that_says_what_they_are_of(runs):
    project, _, _ = runs
    make_run(project, dataset="elsewhere", run_id="far", seed=9, hostile=False)
    with pytest.raises(DataError, match="far of elsewhere by built-flows"):
        compare("one", "far", project=project)
    with pytest.raises(UnknownName, match="no scoring run called 'oen'. Did you mean 'one'"):
        compare("oen", "two", project=project)


def test_the_same_host_and_hour_of_two_datasets_is_not_the_same_row(runs):
    project, _, _ = runs
    other_run(project, "one", "elsewhere")
    path = run_folder(project, "elsewhere") / "run.json"
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "dataset": "elsewhere"})
    with pytest.raises(DataError, match="of elsewhere by"):
        compare("one", "elsewhere", project=project)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=40))
@settings(deadline=None)
def test_rank_correlation_equals_that_of_scipy(pairs):
    a, b = np.array(pairs, dtype=float).T
    if np.ptp(a) and np.ptp(b):
        assert _spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)
    else:
        assert np.isnan(_spearman(a, b))


def test_the_command_line_compares_for_people_and_for_scripts(runs):
    project, _, _ = runs
    told = [socml("compare", "one", "two", *more, cwd=project.root)[0] for more in ([], ["--json"])]
    assert "rank correlation" in told[0]
    assert "average_precision" in told[0]
    found = json.loads(told[1])
    assert found["rows"] == 400
    assert len(found["moved"]) == 10
