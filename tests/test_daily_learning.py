"""socml.review.daily_learning and signals: what a verdict changes, what it leaves, and that nothing is left of one taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from socml.models.entity_surprise import DayScores
from socml.models.signals import LEAST, MOST, DayEvidence, SignalRanking, Votes, numbered, rank_rows
from socml.review.daily_learning import DailyLearner

FAMILIES = ("scan", "upload", "logon")


def day_of(evidence: list[list[float]], entities: list[str] | None = None, role: str = "source inside") -> DayScores:
    said = np.array(evidence, float)
    rows, families = said.shape
    nothing = np.zeros((rows, families))
    names = np.array(entities or [f"10.0.0.{i}" for i in range(rows)], object)
    column = np.tile(np.arange(families), (rows, 1))
    roles = np.array([role] * rows, object)
    parts, score = rank_rows(said, numbered(roles))
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
    for evidence, kept, told in ((1.9, 0.3, 1), (2.0, 0.3, 1), (2.09, 0.3, 1), (2.11, 1.0, 0), (2.4, 1.0, 0)):
        learned = learner.apply(day_of([[evidence, 0, 0]]))
        assert learned.score[0] == pytest.approx(evidence * kept), "the label by which it is remembered counts once"
        assert learned.remembered[0, 0] == told


def test_what_is_remembered_is_not_weighed_besides_and_what_is_not_is():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[2, 0, 0], [2, 0, 0]], ["a", "b"]), {0: False, 1: False})
    again, other = learner.apply(day_of([[1.5, 0, 0], [0.5, 0, 0]], ["a", "c"])).evidence[:, 0]
    assert again == pytest.approx(1.5 * 0.3)
    assert other == pytest.approx(0.5 * 4 / 6)


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
    assert learned.score[0] == pytest.approx(2 * (4 * 0.5) / (4 + 4) / 0.5)


def votes_on(evidence: list[float], malicious: list[bool], times: int = 1) -> Votes:
    n = len(evidence) * times
    return Votes(np.zeros(n, np.int64), np.array(evidence * times), np.ones(n), np.array(malicious * times),
                 np.array([n, sum(malicious) * times], float))  # fmt: skip


def test_weights_stay_within_their_bounds():
    said = np.array([[0.5], [5.0]])
    assert votes_on([1.0, 3.0], [False, True], times=1000).weights(
        said, np.zeros((2, 1), np.int64)
    ).ravel().tolist() == [LEAST, MOST]
    assert (Votes(*[np.empty(0)] * 4, np.zeros(2)).weights(said, np.zeros((2, 1), np.int64)) == 1).all()


def test_a_benign_verdict_says_nothing_of_what_is_stronger_and_a_malicious_one_nothing_of_what_is_weaker():
    votes = votes_on([1.0, 1.0, 1.0, 3.0], [False, False, False, True])
    weight = votes.weights(np.array([[0.5], [2.0], [3.5]]), np.zeros((3, 1), np.int64)).ravel()
    assert weight[0] < weight[1] == 1.0 < weight[2]


def test_a_verdict_says_nothing_of_another_signal():
    votes = votes_on([1.0, 1.0], [False, False])
    assert votes.weights(np.array([[0.5, 0.5]]), np.array([[0, 1]])).round(2).tolist() == [[0.67, 1.0]]


def test_a_row_shares_its_vote_by_what_each_family_added():
    learner = DailyLearner(FAMILIES)
    learner.learn(day_of([[4, 2, 0]]), {0: True})  # 4 of 5, and 1 of 5
    shares = {signal: [(vote.share, vote.malicious) for vote in of] for signal, of in learner.by_signal.items()}
    assert shares == {("source inside", 0): [(0.8, True)], ("source inside", 1): [(pytest.approx(0.2), True)]}


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
