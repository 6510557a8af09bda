"""A stranger who knows a name → some wrong passwords for it, and then the right one.

References
----------
Brute Force: https://attack.mitre.org/techniques/T1110/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.ssh import fail, log_in
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import MINUTE, seconds

__all__ = ["brute_force_that_succeeds"]

_FAMILY = Family("brute force that succeeds", "T1110")
_GUESSES = ((0.4, 4.2, 40, 9.0), (0.75, 11.5, 14, 240.0))  # share of the window, hour, guesses, seconds between them


def brute_force_that_succeeds(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Guess one person's password quickly by night, and another's slowly by day; both give in."""
    people = world.organisation
    for share, hour, guesses, every_s in _GUESSES:
        n = max(4, world.many(guesses))
        time_us = world.window.at(share, hour) + np.cumsum(seconds(rng.exponential(every_s, n)))
        source, user = outside_addresses(rng, 1)[0], str(rng.choice(people.users))
        fail(world, traffic, rng, time_us, source=source, server="bastion1", user=user, family=_FAMILY)
        at = time_us[-1:] + 2 * MINUTE
        who = {"source": source, "server": "bastion1", "user": user, "method": "password"}
        log_in(world, traffic, rng, at, **who, family=_FAMILY)
