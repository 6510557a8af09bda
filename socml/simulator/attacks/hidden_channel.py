"""An implant behind a popular content network → a few calls to an address that everyone uses, by a program nobody has.

References
----------
Encrypted Channel, Asymmetric Cryptography: https://attack.mitre.org/techniques/T1573/002/ ·
Proxy, Domain Fronting: https://attack.mitre.org/techniques/T1090/004/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_secure
from socml.simulator.window import HOUR

__all__ = ["hidden_channel"]

_FAMILY = Family("hidden channel", "T1573.002")
_CHANNELS = ((0.5, 9.5, 7, 26), (0.9, 13.0, 4, 12))  # share of the window, hour, hours, calls


def hidden_channel(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Call now and then, at no regular interval, for a name of its own at the address of the most popular site."""
    people, sites = world.organisation, world.organisation.sites
    for number, (share, hour, lasts_h, calls) in enumerate(_CHANNELS):
        n = max(4, world.many(calls))
        popular = int(np.argsort(-sites.taste.sum(axis=0))[number])
        fetch_secure(
            traffic,
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, lasts_h * HOUR, n)),
            client=str(rng.choice(people.workstations)),
            address=sites.addresses[popular, 0],
            name=f"a{number}{rng.bytes(3).hex()}.{'.'.join(str(sites.name[popular]).split('.')[1:])}",
            sent=sizes(rng, n, 1400, 0.9),
            received=sizes(rng, n, 9000, 1.4),
            duration_s=np.exp(rng.normal(-0.2, 1.4, n)),
            program=f"implant {number} {rng.bytes(4).hex()}",
            family=_FAMILY,
        )
