"""A machine taken over, with an administrator's password → a service on each neighbour that runs what it is told.

References
----------
System Services, Service Execution: https://attack.mitre.org/techniques/T1569/002/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND, seconds
from socml.simulator.windows import computer, logon, start, write

__all__ = ["remote_execution"]

_FAMILY = Family("remote execution", "T1569.002")


def remote_execution(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Install a service on four workstations from a fifth, over SMB, and let it start a shell."""
    people = world.organisation
    chosen = rng.permutation(people.users.size)[:5]
    source, targets = str(people.workstations[chosen[0]]), people.workstations[chosen[1:]]
    n = targets.size
    at = world.window.at(0.65, 13.4) + np.cumsum(seconds(rng.uniform(40, 600, n)))
    hosts = np.array([computer(str(target)) for target in targets])
    user = str(rng.choice(people.users))
    traffic.flows(
        rng,
        at,
        source=source,
        destination=targets,
        port=445,
        service="gssapi,smb,ntlm,dce_rpc",
        duration_s=rng.exponential(9, n),
        source_bytes=sizes(rng, n, 60_000, 1.3),
        destination_bytes=sizes(rng, n, 14_000, 1.2),
        family=_FAMILY,
    )
    logon(traffic, at + SECOND, host=hosts, user=user, source=source, family=_FAMILY)
    installed = {"ServiceName": "UpdateHelper", "ImagePath": "%SystemRoot%\\UpdateHelper.exe", "SubjectUserName": user}
    write(traffic, at + 2 * SECOND, hosts, 7045, [installed] * n, family=_FAMILY)
    started = {"parent": "UpdateHelper.exe", "program": "cmd.exe"}
    start(traffic, at + 3 * SECOND, host=hosts, user=user, **started, family=_FAMILY)
