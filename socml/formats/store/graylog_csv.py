"""Search results that Graylog exported as CSV → events.

The columns are those that were chosen for the export; `timestamp`, `source` and `message` are always offered. Times are
ISO 8601, in UTC unless a zone is written. Cells may hold line ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import moment
from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats.store._gelf import graylog_columns

__all__ = ["GraylogCsv"]


class GraylogCsv:
    """Graylog search results as CSV."""

    name = "graylog-csv"
    about = "Graylog search results as CSV, with timestamp, source and message"
    specification = "https://go2docs.graylog.org/current/making_sense_of_your_log_data/export_results_as_csv.html"
    examples = (
        '"timestamp","source","message","level","src_ip"',
        '"2024-02-29T13:06:56.250Z","web01","Failed password","4","192.0.2.7"',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of names with the three that Graylog always has."""
        names = set(csv_head(head))
        return 0.93 if {"timestamp", "source", "message"} <= names else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(csv_records(source), rows_by_name(_event))


def _event(found: dict[str, object]) -> dict[str, object]:
    stamp = found.pop("timestamp", None)
    return {"time": moment(stamp), **graylog_columns(found)}
