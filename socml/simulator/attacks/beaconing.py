"""Implants → small TLS or HTTP calls to a control server, at intervals with jitter, amid ordinary web traffic.

References
----------
Application Layer Protocol, Web Protocols: https://attack.mitre.org/techniques/T1071/001/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_plain, fetch_secure, look_up
from socml.simulator.window import HOUR, ticks

__all__ = ["beaconing"]

_FAMILY = Family("beaconing", "T1071.001")
_IMPLANTS = (  # share of the window, hour, hours, seconds between calls, jitter, name, TLS, program
    (0.3, 9.2, 1.5, 60, 0.15, "cdn.silverlake-updates.example", True, "runtime of a script"),
    (0.5, 20.0, 1.5, 240, 0.3, "stats.greyfinch.example", False, None),
    (0.8, 1.0, 6, 1200, 0.5, "img.paperkite.example", True, None),
)


def beaconing(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Let three workstations call home, from once a minute to once in a quarter of an hour."""
    clients = rng.choice(world.organisation.workstations, len(_IMPLANTS))
    addresses = outside_addresses(rng, len(_IMPLANTS)).tolist()
    for client, address, implant in zip(clients, addresses, _IMPLANTS, strict=True):
        share, hour, hours, every_s, jitter, name, secure, program = implant
        begin = world.window.at(share, hour)
        time_us = ticks(begin, begin + int(hours * HOUR), rng, every_s=every_s / world.scale, jitter=jitter)
        n = time_us.size
        asks = time_us[rng.random(n) < 0.2] - 12_000
        look_up(world, traffic, rng, asks, client=client, name=name, answer=address, family=_FAMILY)
        call = {
            "client": client,
            "address": address,
            "name": name,
            "sent": sizes(rng, n, 420, 0.3),
            "received": sizes(rng, n, 260, 0.4),
            "duration_s": np.exp(rng.normal(-0.9, 0.7, n)),
            "states": {"SF": 0.97, "S0": 0.02, "RSTR": 0.01},
            "family": _FAMILY,
        }
        if secure:
            fetch_secure(traffic, rng, time_us, program=program, **call)
        else:
            agent = "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)"
            fetch_plain(traffic, rng, time_us, path="/pixel.gif?id=7f3a", agent=agent, status=200, **call)
