"""One report of Cuckoo or CAPE → its events: the sample, signatures, processes, network, dropped files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from socml.formats._addresses import address
from socml.formats._fields import whole
from socml.formats._json import extra_of, flatten, text_of
from socml.formats._times import Clock, epoch, iso

__all__ = ["sandbox_events", "signature_event"]

_SIGNATURE_SEVERITY = {0: 0, 1: 30, 2: 60, 3: 90}
_HASHES = ("sha256", "sha1", "md5")

Item = tuple[str, Any, dict[str, Any] | Exception]


def sandbox_events(report: dict[str, object], clock: Clock) -> Iterator[Item]:
    """Yield (what it is, the part of the report, the event columns or the ValueError) for each event."""
    info, behaviour = _dict(report.get("info")), _dict(report.get("behavior"))
    network = _dict(report.get("network"))
    shared: dict[str, object] = {"observer_name": f"cuckoo {info.get('version') or ''}".strip()}
    started = None
    try:
        started = _when(info.get("started"), clock)
        machine = info.get("machine")
        shared["host_name"] = text_of(machine.get("label") if isinstance(machine, dict) else machine)
        yield "sample", info, _sample(report, info, behaviour, network) | shared | {"time": started}
    except ValueError as error:
        yield "sample", info, error
    shared["file_hash"] = _hash(_dict(_dict(report.get("target")).get("file")))
    for one in _dicts(report.get("signatures")):
        yield "signature", one, signature_event(one) | shared | {"time": started}
    parts: tuple[tuple[str, object, Callable[[dict[str, object]], dict[str, object]]], ...] = (
        ("process", behaviour.get("processes"), lambda one: _process(one, clock)),
        ("dns", network.get("dns"), _dns),
        ("http", network.get("http"), _http),
        ("tcp", network.get("tcp"), lambda one: _flow(one, "tcp")),
        ("udp", network.get("udp"), lambda one: _flow(one, "udp")),
        ("dropped", report.get("dropped"), _dropped),
    )
    for what, found, read in parts:
        for one in _dicts(found):
            try:
                yield what, one, _placed(shared | read(one), one, started, what)
            except ValueError as error:
                yield what, one, error


def signature_event(one: dict[str, object]) -> dict[str, object]:
    """Return the columns of one signature that matched."""
    techniques = one.get("ttp") or one.get("ttps") or {}
    names = list(techniques) if isinstance(techniques, (dict, list)) else []
    families = one.get("families") or []
    return {
        "class_uid": 2004,
        "event_category": "malware",
        "event_action": "signature",
        "rule_name": text_of(one.get("name")),
        "message": text_of(one.get("description")),
        "event_severity": _SIGNATURE_SEVERITY.get(_number(one.get("severity")), 90),
        "threat_name": text_of(cast("list[object]", families)[0]) if families else None,
        "threat_technique_id": [str(t) for t in names] or None,
        "extra": _extra(one, ("name", "description", "marks", "data", "new_data", "families", "ttp")),
    }


def _sample(
    report: dict[str, object], info: dict[str, object], behaviour: dict[str, object], network: dict[str, object]
) -> dict[str, object]:
    target = _dict(report.get("target"))
    file = _dict(target.get("file"))
    score = report.get("malscore", info.get("score"))
    counts = _counts(report, behaviour, network)
    family = report.get("malfamily") or report.get("malfamily_tag") or None
    seconds = info.get("duration")
    techniques = cast("list[object]", report.get("ttps") or [])
    names = [t.get("ttp") if isinstance(t, dict) else t for t in techniques]
    return {
        "class_uid": 2004,
        "event_category": "malware",
        "event_action": "sandbox_analysis",
        "file_path": text_of(file.get("name") or target.get("url")),
        "file_hash": _hash(file),
        "url_original": text_of(target.get("url")),
        "threat_name": text_of(family),
        "event_severity": min(max(round(score * 10), 0), 100) if isinstance(score, (int, float)) else None,
        "threat_technique_id": [str(name) for name in names if name] or None,
        "duration_s": float(seconds) if isinstance(seconds, (int, float)) else None,
        "extra": _extra(info, ("version", "started", "machine", "duration")) | _extra(file, ("name", "strings", "yara"))
        | {name: str(count) for name, count in counts.items()},
    }  # fmt: skip


def _counts(report: dict[str, object], behaviour: dict[str, object], network: dict[str, object]) -> dict[str, int]:
    """Return how often each API was called, which signatures matched, and how much of each kind of network was seen."""
    calls: Counter[str] = Counter()
    for process in _dicts(behaviour.get("processes")):
        for call in _dicts(process.get("calls")):
            calls[f"api.{call.get('api')}"] += 1 + _number(call.get("repeated"))
    listed = bool(calls)
    for apis in _dict(behaviour.get("apistats")).values():  # Cuckoo 2 counts itself
        if not listed:
            calls.update({f"api.{name}": _number(number) for name, number in _dict(apis).items()})
    matched = {f"signature.{one.get('name')}": 1 for one in _dicts(report.get("signatures"))}
    seen = {f"network.{kind}": len(found) for kind, found in network.items() if isinstance(found, list)}
    return {**calls, **matched, **seen, "processes": len(_dicts(behaviour.get("processes")))}


def _process(one: dict[str, object], clock: Clock) -> dict[str, object]:
    seen = one.get("first_seen")
    row: dict[str, object] = {
        "class_uid": 1007,
        "event_category": "process",
        "event_action": "process_start",
        "process_name": text_of(one.get("process_name")),
        "process_command_line": text_of(one.get("command_line") or _dict(one.get("environ")).get("CommandLine")),
        "extra": _extra(
            one, ("process_name", "process_id", "calls", "environ", "first_seen", "command_line", "threads")
        ),
    }
    number = one.get("process_id", one.get("pid"))
    if number is not None:
        row["process_pid"] = whole(number, "process_id")
    row["time"] = epoch(seen) if isinstance(seen, (int, float)) else _when(seen, clock)
    return row


def _dns(one: dict[str, object]) -> dict[str, object]:
    answers = [text_of(a.get("data")) for a in _dicts(one.get("answers")) if a.get("data")]
    return {
        "class_uid": 4003,
        "event_category": "network",
        "event_action": "dns_query",
        "dns_question_name": text_of(one.get("request")),
        "dns_question_type": text_of(one.get("type")),
        "dns_answers": answers or None,
        "extra": _extra(one, ("request", "type", "answers")),
    }


def _http(one: dict[str, object]) -> dict[str, object]:
    row: dict[str, object] = {
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "http_request_method": text_of(one.get("method")),
        "url_original": text_of(one.get("uri") or one.get("path")),
        "user_agent_original": text_of(one.get("user-agent")),
        "destination_ip": address(text_of(one.get("dst"))),
        "extra": _extra(one, ("method", "uri", "user-agent")),
    }
    port = one.get("dport", one.get("port"))
    row["destination_port"] = None if port is None else whole(port, "port", 65535)
    return row


def _flow(one: dict[str, object], transport: str) -> dict[str, object]:
    return {
        "class_uid": 4001,
        "event_category": "network",
        "event_action": "connection",
        "network_transport": transport,
        "source_ip": address(text_of(one.get("src"))),
        "destination_ip": address(text_of(one.get("dst"))),
        "source_port": None if one.get("sport") is None else whole(one["sport"], "sport", 65535),
        "destination_port": None if one.get("dport") is None else whole(one["dport"], "dport", 65535),
        "extra": _extra(one, ("src", "dst", "sport", "dport")),
    }


def _dropped(one: dict[str, object]) -> dict[str, object]:
    paths = one.get("guest_paths") or one.get("filepath") or one.get("name")
    return {
        "class_uid": 1001,
        "event_category": "file",
        "event_action": "file_dropped",
        "file_change": "added",
        "file_path": text_of(paths[0] if isinstance(paths, list) and paths else paths),
        "file_hash": _hash(one),
        "extra": _extra(one, ("strings", "yara", "data")),
    }


def _placed(row: dict[str, object], one: dict[str, object], started: datetime | None, what: str) -> dict[str, object]:
    """Give the row a time, if it has none: seconds of the capture after the start, else the start."""
    if row.get("time") is None and started is not None:
        offset = one.get("time")
        is_offset = isinstance(offset, (int, float)) and 0 <= offset < 1e6
        row["time"] = started + timedelta(seconds=float(offset)) if is_offset else started  # type: ignore[arg-type]
    row["extra"] = {**extra_of(row), "part": what}
    return row


def _hash(file: dict[str, object]) -> str | None:
    return next((f"{name}:{file[name]}" for name in _HASHES if isinstance(file.get(name), str) and file[name]), None)


def _extra(found: dict[str, object], without: tuple[str, ...]) -> dict[str, str | None]:
    kept = {name: value for name, value in found.items() if name not in without and value not in ("", [], {}, None)}
    return {name: text_of(value) for name, value in flatten(kept).items()}


def _when(value: object, clock: Clock) -> datetime | None:
    return None if value in (None, "") else epoch(value) if isinstance(value, (int, float)) else iso(value, clock)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
