"""People at Windows machines → logons at the desk and at the domain, programs they start, and what administrators change."""

from __future__ import annotations

import numpy as np

from socml.simulator.organisation import World
from socml.simulator.shapes import some
from socml.simulator.traffic import Traffic
from socml.simulator.window import HOUR, SECOND, seconds, ticks, working_moments
from socml.simulator.windows import CONTROLLER, computer, logon, start, write

__all__ = ["windows_desktops"]

_CHAINS = {  # parent > program: how often
    "explorer.exe > chrome.exe": 30, "chrome.exe > chrome.exe": 30, "explorer.exe > outlook.exe": 12,
    "explorer.exe > winword.exe": 8, "outlook.exe > winword.exe": 5, "explorer.exe > excel.exe": 8,
    "outlook.exe > excel.exe": 3, "winword.exe > splwow64.exe": 2, "services.exe > svchost.exe": 20,
    "svchost.exe > taskhostw.exe": 8, "svchost.exe > dllhost.exe": 5, "explorer.exe > cmd.exe": 1,
    "explorer.exe > teams.exe": 6, "svchost.exe > wuauclt.exe": 2, "explorer.exe > powershell.exe": 0.6,
    "cmd.exe > ipconfig.exe": 0.4, "powershell.exe > git.exe": 0.5, "excel.exe > splwow64.exe": 0.7,
    "svchost.exe > rundll32.exe": 0.5, "taskeng.exe > certutil.exe": 0.2, "cmd.exe > whoami.exe": 0.1,
    "explorer.exe > mshta.exe": 0.1, "cmd.exe > powershell.exe": 0.2,
}  # fmt: skip
_OWN = ("player", "notes", "radio", "reader", "painter", "launcher", "archive", "clock")


def windows_desktops(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Log on in the morning and after breaks, mistype now and then, and start programs all day."""
    people = world.organisation
    hosts = np.array([computer(str(address)) for address in people.workstations])
    shift = people.shift_hours
    who, at = working_moments(world.window, rng, np.full(hosts.size, 3.0 * world.scale), shift_hours=shift)
    slips = np.flatnonzero(rng.random(who.size) < 0.05)
    slipped = at[slips] - 20 * SECOND
    logon(traffic, slipped, host=hosts[who[slips]], user=people.users[who[slips]], kind=2, passed=False)
    logon(traffic, at, host=hosts[who], user=people.users[who], kind=2)
    source = people.workstations[who]
    logon(traffic, at + SECOND, host=CONTROLLER, user=people.users[who], source=source)
    stale = np.flatnonzero(rng.random(who.size) < 0.03)  # a program with last month's password
    logon(
        traffic,
        at[stale] + seconds(rng.uniform(5, 900, stale.size)),
        host=CONTROLLER,
        user=people.users[who[stale]],
        source=source[stale],
        passed=False,
    )
    who, at = working_moments(world.window, rng, 22.0 * world.scale * people.activity, shift_hours=shift)
    chain = some(rng, who.size, _CHAINS).astype("U60")
    own = np.flatnonzero(rng.random(who.size) < 0.03)
    version = who[own] % len(_OWN)
    chain[own] = [f"explorer.exe > {_OWN[v]}{int(w) % 37}.exe" for v, w in zip(version, who[own], strict=True)]
    parent, program = np.array([text.split(" > ") for text in chain.tolist()]).reshape(-1, 2).T
    start(traffic, at, host=hosts[who], user=people.users[who], parent=parent, program=program)
    _night(world, traffic, rng)
    _changes(world, traffic, rng, hosts)


def _night(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Let the domain controller run its scheduled tasks, every half hour, all day long."""
    window = world.window
    at = ticks(window.start_us, window.end_us, rng, every_s=1800, jitter=0.1)
    start(traffic, at, host=CONTROLLER, user="SYSTEM", parent="svchost.exe", program="taskhostw.exe")


def _changes(world: World, traffic: Traffic, rng: np.random.Generator, hosts: np.ndarray) -> None:
    """Add an account for someone new every other day, reset passwords, and install a printer's service here and there."""
    people = world.organisation
    clerk = str(people.users[0])
    _, at = working_moments(world.window, rng, [1.2 * world.scale])
    for moment in at.tolist():
        person = str(rng.choice(people.users))
        steps = (
            ((4724, person),) if rng.random() < 0.6 else ((4720, f"{person}2"), (4722, f"{person}2"), (4728, "Staff"))
        )
        for step, (number, target) in enumerate(steps):
            fields = {"SubjectUserName": clerk, "TargetUserName": target}
            write(traffic, np.array([moment + step * 9 * SECOND]), CONTROLLER, number, [fields])
    who, at = working_moments(world.window, rng, np.full(hosts.size, 0.04 * world.scale))
    service = {"ServiceName": "PrintSupport", "ImagePath": "C:\\Program Files\\Print\\support.exe"}
    write(traffic, at, hosts[who], 7045, [service] * who.size)
    begin = world.window.at(0.35, 12.0)
    rolled_out = begin + rng.integers(0, 3 * HOUR, hosts.size)
    service = {"ServiceName": "EndpointGuard", "ImagePath": "C:\\Program Files\\Guard\\agent.exe"}
    write(traffic, np.sort(rolled_out), hosts, 7045, [service] * hosts.size)
    at = np.sort(rolled_out)
    start(traffic, at, host=hosts, user="SYSTEM", parent="msiexec.exe", program="guardsetup.exe")
