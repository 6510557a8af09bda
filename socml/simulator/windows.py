"""Logons, programs and changes on Windows machines → lines of their event logs, as a collector writes them in JSON.

References
----------
Event numbers: Microsoft, «Appendix L: Events to Monitor» ·
https://learn.microsoft.com/windows-server/identity/ad-ds/plan/appendix-l--events-to-monitor
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.simulator.organisation import DOMAIN
from socml.simulator.traffic import Family, Traffic

CONTROLLER = f"dc1.{DOMAIN}"
_PASSED, _FAILED = "0x8020000000000000", "0x8010000000000000"
_SYSTEM_EVENTS = {7045}


def computer(address: str) -> str:
    """Return the name of the computer at an address inside.

    Examples
    --------
    >>> computer("10.20.14.33")
    'pc-14-33.corp.example'
    """
    _, _, network, host = address.split(".")
    return f"pc-{network}-{host}.{DOMAIN}"


def logon(
    traffic: Traffic,
    time_us: NDArray[np.int64],
    *,
    host: ArrayLike,
    user: ArrayLike,
    source: ArrayLike = "-",
    kind: int = 3,
    passed: bool = True,
    family: Family | None = None,
) -> None:
    """Log on, or fail to: 4624 or 4625. `kind` is Windows's logon type: 2 at the keyboard, 3 over the network."""
    host, user, source = (np.broadcast_to(np.asarray(v), time_us.shape) for v in (host, user, source))
    fields = [
        {"TargetUserName": str(u), "TargetDomainName": "CORP", "LogonType": str(kind), "IpAddress": str(s)}
        for u, s in zip(user, source, strict=True)
    ]
    write(traffic, time_us, host, 4624 if passed else 4625, fields, passed=passed, family=family)


def start(
    traffic: Traffic,
    time_us: NDArray[np.int64],
    *,
    host: ArrayLike,
    user: ArrayLike,
    parent: ArrayLike,
    program: ArrayLike,
    command: ArrayLike | None = None,
    family: Family | None = None,
) -> None:
    """Start a program: 4688. `parent` and `program` are names of files; `command` is the line, the program if not given."""
    given = (host, user, parent, program, program if command is None else command)
    host, user, parent, program, command = (np.broadcast_to(np.asarray(v), time_us.shape) for v in given)
    fields = [
        {
            "SubjectUserName": str(u),
            "ParentProcessName": f"C:\\Windows\\System32\\{p}",
            "NewProcessName": f"C:\\Program Files\\{n}",
            "CommandLine": str(c),
        }
        for u, p, n, c in zip(user, parent, program, command, strict=True)
    ]
    write(traffic, time_us, host, 4688, fields, family=family)


def write(
    traffic: Traffic,
    time_us: NDArray[np.int64],
    host: ArrayLike,
    number: int,
    fields: list[dict[str, str]],
    *,
    passed: bool = True,
    family: Family | None = None,
) -> None:
    """Add events of one number: one of `fields` a moment."""
    channel = "System" if number in _SYSTEM_EVENTS else "Security"
    about = {"EventID": number, "Channel": channel, "Keywords": _PASSED if passed else _FAILED}
    texts = [json.dumps(about | of, separators=(",", ":"))[1:] for of in fields]
    traffic.windows(time_us, host, np.array(texts, dtype=object), family=family)
