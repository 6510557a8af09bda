"""Access logs of Apache and nginx → events: common, combined and vhost_combined layout.

What is taken as it comes: `%b` writes `-` for no bytes, which is null; a request that is no request (TLS sent to a
plain port, `-` after a time-out) is in `message`; escapes (`\\"`, `\\x16`) are undone in the columns, and stand in
`raw`. A virtual host before the address is `host_name`. Fields after the user agent are in `extra`, as `rest`: what
they mean is said only in the server's configuration. Error logs are another format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, sized_blocks
from socml.formats._times import Clock, clock_of
from socml.formats.web._access_cuts import parse_block
from socml.formats.web._access_lines import access_event, parse_lines

__all__ = ["AccessLog"]

_WRAPPED = re.compile(rb"<\d{1,3}>|\d{4}-\d\d-\d\dT")  # a header of syslog or of a container's log before the line


class AccessLog:
    """Access logs in the layouts that Apache calls common, combined and vhost_combined, and nginx combined."""

    name = "access-log"
    about = "Apache and nginx access logs: common, combined and vhost_combined layout"
    specification = "https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats"
    examples = (
        '192.0.2.7 - ann [29/Feb/2024:13:06:56 +0100] "GET /index.html HTTP/1.1" 200 2326 "-" "Mozilla/5.0"',
        '192.0.2.7 - - [29/Feb/2024:13:06:57 +0100] "POST /login HTTP/1.1" 401 12',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that have the layout; comments do not count."""
        lines = [line for line in head_lines(head, 40) if not line.startswith(b"#")][:20]
        fit = sum(_fits(line) for line in lines)
        return 0.97 * fit / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, whole blocks at a time. Lines that start with # are comments."""
        clock = clock_of(source, options)
        for block, is_large in sized_blocks(source, options):
            if is_large:
                yield from parse_block(block, clock)
            else:
                yield from parse_lines(enumerate(block.lines(), block.first_line), clock)


def _fits(line: bytes) -> bool:
    if _WRAPPED.match(line):
        return False
    try:
        access_event(line, Clock(None, None, None))
    except ValueError:
        return False
    return True
