"""The batch detectors beside the contract: what each one is for, against the slow obvious version where there is one."""

from __future__ import annotations

import tempfile
from math import log, log2
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from socml.detectors import _empirical as empirical
from socml.detectors._empirical import freeze, tails
from socml.detectors._neighbours import nearest
from socml.detectors._tail_scale import learn_scale, surprise
from socml.models.version_files import load_trusted
from socml.project.errors import ModelError, UnknownName
from socml.project.recipes import ModelRecipe
from socml.project.registry import component

SEQUENCES = ["open read read close"] * 30 + ["open write close"] * 30


def make(name, **parameters):
    return component("detectors", name)(**parameters)


def mixed_rows(rows=300, seed=5):
    """Columns that are normal, skewed, mostly zero, and of few values."""
    rng = np.random.default_rng(seed)
    sparse = np.where(rng.random(rows) < 0.9, 0.0, rng.exponential(size=rows))
    return np.column_stack([rng.normal(size=rows), rng.lognormal(size=rows), sparse, rng.integers(0, 4, rows)])


def naive_tails(train, value):
    """−log of the share of training values that are at most, and at least, the value; beyond all: one in rows + 1."""
    shares = [sum(t <= value for t in train) / len(train), sum(t >= value for t in train) / len(train)]
    return [-log(share) if share else log(len(train) + 1) for share in shares]


def naive_skewness(column):
    mean = sum(column) / len(column)
    second = sum((v - mean) ** 2 for v in column) / len(column)
    return sum((v - mean) ** 3 for v in column) / len(column) / second**1.5


def test_ecod_agrees_with_its_definition_on_seen_and_unseen_rows():
    X, new = mixed_rows(), mixed_rows(40, seed=6) * 1.5
    detector = make("ecod").fit(X)
    expected = [-sum(max(naive_tails(X[:, j], row[j])) for j in range(X.shape[1])) for row in (*X[:40], *new)]
    np.testing.assert_allclose(detector.score_samples(np.vstack([X[:40], new])), expected, rtol=1e-12)


def test_copod_agrees_with_its_definition_on_seen_and_unseen_rows():
    X, new = mixed_rows(), mixed_rows(40, seed=6) * 1.5
    detector = make("copod").fit(X)
    skewed = [naive_skewness(X[:, j]) for j in range(X.shape[1])]

    def score(row):
        total = 0.0
        for j, value in enumerate(row):
            low, high = naive_tails(X[:, j], value)
            total += max(low if skewed[j] < 0 else high, (low + high) / 2)
        return -total

    np.testing.assert_allclose(detector.score_samples(np.vstack([X[:40], new])), [score(r) for r in (*X[:40], *new)])


def test_hbos_agrees_with_its_definition_on_seen_and_unseen_rows():
    X, new = mixed_rows(), mixed_rows(40, seed=6) * 1.5
    bins, smoothing = 7, 0.5
    detector = make("hbos", n_bins=bins, smoothing=smoothing).fit(X)

    def bin_of(column, value):
        low, high = min(column), max(column)
        if value < low or value > high:
            return None
        return min(int((value - low) / (high - low) * bins), bins - 1)

    def score(row):
        total = 0.0
        for j, value in enumerate(row):
            held = [bin_of(X[:, j], v) for v in X[:, j]]
            full = [held.count(b) + smoothing for b in range(bins)]
            mine = bin_of(X[:, j], value)
            total += log(max(full) / (smoothing if mine is None else full[mine]))
        return -total

    np.testing.assert_allclose(detector.score_samples(np.vstack([X[:40], new])), [score(r) for r in (*X[:40], *new)])


@pytest.mark.parametrize("name", ["ecod", "copod"])
def test_scores_on_the_training_rows_are_those_of_pyod(name):
    peer = pytest.importorskip(f"pyod.models.{name}", reason="PyOD is not installed")
    X = mixed_rows()
    theirs = getattr(peer, name.upper())().fit(X).decision_scores_
    np.testing.assert_allclose(-make(name).fit(X).score_samples(X), theirs, rtol=1e-9)


