"""The internet's constant knocking → probes of the public servers from everywhere, and passwords guessed all day."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import some
from socml.simulator.ssh import fail
from socml.simulator.traffic import Traffic
from socml.simulator.window import any_time, seconds

__all__ = ["background_radiation"]

_PORTS = np.array([22, 23, 80, 443, 445, 1433, 3306, 3389, 5060, 5900, 6379, 8080, 8443, 9200])
_PROBES, _GUESSERS = 700, 14  # a day
_NAMES = {"root": 0.5, "admin": 0.15, "test": 0.1, "ubuntu": 0.1, "user": 0.08, "git": 0.07}


def background_radiation(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Probe one port on one or two servers; guess a few passwords, now and then some hundred."""
    days, public = world.window.days, np.array([world.server(s) for s in ("web1", "mail1", "bastion1")])
    n = world.many(_PROBES * days)
    strangers = outside_addresses(rng, max(20, n // 5))
    traffic.flows(
        rng,
        any_time(world.window, rng, n),
        source=strangers[(rng.random(n) ** 2 * strangers.size).astype(int)],
        destination=public[rng.integers(0, public.size, n)],
        port=np.where(rng.random(n) < 0.7, _PORTS[rng.integers(0, _PORTS.size, n)], rng.integers(1, 49_000, n)),
        duration_s=np.where(rng.random(n) < 0.3, rng.uniform(0.001, 3.0, n), 0.0),
        state=some(rng, n, {"S0": 0.62, "REJ": 0.33, "RSTOS0": 0.05}),
    )
    n = world.many(_GUESSERS * days)
    guessers, begins = outside_addresses(rng, n), any_time(world.window, rng, n)
    tries = np.minimum(1 + (rng.pareto(0.9, n) * 2).astype(int), 300)
    each = np.repeat(np.arange(n), tries)
    time_us = begins[each] + seconds(rng.uniform(0, 60.0 * tries[each]))
    user = some(rng, each.size, _NAMES)
    fail(world, traffic, rng, time_us, source=guessers[each], server="bastion1", user=user, known=user == "root")
