"""Propagation: a verdict is suggested for the rows that are like it, and taken back in one step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import make_project, make_run

from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError
from socml.review.loop import Triage
from socml.review.propagation import PREVIEW, WEIGHT
from socml.review.queues import is_drawn


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def run(project):
    return make_run(project, rows=600, hostile=False)


@pytest.fixture
def triage(project, run):
    with Triage(run.run_id, project=project, by="ana") as opened:
        yield opened


@pytest.fixture
def backup(run):
    """The most anomalous row that is a backup, not malicious."""
    ranked = run.scores.sort_values("rank").index
    return next(row_id for row_id in ranked if not run.truth[row_id])


def test_similar_rows_are_those_that_share_the_most_leaves(triage, run, backup):
    found = triage.similar(backup, at_least=0.3).rows
    place = {row_id: n for n, row_id in enumerate(run.scores.index)}
    shared = (run.leaves == run.leaves[:, [place[backup]]]).mean(axis=0)
    assert list(found["alike"]) == sorted(found["alike"], reverse=True)
    assert list(found["alike"]) == pytest.approx([shared[place[row_id]] for row_id in found["row_id"]])
    assert set(found["row_id"]) == {r for r in run.scores.index if shared[place[r]] >= 0.3} - {backup}
    first_trees = run.leaves[:4]
    same = [(first_trees[:, place[r]] == first_trees[:, place[backup]]).all() for r in found["row_id"]]
    assert list(found["same_signature"]) == same


def test_the_preview_shows_the_nearest_and_the_furthest_and_none_twice(triage, backup):
    similar = triage.similar(backup, at_least=0.2)
    assert len(similar.nearest) == len(similar.furthest) == PREVIEW
    assert not set(similar.nearest["row_id"]) & set(similar.furthest["row_id"])
    assert similar.nearest["alike"].min() >= similar.furthest["alike"].max()
    few = triage.similar(backup, at_least=1.01)
    assert few.rows.empty
    assert few.furthest.empty


def test_the_same_entity_can_be_asked_for(triage, run, backup):
    found = triage.similar(backup, at_least=0.0, same_entity=True).rows
    assert len(found)
    assert set(found["entity"]) == {run.scores.loc[backup, "entity"]}


def test_suggestions_carry_the_verdict_with_less_weight_and_leave_the_queue(triage, backup):
    triage.label(backup, "benign", reason="planned", family="backup", technique="T1048")
    rows = list(triage.similar(backup, at_least=0.3).rows["row_id"])[:8]
    done = triage.propagate(backup, rows, batch_id="b1")
    assert [d.row_id for d in done] == rows
    labels = triage.labels().loc[rows]
    assert labels["suggested"].all()
    assert set(labels["weight"]) == {WEIGHT}
    assert set(labels["batch_id"]) == {"b1"}
    assert set(labels["how"]) == {"propagation"}
    assert labels[["verdict", "reason", "family", "technique"]].drop_duplicates().to_numpy().tolist() == [
        ["benign", "planned", "backup", "T1048"]
    ]
    assert not set(rows) & set(triage.queue(600)["row_id"])
    assert triage.propagate(backup, rows, batch_id="b1") == [], "sent again, it suggests nothing more"


def test_taking_a_batch_back_is_one_step_and_restores_the_ranking_exactly(triage, project, backup):
    triage.label(backup, "benign")
    before, queue = triage.ranking(), triage.queue(50)
    rows = list(triage.similar(backup, at_least=0.3).rows["row_id"])[:10]
    triage.propagate(backup, rows, batch_id="b1")
    assert not (triage.ranking() == before).all()
    undone = triage.undo_batch("b1")
    assert [u.row_id for u in undone] == rows
    assert (triage.ranking() == before).all()
    pd.testing.assert_frame_equal(triage.queue(50), queue)
    assert triage.undo_batch("b1") == []
    with pytest.raises(DataError, match="no batch"):
        triage.undo_batch("b2")
    assert list(triage.labels().index) == [backup]


def test_the_last_label_to_undo_is_a_whole_batch(triage, backup):
    triage.label(backup, "benign")
    triage.propagate(backup, list(triage.similar(backup, at_least=0.3).rows["row_id"])[:5])
    triage.undo()
    assert list(triage.labels().index) == [backup]
    triage.undo()
    assert triage.labels().empty


def test_a_batch_of_another_analyst_is_theirs_to_take_back(triage, project, backup):
    triage.label(backup, "benign")
    rows = list(triage.similar(backup, at_least=0.3).rows["row_id"])[:5]
    triage.propagate(backup, rows, batch_id="b1")
    with Triage(project=project, by="bob") as bob:
        with pytest.raises(DataError, match="only they can undo it"):
            bob.undo_batch("b1")
        bob.label(rows[0], "malicious")
        assert bob.labels().loc[rows[0], "verdict"] == "malicious", "what an analyst gives stands above a suggestion"
        triage.undo_batch("b1")
        assert list(bob.labels().index) == [backup, rows[0]]


def test_a_label_that_another_gives_the_same_batch_keeps_nobody_from_taking_theirs_back():
    with LabelStore("sqlite://") as store:
        store.record([NewLabel(f"r{n}", "benign", client_id=f"a{n}", by="alice", batch_id="b") for n in range(2)])
        store.record([NewLabel("r9", "benign", client_id="c", by="bob", batch_id="b")])
        assert [one.row_id for one in store.undo_batch("b", by="alice", client_id="u")] == ["r0", "r1"]
        assert list(store.current().index) == ["r9"]
        with pytest.raises(DataError, match="only they"):
            store.undo_batch("b", by="carol", client_id="v")


def test_rows_that_have_a_label_are_left_alone(triage, backup):
    triage.label(backup, "benign")
    rows = list(triage.similar(backup, at_least=0.3).rows["row_id"])[:4]
    triage.label(rows[0], "malicious")
    triage.propagate(backup, rows)
    assert triage.labels().loc[rows[0], "verdict"] == "malicious"
    assert len(triage.labels()) == 5


@pytest.mark.parametrize("verdict", [None, "unsure", "skip"])
def test_only_a_verdict_that_teaches_can_be_suggested(triage, backup, verdict):
    if verdict:
        triage.label(backup, verdict)
    with pytest.raises(DataError, match=r"no label on row|says nothing about similar rows"):
        triage.propagate(backup, [backup])


def test_a_suggestion_teaches_until_an_analyst_has_looked(triage, backup):
    triage.label(backup, "benign")
    row_id = triage.similar(backup, at_least=0.3).rows["row_id"].iloc[0]
    triage.propagate(backup, [row_id])
    assert triage._current.training_labels()[row_id] == -WEIGHT
    triage.label(row_id, "malicious")
    assert triage._current.training_labels()[row_id] == 1.0


def test_a_tenth_of_the_suggestions_comes_back_to_be_checked(triage, backup):
    triage.label(backup, "benign")
    rows = list(triage.similar(backup, at_least=0.0).rows["row_id"])[:60]
    triage.propagate(backup, rows)
    offered = triage.offer(600)
    checked = set(offered[offered["reason"] == "check-suggestion"]["row_id"])
    assert checked == {row_id for row_id in rows if is_drawn(row_id)}
    row_id = checked.pop()
    triage.label(row_id, "malicious")
    assert row_id not in set(triage.offer(60)["row_id"])


def test_a_detector_without_trees_says_that_it_cannot_tell(project):
    run = make_run(project, dataset="flat", leaves=False)
    with Triage(run.run_id, project=project) as triage, pytest.raises(DataError, match="has no trees"):
        triage.similar(run.scores.index[0])


def test_likeness_is_right_for_forests_of_more_trees_than_a_byte_counts(project):
    run = make_run(project, dataset="large", rows=120, trees=300)
    with Triage(run.run_id, project=project) as triage:
        row_id = run.scores.index[0]
        found = triage.similar(row_id, at_least=0.0).rows.set_index("row_id")["alike"]
    shared = pd.Series((run.leaves == run.leaves[:, [0]]).mean(axis=0), index=run.scores.index)
    assert np.allclose(found, shared[found.index])
