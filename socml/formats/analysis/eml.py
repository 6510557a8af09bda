"""E-mail messages (`.eml`, and mbox files of several) → the message, its attachments with hashes, its URLs.

A message of an mbox begins at a line `From ` after an empty line; `>From ` inside a message is left as it is. What is told
of each part stands in `_mail`. A message over the limit is rejected. Records are the parts that become events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._mail import mail_events
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import made

__all__ = ["Eml"]

MESSAGE_LIMIT = 64 << 20
_NEXT = re.compile(rb"\r?\n\r?\n(?=From )")  # of an mbox, a message
_HEADER = re.compile(rb"[!-9;-~]{1,76}:[ \t\r\n]?")
_TYPICAL = re.compile(
    rb"^(From|To|Subject|Date|Received|Message-ID|MIME-Version|Return-Path|Delivered-To):", re.M | re.I
)


class Eml:
    """Messages in the Internet Message Format."""

    name = "eml"
    about = "e-mail (.eml, mbox): the message, its attachments with their hashes, its URLs"
    specification = "https://www.rfc-editor.org/rfc/rfc5322"
    examples = (
        "From: Billing <billing@example.net>\nTo: ann@example.org\nSubject: Invoice\n"
        "Date: Thu, 29 Feb 2024 13:06:56 +0100\nMIME-Version: 1.0\n\nSee http://files.example.net/inv.doc",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a header with three fields that messages have."""
        start = head[:16384].lstrip(b"\r\n")
        if start.startswith(b"From ") and b"\n" in start:
            start = start.split(b"\n", 1)[1]
        if not _HEADER.match(start):
            return 0.0
        header = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
        names = {found.lower() for found in _TYPICAL.findall(header)}
        return 0.95 if len(names) >= 3 else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the messages' events."""
        return made(_items(source))


def _items(source: Source) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    for line, message in _messages(source):
        if len(message) > MESSAGE_LIMIT:
            yield line, message[:65536], ValueError(f"a message over the limit of {MESSAGE_LIMIT >> 20} MB")
            continue
        for raw, row in mail_events(message):
            yield line, raw if len(raw) <= 65536 else raw[:65536], row


def _messages(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the messages with the lines they begin on."""
    held, line = b"", 1
    is_box = next(iter(source.chunks()), b"").startswith(b"From ")
    for chunk in source.chunks():
        held += chunk
        at = 0
        while is_box and (found := _NEXT.search(held, at)):
            yield line, _without_first(held[at : found.end()])
            line += held.count(b"\n", at, found.end())
            at = found.end()
        held = held[at:]
        if len(held) > MESSAGE_LIMIT:
            break
    if held.strip():
        yield line, _without_first(held) if is_box else held


def _without_first(message: bytes) -> bytes:
    return message.split(b"\n", 1)[-1] if message.startswith(b"From ") else message
