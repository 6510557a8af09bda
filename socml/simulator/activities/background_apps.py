"""Programs that report home by themselves → regular small TLS flows, which look like beacons and are not."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure, look_up
from socml.simulator.window import DAY, HOUR, ticks

__all__ = ["background_apps"]

_APPS = (  # name, seconds between calls, jitter, bytes sent, bytes received
    ("sync.deskdrive.example", 1500, 0.05, 1400, 2600),
    ("telemetry.officesuite.example", 2700, 0.3, 5200, 900),
    ("push.teamchat.example", 1100, 0.1, 900, 700),
    ("agent.endpointguard.example", 900, 0.02, 2300, 1200),
)


def background_apps(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Let each workstation's two programs call while the person is there; a fifth of them all night."""
    people, window = world.organisation, world.window
    for i, client in enumerate(people.workstations):
        always_on = rng.random() < 0.2
        for number in rng.choice(len(_APPS), 2, replace=False):
            name, every_s, jitter, sent, received = _APPS[number]
            time_us = ticks(window.start_us, window.end_us, rng, every_s=every_s / world.scale, jitter=jitter)
            hour = (time_us % DAY) / HOUR - people.shift_hours[i]
            weight = window.day_weights()[(time_us - window.start_us) // DAY]
            time_us = time_us[always_on | ((hour > 7.7) & (hour < 18.3) & (weight == 1))]
            n = time_us.size
            address = f"198.19.250.{10 + int(number)}"
            fetch_secure(
                traffic,
                rng,
                time_us,
                client=client,
                address=address,
                name=name,
                sent=sizes(rng, n, sent, 0.25),
                received=sizes(rng, n, received, 0.35),
                duration_s=np.exp(rng.normal(-0.9, 0.7, n)),
            )
            asks = time_us[rng.random(n) < 0.35] - 20_000
            look_up(world, traffic, rng, asks, client=client, name=name, answer=address)
