"""Many strangers at once → more than the web server can answer: half-open connections, then costly requests.

References
----------
Network Denial of Service: https://attack.mitre.org/techniques/T1498/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_plain
from socml.simulator.window import SECOND

__all__ = ["ddos"]

_FAMILY = Family("DDoS", "T1498")


def ddos(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Flood the web server for six minutes with SYNs, and on another day for ten with searches."""
    bots, n = outside_addresses(rng, 28), world.many(1400)
    traffic.flows(
        rng,
        world.window.at(0.6, 10.9) + np.sort(rng.integers(0, 360 * SECOND, n)),
        source=bots[rng.integers(0, bots.size, n)],
        destination=world.server("web1"),
        port=443,
        duration_s=np.where(rng.random(n) < 0.5, rng.uniform(0.5, 3.1, n), 0.0),
        state=some(rng, n, {"S0": 0.75, "REJ": 0.1, "RSTOS0": 0.15}),
        family=_FAMILY,
    )
    bots, n = outside_addresses(rng, 20), world.many(900)
    fetch_plain(
        traffic,
        rng,
        world.window.at(0.85, 15.6) + np.sort(rng.integers(0, 600 * SECOND, n)),
        client=bots[rng.integers(0, bots.size, n)],
        address=world.server("web1"),
        name="www.corp.example",
        path=[f"/search?q={rng.bytes(4).hex()}" for _ in range(n)],
        status=rng.choice(np.array([200, 503]), n, p=[0.4, 0.6]),
        sent=sizes(rng, n, 420, 0.2),
        received=sizes(rng, n, 5000, 0.9),
        duration_s=rng.exponential(45.0, n),
        states={"SF": 0.7, "RSTR": 0.2, "S1": 0.1},
        family=_FAMILY,
    )
