"""The compiled generator draws what numpy's RandomState draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.random import sample_without_replacement

from socml.detectors.forest.mersenne_twister import draw_below, draw_sample, new_state, seed_state


@pytest.mark.parametrize("seed", [0, 1, 42, 2**31 - 2, 2**32 - 1])
def test_whole_numbers_are_those_of_randint(seed):
    state, peer = new_state(), np.random.RandomState(seed)
    seed_state(state, seed)
    for n in [1, 2, 3, 255, 256, 257, 50_000, 2**31 - 1, 2**32] * 200:
        assert draw_below(state, n) == peer.randint(n)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (300, 300), (300, 299), (300, 100), (100_000, 256), (25_600, 256)])
def test_samples_are_those_of_scikit_learn(n, k):
    state, seen = new_state(), np.zeros(n, dtype=np.uint8)
    for seed in range(5):
        seed_state(state, seed)
        peer = sample_without_replacement(n, k, random_state=np.random.RandomState(seed))
        assert np.array_equal(draw_sample(state, n, k, seen), peer)
        assert not seen.any()
