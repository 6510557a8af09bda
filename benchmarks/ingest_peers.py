"""A log file → Parquet, as one would do it without socml: the peers of `make bench-ingest`."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# what a script would take from an EVE record: 9 fields at the top, 13 below
EVE_TOP = ("timestamp", "flow_id", "event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto")
EVE_DEEP = (
    ("alert", "signature_id"), ("alert", "signature"), ("alert", "severity"), ("flow", "bytes_toserver"),
    ("flow", "bytes_toclient"), ("flow", "pkts_toserver"), ("flow", "pkts_toclient"), ("flow", "state"),
    ("dns", "rrname"), ("dns", "rrtype"), ("http", "hostname"), ("http", "url"), ("tls", "sni"),
)  # fmt: skip
SSH = re.compile(
    r"(?P<time>[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d) (?P<host>\S+) (?P<program>[^\s\[:]+)(?:\[(?P<pid>\d+)\])?: (?:"
    r"(?P<what>Failed|Accepted) (?P<method>\S+) for (?:invalid user )?(?P<user>.*?) from (?P<ip>\S+) port (?P<port>\d+)(?: ssh2)?"
    r"|Invalid user (?P<user2>.*?) from (?P<ip2>\S+)"
    r"|Received disconnect from (?P<ip3>[^\s:]+): (?P<reason>.*)"
    r"|Connection closed by (?P<ip4>\S+)(?: \[preauth\])?"
    r"|(?P<other>.*))"
)
APACHE = re.compile(
    r'(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<url>.*?) (?P<version>\S+)" '
    r'(?P<status>\d{3}) (?P<size>\S+) "(?P<referer>[^"]*)" "(?P<agent>.*)"'
)


def zat_zeek(path: Path, out: Path) -> int:
    """Zeek's conn.log by zat, into a DataFrame and Parquet."""
    from zat.log_to_dataframe import LogToDataFrame

    frame = LogToDataFrame().create_dataframe(str(path))
    frame.to_parquet(out, compression="zstd")
    return len(frame)


def json_eve(path: Path, out: Path, loads: Callable[[bytes], Any] = json.loads) -> int:
    """EVE by a JSON parser and a loop over the fields."""
    columns: dict[str, list[Any]] = {name: [] for name in (*EVE_TOP, *(".".join(deep) for deep in EVE_DEEP))}
    with path.open("rb") as file:
        for line in file:
            found = loads(line)
            columns["timestamp"].append(datetime.fromisoformat(found["timestamp"]))
            for name in EVE_TOP[1:]:
                columns[name].append(found.get(name))
            for outer, inner in EVE_DEEP:
                under = found.get(outer)
                columns[f"{outer}.{inner}"].append(under.get(inner) if under is not None else None)
    return _write(columns, out)


def json_zeek(path: Path, out: Path) -> int:
    """Zeek's conn.log in JSON by a JSON parser, every field into a column."""
    columns: dict[str, list[Any]] = {}
    with path.open("rb") as file:
        for row, line in enumerate(file):
            found = json.loads(line)
            for name, value in found.items():
                if name not in columns:
                    columns[name] = [None] * row
                columns[name].append(value)
            if len(found) < len(columns):
                for values in columns.values():
                    if len(values) == row:
                        values.append(None)
    return _write(columns, out)


def orjson_eve(path: Path, out: Path) -> int:
    """The same with orjson."""
    import orjson

    return json_eve(path, out, orjson.loads)


def re_ssh(path: Path, out: Path) -> int:
    """sshd's lines by one compiled pattern; the year is known, and numbers become numbers."""
    typed: dict[str, Callable[[str], Any]] = {
        "time": lambda text: datetime.strptime(f"2025 {text}", "%Y %b %d %H:%M:%S"),
        "pid": int,
        "port": int,
    }
    return _by_pattern(SSH, typed, path, out)


def re_apache(path: Path, out: Path) -> int:
    """An access log by one compiled pattern; times and numbers are converted."""
    typed: dict[str, Callable[[str], Any]] = {
        "time": lambda text: datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"),
        "status": int,
        "size": lambda text: None if text == "-" else int(text),
    }
    return _by_pattern(APACHE, typed, path, out)


def dpkt_flows(path: Path, out: Path) -> int:
    """A capture by dpkt and a dict of flows, which end after 120 s of silence."""
    import dpkt

    flows: dict[tuple[Any, ...], list[Any]] = {}
    done: list[tuple[tuple[Any, ...], list[Any]]] = []
    with path.open("rb") as file:
        for when, data in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(data).data
            if not isinstance(ip, dpkt.ip.IP):
                continue
            transport = ip.data
            ports = (getattr(transport, "sport", 0), getattr(transport, "dport", 0))
            ends = (ip.src, ports[0]), (ip.dst, ports[1])
            key = (*sorted(ends), ip.p)
            flow = flows.get(key)
            if flow is not None and when - flow[1] > 120:
                done.append((key, flow))
                flow = None
            if flow is None:
                flow = flows[key] = [when, when, 0, 0, 0, 0, ends[0]]
            forward = ends[0] == flow[6]
            flow[1] = when
            flow[2 if forward else 3] += 1
            flow[4 if forward else 5] += ip.len
    done += flows.items()
    rows = [(*_end(flow[6]), *_end(key[1] if key[0] == flow[6] else key[0]), key[2], *flow[:6]) for key, flow in done]
    names = "source_ip source_port destination_ip destination_port protocol start end packets back bytes bytes_back"
    return _write(dict(zip(names.split(), map(list, zip(*rows, strict=True)), strict=True)), out)


def nfstream_flows(path: Path) -> int:
    """Return how many flows nfstream makes of a capture, without dissection."""
    from nfstream import NFStreamer

    settings = {"n_dissections": 0, "statistical_analysis": False, "idle_timeout": 120, "active_timeout": 1800}
    return sum(1 for _ in NFStreamer(source=str(path), **settings))


def csv_apache(path: Path, out: Path) -> int:
    """An access log as a CSV of blanks and quotes, by pyarrow.csv, which drops what does not fit."""
    import pyarrow.csv as pacsv

    dropped: list[Any] = []

    def drop(row: Any) -> str:
        dropped.append(row)
        return "skip"

    names = ["host", "ident", "user", "time", "zone", "request", "status", "size", "referer", "agent"]
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
        parse_options=pacsv.ParseOptions(delimiter=" ", quote_char='"', escape_char="\\", invalid_row_handler=drop),
    )
    pq.write_table(table, out, compression="zstd")
    return len(table) + len(dropped)


def _by_pattern(pattern: re.Pattern[str], typed: dict[str, Callable[[str], Any]], path: Path, out: Path) -> int:
    columns: dict[str, list[Any]] = {name: [] for name in pattern.groupindex}
    plain = [(name, columns[name]) for name in columns if name not in typed]
    with path.open(encoding="utf-8", errors="backslashreplace") as file:
        for line in file:
            found = pattern.match(line)
            if not found:
                continue
            for name, values in plain:
                values.append(found[name])
            for name, convert in typed.items():
                text = found[name]
                columns[name].append(None if text is None else convert(text))
    return _write(columns, out)


def _write(columns: dict[str, list[Any]], out: Path) -> int:
    table = pa.table(columns)
    pq.write_table(table, out, compression="zstd", compression_level=1)
    return len(table)


def _end(end: tuple[bytes, int]) -> tuple[str, int]:
    return socket.inet_ntoa(end[0]), end[1]
