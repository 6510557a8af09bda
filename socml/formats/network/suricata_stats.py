"""Suricata's stats.log → nothing: what it counts describes the sensor, so every line is skipped, and counted.

The format is known so that a folder of Suricata's logs can be read as it is, without stats.log being taken for a table.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records

__all__ = ["SuricataStats"]


class SuricataStats:
    """The counters that Suricata writes every few seconds."""

    name = "suricata-stats"
    about = "Suricata stats.log: counters of the sensor; recognised and skipped"
    specification = "https://docs.suricata.io/en/latest/configuration/suricata-yaml.html#stats"
    examples = (
        "------------------------------------------------------------------------------------",
        "Date: 11/25/2026 -- 02:41:18 (uptime: 0d, 00h 00m 00s)",
        "------------------------------------------------------------------------------------",
        "Counter                                       | TM Name                   | Value",
        "------------------------------------------------------------------------------------",
        "decoder.pkts                                  | Total                     | 32",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the date and the table's head."""
        start = b"\n".join(head_lines(head, 5))
        return 0.97 if b"Date: " in start and b"(uptime: " in start and b"| TM Name" in start else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield no events."""
        return batches(line_records(source), _skip)


def _skip(line: bytes) -> dict[str, object]:
    raise Skip("counter of the sensor")