def test_tails_stay_exact_when_the_middle_of_a_distribution_is_thinned(monkeypatch):
    column = np.random.default_rng(0).normal(size=(5_000, 1))
    whole = np.array(tails(freeze(column), column))
    monkeypatch.setattr(empirical, "EXACT", 400)
    monkeypatch.setattr(empirical, "TAIL", 100)
    known = freeze(column)
    assert len(known.points) <= 400
    thinned = np.array(tails(known, column))
    outer = (column < np.sort(column, axis=0)[90]) | (column > np.sort(column, axis=0)[-90])
    assert np.array_equal(thinned[:, outer], whole[:, outer])
    assert np.abs(np.exp(-thinned) - np.exp(-whole)).max() < 0.006


@pytest.mark.parametrize("name", ["pca", "robust-covariance"])
def test_a_broken_relation_is_seen_though_both_values_are_ordinary(name):
    rng = np.random.default_rng(1)
    one = rng.normal(size=500)
    X = np.column_stack([one, one + 0.1 * rng.normal(size=500), rng.normal(size=500)])
    X[17, :2] = 1.5, -1.5
    detector = make(name).fit(X)
    assert int(detector.score_samples(X).argmin()) == 17
    assert detector.contributions(X)[17, 2] < min(detector.contributions(X)[17, :2])


def test_robust_covariance_is_not_moved_by_a_tenth_of_outliers_alike():
    rng = np.random.default_rng(2)
    X = np.vstack([rng.normal(size=(270, 3)), rng.normal(loc=[9, 9, -9], scale=0.1, size=(30, 3))])
    scores = make("robust-covariance", support=0.75).fit(X).score_samples(X)
    assert scores[270:].max() < scores[:270].min()


def test_local_outlier_sees_a_row_that_is_unusual_among_its_neighbours_only():
    rng = np.random.default_rng(3)
    X = np.vstack([rng.normal(0, 0.01, (200, 2)), rng.normal(5, 1.0, (200, 2)), [[0.12, 0.12]]])
    assert int(make("local-outlier", n_neighbors=20).fit(X).score_samples(X).argmin()) == 400
    assert make("knn", random_state=0).fit(X).score_samples(X)[400] > np.quantile(
        make("knn", random_state=0).fit(X).score_samples(X), 0.2
    )


def test_a_row_is_not_its_own_neighbour_but_its_duplicate_is():
    reference = np.array([[0.0], [0.0], [4.0]])
    distances, positions = nearest(reference, np.array([[0.0], [4.0], [3.0]]), 1)
    assert distances.ravel().tolist() == [0.0, 4.0, 1.0]
    assert positions.ravel()[2] == 2


def test_one_class_svm_keeps_arrays_only_so_that_it_can_be_saved():
    detector = make("one-class-svm", random_state=0).fit(mixed_rows())
    assert all(isinstance(v, np.ndarray | float | int) for k, v in vars(detector).items() if k.endswith("_"))


@pytest.mark.parametrize("name", ["loda", "knn", "one-class-svm", "ensemble"])
def test_another_seed_gives_other_scores(name):
    X = np.random.default_rng(4).normal(size=(600, 4))
    first, second = (make(name, random_state=seed).fit(X).score_samples(X) for seed in (0, 1))
    assert not np.array_equal(first, second)
    assert np.corrcoef(first, second)[0, 1] > 0.8


def test_rarity_reads_text_and_sees_an_odd_pair_of_ordinary_values():
    X = np.array([["tcp", "443", "SF"]] * 60 + [["udp", "53", "SF"]] * 40 + [["udp", "443", "SF"]], dtype=object)
    detector = make("rarity").fit(X)
    assert int(detector.score_samples(X).argmin()) == 100
    parts = detector.contributions(X)[100]
    assert parts[2] == 0
    np.testing.assert_allclose(make("rarity", max_pairs=0).fit(X).contributions(X[:1])[0, 0], log2(101 / 60))


def test_rarity_gives_a_value_never_seen_the_bits_of_one_in_all_rows_and_one():
    detector = make("rarity", max_pairs=0).fit([["a", 1.0], ["a", 2.0], ["b", 1.0]])
    np.testing.assert_allclose(detector.contributions([["never", 7.0]]), [[2.0, 2.0]])


def test_markov_agrees_with_the_probabilities_counted_by_hand():
    detector = make("markov", order=2, discount=0.5, worst=0).fit(["a b", "a b", "a c"])
    # unigrams: a 3, b 2, c 1, end 3 of 9, four of them; after a: b 2, c 1 of 3; after c: end 1 of 1
    chance = 1 / 5
    one = {t: (n - 0.5) / 9 + 0.5 * 4 / 9 * chance for t, n in {"a": 3, "b": 2, "c": 1, "end": 3}.items()}
    steps = [(3 - 0.5 + 0.5 * one["a"]) / 3, (1 - 0.5 + 0.5 * 2 * one["c"]) / 3, (1 - 0.5 + 0.5 * one["end"]) / 1]
    bits = [-log2(step) for step in steps]
    np.testing.assert_allclose([b for _, b in detector.surprises("a c")], bits)
    np.testing.assert_allclose(detector.score_samples(["a c"]), -np.mean(bits))


