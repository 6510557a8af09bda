"""AIDE's report in JSON (`report_format=json`) → events, one an entry that was added, removed or changed.

A report is one object over many lines; several reports may follow each other in a file. All its entries have the time
when the check began. Traps: hashes are in base64; attributes are given from report level `changed_attributes` up only;
a report without differences has no entries, and is skipped. `raw` holds one entry as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._json import extra_of, json_bytes, loads_exactly
from socml.formats._multiline import Broken, grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats._times import Clock, clock_of
from socml.formats.host._aide import aide_event, aide_time

__all__ = ["AideJson"]

_REPORT_LIMIT = 64 << 20  # bytes
_CHANGES = ("added", "removed", "changed")


class AideJson:
    """Reports of AIDE as JSON."""

    name = "aide-json"
    about = "AIDE reports in JSON: one event an added, removed or changed file"
    specification = "https://aide.github.io/doc/"
    one_a_line = False
    examples = (
        '{"start_time":"2026-11-25 02:42:21 +0000","aide_version":"0.18.3","outline":"AIDE found differences between '
        'database and filesystem!!","number_of_entries":{"total":1,"added":1,"removed":0,"changed":0},'
        '"added":{"/srv/bin/x":"f+++++++++++++++++"}}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of an object with AIDE's version."""
        start = head[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
        return 0.98 if start.startswith(b"{") and b'"aide_version"' in start else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the entries of the file's reports."""
        clock = clock_of(source, options)
        return batches(_entries(source), lambda record: _event(record, clock), warnings=clock.warnings)


def _entries(source: Source) -> Iterator[tuple[int, bytes]]:
    for number, report in grouped_records(source, lambda line: line.startswith(b"{"), limit=_REPORT_LIMIT):
        try:
            found = loads_exactly(report)
        except ValueError as error:
            yield number, Broken.of(report, f"not a report: {error}")
            continue
        parts = [found.get(name) or {} for name in (*_CHANGES, "details")]
        if not all(isinstance(part, dict) for part in parts):
            yield number, Broken.of(report, "not a report: its changes and details are no objects")
            continue
        details = cast("dict[str, object]", found.get("details") or {})
        about = {name: found.get(name) for name in ("start_time", "aide_version")}
        empty = True
        for change in _CHANGES:
            for path, flags in cast("dict[str, object]", found.get(change) or {}).items():
                empty = False
                yield (
                    number,
                    json_bytes({"path": path, "change": change, "flags": flags, "details": details.get(path), **about}),
                )
        if empty:
            yield number, b"{}"


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    if isinstance(record, Broken):
        raise ValueError(record.reason)
    found = loads_exactly(record)
    if not found:
        raise Skip("report without entries")
    when, details = aide_time(found["start_time"], clock), found["details"] or {}
    if not isinstance(details, dict) or not all(isinstance(values, dict) for values in details.values()):
        raise ValueError("the details are no attributes with an old and a new value")
    row = aide_event(str(found["path"]), str(found["change"]), cast("str | None", found["flags"]), details, when)
    extra_of(row)["aide_version"] = found["aide_version"]
    return row
