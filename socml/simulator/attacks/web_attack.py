"""A stranger at the web site → requests that try to be read as SQL, as a path, or as a command.

References
----------
Exploit Public-Facing Application: https://attack.mitre.org/techniques/T1190/
"""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import fetch_plain
from socml.simulator.window import MINUTE

__all__ = ["web_attack"]

_FAMILY = Family("web attack", "T1190")
_TRIES = (
    "/search?q=1%27%20OR%20%271%27=%271",
    "/search?q=1%27;WAITFOR+DELAY+%270:0:5%27--",
    "/index.php?page=../../../../etc/passwd",
    "/cgi-bin/test?cmd=;id;",
    "/search?q=<script>alert(1)</script>",
    "/api/v1/items?id=(select*from(users))",
)
_VISITS = ((0.3, 20.6, 30, 160), (0.7, 11.2, 200, 14))  # share of the window, hour, minutes, requests


def web_attack(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Try everything within half an hour, and on another day a few things among ordinary visits."""
    for share, hour, minutes, requests in _VISITS:
        n = max(4, world.many(requests))
        pick = rng.integers(0, len(_TRIES), n)
        fetch_plain(
            traffic,
            rng,
            world.window.at(share, hour) + np.sort(rng.integers(0, minutes * MINUTE, n)),
            client=outside_addresses(rng, 1)[0],
            address=world.server("web1"),
            name="www.corp.example",
            path=[f"{_TRIES[p]}&n={i}" if "?" in _TRIES[p] else _TRIES[p] for i, p in enumerate(pick.tolist())],
            status=rng.choice(np.array([200, 404, 503]), n, p=[0.5, 0.35, 0.15]),
            sent=sizes(rng, n, 1100, 0.6),
            received=sizes(rng, n, 6000, 1.4),
            duration_s=np.exp(rng.normal(0.2, 1.5, n)),
            family=_FAMILY,
        )
