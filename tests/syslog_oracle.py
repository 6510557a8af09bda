"""Made-up lines of syslog, and what says that the fast way over blocks and the careful way, line by line, agree."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from socml.formats._reader import Block, Parsed
from socml.formats._select_lines import Records
from socml.formats._times import Clock
from socml.formats.host._syslog_blocks import parse_block, parse_lines

USERS = ["root", "ann", "", " ", "a b", "root from 192.0.2.9 port 22 ssh2", "x [preauth]", "-", "a'b", "é", "50%"]
HOSTS = [
    "192.0.2.7", "999.1.1.1", "1.2.3", "1.2.3.4.5", "2001:db8::1", "::ffff:192.0.2.7", "::FFFF:192.0.2.7", "::ffff:x",
    "::ffff:1:2", "::ffff:", "fe80::1%eth0", "fe80::1%", "1.2:3", "a:1", ":", "host.example.net", "192.0.2.7:", "1234.1.1.1",
]  # fmt: skip
PORTS = ["22", "65535", "65536", "0000000000000000000022", "99999999999999999999999", "x", ""]
STAMPS = [
    "Jan  1 00:00:00", "Dec 31 23:59:59", "Feb 29 12:00:00", "Feb 30 12:00:00", "Mar 27 13:06:56", "Mar 26 02:30:00",
    "Mar 27 13:06:56.25", "Mar 27 13:06:56.290001:", "Oct 25 02:30:00", "Oct 29 02:15:10", "Jun 09 10:00:60", "Abc  1 00:00:00",
    "Jun  0 00:00:00", "Jun  1 24:00:00", "Jun  1 00:60:00", "Jun 15 2024 10:00:00", "Feb 29 2023 10:00:00",
    "Jun 15 2024 10:00:60", "Mar 31 2024 02:30:00.5", "Jun 15 1902 10:00:00", "2026-03-27T13:06:56+00:00",
    "2026-03-27 13:06:56.123456789Z", "2026-03-27T13:06:56,5-0130", "2026-03-27T13:06:56", "2026-10-25T02:30:00.1",
    "2023-02-29T00:00:00Z", "2026-03-27T13:06:56+23:59", "2026-03-27T13:06:56+24:00", "2026-03-27T13:06:56-11:60",
    "1970-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "2024-02-29T23:59:59-12:00", "2026-03-27T13:06:56.Z", "", "Jun 15",
]  # fmt: skip
TAGS = [
    "sshd[1291]: ", "sshd: ", "SSHD[1]:", "/usr/sbin/sshd[12]: ", "sshd-session[3]: ", "sudo: ", "su[7]: ", "CRON[9]: ",
    "crond[9]: ", "systemd-logind[1]: ", "useradd[5]: ", "passwd: ", "kernel: ", "x/: ", "[app]: ", "[app]", "",
    "sshd[123456789012345678]: ", "sshd[1234567890123456789]: ", "sshd[]: ", "su(pam_unix)[7]: ",
]  # fmt: skip
MESSAGES = [
    "Failed password for {user} from {host} port {port} ssh2",
    "Failed none for invalid user {user} from {host} port {port} ssh2 [preauth]",
    "error: Failed x for illegal user {user} from {host}: RSA {user}",
    "Accepted publickey for {user} from {host} port {port} ssh2: RSA SHA256:{user}",
    "error: PAM: Authentication failure for {user} from {host} via {host}",
    "ROOT LOGIN REFUSED FROM {host} port {port}",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={host}  user={user}",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser={user} rhost={host} ",
    "pam_unix(login:auth): authentication failure; logname=LOGIN ruser={user} rhost={host}  user={user}",
    "pam_unix(sshd:auth): check pass; user unknown",
    "pam_unix(sudo:session): session opened for user {user}(uid=0) by {user}(uid=1000)",
    "pam_unix(cron:session): session closed for user {user}",
    "pam_sss(su:auth): auth could not identify password for [{user}]",
    "Invalid user {user} from {host} port {port}",
    "User {user} from {host} not allowed because not listed in AllowUsers",
    "User {user} not allowed because account is locked",
    "error: maximum authentication attempts exceeded for invalid user {user} from {host} port {port} ssh2 [preauth]",
    "Disconnected from invalid user {user} {host} port {port} [preauth]",
    "Connection closed by authenticating user {user} {host} port {port}: {user} [preauth]",
    "Received disconnect from {host}: 11: Bye Bye [preauth]",
    "error: Received disconnect from {host} port {port}:3: {user} [preauth]",
    "Disconnected from user {user} {host} port {port}",
    "Disconnecting: Too many authentication failures for {user} [preauth]",
    "Connection from {host} port {port} on {host} port {port} rdomain x",
    "banner exchange: Connection from {host} port {port}: invalid format",
    "Did not receive identification string from {host} port {port}",
    "Bad protocol version identification '{user}' from {host} port {port}",
    "fatal: Unable to negotiate with {host} port {port}: no matching {user}. [preauth]",
    "fatal: Timeout before authentication for {host} port {port}",
    "refused connect from {host} ({host})",
    "drop connection #10 from [{host}]:22 on [{host}]:22 past MaxStartups",
    "reverse mapping checking getaddrinfo for {host} [{host}] failed - POSSIBLE BREAK-IN ATTEMPT!",
    "Address {host} maps to {host}, but this does not map back to the address",
    "input_userauth_request: invalid user {user} [preauth]",
    "Server listening on {host} port {port}.",
    "Starting session: shell on pts/0 for {user} from {host} port {port} id 0",
    "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost={host}  user={user}",
    "  {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/bin/ls {user}",
    "{user} : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "{user} : command not allowed ; PWD=/ ; USER=root ; GROUP=adm ; TSID=0 ; ENV=A=1 ; COMMAND=/bin/ls",
    "Successful su for root by {user}",
    "FAILED su for root by {user}",
    "FAILED SU (to root) {user} on pts/1",
    "(to root) {user} on pts/1",
    "+ pts/0 {user}:root",
    "({user}) CMD (run {user} | x)",
    "new user: name={user}, UID=1001, GID=1001, home=/home/x",
    "new group: name={user}, GID=1001",
    "add '{user}' to shadow group 'adm'",
    "pam_unix(passwd:chauthtok): password changed for {user}",
    "New session 12 of user {user}.",
    "Removed session 12.",
    "Session 12 logged out. Waiting for processes to exit.",
    "message repeated 2 times: [ Failed password for {user} from {host} port {port} ssh2]",
    "message repeated 2 times: [{user}]",
    "message repeated x times: [ {user}]",
    "last message repeated 3 times",
    "last message repeated 1 time",
    "[ID 800047 auth.info] Failed password for {user} from {host} port {port} ssh2",
    "{user}",
    "",
    "   ",
    "DHCPACK on {host} to 00:11 via eth0   ",
]


def message(rng: random.Random) -> str:
    return rng.choice(MESSAGES).format(user=rng.choice(USERS), host=rng.choice(HOSTS), port=rng.choice(PORTS))


def line(rng: random.Random) -> str:
    said = message(rng)
    stamp, tag = rng.choice(STAMPS), rng.choice(TAGS[:3]) if rng.random() < 0.6 else rng.choice(TAGS)
    style = rng.random()
    if style < 0.1:
        stamp = rng.choice([*STAMPS[-15:], "-"])
        data = rng.choice(["-", "-", '[x@1 a="b" c="\\"]"]', '[x@1 a="b"][y b="]"]', "[", "[]"])
        return f"<{rng.choice([0, 86, 191, 999])}>1 {stamp} {rng.choice(['-', 'web01'])} {rng.choice(['-', 'sshd', 'a/su'])} {rng.choice(['-', '12', 'x'])} {rng.choice(['-', 'ID7'])} {data}{rng.choice(['', ' ', '   ', ' BOM'])}{said}"
    if style < 0.12:
        return rng.choice(["", "  ", "# a comment", "no header at all", "\x00", "<86>"])
    front = rng.choice(["", "", "", "<86>", "<1>", "<1000>"])
    host = rng.choice(["web01", "web01", "-", "10.0.0.1", "a:b", "", "we[b"])
    return f"{front}{stamp} {host}{' ' if host else ''}{tag}{said}"


def made(rng: random.Random, lines: int) -> bytes:
    return "\n".join(line(rng) + rng.choice(["", "", "", "", "\r", "\t"]) for _ in range(lines)).encode()


def _rows(parts: Iterable[Parsed]) -> list[dict[str, Any]]:
    rows = [row for part in parts for row in part.events.to_pylist()]
    for row in rows:
        row["extra"] = dict(row.get("extra") or [])
    return sorted(({k: v for k, v in row.items() if v is not None} for row in rows), key=lambda r: r["source_line"])


def clock(zone: str | None, year: int | None) -> Clock:
    return Clock(ZoneInfo(zone) if zone else None, year, datetime(2024, 5, 5, tzinfo=UTC))


def compare(blocks: list[bytes], zone: str | None = None, year: int | None = None) -> int:
    """Read the blocks of one file both ways; return how many lines took the fast way."""
    slow_clock, fast_clock = clock(zone, year), clock(zone, year)
    slow, fast, first = [], [], 1
    for data in blocks:
        block = Block(first, data)
        slow += parse_lines(block, slow_clock) if data else []
        fast += parse_block(block, fast_clock)
        first += len(block.lines()) if data else 0
    assert _rows(fast) == _rows(slow)
    for part in fast:
        assert [r.decode("utf-8", "backslashreplace") for r in part.records] == part.events["raw"].to_pylist()
    assert sorted((r for part in fast for r in part.rejects), key=lambda r: r.line) == [
        r for part in slow for r in part.rejects
    ]
    skips: list[dict[str, int]] = [{}, {}]
    for total, parts in zip(skips, (slow, fast), strict=True):
        for part in parts:
            for reason, count in part.skips.items():
                total[reason] = total.get(reason, 0) + count
    assert skips[0] == skips[1]
    assert sum(part.count for part in fast) == first - 1
    assert [w for part in fast for w in part.warnings] == [w for part in slow for w in part.warnings]
    certain = {}
    for part in slow:
        for line in part.events["source_line"].to_pylist():
            certain[line] = part.time_is_certain
    for part in fast:
        for line in part.events["source_line"].to_pylist():
            assert certain[line] or not part.time_is_certain
    assert (fast_clock.year, fast_clock.position) == (slow_clock.year, slow_clock.position)
    assert (fast_clock.used_year, fast_clock.used_zone) == (slow_clock.used_year, slow_clock.used_zone)
    return sum(len(part.records) for part in fast if isinstance(part.records, Records))
