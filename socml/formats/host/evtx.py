"""Windows event logs (.evtx) → events, read by the package `evtx`.

An event's binary XML becomes JSON, which is `raw`, and is read as `windows-event-json` reads it. A log that was packed
with gzip or zstd is unpacked to a temporary file. Traps: a log that was copied while Windows wrote it is marked dirty
and is read all the same; a damaged record is one reject, and so is a damaged chunk, with the 64 KB of records in it; a
cleared log keeps old records in its slack, which are not looked for; the texts that a message is made of are in
Windows, not in the log, so there is no message; numbers as `%%1833` stand for such texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socml.formats._json import flatten, loads_exactly
from socml.formats._multiline import Broken
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import Clock, clock_of
from socml.formats._windows import windows_event
from socml.formats.host._windows_xml import flat_event
from socml.project import FormatError, ScratchFolder, open_file

__all__ = ["Evtx"]

_MAGIC = b"ElfFile\0"
_HEADER, _CHUNK = 4096, 65536  # bytes
_RECORD_LIMIT = 1_000_000_000  # records of one log: an end to a log that never ends


class Evtx:
    """Windows event logs as Windows keeps them."""

    name = "evtx"
    about = "Windows event logs (.evtx): Security, Sysmon, PowerShell and all others"
    specification = (
        "https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc"
    )
    one_a_line = False
    examples = (
        _MAGIC
        + bytes.fromhex("000000000000000000000000000000000100000000000000800000000100030000100000")
        + bytes(76)
        + bytes.fromhex("00000000329e2697")
        + bytes(_HEADER - 128),
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the file's first bytes."""
        return 1.0 if head.startswith(_MAGIC) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events. Raises FormatError if it is no event log, or the package `evtx` is missing."""
        clock = clock_of(source, options)
        with _unpacked(source) as path:
            records = _records(path, source.name)
            yield from batches(records, lambda record: _event(record, clock), warnings=clock.warnings)


@contextmanager
def _unpacked(source: Source) -> Iterator[Path]:
    """Give a file that holds the log as it is: its own, or a temporary one."""
    with open_file(source.path) as file:
        is_plain = file.read(len(_MAGIC)) == _MAGIC
    if is_plain:
        yield source.path
        return
    with ScratchFolder("evtx") as folder:
        copy = Path(folder, "log.evtx")
        with copy.open("wb") as file:
            for chunk in source.chunks():
                file.write(chunk)
        yield copy


def _records(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    try:
        from evtx import PyEvtxParser
    except ImportError:
        raise FormatError(
            f"{name} is a Windows event log, which needs the package evtx. Run: pip install evtx"
        ) from None
    try:
        found = PyEvtxParser(str(path), 1).records_json()
    except (RuntimeError, OSError) as error:
        raise FormatError(f"{name} is not a Windows event log, or its header is damaged: {error}.") from None
    number = 0
    while number < _RECORD_LIMIT:
        number += 1
        try:
            record = next(found)
        except StopIteration:
            break
        except (RuntimeError, OSError, ValueError) as error:
            yield number, Broken.of(b"-", f"damaged: {str(error)[:300]}")
            continue
        yield number, str(record["data"]).encode("utf-8", "backslashreplace") if record else b"{}"
    beyond = (path.stat().st_size - _HEADER) % _CHUNK
    if beyond:
        yield number, Broken.of(b"-", f"the file ends within a chunk of records, after {beyond:,} of {_CHUNK:,} bytes")


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    if isinstance(record, Broken):
        raise ValueError(record.reason)
    found = loads_exactly(record)
    event = found.get("Event")
    return windows_event(flat_event(event) if isinstance(event, dict) else flatten(found), clock)
