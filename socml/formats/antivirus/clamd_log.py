"""clamd.log, and freshclam.log → events, one a line: what was found, and what the daemon says of itself.

    Wed Nov 25 02:53:18 2026 -> /srv/x.zip: Eicar-Test(ce2ff87e1e11eb0044e7db6b2c7a2717:404) FOUND

Local time, without a zone. Traps: a line has a time with `LogTime yes` only; hash and size are there with
`ExtendedDetectionInfo yes` only; a path may hold a colon; `-> ` may also stand in a path. `instream(address@port)` is
a client's stream, which has no path.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._times import Clock
from socml.formats.antivirus._clamav import scan_columns

__all__ = ["ClamdLog"]

_STAMP = "%a %b %d %H:%M:%S %Y"
_WIDTH = len("Wed Nov 25 02:53:18 2026")


class ClamdLog:
    """The log of ClamAV's daemon."""

    name = "clamd-log"
    about = "ClamAV clamd.log and freshclam.log: detections and messages, with a time"
    specification = "https://docs.clamav.net/manual/Usage/Scanning.html#clamd"
    examples = (
        "Wed Nov 25 02:53:18 2026 -> clamd daemon 1.4.6 (OS: Linux, ARCH: x86_64, CPU: x86_64)",
        "Wed Nov 25 02:53:19 2026 -> /srv/x.zip: Eicar-Test(ce2ff87e1e11eb0044e7db6b2c7a2717:404) FOUND",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that begin with the C library's time and an arrow."""
        lines = head_lines(head, 20)
        return 0.96 * sum(_time(line) is not None for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), _event, source, options)


def _time(line: bytes) -> datetime | None:
    if line[_WIDTH : _WIDTH + 4] != b" -> ":
        return None
    try:
        return datetime.strptime(line[:_WIDTH].decode("ascii"), _STAMP)
    except (ValueError, UnicodeDecodeError):
        return None


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    local = _time(line)
    if local is None:
        raise ValueError("not a line of clamd: a time and ` -> ` were expected")
    message = line[_WIDTH + 4 :].decode("utf-8", "backslashreplace")
    row = scan_columns(message) or {"event_category": "host", "process_name": "clamd"}
    if row.get("class_uid") is None and message.startswith(("ERROR:", "WARNING:", "^", "!")):
        row["event_severity"] = 60 if message.startswith(("ERROR", "!")) else 40
    return {"time": clock.in_zone(local), "message": message, **row}
