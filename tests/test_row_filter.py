"""The filter of Hunt: the rows that fit are those that a plain reading of the table finds, and no other is in the queue."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socml.labels import LabelStore
from socml.models.scoring import score_run
from socml.project import DataError, run_folder
from socml.review import LiveRanking, Triage, rows_that_fit
from socml.review.row_filter import MOST, parse_filter

STRATEGIES = ("most-anomalous", "mixed", "diverse", "random-audit", "uncertain")


@pytest.fixture(scope="module")
def live(fitted: dict[str, Any]) -> Any:
    data = fitted["data"]
    run = score_run(fitted["forest"], data.path, project=data.project)
    yield LiveRanking(str(run["run_id"]), project=data.project), data.features
    shutil.rmtree(run_folder(data.project, str(run["run_id"])))


def anew(live: LiveRanking) -> LiveRanking:
    """Return a ranking of the same run that has learnt nothing."""
    return LiveRanking(str(live.run["run_id"]), project=live.project)


def fitting(live: LiveRanking, text: str) -> set[str]:
    return set(live.state.ids.names(np.flatnonzero(rows_that_fit(live, text))))


CASES = {
    "": lambda f: f.index == f.index,
    "<IMG": lambda f: f["entity"].str.contains("<img", case=False, regex=False),
    "-10.0.0.1": lambda f: ~f["entity"].str.contains("10.0.0.1", regex=False),
    "user:10.0.0.1 address:10.0": lambda f: f["entity"].str.contains("10.0.0.1", regex=False),
    "bytes_sent>1000": lambda f: f["bytes_sent"] > 1000,
    "-bytes_sent>1000": lambda f: ~(f["bytes_sent"] > 1000),
    "bytes_sent<=1000 destinations>=3": lambda f: (f["bytes_sent"] <= 1000) & (f["destinations"] >= 3),
    "failed_share<0,1": lambda f: f["failed_share"] < 0.1,
    "longest_s!=1": lambda f: f["longest_s"].notna() & (f["longest_s"] != 1),
    "protocol:TC": lambda f: f["protocol"].astype("str").str.contains("tc", case=False, regex=False).fillna(False),
    "protocol=tcp": lambda f: f["protocol"] == "tcp",
    "-protocol=tcp": lambda f: f["protocol"] != "tcp",
}


@pytest.mark.parametrize("text", list(CASES))
def test_the_rows_that_fit_are_those_of_a_plain_reading(text: str, live: Any) -> None:
    ranking, features = live
    expected = set(features.index[np.asarray(CASES[text](features), dtype=bool)])
    assert fitting(ranking, text) == expected


def test_times_are_days_hours_or_minutes_of_utc(live: Any) -> None:
    ranking, features = live
    middle = features["time"].sort_values().iloc[len(features) // 2]
    hour = middle.floor("h")
    text = hour.strftime("%Y-%m-%dT%H")
    assert fitting(ranking, f"time:{text}") == set(features.index[features["time"].dt.floor("h") == hour])
    assert fitting(ranking, f"after:{text}") == set(features.index[features["time"] >= hour])
    assert fitting(ranking, f"before:{text}Z") == set(features.index[features["time"] < hour])
    day = middle.strftime("%Y-%m-%d")
    assert fitting(ranking, f"time:{day}") == set(features.index[features["time"].dt.strftime("%Y-%m-%d") == day])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_queue_holds_a_row_that_does_not_fit(strategy: str, live: Any) -> None:
    ranking, features = anew(live[0]), live[1]
    only = rows_that_fit(ranking, "destinations>=5")
    fit = set(features.index[features["destinations"] >= 5])
    assert 100 < len(fit) < len(features) - 100
    with (
        LabelStore("sqlite://") as store,
        Triage(by="ana", strategy=strategy, store=store, ranking=ranking, only=only) as at,
    ):
        first = at.queue(200)["row_id"].to_list()
        assert set(first) <= fit
        by_rank = [row for row in ranking.state.ids.names(range(len(features))) if row in fit]
        if strategy == "most-anomalous":
            assert first == by_rank[: len(first)]
        outside = next(row for row in ranking.state.ids.names(range(len(features))) if row not in fit)
        at.label(outside, "malicious")  # a label is learnt from, wherever its row is
        for row in first[:3]:
            at.label(row, "benign")
        offered = at.offer(50)["row_id"].to_list()
        assert set(offered) <= fit - set(first[:3])
        assert len(offered) == 50


def test_a_lot_that_was_drawn_from_some_rows_says_nothing_of_all(live: Any) -> None:
    given = {}
    for name, only in (("all", None), ("some", rows_that_fit(live[0], "destinations>=5"))):
        ranking = anew(live[0])
        with LabelStore("sqlite://") as store:
            at = Triage(by="ana", strategy="random-audit", store=store, ranking=ranking, only=only)
            row = at.queue(1)["row_id"].iloc[0]
            at.label(row, "benign")
            given[name] = store.events_since(0, dataset=at.dataset)[0].inclusion_probability
    assert given == {"all": pytest.approx(1 / len(ranking.state.candidates)), "some": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("destination>3", "no feature 'destination'. Did you mean 'destinations'"),
        ("bytes_sent>much", "'much' is no number"),
        ("bytes_sent>nan", "'nan' is no number"),
        ("protocol>3", "protocol is a text"),
        ("time:yesterday", "is no time"),
        ("after:99999-01-01", "is no time"),
        ("x " * (MOST + 1), "at most 50 words"),
        ("x" * 5_000, "at most 50 words"),
    ],
)
def test_what_cannot_be_understood_is_a_sentence(text: str, said: str, live: Any) -> None:
    with pytest.raises(DataError, match=said):
        rows_that_fit(live[0], text)


def test_without_its_features_a_run_is_filtered_by_whom_and_when(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ranking, features = live
    monkeypatch.setattr("socml.review.row_filter.run_features_path", lambda *_: run_folder(ranking.project, "gone"))
    assert fitting(ranking, "-zzz") == set(features.index)
    with pytest.raises(DataError, match="not there any more"):
        rows_that_fit(ranking, "bytes_sent>1")


@given(st.text(max_size=60))
def test_whatever_is_typed_gives_words_or_a_sentence(live: Any, text: str) -> None:
    said = ""
    try:
        fits = rows_that_fit(live[0], text)
    except DataError as error:
        fits, said = np.ones(len(live[0].state.candidates), dtype=bool), str(error)
    assert "\n" not in said
    assert fits.dtype == bool
    assert len(fits) == len(live[0].state.candidates)


def test_an_address_with_colons_is_no_feature() -> None:
    assert [(t.name, t.value) for t in parse_filter('fe80::1 10.0.0.1:443 "service:dns" service:dns')] == [
        ("", "fe80::1"),
        ("", "10.0.0.1:443"),
        ("", "service:dns"),
        ("service", "dns"),
    ]
