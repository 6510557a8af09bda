"""Machines that are off, old addresses and blocked services → connections without an answer, from everyone."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import some
from socml.simulator.traffic import Traffic
from socml.simulator.window import seconds, ticks, working_moments

__all__ = ["unanswered"]

_A_DAY = 45.0  # a person and working day
_PEER_TO_PEER = 0.04  # share of the people whose program tries many strangers


def unanswered(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Try a few old addresses again and again, printers and desks that are off, and now and then many strangers."""
    people, window = world.organisation, world.window
    who, time_us = working_moments(window, rng, _A_DAY * world.scale * people.activity, shift_hours=people.shift_hours)
    old = np.array([f"10.20.{a}.{b}" for a, b in rng.integers([10, 2], [18, 250], (people.users.size * 4, 2)).tolist()])
    gone = outside_addresses(rng, people.users.size * 4)
    mine = 4 * who + (rng.random(who.size) ** 2 * 4).astype(int)
    inside = rng.random(who.size) < 0.6
    _try(traffic, rng, time_us, people.workstations[who], np.where(inside, old[mine], gone[mine]))
    for owner in np.flatnonzero(rng.random(people.users.size) < _PEER_TO_PEER).tolist():
        begin = window.at(rng.random(), 8 + 9 * rng.random())
        when = ticks(begin, begin + int(seconds(3600 * rng.uniform(0.3, 3))), rng, every_s=20 / world.scale, jitter=0.5)
        strangers = outside_addresses(rng, max(1, when.size // 2))
        some_of = strangers[rng.integers(0, strangers.size, when.size)]
        _try(traffic, rng, when, np.full(when.size, people.workstations[owner]), some_of)


def _try(
    traffic: Traffic, rng: np.random.Generator, time_us: np.ndarray, source: np.ndarray, destination: np.ndarray
) -> None:
    n = time_us.size
    traffic.flows(
        rng,
        time_us,
        source=source,
        destination=destination,
        port=rng.choice(np.array([80, 443, 445, 139, 9100, 22, 3389, 7680]), n),
        duration_s=np.where(rng.random(n) < 0.5, rng.uniform(0.5, 3.1, n), 0.0),
        state=some(rng, n, {"S0": 0.7, "REJ": 0.25, "RSTOS0": 0.05}),
    )
