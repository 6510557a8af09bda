"""socml.review.daily_learning and signals: what a verdict changes, what it leaves, and that nothing is left of one taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from socml.models.entity_surprise import DayScores
from socml.models.signals import DayEvidence, SignalRanking, fuse, signal_weight
from socml.review.daily_learning import DailyLearner

FAMILIES = ("scan", "upload", "logon")


def day_of(evidence: list[list[float]], entities: list[str] | None = None, role: str = "source inside") -> DayScores:
    said = np.array(evidence, float)
    rows, families = said.shape
    parts, score = fuse(said)
    nothing = np.zeros((rows, families))
    names = np.array(entities or [f"10.0.0.{i}" for i in range(rows)], object)
    column = np.tile(np.arange(families), (rows, 1))
    roles = np.array([role] * rows, object)
    return DayScores(date(2026, 3, 2), roles, names, nothing, FAMILIES, said + 1, said, column, parts, score,
                     np.ones(rows), nothing, nothing, np.zeros(rows, np.int64))  # fmt: skip


def test_without_labels_the_list_is_as_it_was():
    scores = day_of([[2, 0, 1], [0, 3, 0]])
    learned = DailyLearner(FAMILIES).apply(scores)
    assert (learned.score == scores.score).all()
    assert not learned.remembered.any()


def test_what_was_judged_benign_steps_back_on_later_days_as_long_as_it_stays_as_it_was():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[2, 0, 0]]), {0: False})
    weight = float(signal_weight(1.0, 0.0, 1.0, 0.0))
    for evidence, kept, told in ((2.4, 0.3, 1), (2.5, 0.3, 1), (2.51, 1.0, 0)):
        learned = learner.apply(day_of([[evidence, 0, 0]]))
        assert learned.score[0] == pytest.approx(evidence * kept * weight)
        assert learned.remembered[0, 0] == told


def test_memory_is_of_an_entity_and_a_family_and_no_other():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[2, 0, 0]]), {0: False})
    learned = learner.apply(day_of([[0, 2, 0], [2, 0, 0]], ["10.0.0.0", "10.0.0.9"]))
    assert not learned.remembered.any()


def test_a_campaign_that_goes_on_is_not_read_again_and_says_so():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[3, 0, 0], [0, 0, 2]]), {0: True, 1: False})
    learned = learner.apply(day_of([[3, 0, 0], [2, 0, 0]], ["10.0.0.0", "10.0.0.7"]))
    assert learned.remembered[0, 0] == 2
    assert learned.score[0] < learned.score[1]


def test_a_labelled_row_does_not_step_back_from_itself():
    scores = day_of([[2, 0, 0], [1, 0, 0]])
    learner = DailyLearner(FAMILIES)
    learner.learn(scores, {0: True})
    assert not learner.apply(scores, labelled=[0]).remembered[0].any()


def test_a_signal_that_is_wrong_more_often_than_the_list_counts_less():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[2, 0, 0]] * 4 + [[0, 2, 0]] * 4), {i: i >= 4 for i in range(8)})
    learned = learner.apply(day_of([[2, 0, 0], [0, 2, 0], [0, 0, 2]], ["a", "b", "c"]))
    assert learned.score[0] < learned.score[2] < learned.score[1]
    assert learned.score[0] == pytest.approx(2 * (2 * 0.5) / (4 + 2) / 0.5)


def test_weights_stay_within_their_bounds():
    assert signal_weight([1000.0, 1000.0], [0.0, 1000.0], 2000, 1000).tolist() == [0.3, 1.3]
    assert signal_weight([0.0], [0.0], 0, 0).tolist() == [1.0]


def test_a_row_shares_its_vote_by_what_each_family_added():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[4, 2, 0]]), {0: True})  # 4 of 5, and 1 of 5
    votes = {signal: (v.labelled, v.true) for signal, v in learner.by_signal.items()}
    assert votes == {("source inside", 0): (0.8, 0.8), ("source inside", 1): (pytest.approx(0.2), pytest.approx(0.2))}


def test_the_queue_learns_what_the_list_would_have_learned(tmp_path: Path):
    earlier, today = day_of([[2, 0, 1], [0, 2, 0]]), day_of([[2, 0, 0], [1, 2, 0], [0, 0, 2]], ["10.0.0.0", "b", "c"])
    learner = DailyLearner(FAMILIES)
    learner.learn(earlier, {0: False, 1: True})
    before = learner.day_evidence(today)
    before.write(tmp_path)
    ranking = SignalRanking(DayEvidence.read(tmp_path))
    unlabelled = ranking.learn([], [])
    assert unlabelled.tolist() == learner.apply(today).score.tolist()
    live = ranking.learn([1, 2], [1, -1])
    learner.learn(today, {1: True, 2: False})
    assert live == pytest.approx(learner.apply(today, labelled=[1, 2]).score)
    assert ranking.learn([], []).tolist() == unlabelled.tolist()  # an undo leaves nothing


def test_a_label_that_is_half_believed_counts_half():
    ranking = SignalRanking(DailyLearner(FAMILIES).day_evidence(day_of([[2, 0, 0], [2, 0, 0], [0, 2, 0]])))
    full, half = (ranking.learn([0, 2], [-1, 1], [weight, 1.0])[1] for weight in (1.0, 0.5))
    assert full < half < 2
