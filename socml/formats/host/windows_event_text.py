"""Windows events as text → events: copied from the event viewer, `wevtutil /f:text`, `Get-WinEvent | Format-List`, and Splunk's `WinEventLog`.

A record begins with `Log Name:`, `TimeCreated :` (of Get-WinEvent), `Event[0]:`, or with a line that is a time; its lines are `Name: value` or
`Name=value`. In the description a name stands under a heading (`Subject:`), which tells whose it is. The fields are read
under the names that they have in the event's XML, as all other Windows readers do. Names may be English, French or German.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._continued import Continued, continued, no_comments
from socml.formats._old_encodings import head_of
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches, line_records
from socml.formats._stamps import settle_day_order, time_of
from socml.formats._times import Clock, clock_of
from socml.formats._windows import windows_event
from socml.formats._windows_description import LEVELS, PAIR, described, in_english

__all__ = ["WindowsEventText"]

_BEGINS = re.compile(
    rb"(?:Log Name|Nom du journal ?|Protokollname): |TimeCreated {1,20}: |Event\[\d{1,10}\]:?\s*$|\d{1,4}[/-]\d\d[/-]\d{2,4} \d{1,2}:\d\d:\d\d(?:\.\d{1,9})?(?: [AP]M)?\s*$"
)
_TELLS = re.compile(
    rb"(?:^|\n)[ \t]{0,8}(?:(?:Log Name|Nom du journal ?|Protokollname): |LogName=|ProviderName {0,20}: )[^\n]{1,256}\n"
)
_DATE = re.compile(rb"^(?:(?:Date|Datum|TimeCreated)[ \xc2\xa0]{0,20}: {0,20})?(?P<date>\d{1,2}/\d{1,2}/\d{2,4})")
_TOP = {
    "Log Name": "Channel", "LogName": "Channel", "Source": "SourceName", "Date": "TimeCreated", "Event ID": "EventID", "EventCode": "EventID",
    "Computer": "Computer", "ComputerName": "Computer", "Level": "Level", "Keywords": "Keywords", "Keyword": "Keywords", "RecordNumber": "RecordNumber",
    "TimeCreated": "TimeCreated", "ProviderName": "ProviderName", "Id": "EventID", "MachineName": "Computer", "LevelDisplayName": "Level",
}  # fmt: skip
_AUDITS = {"Audit Success": "AUDIT_SUCCESS", "Audit Failure": "AUDIT_FAILURE"}


class WindowsEventText:
    """Windows events as the event viewer, wevtutil and Splunk show them."""

    name = "windows-event-text"
    may_span_lines = True
    about = "Windows events as text: copied from the event viewer, wevtutil's, and Splunk's WinEventLog"
    specification = "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/wevtutil"
    examples = (
        "Log Name:      Security\nSource:        Microsoft-Windows-Security-Auditing\nDate:          3/2/2026 10:00:00 AM\nEvent ID:      4625\n"
        "Keywords:      Audit Failure\nComputer:      PC7.example.org\nDescription:\nAn account failed to log on.\n",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of whole records that say which log they are of; the last may be cut."""
        lines = [(0, line) for line in head_lines(head, 400, stripped=b"\r\0")]
        if not lines or not _BEGINS.match(lines[0][1]):
            return 0.0
        cut = continued(lines, _begins, is_comment=no_comments)
        records = [record for _, record in cut if not isinstance(record, Continued)]
        whole = records[:-1] or records
        return 0.95 * sum(_TELLS.search(record) is not None for record in whole) / len(whole)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        text = head_of(source).decode("utf-8", "replace")
        clock.is_translated = in_english(text) != text
        dates = (_DATE.search(line) for line in head_lines(text.encode(), 2000))
        settle_day_order((f"{found['date'].decode()} " for found in dates if found), clock)
        return batches(
            continued(line_records(source), _begins, is_comment=no_comments),
            lambda record: _event(record, clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


def _begins(line: bytes) -> bool:
    return _BEGINS.match(line) is not None


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    if not _begins(record.split(b"\n", 1)[0]):
        raise ValueError("not an event of Windows: it begins neither with its log, its number nor its time")
    first, *lines = in_english(record.decode("utf-8", "backslashreplace")).split("\n")
    found: dict[str, object] = (
        {} if ":" not in first or first.startswith(("Log", "Event", "TimeCreated")) else {"TimeCreated": first}
    )
    at = _read_head([first, *lines], found)
    description = [line.rstrip("\r") for line in lines[at:]]
    found |= {name: value for name, value in described(description).items() if name not in found}
    if text := "\n".join([str(found.pop("Message", "")), *description]).strip():
        found["Message"] = text
    if written := found.get("TimeCreated"):
        found["TimeCreated"] = time_of(written, clock).isoformat()
    return windows_event(found, clock)


def _read_head(lines: list[str], found: dict[str, object]) -> int:
    """Read the lines up to the description; return how many they are."""
    for at, line in enumerate(lines):
        pair = PAIR.match(line)
        name, value = (pair["name"].strip(), pair["value"].strip()) if pair else ("", "")
        if name in ("Description", "Message"):
            found["Message"] = value
            return at
        if name in ("Level", "LevelDisplayName"):
            value = LEVELS.get(value, value)
        if name in ("Keywords", "Keyword") and value in _AUDITS:
            found["EventType"] = _AUDITS[value]
        elif name in _TOP and value != "N/A":
            found[_TOP[name]] = value
    return len(lines)
