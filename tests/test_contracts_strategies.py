"""Every file in `socml/strategies/` keeps the contract of a query strategy; a newcomer is found by its folder."""

from __future__ import annotations

from inspect import Parameter, signature

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.project.registry import component, component_names
from socml.review.review_queue import reads_predictions

NAMES = component_names("strategies")
WITH_OPINIONS = [name for name in NAMES if reads_predictions(name)]
REASONS = set(NAMES) - {"mixed"}


def candidates(n: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = np.sort(rng.normal(size=n).round(1))[::-1]  # rounded, so that there are equal scores
    return pd.DataFrame(
        {
            "entity": rng.choice(["a", "b", "c", None], n),
            "time": pd.date_range("2026-01-01", periods=n, tz="UTC"),
            "anomaly_score": score,
            "percentile": 50.0,
            "rank": np.arange(1, n + 1),
            "ranking_score": score,
            "signature": rng.integers(0, 9, n),
        },
        index=pd.Index([f"r{i}" for i in range(n)], name="row_id"),
    )


def opinions_on(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    rng, n = np.random.default_rng(seed), len(rows)
    return pd.DataFrame(
        {
            "probability": rng.uniform(size=n).round(1),  # rounded too
            "family": rng.choice(["scan", "tunnel", "benign"], n).astype(object),
            "confidence": rng.uniform(size=n).round(1),
            "novelty": rng.uniform(size=n).round(1),
            "cluster": rng.integers(0, 15, n),
        },
        index=rows.index,
    )


def labelled(verdicts: dict[str, str]) -> pd.DataFrame:
    index = pd.Index(list(verdicts), dtype="str", name="row_id")
    return pd.DataFrame({"verdict": list(verdicts.values())}, index=index, dtype="str")


def broken_promises(strategy, rows: pd.DataFrame, labels: pd.DataFrame, budget: int, **more: pd.DataFrame) -> list[str]:
    """Return which promises `strategy` breaks on these tables."""
    before = rows.copy(), labels.copy()
    chosen = strategy(rows, labels, budget, rng=np.random.default_rng(7), **more)
    again = strategy(rows, labels, budget, rng=np.random.default_rng(7), **more)
    n_open = (~rows.index.isin(labels.index)).sum()
    checks = {
        "the same seed gives the same queue": chosen.equals(again) and list(chosen.index) == list(again.index),
        "a labelled row is never returned": not set(chosen.index) & set(labels.index),
        "the budget is honoured": len(chosen) <= budget,
        "the budget is used while rows are left": len(chosen) == min(budget, n_open),
        "a row comes once": chosen.index.is_unique,
        "only candidates are returned": set(chosen.index) <= set(rows.index),
        "every row has a known reason": set(chosen) <= REASONS,
        "tables are left as they were": rows.equals(before[0]) and labels.equals(before[1]),
    }
    return [promise for promise, kept in checks.items() if not kept]


SITUATIONS = {
    "no labels": {},
    "malicious labels only": {"r0": "malicious", "r3": "malicious"},
    "benign labels only": {"r0": "benign", "r40": "false_alarm"},
    "both sides": {"r0": "malicious", "r1": "benign", "r2": "unsure"},
    "skipped only": {"r5": "skip"},
    "labels of rows that are not here": {"elsewhere": "malicious", "r1": "benign"},
    "the malicious side is exhausted": {f"r{i}": "malicious" for i in range(50)},
    "the benign side is exhausted": {f"r{i}": "benign" for i in range(10, 60)},
    "one row left": {f"r{i}": "benign" for i in range(59)},
    "no row left": {f"r{i}": "benign" for i in range(60)},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("budget", [1, 10, 200])
def test_a_strategy_keeps_its_promises(name, situation, budget):
    assert broken_promises(component("strategies", name), candidates(), labelled(SITUATIONS[situation]), budget) == []


@pytest.mark.parametrize("name", WITH_OPINIONS)
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("budget", [1, 10, 200])
def test_a_strategy_that_reads_opinions_keeps_its_promises_with_them(name, situation, budget):
    rows, labels = candidates(), labelled(SITUATIONS[situation])
    assert broken_promises(component("strategies", name), rows, labels, budget, predictions=opinions_on(rows)) == []


def test_the_strategies_that_discover_families_read_opinions():
    assert set(WITH_OPINIONS) >= {"rare-families", "aladin", "ilab", "disagreement"}


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_works_without_rows_and_without_optional_columns(name):
    strategy = component("strategies", name)
    assert broken_promises(strategy, candidates()[["ranking_score"]], labelled({"r1": "benign"}), 5) == []
    assert broken_promises(strategy, candidates(0), labelled({}), 5) == []
    assert broken_promises(strategy, candidates(), pd.DataFrame(), 5) == []


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.integers(0, 59), st.sampled_from(["malicious", "benign", "skip"])), st.integers(1, 70))
def test_a_strategy_keeps_its_promises_whatever_the_labels(name, verdicts, budget):
    labels = labelled({f"r{row}": verdict for row, verdict in verdicts.items()})
    assert broken_promises(component("strategies", name), candidates(), labels, budget) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_says_what_it_is_blind_to_and_takes_an_rng(name):
    strategy = component("strategies", name)
    assert "Blind to" in strategy.__doc__
    parameters = signature(strategy).parameters
    assert list(parameters)[:3] == ["candidates", "labels", "budget"]
    assert parameters["rng"].kind is Parameter.KEYWORD_ONLY


def test_the_contract_catches_a_strategy_built_to_break_it():
    def broken(candidates, labels, budget, *, rng):
        rows = candidates.sample(min(budget + 1, len(candidates)))  # its own randomness, a row too many, labelled rows
        candidates["entity"] = "x"
        return pd.Series("because", index=rows.index)

    found = broken_promises(broken, candidates(), labelled({f"r{i}": "benign" for i in range(40)}), 30)
    assert found == [
        "the same seed gives the same queue",
        "a labelled row is never returned",
        "the budget is honoured",
        "the budget is used while rows are left",
        "every row has a known reason",
        "tables are left as they were",
    ]


def test_one_noisy_entity_does_not_fill_a_diverse_queue():
    rows = candidates().assign(entity=["noisy"] * 50 + [f"h{i}" for i in range(10)], signature=np.arange(60))
    queue = component("strategies", "diverse")(rows, labelled({}), 11, rng=np.random.default_rng(0))
    assert list(queue.index) == ["r0", *[f"r{i}" for i in range(50, 60)]]


def test_one_kind_at_many_entities_does_not_fill_a_diverse_queue():
    rows = candidates().assign(entity=[f"h{i}" for i in range(60)], signature=[1] * 50 + list(range(10, 20)))
    queue = component("strategies", "diverse")(rows, labelled({}), 11, rng=np.random.default_rng(0))
    assert list(queue.index) == ["r0", *[f"r{i}" for i in range(50, 60)]]


def test_the_order_of_the_random_audit_stays_while_labels_are_given():
    audit = component("strategies", "random-audit")
    whole = list(audit(candidates(), labelled({}), 60, rng=np.random.default_rng(3)).index)
    after = list(audit(candidates(), labelled({whole[0]: "benign"}), 60, rng=np.random.default_rng(3)).index)
    assert after == whole[1:]


def test_every_row_has_the_same_chance_in_the_random_audit():
    audit = component("strategies", "random-audit")
    drawn = [audit(candidates(), labelled({}), 6, rng=np.random.default_rng(seed)).index for seed in range(400)]
    counts = pd.Series(np.concatenate(drawn)).value_counts().reindex(candidates().index, fill_value=0)
    assert counts.between(15, 75).all(), "40 expected each, standard deviation 6"


def test_uncertain_rows_lie_between_malicious_and_benign_ones():
    score = np.linspace(1, 0, 11)
    rows = pd.DataFrame({"ranking_score": score}, index=[f"r{i}" for i in range(11)])
    labels = labelled({"r0": "malicious", "r1": "malicious", "r9": "benign"})
    queue = component("strategies", "uncertain")(rows, labels, 3, rng=np.random.default_rng(0))
    assert set(queue.index) == {"r4", "r5", "r6"}


def test_the_shares_of_mixed_hold_when_only_the_first_row_is_ever_taken():
    mixed, labels = component("strategies", "mixed"), {}
    reasons = []
    for _ in range(40):  # the shares are those of a barren top, which is known after 20 labels
        queue = mixed(candidates(), labelled(labels), 5, rng=np.random.default_rng(0))
        labels[queue.index[0]] = "benign"
        reasons.append(queue.iloc[0])
    assert set(reasons[:10]) == {"most-anomalous"}
    assert pd.Series(reasons[20:]).value_counts().to_dict() == {"most-anomalous": 14, "diverse": 4, "random-audit": 2}


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.1), (1.2, -0.2, 0.0)])
def test_shares_that_do_not_add_up_are_refused(shares):
    names = ["most_anomalous_share", "diverse_share", "random_audit_share"]
    with pytest.raises(Exception, match="add up to 1"):
        component("strategies", "mixed")(
            candidates(), labelled({}), 5, rng=np.random.default_rng(0), **dict(zip(names, shares, strict=True))
        )
