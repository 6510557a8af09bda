"""The queue: the strategy's rows, in its order, by contract."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from socml.project import component_names, tables
from socml.project.errors import ConfigurationError, ContractError, UnknownName
from socml.project.wording import languages, words
from socml.review import review_queue
from socml.review.review_queue import build_queue


def scores(n: int = 10) -> pd.DataFrame:
    index = pd.Index([f"r{i}" for i in range(n)], name="row_id")
    return pd.DataFrame({"anomaly_score": [i / n for i in range(n)], "entity": "host"}, index=index)


def test_the_queue_keeps_its_contract():
    queue = pa.Table.from_pandas(build_queue(scores()), preserve_index=False)
    assert tables.check_table(queue, tables.QUEUE, what="queue").schema.names == list(tables.QUEUE)


def test_the_most_anomalous_row_comes_first_and_labelled_rows_never():
    labels = pd.DataFrame({"verdict": ["skip", "benign"]}, index=["r9", "r7"])
    assert list(build_queue(scores(), labels, budget=3)["row_id"]) == ["r8", "r6", "r5"]


def test_after_labels_the_ranking_score_decides():
    ranked = scores().assign(ranking_score=lambda s: -s["anomaly_score"])
    queue = build_queue(ranked, budget=1)
    assert queue["row_id"].to_list() == ["r0"]
    assert queue["ranking_score"].to_list() == [0.0]


def test_equal_scores_keep_the_order_of_the_table():
    assert list(build_queue(scores().assign(anomaly_score=1.0), budget=4)["row_id"]) == ["r0", "r1", "r2", "r3"]


def test_nothing_scored_is_an_empty_queue():
    queue = build_queue(scores(0))
    assert queue.empty
    assert list(queue) == list(tables.QUEUE)


def test_an_unknown_strategy_names_the_nearest():
    with pytest.raises(UnknownName, match=r"no strategy called 'most-anomalus'\. Did you mean 'most-anomalous'\?"):
        build_queue(scores(), strategy="most-anomalus")


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"'diverse' has no parameter 'pol'\. Did you mean 'pool'\?"):
        build_queue(scores(), strategy="diverse", parameters={"pol": 3})


def test_the_tables_that_were_given_are_not_changed():
    given, labels = scores(), pd.DataFrame({"verdict": ["benign"]}, index=["r1"])
    before = given.copy(), labels.copy()
    build_queue(given, labels, strategy="mixed")
    pd.testing.assert_frame_equal(given, before[0])
    pd.testing.assert_frame_equal(labels, before[1])


@pytest.mark.parametrize("language", languages())
def test_every_reason_is_said_in_words(language):
    reasons = {
        reason for name in component_names("strategies") for reason in build_queue(scores(100), strategy=name)["reason"]
    }
    for reason in reasons:
        assert words(language)(f"queue.reason.{reason}")


def test_a_strategy_that_breaks_its_promise_is_caught(monkeypatch):
    labels = pd.DataFrame({"verdict": ["benign"]}, index=["r1"])
    broken = {
        "a row that has a label": pd.Series("x", index=["r1"]),
        "a row twice": pd.Series("x", index=["r2", "r2"]),
        "a row that is no candidate": pd.Series("x", index=["nobody"]),
        "a row without a reason": pd.Series([None], index=["r2"]),
        "3 rows for a budget of 2": pd.Series("x", index=["r2", "r3", "r4"]),
    }
    for problem, answer in broken.items():
        monkeypatch.setattr(review_queue, "component", lambda *_, answer=answer: lambda *a, rng: answer)
        with pytest.raises(ContractError, match=f"returned {problem}"):
            build_queue(scores(), labels, budget=2)
