"""socml.models.entity_surprise: against a slow version; additive; learns from earlier days only."""

from __future__ import annotations

import math
import tracemalloc
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.features.entity_day_table import Column, EntityDay
from socml.models.entity_surprise import EntitySurprise, surprise
from socml.models.signals import fuse

COLUMNS = (
    Column("tries", "a", "source", "scan", 5, 1.0, False, "", "", ""),
    Column("ports", "a", "source", "scan", 5, 1.0, False, "", "", ""),
    Column("sent", "b", "source", "upload", 0, 1.0, False, "", "", ""),
    Column("edges", "c", "source", "edge", 0, 1.0, True, "", "", ""),
    Column("flows", "d", "source", "volume", 5, 0.5, False, "", "", ""),
)


def naive_surprise(reference: list[float], n: int, x: float) -> float:
    """Say it again with loops: `reference` are the positive values of n."""
    if n < 5 or x <= 0:
        return 0.0
    reference = sorted(reference)
    in_tail = max(5, int(0.05 * n))
    corner = reference[-in_tail - 1] if len(reference) > in_tail else 0.0
    excess = [value - corner for value in reference if value > corner]
    if x <= corner:
        return max(0.0, -math.log10((sum(value >= x for value in reference) + 1) / (n + 1)))
    scale = max(sum(excess) / len(excess) if excess else 0.0, 0.3)
    return max(0.0, -math.log10(max(len(excess), 1) / (n + 1)) + (x - corner) / scale / math.log(10))


def naive_scores(days: list[dict[str, list[float]]]) -> list[dict[str, float]]:
    """Return the score of each entity on each day, all of one role; every day a mapping entity → values."""
    told = []
    for at, today in enumerate(days):
        scores = {}
        said_of: dict[str, dict[str, float]] = {}
        for entity, values in today.items():
            evidence: dict[str, float] = {}
            for c, column in enumerate(COLUMNS):

                def x_of(values: list[float], c: int = c, column: Column = column) -> float:
                    return math.log1p(values[c]) if values[c] >= column.floor else 0.0

                everyone = [x_of(v) for day in days[: at + 1] for v in day.values()]
                s = naive_surprise([x for x in everyone if x > 0], len(everyone), x_of(values))
                before = [x_of(day[entity]) for day in days[:at] if entity in day]
                if not column.is_new:
                    weight = len(before) / (len(before) + 1)
                    own = max(0.0, (x_of(values) - max(before, default=0.0)) / 0.35)
                    s = (1 - weight) * s + weight * min(s, own)
                said = max(0.0, min(s, 6) * column.weight - 1)
                evidence[column.family] = max(evidence.get(column.family, 0.0), said)
            said_of[entity] = evidence
        for place, (entity, evidence) in enumerate(said_of.items()):
            left = []
            for family, said in evidence.items():
                others = [of[family] for of in said_of.values()]
                stronger = sum(of > said for of in others) + sum(of == said for of in others[:place])
                left.append(said / (1 + 0.3 * stronger))
            first, second, third = sorted(left, reverse=True)[:3]
            scores[entity] = first + second / 2 + third / 4
        told.append(scores)
    return told


def as_day(at: int, rows: dict[str, list[float]], role: str = "source inside") -> EntityDay:
    entities = np.array(list(rows), object)
    return EntityDay(date(2026, 3, 2) + timedelta(days=at), np.array([role] * len(rows), object), entities,
                     np.array(list(rows.values()), float).reshape(len(rows), len(COLUMNS)))  # fmt: skip


values = st.sampled_from([0.0, 0.5, 1.0, 4.0, 5.0, 9.0, 80.0, 7_000.0, 1e9])
one_day = st.dictionaries(
    st.sampled_from([f"10.0.0.{i}" for i in range(12)]), st.lists(values, min_size=5, max_size=5), min_size=1
)


@settings(max_examples=40)
@given(days=st.lists(one_day, min_size=1, max_size=5))
def test_scores_are_those_of_the_slow_version(days):
    detector = EntitySurprise(COLUMNS)
    for at, (rows, told) in enumerate(zip(days, naive_scores(days), strict=True)):
        scores = detector.score_day(as_day(at, rows))
        assert dict(zip(scores.entity, scores.score, strict=True)) == pytest.approx(told)
        assert scores.parts.sum(axis=1) == pytest.approx(scores.score, abs=0)  # the parts are the score


