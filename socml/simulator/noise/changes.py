"""An ordinary week's changes → a person in a new role, a service that is rolled out, and copies of much by those who may."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.ssh import log_in
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure, visit
from socml.simulator.window import DAY, HOUR, working_moments

__all__ = ["changes"]

_SERVICE = "10.20.1.95"


def changes(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Let one person work for engineering from the middle on, everyone use a new service, and a few fetch whole shares."""
    _new_role(world, traffic, rng)
    _new_service(world, traffic, rng)
    _large_copies(world, traffic, rng)


def _new_role(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    people, window = world.organisation, world.window
    person = int(rng.choice(people.of("finance")))
    _, at = working_moments(window, rng, [6.0 * world.scale])
    at = at[at >= window.at(0.5, 0)]
    server = rng.choice(np.array(["git1", "build1", "app1"]), at.size)
    log_in(world, traffic, rng, at, source=people.workstations[person], server=server, user=people.users[person])
    _, at = working_moments(window, rng, [60.0 * world.scale])
    at = at[at >= window.at(0.5, 0)]
    site = rng.choice(people.sites.name.size, at.size, p=people.sites.taste[1])
    visit(world, traffic, rng, at, client=np.full(at.size, people.workstations[person]), site=site)


def _new_service(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    people, window = world.organisation, world.window
    who, at = working_moments(window, rng, 8.0 * world.scale * people.activity, shift_hours=people.shift_hours)
    later = at >= window.at(0.4, 7)
    who, at = who[later], at[later]
    for address, name in ((_SERVICE, "wiki1.corp.example"), ("198.19.7.21", "eu.wikihost.example")):
        mine = rng.random(who.size) < 0.5
        n = int(mine.sum())
        fetch_secure(
            traffic,
            rng,
            at[mine],
            client=people.workstations[who[mine]],
            address=address,
            name=name,
            sent=sizes(rng, n, 1500, 0.9),
            received=sizes(rng, n, 30_000, 1.5),
            duration_s=np.exp(rng.normal(-0.2, 1.2, n)),
        )


def _large_copies(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    people, window = world.organisation, world.window
    begins = window.start_us + (rng.random(max(1, window.days)) * window.days).astype(np.int64) * DAY
    for begin in begins.tolist():
        n = world.many(float(rng.integers(4, 40)))
        received = sizes(rng, n, 3e7, 1.3)
        traffic.flows(
            rng,
            begin + 9 * HOUR + np.sort(rng.integers(0, 8 * HOUR, n)),
            source=str(rng.choice(people.workstations)),
            destination=world.server("files1"),
            port=445,
            service="gssapi,smb,ntlm",
            duration_s=1 + received / rng.uniform(2e6, 3e7, n),
            source_bytes=sizes(rng, n, 30_000, 1.5),
            destination_bytes=received,
        )
