"""The first records of a file, read by a format → the share of them that it reads: what its claim on the file is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from socml.formats import Block, Format, ReadOptions
from socml.project import SocmlError

__all__ = ["TRIAL_BYTES", "share_read"]

TRIAL_BYTES = 16 << 10  # of a file, whole lines; enough for some dozens of records
_FEWEST = 3  # records; a share of fewer says little of a head that was cut


@dataclass
class _Head:
    """The first bytes of a file, as a source."""

    path: Path
    name: str
    head: bytes
    modified: datetime | None

    def chunks(self) -> Iterator[bytes]:
        yield self.head

    def blocks(self) -> Iterator[Block]:
        yield Block(1, self.head.removeprefix(b"\xef\xbb\xbf"))


def share_read(reader: Format, head: bytes, path: Path, modified: datetime | None = None) -> float:
    """Return the share of the first records that `reader` makes events of, 0 to 1; 1 where the head cannot tell.

    A head that was cut says nothing of its last record, and nothing of a format whose file is one document.
    """
    is_cut = len(head) > TRIAL_BYTES
    if b"\0" in head[:TRIAL_BYTES] or (
        is_cut and not getattr(reader, "one_a_line", True) and head.lstrip().startswith(b"<")
    ):
        return 1.0
    if is_cut:
        head = head[: head.rfind(b"\n", 0, TRIAL_BYTES) + 1]
        if not head:
            return 1.0
    events = bad = last = gone_on = 0
    try:
        for parsed in reader.read(_Head(path, path.name, head, modified), ReadOptions()):
            events += len(parsed.events)
            bad += len(parsed.rejects)
            gone_on += sum(count for reason, count in parsed.skips.items() if "goes on" in reason)
            last = max([last, *(reject.line for reject in parsed.rejects)])
    except SocmlError:
        return 1.0 if is_cut else 0.0
    except Exception:  # of the reader: it says so when it reads the file, if no other can
        return 0.0
    ends_open = bad > 0 and (is_cut or not head.endswith(b"\n"))
    bad -= ends_open and last >= head.count(b"\n")
    if not events and bad < _FEWEST and is_cut:
        return 1.0
    doubt = (
        min(gone_on, events) / 2
    )  # lines that were put to a record above: perhaps they are records of another format
    return events / (events + bad + doubt) if events + bad else 1.0
