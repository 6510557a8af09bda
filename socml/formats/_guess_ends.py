"""Both ends of a connection in a record of a tool that nobody knows: its ports, directions, volumes and how long it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from socml.formats._addresses import address_and_port
from socml.formats._field_names import guess, plain_name
from socml.formats._json import text_of
from socml.formats._times import Clock
from socml.formats._values import column_value

__all__ = ["complete_ends", "is_bare_duration"]

_ENDS_OF_BOTH = re.compile(
    r"(?P<source>[^\s>]{1,256}):(?P<source_port>\d{1,5}) ?-> ?(?P<destination>[^\s>]{1,256}):(?P<destination_port>\d{1,5})"
)
_BARE_DURATIONS = frozenset(
    "duration dur elapsed elapsedtime sessionduration connectionduration connduration conduration".split()
)
_LONGEST_FLOW = 86400  # of a duration that may be seconds; a larger number is of something smaller
_ENDS = frozenset("end endtime endtimestamp stoptime lastseen last lastpacket timeend endts flowend".split())
_OUTWARD = frozenset({"outbound", "outgoing", "out", "egress"})
_INWARD = frozenset({"inbound", "incoming", "in", "ingress"})
_BOUNDS = ("inbound", "outbound")
_NOBODY = ("0.0.0.0", "::")  # what stands for a peer where there is none  # noqa: S104
_PASSING, _SERVICES = 32768, 1024  # the least port that Linux gives a client; the first that is not kept for services
_REMOTE, _LOCAL = ("remote", "foreign", "peer", "raddr"), ("local", "laddr")
# Names that say little: they hold only beside the ends of a connection, or one of them
_WEAK = {
    "source_port": ({"sp"}, ("source_ip", "destination_ip")),
    "destination_port": ({"dp"}, ("source_ip", "destination_ip")),
    "user_name": ({"by", "person", "userinfo"}, ("source_ip",)),
    "event_outcome": ({"rc", "res", "exit", "accepted", "approved"}, ("source_ip",)),
}
_ONLY_PORT = re.compile(r"(?i)port(?:\.\d)?")
_ADDRESS_ENDS = re.compile(r"(?:ip|addr|address|host)$")
_NO_CLOCK = Clock(None, None, None)
_SENT = frozenset({"sent", "spkt"})
_BARE_VOLUMES = frozenset({"bytes", "octets", "packets", "pkts"}) | _SENT


def complete_ends(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Complete a record's columns, and the fields that they were `taken` from, by what several of its fields say together."""
    _ports(row, taken, found)
    _ports_beside(row, taken, used, found)
    _both_ends(row, taken, found)
    _ports_alike(row, taken, used, found)
    _ports_behind(row, taken, used, found)
    _let_go(row, taken, used, found)
    _passing_port(row, taken, found)
    _own_side(row, taken, used, found)
    _bare_duration(row, taken, used, found)
    _volume(row, taken, used)
    if plain_name(taken.get("source_bytes", "")) == "outbytes" and "srcaddr" in plain_name(taken.get("source_ip", "")):
        _swap(row, taken, "bytes", "packets")  # of NetFlow, whose IN is what comes into the exporter from the source


def is_bare_duration(plain: str, value: object) -> bool:
    """Return whether a field is a duration that tells no unit."""
    return plain in _BARE_DURATIONS and _is_number(value)


def _ports(row: dict[str, object], taken: Mapping[str, str], found: Mapping[str, object]) -> None:
    """Take ports that stand behind addresses."""
    for side in ("source", "destination"):
        ip = taken.get(f"{side}_ip")
        if ip and f"{side}_port" not in row:
            names = [ip, *(name for name, _ in guess(tuple(found)).columns[f"{side}_ip"])]
            ends = (address_and_port(text_of(found[name])) for name in names if isinstance(found[name], str))
            port = next((port for address, port in ends if port is not None and address == row[f"{side}_ip"]), None)
            if port:
                row[f"{side}_port"] = port


