"""Logs of tools that have no reader: the first event of a few lines tells when, who, from where, how it ended and how bad."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socml.formats import MapReader, ReadOptions, load_map
from socml.formats._addresses import address_and_port
from socml.formats._values import outcome_of
from socml.formats.host._syslog_headers import header, is_host
from socml.ingestion import peek
from socml.ingestion.format_maps import map_paths
from socml.ingestion.sources import FileSource
from socml.project import RecipeError
from tests.regex_runs import runs_away

TIME = "2026-03-02T10:00:00"
# what is strange about it → its lines, and what the first event must be
TEXTS: dict[str, tuple[str, dict[str, object]]] = {
    "a level behind a thread": (
        "2026-03-02 10:00:00,123 [exec-1] WARN  c.e.Login - Login failed for user bob from 192.0.2.7\n",
        {"time": TIME, "event_severity": 40, "user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a level behind a name": (
        "2026-03-02 10:00:00 worker-7 ERROR cannot reach 192.0.2.7\n",
        {"time": TIME, "event_severity": 60, "source_ip": "192.0.2.7"},
    ),
    "a level behind two blanks is no host": (
        "2026-03-02T10:00:00.123Z  WARN 4321 --- [shop] [exec-3] o.s.Listener : bad credentials [RemoteIpAddress=192.0.2.7]\n",
        {"time": TIME, "event_severity": 40, "process_pid": 4321, "host_name": None, "source_ip": "192.0.2.7"},
    ),
    "a level in brackets is no program": (
        "2026-03-02 10:00:00.123456+00:00 [error] <0.12.0> PLAIN login refused: user 'guest' from 192.0.2.7\n",
        {"event_severity": 60, "process_name": None, "user_name": "guest", "event_outcome": "failure"},
    ),
    "a process and a level in brackets": (
        "[2026-03-02 10:00:00 +0000] [4321] [WARNING] Invalid request from ip=192.0.2.7: bad\n",
        {"time": TIME, "event_severity": 40, "source_ip": "192.0.2.7"},
    ),
    "a level at the end of an environment's name, and a stack below": (
        "[2026-03-02 10:00:00] live.ERROR: login failed for bob\n[stacktrace]\n#0 /a.php(1): y()\n#1 {main}\n\"}\n"
        "[2026-03-02 10:00:01] live.INFO: x\n",
        {"event_severity": 60, "event_outcome": "failure"},
    ),
    "levels and no time: Python's": (
        "WARNING:auth:login failed for bob from 192.0.2.7\nERROR:root:boom\nTraceback (most recent call last):\n  x\nKeyError: 1\n",
        {"time": None, "event_severity": 40, "user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "levels and no time: uvicorn's": (
        'INFO:     192.0.2.7:4022 - "POST /token HTTP/1.1" 401 Unauthorized\nINFO:     started\n',
        {"event_severity": 10, "source_ip": "192.0.2.7", "source_port": 4022, "http_response_status_code": 401},
    ),
    "levels and no time: .NET's": (
        "fail: App.Auth[1001]\n      Login failed for user bob from 192.0.2.7\ninfo: Hosting[0]\n      up\n",
        {"event_severity": 60, "user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a time of day and no date": (
        "10:00:00.123456 IP 192.0.2.7.4022 > 198.51.100.2.443: Flags [S], seq 1, win 64240, length 0\n" * 2,
        {"time": None, "source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": "198.51.100.2", "destination_port": 443},
    ),
    "a level on the record's second line": (
        'Mar 02, 2026 10:00:00 AM org.x.LockOutRealm filter\nWARNING: an attempt to authenticate the locked user "admin"\n'
        "Mar 02, 2026 10:00:01 AM org.x.Y start\nINFO: started\n",
        {"time": TIME, "event_severity": 40, "user_name": "admin"},
    ),
    "records that begin with a sign": (
        "####<Mar 2, 2026 10:00:00,123 AM UTC> <Warning> <Security> <h1> <BEA-090402> <Authentication denied: not valid. User: bob>\n",
        {"time": TIME, "event_severity": 40, "user_name": "bob", "event_outcome": "failure"},
    ),
    "a level before the time, and the date parted from the clock by two colons": (
        "=ERROR REPORT==== 2-Mar-2026::10:00:00 ===\nclosing connection <0.1.0> (192.0.2.7:4022 -> 198.51.100.2:5672):\n{handshake_error}\n\n"
        "=INFO REPORT==== 2-Mar-2026::10:00:01 ===\nx\n",
        {"time": TIME, "event_severity": 60, "source_ip": "192.0.2.7", "source_port": 4022, "destination_port": 5672},
    ),
    "a zone that is a place": (
        "[02-Mar-2026 11:00:00 Europe/Paris] PHP Warning:  x in /x/a.php on line 12\n", {"time": TIME, "file_path": "/x/a.php"},
    ),
    "the year before the month": (
        "2026 Mar  2 10:00:00 nx1 %AUTHPRIV-3-SYSTEM_MSG: pam_aaa:Authentication failed from 192.0.2.7 - dcos_sshd[12]\n",
        {"time": TIME, "host_name": "nx1", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "ports behind a stroke": (
        "2026-03-02T10:00:00Z esx1 FIREWALL-PKTLOG[12]: abc INET match DROP 1005 IN 60 TCP 192.0.2.7/51000->198.51.100.2/22 S\n",
        {"source_port": 51000, "destination_ip": "198.51.100.2", "destination_port": 22, "event_outcome": "failure"},
    ),
    "day and month, then the clock": ("02 Mar 10:00:00 ntpd[12]: up\n", {"time": TIME}),
    "a month in small letters": (
        "mar/02/2026 10:00:00 system,error,critical login failure for user admin from 192.0.2.7 via ssh\nmar/02/2026 10:00:01 system,info up\n",
        {"time": TIME, "user_name": "admin", "source_ip": "192.0.2.7"},
    ),
    "the year behind the clock, and keys with numbers": (
        "<190>Mar  2 10:00:00 2026 H3C %%10FILTER/6/X: SrcIPAddr(1003)=192.0.2.7;SrcPort(1004)=4022;DstIPAddr(1007)=198.51.100.2;Event(1048)=Deny;\n",
        {"time": TIME, "host_name": "H3C", "source_ip": "192.0.2.7", "source_port": 4022, "event_outcome": "failure"},
    ),
    "seconds in the header": (
        "<134>1 1772445600.123456789 MX84 flows src=192.0.2.7 dst=198.51.100.2 protocol=tcp sport=4022 dport=445 pattern: deny all\n",
        {"time": TIME, "host_name": "MX84", "source_port": 4022, "destination_port": 445, "event_outcome": "failure"},
    ),
    "facility and level before the program": (
        "Mar  2 10:00:00 alp auth.info sshd[12]: Failed password for root from 192.0.2.7 port 4022 ssh2\n",
        {"process_name": "sshd", "process_pid": 12, "event_severity": 10, "user_name": "root"},
    ),
    "facility and level before the host": (
        "Mar  2 10:00:00 <auth.notice> bsd1 sshd[12]: Invalid user oracle from 192.0.2.7 port 4022\n",
        {"host_name": "bsd1", "event_severity": 20, "user_name": "oracle"},
    ),
    "a message behind a file, a line and a function": (
        "[2026-03-02 10:00:00] NOTICE[12][C-1]: chan_sip.c:28000 handle_request: Registration from '\"100\" <sip:100@198.51.100.1>' "
        "failed for '192.0.2.7:5060' - Wrong password\n",
        {"user_name": "100", "source_ip": "192.0.2.7", "source_port": 5060, "event_outcome": "failure"},
    ),
    "a message behind an address of memory and a program": (
        "2026-03-02 10:00:00.123456+0000 0x1a2b     Default     0x0      456    0    sshd: Failed password for root from 192.0.2.7 port 4022 ssh2\n",
        {"user_name": "root", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a message on the record's second line": (
        "[2026/03/02 10:00:00.123456,  2] ../auth/auth_log.c:653(log_event)\n"
        "  Auth: [SMB2] user [CORP]\\[bob] status [NT_STATUS_WRONG_PASSWORD] remote host [ipv4:192.0.2.7:4022]\n",
        {"user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a mail server's message is no host": (
        "2026-03-02 10:00:00 1tvABC-0001Ab-2C <= a@example.net H=(x) [192.0.2.7]:4022 P=esmtps\n2026-03-02 10:00:01 1tvABC-0001Ab-2C Completed\n",
        {"time": TIME, "host_name": None, "source_ip": "192.0.2.7"},
    ),
    "the peer is no host": (
        "2026-03-02 10:00:00 192.0.2.7:4022 TLS Error: TLS handshake failed\n2026-03-02 10:00:01 ann/192.0.2.8:4023 MULTI: x\n",
        {"host_name": None, "source_ip": "192.0.2.7", "source_port": 4022, "event_outcome": "failure"},
    ),
    "an object behind a time and a name": (
        '2026-03-02 10:00:00,123 suricata {"timestamp":"2026-03-02T10:00:00.1+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.7",'
        '"dest_port":80,"alert":{"signature":"S","signature_id":7}}\n',
        {"source_ip": "192.0.2.7", "destination_port": 80, "rule_name": "S"},
    ),
    "pairs that tabs part": (
        "2026-03-02 10:00:00\taction=Allowed\tuseragent=Mozilla/5.0 (Windows NT)\tClientIP=192.0.2.7\tuser=bob@example.org\tstatus=200\n",
        {"time": TIME, "user_agent_original": "Mozilla/5.0 (Windows NT)", "source_ip": "192.0.2.7", "event_outcome": "success"},
    ),
    "pairs that bars part": (
        "time=1772445600|action=Drop|src=192.0.2.7|s_port=4022|dst=198.51.100.2|service=22|proto=6|user=bob (bob)\n",
        {"time": TIME, "source_port": 4022, "destination_port": 22, "network_transport": "tcp", "event_outcome": "failure"},
    ),
    "names and values with colons": (
        "<113>Mar 2 10:00:00 ftd1 SFIMS: %FTD-1-430003: AccessControlRuleAction: Block, SrcIP: 192.0.2.7, DstIP: 198.51.100.2, SrcPort: 4022, DstPort: 443, Protocol: tcp\n",
        {"host_name": "ftd1", "source_port": 4022, "destination_port": 443, "event_outcome": "failure"},
    ),
    "what stands before the pairs": (
        "03/02/2026-10:00:00.1 192.0.2.7:4022 -> 198.51.100.2:443  TLS: Subject='CN=x' Issuerdn='C=US, O=Y' SHA1='aa' VERSION='TLSv1'\n",
        {"time": TIME, "source_ip": "192.0.2.7", "source_port": 4022, "destination_port": 443},
    ),
    "the zone in a field of its own": (
        'id=firewall time="2026-03-02 11:00:00" fw="SN" tz=+0100 src=192.0.2.7 srcport=4022 dst=198.51.100.2 dstport=22 action=block\n',
        {"time": TIME, "destination_port": 22, "event_outcome": "failure"},
    ),
    "words of names, cut short": (
        '{"reqTimeSec":"1772445600.123","cliIP":"192.0.2.7","statusCode":"403","reqMethod":"GET","reqPath":"/admin"}\n',
        {"time": TIME, "source_ip": "192.0.2.7", "http_request_method": "GET", "http_response_status_code": 403, "url_original": "/admin"},
    ),
    "the last words of a name; not of another's": (
        '{"start_time":"2026-03-02T10:00:00Z","downstream_remote_address":"192.0.2.7:4022","upstream_remote_address":"198.51.100.2:80","method":"GET","path":"/"}\n',
        {"time": TIME, "source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": None},
    ),
    "a host's own address is no peer's": (
        '{"timestamp":"2026-03-02T10:00:00Z","host.ip":"198.51.100.2","origin.address":"192.0.2.7:4022","user.name":"bob","event.action":"authentication_failed"}\n',
        {"source_ip": "192.0.2.7", "source_port": 4022, "user_name": "bob", "event_outcome": "failure"},
    ),
    "a request line in a field": (
        'remote_addr=192.0.2.7 time_local="02/Mar/2026:10:00:00 +0000" request="GET /x HTTP/1.1" status=404\n',
        {"time": TIME, "http_request_method": "GET", "url_original": "/x", "http_response_status_code": 404},
    ),
    "an outcome in another of a record's kinds": (
        '{"timestamp":"2026-03-02T10:00:00Z","type":"password_secret","category":"credentials_failed","ip":"192.0.2.7"}\n',
        {"event_outcome": "failure"},
    ),
    "columns without names": (
        "2026-03-02T10:00:00+00:00|192.0.2.7|GET|/api|401|512|curl/8.0\n2026-03-02T10:00:01+00:00|192.0.2.8|POST|/login|200|99|curl/8.0\n",
        {"time": TIME, "source_ip": "192.0.2.7", "http_request_method": "GET", "url_original": "/api", "http_response_status_code": 401},
    ),
    "columns without names: a firewall's": (
        "2026-03-02,10:00:00,deny,tcp,192.0.2.7,4022,198.51.100.2,22\n2026-03-02,10:00:01,allow,udp,192.0.2.8,4023,198.51.100.3,53\n",
        {"time": TIME, "source_port": 4022, "destination_ip": "198.51.100.2", "destination_port": 22, "event_outcome": "failure"},
    ),
    "a column that the names leave out": (
        'Level,Date and Time,Source,Event ID,Task Category\nInformation,3/22/2026 10:00:00 AM,Security,4625,Logon,"An account failed to log on.\n\n'
        'Account For Which Logon Failed:\n\tAccount Name:\t\tbob\n\nNetwork Information:\n\tSource Network Address:\t192.0.2.7\n\tSource Port:\t\t4022"\n',
        {"user_name": "bob", "source_ip": "192.0.2.7", "source_port": 4022, "event_outcome": "failure"},
    ),
    "names with dots over one row": (
        '"@timestamp","host.name","source.ip","user.name","event.outcome"\n"Mar 2, 2026 @ 10:00:00.123","web1","192.0.2.7","bob","failure"\n',
        {"time": TIME, "host_name": "web1", "source_ip": "192.0.2.7", "user_name": "bob", "event_outcome": "failure"},
    ),
    "a name that begins with what it is; a column says more than a text": (
        'User Name,Date Accessed,IP Address,Text\nbob,"March 22, 2026 10:00:00 AM UTC",192.0.2.7,Logon failed for user eve\n'
        'amy,"March 23, 2026 10:00:00 AM UTC",192.0.2.8,x y\n',
        {"user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a log of another service of Azure": (
        '{"time":"2026-03-02T10:00:00Z","resourceId":"/X","category":"AzureFirewallNetworkRule","operationName":"Rule","properties":{"msg":'
        '"TCP request from 192.0.2.7:4022 to 198.51.100.2:443. Action: Deny."}}\n',
        {"time": TIME, "source_port": 4022, "destination_ip": "198.51.100.2", "event_outcome": "failure"},
    ),
    "what a LEEF event did": (
        "LEEF:1.0|Z|NSS|4.1|Blocked|devTime=Mar 02 2026 10:00:00 GMT\tsrc=192.0.2.7\tusrName=bob\n",
        {"time": TIME, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("strange", TEXTS)
def test_what_a_strange_log_tells_is_read(strange: str, tmp_path: Path) -> None:
    lines, expected = TEXTS[strange]
    path = tmp_path / "strange.log"
    path.write_text(lines, encoding="utf-8")
    event = peek(path, limit=1).events[0]
    seen = {name: event.get(name) for name in expected}
    if seen.get("time") is not None:
        seen["time"] = seen["time"].isoformat().replace(str(seen["time"].year), "2026")[:19]  # a stamp may have no year
    assert seen == expected


def test_a_log_without_dates_says_so_and_its_traces_stay_with_their_records(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(TEXTS["levels and no time: Python's"][0], encoding="utf-8")
    found = peek(path, limit=9)
    assert found.parsed == 2
    assert [w for w in found.warnings if "no date" in w]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/192.0.2.7:80", ("192.0.2.7", 80)),
        ("ipv4:192.0.2.7:80", ("192.0.2.7", 80)),
        ("tcp://192.0.2.7:80", ("192.0.2.7", 80)),
        ("udp4:192.0.2.7:80", ("192.0.2.7", 80)),
        ("IPV4/UDP/192.0.2.7/5060", ("192.0.2.7", 5060)),
        ("IPV6/TCP/2001:db8::7/5060", ("2001:db8::7", 5060)),
        ("192.0.2.0/24", (None, None)),
    ],
)
def test_an_address_may_stand_behind_its_protocol(text: str, address: tuple[str | None, int | None]) -> None:
    assert address_and_port(text) == address


def test_no_error_is_a_success() -> None:
    assert [outcome_of(text) for text in ("LOGIN_NO_ERROR", "no errors", "LOGIN_ERROR_INVALID_PASSWORD")] == [
        "success",
        "success",
        "failure",
    ]


def test_what_is_no_host_is_none() -> None:
    names = ("stdout", "192.0.2.7:4022", "ann/192.0.2.7:4022", "1tvABC-0001Ab-2C", "web-0001", "192.0.2.7")
    assert [is_host(name) for name in names] == [False, False, False, False, True, True]
    assert header('2026-03-02 10:00:00 suricata {"timestamp": 1}')["tag"] is None  # type: ignore[index]


BLOCKS = """
about = "tickets"
kind = "blocks"
begins = '''== '''
skips = '''report of '''
patterns = ['''^== (?P<at>[^ ]{1,40}) (?P<who>[^ \\n]{1,64})''', '''\\nfrom: (?P<from>[^ \\n]{1,64})''']

