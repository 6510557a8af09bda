"""Machines by themselves → clocks, the resolver's own questions, updates, the database behind the application."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import DOMAIN, LINUX, World
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_plain, look_up
from socml.simulator.window import DAY, HOUR, any_time, ticks, working_moments

__all__ = ["infrastructure"]

_UPSTREAM = ("198.18.0.53", "198.19.0.53")


def infrastructure(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Keep the network running."""
    _clocks(world, traffic, rng)
    _resolver(world, traffic, rng)
    _updates(world, traffic, rng)
    _database(world, traffic, rng)


def _clocks(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    people, window = world.organisation, world.window
    for client in [*people.workstations, *people.servers.values()]:
        time_us = ticks(window.start_us + int(rng.integers(0, 2 * HOUR)), window.end_us, rng, every_s=2100, jitter=0.02)
        if client in set(people.workstations) and rng.random() < 0.8:
            time_us = time_us[(time_us % DAY > 7.5 * HOUR) & (time_us % DAY < 18.5 * HOUR)]
        answered = rng.random(time_us.size) < 0.98
        traffic.flows(
            rng,
            time_us,
            source=client,
            destination=world.server("dc1"),
            port=123,
            source_port=123,
            transport="udp",
            service="ntp",
            duration_s=rng.uniform(0.0002, 0.003, time_us.size),
            source_bytes=48,
            destination_bytes=np.where(answered, 48, 0),
            state=np.where(answered, "SF", "S0"),
        )


def _resolver(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Ask upstream for what the cache does not hold, and answer NXDOMAIN to misspelt and searched names."""
    sites = world.organisation.sites
    who, time_us = working_moments(world.window, rng, [1150 * world.scale * len(world.organisation.users) / 40])
    night = any_time(world.window, rng, world.many(60 * world.window.days))
    time_us = np.sort(np.concatenate([time_us, night]))
    site = rng.choice(sites.name.size, time_us.size, p=sites.taste.mean(axis=0))
    kind = some(rng, time_us.size, {"A": 0.6, "AAAA": 0.2, "HTTPS": 0.13, "MX": 0.03, "TXT": 0.04})
    look_up(
        world,
        traffic,
        rng,
        time_us,
        client=world.server("ns1"),
        server=_UPSTREAM[0],
        name=sites.name[site],
        kind=kind,
        answer=np.where(kind == "A", sites.addresses[site, 0], "-"),
    )
    people = world.organisation
    who, time_us = working_moments(world.window, rng, 7 * world.scale * people.activity, shift_hours=people.shift_hours)
    words = np.array(["wpad", "isatap", "intranet", "printer", "nas", "wiki", "crm-old", "fileserver"])
    names = np.char.add(words[rng.integers(0, words.size, who.size)], f".{DOMAIN}")
    look_up(world, traffic, rng, time_us, client=people.workstations[who], name=names, rcode="NXDOMAIN")


def _updates(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    people, window = world.organisation, world.window
    servers = np.array([people.servers[name] for name in LINUX])
    nightly = window.start_us + np.arange(window.days) * DAY + 6 * HOUR
    at = (nightly[:, None] + rng.integers(0, HOUR, (window.days, servers.size))).ravel()
    who, laptop_at = working_moments(window, rng, np.full(people.users.size, 1.3))
    time_us = np.concatenate([at, at + 2_000_000, laptop_at])
    client = np.concatenate([np.tile(servers, window.days), np.tile(servers, window.days), people.workstations[who]])
    n = time_us.size
    received = sizes(rng, n, 900_000, 2.2)
    fetch_plain(
        traffic,
        rng,
        time_us,
        client=client,
        address="198.18.9.80",
        name="packages.distribution.example",
        path=rng.choice(np.array(["/dists/stable/InRelease", "/pool/main/update.deb", "/delta/patch.cab"]), n),
        agent="Debian APT-HTTP/1.3 (2.6.1)",
        sent=sizes(rng, n, 400, 0.3),
        received=received,
        duration_s=0.2 + received / rng.uniform(2e6, 2e7, n),
    )


def _database(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    _, time_us = working_moments(world.window, rng, [1050 * world.scale])
    time_us = np.sort(np.concatenate([time_us, any_time(world.window, rng, world.many(150 * world.window.days))]))
    n = time_us.size
    traffic.flows(
        rng,
        time_us,
        source=rng.choice(np.array([world.server("app1"), world.server("web1")]), n, p=[0.8, 0.2]),
        destination=world.server("db1"),
        port=5432,
        service="postgresql",
        duration_s=np.exp(rng.normal(-2.0, 1.8, n)),
        source_bytes=sizes(rng, n, 1300, 0.9),
        destination_bytes=sizes(rng, n, 7000, 1.7),
        state=some(rng, n, {"SF": 0.97, "S1": 0.02, "RSTO": 0.01}),
    )
