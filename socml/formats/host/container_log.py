"""Logs of containers as Kubernetes keeps them (`/var/log/containers`) → events, each read by what its message is.

A line is `TIME stream TAG message`, where TAG is F, or P for a part of a message that goes on in the next line of the same
stream (the runtime cuts at 16 KB). The parts become one event. A message that is a record (JSON, syslog, CEF, an access
line) is read by its own reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from socml.formats._continued import Continued
from socml.formats._inner import with_inner
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._times import Clock, iso

__all__ = ["ContainerLog"]

_LINE = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?P<stream>stdout|stderr) (?P<tag>[FP])(?::\S{1,64})? "
    rb"?(?P<message>.*)",
    re.DOTALL,
)
_MOST_PARTS = 1024


class ContainerLog:
    """Lines of a container's log, as containerd and CRI-O write them."""

    name = "container-log"
    may_span_lines = True  # a part goes on in the next line
    about = "logs of containers as containerd and CRI-O write them for Kubernetes; messages are read by what they are"
    specification = "https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md"
    examples = ("2026-03-02T10:00:00.123456789Z stderr F level=error msg=denied user=bob",)

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with a time, a stream and a tag."""
        lines = head_lines(head, 20)
        return 0.98 * sum(_LINE.match(line) is not None for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(_whole(line_records(source)), _event, source, options)


def _whole(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield messages with their parts joined by line ends, and each line that was joined as a line that goes on."""
    held: list[bytes] = []
    first = 0
    for number, line in lines:
        found = _LINE.match(line)
        held.append(line)
        first = number if len(held) == 1 else first
        if found is None or found["tag"] == b"F" or len(held) >= _MOST_PARTS:
            yield from _joined(first, held)
            held = []
    yield from _joined(first, held)


def _joined(first: int, parts: list[bytes]) -> Iterator[tuple[int, bytes]]:
    if parts:
        yield first, b"\n".join(parts)
    for at, part in enumerate(parts[1:], first + 1):
        yield at, Continued(part)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    parts = [_LINE.match(line) for line in record.split(b"\n")]
    found = parts[0]
    if found is None:
        raise ValueError("not a line of a container's log: no time, stream and tag")
    message = b"".join(part["message"] for part in parts if part).decode("utf-8", "backslashreplace")
    row: dict[str, object] = {
        "time": iso(found["time"].decode(), clock),
        "event_category": "host",
        "message": message.strip() or None,
        "extra": {"stream": found["stream"].decode()},
    }
    return with_inner(row, message, clock)
