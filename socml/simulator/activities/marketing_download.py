"""One marketing workstation → an afternoon of fetching a whole picture library: massive, and wanted."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure, look_up
from socml.simulator.window import HOUR

__all__ = ["marketing_download"]


def marketing_download(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Fetch some hundred large pictures within two hours."""
    person = int(rng.choice(world.organisation.of("marketing")))
    client = world.organisation.workstations[person]
    n = world.many(420)
    time_us = world.window.at(0.4, 13.5) + np.sort(rng.integers(0, 2 * HOUR, n))
    received = sizes(rng, n, 9e6, 1.0)
    names = np.array([f"{rng.bytes(10).hex()}.media.stockpictures.example" for _ in range(n)], dtype=str)
    address = np.array([f"198.18.60.{k}" for k in rng.integers(2, 40, n)], dtype=str)
    look_up(world, traffic, rng, time_us - 8_000, client=client, name=names, answer=address)
    fetch_secure(
        traffic,
        rng,
        time_us,
        client=client,
        address=address,
        name=names,
        sent=sizes(rng, n, 1500, 0.5) + received // 80,
        received=received,
        duration_s=0.5 + received / rng.uniform(1e6, 2e7, n),
    )
