"""Every program its own name → requests with user agents that one machine or a few have."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_plain
from socml.simulator.window import working_moments

__all__ = ["many_agents"]

_PROGRAMS = "Player Updater Reader Sync Cloud Launcher Scanner Notes Radio Weather Painter Backup".split()


def many_agents(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Fetch something with programs of many names and versions; half of them belong to one machine."""
    people = world.organisation
    who, time_us = working_moments(
        world.window, rng, 4.0 * world.scale * people.activity, shift_hours=people.shift_hours
    )
    own = rng.random(who.size) < 0.5
    version = np.where(own, 1 + who * 3 + rng.integers(0, 3, who.size), rng.integers(1, 9, who.size))
    program = np.array(_PROGRAMS)[(version * 7) % len(_PROGRAMS)]
    site = rng.integers(0, people.sites.name.size, who.size)
    fetch_plain(
        traffic,
        rng,
        time_us,
        client=people.workstations[who],
        address=people.sites.addresses[site, 0],
        name=people.sites.name[site],
        agent=[f"{p}/{v // 10}.{v % 10} (compatible)" for p, v in zip(program.tolist(), version.tolist(), strict=True)],
        sent=sizes(rng, who.size, 500, 0.4),
        received=sizes(rng, who.size, 20_000, 1.5),
        duration_s=np.exp(rng.normal(-0.5, 1.0, who.size)),
    )
