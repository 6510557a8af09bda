"""Microsoft Sentinel's tables as CSV, as its portal exports them → events.

CommonSecurityLog, SecurityEvent, WindowsEvent, Event, Syslog, SigninLogs, AuditLogs and AzureActivity are known: which one a
row is of is said by its `Type`, or else by the columns there are; rows of other tables are read by what tools usually call
things. Traps: the portal puts the zone behind the names of times, `TimeGenerated
[UTC]` or `[Local Time]`, and writes them as `2/29/2024, 1:06:56.123 PM`, month first, which the API does not; what is
nested stands as JSON in a cell; `TimeGenerated` is when the service says it happened, or when it took the record in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._field_names import guess
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._sentinel import generated_time, is_sentinel, sentinel_row
from socml.formats._times import Clock, clock_of

__all__ = ["SentinelCsv"]

_UTC, _LOCAL = " [UTC]", " [Local Time]"


class SentinelCsv:
    """Rows of Sentinel's tables, exported as CSV."""

    name = "sentinel-csv"
    about = "Microsoft Sentinel tables as CSV: CommonSecurityLog, SecurityEvent, Syslog, SigninLogs, AuditLogs and any other"
    specification = "https://learn.microsoft.com/en-us/azure/azure-monitor/reference/tables-category"
    examples = (
        '"TimeGenerated [UTC]",Computer,EventID,Activity,Channel,TargetUserName,IpAddress,LogonType,Type',
        '"2/29/2024, 1:06:56.123 PM","PC7.example.com",4625,"4625 - An account failed to log on.",Security,ann,'
        "192.0.2.9,3,SecurityEvent",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of `TimeGenerated` and the columns of a known table; fairly so of others that name a host, a user or an address."""
        names = {_plain(name) for name in csv_head(head)}
        if is_sentinel(names):
            return 0.97
        says_who = len(guess(tuple(sorted(names))).columns) > 1  # more than the time: else it is a table of numbers
        return 0.85 if "TimeGenerated" in names and says_who else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's rows."""
        clock = clock_of(source, options)
        read = rows_by_name(lambda given: _event(given, clock))
        return batches(csv_records(source), read, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _event(given: dict[str, object], clock: Clock) -> dict[str, object]:
    return sentinel_row({_plain(name): _value(name, cast("str", value), clock) for name, value in given.items()}, clock)


def _value(name: str, value: str, clock: Clock) -> str:
    """Return a cell's value; of a time its ISO 8601 in UTC."""
    if name.endswith(_UTC):
        return generated_time(value, clock).isoformat()
    if name.endswith(_LOCAL):
        return clock.in_zone(generated_time(value, clock).replace(tzinfo=None)).isoformat()
    return value


def _plain(name: str) -> str:
    return name.removesuffix(_UTC).removesuffix(_LOCAL)
