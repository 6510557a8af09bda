"""Tables of `aureport` (logins, authentications, anomalies, commands, files …) → events, one a numbered row.

    Authentication Report
    ============================================
    # date time acct host term exe success event
    ============================================
    1. 03/02/2026 10:00:01 root 192.0.2.7 ssh /usr/sbin/sshd no 4063

The line that begins with `# date` names the columns, of whatever report; several reports may stand in a file. Local times, in
the order of day and month that its user is used to: month first here, unless a number over 12 near the file's start says
otherwise. `?` and `-1` are no value. Traps: values are parted by single blanks and may be `(unknown user)`; sums (`--summary`)
are no events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from socml.formats._addresses import address
from socml.formats._fields import Fields
from socml.formats._old_encodings import head_of
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches, line_records
from socml.formats._stamps import settle_day_order, time_of
from socml.formats._times import Clock, clock_of

__all__ = ["Aureport"]

_NAMES = re.compile(r"# date time (?P<names>[a-z][a-z ]{2,200})$")
_ROW = re.compile(r"\d{1,10}\. (?P<when>[\d./-]{6,10} \d\d:\d\d:\d\d(?: [AP]M)?) (?P<cells>.+)$")
_AROUND = re.compile(r"=+$|[A-Z][A-Za-z ]{2,60} Report$|<no events of interest were found>$")
_CELL = re.compile(r"\(unknown[^)]{0,40}\)|\S+")
_MISSING = {"?", "-1", "(unknown user)", "(unknown)", "(none)", "(null)", "unset", "4294967295"}
_OUTCOME = {"yes": "success", "no": "failure", "success": "success", "failed": "failure"}
_LOGINS = ("Authentication", "Login")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "event_action": ("type", "syscall"),
    "file_path": "file",
    "process_pid": "pid",
}


class Aureport:
    """Tables of numbered rows of the Linux audit system's `aureport`."""

    name = "aureport"
    about = "aureport: the numbered rows of its reports on logins, authentications, anomalies, commands and files"
    specification = "https://man7.org/linux/man-pages/man8/aureport.8.html"
    examples = (
        "# date time acct host term exe success event",
        "1. 03/02/2026 10:00:01 root 192.0.2.7 ssh /usr/sbin/sshd no 4063",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of names with the number sign, before the rows."""
        lines = head[:8192].decode("utf-8", "replace").splitlines()
        return 0.97 if any(_NAMES.match(line.rstrip()) for line in lines[:20]) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's rows."""
        clock = clock_of(source, options)
        lines = head_of(source).decode("utf-8", "replace").splitlines()
        settle_day_order((row["when"] for line in lines if (row := _ROW.match(line))), clock)
        report = _Report()
        return batches(
            line_records(source),
            lambda line: report.event(line.decode("utf-8", "backslashreplace").strip(), clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


@dataclass
class _Report:
    """Reads line after line, and remembers the report and its columns."""

    title: str = ""
    names: list[str] = field(default_factory=list)

    def event(self, line: str, clock: Clock) -> dict[str, object]:
        """Return the columns of a row. Raises ValueError if it is none, Skip for the lines around the rows."""
        if found := _NAMES.match(line):
            self.names = found["names"].split()
            raise Skip("header")
        if _AROUND.match(line):
            self.title = line.removesuffix(" Report") if line.endswith("Report") else self.title
            raise Skip("line around the rows")
        row = _ROW.match(line)
        cells = _CELL.findall(row["cells"]) if row else []
        if row is None or len(cells) != len(self.names):
            raise ValueError(f"not a row of aureport: {len(cells)} values for {len(self.names)} columns")
        values = {name: cell for name, cell in zip(self.names, cells, strict=True) if cell not in _MISSING}
        return {"time": time_of(row["when"], clock), **_columns(self.title, Fields(values))}


def _columns(title: str, fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {"event_category": "host"}
    if title.startswith(_LOGINS):
        row = {"class_uid": 3002, "event_category": "authentication", "event_action": "login"}
    host = fields.peek("host", "addr")
    if address(host):
        row["source_ip"] = address(fields.text("host", "addr"))
    program = fields.text("exe", "comm")
    row["process_name"] = program.rsplit("/", 1)[-1] if program else None
    row |= fields.columns(_COLUMNS)
    who = "acct" if "acct" in fields else "auid"
    row["user_name"] = (
        None if str(fields.peek(who)).isdecimal() else fields.text(who)
    )  # of a number only the machine knows whose it is
    outcome = _OUTCOME.get(str(fields.peek("success", "result")))
    if outcome:
        fields.take("success", "result")
    row["event_outcome"] = outcome
    row["extra"] = {"report": title or None, **fields.rest()}
    return row
