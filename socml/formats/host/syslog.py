"""Lines of syslog, as in auth.log, messages and journal exports as text → events.

Headers of RFC 3164 (no year), RFC 3339 (rsyslog's file format) and RFC 5424 are read, and `journalctl -o short`,
`short-precise` and `short-iso` (whose messages of several lines `journald-text` reads). Messages of sshd, sudo, su,
cron, PAM, useradd and systemd-logind, and alerts of Snort and Suricata, are taken apart; every other line is an event
with its message.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, sized_blocks
from socml.formats._times import clock_of
from socml.formats.host._syslog_blocks import parse_block, parse_lines
from socml.formats.host._syslog_headers import has_only_priority, header, is_syslog

__all__ = ["Syslog"]

_BARE_GUESS = 0.55  # sure, of lines whose header is nothing but a number


class Syslog:
    """Syslog files: RFC 3164, RFC 3339 and RFC 5424 headers."""

    name = "syslog"
    about = "syslog and auth.log lines; sshd, sudo, su, cron, PAM, useradd, logind and Snort messages are taken apart"
    specification = "https://www.rfc-editor.org/rfc/rfc5424 and https://www.rfc-editor.org/rfc/rfc3164"
    examples = (
        "Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2",
        "<86>1 2026-03-27T13:06:56+00:00 web01 sshd 1291 - - Server listening on 0.0.0.0 port 22.",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that begin with a syslog header."""
        lines = [
            line for line in head_lines(head, 50, stripped=b"\r\0") if not line.startswith((b"#", b"-- ", b" ", b"\t"))
        ]
        if not lines:
            return 0.0
        is_indented = any(line.startswith((b" ", b"\t")) for line in head_lines(head, 50, stripped=b"\r\0")[1:])
        texts = [line.decode("utf-8", "replace") for line in lines]
        found = sum(is_syslog(text) for text in texts)
        wrapped = sum(
            '"event_type"' in text and '"flow_id"' in text for text in texts
        )  # Suricata behind a header is not ours
        if not found and not wrapped and all(map(has_only_priority, texts)):
            return _BARE_GUESS
        if is_indented and not any((one := header(text)) and (one["tag"] or not text[0].isdecimal()) for text in texts):
            return 0.0  # an application's records of several lines
        return 0.9 * found / len(lines) if not wrapped else 0.4 * found / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events. Lines that start with # are comments, and such as `-- Boot … --` are journalctl's."""
        clock = clock_of(source, options)
        for block, is_large in sized_blocks(source, options):
            yield from parse_block(block, clock) if is_large else parse_lines(block, clock)
