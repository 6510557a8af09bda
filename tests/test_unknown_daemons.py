"""One line of a daemon that nobody declared → who, from where, and how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats import ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.sources import FileSource

# line, source address, user, outcome; None: the line does not tell
LINES: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("Mar  2 10:00:00 h gitea[9]: 2026/03/02 10:00:00 ...eb/auth/auth.go:200:SignInPost() [W] Failed authentication attempt for bob from 192.0.2.7:51234: user's password is invalid", '192.0.2.7', 'bob', 'failure'),
    ('2026-03-02T10:00:00Z WARN vaultd: login denied: account=alice remote=192.0.2.7 reason=bad-otp', '192.0.2.7', 'alice', 'failure'),
    ("2026-03-02 10:00:00,123 [ERROR] com.acme.Auth - Authentication failed for user 'carol@example.org' (client 192.0.2.7)", '192.0.2.7', 'carol@example.org', 'failure'),
    ('[2026-03-02 10:00:00] production.WARNING: Invalid credentials supplied {"username":"dave","ip":"192.0.2.7"}', '192.0.2.7', 'dave', 'failure'),
    ('Mar  2 10:00:00 nas smbd_audit: erin|192.0.2.7|pc7|share|connect|fail (No such file)|x', '192.0.2.7', 'erin', 'failure'),
    ('Mar  2 10:00:00 h rdpgw[3]: rejected session: peer [2001:db8::7]:50000 unknown principal frank', '2001:db8::7', 'frank', 'failure'),
    ('Mar  2 10:00:00 h weird: *** ACCESS DENIED *** host=192.0.2.7 usr=grace', '192.0.2.7', 'grace', 'failure'),
    ('1772445600 authd: pw mismatch uid=heidi src=192.0.2.7:2222', '192.0.2.7', 'heidi', 'failure'),
    ('2026-03-02T10:00:00.000Z | sec | LOGIN_FAILURE | ivan | 192.0.2.7', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h jenkins[4]: WARNING: Failed login attempt from 192.0.2.7 as judy', '192.0.2.7', 'judy', 'failure'),
    ('Mar  2 10:00:00 h grafana[4]: logger=context userId=0 uname= t=2026-03-02T10:00:00Z level=info msg="Request Completed" method=POST path=/login status=401 remote_addr=192.0.2.7', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h mosquitto[4]: 1772445600: Client mallory [192.0.2.7:5000] disconnected, not authorised.', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h redis: 192.0.2.7:4000 - AUTH failed: WRONGPASS invalid username-password pair', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h charon: 05[IKE] EAP method EAP_MSCHAPV2 failed for peer peggy (192.0.2.7)', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h wireguard: Invalid handshake initiation from 192.0.2.7:51820', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h ovpn-server[8]: 192.0.2.7:1194 VERIFY ERROR: depth=0, error=certificate has expired: CN=quentin', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h slapd[8]: conn=1001 fd=12 ACCEPT from IP=192.0.2.7:4022 (IP=0.0.0.0:389)', '192.0.2.7', None, 'success'),
    ('Mar  2 10:00:00 h krb5kdc[8]: AS_REQ (4 etypes {18 17 16 23}) 192.0.2.7: PREAUTH_FAILED: rupert@EXAMPLE.ORG for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG, Preauthentication failed', '192.0.2.7', 'rupert@EXAMPLE.ORG', 'failure'),
    ('Mar  2 10:00:00 h tacacs+: login failure: sybil 192.0.2.7 (192.0.2.7) tty1', '192.0.2.7', 'sybil', 'failure'),
    ("Mar  2 10:00:00 h nextcloud: {core} Login failed: 'trent' (Remote IP: '192.0.2.7')", '192.0.2.7', 'trent', 'failure'),
    ('Mar  2 10:00:00 h wordpress(example.org)[8]: Authentication failure for victor from 192.0.2.7', '192.0.2.7', 'victor', 'failure'),
    ('Mar  2 10:00:00 h drupal: https://example.org|1772445600|user|192.0.2.7|https://example.org/user/login|-|0||Login attempt failed for walter.', '192.0.2.7', 'walter', 'failure'),
    ('Mar  2 10:00:00 h roundcube: IMAP Error: Login failed for xavier against localhost from 192.0.2.7. AUTHENTICATE PLAIN: Authentication failed.', '192.0.2.7', 'xavier', 'failure'),
    ('Mar  2 10:00:00 h cyrus/imap[8]: badlogin: pc7.example.org [192.0.2.7] plaintext yvonne SASL(-13): authentication failure: checkpass failed', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h perdition[8]: Auth: 192.0.2.7:4022->198.51.100.2:143 client-secure=plaintext authorisation_id=NONE authentication_id="zoe" server="imap1:143" protocol=IMAP4 status="failed: Re-Authentication Failure"', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h xinetd[8]: FAIL: telnet address from=192.0.2.7', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h in.tftpd[8]: connection refused from 192.0.2.7', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h bitwarden: Username or password is incorrect. Try again. IP: 192.0.2.7. Username: adam@example.org.', '192.0.2.7', 'adam@example.org', 'failure'),
    ("2026-03-02 10:00:00.000 [WARN] User login blocked after 5 tries; login='betty'; address='192.0.2.7'", '192.0.2.7', 'betty', 'failure'),
    ('Mar  2 10:00:00 h pveproxy[8]: authentication failure; rhost=::ffff:192.0.2.7 user=root@pam msg=no such user', '192.0.2.7', 'root@pam', 'failure'),
    ("Mar  2 10:00:00 h sogod [8]: SOGoRootPage Login from '192.0.2.7' for user 'chuck' might not have worked - password policy: 65535  grace: -1  expire: -1  bound: 0", '192.0.2.7', 'chuck', None),
    ('Mar  2 10:00:00 h 3proxy: 02/Mar/2026:10:00:00 +0000 PROXY.3128 00004 dan 192.0.2.7:4022 198.51.100.2:443 0 0 0 CONNECT', '192.0.2.7', None, None),
    ('Mar  2 10:00:00 h sockd[8]: info: block(1): tcp/accept ]: 192.0.2.7.4022 198.51.100.2.1080: error after reading 3 bytes: no acceptable authentication method', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h coturn: 123: session 001: realm <x> user <eve>: incoming packet ALLOCATE processed, error 401: Unauthorized, remote 192.0.2.7:4022', '192.0.2.7', 'eve', 'failure'),
    ('Mar  2 10:00:00 h kamailio[8]: ERROR: auth: failed login fU=1002 si=192.0.2.7', '192.0.2.7', None, 'failure'),
    ('Mar  2 10:00:00 h portsentry[8]: attackalert: TCP SYN/Normal scan from host: 192.0.2.7/192.0.2.7 to TCP port: 23', '192.0.2.7', None, None),
    ('Mar  2 10:00:00 h honeyd: E(192.0.2.7:4022 - 198.51.100.2:22): Attempted login: root/123456', '192.0.2.7', None, None),
    ('Mar  2 10:00:00 h backupd: login ok user=frida via 192.0.2.7', '192.0.2.7', 'frida', 'success'),
    ('Mar  2 10:00:00 h app[1]: User gustav signed in from 192.0.2.7 with MFA', '192.0.2.7', 'gustav', 'success'),
)  # fmt: skip


@pytest.mark.parametrize(("line", "address", "user", "outcome"), LINES, ids=[line[:60] for line, *_ in LINES])
def test_an_attack_line_of_an_unknown_daemon_tells_who_and_from_where(
    line: str, address: str, user: str | None, outcome: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "input.log"
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    parsed = list(open_format(detect(path)[0]).read(FileSource(path, path.name), ReadOptions(year=2026)))
    rows = [row for part in parsed for row in part.events.to_pylist()]
    assert len(rows) == 2
    assert (rows[0].get("source_ip"), rows[0].get("user_name")) == (address, user)
    assert outcome in (None, rows[0].get("event_outcome"))
