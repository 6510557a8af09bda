"""Everybody's own corners of the web → destinations that a single machine uses, a few times or once."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import STATES, fetch_secure, look_up
from socml.simulator.window import seconds, working_moments

__all__ = ["long_tail"]

_NEW_A_DAY = 6.0  # private destinations a person visits on a working day, for the first time or not
_KEPT = 12  # private destinations that a person comes back to


def long_tail(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Visit private sites: half of the visits go to a few that a person keeps, half to one never seen again."""
    people = world.organisation
    who, time_us = working_moments(
        world.window, rng, _NEW_A_DAY * world.scale * people.activity, shift_hours=people.shift_hours
    )
    kept = outside_addresses(rng, _KEPT * people.users.size).reshape(people.users.size, _KEPT)
    once = outside_addresses(rng, who.size)
    again = rng.random(who.size) < 0.5
    pick = (rng.random(who.size) ** 2 * _KEPT).astype(int)
    address = np.where(again, kept[who, pick], once)
    visit = np.repeat(np.arange(who.size), 1 + rng.poisson(2.0, who.size))
    time_us = time_us[visit] + seconds(rng.exponential(20.0, visit.size))
    client, address = people.workstations[who][visit], address[visit]
    name = np.array([f"{_word(a)}.example" for a in address.tolist()], dtype=str)
    asks = np.flatnonzero(rng.random(visit.size) < 0.4)
    look_up(world, traffic, rng, time_us[asks] - 15_000, client=client[asks], name=name[asks], answer=address[asks])
    received = sizes(rng, visit.size, 14_000, 1.7)
    fetch_secure(
        traffic,
        rng,
        time_us,
        client=client,
        address=address,
        name=name,
        sent=sizes(rng, visit.size, 1100, 1.0) + received // 60,
        received=received,
        duration_s=np.exp(rng.normal(0.3, 1.8, visit.size)),
        states={**STATES, "S0": 0.05, "REJ": 0.01},
    )


def _word(address: str) -> str:
    """Return a name that belongs to an address: the same address has the same name."""
    parts = [int(part) for part in address.split(".")]
    syllables = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za")
    return "".join(syllables[part // 16] + syllables[part % 16] for part in parts[1:])
