"""A machine taken over, or a stranger → many ports tried on one host: in minutes, half an hour, or a working day.

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

__all__ = ["vertical_scan"]

_FAMILY = Family("vertical scan", "T1046")
_SCANS = (
    (0.2, 11.3, "db1", 1000, 280),
    (0.5, 14.2, "files1", 400, 9000),
    (0.7, 0.4, "mail1", 140, 20_000),
    (0.9, 9.0, "git1", 100, 30_000),
)
_COMMON = (21, 22, 23, 25, 80, 110, 111, 135, 139, 143, 443, 445, 993, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 9200)


def vertical_scan(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Scan four servers: (share of the window, hour, server, ports, seconds)."""
    sources = [*rng.choice(world.organisation.workstations, 3), "10.20.9.31"]
    for source, (share, hour, server, ports, lasts_s) in zip(sources, _SCANS, strict=True):
        n = world.many(ports)
        port = np.concatenate([np.array(_COMMON), rng.integers(1, 10_000, n)])[:n]
        traffic.flows(
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, lasts_s * SECOND, n)),
            source=source,
            destination=world.server(server),
            port=rng.permutation(port),
            duration_s=np.where(rng.random(n) < 0.5, rng.uniform(0.0002, 3.1, n), 0.0),
            source_bytes=sizes(rng, n, 220, 0.8),
            destination_bytes=sizes(rng, n, 500, 1.2),
            state=some(rng, n, {"REJ": 0.82, "S0": 0.1, "RSTO": 0.08}),
            family=_FAMILY,
        )
