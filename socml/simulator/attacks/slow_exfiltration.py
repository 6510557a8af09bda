"""A machine taken over → files sent to a store outside in small pieces, so that no piece is large.

References
----------
Exfiltration Over Alternative Protocol: https://attack.mitre.org/techniques/T1048/ ·
Data Transfer Size Limits: https://attack.mitre.org/techniques/T1030/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_secure, look_up
from socml.simulator.window import HOUR, ticks

__all__ = ["slow_exfiltration"]

_FAMILY = Family("slow exfiltration", "T1048")
_LEAKS = (  # share of the window, hour, hours, seconds between pieces, bytes a piece, name
    (0.4, 8.5, 15, 900, 1.5e7, "drop.amberfile.example"),
    (0.7, 9.0, 9, 900, 2e6, "sync.cobaltbox.example"),
)


def slow_exfiltration(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Leak from a workstation and from the file server, in pieces of megabytes and of less than one."""
    people = world.organisation
    clients = (people.workstations[rng.choice(people.of("finance"))], world.server("files1"))
    addresses = outside_addresses(rng, len(_LEAKS)).tolist()
    for client, address, (share, hour, hours, every_s, size, name) in zip(clients, addresses, _LEAKS, strict=True):
        begin = world.window.at(share, hour)
        time_us = ticks(begin, begin + hours * HOUR, rng, every_s=every_s / world.scale, jitter=0.35)
        n = time_us.size
        sent = sizes(rng, n, size, 0.5)
        asks = time_us[rng.random(n) < 0.4] - 12_000
        look_up(world, traffic, rng, asks, client=client, name=name, answer=address, family=_FAMILY)
        fetch_secure(
            traffic,
            rng,
            time_us,
            client=client,
            address=address,
            name=name,
            sent=sent,
            received=sizes(rng, n, 2500, 0.5),
            duration_s=0.5 + sent / rng.uniform(4e5, 3e6, n),
            states={"SF": 0.95, "RSTO": 0.05},
            family=_FAMILY,
        )
