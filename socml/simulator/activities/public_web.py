"""Strangers and search engines → visits to the organisation's own web site."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_plain, fetch_secure
from socml.simulator.window import HOUR, any_time, seconds, ticks, working_moments

__all__ = ["public_web"]

_STATES = {"SF": 0.8, "S1": 0.05, "RSTO": 0.05, "RSTR": 0.04, "S3": 0.02, "S0": 0.03, "OTH": 0.01}


def public_web(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Serve visitors by day, a crawler by night, and one busy afternoon after a newsletter."""
    window = world.window
    _, by_day = working_moments(window, rng, [520 * world.scale])
    begins = np.concatenate([by_day, any_time(window, rng, world.many(140 * window.days))])
    rush = window.at(0.55, 14.0) + rng.integers(0, HOUR // 2, world.many(160))
    begins = np.concatenate([begins, rush])
    strangers = outside_addresses(rng, max(60, begins.size // 2))
    visitor = strangers[rng.integers(0, strangers.size, begins.size)]
    page = np.repeat(np.arange(begins.size), 1 + rng.poisson(2.4, begins.size))
    _serve(world, traffic, rng, begins[page] + seconds(rng.exponential(25, page.size)), visitor[page])
    crawl = ticks(window.start_us, window.end_us, rng, every_s=200 / world.scale, jitter=0.4)
    _serve(world, traffic, rng, crawl, np.full(crawl.size, "198.18.77.12"))


def _serve(world: World, traffic: Traffic, rng: np.random.Generator, time_us: np.ndarray, client: np.ndarray) -> None:
    n = time_us.size
    received = sizes(rng, n, 15_000, 1.6)
    plain = rng.random(n) < 0.2
    for mine, fetch in ((~plain, fetch_secure), (plain, fetch_plain)):
        fetch(
            traffic,
            rng,
            time_us[mine],
            client=client[mine],
            address=world.server("web1"),
            name="www.corp.example",
            sent=sizes(rng, int(mine.sum()), 1100, 0.6),
            received=received[mine],
            duration_s=np.exp(rng.normal(0.2, 1.5, int(mine.sum()))),
            states=_STATES,
        )