def _ports_beside(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take the port that stands in the same object as an address, where each side has an object of its own: `from.ip`, `from.port`."""
    parents = {side: taken.get(f"{side}_ip", "").rpartition(".")[0] for side in ("source", "destination")}
    if not all(parents.values()) or len(set(parents.values())) < len(parents):
        return
    ports = {side: next((n for n in (f"{at}.port", f"{at}.Port") if n in found), "") for side, at in parents.items()}
    for column in ("source_port", "destination_port"):
        if taken.get(column) in ports.values():
            row.pop(column)
            used.discard(taken.pop(column))
    for side, name in ports.items():
        port = column_value(f"{side}_port", found[name], "", _NO_CLOCK) if name else None
        if port is not None and f"{side}_port" not in row:
            row[f"{side}_port"], taken[f"{side}_port"] = port, name
            used.add(name)


def _both_ends(row: dict[str, object], taken: dict[str, str], found: Mapping[str, object]) -> None:
    """Take both ends of a connection that one field tells: `pc7:50510 -> 192.0.2.7:443`."""
    if "destination_ip" in row:
        return
    for name, value in found.items():
        if isinstance(value, str) and "->" in value[:300] and (both := _ENDS_OF_BOTH.fullmatch(value)):
            for side in ("source", "destination"):
                ip = column_value(f"{side}_ip", both[side], "", _NO_CLOCK)
                port = column_value(f"{side}_port", both[f"{side}_port"], "", _NO_CLOCK)
                row |= {name: v for name, v in ((f"{side}_ip", ip), (f"{side}_port", port)) if v is not None}
            if taken.get("file_path") == name:
                row.pop("file_path")
                taken.pop("file_path")
            return


def _ports_alike(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take the port that is called as an address is but for its last word, where each side's address has another name: `s_ip`, `s_port`."""
    ports = {plain_name(name): name for name in found if plain_name(name).endswith("port")}
    for side, other in (("source", "destination"), ("destination", "source")):
        stem = _ADDRESS_ENDS.sub("", plain_name(taken.get(f"{side}_ip", "")))
        name = ports.get(f"{stem}port", "") if stem else ""
        port = column_value(f"{side}_port", found[name], "", _NO_CLOCK) if name else None
        if port is None or taken.get(f"{side}_port") == name or f"{other}_ip" not in row:
            continue
        if taken.get(f"{other}_port") == name:
            row.pop(f"{other}_port")
            used.discard(taken.pop(f"{other}_port"))
        row[f"{side}_port"], taken[f"{side}_port"] = port, name
        used.add(name)


def _ports_behind(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take two ports that are only called so, each right behind an address: `src=… port=… dst=… port=…`."""
    names = list(found)
    ports: dict[str, str] = {}
    for side in ("source", "destination"):
        at = names.index(taken[f"{side}_ip"]) + 1 if taken.get(f"{side}_ip") in found else len(names)
        if at < len(names) and _ONLY_PORT.fullmatch(names[at]):
            ports[side] = names[at]
    if len(ports) == len(("source", "destination")):
        for side, name in ports.items():
            port = column_value(f"{side}_port", found[name], "", _NO_CLOCK)
            row.pop(f"{side}_port", None)
            row |= {f"{side}_port": port} if port is not None else {}
            taken[f"{side}_port"] = name
            used.add(name)


def _let_go(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Let go of what weak names tell where nobody comes from anywhere: `by=price`, `sp=98`; of outcomes, numbers: `exit=42`."""
    for column, (names, beside) in _WEAK.items():
        end, value = plain_name(taken.get(column, "").rpartition(".")[2]), found.get(taken.get(column, ""))
        is_word = column == "event_outcome" and str(value).isalpha() and not (end == "exit" and value in (True, False))
        if end in names and not is_word and not all(map(row.get, beside)):
            row.pop(column, None)
            used.discard(taken.pop(column))


def _passing_port(row: dict[str, object], taken: dict[str, str], found: Mapping[str, object]) -> None:
    """Take a passing port that is only called so, and stands right behind the source's address, for the source's: no other end is told."""
    name, port = taken.get("destination_port", ""), row.get("destination_port")
    if plain_name(name) != "port" or "destination_ip" in row or "source_port" in row:
        return
    names = list(found)
    behind = taken.get("source_ip") in names and names.index(name) == names.index(taken["source_ip"]) + 1
    if behind and isinstance(port, int) and port >= _PASSING:
        _swap(row, taken, "port")


def _own_side(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take the local end for the source where the record says that it began the connection, or where the ports do; leave out a remote end that is none."""
    remote = plain_name(taken.get("source_ip", ""))
    own = plain_name(taken.get("destination_ip", ""))
    if not (any(word in own for word in _LOCAL) and any(word in remote for word in _REMOTE)):
        return
    told = [_is_outward(name, value) for name, value in found.items() if _tells_direction(name, value)]
    if any(told) or (not told and _asks_service(row)):
        _swap(row, taken, "ip", "port")
    elif row.get("source_ip") in _NOBODY and "source_port" not in row:  # of a socket that listens
        row.pop("source_ip")
        used.discard(taken.pop("source_ip"))


def _asks_service(row: Mapping[str, object]) -> bool:
    """Return whether a local end with a passing port is connected to a remote one with a service's."""
    local, remote = row.get("destination_port"), row.get("source_port")
    return isinstance(local, int) and isinstance(remote, int) and local >= _PASSING and remote < _SERVICES


def _tells_direction(name: str, value: object) -> bool:
    last = plain_name(name.rpartition(".")[2])
    says = str(value).lower()
    if last == "initiated" or last.endswith(_BOUNDS):
        return says in ("true", "false")
    return last.endswith(("direction", "dir")) and says in (*_OUTWARD, *_INWARD)


def _is_outward(name: str, value: object) -> bool:
    """Return whether a field says that this end began a connection: `flow_direction` is egress, Sysmon's `Initiated` or `is_outbound` true."""
    last = plain_name(name.rpartition(".")[2])
    says = str(value).lower()
    if last.endswith(_BOUNDS):
        return says == ("false" if last.endswith("inbound") else "true")
    return (last == "initiated" and says == "true") or (last.endswith(("direction", "dir")) and says in _OUTWARD)


def _swap(row: dict[str, object], taken: dict[str, str], *kinds: str) -> None:
    """Swap what is the source's and the destination's, with the fields that they were taken from."""
    for kind in kinds:
        ends = (f"source_{kind}", f"destination_{kind}")
        values, names = [row.pop(end, None) for end in ends], [taken.pop(end, None) for end in ends]
        row.update({end: value for end, value in zip(ends, reversed(values), strict=True) if value is not None})
        taken.update({end: name for end, name in zip(ends, reversed(names), strict=True) if name is not None})


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) or (
        isinstance(value, str) and value.replace(".", "", 1).replace(",", "", 1).isdecimal()
    )


def _bare_duration(row: dict[str, object], taken: dict[str, str], used: set[str], found: Mapping[str, object]) -> None:
    """Take a duration that says no unit: by the record's own start and end, else seconds, as flows and firewalls count."""
    if "duration_s" in row:
        return
    names = [name for name, plain in guess(tuple(found)).columns.get("duration_s", ()) if plain in _BARE_DURATIONS]
    number = column_value("duration_s", found[names[0]], "", _NO_CLOCK) if names else None
    if not isinstance(number, float):
        return
    start, end = row.get("time"), next((name for name in found if plain_name(name) in _ENDS), "")
    until = column_value("time", found[end], "time", _NO_CLOCK) if end and end != taken.get("time") else None
    if isinstance(start, datetime) and isinstance(until, datetime):
        seconds = (until - start).total_seconds()
        scale = next((s for s in (1, 1e3, 1e6, 1e9) if abs(number / s - seconds) <= max(1.0, 0.01 * seconds)), None)
    else:
        is_flow = "source_ip" in row and "destination_ip" in row and "http_request_method" not in row
        scale = 1 if is_flow and number <= _LONGEST_FLOW else None
    if scale:
        row["duration_s"], taken["duration_s"] = number / scale, names[0]
        used.add(names[0])


def _volume(row: dict[str, object], taken: dict[str, str], used: set[str]) -> None:
    """Keep what is only called bytes or packets where a flow of one direction counts it: of a request, or of both, it is not the source's."""
    for column in ("source_bytes", "source_packets"):
        name = taken.get(column, "")
        is_bare = plain_name(name) in _BARE_VOLUMES
        is_of_both = plain_name(name) not in _SENT and "destination_bytes" in row
        if is_bare and ("destination_ip" not in row or "http_request_method" in row or is_of_both):
            row.pop(column)
            used.discard(taken.pop(column))
