"""One run under review: each verdict re-ranks, an undo restores, and everyone sees the same queue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import BuiltRun, make_project, make_run

from socml.labels.recording import open_labels
from socml.labels.verdicts import NewLabel
from socml.project import tables, workspace
from socml.project.errors import DataError, TryLater, UnknownName
from socml.project.project import Project
from socml.review.feedback import FIRST
from socml.review.loop import Triage


@pytest.fixture
def project(tmp_path) -> Project:
    return make_project(tmp_path)


@pytest.fixture
def run(project) -> BuiltRun:
    return make_run(project)


@pytest.fixture
def triage(project, run):
    with Triage(project=project, by="ana") as opened:
        yield opened


def answer(triage: Triage, run: BuiltRun, n: int) -> list[str]:
    """Give `n` true verdicts on the first row of the queue and return the rows."""
    rows = []
    for _ in range(n):
        row_id = triage.queue(1)["row_id"].iloc[0]
        triage.label(row_id, "malicious" if run.truth[row_id] else "benign", client_id=f"{triage.by}-{row_id}")
        rows.append(row_id)
    return rows


def test_the_queue_keeps_its_contract_and_starts_in_the_models_order(triage, run):
    queue = triage.queue(25)
    table = pa.Table.from_pandas(queue, preserve_index=False)
    tables.check_table(table, tables.QUEUE, what="queue", more=True)
    assert list(queue["row_id"]) == list(run.scores.sort_values("rank").index[:25])
    assert list(queue["rank"]) == list(range(1, 26))
    assert (queue["moved"] == 0).all()
    assert (queue["ranking_score"] == queue["anomaly_score"]).all()
    assert str(queue["time"].dtype) == "datetime64[us, UTC]"
    own = run.scores.loc[queue["row_id"]].reset_index()
    for name in ("entity", "time", "anomaly_score", "percentile"):
        pd.testing.assert_series_equal(queue[name], own[name], check_dtype=False)


def test_the_newest_run_is_opened_unless_one_is_named(project, run):
    older = run.run_id
    newer = make_run(project, seed=1).run_id
    with Triage(project=project) as newest, Triage(older, project=project) as named:
        assert (newest.run["run_id"], named.run["run_id"]) == (newer, older)
        assert list(named.scores.index) == list(run.scores.index)
    with pytest.raises(UnknownName, match="no scoring run called 'built-9'"):
        Triage("built-9", project=project)


def test_without_a_run_the_error_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="Nothing has been scored yet"):
        Triage(project=make_project(tmp_path / "empty"))


@pytest.mark.parametrize("verdict", ["malicious", "benign", "false_alarm", "unsure", "skip"])
def test_a_labelled_row_leaves_the_queue_whatever_the_verdict(triage, verdict):
    first = triage.queue(1)["row_id"].iloc[0]
    done = triage.label(first, verdict, client_id="c1")
    assert (done.row_id, done.verdict, done.client_id, done.stored_before) == (first, verdict, "c1", False)
    assert first not in set(triage.queue(400)["row_id"])
    assert triage.labels()["verdict"].to_dict() == {first: verdict}
    assert triage.position(first) is None


def test_a_benign_verdict_pushes_rows_like_it_down_at_once(triage, run):
    row_id = run.scores[~run.truth].sort_values("rank").index[0]
    before = triage.ranking()
    done = triage.label(row_id, "benign", client_id="c")
    after = triage.ranking()
    assert done.moved_down > 0
    share = (run.leaves == run.leaves[:, [list(run.scores.index).index(row_id)]]).mean(axis=0)
    alike = 3 * share + share**2
    pushed = (before - after).to_numpy()
    first = (run.scores["rank"] <= FIRST).to_numpy()  # they come before the rest while no label is malicious
    for some in (first, ~first):
        assert np.corrcoef(alike[some], pushed[some])[0, 1] > 0.999, "as far as they share its leaves"
    assert (pushed[~first] >= 0).all()


@pytest.mark.parametrize("verdict", ["unsure", "skip"])
def test_unsure_and_skip_do_not_teach(triage, verdict):
    before = triage.ranking()
    done = triage.label(triage.queue(1)["row_id"].iloc[0], verdict, client_id="c")
    assert (triage.ranking() == before).all()
    assert (done.moved_up, done.moved_down) == (0, 0)


def test_a_label_delivered_twice_is_stored_and_learnt_once(triage):
    row_id = triage.queue(1)["row_id"].iloc[0]
    first = triage.label(row_id, "benign", client_id="c1")
    ranking = triage.ranking()
    again = triage.label(row_id, "benign", client_id="c1")
    assert again.stored_before
    assert again.label_id == first.label_id
    assert (again.moved_up, again.moved_down) == (0, 0)
    assert (triage.ranking() == ranking).all()
    assert len(triage.effect(9)) == 1


def test_an_undo_restores_the_earlier_queue_exactly(triage, run):
    queues, rankings = [triage.queue(50)], [triage.ranking()]
    for _ in range(12):
        answer(triage, run, 1)
        queues.append(triage.queue(50))
        rankings.append(triage.ranking())
    assert not queues[-1]["row_id"].equals(queues[0]["row_id"])
    for queue, ranking in zip(queues[-2::-1], rankings[-2::-1], strict=True):
        triage.undo()
        pd.testing.assert_frame_equal(triage.queue(50), queue)
        assert (triage.ranking() == ranking).all(), "to the last bit"
    with pytest.raises(DataError, match="'ana' has no label to undo"):
        triage.undo()


def test_a_label_in_the_middle_can_be_undone(triage, project, run):
    rows = answer(triage, run, 5)
    label_id = triage.labels().loc[rows[2], "label_id"]
    undone = triage.undo(int(label_id))
    assert undone.row_id == rows[2]
    with Triage(project=project) as fresh:
        assert (fresh.ranking() == triage.ranking()).all()
    assert triage.undo(int(label_id)).stored_before


def test_an_undo_by_client_id_and_its_repetition(triage, run):
    rows = answer(triage, run, 3)
    first = triage.undo(of_client_id=f"ana-{rows[0]}", client_id="z")
    again = triage.undo(of_client_id=f"ana-{rows[0]}", client_id="z")
    assert (first.row_id, again.label_id, again.stored_before) == (rows[0], first.label_id, True)
    last = triage.undo(client_id="y")
    assert triage.undo(client_id="y").label_id == last.label_id, "the last label is taken back once"
    assert list(triage.labels().index) == [rows[1]]


def test_another_process_that_opens_the_run_sees_the_same_queue(triage, project, run):
    answer(triage, run, 15)
    with Triage(project=project) as other:
        pd.testing.assert_frame_equal(other.queue(100), triage.queue(100))
        assert (other.ranking() == triage.ranking()).all()
        pd.testing.assert_frame_equal(other.effect(3), triage.effect(3))


def test_refresh_takes_in_what_others_recorded(triage, project, run):
    with Triage(project=project, by="bob") as other:
        rows = answer(other, run, 8)
        assert triage.refresh().down
        assert not set(rows) & set(triage.queue(400)["row_id"])
        assert (triage.ranking() == other.ranking()).all()
        with pytest.raises(DataError, match="only they can undo it"):
            triage.undo(int(other.labels()["label_id"].iloc[0]))


def test_the_last_effects_tell_who_entered_and_left_the_first_rows(triage, run):
    before = list(triage.queue(26)["row_id"])
    row_id = before[0]
    done = triage.label(row_id, "benign", client_id="c1")
    after = list(triage.queue(25)["row_id"])
    effect = triage.effect()
    assert len(effect) == 1
    told = effect.iloc[0]
    assert (told["label_id"], told["row_id"], told["verdict"], told["by"]) == (done.label_id, row_id, "benign", "ana")
    assert told["entered"] == [r for r in after if r not in before[1:]]
    assert told["left"] == [r for r in before[1:] if r not in after]
    assert (told["moved_up"], told["moved_down"]) == (done.moved_up, done.moved_down)
    triage.undo()
    newest = triage.effect(1).iloc[0]
    assert newest["undo_of"] == done.label_id
    assert newest["entered"] == told["left"]
    assert newest["left"] == told["entered"]


def test_positions_and_moves_agree_with_a_full_sort(triage, run):
    rows = answer(triage, run, 20)
    ranking = triage.ranking()
    full = pd.DataFrame({"score": ranking, "rank": run.scores["rank"]}).drop(index=rows)
    now = list(full.sort_values(["score", "rank"], ascending=[False, True]).index)
    static = list(full.sort_values("rank").index)
    queue = triage.queue(300)
    assert list(queue["row_id"]) == now[:300]
    assert [triage.position(row_id) for row_id in now] == list(range(1, len(now) + 1))
    assert list(queue["moved"]) == [static.index(row_id) - now.index(row_id) for row_id in now[:300]]


def test_several_labels_are_one_transaction(triage, run):
    rows = list(triage.queue(3)["row_id"])
    with pytest.raises(UnknownName, match="verdict"):
        triage.label_many([{"row_id": rows[0], "verdict": "benign"}, {"row_id": rows[1], "verdict": "bening"}])
    with pytest.raises(DataError, match="There is no row"):
        triage.label_many([{"row_id": rows[0], "verdict": "benign"}, {"row_id": "elsewhere", "verdict": "benign"}])
    assert triage.labels().empty
    done = triage.label_many([{"row_id": r, "verdict": "benign", "client_id": r, "how": "click"} for r in rows])
    assert [d.row_id for d in done] == rows
    assert set(triage.labels()["how"]) == {"click"}


def test_a_row_of_another_run_is_refused_with_its_name_made_harmless(triage):
    with pytest.raises(DataError, match="There is no row 'a␛\\[31m' in this scoring run"):
        triage.label("a\x1b[31m", "benign")


def test_labels_carry_over_to_the_next_run_of_the_same_rows(project, run):
    with Triage(project=project) as first:
        rows = answer(first, run, 4)
    again = make_run(project, run_id="built-again")
    with Triage("built-again", project=project) as later:
        assert list(again.scores.index) == list(run.scores.index)
        assert not set(rows) & set(later.queue(400)["row_id"])
        assert set(later.labels()["run_id"]) == {run.run_id}


def test_labels_of_other_rows_of_the_dataset_do_not_matter(triage, project):
    before = triage.ranking()
    with open_labels(project) as store:
        store.record([NewLabel("elsewhere", "malicious", client_id="x", dataset="built")])
    triage.refresh()
    assert (triage.ranking() == before).all()
    assert triage.labels().empty


def test_analysts_who_cancel_out_leave_the_ranking_as_it_was(triage, project):
    row_id, before = triage.queue(1)["row_id"].iloc[0], triage.ranking()
    triage.label(row_id, "benign")
    with Triage(project=project, by="bob") as other:
        other.label(row_id, "malicious")
        assert (other.ranking() == before).all()


def test_a_run_without_leaves_keeps_labels_and_its_order(project):
    run = make_run(project, leaves=False)
    with Triage(project=project, strategy="diverse") as triage:
        answer(triage, run, 3)
        assert (triage.ranking() == run.scores["anomaly_score"]).all()


def test_leaves_that_do_not_fit_the_scores_are_refused(project, run):
    np.save(workspace.run_folder(project, run.run_id) / "leaves.npy", run.leaves[:, 1:])
    with pytest.raises(DataError, match=r"it should be uint8 or uint16, \(trees, 400\)"):
        Triage(project=project)


@pytest.mark.parametrize("strategy", ["diverse", "uncertain", "random-audit", "mixed"])
def test_every_strategy_serves_a_triage(project, run, strategy):
    with Triage(project=project, strategy=strategy, seed=3) as triage:
        rows = answer(triage, run, 12)
        assert len(set(rows)) == 12
        again = Triage(project=project, strategy=strategy, seed=3)
        pd.testing.assert_frame_equal(again.queue(), triage.queue())


def test_nothing_is_learnt_from_a_label_that_was_not_stored(triage, monkeypatch):
    before = triage.queue()

    def busy(*_):
        raise TryLater("busy")

    monkeypatch.setattr(triage._store, "record", busy)
    with pytest.raises(TryLater):
        triage.label(before["row_id"].iloc[0], "benign", client_id="c")
    pd.testing.assert_frame_equal(triage.queue(), before)


def test_threads_may_share_a_triage(triage, run):
    rows = list(triage.queue(24)["row_id"])
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda r: (triage.label(r, "benign", client_id=r), triage.queue(5)), rows))
    assert set(triage.labels().index) == set(rows)


def test_the_hostile_row_is_handed_on_as_it_is(triage, run):
    queue = triage.queue(25).set_index("row_id")
    assert queue.loc[run.hostile, "entity"] == run.scores.loc[run.hostile, "entity"]
