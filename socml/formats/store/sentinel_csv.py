"""Microsoft Sentinel's tables as CSV, as its portal exports them → events.

Read are CommonSecurityLog, SecurityEvent, SigninLogs, AuditLogs and AzureActivity: which one a row is of is said by its
`Type`, or else by the columns there are. Traps: the portal puts the zone behind the names of times, `TimeGenerated
[UTC]` or `[Local Time]`, and writes them as `2/29/2024, 1:06:56.123 PM`, month first, which the API does not; what is
nested stands as JSON in a cell; `TimeGenerated` is when the service says it happened, or when it took the record in.
Rows of other tables are rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._sentinel import cef_row, entra_row, generated_time, security_event_row
from socml.formats._times import Clock, clock_of

__all__ = ["SentinelCsv"]

_Reader = Callable[[Mapping[str, Any], Clock], dict[str, Any]]
_TABLES: dict[str, _Reader] = {
    "CommonSecurityLog": cef_row,
    "SecurityEvent": security_event_row,
    "SigninLogs": entra_row,
    "AADNonInteractiveUserSignInLogs": entra_row,
    "AADServicePrincipalSignInLogs": entra_row,
    "AADManagedIdentitySignInLogs": entra_row,
    "AuditLogs": entra_row,
    "AzureActivity": entra_row,
}
_COLUMNS: tuple[tuple[set[str], _Reader], ...] = (
    ({"DeviceVendor", "DeviceProduct"}, cef_row),
    ({"EventID", "Computer", "Activity"}, security_event_row),
    ({"EventID", "Computer", "EventSourceName"}, security_event_row),
    ({"UserPrincipalName", "ResultType"}, entra_row),
    ({"UserPrincipalName", "AppDisplayName"}, entra_row),
    ({"InitiatedBy", "OperationName"}, entra_row),
    ({"Caller", "OperationNameValue"}, entra_row),
)
_UTC, _LOCAL = " [UTC]", " [Local Time]"


class SentinelCsv:
    """Rows of Sentinel's tables, exported as CSV."""

    name = "sentinel-csv"
    about = "Microsoft Sentinel tables as CSV: CommonSecurityLog, SecurityEvent, SigninLogs, AuditLogs, AzureActivity"
    specification = "https://learn.microsoft.com/en-us/azure/azure-monitor/reference/tables-category"
    examples = (
        '"TimeGenerated [UTC]",Computer,EventID,Activity,Channel,TargetUserName,IpAddress,LogonType,Type',
        '"2/29/2024, 1:06:56.123 PM","PC7.example.com",4625,"4625 - An account failed to log on.",Security,ann,'
        "192.0.2.9,3,SecurityEvent",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of names with `TimeGenerated` and the columns of a table that is read."""
        names = {_plain(name) for name in csv_head(head)}
        return 0.97 if "TimeGenerated" in names and _reader_of(names, "") else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's rows."""
        clock = clock_of(source, options)
        read = rows_by_name(lambda given: _event(given, clock))
        return batches(csv_records(source), read, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _event(given: dict[str, Any], clock: Clock) -> dict[str, Any]:
    found = {_plain(name): _value(name, value, clock) for name, value in given.items()}
    table = str(found.pop("Type", ""))
    read = _reader_of(set(found), table)
    if read is None:
        raise ValueError(f"a row of {table or 'a table'} that is not read: its columns are none of a known table")
    return read(found, clock)


def _value(name: str, value: str, clock: Clock) -> str:
    """Return a cell's value; of a time its ISO 8601 in UTC."""
    if name.endswith(_UTC):
        return generated_time(value, clock).isoformat()
    if name.endswith(_LOCAL):
        return clock.in_zone(generated_time(value, clock).replace(tzinfo=None)).isoformat()
    return value


def _reader_of(names: set[str], table: str) -> _Reader | None:
    return _TABLES.get(table) or next((read for columns, read in _COLUMNS if columns <= names), None)


def _plain(name: str) -> str:
    return name.removesuffix(_UTC).removesuffix(_LOCAL)
