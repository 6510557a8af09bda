"""What saves work on large tables says the same as the plain way: columns that are kept, ranks, names, a forest not asked."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import make_project, make_run

from socml.explanations import usual
from socml.explanations.contributions import explain
from socml.models.scoring import score_run
from socml.project.errors import DataError
from socml.project.stored import read_table, write_table
from socml.project.workspace import run_folder
from socml.review import row_ids
from socml.review.loop import Triage
from socml.review.row_ids import RowIds
from socml.review.supervised_ranker import EVERY

columns_module = import_module("socml.explanations.feature_columns")  # the room hands out a function of that name


def test_a_table_that_is_too_large_to_keep_is_explained_alike(fitted, monkeypatch):
    data, forest = fitted["data"], fitted["forest"]
    rows = data.features.index[[5, 3, 90, 41]].to_list()
    kept = explain(forest, data.path, rows)
    columns_module._on_disk.cache_clear()
    monkeypatch.setattr(columns_module, "KEPT_CELLS", 0)
    monkeypatch.setattr(usual, "MARKED", 0)
    pd.testing.assert_frame_equal(explain(forest, data.path, rows), kept, check_exact=True)
    columns_module._on_disk.cache_clear()


@pytest.mark.parametrize("kept_cells", [0, columns_module.KEPT_CELLS])
def test_rows_of_a_file_come_in_the_order_asked_for_with_the_types_that_it_holds(tmp_path, monkeypatch, kept_cells):
    monkeypatch.setattr(columns_module, "KEPT_CELLS", kept_cells)
    table = pa.table(
        {
            "row_id": [f"r{at}" for at in range(50)],
            "n": pa.array([None if at % 7 == 0 else at for at in range(50)], pa.int64()),
            "who": [None if at % 5 == 0 else f"h{at % 3}" for at in range(50)],
        }
    )
    path = write_table(tmp_path / f"t{kept_cells}.parquet", table)
    columns = columns_module.OnDisk(path)
    asked = np.array([40, 3, 7, 3])
    pd.testing.assert_frame_equal(columns.take(asked), table.take(asked).to_pandas().set_index("row_id"))
    assert list(columns.take(asked, ["who", "absent"]).columns) == ["who"]
    assert len(columns.take(np.array([], dtype=np.int64))) == 0
    with pytest.raises(DataError, match="no row 'r50'"):
        columns.positions(["r1", "r50"])


def test_rows_keep_their_names_whatever_their_order():
    names = pa.array([f"r{at}" for at in range(20)])
    order = np.random.default_rng(0).permutation(20)
    ids = RowIds(names, order)
    assert ids.names(range(20)) == [f"r{at}" for at in order]
    assert RowIds(names, order).rows_of([f"r{at}" for at in order]).tolist() == list(range(20))
    assert ids.rows_of(["r99"]).tolist() == [-1]


def test_names_that_no_row_has_are_none_and_fill_no_memory():
    ids = RowIds(pa.array(["r0", "r1"]))
    for asked in (["x\ud800"], ["\ud800", "r1", "no"], [f"made up {n}" for n in range(1_000)]):
        assert [name for name, row in zip(asked, ids.rows_of(asked), strict=True) if row >= 0] == [
            name for name in asked if name == "r1"
        ]
    assert ids._row_of == {"r1": 1}
    assert "\udfff" not in ids


def test_labels_of_other_runs_are_looked_for_once_and_not_with_each_label_more(monkeypatch):
    ids, looked = RowIds(pa.array(["r0", "r1"])), []
    real = row_ids.pc.is_in
    monkeypatch.setattr(row_ids.pc, "is_in", lambda *given, **more: looked.append(1) or real(*given, **more))
    for labelled in (["r1", "of another run"], ["r1", "of another run"], ["r1", "of another run", "r0"]):
        assert ids.rows_of_labels(labelled).tolist() == [1, -1, 0][: len(labelled)]
    assert len(looked) == 2


def test_ranks_that_do_not_count_each_row_once_still_order_them(tmp_path):
    project = make_project(tmp_path)
    built = make_run(project)
    path = run_folder(project, built.run_id) / "scores.parquet"
    stored = read_table(path)
    at = stored.column_names.index("rank")
    halved = (stored["rank"].to_numpy() + 1) // 2
    write_table(path, stored.set_column(at, stored.field(at), pa.array(halved, stored.field(at).type)))
    with Triage(project=project, by="ana") as triage:
        expected = built.scores.index[np.argsort(halved, kind="stable")][:20]
        assert triage._ranking.ids.names(range(20)) == list(expected)
    twice = pa.concat_tables([stored, stored.slice(3, 1)])
    write_table(path, twice)
    np.save(run_folder(project, built.run_id) / "leaves.npy", np.zeros((1, len(twice)), dtype=np.uint8))
    with pytest.raises(DataError):
        Triage(project=project, by="ana")


def test_a_row_that_is_not_in_the_run_is_named(fitted):
    from socml.explanations.of_run import explain_rows

    data = fitted["data"]
    run = score_run(fitted["forest"], data.path, project=data.project, truth=data.truth)
    with pytest.raises(DataError, match="has no row 'nobody'"):
        explain_rows(run["run_id"], ["nobody"], project=data.project)


def test_a_forest_predicts_all_rows_only_where_somebody_reads_it(tmp_path):
    project = make_project(tmp_path)
    built = make_run(project)
    matrix = np.random.default_rng(0).normal(size=(len(built.scores), 3)).astype(np.float32)
    open_to = {"most-anomalous": False, "aladin": True}
    for strategy, reads in open_to.items():
        with Triage(project=project, by=strategy, strategy=strategy, matrix=matrix) as triage:
            rows = list(built.scores.index[: 6 * EVERY])
            if not triage.training_labels():
                triage.label_many([{"row_id": r, "verdict": "malicious" if built.truth[r] else "benign"} for r in rows])
            triage._live.learn_again()
            assert (triage._ranking.predictions is not None) == reads
