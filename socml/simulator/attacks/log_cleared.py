"""Someone who is done → a Windows security log that begins anew.

References
----------
Indicator Removal, Clear Windows Event Logs: https://attack.mitre.org/techniques/T1070/001/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND
from socml.simulator.windows import computer, start, write

__all__ = ["log_cleared"]

_FAMILY = Family("log cleared", "T1070.001")


def log_cleared(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Clear a workstation's log in the afternoon, with the tool that Windows has for it."""
    people = world.organisation
    person = int(rng.integers(0, people.users.size))
    host, user = computer(str(people.workstations[person])), str(people.users[person])
    at = world.window.at(0.7, 17.2) + np.array([0, 30]) * SECOND
    commands = np.array(["wevtutil cl System", "wevtutil cl Security"])
    for program, parent in (("cmd.exe", "explorer.exe"), ("wevtutil.exe", "cmd.exe")):
        start(traffic, at, host=host, user=user, parent=parent, program=program, command=commands, family=_FAMILY)
    write(traffic, at[1:] + SECOND, host, 1102, [{"SubjectUserName": user}], family=_FAMILY)
