"""W3C extended logs, as Microsoft IIS, Exchange and CloudFront write them → events.

`#Fields:` says what the columns are and may change in the middle of a file: IIS writes it again after a restart and
when somebody ticks another field. A space inside a value is written as `+`, and `-` is no value; a real plus cannot be
told from a space, so only the user agent has its `+` undone. Times are UTC (`date`, `time`); CloudFront separates by
tabs and percent-encodes. A record before the first `#Fields:` cannot be read. `time-taken` is milliseconds in IIS and
seconds, with a point, in CloudFront.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote

from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import iso
from socml.formats.web._access_lines import outcome

__all__ = ["IisW3c"]

_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_ip": "c-ip",
    "source_port": "c-port",
    "destination_ip": "s-ip",
    "destination_port": ("s-port", "cs-uri-port"),
    "host_name": ("cs-host", "cs(Host)", "x-host-header"),
    "observer_name": ("s-computername", "s-sitename", "x-edge-location"),
    "user_name": "cs-username",
    "http_request_method": "cs-method",
    "http_response_status_code": ("sc-status", "cs-status"),
    "user_agent_original": "cs(User-Agent)",
    "destination_bytes": "sc-bytes",
    "source_bytes": "cs-bytes",
    "tls_version": ("ssl-protocol", "crypt-protocol"),
}


class IisW3c:
    """W3C extended log files."""

    name = "iis-w3c"
    about = "W3C extended logs: IIS, Exchange, CloudFront; #Fields may change inside a file"
    specification = "https://www.w3.org/TR/WD-logfile.html"
    examples = (
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) sc-status time-taken",
        "2024-02-29 13:06:56 192.0.2.1 GET /a.aspx q=1 443 192.0.2.7 Mozilla/5.0+(X11) 200 15",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a `#Fields:` line with a name that W3C logs have."""
        fields = [line for line in head_lines(head, 20) if line.startswith(b"#Fields:")]
        names = b" ".join(fields).split()
        return 0.98 if {b"c-ip", b"cs-method", b"sc-status", b"cs-uri-stem", b"s-ip"} & set(names) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        stated = _Stated()
        return batches(line_records(source), lambda line: _event(line, stated))


@dataclass
class _Stated:
    """What the lines that begin with # have said so far: the columns, and the day of times that stand alone."""

    names: list[str] = field(default_factory=list)
    day: str | None = None


def _event(line: bytes, stated: _Stated) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace")
    if text.startswith("#"):
        if text.startswith("#Fields:"):
            stated.names = text.removeprefix("#Fields:").split()
        if text.startswith("#Date:"):
            stated.day = text.removeprefix("#Date:").strip()[:10]
        raise Skip("directive")
    names = stated.names
    if not names:
        raise ValueError("a record before any #Fields line")
    values = text.split("\t") if "\t" in text else text.split(" ")
    if len(values) != len(names):
        raise ValueError(f"{len(values)} values for {len(names)} fields")
    found = {name: value for name, value in zip(names, values, strict=True) if value != "-"}
    is_web = "cs-method" in names or "cs-uri-stem" in names
    row: dict[str, object] = {
        "time": _when(found, stated.day),
        "class_uid": 4002 if is_web else None,
        "event_category": "web" if is_web else None,
        "event_action": "http_request" if is_web else None,
        "network_transport": "tcp" if is_web else None,
        "network_protocol": "http" if is_web else None,
    }
    agent = found.get("cs(User-Agent)")
    if agent is not None:
        found["cs(User-Agent)"] = unquote(agent) if "%" in agent else agent.replace("+", " ")
    fields = Fields(found)
    stem, query = fields.text("cs-uri-stem", "cs-uri"), fields.text("cs-uri-query")
    row["url_original"] = stem if query is None else f"{stem or ''}?{query}"
    taken = fields.text("time-taken")
    if taken is not None:
        row["duration_s"] = _seconds(taken)
    row |= fields.columns(_COLUMNS)
    row["event_outcome"] = outcome(cast("int | None", row.get("http_response_status_code")))
    row["extra"] = fields.rest()
    return row


def _when(found: dict[str, str], stated: str | None) -> object:
    clock = found.pop("time", None)
    day = found.pop("date", stated)
    if day and clock:
        return iso(f"{day}T{clock}")
    stamp = found.pop("date-time", None)
    return iso(stamp) if stamp else None


def _seconds(taken: str) -> float:
    try:
        return float(taken) if "." in taken else int(taken) / 1000
    except ValueError:
        raise ValueError(f"time-taken is {taken[:60]!r}, not a number") from None
