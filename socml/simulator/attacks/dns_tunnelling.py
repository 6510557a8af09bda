"""A machine taken over → data in the names it asks for, answered in TXT records: in a hurry, and drop by drop.

References
----------
Application Layer Protocol, DNS: https://attack.mitre.org/techniques/T1071/004/
"""

from __future__ import annotations

import base64

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import some
from socml.simulator.traffic import Family, Traffic
from socml.simulator.web import look_up
from socml.simulator.window import HOUR, ticks

__all__ = ["dns_tunnelling"]

_FAMILY = Family("DNS tunnelling", "T1071.004")
_TUNNELS = (  # share of the window, hour, hours, seconds between questions, bytes a name, zone
    (0.3, 13.8, 0.25, 6.0, 110, "t.harbourmist.example"),
    (0.6, 10.0, 0.7, 30.0, 60, "ns.tallowtree.example"),
    (0.9, 1.5, 2.5, 500.0, 24, "d.quietbrook.example"),
)


def dns_tunnelling(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Tunnel through the resolver three times, each time slower and with shorter names."""
    clients = rng.choice(world.organisation.workstations, len(_TUNNELS))
    for client, (share, hour, hours, every_s, size, zone) in zip(clients, _TUNNELS, strict=True):
        begin = world.window.at(share, hour)
        time_us = ticks(begin, begin + int(hours * HOUR), rng, every_s=every_s / world.scale, jitter=0.4)
        n = time_us.size
        look_up(
            world,
            traffic,
            rng,
            time_us,
            client=client,
            name=[f"{_label(rng, size)}.{zone}" for _ in range(n)],
            kind=some(rng, n, {"TXT": 0.6, "NULL": 0.1, "A": 0.3}),
            answer=[f"TXT {size} {_label(rng, size)}" for _ in range(n)],
            answer_bytes=size + rng.integers(90, 120 + 2 * size, n),
            family=_FAMILY,
        )


def _label(rng: np.random.Generator, size: int) -> str:
    """Return `size` random letters and digits, in labels of at most 60."""
    text = base64.b32encode(rng.bytes(size)).decode().lower().rstrip("=")[:size]
    return ".".join(text[i : i + 60] for i in range(0, len(text), 60))
