"""A game of some players → what each brings to the whole: exactly if they are few, else by orders that are drawn.

Orders come in pairs, one the other's reverse, which makes the estimate steadier than as many single ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FEWEST_PAIRS = 4  # pairs of orders below which an error cannot be told


def shapley_values(
    worth: Callable[[NDArray[np.bool_]], NDArray[np.float64]], players: int, *, budget: int = 1024, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each player's Shapley value and its standard error, both (players,).

    The values add up to the worth of all less the worth of none, whatever the budget. The error is 0 if all
    coalitions were asked for, which they are if they fit in the budget.

    Parameters
    ----------
    worth : coalitions (n, players), who takes part → worth (n,); asked once
    budget : coalitions that may be asked for; more where four pairs of orders need more
    seed : of the orders

    References
    ----------
    E. Štrumbelj, I. Kononenko (2014), «Explaining prediction models and individual predictions with feature
    contributions», Knowledge and Information Systems 41. R. Mitchell, J. Cooper, E. Frank, G. Holmes (2022),
    «Sampling Permutations for Shapley Value Estimation», JMLR 23

    Examples
    --------
    >>> both = lambda who: 6.0 * (who[:, 0] & who[:, 1]) + 1.0 * who[:, 2]  # two that need each other, one that does not
    >>> [some.tolist() for some in shapley_values(both, 3)]
    [[3.0, 3.0, 1.0], [0.0, 0.0, 0.0]]
    >>> drawn, error = shapley_values(both, 3, budget=1)
    >>> float(drawn.sum()), bool((error > 0).any() or (drawn == [3, 3, 1]).all())
    (7.0, True)
    """
    if players == 0:
        return np.zeros(0), np.zeros(0)
    if 2**players <= max(budget, 2):
        return _by_all(worth, players), np.zeros(players)
    return _by_orders(worth, players, budget, np.random.default_rng(seed))


def _by_all(worth: Callable[[NDArray[np.bool_]], NDArray[np.float64]], players: int) -> NDArray[np.float64]:
    number = np.arange(2**players)
    takes_part = (number[:, None] >> np.arange(players)) & 1 > 0
    value = np.asarray(worth(takes_part), dtype=np.float64)
    size = takes_part.sum(axis=1)
    chance = np.ones(players)  # that exactly these come before a player, by how many they are
    for k in range(1, players):
        chance[k] = chance[k - 1] * k / (players - k)
    chance /= players
    values = np.empty(players)
    for player in range(players):
        without = number[~takes_part[:, player]]
        values[player] = (chance[size[without]] * (value[without | (1 << player)] - value[without])).sum()
    return values


def _by_orders(
    worth: Callable[[NDArray[np.bool_]], NDArray[np.float64]], players: int, budget: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inner = players - 1  # coalitions of an order that are neither none nor all
    pairs = max(FEWEST_PAIRS, budget // (2 * inner))
    forward = rng.permuted(np.tile(np.arange(players), (pairs, 1)), axis=1)
    order = np.stack([forward, forward[:, ::-1]], axis=1).reshape(2 * pairs, players)
    turn = np.argsort(order, axis=1)
    coalitions = (turn[:, None, :] < np.arange(1, players)[None, :, None]).reshape(-1, players)
    ends = np.stack([np.zeros(players, dtype=np.bool_), np.ones(players, dtype=np.bool_)])
    value = np.asarray(worth(np.concatenate([ends, coalitions])), dtype=np.float64)
    path = np.empty((2 * pairs, players + 1))
    path[:, 0], path[:, -1] = value[0], value[1]
    path[:, 1:-1] = value[2:].reshape(2 * pairs, inner)
    brought = np.take_along_axis(np.diff(path, axis=1), turn, axis=1)
    of_pair = brought.reshape(pairs, 2, players).mean(axis=1)
    return of_pair.mean(axis=0), of_pair.std(axis=0, ddof=1) / np.sqrt(pairs)
