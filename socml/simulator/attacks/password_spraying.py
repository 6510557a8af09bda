"""A stranger with a list of names → one common password for everybody, a few an hour.

References
----------
Brute Force, Password Spraying: https://attack.mitre.org/techniques/T1110/003/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.ssh import fail, log_in
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import HOUR, SECOND, ticks

__all__ = ["password_spraying"]

_FAMILY = Family("password spraying", "T1110.003")


def password_spraying(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Try everyone within half an hour; another night from changing addresses, until one password fits."""
    people = world.organisation.users
    everyone = rng.permutation(people)[: world.many(40)]
    begin = world.window.at(0.3, 12.2)
    time_us = begin + np.sort(rng.integers(0, HOUR // 2, everyone.size))
    source = outside_addresses(rng, 1)[0]
    fail(world, traffic, rng, time_us, source=source, server="bastion1", user=everyone, family=_FAMILY)
    begin = world.window.at(0.6, 9.5)
    time_us = ticks(begin, begin + 9 * HOUR, rng, every_s=2200 / world.scale, jitter=0.4)
    source = outside_addresses(rng, 9)[np.arange(time_us.size) % 9]
    user = rng.permutation(people)[np.arange(time_us.size) % people.size]
    server = np.array(["bastion1", "web1", "mail1"])[np.arange(time_us.size) % 3]
    fail(world, traffic, rng, time_us, source=source, server=server, user=user, family=_FAMILY)
    at = time_us[-1:] + 40 * SECOND
    log_in(
        world,
        traffic,
        rng,
        at,
        source=source[-1:],
        server=server[-1:],
        user=user[-1:],
        method="password",
        family=_FAMILY,
    )
