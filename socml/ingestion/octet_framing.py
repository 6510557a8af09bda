"""Bytes of a syslog connection → whole messages: one a line, or each behind its length (RFC 6587).

Which of the two a sender uses is told message by message: a length is digits, a blank and `<`, with which a message
begins. Nothing that was received is held beyond `MESSAGE_LIMIT`; a longer message is shortened to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["MESSAGE_LIMIT", "Frames", "one_line"]

MESSAGE_LIMIT = 64 << 10  # bytes; RFC 5425 asks for 2 KB at least, and senders write up to 64 KB
_COUNTED = re.compile(rb"([1-9]\d{0,9}) (?=<)")
_MAYBE_COUNTED = re.compile(rb"[1-9]\d{0,9} ?$")
_NOT_IN_A_LINE = {b"\n": b"#012", b"\r": b"#015", b"\0": b"#000"}  # as rsyslog writes them


@dataclass
class Frames:
    """One connection's bytes, message by message. `shortened` counts those that were over the limit."""

    shortened: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _left_out: int = 0  # bytes of a counted message that are still to come, and are dropped
    _to_line_end: bool = False  # whether what comes is dropped up to the next line end
    _searched: int = 0  # bytes of what is held in which no line ends

    @property
    def is_waiting(self) -> bool:
        """Whether a message has begun whose end has not come."""
        return bool(self._held or self._left_out or self._to_line_end)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the messages that end in them."""
        self._held += data
        found: list[bytes] = []
        while (message := self._next()) is not None:
            if message.strip():
                found.append(message)
        return found

    def close(self) -> list[bytes]:
        """Return what a connection ended with: a last message without its end, if there is one."""
        rest = b"" if self._to_line_end else bytes(self._held)
        self._held.clear()
        counted = _COUNTED.match(rest)
        rest = rest[counted.end() :] if counted else rest
        return [rest] if rest.strip() else []

    def _next(self) -> bytes | None:
        """Return the next message, b"" for bytes that are dropped, None if more are needed."""
        if self._left_out:
            dropped = min(self._left_out, len(self._held))
            del self._held[:dropped]
            self._left_out -= dropped
        if self._left_out or not self._held:
            return None
        if self._to_line_end:
            return self._after_the_long_line()
        counted = _COUNTED.match(self._held)
        if counted:
            return self._counted(counted.end(), int(counted[1]))
        if len(self._held) < 12 and _MAYBE_COUNTED.match(self._held):
            return None
        return self._line()

    def _counted(self, start: int, length: int) -> bytes | None:
        kept = min(length, MESSAGE_LIMIT)
        if len(self._held) - start < kept:
            return None
        message = bytes(self._held[start : start + kept])
        del self._held[: start + kept]
        self._left_out = length - kept
        self.shortened += length > kept
        return message

    def _line(self) -> bytes | None:
        end = self._held.find(b"\n", self._searched)  # each byte is looked at once, however few come at a time
        if end < 0 and len(self._held) <= MESSAGE_LIMIT:
            self._searched = len(self._held)
            return None
        self._searched = 0
        if 0 <= end <= MESSAGE_LIMIT:
            message = bytes(self._held[:end])
            del self._held[: end + 1]
            return message
        message = bytes(self._held[:MESSAGE_LIMIT])
        del self._held[:MESSAGE_LIMIT]
        self.shortened += 1
        self._to_line_end = True
        return message

    def _after_the_long_line(self) -> bytes | None:
        end = self._held.find(b"\n")
        if end < 0:
            self._held.clear()
            return None
        del self._held[: end + 1]
        self._to_line_end = False
        return b""


def one_line(message: bytes) -> bytes:
    """Return a message as one line: its ends trimmed, line ends within it written out as #012.

    Examples
    --------
    >>> one_line(b"<13>a\\nb\\r\\n\\0")
    b'<13>a#012b'
    """
    line = message.strip(b"\r\n\0")
    for character, written in _NOT_IN_A_LINE.items():
        line = line.replace(character, written)
    return line
