"""Logins and attempts → SSH flows, and what the server's sshd and PAM write about each of them.

References
----------
OpenSSH's messages: auth.c and sshd.c of https://github.com/openssh/openssh-portable
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import SECOND

_LOG = tuple[int, str]
_FAILURE = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost="


def log_in(
    world: World,
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    source: ArrayLike,
    server: ArrayLike,
    user: ArrayLike,
    method: str = "publickey",
    minutes: float = 6.0,
    family: Family | None = None,
) -> None:
    """Log in successfully, work for about `minutes`, and leave. `server` holds names, not addresses."""
    n = len(time_us)
    source, server, user = (np.broadcast_to(np.asarray(v), (n,)) for v in (source, server, user))
    ports = rng.integers(32768, 61000, n)
    duration_s = np.exp(rng.normal(np.log(minutes * 60), 0.9, n))
    traffic.flows(
        rng,
        time_us,
        source=source,
        destination=_addresses(world, server),
        port=22,
        service="ssh",
        duration_s=duration_s,
        source_bytes=3500 + sizes(rng, n, 60 * duration_s**0.8, 0.8),
        destination_bytes=4200 + sizes(rng, n, 150 * duration_s**0.8, 1.0),
        source_port=ports,
        family=family,
    )
    key = f"SHA256:{rng.bytes(32).hex()[:43]}"
    how = f"ssh2: RSA {key}" if method == "publickey" else "ssh2"
    for i in range(n):
        end = int(time_us[i] + duration_s[i] * SECOND)
        lines = _session(rng, int(time_us[i]), end, str(user[i]), f"{source[i]} port {ports[i]}", method, how)
        _write(traffic, server[i], lines, family)


def fail(
    world: World,
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    source: ArrayLike,
    server: ArrayLike,
    user: ArrayLike,
    known: ArrayLike = True,
    tries: int = 1,
    family: Family | None = None,
) -> None:
    """Give `tries` wrong passwords on one connection. `known` says whether the server has such a user."""
    n = len(time_us)
    source, server, user, known = (np.broadcast_to(np.asarray(v), (n,)) for v in (source, server, user, known))
    ports = rng.integers(32768, 61000, n)
    traffic.flows(
        rng,
        time_us,
        source=source,
        destination=_addresses(world, server),
        port=22,
        service="ssh",
        duration_s=rng.uniform(1.8, 4.0, n) * tries,
        source_bytes=1500 + 150 * tries + rng.integers(0, 500, n),
        destination_bytes=2100 + 100 * tries + rng.integers(0, 500, n),
        source_port=ports,
        family=family,
    )
    for i in range(n):
        lines = _failures(rng, int(time_us[i]), str(user[i]), bool(known[i]), str(source[i]), int(ports[i]), tries)
        _write(traffic, server[i], lines, family)


def _session(rng: np.random.Generator, begin: int, end: int, user: str, peer: str, method: str, how: str) -> list[_LOG]:
    pid, session = int(rng.integers(1200, 32000)), int(rng.integers(10, 9000))
    sshd = f"sshd[{pid}]:"
    return [
        (begin + SECOND // 2, f"{sshd} Accepted {method} for {user} from {peer} {how}"),
        (begin + SECOND // 2, f"{sshd} pam_unix(sshd:session): session opened for user {user} by (uid=0)"),
        (begin + SECOND // 2, f"systemd-logind[612]: New session {session} of user {user}."),
        (end, f"{sshd} Received disconnect from {peer}:11: disconnected by user"),
        (end, f"{sshd} Disconnected from user {user} {peer}"),
        (end, f"{sshd} pam_unix(sshd:session): session closed for user {user}"),
        (end, f"systemd-logind[612]: Removed session {session}."),
    ]


def _failures(
    rng: np.random.Generator, begin: int, user: str, known: bool, source: str, port: int, tries: int
) -> list[_LOG]:
    sshd, peer = f"sshd[{int(rng.integers(1200, 32000))}]:", f"{source} port {port}"
    lines = [] if known else [(begin, f"{sshd} Invalid user {user} from {peer}")]
    of_whom = f"  user={user}" if known else ""
    for number in range(tries):
        at = begin + int((0.4 + 2.1 * number) * SECOND)
        if not known:
            lines.append((at, f"{sshd} pam_unix(sshd:auth): check pass; user unknown"))
        lines.append((at, f"{sshd} {_FAILURE}{source}{of_whom}"))
        whom = user if known else f"invalid user {user}"
        lines.append((at + 2 * SECOND, f"{sshd} Failed password for {whom} from {peer} ssh2"))
    last = begin + int((2.6 + 2.1 * tries) * SECOND)
    kind = "authenticating" if known else "invalid"
    return [*lines, (last, f"{sshd} Connection closed by {kind} user {user} {peer} [preauth]")]


def _write(traffic: Traffic, server: str, lines: list[_LOG], family: Family | None) -> None:
    traffic.auth([at for at, _ in lines], server, [text for _, text in lines], family=family)


def _addresses(world: World, server: NDArray[np.str_]) -> NDArray[np.str_]:
    known = world.organisation.servers
    return np.array([known.get(name, name) for name in server.tolist()], dtype=str)