@given(
    st.lists(st.floats(0.01, 50), min_size=0, max_size=60), st.integers(0, 40), st.lists(st.floats(-1, 60), max_size=20)
)
def test_surprise_is_that_of_the_slow_version(reference, zeros, x):
    n = len(reference) + zeros
    told = surprise(np.sort(np.array(reference, float)), n, np.array(x, float))
    assert told == pytest.approx([naive_surprise(reference, n, value) for value in x])


@given(st.lists(st.floats(0.01, 50), min_size=5, max_size=60), st.floats(0, 60), st.floats(0, 60))
def test_a_larger_value_is_never_less_surprising_beyond_the_usual(reference, one, other):
    low, high = sorted((one, other))
    corner = float(np.sort(reference)[-6]) if len(reference) > 5 else 0.0
    told = surprise(
        np.sort(np.array(reference)), len(reference), np.array([max(low, corner * 1.001), max(high, corner * 1.001)])
    )
    assert told[0] <= told[1] + 1e-12


def quiet(n: int = 30) -> dict[str, list[float]]:
    return {f"10.0.1.{i}": [0.0, 0.0, 1e6 + i, 0.0, 100.0] for i in range(n)}


def test_a_day_is_scored_without_the_days_after_it():
    first, second = quiet(), {**quiet(), "10.0.1.3": [900.0, 0.0, 1e10, 3.0, 100.0]}
    alone = EntitySurprise(COLUMNS).score_day(as_day(0, first))
    detector = EntitySurprise(COLUMNS)
    both = detector.score_day(as_day(0, first))
    detector.score_day(as_day(1, second))
    assert (alone.score == both.score).all()


def test_what_was_labelled_malicious_does_not_become_usual():
    attack = {**quiet(), "10.0.1.3": [0.0, 0.0, 1e10, 0.0, 100.0]}

    def on_the_second_day(malicious):
        detector = EntitySurprise(COLUMNS, malicious=malicious)
        for at in range(2):
            scores = detector.score_day(as_day(at, attack))
        return float(scores.score[list(scores.entity).index("10.0.1.3")])

    assert on_the_second_day({(date(2026, 3, 2), "source inside", "10.0.1.3")}) > on_the_second_day(set())


def test_a_value_below_the_floor_says_nothing():
    below, at_floor = ({**quiet(), "10.0.1.3": [v, 0.0, 1e6, 0.0, 100.0]} for v in (4.9, 5.0))
    for rows, said in ((below, False), (at_floor, True)):
        scores = EntitySurprise(COLUMNS).score_day(as_day(0, rows))
        assert (scores.surprise[list(scores.entity).index("10.0.1.3"), 0] > 0) == said


def test_a_new_thing_counts_however_long_the_history():
    detector = EntitySurprise(COLUMNS)
    for at in range(6):
        scores = detector.score_day(as_day(at, {**quiet(), "10.0.1.3": [0.0, 0.0, 1e6, 4.0, 100.0]}))
    row = list(scores.entity).index("10.0.1.3")
    assert scores.surprise[row, 3] > 0.5
    assert scores.surprise[row, 4] == 0


def test_a_crowd_of_strangers_pays_for_its_size():
    inside = as_day(0, quiet(10))

    def best_stranger(n: int) -> float:
        strangers = as_day(0, {f"203.0.113.{i}": [6.0 + (i == 0) * 40, 0, 0, 0, 0] for i in range(n)}, "source outside")
        both = EntityDay(inside.day, np.concatenate([inside.role, strangers.role]),
                         np.concatenate([inside.entity, strangers.entity]), np.concatenate([inside.values, strangers.values]))  # fmt: skip
        scores = EntitySurprise(COLUMNS).score_day(both)
        return float(scores.surprise[list(scores.entity).index("203.0.113.0"), 0])

    alone = surprise(np.log1p(np.array([6.0] * 199 + [46.0])), 200, np.log1p(np.array([46.0])))[0]
    assert best_stranger(200) == pytest.approx(alone - math.log10(200 / 10))


