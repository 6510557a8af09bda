"""Someone inside a server or the domain → an account of their own, with all rights.

References
----------
Account Manipulation: https://attack.mitre.org/techniques/T1098/ ·
Create Account: https://attack.mitre.org/techniques/T1136/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND
from socml.simulator.windows import CONTROLLER, write

__all__ = ["privilege_change"]

_FAMILY = Family("privilege change", "T1098")


def privilege_change(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Add a member of the administrators on a server, and one in the domain, each in a few commands."""
    people, at = world.organisation, world.window.at(0.5, 15.3)
    thief = str(rng.choice(people.users))
    lines = [
        f"sudo:   {thief} : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/sbin/useradd -m support",
        "useradd[4242]: new user: name=support, UID=1004, GID=1004, home=/home/support, shell=/bin/bash",
        "usermod[4250]: add 'support' to group 'sudo'",
        "usermod[4250]: add 'support' to shadow group 'sudo'",
    ]
    traffic.auth(at + np.arange(len(lines)) * 4 * SECOND, "app1", lines, family=_FAMILY)
    begin = world.window.at(0.85, 10.4)
    actor, account = str(rng.choice(people.users)), "helpdesk2"
    for step, (number, group) in enumerate(((4720, ""), (4722, ""), (4728, "Domain Admins"), (4732, "Administrators"))):
        fields = {"SubjectUserName": actor, "TargetUserName": group or account, "MemberName": f"CN={account}"}
        write(traffic, np.array([begin + step * 20 * SECOND]), CONTROLLER, number, [fields], family=_FAMILY)