def test_markov_probabilities_of_all_tokens_after_a_context_sum_to_one():
    detector = make("markov", order=3).fit(SEQUENCES)
    tokens = ["open", "read", "write", "close", "never seen"]
    chances = [2 ** -detector.surprises(["open", "read", token])[2][1] for token in tokens]
    chances.append(2 ** -detector.surprises(["open", "read"])[2][1])  # the end
    assert abs(sum(chances) - 1) < 1e-9


@pytest.mark.parametrize(
    "odd", ["open close open close read", "open exec close", "close", "open read read read read close", ""]
)
def test_markov_scores_an_odd_sequence_below_the_usual_ones(odd):
    detector = make("markov").fit(SEQUENCES)
    assert detector.score_samples([odd])[0] < detector.score_samples(SEQUENCES).min()


def test_markov_keeps_the_contract_of_detectors_on_its_sequences():
    planted = [*SEQUENCES, "open exec exec exec close"]
    detector = make("markov").fit(planted)
    scores = detector.score_samples(planted)
    assert int(scores.argmin()) == len(SEQUENCES)
    alone = [detector.score_samples([sequence])[0] for sequence in planted]
    assert alone == scores.tolist()
    assert clone(detector).fit(planted).score_samples(planted).tolist() == scores.tolist()
    one = make("markov").fit(["a"]).score_samples(["a", "b"])
    assert np.isfinite(one).all()
    assert one[1] < one[0]
    assert detector.score_samples([]).shape == (0,)
    assert detector.score_samples([s.split() for s in planted]).tolist() == scores.tolist()
    with pytest.raises(NotFittedError):
        make("markov").score_samples(planted)
    assert saved_and_loaded(detector).score_samples(planted).tolist() == scores.tolist()


def test_markov_reads_characters_and_refuses_a_matrix_of_numbers():
    detector = make("markov", tokens="characters").fit(["id=12", "id=77", "id=31"] * 9)
    assert detector.score_samples(["id=17"])[0] > detector.score_samples(["';--"])[0]
    with pytest.raises(ValueError, match="reads sequences"):
        make("markov").fit(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no sequences"):
        make("markov").fit([])


def saved_and_loaded(detector):
    import skops.io

    with tempfile.TemporaryDirectory() as folder:
        skops.io.dump(detector, Path(folder) / "d.skops")
        return load_trusted(Path(folder) / "d.skops")


def with_groups(rows=800, seed=8):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6))
    X[:3, :2] += 8
    X[3] = [2.5, -2.5, 2.5, -2.5, 2.5, -2.5]
    return X


def test_tail_scale_never_falls_and_goes_on_growing_beyond_all_that_was_seen():
    scores = np.random.default_rng(0).gamma(1.0, size=3000).round(2)
    scale = learn_scale(scores)
    asked = np.linspace(-1, 60, 4000)
    told = surprise(scale, asked)
    assert (np.diff(told) >= 0).all()
    assert (np.diff(told[asked > scores.max()]) > 0).all()
    for value in np.unique(scores)[::40]:
        np.testing.assert_allclose(surprise(scale, value), -log(sum(scores >= value) / 3001), rtol=1e-12)


def test_tail_scale_does_not_magnify_rounding():
    noisy = np.repeat([1.0, 2.0], 500) * (1 + 1e-15 * np.arange(1000))
    scale = learn_scale(noisy)
    assert surprise(scale, 2.0 * (1 + 1e-13)) - surprise(scale, 2.0) < 1e-6


@pytest.mark.parametrize("combine", ["normal-scores", "mean-of-logs", "mean", "max"])
def test_ensemble_puts_what_each_of_its_members_finds_first(combine):
    X = with_groups()
    scores = make("ensemble", combine=combine, random_state=0).fit(X).score_samples(X)
    first = 20 if combine == "max" else 4  # by the maximum, whatever one member puts first is first
    assert {0, 1, 2, 3} <= set(np.argsort(scores)[:first])


