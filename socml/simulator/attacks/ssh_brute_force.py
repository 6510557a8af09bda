"""Strangers → password after password for one server: quickly, and one every five minutes through a night.

References
----------
Brute Force, Password Guessing: https://attack.mitre.org/techniques/T1110/001/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import some
from socml.simulator.ssh import fail
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import HOUR, ticks

__all__ = ["ssh_brute_force"]

_FAMILY = Family("SSH brute force", "T1110.001")
_USERS = {"root": 0.5, "admin": 0.2, "ubuntu": 0.1, "test": 0.08, "oracle": 0.06, "pi": 0.06}


def ssh_brute_force(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Guess quickly from one address, at leisure from another, and very slowly from a third."""
    window = world.window
    loud, steady, quiet = outside_addresses(rng, 3)
    for source, begin, lasts_h, every_s, tries in (
        (loud, window.at(0.2, 3.3), 0.6, 8.0, 3),
        (steady, window.at(0.5, 11.0), 1.5, 20.0, 2),
        (quiet, window.at(0.7, 12.5), 3.5, 780.0, 1),
    ):
        time_us = ticks(begin, begin + int(lasts_h * HOUR), rng, every_s=every_s / world.scale, jitter=0.3)
        user = some(rng, time_us.size, _USERS)
        fail(
            world,
            traffic,
            rng,
            time_us,
            source=source,
            server="bastion1",
            user=user,
            known=user == "root",
            tries=tries,
            family=_FAMILY,
        )
