"""A few people at odd hours → a VPN tunnel from outside, and their work from the VPN's addresses at night."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes
from socml.simulator.ssh import fail, log_in
from socml.simulator.traffic import Traffic
from socml.simulator.web import visit
from socml.simulator.window import DAY, HOUR, SECOND, working_moments

__all__ = ["remote_workers"]

_PEOPLE = 4


def remote_workers(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Connect some evenings and mornings for two hours or so, and use the file server and the web."""
    window = world.window
    homes = outside_addresses(rng, _PEOPLE)
    people = world.organisation
    team = rng.permutation(people.of("engineering"))[:_PEOPLE]
    who, at = working_moments(window, rng, np.full(team.size, 0.8))
    log_in(world, traffic, rng, at, source=homes[who], server="bastion1", user=people.users[team[who]], minutes=15.0)
    slips = np.flatnonzero(rng.random(who.size) < 0.15)
    users = people.users[team[who[slips]]]
    fail(world, traffic, rng, at[slips] - 15 * SECOND, source=homes[who[slips]], server="bastion1", user=users)
    for person in range(_PEOPLE):
        _work_from_home(world, traffic, rng, person, homes[person])


def _work_from_home(world: World, traffic: Traffic, rng: np.random.Generator, person: int, home: str) -> None:
    """Open the tunnel of some days, and visit sites and the file server through it."""
    window, sites, inside = world.window, world.organisation.sites, f"10.20.9.{10 + person}"
    hours = rng.choice(np.array([4.5, 5.5, 19.5, 21.0, 22.5, 23.2]), window.days)
    begins = window.start_us + np.arange(window.days) * DAY + (hours * HOUR).astype(np.int64)
    begins = begins[rng.random(window.days) < 0.8]
    lasts = rng.uniform(0.5, 2.5, begins.size) * 3600
    traffic.flows(
        rng,
        begins,
        source=home,
        destination=world.server("bastion1"),
        port=1194,
        transport="udp",
        duration_s=lasts,
        source_bytes=sizes(rng, begins.size, 9e6, 0.8),
        destination_bytes=sizes(rng, begins.size, 9e7, 0.8),
    )
    count = rng.poisson(lasts / 3600 * 75 * world.scale)
    when = np.repeat(begins, count) + (rng.random(int(count.sum())) * np.repeat(lasts, count) * 1e6).astype(int)
    site = rng.choice(sites.name.size, when.size, p=sites.taste[person % sites.taste.shape[0]])
    visit(world, traffic, rng, when, client=np.full(when.size, inside), site=site)
    shares = when[::9]
    traffic.flows(
        rng,
        shares,
        source=inside,
        destination=world.server("files1"),
        port=445,
        service="gssapi,smb,ntlm",
        duration_s=rng.exponential(30, shares.size),
        source_bytes=sizes(rng, shares.size, 3e4, 2.0),
        destination_bytes=sizes(rng, shares.size, 3e5, 2.0),
    )
