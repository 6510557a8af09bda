"""Administrators, scripts and cron → SSH logins, a fan-out to every server, sudo, and passwords mistyped."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import LINUX, World
from socml.simulator.ssh import fail, log_in
from socml.simulator.traffic import Traffic
from socml.simulator.window import DAY, HOUR, SECOND, seconds, ticks, working_moments

__all__ = ["administrators"]

_COMMANDS = (
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/apt-get update",
    "/usr/bin/journalctl -u app",
    "/usr/bin/tail -f /var/log/syslog",
    "/usr/bin/vim /etc/hosts",
)


def administrators(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Work on the servers by hand and by script."""
    people, window = world.organisation, world.window
    team = people.of("engineering")[:5]
    servers = np.array(LINUX)
    who, time_us = working_moments(window, rng, np.full(team.size, 9.0 * world.scale))
    source, user = people.workstations[team[who]], people.users[team[who]]
    server = servers[rng.integers(0, servers.size, who.size)]
    log_in(world, traffic, rng, time_us, source=source, server=server, user=user)
    slips = np.flatnonzero(rng.random(who.size) < 0.07)
    fail(
        world, traffic, rng, time_us[slips] - 12 * SECOND, source=source[slips], server=server[slips], user=user[slips]
    )
    _sudo(traffic, rng, time_us, server, user)
    targets = servers[servers != "build1"]
    for hour in (5.2, 12.6):
        runs = np.repeat(window.start_us + np.arange(window.days) * DAY + int(hour * HOUR), targets.size)
        runs = runs + seconds(rng.uniform(0, 25, runs.size))
        where = np.tile(targets, window.days)
        log_in(world, traffic, rng, runs, source=world.server("build1"), server=where, user="ansible", minutes=0.7)
    _passwords_changed(world, traffic, rng)
    _cron(world, traffic, rng)


def _sudo(
    traffic: Traffic, rng: np.random.Generator, time_us: np.ndarray, server: np.ndarray, user: np.ndarray
) -> None:
    for i in np.flatnonzero(rng.random(time_us.size) < 0.6):
        at, name = int(time_us[i]) + int(rng.integers(4, 90)) * SECOND, str(user[i])
        command = _COMMANDS[int(rng.integers(0, len(_COMMANDS)))]
        lines = [
            f"sudo:   {name} : TTY=pts/0 ; PWD=/home/{name} ; USER=root ; COMMAND={command}",
            f"sudo: pam_unix(sudo:session): session opened for user root by {name}(uid=0)",
            "sudo: pam_unix(sudo:session): session closed for user root",
        ]
        traffic.auth([at, at, at + 3 * SECOND], server[i], lines)


def _passwords_changed(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """People type the old password in the morning, and a forgotten script keeps trying it for two hours."""
    people, window = world.organisation, world.window
    for number, person in enumerate(rng.permutation(len(people.users))[:4]):
        begin = window.at(0.3 + 0.15 * number, 8.6 + 0.4 * number)
        tries = begin + np.cumsum(seconds(rng.uniform(6, 40, int(rng.integers(4, 11)))))
        source, user = people.workstations[person], people.users[person]
        fail(world, traffic, rng, tries, source=source, server="bastion1", user=user)
        at = np.array([int(tries[-1]) + 70 * SECOND])
        log_in(world, traffic, rng, at, source=source, server="bastion1", user=user, method="password")
    begin = window.at(0.5, 9.1)
    script = ticks(begin, begin + 2 * HOUR, rng, every_s=120, jitter=0.05)
    fail(world, traffic, rng, script, source=world.server("app1"), server="files1", user="report")


def _cron(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    window = world.window
    for name in LINUX:
        time_us = ticks(window.start_us + 17 * 60 * SECOND + SECOND, window.end_us, rng, every_s=3600)
        pid = rng.integers(1200, 32000, time_us.size).tolist()
        opened = [f"CRON[{p}]: pam_unix(cron:session): session opened for user root by (uid=0)" for p in pid]
        closed = [f"CRON[{p}]: pam_unix(cron:session): session closed for user root" for p in pid]
        traffic.auth(np.concatenate([time_us, time_us + 250_000]), name, opened + closed)
