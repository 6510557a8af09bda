"""socml.detectors.online, socml.models: blocks and single rows give the same; a state goes on bit for bit; River agrees."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from socml.detectors.online._detector import unit_interval
from socml.detectors.online._drift import Adwin, Kswin
from socml.detectors.online._entities import EntitySlots, entity_keys
from socml.detectors.online._per_entity import PerEntity
from socml.detectors.online._state import read_state, write_state
from socml.detectors.online.half_space_trees import CompiledTrees, RiverTrees
from socml.project.errors import ModelError
from socml.project.registry import component, component_names

DETECTORS = component_names("online")


ROWS = 1_500


DRIFTS = ("adwin", "kswin", "none")


def stream(seed: int = 0, rows: int = ROWS) -> tuple[np.ndarray, list[str | None]]:
    """Return rows of five columns, some values missing, a constant column and a burst; and their entities."""
    rng = np.random.default_rng(seed)
    block = rng.normal(size=(rows, 5))
    block[:, 4] = 1.0
    block[rng.random(block.shape) < 0.02] = np.nan
    block[rows // 2 : rows // 2 + 150, :3] += 6.0
    entities: list[str | None] = [f"host-{i}" for i in rng.integers(0, 30, rows)]
    entities[3] = None
    return block, entities


def in_blocks(detector, block, entities, cuts):
    edges = [0, *cuts, len(block)]
    return np.concatenate([detector.score_learn_many(block[a:b], entities[a:b]) for a, b in pairwise(edges)])


def one_by_one(detector, block, entities):
    scores = []
    for row, entity in zip(block, entities, strict=True):
        scores.append(detector.score_one(row, entity))
        detector.learn_one(row, entity)
    return np.array(scores)


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("name", DETECTORS)
def test_blocks_and_single_events_give_identical_scores(name, drift):
    block, entities = stream()
    make = component("online", name)
    singly = one_by_one(make(seed=3, drift=drift), block, entities)
    for cuts in ([], [1, 2, 700], list(range(97, ROWS, 97))):
        assert np.array_equal(in_blocks(make(seed=3, drift=drift), block, entities, cuts), singly)


def test_the_parity_test_sees_a_detector_that_looks_ahead():
    class Ahead(component("online", "loda")):
        def _run(self, scaled, admitted):
            return super()._run(scaled - scaled.mean(axis=0), admitted)

    block, entities = stream()
    assert not np.array_equal(in_blocks(Ahead(), block, entities, []), one_by_one(Ahead(), block, entities))


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("name", DETECTORS)
def test_a_state_read_back_goes_on_bit_for_bit(name, drift, tmp_path):
    block, entities = stream()
    make = component("online", name)
    through = in_blocks(make(seed=3, drift=drift), block, entities, [])
    first, second = make(seed=3, drift=drift), make(seed=3, drift=drift)
    before = in_blocks(first, block[:733], entities[:733], [])
    second.restore(read_state(write_state(tmp_path / "s.npz", first.state())))
    after = in_blocks(second, block[733:], entities[733:], [])
    assert np.array_equal(np.concatenate([before, after]), through)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_state_of_a_detector_that_knows_nothing_can_be_kept_too(name, tmp_path):
    block, entities = stream(rows=300)
    fresh, again = component("online", name)(), component("online", name)()
    again.restore(read_state(write_state(tmp_path / "s.npz", fresh.state())))
    assert np.array_equal(in_blocks(again, block, entities, []), in_blocks(fresh, block, entities, []))


@pytest.mark.parametrize("name", DETECTORS)
def test_a_planted_outlier_is_the_least_normal(name):
    block, entities = stream(rows=1_200)
    block[600:750] = np.random.default_rng(1).normal(size=(150, 5))
    detector = component("online", name)(seed=1, **({"window": 256} if name == "half-space-trees" else {}))
    detector.score_learn_many(block, entities)
    usual = [detector.score_one(row, "host-1") for row in np.random.default_rng(5).normal(size=(40, 5)) * 0.5]
    assert detector.score_one(np.full(5, 30.0), "host-1") < min(usual)
    assert detector.score_one(np.full(5, -30.0), "host-1") < min(usual)


@pytest.mark.parametrize("name", DETECTORS)
def test_scoring_learns_nothing(name):
    block, entities = stream(rows=400)
    one, other = component("online", name)(), component("online", name)()
    in_blocks(one, block[:300], entities[:300], [])
    in_blocks(other, block[:300], entities[:300], [])
    for row, entity in zip(block[300:], entities[300:], strict=True):
        one.score_one(row, entity)
    assert one.score_one(block[350], entities[350]) == other.score_one(block[350], entities[350])


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("at", [0, 60, 500])
@pytest.mark.parametrize("name", DETECTORS)
def test_one_value_beyond_all_measure_blinds_a_column_to_nothing_that_follows(name, at, value):
    block = np.random.default_rng(0).normal(size=(900, 2))
    block[at, 0] = value
    detector = component("online", name)(seed=1, **({"window": 256} if name == "half-space-trees" else {}))
    assert np.isfinite(detector.score_learn_many(block)).all()
    assert detector.score_one(np.array([40.0, 0.0])) < detector.score_one(np.array([0.1, 0.0]))


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_of_missing_values_have_a_score(name):
    detector = component("online", name)()
    scores = detector.score_learn_many(np.full((400, 3), np.nan))
    assert np.isfinite(scores).all()
    with pytest.raises(ModelError, match="learned from 3 columns, and this row has 2"):
        detector.score_one(np.zeros(2))


@pytest.mark.parametrize("name", DETECTORS)
def test_blindness_is_written_down(name):
    assert "Blind to" in component("online", name).__doc__


def test_half_space_trees_compiled_equal_rivers_bit_for_bit():
    rng = np.random.default_rng(0)
    block, admitted = rng.random((2_000, 6)), rng.random(2_000) < 0.9
    compiled, river = (kind(6, 10, 8, 250, 7) for kind in (CompiledTrees, RiverTrees))
    assert np.array_equal(compiled.score_learn(block, admitted), river.score_learn(block, admitted))


def test_half_space_trees_equal_rivers_own_class_on_the_same_scaled_rows():
    from river.anomaly import HalfSpaceTrees

    rng = np.random.default_rng(0)
    block = rng.normal(size=(1_200, 4))
    detector = component("online", "half-space-trees")(
        window=250, burst_floor=1.0, drift="none", seed=7, backend="river"
    )
    trees = HalfSpaceTrees(n_trees=detector.n_trees, height=8, window_size=250, seed=7)
    scaled = unit_interval(np.array(_scaled(detector, block)), detector.limit)
    scores = []
    for row in scaled:
        x = dict(enumerate(row.tolist()))
        scores.append(trees.score_one(x))
        trees.learn_one(x)
    assert np.array_equal(detector.score_learn_many(block), 0.0 - np.array(scores))


def test_loda_equals_rivers_on_the_same_scaled_rows():
    from river.anomaly import LODA

    block = np.random.default_rng(0).normal(size=(500, 6))
    detector = component("online", "loda")(n_bins=10, n_cuts=20, window=0, drift="none", seed=7)
    loda = LODA(n_bins=10, n_random_cuts=20, seed=7)
    scores = []
    for row in _scaled(detector, block):
        x = dict(enumerate(row.tolist()))
        scores.append(loda.score_one(x))
        loda.learn_one(x)
    assert np.allclose(detector.score_learn_many(block), 0.0 - np.array(scores), rtol=0, atol=1e-12)


def test_the_one_class_machine_equals_rivers_on_the_same_parts():
    from river.anomaly import OneClassSVM

    block = np.random.default_rng(0).normal(size=(500, 3))
    detector = component("online", "one-class")(n_parts=16, window=0, drift="none", seed=7, nu=0.2)
    detector.score_one(block[0])
    svm = OneClassSVM(nu=0.2)
    scores = []
    for row in _scaled(detector, block):
        parts = np.sqrt(2 / 16) * np.cos(detector._phases + detector._directions @ row)
        x = dict(enumerate(parts.tolist()))
        scores.append(svm.score_one(x))
        svm.learn_one(x)
    assert np.allclose(detector.score_learn_many(block), scores, rtol=0, atol=1e-12)


def test_the_gaussian_of_one_entity_orders_as_rivers_scorer():
    from river.anomaly import GaussianScorer

    values = np.random.default_rng(0).normal(size=400)
    detector = component("online", "gaussian")(prior=0.0, grace=1, memory=1e9, drift="none")
    river = GaussianScorer(grace_period=100)
    for value in values:
        detector.learn_one(np.array([value]), "a")
        river.learn_one(None, value)
    new = np.linspace(-3, 3, 41)
    ours = [detector.score_one(np.array([value]), "a") for value in new]
    theirs = [-river.score_one(None, value) for value in new]
    assert np.corrcoef(np.argsort(np.argsort(ours)), np.argsort(np.argsort(theirs)))[0, 1] > 0.999


def test_adwin_finds_the_changes_that_rivers_finds_and_keeps_the_same_window():
    from river.drift import ADWIN

    for seed in range(5):
        rng = random.Random(seed)
        adwin, river = Adwin(), ADWIN()
        for _ in range(5):
            mean, spread = rng.random(), rng.random() * 0.3
            for _ in range(rng.randrange(100, 1_200)):
                value = min(max(rng.gauss(mean, spread), 0.0), 1.0)
                river.update(value)
                assert (adwin.update(value), adwin.width) == (river.drift_detected, river.width)


@pytest.mark.parametrize("kind", [Adwin, Kswin])
def test_a_drift_detector_goes_on_bit_for_bit(kind, tmp_path):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.random(400) * 0.3, rng.random(400) * 0.3 + 0.6]).tolist()
    through, first, second = kind(), kind(), kind()
    expected = [through.update(v) for v in values]
    for value in values[:333]:
        first.update(value)
    second.restore(read_state(write_state(tmp_path / "s.npz", first.state())))
    assert [second.update(v) for v in values[333:]] == expected[333:]
    assert any(expected)


@pytest.mark.parametrize("drift", ["adwin", "kswin"])
def test_a_lasting_change_of_the_stream_is_a_drift(drift):
    rng = np.random.default_rng(0)
    block = rng.normal(size=(60_000, 3))
    block[30_000:] = block[30_000:] * 0.05 + rng.choice([-9.0, 9.0], size=(30_000, 1))
    detector = component("online", "gaussian")(drift=drift, max_entities=10, memory=50_000)
    detector.score_learn_many(block)
    assert detector.drifts
    assert min(detector.drifts) > 30_000 // 2


def test_a_burst_does_not_become_usual_as_it_does_without_the_guard():
    rng = np.random.default_rng(0)
    block = rng.normal(size=(6_000, 4))
    block[4_000:] = rng.normal(size=(2_000, 4)) * 0.05 + 6.0
    last = {}
    for floor in (0.02, 1.0):
        detector = component("online", "half-space-trees")(window=256, burst_floor=floor, seed=2)
        scores = detector.score_learn_many(block)
        last[floor] = (scores[5_500:].mean(), scores[3_000:4_000].mean())
    guarded, plain = last[0.02], last[1.0]
    assert guarded[0] < guarded[1], "the burst must stay less normal than the rest"
    assert plain[0] > plain[1], "without the guard it is soon the most normal"


def test_what_is_usual_may_change_for_good():
    rng = np.random.default_rng(0)
    block = np.vstack([rng.normal(size=(2_000, 3)), rng.normal(size=(60_000, 3)) * 0.5 + 8.0])
    scores = component("online", "half-space-trees")(window=128, seed=2).score_learn_many(block)
    assert scores[-500:].mean() > scores[2_000:2_100].mean()


def test_places_are_those_of_an_ordered_dictionary():
    rng = np.random.default_rng(0)
    names = [f"e{i}" for i in (rng.zipf(1.3, 20_000) % 4_000)]
    keys = entity_keys(names)
    slots, known, evicted = EntitySlots(1_500), {}, 0
    expected_fresh = []
    for key in keys.tolist():
        expected_fresh.append(key not in known)
        if key in known:
            known.pop(key)
        elif len(known) == 1_500:
            known.pop(next(iter(known)))
            evicted += 1
        known[key] = None
    fresh = np.concatenate([slots.assign(keys[a : a + 700])[1] for a in range(0, len(keys), 700)])
    assert fresh.tolist() == expected_fresh
    assert (slots.used, slots.evicted, slots.capacity) == (1_500, evicted, 1_500)
    assert set(np.unique(keys[slots.find(keys) >= 0]).tolist()) == set(known)
    again = EntitySlots(1_500)
    again.restore(slots.state())
    assert again.assign(keys[:5_000])[1].tolist() == slots.assign(keys[:5_000])[1].tolist()


@pytest.mark.parametrize("name", ["gaussian", "quantile"])
def test_a_forgotten_entity_is_judged_as_a_new_one_and_blocks_do_not_show(name):
    block, _ = stream(rows=3_000)
    entities = [f"e{i}" for i in np.random.default_rng(1).zipf(1.2, 3_000) % 400]
    make = component("online", name)
    detector = make(max_entities=50)
    singly = one_by_one(detector, block, entities)
    assert np.array_equal(in_blocks(make(max_entities=50), block, entities, [123, 1_999]), singly)
    assert detector.slots.evicted > 100
    new, forgotten = detector.score_one(block[-1], "never seen"), detector.slots
    gone = next(e for e in entities if forgotten.find(entity_keys([e]))[0] < 0)
    assert detector.score_one(block[-1], gone) == new


def test_any_detector_can_be_kept_for_each_entity(tmp_path):
    block, _ = stream(rows=900)
    entities = [f"e{i}" for i in np.random.default_rng(1).integers(0, 8, 900)]

    def make():
        return PerEntity(lambda: component("online", "half-space-trees")(window=32, n_trees=3, seed=1), max_entities=5)

    each = make()
    singly = one_by_one(each, block, entities)
    assert each.used == 5
    assert each.evicted > 0
    assert np.array_equal(in_blocks(make(), block, entities, [10, 400]), singly)
    first, second = make(), make()
    before = in_blocks(first, block[:400], entities[:400], [])
    second.restore(read_state(write_state(tmp_path / "s.npz", first.state())))
    assert np.array_equal(np.concatenate([before, in_blocks(second, block[400:], entities[400:], [])]), singly)


def _scaled(detector, block):
    """Return the rows as a detector of the same settings would see them."""
    from socml.detectors.online._detector import running_scale

    out = np.empty_like(block)
    learned = (np.zeros(block.shape[1]) for _ in range(3))
    running_scale(block, *learned, detector.memory, detector.limit, out)
    return out