[columns]
time = "at"
user_name = "who"
source_ip = "from"
"""


def test_a_map_reads_records_over_several_lines(tmp_path: Path) -> None:
    (tmp_path / "tickets.toml").write_text(BLOCKS, encoding="utf-8")
    reader = MapReader(load_map(tmp_path / "tickets.toml"))
    path = tmp_path / "tickets.log"
    path.write_text(
        "report of today\n== 2026-03-02T10:00:00Z bob\ntext\nfrom: 192.0.2.7\n== 2026-03-02T10:00:01Z ann\n"
    )
    assert reader.sniff(path.read_bytes(), path.name) == pytest.approx(0.96)
    parsed = next(iter(reader.read(FileSource(path, path.name), ReadOptions())))
    rows = parsed.events.to_pylist()
    assert [(row["user_name"], row.get("source_ip")) for row in rows] == [("bob", "192.0.2.7"), ("ann", None)]
    assert parsed.skips == {"not a record": 1, "line that goes on with the record above": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BLOCKS.replace("patterns = ", "patterns = [] #"), "`begins` and `patterns`"),
        (BLOCKS.replace("(?P<who>", "(?P<who"), "`patterns` is no regular expression"),
        (BLOCKS.replace("report of ", "(report"), "`skips` is no regular expression"),
    ],
)
def test_what_is_wrong_with_a_map_of_blocks_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "tickets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=re.escape(said)):
        load_map(tmp_path / "tickets.toml")


@pytest.mark.parametrize(
    "name",
    [name for name, path in map_paths().items() if re.search(r"^(?:skips|begins) =", path.read_text(), re.MULTILINE)],
)
def test_patterns_of_shipped_maps_of_blocks_take_linear_time(name: str) -> None:
    shipped = load_map(map_paths()[name])
    for pattern in (*shipped.patterns, shipped.skips, shipped.pattern):
        if pattern is not None:
            assert (
                runs_away(pattern, is_search=pattern in shipped.patterns, is_line=pattern not in shipped.patterns) == ""
            )
