"""A machine taken over, with a stolen account → SMB to neighbours and SSH to servers that its user never visits.

References
----------
Remote Services, SMB/Windows Admin Shares: https://attack.mitre.org/techniques/T1021/002/ ·
Remote Services, SSH: https://attack.mitre.org/techniques/T1021/004/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import LINUX, World
from socml.simulator.shapes import sizes, some
from socml.simulator.ssh import log_in
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import HOUR, seconds

__all__ = ["lateral_movement"]

_BY_SMB = Family("lateral movement by SMB", "T1021.002")
_BY_SSH = Family("lateral movement by SSH", "T1021.004")


def lateral_movement(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Go from host to host twice by SMB, quickly and slowly, and from server to server by SSH."""
    people, window = world.organisation, world.window
    for share, hour, lasts_h in ((0.5, 16.2, 0.5), (0.8, 11.0, 5.0)):
        source, *targets = rng.permutation(people.workstations)[: 1 + min(world.many(16), people.users.size - 1)]
        n = 3 * len(targets)
        traffic.flows(
            rng,
            window.at(share, hour) + np.sort(rng.integers(0, int(lasts_h * HOUR), n)),
            source=source,
            destination=np.repeat(targets, 3),
            port=rng.choice(np.array([445, 445, 135, 5985]), n),
            service="gssapi,smb,ntlm,dce_rpc",
            duration_s=rng.exponential(9, n),
            source_bytes=sizes(rng, n, 60_000, 1.3),
            destination_bytes=sizes(rng, n, 14_000, 1.2),
            state=some(rng, n, {"SF": 0.72, "REJ": 0.1, "S0": 0.12, "RSTO": 0.06}),
            family=_BY_SMB,
        )
    thief = int(rng.integers(0, people.users.size))
    servers = rng.permutation(np.array(LINUX))[:8]
    time_us = window.at(0.9, 2.3) + np.cumsum(seconds(rng.uniform(120, 900, servers.size)))
    log_in(
        world,
        traffic,
        rng,
        time_us,
        source=people.workstations[thief],
        server=servers,
        user=people.users[thief],
        method="password",
        minutes=4.0,
        family=_BY_SSH,
    )
