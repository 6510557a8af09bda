"""A mail server → letters in and out, and many lookups in block lists with odd names, which look like a tunnel."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World, outside_addresses
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Traffic
from socml.simulator.web import look_up
from socml.simulator.window import any_time, working_moments

__all__ = ["mail_server"]

_LISTS = np.array(["zen.blocklist.example", "bl.spamwatch.example", "dnsbl.mailguard.example"])


def mail_server(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Receive and send, checking each stranger against three lists."""
    window, server = world.window, world.server("mail1")
    _, by_day = working_moments(window, rng, [210 * world.scale])
    time_us = np.sort(np.concatenate([by_day, any_time(window, rng, world.many(110 * window.days))]))
    known = outside_addresses(rng, 160)
    sender = known[(rng.random(time_us.size) ** 2 * known.size).astype(int)]
    _letters(traffic, rng, time_us, sender, np.full(sender.size, server))
    backwards = np.array([".".join(reversed(a.split("."))) for a in sender.tolist()], dtype=str)
    for zone in _LISTS:
        listed = rng.random(time_us.size) < 0.12
        look_up(
            world,
            traffic,
            rng,
            time_us + rng.integers(2_000, 90_000, time_us.size),
            client=server,
            name=np.char.add(backwards, f".{zone}"),
            answer=np.where(listed, "127.0.0.2", "-"),
            rcode=np.where(listed, "NOERROR", "NXDOMAIN"),
        )
    hashes = np.array([rng.bytes(16).hex() for _ in range(time_us.size // 2)], dtype=str)
    look_up(
        world,
        traffic,
        rng,
        time_us[: hashes.size * 2 : 2] + 120_000,
        client=server,
        name=np.char.add(hashes, ".ebl.mailguard.example"),
        kind="TXT",
        rcode="NXDOMAIN",
    )
    _, out = working_moments(window, rng, [190 * world.scale])
    _letters(traffic, rng, out, np.full(out.size, server), known[rng.integers(0, known.size, out.size)])


def _letters(
    traffic: Traffic, rng: np.random.Generator, time_us: np.ndarray, source: np.ndarray, destination: np.ndarray
) -> None:
    n = time_us.size
    traffic.flows(
        rng,
        time_us,
        source=source,
        destination=destination,
        port=25,
        service="smtp",
        duration_s=np.exp(rng.normal(0.5, 1.0, n)),
        source_bytes=sizes(rng, n, 24_000, 1.8),
        destination_bytes=sizes(rng, n, 900, 0.4),
        state=some(rng, n, {"SF": 0.9, "RSTO": 0.04, "S1": 0.03, "S0": 0.03}),
    )
