"""Implants that compute tomorrow's names → lookups of domains that do not exist, until one does.

References
----------
Dynamic Resolution, Domain Generation Algorithms: https://attack.mitre.org/techniques/T1568/002/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import look_up
from socml.simulator.window import HOUR

__all__ = ["domain_generation"]

_FAMILY = Family("domain generation", "T1568.002")
_RUNS = ((0.35, 10.3, 0.5, 140), (0.75, 13.0, 6.0, 40))  # share of the window, hour, hours, names
_LETTERS = np.array(list("aabcdeeefghiijklmnooprsttuuvwxyz"))


def domain_generation(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Look for the control server under made-up names: in half an hour, and over six hours."""
    clients = rng.choice(world.organisation.workstations, len(_RUNS))
    for client, (share, hour, lasts_h, names) in zip(clients, _RUNS, strict=True):
        n = world.many(names)
        made = ["".join(rng.choice(_LETTERS, int(rng.integers(7, 16)))) + ".example" for _ in range(n)]
        exists = rng.random(n) < 0.02
        look_up(
            world,
            traffic,
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, int(lasts_h * HOUR), n)),
            client=client,
            name=made,
            answer=np.where(exists, "100.90.1.7", "-"),
            rcode=np.where(exists, "NOERROR", "NXDOMAIN"),
            family=_FAMILY,
        )
