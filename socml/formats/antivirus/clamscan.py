"""The output of clamscan and clamdscan → events, one a file; the summary is skipped.

    /srv/x.zip: Eicar-Test FOUND
    ----------- SCAN SUMMARY -----------
    Start Date: 2026:11:25 02:53:17

The lines of files have no time: they get the start of their scan, which the summary behind them tells, in local time
(ClamAV 0.103 and later; before, there is none). Traps: clean files are listed unless `-i` was given; a path may hold a
colon; a log (`--log`) holds many scans, between lines of dashes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime

from socml.formats._iso import from_iso
from socml.formats._multiline import numbered_lines
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import clock_of
from socml.formats.antivirus._clamav import scan_columns

__all__ = ["Clamscan"]

_START_DATE = re.compile(rb"Start Date: (\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)$")
_VERDICT = re.compile(rb": (?:\S{1,300} FOUND|OK|Empty file|Excluded|Symbolic link)$")
_SUMMARY = re.compile(
    rb"-{5,}|(?:Known viruses|Engine version|Scanned directories|Scanned files|Infected files|Total errors|Data scanned"
    rb"|Data read|Time|Start Date|End Date|Not copied|Not moved|Not removed): "
)


class Clamscan:
    """The lines that ClamAV's scanners print."""

    name = "clamscan"
    about = "ClamAV clamscan and clamdscan output: one event a file, the time from the summary"
    specification = "https://docs.clamav.net/manual/Usage/Scanning.html"
    examples = (
        "/srv/x.zip: Eicar-Test FOUND",
        "/srv/clean.txt: OK",
        "",
        "----------- SCAN SUMMARY -----------",
        "Infected files: 1",
        "Start Date: 2026:11:25 02:53:17",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that are verdicts or the summary's, if there are verdicts or its title."""
        lines = head_lines(head, 40)
        verdicts = sum(_VERDICT.search(line[-400:]) is not None for line in lines)
        summary = sum(_SUMMARY.match(line) is not None for line in lines)
        if not verdicts and not any(b"SCAN SUMMARY" in line for line in lines):
            return 0.0
        return 0.95 * (verdicts + summary) / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's verdicts."""
        clock = clock_of(source, options)
        starts = [
            (number, clock.in_zone(local))
            for number, line in numbered_lines(source)
            if (local := _start_date(line)) is not None
        ]
        ends = [number for number, _ in starts]
        at = [0]

        def numbered() -> Iterator[tuple[int, bytes]]:
            for number, line in line_records(source):
                at[0] = number
                yield number, line

        def read(line: bytes) -> dict[str, object]:
            scan = bisect_left(ends, at[0])
            return _event(line, starts[scan][1] if scan < len(starts) else None)

        return batches(numbered(), read, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _start_date(line: bytes) -> datetime | None:
    """Return the local time that a line of the summary tells; None if it is another line, or tells none."""
    found = _START_DATE.match(line)
    try:
        return from_iso((b"-".join(found.groups()[:3]) + b"T" + found[4]).decode()) if found else None
    except ValueError:
        return None


def _event(line: bytes, when: datetime | None) -> dict[str, object]:
    if _SUMMARY.match(line):
        raise Skip("summary")
    row = scan_columns(line.decode("utf-8", "backslashreplace"))
    if row is None:
        raise ValueError("not a verdict: `path: Name FOUND` or `path: OK` was expected")
    return {"time": when, **row}
