"""A document with a macro → programs that a text processor never starts, one out of another.

References
----------
Command and Scripting Interpreter, PowerShell: https://attack.mitre.org/techniques/T1059/001/ ·
User Execution, Malicious File: https://attack.mitre.org/techniques/T1204/002/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import seconds
from socml.simulator.windows import computer, start

__all__ = ["rare_process_chain"]

_FAMILY = Family("rare process chain", "T1059.001")
_CHAINS = (
    (0.4, 9.7, ("winword.exe", "cmd.exe", "powershell.exe", "rundll32.exe", "whoami.exe")),
    (0.8, 16.1, ("excel.exe", "mshta.exe", "powershell.exe", "certutil.exe", "regsvr32.exe")),
)


def rare_process_chain(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Open a document twice, on two workstations; what it starts is each a usual program of Windows."""
    people = world.organisation
    for share, hour, chain in _CHAINS:
        person = int(rng.integers(0, people.users.size))
        start(
            traffic,
            world.window.at(share, hour) + np.cumsum(seconds(rng.uniform(1, 40, len(chain) - 1))),
            host=computer(str(people.workstations[person])),
            user=people.users[person],
            parent=np.array(chain[:-1]),
            program=np.array(chain[1:]),
            family=_FAMILY,
        )
