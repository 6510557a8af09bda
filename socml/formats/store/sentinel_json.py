"""Microsoft Sentinel's tables as JSON → events: rows as objects (`az monitor log-analytics query`), or a query's answer.

The answer of the query API is `{"tables": [{"columns": [{"name": …}], "rows": [[…], …]}]}`. Which table a row is of is said by
its `Type`, or else by the columns there are; rows of CommonSecurityLog alone are read by `common-security-log`. Traps: all
values may be text; what is nested is JSON in a text.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from socml.formats._envelope import first_objects, members
from socml.formats._json import is_too_deep, json_bytes, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._sentinel import is_sentinel, sentinel_row
from socml.formats._times import Clock
from socml.project import FormatError

__all__ = ["SentinelJson"]

_HEAD = 4096
_LARGEST = 256 << 20  # bytes of a query's answer, which is one document; the service answers with 100 MB at most


class SentinelJson:
    """Rows of Sentinel's tables as JSON."""

    name = "sentinel-json"
    about = "Microsoft Sentinel tables as JSON: rows as objects, and answers of the query API"
    specification = "https://learn.microsoft.com/en-us/rest/api/loganalytics/query/execute"
    examples = (
        '{"TimeGenerated":"2026-03-02T10:00:00Z","Computer":"web1","ProcessName":"sshd","SyslogMessage":"Failed password '
        'for root from 192.0.2.1 port 4022 ssh2","Type":"Syslog"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a query's answer; of objects with `TimeGenerated` and the columns of a table; less so of other tables."""
        if _is_answer(head):
            return 0.97
        found = first_objects(head, "value", limit=10)
        sure = [_sure(one) for one in found]
        return sum(sure) / len(sure) if sure else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's rows."""
        is_answer = _is_answer(next(iter(source.chunks()), b""))
        return clocked(_rows(source) if is_answer else members(source, "value"), _event, source, options)


def _sure(found: dict[str, object]) -> float:
    if "DeviceVendor" in found or not ("TimeGenerated" in found or "Timestamp" in found):
        return 0.0
    return 0.95 if is_sentinel(found, str(found.get("Type", ""))) else 0.7 if "Type" in found else 0.0


def _is_answer(head: bytes) -> bool:
    start = b"".join(head[:_HEAD].split())
    return start.startswith(b'{"tables":[{') and b'"columns":[' in start


def _rows(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of an answer as objects. Raises FormatError if it is no whole document."""
    document = b""
    for chunk in source.chunks():
        document += chunk
        if len(document) > _LARGEST:
            raise FormatError(f"{source.name} is over {_LARGEST >> 20} MB, the limit for an answer in one document.")
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{source.name} is not a whole JSON document: {error.msg}.") from None
    if is_too_deep(document, found):
        raise FormatError(f"{source.name} is nested too deeply.")
    for table in found["tables"]:
        names = [str(column.get("name")) for column in table.get("columns", [])]
        for row in table.get("rows", []):
            yield 1, json_bytes(dict(zip(names, row, strict=False)))


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    return sentinel_row(loads_exactly(record), clock)
