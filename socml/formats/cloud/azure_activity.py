"""Azure and Entra ID logs → events: sign-ins, audit and activity, as diagnostic settings export them or Graph answers.

Times have seven decimals; the seventh is dropped. A sign-in that worked has `resultType` "0" (text) or `errorCode` 0;
all other codes are failures, also those that only say that a second factor is still to come. `callerIpAddress` may have
a port. Files in a storage account are one record a line (`PT1H.json`); Graph answers `{"value": […]}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import azure
from socml.formats._device_events import device_fields
from socml.formats._envelope import first_objects, members
from socml.formats._field_names import flat_fields
from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import extra_of, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock

__all__ = ["AzureActivity"]


_LOGON = 3002
_OF_PROPERTIES = (
    "user_name", "http_request_method", "url_original", "http_response_status_code", "user_agent_original", "host_name", "process_pid", "message",
)  # fmt: skip


class AzureActivity:
    """Azure and Entra ID: sign-ins, audit and activity logs, from diagnostic settings or Graph."""

    name = "azure-activity"
    about = "Azure and Entra ID: sign-ins, audit and activity logs, from diagnostic settings or Graph"
    specification = (
        "https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-azure-monitor-sign-ins-log-schema"
    )
    examples = (
        '{"time":"2024-02-29T13:06:56.1234567Z","operationName":"Sign-in activity","category":"SignInLogs",'
        '"resultType":"50126","callerIpAddress":"192.0.2.7","tenantId":"t1","correlationId":"c1",'
        '"properties":{"userPrincipalName":"ann@example.org","isInteractive":true}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first objects that have the names of such a record."""
        found = first_objects(head, "records", "value")
        return 0.96 * sum(_is_ours(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(members(source, "records", "value"), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    """Return the columns of a record; of a log of another service, what its `properties` tell of whom and from where."""
    found = loads_exactly(record)
    row, properties = azure(flatten(found)), found.get("properties")
    if not isinstance(properties, dict) or row.get("class_uid") == _LOGON:
        return row
    if str(found.get("category")).startswith("AdvancedHunting-"):  # Defender's, sent as a log by "Publish"
        told = guessed_row(device_fields(flat_fields(properties)), clock)[0]
        return {"time": row["time"], **told, "extra": {**extra_of(told), "category": str(found["category"])}}
    told, _ = guessed_row(flat_fields(properties), clock)
    told = with_inner(told, told.get("message"), clock)
    if row.get("source_ip") is not None or told.get("source_ip") is None:
        kept = {name: told.get(name) for name in _OF_PROPERTIES if row.get(name) is None}
        return {**row, **kept}
    filled = {name: value for name, value in row.items() if value not in (None, "unknown", "cloud")}
    kind = {name: told[name] for name in ("class_uid", "event_category") if told.get(name)}
    return {**told, **filled, **kind, "extra": {**extra_of(told), **extra_of(row)}}


def _is_ours(found: dict[str, object]) -> bool:
    return (
        (
            "operationName" in found
            and ("resourceId" in found or "tenantId" in found or "category" in found or "correlationId" in found)
        )
        or ("createdDateTime" in found and "userPrincipalName" in found)
        or "activityDateTime" in found
    )