def test_memory_ends_after_its_days():
    detector = EntitySurprise(COLUMNS, memory_days=2)
    loud = {**quiet(), "10.0.1.3": [0.0, 0.0, 1e10, 0.0, 100.0]}
    for at, rows in enumerate([loud, quiet(), quiet()]):
        detector.score_day(as_day(at, rows))
    scores = detector.score_day(as_day(3, loud))
    assert scores.own_largest[list(scores.entity).index("10.0.1.3"), 2] == pytest.approx(1e6 + 3)


def test_rarity_grows_with_the_score():
    scores = EntitySurprise(COLUMNS).score_day(as_day(0, {f"10.0.0.{i}": [0, 0, 10.0**i, 0, 6] for i in range(12)}))
    order = np.argsort(scores.score, kind="stable")
    assert (np.diff(scores.once_in[order]) >= 0).all()
    assert scores.once_in.min() >= 1


def test_the_score_is_the_largest_half_the_second_and_a_quarter_of_the_third():
    parts, score = fuse(np.array([[1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]]))
    assert parts.tolist() == [[0.0, 4.0, 0.5, 1.5], [0.0, 0.0, 0.0, 0.0]]
    assert score.tolist() == [6.0, 0.0]


def test_a_machine_that_is_alone_in_the_logs_is_judged_by_what_is_usual():
    from dataclasses import replace

    known = [replace(column, usual=20.0) for column in COLUMNS]

    def score(tries: float, columns: list[Column]) -> float:
        return float(EntitySurprise(columns).score_day(as_day(0, {"10.0.0.1": [tries, 0, 0, 0, 0]})).score[0])

    assert score(20.0, known) < score(2_000.0, known)
    assert score(2_000.0, known) > 0.5
    assert score(2_000.0, list(COLUMNS)) == 0


def test_nothing_is_assumed_where_there_are_enough_peers():
    from dataclasses import replace

    day = as_day(0, {f"10.0.1.{i}": [float(i), 0.0, i**3, 0.0, 5.0 * i] for i in range(30)})
    with_usual = EntitySurprise([replace(column, usual=7.0) for column in COLUMNS]).score_day(day)
    assert (with_usual.score == EntitySurprise(COLUMNS).score_day(day).score).all()


def test_what_is_remembered_of_an_entity_is_of_its_role_and_of_its_group() -> None:
    def day(n: int, role: list[str], sent: list[float]) -> EntityDay:
        values = np.array([[0.0, 0.0, bytes_, 0.0, 0.0] for bytes_ in sent])
        names = np.array([f"h{i % 40}" for i in range(len(sent))], dtype=object)
        return EntityDay(date(2026, 3, n), np.array(role, dtype=object), names, values)

    inside, outside = ["source inside"] * 40, ["source outside"] * 40
    detector = EntitySurprise(COLUMNS)
    detector.score_day(day(1, inside, [float(i) for i in range(40)]))
    scores = detector.score_day(day(2, outside + inside, [9.0] * 80))
    assert scores.days_seen.tolist() == [0] * 40 + [1] * 40
    np.testing.assert_allclose(scores.own_largest[:, 2], [*[0] * 40, *range(40)])
    np.testing.assert_allclose(scores.peers[40, 2], (40 + 31) / 80)  # 31 of the 40 of the first day reach 9 too
    np.testing.assert_allclose(scores.peers[0, 2], 1.0)
    grouped = EntitySurprise(COLUMNS, groups=lambda rows: np.array([n[-1] for n in rows.entity], dtype=object))
    grouped.score_day(day(1, inside, [float(i) for i in range(40)]))
    scores = grouped.score_day(day(2, inside[:4], [9.0] * 4))
    np.testing.assert_allclose(scores.peers[:, 2], (1 + 3) / 5)  # of 0, 10, 20, 30 three reach 9; of 1, 11, 21, 31 too


def test_a_quarter_of_a_million_strangers_a_day_are_remembered_in_little_memory() -> None:
    count = 20_000
    values = np.zeros((count, len(COLUMNS)))
    values[:, 2] = np.arange(count)
    names = np.array([f"198.51.{i // 250}.{i % 250}" for i in range(count)], dtype=object)
    detector = EntitySurprise(COLUMNS)
    tracemalloc.start()
    try:
        for n in range(1, 11):
            detector.score_day(
                EntityDay(date(2026, 3, n), np.repeat("source outside", count).astype(object), names, values)
            )
        names_too = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (
        names_too / (10 * count) < 40
    )  # bytes a row: one value, and whom it is compared with; a table of 5 columns had 80
