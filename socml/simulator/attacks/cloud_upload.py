"""Someone inside → files sent to the store that half of the organisation uses, and so to nobody's surprise.

References
----------
Exfiltration Over Web Service, to Cloud Storage: https://attack.mitre.org/techniques/T1567/002/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_secure
from socml.simulator.window import HOUR

__all__ = ["cloud_upload"]

_FAMILY = Family("cloud upload", "T1567.002")


def cloud_upload(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Send a gigabyte or so over an afternoon to an address that many use."""
    people, sites = world.organisation, world.organisation.sites
    n = max(4, world.many(30))
    popular = int(np.argsort(-sites.taste.sum(axis=0))[4])
    sent = sizes(rng, n, 3e7, 0.8)
    fetch_secure(
        traffic,
        rng,
        world.window.at(0.6, 13.2) + np.sort(rng.integers(0, 4 * HOUR, n)),
        client=people.workstations[int(rng.choice(people.of("finance")))],
        address=sites.addresses[popular, 1],
        name=sites.name[popular],
        sent=sent,
        received=sizes(rng, n, 3000, 0.6),
        duration_s=0.5 + sent / rng.uniform(4e5, 6e6, n),
        family=_FAMILY,
    )
