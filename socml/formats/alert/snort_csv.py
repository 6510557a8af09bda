"""Snort's alert_csv → alerts, one a line, without a header line.

The columns are a configured selection. Snort 2's default (27 of them) and Snort 3's (10) are told by their number and
their values; for any other selection, name them in the dataset's recipe, as `[table] columns = ["timestamp", …]`.
Traps: neither year nor zone; a space after every comma (Snort 3) or after the time (Snort 2); a message with a comma
is quoted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches, line_records
from socml.formats._snort import alert_time
from socml.formats._times import Clock, clock_of
from socml.formats.alert._snort_fields import snort_event

__all__ = ["SnortCsv"]

_SNORT_2 = (
    "timestamp sig_generator sig_id sig_rev msg proto src srcport dst dstport ethsrc ethdst ethlen tcpflags tcpseq "
    "tcpack tcplen tcpwindow ttl tos id dgmlen iplen icmptype icmpcode icmpid icmpseq"
).split()
_SNORT_3 = "timestamp pkt_num proto pkt_gen pkt_len dir src_ap dst_ap rule action".split()


class SnortCsv:
    """Snort's alerts as values between commas."""

    name = "snort-csv"
    about = "Snort alert_csv: the default columns of Snort 2 and 3, or those that the recipe names"
    specification = "https://docs.snort.org/start/alert_logging"
    examples = ("12/16-20:33:33.603502, 8, ICMP, raw, 84, S2C, 10.10.10.88:0, 10.10.10.1:0, 1:10000001:0, allow",)

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of as many values as a default has, the first of them a time of Snort."""
        lines = head_lines(head, 10)
        found = 0
        for line in lines:
            try:
                found += _is_alert(_values(line))
            except ValueError:
                continue
        return 0.96 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        clock = clock_of(source, options)
        names = list(options.table.columns) if options.table is not None and options.table.columns else None
        return batches(
            line_records(source),
            lambda line: _event(line, names, clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


def _values(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader([line.decode("utf-8", "backslashreplace")], skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f"not comma-separated values: {error}") from None
    return [value.strip() for value in rows[0]] if rows else []


def _is_alert(values: Sequence[str]) -> bool:
    if len(values) not in (len(_SNORT_2), len(_SNORT_3)):
        return False
    alert_time(values[0], Clock(None, 2000, None))
    return True


def _event(line: bytes, names: Sequence[str] | None, clock: Clock) -> dict[str, object]:
    values = _values(line)
    if names is None:
        names = _SNORT_2 if len(values) == len(_SNORT_2) else _SNORT_3
    if len(values) != len(names):
        raise ValueError(f"{len(values)} values for {len(names)} columns")
    return snort_event(dict(zip(names, values, strict=True)), clock)
