"""People at work → file shares, mail, sign-on, database, printing, and the names their machines shout for."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import DOMAIN, PRINTERS, World
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_secure, look_up
from socml.simulator.window import working_moments

__all__ = ["office"]

_USES = (  # server, port, service, a person and day, seconds, bytes sent, bytes received, spread of the bytes
    ("files1", 445, "gssapi,smb,ntlm", 9, 25, 30_000, 160_000, 2.0),
    ("dc1", 88, "krb_tcp", 9, 0.02, 1500, 1600, 0.3),
    ("dc1", 389, "ldap_tcp", 7, 0.4, 1200, 4000, 0.9),
    ("mail1", 993, "ssl", 16, 20, 2500, 12_000, 1.7),
    ("app1", 443, "ssl", 11, 2, 2500, 24_000, 1.3),
    ("files1", 139, "-", 0.4, 4, 400, 500, 0.8),
)
_STATES = {"SF": 0.9, "S1": 0.03, "RSTO": 0.04, "RSTR": 0.02, "S0": 0.005, "REJ": 0.005}


def office(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Use the servers inside, as people do all day."""
    for server, port, service, per_day, duration_s, sent, received, spread in _USES:
        time_us, client = _moments(world, rng, per_day)
        n = time_us.size
        sent_bytes, received_bytes = sizes(rng, n, sent, spread), sizes(rng, n, received, spread)
        lasts = np.exp(rng.normal(np.log(duration_s), 1.2, n))
        name, address = f"{server}.{DOMAIN}", world.server(server)
        asks = rng.random(n) < 0.3
        look_up(world, traffic, rng, time_us[asks] - 15_000, client=client[asks], name=name, answer=address)
        if service == "ssl":
            fetch_secure(
                traffic,
                rng,
                time_us,
                client=client,
                address=address,
                name=name,
                port=port,
                sent=sent_bytes,
                received=received_bytes,
                duration_s=lasts,
                states=_STATES,
            )
        else:
            traffic.flows(
                rng,
                time_us,
                source=client,
                destination=address,
                port=port,
                service=service,
                state=some(rng, n, _STATES),
                source_bytes=sent_bytes,
                destination_bytes=received_bytes,
                duration_s=lasts,
            )
    _print(world, traffic, rng)
    _shout(world, traffic, rng)


def _moments(world: World, rng: np.random.Generator, per_day: float) -> tuple[np.ndarray, np.ndarray]:
    people = world.organisation
    who, time_us = working_moments(
        world.window, rng, per_day * world.scale * people.activity, shift_hours=people.shift_hours
    )
    return time_us, people.workstations[who]


def _print(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    time_us, client = _moments(world, rng, 1.6)
    n = time_us.size
    traffic.flows(
        rng,
        time_us,
        source=client,
        destination=np.array(PRINTERS)[rng.integers(0, len(PRINTERS), n)],
        port=9100,
        duration_s=np.exp(rng.normal(1.5, 0.8, n)),
        source_bytes=sizes(rng, n, 600_000, 1.6),
        destination_bytes=sizes(rng, n, 300, 0.3),
        state=some(rng, n, {"SF": 0.88, "S0": 0.07, "RSTR": 0.05}),
    )


def _shout(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Multicast name lookups and broadcasts, which nobody answers, and calls to machines that are switched off."""
    for destination, port, per_day in (("224.0.0.251", 5353, 7), ("224.0.0.252", 5355, 3), ("10.20.255.255", 137, 3)):
        time_us, client = _moments(world, rng, per_day)
        traffic.flows(
            rng,
            time_us,
            source=client,
            destination=destination,
            port=port,
            source_port=port if port != 5355 else None,
            transport="udp",
            service="dns" if port != 137 else "-",
            source_bytes=rng.integers(35, 160, time_us.size),
            duration_s=0.0,
            state="S0",
        )
    time_us, client = _moments(world, rng, 3)
    n = time_us.size
    traffic.flows(
        rng,
        time_us,
        source=client,
        destination=rng.choice(world.organisation.workstations, n),
        port=rng.choice(np.array([445, 7680, 5000, 8009, 3389]), n, p=[0.3, 0.4, 0.1, 0.1, 0.1]),
        duration_s=np.where(rng.random(n) < 0.6, rng.uniform(1.0, 9.0, n), 0.0),
        state=some(rng, n, {"S0": 0.7, "REJ": 0.3}),
    )
