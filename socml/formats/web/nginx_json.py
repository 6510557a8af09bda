"""Access logs that a web server writes as JSON, one object a line → events: nginx, Apache, Caddy and Traefik.

There is no standard set of names: nginx has whatever `log_format … escape=json` says, most often its variables'
own names. Known names become columns, the rest is in `extra`. `time_local` and `msec` are read as well as ISO times;
`request` ("GET / HTTP/1.1") is taken apart where the parts are not given. `$bytes_sent` counts headers, which
`$body_bytes_sent` does not: the first is taken only if the second is absent. Durations are read as seconds, as nginx
has them; Traefik's are nanoseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from socml.formats._addresses import address
from socml.formats._envelope import first_objects, members
from socml.formats._fields import Fields
from socml.formats._json import extra_of, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import Clock, clock_of, epoch, iso
from socml.formats.web._access_lines import access_time, outcome

__all__ = ["NginxJson"]

_TIMES = ("time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts", "msec", "StartUTC", "date")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_port": ("remote_port", "ClientPort", "request.remote_port"),
    "user_name": ("remote_user", "user", "ClientUsername", "user_id"),
    "http_request_method": ("request_method", "method", "RequestMethod", "request.method", "verb"),
    "url_original": ("request_uri", "uri", "url", "path", "RequestPath", "request.uri"),
    "http_response_status_code": ("status", "status_code", "response", "DownstreamStatus", "response_code"),
    "user_agent_original": (
        "http_user_agent", "user_agent", "userAgent", "agent", "request_User-Agent", "User-Agent",
    ),
    "destination_bytes": ("body_bytes_sent", "bytes", "size", "DownstreamContentSize", "bytes_sent", "response_size"),
    "source_bytes": ("request_length", "bytes_read", "RequestContentSize"),
    "duration_s": ("request_time", "duration", "responsetime"),
    "host_name": ("host", "server_name", "http_host", "vhost", "RequestHost", "request.host"),
    "destination_port": ("server_port", "port", "RequestPort"),
    "tls_version": ("ssl_protocol", "TLSVersion"),
}  # fmt: skip
_CLIENT = (
    "remote_addr",
    "remote_ip",
    "client_ip",
    "clientip",
    "client",
    "ClientHost",
    "request.remote_ip",
    "remote_host",
)
_REQUEST = re.compile(r"(\S+) (.*) HTTP/([\d.]+)", re.DOTALL)
_NAMES = {*_CLIENT, "request", "http_user_agent", "time_local", "time_iso8601", "body_bytes_sent", "request_method"}


class NginxJson:
    """JSON access logs, by the names of nginx's variables and those that other servers use."""

    name = "nginx-json"
    about = "access logs as JSON lines: nginx (escape=json), Apache, Caddy, Traefik"
    specification = "https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format"
    examples = (
        '{"time_local":"29/Feb/2024:13:06:56 +0100","remote_addr":"192.0.2.7","remote_user":"","request":'
        '"GET /a HTTP/1.1","status": "200","body_bytes_sent":"612","request_time":"0.004",'
        '"http_referrer":"","http_user_agent":"curl/8.5"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with a client's address, a status, and names of a request."""
        found = [flatten(one) for one in first_objects(head)]
        fit = sum(_is_access(one) for one in found)
        return 0.93 * fit / len(found) if fit else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        return batches(
            members(source),
            lambda record: _event(flatten(loads_exactly(record)), clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


def _is_access(found: dict[str, object]) -> bool:
    status = any(name in found for name in _COLUMNS["http_response_status_code"])
    return status and any(name in found for name in _CLIENT) and len(_NAMES & found.keys()) >= 2


def _event(found: dict[str, object], clock: Clock) -> dict[str, object]:
    fields = Fields({name: None if value == "-" else value for name, value in found.items()})
    time_name = next((name for name in _TIMES if fields.peek(name) is not None), None)
    row: dict[str, object] = {
        "time": None if time_name is None else _when(fields.take(time_name), clock),
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "network_transport": "tcp",
        "network_protocol": "http",
    }
    scale = 1e-9 if "DownstreamStatus" in found else 1.0
    if scale != 1.0 and isinstance(found.get("Duration"), (int, float)):
        row["duration_s"] = cast("float", fields.take("Duration")) * scale
    client = fields.peek(*_CLIENT)
    parts = _REQUEST.fullmatch(str(fields.peek("request") or ""))
    if parts and fields.peek(*_COLUMNS["http_request_method"]) is None:
        row["http_request_method"], row["url_original"] = parts[1], parts[2]
        fields.take("request")
    row |= {name: value for name, value in fields.columns(_COLUMNS).items() if row.get(name) is None}
    row["event_outcome"] = outcome(cast("int | None", row.get("http_response_status_code")))
    row["source_ip"] = address(str(client)) if client is not None else None
    if row["source_ip"]:
        fields.take(*_CLIENT)
    row["extra"] = fields.rest()
    if parts and "http_version" not in extra_of(row):
        extra_of(row)["http_version"] = parts[3]
    return row


def _when(value: object, clock: Clock) -> datetime:
    if isinstance(value, (int, float)) or str(value).replace(".", "", 1).isdecimal():
        return epoch(value)
    text = str(value)
    return access_time(text, clock) if text[2:3] == "/" else iso(text, clock)
