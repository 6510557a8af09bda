"""`memory_limit` has room for fewer rows than there are → a sample is learned from, the most anomalous rows are reviewed."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fitted import score_in_blocks
from hypothesis import given
from hypothesis import strategies as st
from known_lab import known_lab

from socml.cli import review as review_verbs
from socml.evaluate.validation.run import validate
from socml.explanations.of_run import explain_run
from socml.features import learning_rows
from socml.features.build import load_features
from socml.features.learning_rows import load_learning_rows
from socml.features.preparation import Preparation
from socml.ingestion import truth_file
from socml.models.fitting import fit
from socml.models.scored_blocks import most_anomalous, ranks
from socml.models.scoring import load_scores, score_run
from socml.project.checksums import parquet_writer
from socml.project.errors import ConfigurationError, DataError, Notice
from socml.project.periods import Period
from socml.project.recipe_sections import Truth, Validation
from socml.project.recipes import DatasetRecipe
from socml.project.stored import open_table, write_table
from socml.project.tables import TRUTH_BESIDE, schema
from socml.project.workspace import read_leaves, run_folder
from socml.review.feedback import FeedbackRanking
from socml.review.loop import Triage

REVIEWED = 300
SMALL = "93KB"  # room for 300 rows of 60 trees under review, and for 387 of 10 columns to learn from


@pytest.fixture
def small(fitted):
    """The project of planted outliers, with room for few rows."""
    return replace(fitted["data"].project, memory_limit=SMALL)


@pytest.fixture
def runs(fitted, small, monkeypatch):
    """The same rows scored where all have room, and where few have: scores, leaves and what run.json says of each."""
    data = fitted["data"]
    score_in_blocks(monkeypatch, 100)
    found = []
    for project in (data.project, small):
        run = score_run(fitted["forest"], data.path, project=project)
        found.append((load_scores(run["run_id"], project=project), np.array(read_leaves(project, run)), run))
    yield found
    shutil.rmtree(run_folder(data.project, run["run_id"]))


def test_a_file_that_is_read_in_blocks_is_not_held_whole(tmp_path):
    table = pa.table({"n": np.random.default_rng(0).random(4_000_000)})  # four row groups of 8 MB
    path = write_table(tmp_path / "t.parquet", table)
    del table
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in open_table(path).iter_batches(65_536)]
    assert max(held) < 20 << 20


def test_a_table_that_fits_is_learned_from_as_it_is(fitted):
    data = fitted["data"]
    rows = load_learning_rows(data.path, project=data.project)
    assert rows.equals(load_features("planted", "source-5min", project=data.project))
    assert "sampled_from" not in rows.attrs["socml"]


def test_of_a_larger_table_a_seeded_sample_is_learned_from_whatever_the_block(fitted, small, monkeypatch):
    data = fitted["data"]
    labelled = data.features.index[[7, 700]].to_list()
    with pytest.warns(Notice, match=r"a sample of about 387 of 1,200 rows"):
        rows = load_learning_rows(data.path, project=small, seed=1, keep=labelled)
    assert 300 < len(rows) < 480
    assert set(labelled) <= set(rows.index)
    assert rows.index.is_monotonic_increasing  # as the table's
    monkeypatch.setattr(learning_rows, "BLOCK", 17)
    with pytest.warns(Notice):
        again = load_learning_rows(data.path, project=small, seed=1, keep=labelled)
    with pytest.warns(Notice):
        other = load_learning_rows(data.path, project=small, seed=2)
    assert again.equals(rows)
    assert not other.index.equals(rows.index)


def test_a_sample_is_of_the_period_and_none_where_the_period_fits(fitted, small):
    data = fitted["data"]
    with pytest.warns(Notice, match=r"of 576 rows"):
        two_days = load_learning_rows(data.path, project=small, period=Period.of("2026-01-02", "2026-01-03"))
    assert set(two_days["time"].dt.day) == {2, 3}
    day = load_learning_rows(data.path, project=small, period=Period.of("2026-01-02", "2026-01-02"))
    assert len(day) == 288
    with pytest.raises(DataError, match="No row lies from 2027"):
        load_learning_rows(data.path, project=small, period=Period.of("2027-01-01"))


def test_a_model_says_that_it_learned_from_a_sample(fitted, small):
    with pytest.warns(Notice):
        rows = load_learning_rows(fitted["data"].path, project=small)
    version = fit("robust-z", rows, project=small)
    assert f"Fitted on a sample of {len(rows)} of 1,200 rows." in version.metadata["notices"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 45))
def test_the_most_anomalous_rows_are_those_of_the_first_ranks(values, count):
    normality = np.array(values, dtype=np.float64)
    assert most_anomalous(normality, count).tolist() == np.flatnonzero(ranks(normality) <= count).tolist()


def test_scores_are_the_same_and_leaves_are_of_the_most_anomalous(runs):
    (all_scores, all_leaves, whole), (scores, leaves, run) = runs
    assert scores.equals(all_scores)
    assert "reviewed" not in whole
    assert run["reviewed"] == REVIEWED
    assert np.array_equal(leaves, all_leaves[:, (scores["rank"] <= REVIEWED).to_numpy()])


def test_a_step_asks_for_no_more_than_a_block_of_rows(fitted, small, monkeypatch):
    asked = []
    transform = Preparation.transform

    def counted(self, X):
        asked.append(len(X))
        return transform(self, X)

    monkeypatch.setattr(Preparation, "transform", counted)
    score_in_blocks(monkeypatch, 100)
    run = score_run(fitted["forest"], fitted["data"].path, project=small)
    assert max(asked) == 100
    assert sum(asked) == 1200 + REVIEWED
    shutil.rmtree(run_folder(small, run["run_id"]))


def test_more_room_scores_again_and_the_same_room_does_not(fitted, runs, small, monkeypatch):
    forest, data = fitted["forest"], fitted["data"]
    monkeypatch.setattr("socml.models.scoring.save_run", lambda *_, **__: pytest.fail("scored again"))
    assert score_run(forest, data.path, project=small)["reviewed"] == REVIEWED
    monkeypatch.undo()
    assert "reviewed" not in score_run(forest, data.path, project=data.project)


def test_labels_rank_the_reviewed_rows_as_if_there_were_no_others(fitted, runs, small):
    _, (scores, leaves, run) = runs
    top = scores[scores["rank"] <= REVIEWED]
    by_rank = top.sort_values("rank").index
    with Triage(run["run_id"], project=small) as triage:
        assert triage.queue(25)["row_id"].to_list() == by_rank[:25].to_list()
        assert triage.scores.equals(top)
        for at, verdict in enumerate(["benign", "malicious", "benign"]):
            triage.label(by_rank[at], verdict)
        alone = FeedbackRanking(leaves, top["anomaly_score"].to_numpy())
        learnt = alone.learn(top.index.get_indexer(by_rank[:3]), [-1, 1, -1])
        assert triage.ranking().to_numpy().tolist() == learnt.tolist()
        triage.undo()


def test_a_row_beyond_is_refused_with_what_to_do(runs, small):
    _, (scores, _, run) = runs
    beyond = str(scores["rank"].idxmax())
    with Triage(run["run_id"], project=small) as triage:
        assert not triage.has(beyond)
        with pytest.raises(DataError, match="its 300 most anomalous, which labels rank: raise .* memory_limit"):
            triage.label(beyond, "benign")
        with pytest.raises(ConfigurationError, match="No rows of run"):
            review_verbs._whole_id(beyond, triage)
        first = str(scores["rank"].idxmin())
        assert review_verbs._whole_id(first, triage) == first


def test_reasons_are_the_same(runs, small, monkeypatch):
    from importlib import import_module

    columns = import_module("socml.explanations.feature_columns")
    (_, _, run), _ = runs
    explained = []
    for kept_cells in (columns.KEPT_CELLS, 0):
        columns._on_disk.cache_clear()
        monkeypatch.setattr(columns, "KEPT_CELLS", kept_cells)
        monkeypatch.setattr(columns, "BLOCK", 37)
        monkeypatch.setattr(columns, "REMEMBERED_BYTES", kept_cells)
        (run_folder(small, run["run_id"]) / "explanations.parquet").unlink(missing_ok=True)
        explained.append(explain_run(run["run_id"], top=20, project=small))
    columns._on_disk.cache_clear()
    assert explained[0].equals(explained[1])
    assert pc.count_distinct(explained[0]["row_id"].to_numpy()).as_py() == 20


@pytest.mark.parametrize("model", ["tiny-forest", "tiny-classifier"])
def test_validate_holds_the_rows_of_one_fold_as_far_as_there_is_room_and_blocks_of_others(tmp_path, monkeypatch, model):
    project = known_lab(tmp_path)
    validation = Validation(mode="cross-validation", folds=3, replicates=20)
    expected = validate(model, "built", validation=validation, project=project, record=False)
    held, frame_of = [], learning_rows.frame_of

    def counted(table, metadata):
        if "duration_s" in table.column_names:
            held.append(len(table))
        return frame_of(table, metadata)

    monkeypatch.setattr(learning_rows, "frame_of", counted)
    monkeypatch.setattr(learning_rows, "BLOCK", 50)
    found = validate(model, "built", validation=validation, project=project, record=False)
    assert found.pooled == expected.pooled
    assert max(length for length in held if length not in (400, 600)) <= 50, "400: training rows; 600: for what leaks"
    held.clear()
    room = learning_rows.CELL_BYTES * 7 * 120  # bytes of 120 rows of seven columns
    narrow = replace(project, memory_limit=f"{room}B")
    with pytest.warns(Notice, match="fold 1: the model learns from a sample of 120 of 400 rows"):
        small_ones = validate("tiny-forest", "built", validation=validation, project=narrow, record=False)
    assert max(held) == 120
    assert [fold["rows"] for fold in small_ones.folds] == [200, 200, 200], "every row is judged"


@pytest.mark.parametrize("kept", [999, 1000], ids=["a large table", "a small one"])
def test_ground_truth_is_read_in_parts(kept, tmp_path, monkeypatch):
    """Of a large table of truth, the rows about one file of records are held; a small one is read once."""
    rows = {
        "source_file": [f"{name}.log" for name in "abcd" for _ in range(250)],
        "source_line": list(range(1, 251)) * 4,
        "malicious": [line % 5 == 0 for line in range(1000)],
        "family": [None] * 1000,
        "technique": pa.array([None] * 1000, pa.string()),
    }
    known = dict(zip(zip(rows["source_file"], rows["source_line"], strict=True), rows["malicious"], strict=True))
    path = tmp_path / "truth.parquet"
    pq.write_table(pa.table(rows, schema=schema(TRUTH_BESIDE)), path)
    monkeypatch.setattr(truth_file, "PART", 100)
    monkeypatch.setattr(truth_file, "KEPT_ROWS", kept)
    monkeypatch.setattr(pq, "read_table", lambda *_, **__: pytest.fail("it was read whole"))
    read, check = [], truth_file.check_table
    monkeypatch.setattr(truth_file, "check_table", lambda part, *a, **k: read.append(len(part)) or check(part, *a, **k))
    recipe = DatasetRecipe(name="d", truth=Truth(file="truth.parquet", others="benign"))
    truth = truth_file.find_truth_file(recipe, [tmp_path / f"{name}.log" for name in "abcd"])
    assert truth.rows == 1000
    for name, lines in (("b", [1, 2, 3, 4, 5, 6]), ("b", [999]), ("d", [250])):
        found = truth.of_events(pa.table({"source_line": pa.array(lines, pa.int64())}), tmp_path / f"{name}.log")
        assert found["malicious"].to_pylist() == [known.get((f"{name}.log", line), False) for line in lines]
        assert len(truth._about[1]) == 250
    assert max(read) == 100
    assert sum(read) == (3 * 1000 if kept < 1000 else 2 * 1000), "counted, then once for each file, or once"
    assert (truth._kept is None) == (kept < 1000)
    assert pickle.loads(pickle.dumps(truth))._kept is None
    other = truth.of_events(pa.table({"source_line": pa.array([1], pa.int64())}), tmp_path / "other.log")
    assert (other["malicious"].to_pylist(), len(truth._about[1])) == ([False], 0)
    assert pickle.loads(pickle.dumps(truth))._about is None


@given(st.sets(st.integers(0, 99)), st.integers(1, 40), st.integers(1, 40))
def test_rows_by_their_numbers_are_those_of_the_table(tmp_path_factory, wanted, group, block):
    path = tmp_path_factory.mktemp("rows") / "t.parquet"
    table = pa.table({"row_id": [f"r{i}" for i in range(100)], "n": list(range(100))})
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table, row_group_size=group)
    rows = np.array(sorted(wanted), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learning_rows, "BLOCK", block)
        assert learning_rows.rows_at(path, rows)["n"].tolist() == sorted(wanted)
        blocks = list(learning_rows.blocks_at(path, rows))
    assert [n for frame in blocks for n in frame["n"]] == sorted(wanted)
    assert all(0 < len(frame) <= block for frame in blocks)
