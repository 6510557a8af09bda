from __future__ import annotations

import ast
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fitted import score_in_blocks

from socml.models import scoring as scores_module
from socml.models.scoring import anomaly_scores, load_scores, score_run
from socml.project.errors import ModelError, UnknownName
from socml.project.leaves import LEAVES
from socml.project.stored import read_metadata, write_table
from socml.project.tables import SCORE, check_table, schema
from socml.project.workspace import read_leaves, run_folder

PACKAGE = Path(scores_module.__file__).parent


def test_planted_rows_have_the_highest_anomaly_score_percentile_and_rank(fitted):
    data = fitted["data"]
    scores = anomaly_scores(fitted["forest"], data.features)
    top = scores.sort_values("rank").head(6)
    assert data.truth[top.index].all()
    assert (top["percentile"] > 99).all()
    assert top["anomaly_score"].min() > scores.drop(top.index)["anomaly_score"].max()


def test_anomaly_score_is_minus_what_the_detector_says_of_normality(fitted):
    data = fitted["data"]
    for name in ("forest", "baseline"):
        scores = anomaly_scores(fitted[name], data.features)
        assert np.array_equal(scores["anomaly_score"], -fitted[name].pipeline.score_samples(data.features))


def test_score_table_keeps_the_contract_and_the_order_of_the_rows(fitted):
    data = fitted["data"]
    scores = anomaly_scores(fitted["forest"], data.features)
    assert scores.index.equals(data.features.index)
    check_table(pa.Table.from_pandas(scores.reset_index(), preserve_index=False), SCORE, what="scores")


def test_every_row_carries_its_lineage(fitted):
    row = anomaly_scores(fitted["forest"], fitted["data"].features).iloc[0]
    assert row["model_version"] == "planted-forest/1"
    assert (row["feature_hash"], row["events_snapshot"]) == ("0123456789abcdef", "fedcba9876543210")
    assert row["run_id"]


def test_ranks_are_one_to_n_and_ties_keep_the_order_of_the_rows(fitted):
    data = fitted["data"]
    twice = data.features.iloc[[0, 1, 0, 1]].set_axis([f"{i:032x}" for i in range(4)])
    scores = anomaly_scores(fitted["forest"], twice)
    assert sorted(scores["rank"]) == [1, 2, 3, 4]
    assert scores["rank"].iloc[0] < scores["rank"].iloc[2]
    assert scores["rank"].iloc[1] < scores["rank"].iloc[3]


def test_a_rows_score_and_percentile_do_not_depend_on_the_rows_scored_with_it(fitted):
    data = fitted["data"]
    together = anomaly_scores(fitted["forest"], data.features)
    alone = anomaly_scores(fitted["forest"], data.features.iloc[[104]])
    for column in ("anomaly_score", "percentile"):
        assert alone[column].iloc[0] == together[column].iloc[104]


def test_no_rows_give_an_empty_score_table(fitted):
    assert anomaly_scores(fitted["forest"], fitted["data"].features.iloc[:0]).empty


def test_a_run_scores_the_file_as_the_table_in_memory(fitted, monkeypatch):
    data = fitted["data"]
    score_in_blocks(monkeypatch, 100)  # many blocks
    for name in ("forest", "baseline"):
        run = score_run(fitted[name], data.path, project=data.project)
        stored = load_scores(run["run_id"], project=data.project)
        here = anomaly_scores(fitted[name], data.features)
        for column in ("anomaly_score", "percentile", "rank"):
            assert np.array_equal(stored[column], here[column])
        assert stored.index.equals(here.index)
        file = run_folder(data.project, run["run_id"]) / "scores.parquet"
        assert pq.read_schema(file).remove_metadata().equals(schema(SCORE).remove_metadata())


def test_a_run_writes_the_leaves_of_every_row_in_the_order_of_the_rows(fitted):
    data = fitted["data"]
    for name, trees in (("forest", 60), ("baseline", 100)):
        run = score_run(fitted[name], data.path, project=data.project)
        leaves = read_leaves(data.project, run)
        matrix = fitted[name].preparation.transform(data.features)
        assert leaves.shape == (trees, 1200)
        assert leaves.dtype == np.uint8
        assert np.array_equal(leaves, fitted[name].forest.leaves(matrix))


def test_the_same_input_twice_gives_the_same_bytes(fitted):
    data = fitted["data"]
    files = ("scores.parquet", LEAVES)
    written = []
    for _ in range(2):
        run = score_run(fitted["forest"], data.path, project=data.project)
        folder = run_folder(data.project, run["run_id"])
        shutil.rmtree(folder)
        assert score_run(fitted["forest"], data.path, project=data.project)["run_id"] == run["run_id"]
        written.append([(folder / name).read_bytes() for name in files])
    assert written[0] == written[1]


