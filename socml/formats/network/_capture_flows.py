"""Flows as the kernel counted them → the event table, with TCP's state, the Community ID and statistics in `extra`."""

from __future__ import annotations

from collections.abc import Callable
from socket import AF_INET6, inet_ntop

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._columns import constant, extra_map
from socml.formats._protocols import transport
from socml.formats.network._community_id import community_ids
from socml.project import EVENT, TIME

__all__ = ["flow_events"]

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_OCTETS = pa.array(list(map(str, range(256))))
_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg")


def flow_events(
    flows: NDArray[np.int64], sums: NDArray[np.float64], ends: NDArray[np.uint64]
) -> tuple[pa.Table, list[bytes]]:
    """Return the events, and the line of text that each one's id is made of."""
    from socml.formats.network._flows import COLUMNS

    of = {name: flows[:, i] for i, name in enumerate(COLUMNS)}
    rows = len(flows)
    is_v4 = of["version"] == 4
    texts = _address_texts(ends, is_v4)
    names = _by_value(of["protocol"], transport)
    ports = np.stack([of["source_port"], of["destination_port"]], axis=1).clip(0)
    has_ports = np.isin(of["protocol"], (6, 17, 132)) & (of["source_port"] >= 0)
    raw = _lines(of, names, texts, ports)
    records = raw.cast(pa.binary()).to_pylist()
    answered = of["destination_packets"] > 0
    columns: dict[str, pa.Array] = {
        "raw": raw,
        "source_line": pa.array(of["number"]),
        "time": pa.array(of["first"] // 1000, mask=of["first"] <= 0).view(TIME),
        "class_uid": constant(4001, rows, EVENT["class_uid"].type),
        "event_category": constant("network", rows, pa.string()),
        "event_action": constant("connection", rows, pa.string()),
        "event_outcome": pa.array(np.where(answered, "success", "failure")),
        "source_ip": texts[0],
        "destination_ip": texts[1],
        "source_port": pa.array(ports[:, 0].astype(np.int32), mask=~has_ports),
        "destination_port": pa.array(ports[:, 1].astype(np.int32), mask=~has_ports),
        "network_transport": names,
        "duration_s": pa.array((of["last"] - of["first"]) / 1e9),
        "source_bytes": pa.array(of["source_payload"]),
        "destination_bytes": pa.array(of["destination_payload"]),
        "source_packets": pa.array(of["source_packets"]),
        "destination_packets": pa.array(of["destination_packets"]),
        "connection_state": tcp_states(of),
        "network_community_id": community_ids(ends, is_v4, of["protocol"], _id_ports(of, ports)),
    }
    columns["extra"] = extra_map(_statistics(of, sums), rows)
    return pa.table(columns), records


def tcp_states(of: dict[str, NDArray[np.int64]]) -> pa.Array:
    """Return Zeek's conn_state for each flow of TCP, by the flags that either side sent.

    Examples
    --------
    >>> column = lambda value: np.array([value])
    >>> tcp_states({"protocol": column(6), "source_flags": column(2), "destination_flags": column(20)}).to_pylist()
    ['REJ']
    """
    both = of["source_flags"] << 8 | of["destination_flags"]
    return _by_value(np.where(of["protocol"] == 6, both, -1), lambda at: None if at < 0 else _state(at >> 8, at & 255))


def _by_value(values: NDArray[np.int64], text: Callable[[int], str | None]) -> pa.Array:
    """Return the text of each of many values, few of which differ."""
    unique, which = np.unique(values, return_inverse=True)
    return pa.array([text(value) for value in unique.tolist()], pa.string()).take(pa.array(which))


def _state(ours: int, theirs: int) -> str:
    if not ours & _SYN:
        return "OTH"
    if theirs & _SYN and theirs & _ACK:
        if ours & _RST or theirs & _RST:
            return "RSTO" if ours & _RST else "RSTR"
        closed = (ours & _FIN > 0, theirs & _FIN > 0)
        return {(True, True): "SF", (True, False): "S2", (False, True): "S3"}.get(closed, "S1")
    if theirs & _RST:
        return "REJ"
    if ours & _RST:
        return "RSTOS0"
    return "SH" if ours & _FIN else "S0"


def _lines(
    of: dict[str, NDArray[np.int64]], names: pa.Array, texts: list[pa.Array], ports: NDArray[np.int64]
) -> pa.Array:
    """Return a line of text a flow, which says all that tells it from others."""

    def text(values: NDArray[np.int64]) -> pa.Array:
        return pa.array(values).cast(pa.string())

    ends = [pc.binary_join_element_wise(texts[side], text(ports[:, side]), ":") for side in (0, 1)]
    line = pc.binary_join_element_wise(text(of["first"]), names, ends[0], " ")
    for between, column in ((" > ", ends[1]), (" vlan ", text(of["vlan"]))):
        line = pc.binary_join_element_wise(line, column, between)
    for between, way in ((" sent ", "source"), (" got ", "destination")):
        for what in ("packets", "bytes"):
            line = pc.binary_join_element_wise(line, text(of[f"{way}_{what}"]), between if what == "packets" else "/")
    return line


def _address_texts(ends: NDArray[np.uint64], is_v4: NDArray[np.bool_]) -> list[pa.Array]:
    """Return the sources and the destinations as text."""
    texts = []
    for side in (0, 1):
        low = ends[:, 2 * side + 1]
        octets = [_OCTETS.take(pa.array((low >> np.uint64(shift)) & np.uint64(255))) for shift in (24, 16, 8, 0)]
        text = pc.binary_join_element_wise(*octets, ".")
        if not is_v4.all():
            packed = ends[~is_v4, 2 * side : 2 * side + 2].astype(">u8").tobytes()
            long = [inet_ntop(AF_INET6, packed[at : at + 16]) for at in range(0, len(packed), 16)]
            text = pc.replace_with_mask(text, pa.array(~is_v4), pa.array(long, pa.string()))
        texts.append(text)
    return texts


def _id_ports(of: dict[str, NDArray[np.int64]], ports: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ports, of ICMP type and code."""
    icmp = np.stack([of["icmp"] >> 8, of["icmp"] & 255], axis=1)
    return np.where(np.isin(of["protocol"], (1, 58))[:, None], icmp, ports)


def _statistics(of: dict[str, NDArray[np.int64]], sums: NDArray[np.float64]) -> dict[str, pa.Array]:
    """Return the statistics as text columns: a number that means nothing for a flow is null."""
    found: dict[str, pa.Array] = {}
    for way, side in enumerate(("source", "destination")):
        count = of[f"{side}_packets"]
        some, many = count > 0, count > 1
        found[f"{side}_ip_bytes"] = _text(of[f"{side}_bytes"], some)
        found |= _spread(f"{side}_size", of[f"{side}_bytes"], sums[:, way], count, some, 1)
        for end in ("min", "max"):
            found[f"{side}_size_{end}"] = _text(of[f"{side}_size_{end}"], some)
            found[f"{side}_iat_{end}_s"] = _text(of[f"{side}_iat_{end}"] / 1e9, many)
        took = of[f"{side}_last"] - of[f"{side}_first"]
        found |= _spread(f"{side}_iat", took, sums[:, 2 + way], count - 1, many, 1e9)
    both = of["source_packets"] + of["destination_packets"]
    for end in ("min", "max"):
        found[f"iat_{end}_s"] = _text(of[f"iat_{end}"] / 1e9, both > 1)
    found |= _spread("iat", of["last"] - of["first"], sums[:, 4], both - 1, both > 1, 1e9)
    is_tcp = of["protocol"] == 6
    for flag in _FLAGS:
        found[f"{flag}_count"] = _text(of[flag], is_tcp & (of[flag] > 0))
    found["vlan"] = _text(of["vlan"], of["vlan"] > 0)
    found["icmp_type"] = _text(of["icmp"] >> 8, np.isin(of["protocol"], (1, 58)))
    found["icmp_code"] = _text(of["icmp"] & 255, np.isin(of["protocol"], (1, 58)))
    found["packets_cut"] = _text(of["cut"], of["cut"] > 0)
    return {name: column for name, column in found.items() if column.null_count < len(column)}


def _spread(
    name: str,
    total: NDArray[np.int64],
    squares: NDArray[np.float64],
    count: NDArray[np.int64],
    some: NDArray[np.bool_],
    unit: float,
) -> dict[str, pa.Array]:
    safe = np.maximum(count, 1)
    mean = total / safe
    deviation = np.sqrt(np.maximum(squares / safe - mean**2, 0.0))  # of the population, as numpy's
    suffix, digits = ("_s", 6) if unit != 1 else ("", 3)
    return {
        f"{name}_mean{suffix}": _text(np.round(mean / unit, digits), some),
        f"{name}_std{suffix}": _text(np.round(deviation / unit, digits), some & (count > 1)),
    }


def _text(values: NDArray[np.number], some: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~some).cast(pa.string())
