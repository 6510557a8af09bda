"""Photographs, talks and backups of one's own → large uploads to places that nobody else uses."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure
from socml.simulator.window import seconds, working_moments

__all__ = ["private_uploads"]

_A_DAY = 0.05  # uploads a person and working day


def private_uploads(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Upload in a few pieces: two thirds to a store that a person keeps, a third to a new one."""
    people = world.organisation
    who, time_us = working_moments(world.window, rng, np.full(people.users.size, _A_DAY * world.scale))
    kept = outside_addresses(rng, people.users.size)
    address = np.where(rng.random(who.size) < 2 / 3, kept[who], outside_addresses(rng, who.size))
    piece = np.repeat(np.arange(who.size), 1 + rng.poisson(4.0, who.size))
    sent = sizes(rng, piece.size, 6e6, 1.6)
    fetch_secure(
        traffic,
        rng,
        time_us[piece] + seconds(rng.exponential(240.0, piece.size)),
        client=people.workstations[who][piece],
        address=address[piece],
        name=[f"store.{of.replace('.', '-')}.example" for of in address[piece].tolist()],
        sent=sent,
        received=sizes(rng, piece.size, 3000, 0.6),
        duration_s=0.5 + sent / rng.uniform(4e5, 6e6, piece.size),
    )