def test_ensemble_of_one_member_ranks_as_that_member():
    X = with_groups(rows=400)  # too few for spikes
    alone = make("ecod").fit(X).score_samples(X)
    ensemble = make("ensemble", members={"ecod": {}}).fit(X)
    assert np.array_equal(np.argsort(alone, kind="stable"), np.argsort(ensemble.score_samples(X), kind="stable"))


def test_ensemble_does_not_care_in_which_unit_a_member_scores():
    X = with_groups()
    scores = make("pca").fit(X).score_samples(X)
    for unit in (1e-6, 1e6):
        np.testing.assert_allclose(
            surprise(learn_scale(-scores * unit), -scores * unit), surprise(learn_scale(-scores), -scores)
        )


def test_ensemble_weights_move_its_ranking_toward_a_member():
    X = with_groups()
    knn = make("knn", random_state=0).fit(X).score_samples(X)

    def likeness(weight):
        ensemble = make("ensemble", weights={"knn": weight}, random_state=0).fit(X)
        return np.corrcoef(np.argsort(np.argsort(ensemble.score_samples(X))), np.argsort(np.argsort(knn)))[0, 1]

    assert likeness(0.1) < likeness(1.0) < likeness(50.0)


def test_ensemble_contributions_are_its_members_weighed_and_sum_to_its_score():
    X = with_groups()
    X[9, 4] = 15.0
    detector = make("ensemble", random_state=0).fit(X)
    parts = detector.contributions(X)
    np.testing.assert_allclose(parts.sum(axis=1), -detector.score_samples(X), atol=1e-9)
    assert int(parts[9].argmax()) == 4
    assert set(np.argsort(parts[0])[-2:]) == {0, 1}


def test_ensemble_has_contributions_and_leaves_only_if_its_members_do():
    assert hasattr(make("ensemble"), "contributions")
    assert hasattr(make("ensemble"), "leaves")
    assert not hasattr(make("ensemble", members={"ecod": {}, "local-outlier": {}}), "contributions")
    assert not hasattr(make("ensemble", combine="max"), "contributions")
    assert not hasattr(make("ensemble", members={"ecod": {}}), "leaves")


def test_ensemble_says_which_member_or_weight_it_does_not_know():
    with pytest.raises(UnknownName, match="Did you mean 'ecod'"):
        make("ensemble", members={"ecood": {}}).fit(with_groups())
    with pytest.raises(ValueError, match="weights gives 'pca'"):
        make("ensemble", weights={"pca": 1.0}).fit(with_groups())
    with pytest.raises(ValueError, match="at least one member"):
        make("ensemble", members={}).fit(with_groups())


def test_ensemble_learns_its_tails_from_a_sample_of_many_rows():
    X = with_groups(rows=3000)
    whole = make("ensemble", random_state=0).fit(X).score_samples(X)
    sampled = make("ensemble", random_state=0, calibration_rows=300).fit(X).score_samples(X)
    assert set(np.argsort(sampled)[:4]) == set(np.argsort(whole)[:4])
    assert np.corrcoef(np.argsort(np.argsort(sampled)), np.argsort(np.argsort(whole)))[0, 1] > 0.98


@pytest.mark.parametrize("name", ["ensemble-flow", "ensemble-source", "ensemble-table"])
def test_recipe_of_the_ensemble_makes_one(name):
    from socml.models.fitting import make_detector

    detector = make_detector(name).named_steps["detector"]
    assert type(detector).__name__ == "Ensemble"
    assert detector.random_state == 0


def test_a_recipe_with_an_unknown_parameter_is_refused():
    from socml.models.fitting import make_detector
    from socml.project.errors import RecipeError

    with pytest.raises((RecipeError, ModelError), match="Did you mean 'members'"):
        make_detector(ModelRecipe(detector="ensemble", features="flow", parameters={"member": {}}))


def test_of_very_many_columns_pairs_are_chosen_among_those_of_the_largest_entropy():
    from socml.detectors.rarity import PAIRED

    rng = np.random.default_rng(0)
    rare, common = rng.random((400, 300)) < 0.02, rng.random((400, PAIRED // 2)) < 0.5
    X = np.concatenate([rare, common, common], axis=1).astype(float)  # each common column comes twice
    detector = component("detectors", "rarity")().fit(X)
    assert len(detector.pairs_) == 30
    assert {int(b - a) for a, b in detector.pairs_} == {PAIRED // 2}
