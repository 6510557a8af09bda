"""Servers at night → copies of tens of gigabytes to the backup server: large, and wanted."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import LINUX, World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Traffic
from socml.simulator.window import DAY, HOUR

__all__ = ["backups"]

_GIGABYTES = {"files1": 24.0, "db1": 14.0, "mail1": 9.0, "git1": 4.0}


def backups(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Copy each server between one and four o'clock, in a few flows, and the day's database log each hour."""
    window = world.window
    midnights = window.start_us + np.arange(window.days) * DAY
    for name in LINUX:
        time_us = np.repeat(midnights + HOUR + int(rng.integers(0, 2 * HOUR)), 4)
        time_us = time_us + rng.integers(0, HOUR // 2, time_us.size)
        amount = sizes(rng, time_us.size, _GIGABYTES.get(name, 0.6) * 2.5e8, 0.5)
        _copy(world, traffic, rng, time_us, name, amount)
    hourly = (midnights[:, None] + np.arange(24) * HOUR + int(rng.integers(0, HOUR // 2))).ravel()
    _copy(world, traffic, rng, hourly, "db1", sizes(rng, hourly.size, 8e7, 0.8))


def _copy(
    world: World, traffic: Traffic, rng: np.random.Generator, time_us: np.ndarray, name: str, amount: np.ndarray
) -> None:
    traffic.flows(
        rng,
        time_us,
        source=world.server(name),
        destination=world.server("backup1"),
        port=10000,
        service="ssl" if name == "mail1" else "-",
        duration_s=amount / rng.uniform(3e7, 9e7, time_us.size),
        source_bytes=amount,
        destination_bytes=amount // 3000,
    )
