"""PowerShell transcripts → an event for the session, and one for each command that was typed.

Start-Transcript writes a header (who, on which machine, which process), then what the console showed; with
`-IncludeInvocationHeader` each command has its own time, else it has the session's. What commands print is kept with them.
Blind to commands that went on in a second line, and to prompts that do not begin with `PS`.

References
----------
https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.host/start-transcript
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from socml.formats._facts import facts_of
from socml.formats._multiline import numbered_lines
from socml.formats._old_encodings import text_of_line
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, made
from socml.formats._stamps import time_of
from socml.formats._times import Clock, clock_of

__all__ = ["PowershellTranscript"]

_RULE = re.compile(r"\*{10,}")
_BEGINS = re.compile(r"(?:Windows )?PowerShell transcript start", re.IGNORECASE)
_ENDS = re.compile(r"(?:Windows )?PowerShell transcript end", re.IGNORECASE)
_FIELD = re.compile(r"(?P<name>[A-Z][A-Za-z ]{1,40}): ?(?P<value>.{0,4000})")
_PROMPT = re.compile(r"PS(?:[ >].{0,1000}?)?> ?(?P<command>\S.{0,30000})")
_COMMAND_TIME = re.compile(r"Command start time: (?P<time>\d{14})")
_MOST_BYTES = 1 << 20  # of a header, and of what a command printed that is kept with it
_Row = dict[str, object] | Exception


class PowershellTranscript:
    """Transcripts of PowerShell 5 and later, several in one file among them."""

    name = "powershell-transcript"
    about = "PowerShell transcripts: the session, and each command with what it printed"
    specification = "https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.host/start-transcript"
    examples = (
        "**********************\nWindows PowerShell transcript start\nStart time: 20260302100000\nUsername: CORP\\bob\nRunAs User: CORP\\bob\n"
        "Machine: PC7 (Microsoft Windows NT 10.0.19045.0)\nProcess ID: 5150\n**********************\nPS C:\\> whoami",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of stars over the transcript's title."""
        lines = head.removeprefix(b"\xef\xbb\xbf").lstrip().decode("utf-8", "replace").split("\n", 2)
        return 0.97 if len(lines) > 2 and _RULE.match(lines[0]) and _BEGINS.match(lines[1]) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the session and its commands."""
        clock = clock_of(source, options)
        session = _Session(clock)
        return made(session.rows(numbered_lines(source)), warnings=clock.warnings, is_certain=lambda: clock.is_certain)


class _Session:
    """Reads line after line; what the header says holds for all commands below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._header: dict[str, str] = {}
        self._time: datetime | None = None
        self._command, self._first, self._size, self._lines = "", 0, 0, list[bytes]()

    def rows(self, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, _Row]]:
        """Yield the session's own event, and each command with the lines that it printed."""
        for number, line in lines:
            text = text_of_line(line, self._clock)
            if _BEGINS.match(text):
                yield from self._last()
                yield number, *self._read_header(line, lines)
            elif _ENDS.match(text):
                yield from self._last()
            elif found := _COMMAND_TIME.match(text):
                yield from self._last()
                with suppress(ValueError):  # else the command before tells the time best
                    self._time = time_of(found["time"], self._clock)
            elif found := _PROMPT.match(text):
                yield from self._last()
                self._command, self._first, self._lines = found["command"].strip(), number, [line]
                self._size = len(line)
            elif self._command and self._size < _MOST_BYTES and not _RULE.match(text):
                self._lines.append(line)
                self._size += len(line) + 1
            else:
                yield number, line, Skip("line around the commands")
        yield from self._last()

    def _read_header(self, first: bytes, lines: Iterator[tuple[int, bytes]]) -> tuple[bytes, _Row]:
        """Return a header's lines and the session's own event."""
        raw, size, self._header, self._time = [first], 0, dict[str, str](), None
        for _, line in lines:
            raw.append(line)
            size += len(line) + 1
            text = text_of_line(line, self._clock)
            if _RULE.match(text) or size > _MOST_BYTES:
                return b"\n".join(raw), self._started()
            if found := _FIELD.match(text):
                self._header[found["name"]] = found["value"].strip()
        return b"\n".join(raw), ValueError("a header that is cut")

    def _started(self) -> _Row:
        try:
            self._time = time_of(self._header.get("Start time", ""), self._clock)
        except ValueError as error:
            return error
        return self._row("powershell_started") | {"process_command_line": self._header.get("Host Application")}

    def _last(self) -> Iterator[tuple[int, bytes, _Row]]:
        if self._command:
            told = facts_of(self._command)
            more = {name: told[name] for name in ("url_original", "file_path", "destination_ip") if name in told}
            row = (
                self._row("powershell_script")
                | more
                | {"process_command_line": self._command, "message": self._command}
            )
            yield self._first, b"\n".join(self._lines).rstrip(), row
        self._command, self._lines = "", []

    def _row(self, action: str) -> dict[str, object]:
        user, runs_as = (self._header.get(name, "").rsplit("\\", 1)[-1] for name in ("Username", "RunAs User"))
        pid = self._header.get("Process ID", "")
        row: dict[str, object] = {
            "time": self._time,
            "class_uid": 1007,
            "event_category": "process",
            "event_action": action,
            "host_name": self._header.get("Machine", "").partition(" (")[0] or None,
            "user_name": user or None,
            "process_name": "powershell",
            "process_pid": int(pid) if pid.isdecimal() and len(pid) < 10 else None,
            "extra": {
                name: value
                for name, value in self._header.items()
                if name in ("PSVersion", "Configuration Name") and value
            },
        }
        return row | (
            {"acting_user_name": user, "target_user_name": runs_as} if user and runs_as not in ("", user) else {}
        )
