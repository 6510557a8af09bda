"""What Splunk exports as JSON → events: `search/jobs/export` (a result a line), `{"results": […]}`, and HEC bodies.

`preview: true` rows come again later and are skipped; a last line `{"lastrow": true}` holds none. `_time` is ISO 8601
with a zone, or seconds. `_raw` is the event's text and becomes `message`. Fields with several values are lists. A body
for the HTTP Event Collector is objects one after the other, without line ends or commas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._envelope import first_objects, members
from socml.formats._inner import with_inner
from socml.formats._json import flatten, json_bytes, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats._times import Clock
from socml.formats.store._splunk import splunk_event

__all__ = ["SplunkJson"]

_HEC = {"time", "host", "source", "sourcetype", "index"}


class SplunkJson:
    """Splunk search results and collector events as JSON."""

    name = "splunk-json"
    about = "Splunk: search results exported as JSON, and bodies for the HTTP Event Collector"
    specification = "https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch"
    examples = (
        '{"preview":false,"offset":0,"result":{"_time":"2024-02-29T13:06:56.000+01:00","_raw":"sshd: Failed password",'
        '"host":"web01","source":"/var/log/auth.log","sourcetype":"linux_secure","src":"192.0.2.7"}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of `result` with `preview`, of results with `_raw`, and of collector events."""
        found = first_objects(head, "results")
        fit = sum(_is_ours(one) for one in found)
        return 0.97 * fit / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source, "results"), _event)


def _is_ours(found: dict[str, object]) -> bool:
    if isinstance(found.get("result"), dict):
        return "preview" in found or "offset" in found or "_raw" in cast("dict[str, object]", found["result"])
    return ("_raw" in found and "_time" in found) or _is_collected(found)


def _is_collected(found: dict[str, object]) -> bool:
    """Return whether an object is one for the collector: an event, with a source type or with its time and host."""
    about = found.keys() & _HEC
    return "event" in found and (
        "sourcetype" in about or (about >= {"time", "host"} and isinstance(found["host"], str))
    )


def _event(record: bytes) -> dict[str, object]:
    found = loads_exactly(record)
    if found.get("preview") is True:
        raise Skip("preview")
    if isinstance(found.get("result"), dict):
        return splunk_event(cast("dict[str, object]", found["result"]))
    if "result" not in found and set(found) <= {"preview", "offset", "lastrow", "init_offset", "messages", "fields"}:
        raise Skip("no result")
    if "event" in found and _HEC & found.keys():
        event = found.pop("event")
        more = flatten(
            cast("dict[str, object]", found.pop("fields", {})) if isinstance(found.get("fields"), dict) else {}
        )
        if isinstance(event, dict):
            row = splunk_event({**found, **more, **flatten(event)})
            inner = with_inner({}, json_bytes(event).decode(), Clock(None, None, None))
            return {**inner, **{name: value for name, value in row.items() if value not in (None, [], {})}}
        return splunk_event({**found, **more, **({"_raw": event} if isinstance(event, str) else {})})
    return splunk_event(found)
