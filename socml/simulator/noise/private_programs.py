"""Programs that one person installed → regular calls to a server that nobody else uses: beacons, and harmless."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure
from socml.simulator.window import DAY, HOUR, ticks

__all__ = ["private_programs"]

_OWNERS = 0.35  # share of the people who have one
_RUNTIMES = ("runtime of a script", "runtime of a launcher", "runtime of a player", "library of a reader")
_EVERY_S = (30, 60, 120, 300, 300, 600, 900, 1800, 3600)


def private_programs(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Let a third of the workstations call a server of their own; one in four is installed during the simulation."""
    people, window = world.organisation, world.window
    owners = np.flatnonzero(rng.random(people.users.size) < _OWNERS)
    address = outside_addresses(rng, owners.size)
    for i, owner in enumerate(owners.tolist()):
        every_s, jitter = float(rng.choice(_EVERY_S)), float(rng.choice([0.02, 0.1, 0.3, 0.5]))
        begin = window.start_us + (int(rng.integers(0, window.days)) * DAY if rng.random() < 0.25 else 0)
        time_us = ticks(begin, window.end_us, rng, every_s=max(every_s, 20) / min(world.scale, 1.0), jitter=jitter)
        hour = (time_us % DAY) / HOUR - people.shift_hours[owner]
        weight = window.day_weights()[(time_us - window.start_us) // DAY]
        always_on = rng.random() < 0.15
        time_us = time_us[
            (always_on | ((hour > 7.7) & (hour < 18.3) & (weight == 1))) & (rng.random(time_us.size) > 0.04)
        ]
        n = time_us.size
        fetch_secure(
            traffic,
            rng,
            time_us,
            client=people.workstations[owner],
            address=address[i],
            name=f"home{i}.{people.users[owner].replace('.', '-')}.example",
            sent=sizes(rng, n, float(rng.choice([300, 700, 1500, 6000])), float(rng.choice([0.05, 0.2, 0.8]))),
            received=sizes(rng, n, 500, 0.6),
            duration_s=np.exp(rng.normal(-0.9, 0.7, n)),
            program=str(rng.choice(_RUNTIMES)),
            states={"SF": 0.93, "S0": 0.04, "RSTO": 0.03},
        )
