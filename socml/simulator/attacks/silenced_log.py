"""Someone with the rights for it → a server whose log ends: the last lines say why, and then nothing says anything.

References
----------
Impair Defenses, Disable or Modify Tools: https://attack.mitre.org/techniques/T1562/001/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND

__all__ = ["silenced_log"]

_FAMILY = Family("silenced log", "T1562.001")


def silenced_log(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Stop the log of two servers by day until the next morning; of the second no line says that it is."""
    for server, share, hour in (("db1", 0.4, 9.6), ("git1", 0.75, 10.4)):
        begin = world.window.at(share, hour)
        user = str(rng.choice(world.organisation.users))
        lines = [
            f"sudo:   {user} : TTY=pts/2 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/systemctl stop rsyslog",
            f"sudo: pam_unix(sudo:session): session opened for user root by {user}(uid=0)",
            "sudo: pam_unix(sudo:session): session closed for user root",
        ]
        lines = lines if server == "db1" else lines[1:]
        traffic.auth(begin + np.arange(len(lines)) * SECOND // 2, server, lines, family=_FAMILY)
        traffic.silence(server, begin + 2 * SECOND, world.window.at(share, 23.9999) + int(7.5 * 3600 * SECOND))
