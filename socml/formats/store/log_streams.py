"""Logs whose records share their labels → events: Loki's and Prometheus' answers, Loki's pushes, and OpenTelemetry's (OTLP as JSON).

A Loki stream is `{"stream": {labels}, "values": [[nanoseconds, line], …]}`; numbers over time (a matrix, a vector) have `metric` for
`stream`, and an event a number, which is `value` in `extra`; OTLP has `resourceLogs`, in each `scopeLogs`, in
each `logRecords`, and writes attributes as lists of keys and values. The stored record is one line of a stream, or one log
record, with the labels that it shares. A line that is itself a record (JSON, logfmt, an access line) is read as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._envelope import members
from socml.formats._field_names import flat_fields
from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import extra_of, json_bytes, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock, epoch
from socml.formats._values import severity_of

__all__ = ["LogStreams"]

_LISTS = ("result", "streams", "resourceLogs")
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue")
Object = dict[str, object]


class LogStreams:
    """Loki's streams and OpenTelemetry's logs."""

    name = "log-streams"
    about = "Loki and Prometheus: answers to queries; Loki: pushes; OpenTelemetry: logs as OTLP writes them in JSON"
    specification = (
        "https://grafana.com/docs/loki/latest/reference/loki-http-api/ and https://opentelemetry.io/docs/specs/otlp/"
    )
    examples = (
        '{"status":"success","data":{"resultType":"streams","result":[{"stream":{"host":"web01"},"values":'
        '[["1772445600000000000","Failed password for root from 192.0.2.7 port 4022 ssh2"]]}]}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of streams with values, and of log records of resources."""
        is_loki = b'"stream"' in head and b'"values"' in head and (b'"result"' in head or b'"streams"' in head)
        is_numbers = b'"metric"' in head and b'"resultType"' in head and (b'"values"' in head or b'"value"' in head)
        is_otlp = b'"resourceLogs"' in head and b'"logRecords"' in head
        return 0.97 * ((is_loki or is_numbers or is_otlp) and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"))

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(_records(source), _event, source, options)


def _records(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield each line or log record with the labels that it shares; what cannot be taken apart as it is."""
    for line, record in members(source, *_LISTS):
        try:
            found = list(_cut(loads_exactly(record)))
        except (ValueError, AttributeError, TypeError, KeyError):
            found = []
        for one in found or [record]:
            yield line, one


def _cut(found: Object) -> Iterator[bytes]:
    if "metric" in found:
        for sample in cast("list[object]", found.get("values") or [found["value"]]):
            yield json_bytes({"metric": found["metric"], "sample": sample})
    if "stream" in found:
        for value in cast("list[list[object]]", found["values"]):
            yield json_bytes({"stream": found["stream"], "value": value})
    for scope in cast("list[Object]", found.get("scopeLogs") or found.get("instrumentationLibraryLogs") or []):
        for record in cast("list[Object]", scope.get("logRecords") or []):
            yield json_bytes({"resource": found.get("resource"), "scope": scope.get("scope"), "record": record})


def _event(record: bytes, clock: Clock) -> Object:
    found = loads_exactly(record)
    if "sample" in found:
        seconds, number = cast("list[object]", found["sample"])
        row = _row(cast("Object", found["metric"]), None, seconds, clock)
        return {**row, "extra": {**extra_of(row), "value": str(number)}}
    if "value" in found:
        nanoseconds, line, *more = cast("list[object]", found["value"])
        labels = cast("Object", found["stream"])
        told = {**labels, **(cast("Object", more[0]) if more and isinstance(more[0], dict) else {})}
        return _row(told, str(line), nanoseconds, clock)
    if "record" not in found:
        raise ValueError("neither a stream with values nor a log record of a resource")
    own = cast("Object", found["record"])
    told = {**_attributes(found.get("resource")), **_attributes(own)}
    body = _value(own.get("body"))
    row = _row(told, body, own.get("timeUnixNano") or own.get("observedTimeUnixNano"), clock)
    row["event_severity"] = severity_of(own.get("severityText") or "") or row.get("event_severity")
    ids = {name: str(own[name]) for name in ("traceId", "spanId") if own.get(name)}
    return {**row, "extra": {**ids, **extra_of(row)}}


def _row(labels: Object, line: object, nanoseconds: object, clock: Clock) -> Object:
    row, _ = guessed_row(flat_fields({**labels, **line} if isinstance(line, dict) else labels), clock)
    if nanoseconds not in (None, "", "0", 0):
        row["time"] = epoch(nanoseconds)
    if not isinstance(line, dict) and line is not None:
        row["message"] = str(line)
        row = with_inner({name: value for name, value in row.items() if value is not None}, str(line), clock)
    return row


def _attributes(holder: object) -> Object:
    """Return the attributes of a resource or record, which are a list of keys and values."""
    listed = cast("Object", holder).get("attributes") if isinstance(holder, dict) else None
    pairs = [one for one in listed if isinstance(one, dict) and "key" in one] if isinstance(listed, list) else []
    return {str(one["key"]): _value(one.get("value")) for one in pairs}


def _value(value: object) -> object:
    """Return what a value of OTLP is, without its type."""
    if not isinstance(value, dict):
        return value
    if "kvlistValue" in value:
        return {str(one["key"]): _value(one.get("value")) for one in value["kvlistValue"].get("values", ())}
    if "arrayValue" in value:
        return [_value(one) for one in value["arrayValue"].get("values", ())]
    return next((value[name] for name in _VALUES if name in value), None)
