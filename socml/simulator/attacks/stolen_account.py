"""A password bought or phished → a logon from the other side of the world, while its owner is at work.

References
----------
Valid Accounts: https://attack.mitre.org/techniques/T1078/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.ssh import log_in
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import seconds

__all__ = ["stolen_account"]

_FAMILY = Family("stolen account", "T1078")
_LOGONS = ((0.45, 10.6, ("bastion1",)), (0.8, 14.2, ("bastion1", "mail1")))  # share of the window, hour, servers


def stolen_account(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Log on twice from an address that the account never used, minutes after its owner did from the desk."""
    people = world.organisation
    team = people.of("engineering")
    for share, hour, servers in _LOGONS:
        person = int(rng.choice(team))
        at = np.array([world.window.at(share, hour)])
        own = {"source": people.workstations[person], "server": "bastion1", "user": people.users[person]}
        log_in(world, traffic, rng, at - int(rng.integers(60, 900)) * 1_000_000, **own)
        log_in(
            world,
            traffic,
            rng,
            at + np.cumsum(seconds(rng.uniform(60, 600, len(servers)))),
            source=outside_addresses(rng, 1)[0],
            server=np.array(servers),
            user=people.users[person],
            method="password",
            minutes=12.0,
            family=_FAMILY,
        )
