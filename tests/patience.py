"""A condition → the moment it holds, however slow the machine is: tests wait for what they need, never for a while."""

from __future__ import annotations

import random
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

PATIENCE_S = 600  # only a test that would fail anyway waits that long
_OURS = (10_000, 32_768)  # ports below those that Linux gives to whoever asks for any


def wait_until(
    holds: Callable[[], object], told: Callable[[], object] = str, *, patience_s: float = PATIENCE_S
) -> None:
    """Wait until `holds()` is true. Raises AssertionError with what `told()` says if it never is."""
    until = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < until, f"waited {patience_s:.0f} s in vain: {told()}"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on, and that no connection of another process is given meanwhile."""
    while True:
        port = random.SystemRandom().randrange(*_OURS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def wait_until_served(url: str, process: subprocess.Popen[bytes], told: Callable[[], object]) -> None:
    """Wait until the server that `process` runs answers at `url`; raise with what `told()` says if it ends first."""

    def answers() -> bool:
        assert process.poll() is None, f"The server has ended:\n{told()}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    wait_until(answers, told)
