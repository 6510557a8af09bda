"""People at work → the pages they load, each a burst of lookups and requests, and the chat that stays open."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import some
from socml.simulator.traffic import Traffic
from socml.simulator.web import visit
from socml.simulator.window import seconds, working_moments

__all__ = ["browsing"]

_PAGES = 52  # a person and working day
_PER_PAGE = 2.6  # further requests a page


def browsing(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Load pages of the sites that each person's department likes."""
    people = world.organisation
    who, time_us = working_moments(
        world.window, rng, _PAGES * world.scale * people.activity, shift_hours=people.shift_hours
    )
    page = np.repeat(np.arange(who.size), 1 + rng.poisson(_PER_PAGE, who.size))
    who, time_us = who[page], time_us[page] + seconds(rng.exponential(2.5, page.size))
    site = np.empty(who.size, np.int64)
    department = people.department[who]
    for number in np.unique(department):
        mine = np.flatnonzero(department == number)
        site[mine] = rng.choice(people.sites.name.size, mine.size, p=people.sites.taste[number])
    client = people.workstations[who]
    quick = rng.random(who.size) < 0.1
    visit(world, traffic, rng, time_us[~quick], client=client[~quick], site=site[~quick])
    n = int(quick.sum())
    received = (people.sites.middle_bytes[site[quick]] * np.exp(1.4 * rng.standard_normal(n))).astype(np.int64)
    traffic.flows(
        rng,
        time_us[quick],
        source=client[quick],
        destination=people.sites.addresses[site[quick], 0],
        port=443,
        transport="udp",
        service="quic",
        duration_s=np.exp(rng.normal(2.2, 1.2, n)),
        source_bytes=1800 + received // 40,
        destination_bytes=received,
        state=some(rng, n, {"SF": 0.97, "S0": 0.03}),
    )
