"""A machine taken over → one port tried on many hosts: fast, over an hour, and one every few minutes.

References
----------
Network Service Discovery: https://attack.mitre.org/techniques/T1046/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND

__all__ = ["horizontal_scan"]

_FAMILY = Family("horizontal scan", "T1046")
_SCANS = (
    (0.1, 22.6, 5985, 170, 21_000),
    (0.3, 10.4, 445, 420, 560),
    (0.6, 15.1, 3389, 150, 2700),
    (0.8, 8.2, 22, 150, 34_000),
)


def horizontal_scan(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Scan four times, each from another workstation: (share of the window, hour, port, hosts, seconds)."""
    sources = rng.choice(world.organisation.workstations, len(_SCANS))
    for source, (share, hour, port, hosts, lasts_s) in zip(sources, _SCANS, strict=True):
        n = world.many(hosts)
        network, host = rng.integers(10, 18, n), rng.integers(2, 250, n)
        state = some(rng, n, {"S0": 0.55, "REJ": 0.38, "RSTO": 0.07})
        traffic.flows(
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, lasts_s * SECOND, n)),
            source=source,
            destination=[f"10.20.{a}.{b}" for a, b in zip(network, host, strict=True)],
            port=port,
            duration_s=np.where(rng.random(n) < 0.5, rng.uniform(0.0005, 3.1, n), 0.0),
            source_bytes=sizes(rng, n, 220, 0.8),
            destination_bytes=sizes(rng, n, 500, 1.2),
            state=state,
            family=_FAMILY,
        )
