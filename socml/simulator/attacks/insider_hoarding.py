"""Someone who will leave → a copy of much of the file server, taken in the way files are always taken.

References
----------
Data from Network Shared Drive: https://attack.mitre.org/techniques/T1039/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import HOUR

__all__ = ["insider_hoarding"]

_FAMILY = Family("insider hoarding", "T1039")
_COPIES = (
    (0.45, 17.5, 2.0, "files1", 160, 1.2e7),
    (0.85, 9.0, 8.0, "git1", 90, 6e6),
)  # …, hours, server, copies, bytes


def insider_hoarding(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Copy some gigabytes in an evening, and every repository over a working day."""
    people = world.organisation
    for share, hour, lasts_h, server, copies, size in _COPIES:
        team = people.of("sales" if server == "files1" else "engineering")
        n = max(4, world.many(copies))
        received = sizes(rng, n, size, 1.7)
        traffic.flows(
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, int(lasts_h * HOUR), n)),
            source=people.workstations[int(rng.choice(team))],
            destination=world.server(server),
            port=445 if server == "files1" else 22,
            service="gssapi,smb,ntlm" if server == "files1" else "ssh",
            duration_s=1 + received / rng.uniform(2e6, 3e7, n),
            source_bytes=sizes(rng, n, 30_000, 1.5),
            destination_bytes=received,
            state=some(rng, n, {"SF": 0.92, "S1": 0.03, "RSTO": 0.05}),
            family=_FAMILY,
        )
