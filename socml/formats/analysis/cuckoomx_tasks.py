"""The tasks that cuckoomx gave to a Cuckoo sandbox, as CSV of its table → one event a file of a mail.

Columns of Cuckoo 0.4's SQLite table `tasks`. `added_on` has no zone: the recipe's. `status` is 0 while it waits, 1 when it
is done, 2 when it failed. cuckoomx's own log is syslog, and read as such.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import Clock, clock_of, iso

__all__ = ["CuckoomxTasks"]

_STATUS = {"0": "unknown", "1": "success", "2": "failure"}


class CuckoomxTasks:
    """Cuckoo's task table as CSV."""

    name = "cuckoomx-tasks"
    about = "tasks that cuckoomx gave to Cuckoo, as CSV: one event a file"
    specification = "https://github.com/xme/cuckoomx"
    examples = (
        "id,file_path,md5,timeout,priority,custom,machine,package,lock,added_on,completed_on,status",
        '1,q/1/a.exe,d41d8cd98f00b204e9800998ecf8427e,,,,win7,exe,0,"2024-02-29 13:06:56",,0',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the table's names."""
        return 0.97 if {"file_path", "md5", "machine", "package", "added_on"} <= set(csv_head(head)) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's tasks."""
        clock = clock_of(source, options)
        return batches(
            csv_records(source),
            rows_by_name(lambda found: _event(found, clock)),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )


def _event(found: dict[str, object], clock: Clock) -> dict[str, object]:
    fields = Fields(found)
    added, digest = fields.take("added_on"), fields.take("md5")
    row: dict[str, object] = {
        "time": iso(added, clock) if added else None,
        "class_uid": 1001,
        "event_category": "file",
        "event_action": "sandbox_task",
        "event_outcome": _STATUS.get(str(fields.peek("status"))),
        "file_hash": f"md5:{digest}" if digest else None,
    }
    row |= fields.columns({"file_path": "file_path", "host_name": "machine"})
    return {**row, "extra": fields.rest()}
