"""One attack line of each daemon that is declared → who, from where, and how it ended, whatever file it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats import ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

# line, source address, user, outcome; None: the line does not tell
LINES: tuple[tuple[str, str | None, str | None, str | None], ...] = (
    ('Mar  2 10:00:00 h sshd[5]: error: maximum authentication attempts exceeded for invalid user admin from 192.0.2.7 port 4022 ssh2 [preauth]', '192.0.2.7', 'admin', 'failure'),
    ('Mar  2 10:00:00 h vsftpd[5]: [bob] FAIL LOGIN: Client "192.0.2.7"', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [bob]', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h proftpd[5]: web1 (192.0.2.7[192.0.2.7]) - USER bob (Login failed): Incorrect password', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.2, TLS', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h postfix/smtpd[5]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6', '192.0.2.7', None, 'failure'),
    ('2026-03-02 10:00:00 dovecot_login authenticator failed for (host) [192.0.2.7]:4022: 535 Incorrect authentication data (set_id=bob)', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h sm-mta[5]: ruleset=check_rcpt, arg1=<a@b.example>, relay=x [192.0.2.7], reject=550 5.7.1 <a@b.example>... Relaying denied', '192.0.2.7', None, 'failure'),
    ("Mar  2 10:00:00 h named[5]: client @0x7f 192.0.2.7#4022 (x.example): query (cache) 'x.example/ANY/IN' denied", '192.0.2.7', None, 'failure'),
    ("Mar  2 10:00:00 h dropbear[5]: Bad password attempt for 'bob' from 192.0.2.7:4022", '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h openvpn[5]: 192.0.2.7:4022 TLS Auth Error: Auth Username/Password verification failed for peer', '192.0.2.7', None, 'failure'),
    ('2026/03/02 10:00:00 [error] 9#9: *1 user "bob": password mismatch, client: 192.0.2.7, server: localhost, request: "GET / HTTP/1.1", host: "h"', '192.0.2.7', 'bob', 'failure'),
    ('[Mon Mar 02 10:00:00.123456 2026] [auth_basic:error] [pid 71] [client 192.0.2.7:4022] AH01617: user bob: authentication failure for "/private": Password Mismatch', '192.0.2.7', 'bob', 'failure'),
    ('[2026-03-02 10:00:00] NOTICE[5] chan_sip.c: Registration from \'"100" <sip:100@198.51.100.2>\' failed for \'192.0.2.7:5060\' - Wrong password', '192.0.2.7', '100', 'failure'),
    ("2026-03-02T10:00:00.123456Z 12 [Note] Access denied for user 'root'@'192.0.2.7' (using password: YES)", '192.0.2.7', 'root', 'failure'),
    ('Mar  2 10:00:00 h su[5]: FAILED SU (to root) bob on pts/0', None, 'bob', 'failure'),
    ('Mar  2 10:00:00 h sudo: bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/sh', None, 'bob', 'failure'),
    ('Mar  2 10:00:00 h su: pam_unix(su:auth): authentication failure; logname=bob uid=1000 euid=0 tty=pts/0 ruser=bob rhost=  user=root', None, 'root', 'failure'),
    ('Mar  2 10:00:00 r1 42: *Mar  2 10:00:00.123: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: bob] [Source: 192.0.2.7] [localport: 22] [Reason: Login Authentication Failed] at 10:00:00 UTC Mon Mar 2 2026', '192.0.2.7', 'bob', 'failure'),
    ('<166>Mar 02 2026 10:00:00: %ASA-6-605004: Login denied from 192.0.2.7/4022 to outside:198.51.100.2/ssh for user "bob"', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 mt system,error,critical login failure for user bob from 192.0.2.7 via ssh', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h xrdp-sesman[5]: [INFO ] AUTHFAIL: user=bob ip=192.0.2.7 time=1772445600', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h webmin[5]: Invalid login as bob from 192.0.2.7', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h gdm-password]: pam_unix(gdm-password:auth): authentication failure; logname= uid=0 euid=0 tty=/dev/tty1 ruser= rhost=  user=bob', None, 'bob', 'failure'),
    ('Mar  2 10:00:00 h smbd[5]:   Auth: [SMB2,(null)] user [DOM]\\[bob] at [Mon, 02 Mar 2026 10:00:00 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC] remote host [ipv4:192.0.2.7:4022] mapped to [DOM]\\[bob].', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h radiusd[5]: Login incorrect: [bob/<via Auth-Type = PAP>] (from client ap port 0 cli 192.0.2.7)', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h cockpit-ws: pam_unix(cockpit:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.7  user=bob', '192.0.2.7', 'bob', 'failure'),
    ('Mar  2 10:00:00 h kernel: [12.3] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=192.0.2.7 DST=198.51.100.2 LEN=40 TOS=0x00 PREC=0x00 TTL=244 ID=1 PROTO=TCP SPT=1 DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0', '192.0.2.7', None, 'failure'),
    ('2026-03-02 10:00:00,123 fail2ban.actions        [5]: NOTICE  [sshd] Ban 192.0.2.7', '192.0.2.7', None, None),
    ('Mar  2 10:00:00 h exim[5]: 2026-03-02 10:00:00 login authenticator failed for ([198.51.100.9]) [192.0.2.7]: 535 Incorrect authentication data (set_id=bob)', '192.0.2.7', 'bob', 'failure'),
)  # fmt: skip


@pytest.mark.parametrize(("line", "address", "user", "outcome"), LINES, ids=[line[:60] for line, *_ in LINES])
def test_an_attack_line_tells_who_and_from_where(
    line: str, address: str | None, user: str | None, outcome: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "input.log"
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    parsed = list(open_format(detect(path)[0]).read(FileSource(path, path.name), ReadOptions(year=2026)))
    rows = [row for part in parsed for row in part.events.to_pylist()]
    assert len(rows) == 2
    assert (rows[0].get("source_ip"), rows[0].get("user_name")) == (address, user)
    assert outcome in (None, rows[0].get("event_outcome"))
