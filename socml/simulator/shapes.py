"""A flow's bytes, duration and state → its packets, IP bytes and history, as Zeek would have counted them.

References
----------
Zeek, conn.log: https://docs.zeek.org/en/master/logs/conn.html
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNSET = -1
_SEGMENT = 1400  # payload bytes of a full packet
_HISTORIES = {
    "SF": ("ShADadFf", "ShADadfF", "ShADadFfR", "ShADdaFf", "ShADadtFf"),
    "S0": ("S",),
    "REJ": ("Sr",),
    "RSTO": ("ShADadR", "ShADadfR"),
    "RSTR": ("ShADadr", "ShADadFr"),
    "RSTOS0": ("SR",),
    "S1": ("ShADad",),
    "S2": ("ShADadF",),
    "S3": ("ShADadf",),
    "SH": ("SF",),
    "OTH": ("DdAaC", "^dDaA"),
}
_DATAGRAM_HISTORIES = {"SF": "Dd", "S0": "D", "SHR": "Cd", "OTH": "-"}
_UNANSWERED = ("S0", "RSTOS0", "SH")


def shape_flows(flows: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return `flows` with packets, IP bytes and history; unset durations and bytes are -1."""
    flows = {name: np.array(values) for name, values in flows.items()}
    tcp = flows["transport"] == "tcp"
    if tcp.any() and not tcp.all():
        raise ValueError("One batch of flows is of one transport.")
    shaped = _streams(flows, rng) if tcp.all() else _datagrams(flows)
    header = np.where(tcp, 40, 28)
    for side in ("source", "destination"):
        payload = np.maximum(shaped[f"{side}_bytes"], 0)
        shaped[f"{side}_ip_bytes"] = payload + header * shaped[f"{side}_packets"]
    return shaped


def _streams(flows: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, state = len(flows["time_us"]), flows["state"]
    silent, refused = np.isin(state, _UNANSWERED), state == "REJ"
    failed = silent | refused
    sent = np.where(failed, 0, flows["source_bytes"])
    received = np.where(failed, 0, flows["destination_bytes"])
    full_sent, full_received = -(-sent // _SEGMENT), -(-received // _SEGMENT)
    # every other packet of the peer is acknowledged; handshake and goodbye cost a few
    source_packets = full_sent + full_received // 2 + rng.integers(3, 7, n)
    destination_packets = full_received + full_sent // 2 + rng.integers(2, 6, n)
    tries = np.where(silent & (flows["duration_us"] > 0), 1 + np.minimum(flows["duration_us"] // 1_000_000, 4), 1)
    flows["source_packets"] = np.where(failed, tries, source_packets)
    flows["destination_packets"] = np.where(silent, 0, np.where(refused, 1, destination_packets))
    nothing = silent & (flows["duration_us"] <= 0)
    flows["source_bytes"] = np.where(nothing, UNSET, sent)
    flows["destination_bytes"] = np.where(nothing, UNSET, received)
    flows["duration_us"] = np.where(nothing, UNSET, np.maximum(flows["duration_us"], 1))
    flows["service"] = np.where(failed, "-", flows["service"])
    flows["history"] = _histories(state, rng)
    return flows


def _datagrams(flows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    state = flows["state"]
    silent = (state == "S0") | ((state == "OTH") & (flows["destination_bytes"] == 0))
    many = np.maximum(1, -(-flows["source_bytes"] // 1200))
    flows["source_packets"] = np.where(state == "SHR", 0, many)
    flows["destination_packets"] = np.where(silent, 0, np.maximum(1, -(-flows["destination_bytes"] // 1200)))
    flows["source_bytes"] = np.where(state == "SHR", 0, flows["source_bytes"])
    nothing = silent & (flows["source_packets"] == 1)
    for name in ("source_bytes", "destination_bytes", "duration_us"):
        flows[name] = np.where(nothing, UNSET, flows[name])
    flows["history"] = np.array([_DATAGRAM_HISTORIES[s] for s in state.tolist()])
    return flows


def _histories(state: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.str_]:
    history = np.full(state.shape, "-", dtype="U12")
    for name, choices in _HISTORIES.items():
        mine = np.flatnonzero(state == name)
        history[mine] = np.array(choices)[(rng.random(mine.size) ** 3 * len(choices)).astype(int)]
    return history


def some(rng: np.random.Generator, n: int, shares: Mapping[str, float]) -> NDArray[np.str_]:
    """Return `n` of the names in `shares`, each as often as its share says.

    Examples
    --------
    >>> some(np.random.default_rng(0), 3, {"SF": 1.0}).tolist()
    ['SF', 'SF', 'SF']
    """
    chances = np.array(list(shares.values()))
    return rng.choice(np.array(list(shares)), n, p=chances / chances.sum())


def sizes(rng: np.random.Generator, n: int, middle: ArrayLike, spread: float = 1.0) -> NDArray[np.int64]:
    """Return `n` log-normal sizes: `middle` is the median, `spread` the standard deviation of the logarithm."""
    drawn = np.maximum(1, np.asarray(middle) * np.exp(spread * rng.standard_normal(n)))
    return np.asarray(drawn.astype(np.int64))
