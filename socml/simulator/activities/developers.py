"""Engineers and the build server → clones, packages, and large artefacts sent outside, which look like a leak."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure, look_up
from socml.simulator.window import seconds, working_moments

__all__ = ["developers"]

_BUCKET = ("upload.artefactstore.example", "198.18.40.8")
_PACKAGES = ("files.packageindex.example", "198.18.41.8")


def developers(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Pull and push code, let builds fetch packages, and release."""
    people, window = world.organisation, world.window
    team = people.of("engineering")
    who, time_us = working_moments(window, rng, 14 * world.scale * people.activity[team])
    n = who.size
    traffic.flows(
        rng,
        time_us,
        source=people.workstations[team[who]],
        destination=world.server("git1"),
        port=22,
        service="ssh",
        duration_s=np.exp(rng.normal(0.6, 0.9, n)),
        source_bytes=sizes(rng, n, 9_000, 1.5),
        destination_bytes=sizes(rng, n, 120_000, 2.2),
    )
    _, builds = working_moments(window, rng, [26 * world.scale])
    build = np.repeat(np.arange(builds.size), rng.poisson(14, builds.size))
    _send(world, traffic, rng, builds[build] + seconds(rng.exponential(40, build.size)), "build1", _PACKAGES, 700, 4e5)
    _, releases = working_moments(window, rng, [7 * world.scale])
    _send(world, traffic, rng, releases, "build1", _BUCKET, 1.2e8, 4000)
    who, uploads = working_moments(window, rng, np.full(min(2, team.size), 9 * world.scale))
    _send(world, traffic, rng, uploads, people.workstations[team[who]], _BUCKET, 2.5e7, 3000)


def _send(
    world: World,
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: np.ndarray,
    client: str | np.ndarray,
    site: tuple[str, str],
    sent: float,
    received: float,
) -> None:
    n = time_us.size
    source = world.server(client) if isinstance(client, str) else client
    sent_bytes, received_bytes = sizes(rng, n, sent, 1.2), sizes(rng, n, received, 1.6)
    look_up(world, traffic, rng, time_us - 9_000, client=source, name=site[0], answer=site[1])
    fetch_secure(
        traffic,
        rng,
        time_us,
        client=source,
        address=site[1],
        name=site[0],
        sent=sent_bytes,
        received=received_bytes,
        duration_s=0.3 + (sent_bytes + received_bytes) / rng.uniform(2e6, 3e7, n),
    )