def test_the_number_of_threads_changes_no_byte(fitted, monkeypatch):
    data = fitted["data"]
    score_in_blocks(monkeypatch, 50)
    found = []
    for threads in (1, 4):
        project = dataclasses.replace(data.project, threads=threads)
        shutil.rmtree(run_folder(project, score_run(fitted["forest"], data.path, project=project)["run_id"]))
        folder = run_folder(project, score_run(fitted["forest"], data.path, project=project)["run_id"])
        found.append([(folder / name).read_bytes() for name in ("scores.parquet", LEAVES)])
        shutil.rmtree(folder)
    assert found[0] == found[1]


def test_a_finished_run_is_not_scored_again_and_an_interrupted_one_is(fitted, monkeypatch):
    data = fitted["data"]
    run = score_run(fitted["forest"], data.path, project=data.project)
    folder = run_folder(data.project, run["run_id"])
    stamp = (folder / "scores.parquet").stat().st_mtime_ns
    assert score_run(fitted["forest"], data.path, project=data.project) == run
    assert (folder / "scores.parquet").stat().st_mtime_ns == stamp
    (folder / "run.json").unlink()

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(scores_module, "_write_scores", killed)
    with pytest.raises(KeyboardInterrupt):
        score_run(fitted["forest"], data.path, project=data.project)
    assert not (folder / "run.json").exists()
    monkeypatch.undo()
    score_run(fitted["forest"], data.path, project=data.project)
    assert sorted(p.name for p in folder.iterdir() if p.name != "explanations.parquet") == [
        LEAVES,
        "run.json",
        "scores.parquet",
    ]


def test_truth_adds_the_metrics_also_to_a_run_that_was_finished_without(fitted):
    data = fitted["data"]
    run = score_run(fitted["baseline"], data.path, project=data.project)
    with_truth = score_run(fitted["baseline"], data.path, project=data.project, truth=data.truth)
    assert with_truth["run_id"] == run["run_id"]
    assert with_truth["metrics"]["anomaly_rate"] == 6 / 1200
    stored = json.loads((run_folder(data.project, run["run_id"]) / "run.json").read_text())
    assert stored["metrics"] == with_truth["metrics"]


def test_progress_ends_at_all_rows(fitted, monkeypatch):
    data = fitted["data"]
    score_in_blocks(monkeypatch, 500)
    run = score_run(fitted["forest"], data.path, project=data.project)
    shutil.rmtree(run_folder(data.project, run["run_id"]))
    seen = []
    score_run(fitted["forest"], data.path, project=data.project, progress=lambda at, rows: seen.append((at, rows)))
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]


def test_another_feature_set_or_a_renamed_column_is_refused(fitted, tmp_path):
    data = fitted["data"]
    table = pq.read_table(data.path)
    other = write_table(tmp_path / "a.parquet", table, {**read_metadata(data.path), "feature_set": "flow"})
    with pytest.raises(ModelError, match="fitted on the feature set 'source-5min', and this is 'flow'"):
        score_run(fitted["forest"], other, project=data.project)
    names = ["destination_count" if name == "destinations" else name for name in table.column_names]
    renamed = write_table(tmp_path / "b.parquet", table.rename_columns(names), read_metadata(data.path))
    with pytest.raises(ModelError, match=r"no column 'destinations'.*Did you mean 'destination_count'"):
        score_run(fitted["forest"], renamed, project=data.project)


def test_a_feature_file_without_rows_makes_a_run_without_rows(fitted, tmp_path):
    data = fitted["data"]
    empty = write_table(tmp_path / "none.parquet", pq.read_table(data.path).slice(0, 0), read_metadata(data.path))
    run = score_run(fitted["forest"], empty, project=data.project)
    assert run["rows"] == 0
    assert load_scores(run["run_id"], project=data.project).empty
    shutil.rmtree(run_folder(data.project, run["run_id"]))


def test_a_run_that_does_not_exist_is_named(fitted):
    score_run(fitted["forest"], fitted["data"].path, project=fitted["data"].project)
    with pytest.raises(UnknownName, match="scoring run"):
        load_scores("nope", project=fitted["data"].project)


def test_the_sign_changes_in_one_place():
    """No other stage negates what a detector says: `-…score_samples` and `-normality` stand in scoring.py alone.

    Detectors made of detectors, and explainers, whose shares push toward anomalous, say so in their contracts.
    """
    for path in PACKAGE.rglob("*.py"):
        if {"detectors", "kernels", "explainers"} & set(path.parts):
            continue
        negated = [
            ast.unparse(node)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        ]
        found = [text for text in negated if "score_samples(" in text or text == "-normality"]
        assert not found or path.name == "scoring.py", f"{path.name}: {found}"
