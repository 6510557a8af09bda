"""A monitoring server → polls every minute or five, day and night: as regular as a beacon, and wanted."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import LINUX, World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.web import fetch_plain
from socml.simulator.window import ticks

__all__ = ["monitoring"]


def monitoring(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Ping every server, fetch metrics from each, and check the two web servers every minute."""
    window, poller = world.window, world.server("monitor1")
    for number, name in enumerate(LINUX):
        target = world.server(name)
        begin = window.start_us + number * 3_000_000
        pings = ticks(begin, window.end_us, rng, every_s=600, jitter=0.01)
        traffic.flows(
            rng,
            pings,
            source=poller,
            destination=target,
            source_port=8,
            port=0,
            transport="icmp",
            duration_s=rng.uniform(0.0001, 0.002, pings.size),
            source_bytes=56,
            destination_bytes=56,
            state="OTH",
        )
        every_s = 90 if name in {"web1", "app1"} else 300
        polls = ticks(begin, window.end_us, rng, every_s=every_s / world.scale, jitter=0.01)
        received = sizes(rng, polls.size, 21_000 + 1500 * number, 0.03)
        fetch_plain(
            traffic,
            rng,
            polls,
            client=poller,
            address=target,
            name=f"{name}.corp.example:9100",
            path="/metrics",
            agent="Prometheus/2.53.0",
            status=200,
            port=9100,
            sent=sizes(rng, polls.size, 310, 0.02),
            received=received,
            duration_s=rng.uniform(0.02, 0.12, polls.size),
            states={"SF": 0.995, "RSTO": 0.005},
        )
