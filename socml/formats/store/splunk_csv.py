"""Splunk search results as CSV → events: a line of names with `_raw` or `_time`, cells that may hold line ends.

Splunk writes hidden columns for multi-value fields (`__mv_host`, values between `$` and `;`): they stay in `extra`.
`_time` is ISO 8601, seconds, or in the user's own format, in which case the record is quarantined.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import clock_of
from socml.formats.store._splunk import splunk_event

__all__ = ["SplunkCsv"]


class SplunkCsv:
    """Splunk search results as CSV."""

    name = "splunk-csv"
    about = "Splunk search results as CSV, with _raw and _time"
    specification = "https://docs.splunk.com/Documentation/Splunk/latest/Search/Exportsearchresults"
    examples = (
        '"_raw","_time",host,index,source,sourcetype',
        '"Feb 29 13:06:56 web01 sshd[7]: Failed password","2024-02-29T13:06:56.000+0100",web01,main,"/a",linux_secure',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of names with `_raw` and another of Splunk's."""
        names = set(csv_head(head))
        if "_raw" in names and names & {"_time", "sourcetype", "host"}:
            return 0.98
        return 0.9 if "_time" in names and names & {"sourcetype", "linecount", "splunk_server"} else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        return batches(csv_records(source), rows_by_name(lambda found: splunk_event(found, clock)))
