"""Batches of flows, lookups, requests, handshakes, alerts and log lines → one table of each, in writing order.

An activity or attack adds whole columns at a time. Records that hang on a flow (DNS, HTTP, TLS, alerts) name it
by the number that `Traffic.flows` gave, share its uid, and are malicious if and only if the flow is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.simulator.shapes import shape_flows
from socml.simulator.window import SECOND, Window

Columns = dict[str, np.ndarray]
BENIGN = -1


@dataclass(frozen=True)
class Family:
    """A kind of attack: its name and its ATT&CK technique, as in https://attack.mitre.org/techniques/."""

    name: str
    technique: str


class Traffic:
    """Collects what happened. Nothing outside the window is kept."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.families: list[Family] = []
        self._batches: dict[str, list[Columns]] = {
            k: [] for k in ("flow", "dns", "http", "ssl", "alert", "auth", "windows")
        }
        self._silences: list[tuple[str, int, int]] = []
        self._flows = 0

    def flows(
        self,
        rng: np.random.Generator,
        start_us: NDArray[np.int64],
        *,
        source: ArrayLike,
        destination: ArrayLike,
        port: ArrayLike,
        transport: str = "tcp",
        service: ArrayLike = "-",
        duration_s: ArrayLike = 0.0,
        source_bytes: ArrayLike = 0,
        destination_bytes: ArrayLike = 0,
        state: ArrayLike = "SF",
        source_port: ArrayLike | None = None,
        family: Family | None = None,
    ) -> NDArray[np.int64]:
        """Add one flow for each start, and return their numbers. Scalars hold for all of them.

        Units: microseconds since 1970 for `start_us`, payload bytes for the bytes. The packets, the history
        and what Zeek leaves unset follow from the state.
        """
        n = len(start_us)
        given = {
            "source": source,
            "destination": destination,
            "port": port,
            "transport": transport,
            "service": service,
            "duration_us": np.asarray(np.asarray(duration_s, float) * SECOND, np.int64),
            "source_bytes": np.asarray(source_bytes, np.int64),
            "destination_bytes": np.asarray(destination_bytes, np.int64),
            "state": state,
            "source_port": rng.integers(32768, 61000, n) if source_port is None else source_port,
            "truth": self._code(family),
        }
        batch = {"time_us": np.asarray(start_us, np.int64)}
        batch |= {name: np.broadcast_to(np.asarray(values), (n,)) for name, values in given.items()}
        self._batches["flow"].append(shape_flows(batch, rng))
        numbers = np.arange(self._flows, self._flows + n)
        self._flows += n
        return numbers

    def hang_on(self, kind: str, flow: NDArray[np.int64], time_us: NDArray[np.int64], /, **columns: ArrayLike) -> None:
        """Add records of `kind` (dns, http, ssl, alert), each belonging to the flow of that number."""
        n = len(flow)
        batch = {"flow": flow, "time_us": np.asarray(time_us, np.int64)}
        self._batches[kind].append(batch | {k: np.broadcast_to(np.asarray(v), (n,)) for k, v in columns.items()})

    def auth(self, time_us: ArrayLike, host: ArrayLike, text: ArrayLike, *, family: Family | None = None) -> None:
        """Add lines to the authentication log: `text` is what follows the host's name."""
        self._say("auth", time_us, host, text, family)

    def windows(self, time_us: ArrayLike, host: ArrayLike, text: ArrayLike, *, family: Family | None = None) -> None:
        """Add Windows events: `text` is the rest of the JSON object, after its time and host."""
        self._say("windows", time_us, host, text, family)

    def silence(self, host: str, begin_us: int, end_us: int) -> None:
        """Let a host write no line of its logs from one moment to before another."""
        self._silences.append((host, begin_us, end_us))

    def _say(self, log: str, time_us: ArrayLike, host: ArrayLike, text: ArrayLike, family: Family | None) -> None:
        times = np.atleast_1d(np.asarray(time_us, np.int64))
        batch = {"time_us": times, "host": host, "text": text, "truth": self._code(family)}
        self._batches[log].append({k: np.broadcast_to(np.asarray(v), times.shape) for k, v in batch.items()})

    def flow_columns(self) -> Columns:
        """Return all flows added so far; a flow's number is its position."""
        return _joined(self._batches["flow"])

    def tables(self, rng: np.random.Generator) -> dict[str, Columns]:
        """Return one table a log, with uids, cut to the window and in the order in which a sensor writes."""
        flows = self._ended_in_window(self.flow_columns())
        flows["uid"] = random_ids(rng, "C", len(flows["time_us"]))
        tables = {"conn": self._in_window(flows)}
        for kind in ("dns", "http", "ssl", "alert"):
            table = _joined(self._batches[kind])
            of = table.pop("flow")
            mine = {name: flows[name][of] for name in _OF_THE_FLOW}
            mine["flow_time_us"] = flows["time_us"][of]
            mine["flow"] = of
            tables[kind] = self._in_window(mine | table | {"written_us": table["time_us"]})
        for log in ("auth", "windows"):
            table = self._without_silences(_joined(self._batches[log]))
            tables[log] = self._in_window(table | {"written_us": table["time_us"]})
        return tables

    def _code(self, family: Family | None) -> int:
        if family is None:
            return BENIGN
        if family not in self.families:
            self.families.append(family)
        return self.families.index(family)

    def _ended_in_window(self, flows: Columns) -> Columns:
        """Cut a flow that would outlast the window, and say when the sensor writes each."""
        left = self.window.end_us - 1 - flows["time_us"]
        duration = np.minimum(flows["duration_us"], left)
        # Zeek waits for more: ten seconds or so after the last datagram, five after an unanswered SYN.
        waits = np.where(flows["transport"] == "tcp", np.where(flows["state"] == "S0", 5, 0), 10) * SECOND
        written = flows["time_us"] + np.maximum(duration, 0) + waits
        return flows | {"duration_us": duration, "written_us": np.minimum(written, self.window.end_us - 1)}

    def _without_silences(self, table: Columns) -> Columns:
        heard = np.ones(len(table["time_us"]), bool)
        for host, begin_us, end_us in self._silences:
            heard &= (table["host"] != host) | (table["time_us"] < begin_us) | (table["time_us"] >= end_us)
        return {name: values[heard] for name, values in table.items()}

    def _in_window(self, table: Columns) -> Columns:
        time = table.get("flow_time_us", table["time_us"])
        inside = (time >= self.window.start_us) & (table["time_us"] < self.window.end_us)
        inside &= (time < self.window.end_us) & (table["time_us"] >= self.window.start_us)
        kept = np.flatnonzero(inside)
        if "source" in table:  # no sensor on the network sees what a machine says to itself
            kept = kept[table["source"][kept] != table["destination"][kept]]
        order = kept[np.argsort(table["written_us"][kept], kind="stable")]
        return {name: values[order] for name, values in table.items()}


_OF_THE_FLOW = (
    *("uid", "source", "source_port", "destination", "port", "transport", "truth", "service"),
    *("source_bytes", "destination_bytes", "source_packets", "destination_packets"),
)
_BASE62 = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)


def random_ids(rng: np.random.Generator, prefix: str, n: int) -> NDArray[np.str_]:
    """Return `n` identifiers like Zeek's: `prefix` and 17 letters and digits.

    Examples
    --------
    >>> [len(i) for i in random_ids(np.random.default_rng(0), "C", 2)]
    [18, 18]
    """
    letters = _BASE62[rng.integers(0, 62, (n, 17))]
    letters = np.concatenate([np.full((n, len(prefix)), np.frombuffer(prefix.encode(), np.uint8)), letters], axis=1)
    return np.ascontiguousarray(letters).view(f"S{17 + len(prefix)}").ravel().astype(str)


def _joined(batches: list[Columns]) -> Columns:
    return {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}
