"""Lines as products write them, of which no reader is for that product alone: who, from where, to where, with what end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "vpn, doubled header": (
        "Mar  2 11:00:01 vpn1 1 2026-03-02T11:00:01+01:00 192.0.2.1 PulseSecure: - - - 2026-03-02 11:00:01 - vpn1 - [203.0.113.7] "
        "alice(Staff)[] - Login failed. Reason: Wrong Password",
        {"user_name": "alice", "source_ip": "203.0.113.7", "event_outcome": "failure", "event_action": "vpn_login"},
    ),
    "vpn, network before the user": (
        "<134>1 2026-03-02T11:00:01+01:00 vpn1 PulseSecure: - - - 2026-03-02 11:00:01 - vpn1 - [203.0.113.7] "
        "Default Network::alice(Staff)[Roles][0a1b2c3d4e] - Session resumed from user agent 'x'",
        {"user_name": "alice", "source_ip": "203.0.113.7", "event_action": "vpn_session"},
    ),
    "a leased address is no connection": (
        "Mar  2 10:00:00 dhcp1 dhcpd[7]: DHCPACK on 192.0.2.50 to 00:11:22:33:44:55 (pc50) via eth0",
        {"class_uid": 4004, "source_ip": "192.0.2.50", "event_action": "address_lease"},
    ),
    "a tunnel is no connection between machines": (
        "Mar  2 10:00:00 vpn1 openvpn[7]: bob/192.0.2.3:1194 MULTI: Learn: 10.8.0.6 -> bob/192.0.2.3:1194",
        {"class_uid": 4014, "source_ip": "192.0.2.3", "event_action": "vpn_session"},
    ),
    "who shook hands with a VPN may be refused yet": (
        "Mar  2 10:00:00 vpn1 openvpn[7]: 192.0.2.3:1194 [bob] Peer Connection Initiated with [AF_INET]192.0.2.3:1194",
        {"class_uid": 4014, "event_action": "vpn_session", "event_outcome": None, "user_name": "bob"},
    ),
    "who gets an address of a VPN was let in": (
        "Mar  2 10:00:00 vpn1 openvpn[7]: bob/192.0.2.3:1194 MULTI: primary virtual IP for bob/192.0.2.3:1194: 10.8.0.6",
        {"class_uid": 3002, "event_action": "vpn_login", "event_outcome": "success", "source_ip": "192.0.2.3"},
    ),
    "an echo from inside, which nobody says was answered": (
        "Mar  2 10:00:00 asa1 %ASA-6-302020: Built outbound ICMP connection for faddr 192.0.2.7/0 gaddr 198.51.100.1/1 "
        "laddr 10.0.0.5/1 type 8 code 0",
        {"class_uid": 4001, "source_ip": "10.0.0.5", "destination_ip": "192.0.2.7", "event_outcome": None},
    ),
    "syslog without its priority": (
        "1 2026-03-02T11:00:01+01:00 web1 sshd 5 - - Failed password for root from 203.0.113.9 port 4022 ssh2",
        {"host_name": "web1", "user_name": "root", "source_port": 4022, "process_pid": 5},
    ),
    "address of a relay": (
        "<29>Mar  2 10:00:01  ns1.example.org 192.0.2.4 httpd: 2026-03-02 10:00:01.237Z [alice]: Logout - - ip=192.0.2.7 group=ops",
        {
            "host_name": "ns1.example.org",
            "process_name": "httpd",
            "user_name": "alice",
            "source_ip": "192.0.2.7",
            "event_action": "device_logout",
        },
    ),
    "controller of access points": (
        "<132>wlc1.example.org: *Dot1x_Task_1: Mar  2 10:00:00.001: %DOT1X-4-MAX_EAP: Max EAP retries for client 192.0.2.9",
        {"host_name": "wlc1.example.org", "process_name": "%DOT1X-4-MAX_EAP", "source_ip": "192.0.2.9"},
    ),
    "switch, year first": (
        "<187>: 2025 Sep 25 08:49:23 UTC : %ETHPORT-3-IF_DOWN: Interface is down",
        {"process_name": "%ETHPORT-3-IF_DOWN", "time": "2025-09-25T08:49:23+00:00"},
    ),
    "colons in the date": (
        '2026:03:02-10:00:01 utm1 ulogd[12511]: id="2001" severity="info" action="drop" srcip="192.0.2.2" dstip="198.51.100.9" proto="6" srcport="443" dstport="42181"',
        {
            "host_name": "utm1",
            "process_name": "ulogd",
            "source_ip": "192.0.2.2",
            "destination_port": 42181,
            "time": "2026-03-02T10:00:01+00:00",
        },
    ),
    "zone behind a blank": (
        "<129>2026-03-02 10:00:01.404 +0100  waf1 NF ALER TCP 192.0.2.1 57296 198.51.100.4 80 DENY SCANNERS LAN interface traffic:deny",
        {
            "host_name": "waf1",
            "source_port": 57296,
            "destination_ip": "198.51.100.4",
            "event_outcome": "failure",
            "time": "2026-03-02T09:00:01.404000+00:00",
        },
    ),
    "serial number behind the host": (
        "<142>Mar  2 10:00:01 fw1 80DA02B4E5F61 (2026-03-02T10:00:01) firewall[10]: APT notified. Details='Policy Name: web Source IP: 192.0.2.2 "
        "Source Port: 43130 Destination IP: 198.51.100.7 Destination Port: 443 Host: a.example'",
        {
            "host_name": "fw1",
            "process_name": "firewall",
            "source_ip": "192.0.2.2",
            "source_port": 43130,
            "destination_ip": "198.51.100.7",
            "destination_port": 443,
        },
    ),
    "letter of the decision": (
        "Mar  2 10:00:01 gw1 kernel: [WAN_IN-default-D]IN=eth0 OUT=eth2 MAC=90:10 SRC=192.0.2.6 DST=198.51.100.5 LEN=52 TOS=0x00 PREC=0x00 TTL=63 ID=0 DF "
        "PROTO=TCP SPT=50093 DPT=1443 WINDOW=2857 RES=0x00 ACK URGP=0",
        {"event_outcome": "failure", "destination_port": 1443},
    ),
    "keys of several words": (
        "<181>Mar  2 10:00:01 ise1 CISE_Failed: 1 NOTICE Dropped, ConfigVersionId=1364, Device IP Address=192.0.2.3, DestinationIPAddress=198.51.100.5, "
        "DestinationPort=1812, User-Name=alice, Protocol=Radius",
        {"destination_ip": "198.51.100.5", "destination_port": 1812, "user_name": "alice", "source_ip": "192.0.2.3"},
    ),
    "a virtual server is not the destination": (
        "<134> 03/02/2026:10:00:01 GMT adc1 0-PPE-6 : default SSLVPN UDPFLOWSTAT 5 0 : User alice - Client_ip 192.0.2.1 - Vserver 198.51.100.1:443 - "
        "Source 192.0.2.4:63685 - Destination 198.51.100.53:53 - Access Allowed",
        {"destination_ip": "198.51.100.53", "destination_port": 53},
    ),
    "who did it, of a mail gateway": (
        '{"auditType":"Logon Failed","user":"alice@example.org","eventTime":"2026-03-02T10:00:01+0000","category":"authentication_logs"}',
        {"event_action": "Logon Failed", "event_outcome": "failure"},
    ),
    "seconds and nanoseconds": (
        '{"author":{"id":"2","name":"alice"},"source":"192.0.2.2","timestamp":{"epochSecond":1772445601,"nano":313000000}}',
        {"time": "2026-03-02T10:00:01.313000+00:00", "user_name": "alice", "source_ip": "192.0.2.2"},
    ),
    "the other end's address": (
        '{"timestamp":"2026-03-02T10:00:01Z","destination":{"public_ip":"198.51.100.7"},"performed_by":{"username":"alice","public_ip":"192.0.2.2"}}',
        {"source_ip": "192.0.2.2", "user_name": "alice"},
    ),
    "a customer's account": (
        '{"accountId":"12","accountName":"Example Ltd","createdAt":"2026-03-02T10:00:01Z","data":{"username":"alice","ipAddress":"192.0.2.2"}}',
        {"user_name": "alice", "source_ip": "192.0.2.2"},
    ),
    "name before mail": (
        '{"created":"2026-03-02T10:00:01Z","user":{"pk":4,"email":"root@example.org","username":"alice"},"action":"login_failed","client_ip":"192.0.2.2"}',
        {"user_name": "alice", "event_outcome": "failure"},
    ),
    "administrator": (
        '{"EventTime":"2026-03-02T10:00:01Z","Description":"Read policies","LoggedFrom":"192.0.2.2","Administrator":"alice@example.org"}',
        {"user_name": "alice@example.org", "source_ip": "192.0.2.2"},
    ),
    "client's and server's end": (
        '{"timeStamp":"2026-03-02 10:00:01","CClientAddr":"192.0.2.2","CClientPort":63136,"SServerAddr":"198.51.100.7","SServerPort":443,'
        '"localAddr":"192.0.2.2","remoteAddr":"198.51.100.7"}',
        {"source_ip": "192.0.2.2", "source_port": 63136, "destination_ip": "198.51.100.7", "destination_port": 443},
    ),
    "process of the actor": (
        '{"class_uid":4001,"category_uid":4,"time":1772445601000,"metadata":{"version":"1.1.0"},"actor":{"process":{"pid":12,"name":"curl"}},'
        '"dst_endpoint":{"ip":"198.51.100.7","port":443}}',
        {"process_name": "curl", "process_pid": 12},
    ),
    "host that JSON names, not its relay": (
        '<134>1 2026-03-02T10:00:01Z relay1 collector - - - {"hostname":"pc7","userName":"alice","srcIp":"192.0.2.7","eventName":"logon","status":"failure"}',
        {"host_name": "pc7", "observer_name": "relay1", "user_name": "alice", "event_outcome": "failure"},
    ),
    "host that XML names": (
        '<134>1 2026-03-02T10:00:01Z relay1 fwd - - - <?xml version="1.0"?><found><MachineName>pc7</MachineName><UserName>alice</UserName></found>',
        {"host_name": "pc7", "observer_name": "relay1", "user_name": "alice"},
    ),
    "priority alone": (
        "<109>[Device: ddos1 192.0.2.250] M_20000: 2 attacks started. Source IP: 192.0.2.7; Destination IPs: 198.51.100.1, 198.51.100.2; Action: drop.",
        {
            "event_severity": 20,
            "source_ip": "192.0.2.7",
            "destination_ip": "198.51.100.1",
            "event_outcome": "failure",
            "time": None,
        },
    ),
    "blank behind the priority": (
        '<166> 2026-03-02T10:00:01Z vcs1 calls: Level="INFO" Src-ip="192.0.2.7" Src-port="5060" Local-ip="198.51.100.4"',
        {"host_name": "vcs1", "process_name": "calls", "source_ip": "192.0.2.7", "source_port": 5060},
    ),
    "pairs with a colon among them": (
        "<13>2026-03-02T10:00:01Z lb1,rule=http,src_ip=192.0.2.7,http_method=GET,http_host=a.example: 443,http_status=404",
        {"host_name": "lb1", "source_ip": "192.0.2.7", "http_response_status_code": 404},
    ),
    "severity in words before the message": (
        "<14>Mar  2 10:00:01 bmc1 Severity: Warning, Category: Audit, Message: Unable to log in for bob from 192.0.2.7 using SSH.",
        {"event_severity": 40, "user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "session that ends": (
        "<14>Mar  2 10:00:01 bmc1 ctl: The session for alice from 192.0.2.7 using GUI is logged off.",
        {"user_name": "alice", "source_ip": "192.0.2.7"},
    ),
    "by whom, over what": (
        "<14>Mar  2 10:00:01 fw1 fw: Configuration saved by alice via web from host 192.0.2.7 to 198.51.100.4:443 by alice.",
        {"user_name": "alice", "source_ip": "192.0.2.7", "destination_port": 443},
    ),
    "source port in words": (
        "<14>Mar  2 10:00:01 ddos1 aps: Blocked host 192.0.2.7 by Filter using TCP/23 destination 198.51.100.4 source port 4022",
        {"source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": "198.51.100.4"},
    ),
    "status behind all": (
        '2026/03/02 10:00:01 INFO: alice 192.0.2.7 "GET /agents" with parameters {} done in 0.051s: 401',
        {"source_ip": "192.0.2.7", "http_response_status_code": 401, "event_outcome": "failure"},
    ),
    "console of a broker": (
        "2026-03-02 10:00:01,100 | WARN  | bob requested /admin/queues.jsp from 192.0.2.7 | qtp-2",
        {"user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "zone behind the year": (
        "Mon Mar  2 10:00:01 2026 +01:00 worker started",
        {"time": "2026-03-02T09:00:01+00:00"},
    ),
    "values in braces": (
        "AuditTrail: Opid = {7} Audittime = {2 Mar 2026 10:00:01} Severitylevel = {High} Operation = {Account locked} Details = {Attempts for user [alice] failed}",
        {
            "time": "2026-03-02T10:00:01+00:00",
            "event_severity": 70,
            "event_action": "Account locked",
            "event_outcome": "failure",
        },
    ),
    "a redirect is no outcome where words tell one": (
        '<165>Mar  2 10:00:01 ids1 ids_audit {"username":"bob","method":"POST","endpoint":"/login","ip":"192.0.2.7","status":302,"description":"Failed login"}',
        {"host_name": "ids1", "user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "an address without its port, before an interface": (
        'id=fw sn=C0 time="2026-03-02 10:00:01 UTC" fw=192.0.2.250 pri=5 m=1197 msg="NAT Mapping" src=192.0.2.7::X0-V500 dst=198.51.100.4::X3 proto=icmp',
        {"source_ip": "192.0.2.7", "source_port": None, "destination_ip": "198.51.100.4"},
    ),
    "only looks like EVE": (
        '<13>1 2026-03-02T10:00:02Z lb1 lb - access - {"timestamp":"Mon, 2 Mar 2026 10:00:01 UTC","event_type":"HTTP_REQUEST","src_ip":"192.0.2.7","src_port":"39192",'
        '"dest_ip":"198.51.100.4","dest_port":"443","uri_path":"/a","http_method":"GET"}',
        {"source_ip": "192.0.2.7", "source_port": 39192, "destination_port": 443, "url_original": "/a"},
    ),
    "who stands between dashes": (
        "[2026-03-02 10:00:01 +0100] info [panel] 192.0.2.7 - alice (possessor: root) - SUCCESS LOGIN webmail",
        {"source_ip": "192.0.2.7", "user_name": "alice", "event_outcome": "success"},
    ),
    "who stands behind an address": (
        "<189>Mar  2 10:00:01 sw1 cmd: logger.c(83) 29333 %% NOTE CLI:192.0.2.7:alice:User  logged in",
        {"source_ip": "192.0.2.7", "user_name": "alice", "event_outcome": "success"},
    ),
    "a mode is no user": (
        "<14>Mar  2 10:00:01 sw7 Security: SSH terminated by alice from src IP 192.0.2.7 from USER EXEC mode using RSA.",
        {"source_ip": "192.0.2.7", "user_name": "alice"},
    ),
    "a domain before the account is no escape": (
        't=2026-03-02T10:00:01Z level=warn user="CORP\\bob" path="C:\\new\\b.txt" src=192.0.2.7 msg="said \\"no\\""',
        {"user_name": "CORP\\bob", "file_path": "C:\\new\\b.txt", "message": 'said "no"'},
    ),
    "username without a sign": (
        "<158>Mar  2 10:00:01 mq1 event: SYSTEM: CONNECT_FAIL: Client username alice clientname a1 connect failed from 192.0.2.7:33454 - Forbidden",
        {"user_name": "alice", "source_ip": "192.0.2.7", "source_port": 33454, "event_outcome": "failure"},
    ),
    "account before mail": (
        '{"startTimeUTC":"2026-03-02T10:00:01","type":"Run","user":{"account":"CORPBOB","fullName":"Bob","email":"bob@example.org"},"computer":{"name":"pc7"}}',
        {"user_name": "CORPBOB", "host_name": "pc7"},
    ),
    "parent's process": (
        '{"datetime":"2026-03-02T10:00:01Z","username":"root","hostname":"pc7","filename":"/tmp/a","pprocess":"sh","commandline":"/bin/sh /tmp/a"}',
        {"process_parent_name": "sh", "file_path": "/tmp/a"},
    ),
    "client's name that is an address": (
        'date=2026-03-02 time=10:00:01 type=spam pri=information client_name="[192.0.2.7]" dst_ip="198.51.100.4" msg="Detected by a test"',
        {"source_ip": "192.0.2.7", "destination_ip": "198.51.100.4"},
    ),
    "logfmt with a level": (
        'ts=2026-03-02T10:00:01Z caller=main.go:12 level=error component=web msg="login failed" remote_addr=192.0.2.7:5000',
        {
            "message": "login failed",
            "source_ip": "192.0.2.7",
            "source_port": 5000,
            "user_name": None,
            "event_outcome": "failure",
        },
    ),
    "message of z/OS": (
        "<14>Mar  2 10:00:01 sys1 ICH408I USER(ALICE   ) GROUP(STAFF   ) NAME(ALICE EXAMPLE       ) SYS1.PARMLIB CL(DATASET ) INSUFFICIENT ACCESS AUTHORITY",
        {"host_name": "sys1", "user_name": "ALICE", "event_outcome": "failure"},
    ),
}


def _events(path: Path, text: str) -> list[dict[str, Any]]:
    path.write_text(text, encoding="utf-8")
    return peek(path, limit=10).events


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_a_product(name: str, tmp_path: Path) -> None:
    line, expected = LINES[name]
    (event, _) = _events(tmp_path / "a.log", f"{line}\n{line}\n")
    found = {column: event.get(column) for column in expected}
    if found.get("time"):
        found["time"] = found["time"].isoformat()
    assert found == expected


def test_a_destination_alone_is_no_source(tmp_path: Path) -> None:
    (event,) = _events(
        tmp_path / "a.json", '{"timestamp":"2026-03-02T10:00:01Z","DestinationIPAddress":"198.51.100.7"}\n'
    )
    assert event.get("source_ip") is None
    assert event["destination_ip"] == "198.51.100.7"


def test_cells_of_name_and_value_are_no_table(tmp_path: Path) -> None:
    line = (
        "pc{0},Local Host IP: 192.0.2.{0},Local Port: 80,Remote Host IP: 203.0.113.7,Remote Port: 33424,Remote Host MAC: 00AA,TCP,Inbound,"
        "Begin: 2026-03-02 10:00:0{0},User Name: alice,Action: Blocked"
    )
    events = _events(tmp_path / "a.log", "".join(f"{line.format(n)}\n" for n in (1, 2, 3)))
    assert [event["time"].isoformat()[-8:-6] for event in events] == ["01", "02", "03"]
    assert {(e["user_name"], e["source_ip"], e["source_port"], e["event_outcome"]) for e in events} == {
        ("alice", "203.0.113.7", 33424, "failure")
    }
    assert [event["destination_ip"] for event in events] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_a_first_line_that_holds_a_moment_is_data(tmp_path: Path) -> None:
    text = (
        "INFO  | alice called broker.Queue.retry[] at 02-03-2026 10:00:01,100 | qtp-1\n"
        "WARN  | bob requested /admin/queues.jsp from 192.0.2.7 | qtp-2\n"
    )
    assert len(_events(tmp_path / "a.log", text)) == 2


def test_names_may_leave_out_columns_that_are_empty(tmp_path: Path) -> None:
    text = (
        "\t\tService Activity Log\n\nEvent ID  Meaning\n11000\tSolicit.\n\n"
        "ID,Date,Time,Description,IPv6 Address,Host Name,Error Code, Duid Length,User Name\n"
        "11010,03/02/26,10:00:01,Started,,,,,,,\n"
        "11000,03/02/26,10:00:02,Solicit,2001:db8::7,pc1,,18,,,\n"
    )
    started, solicit = _events(tmp_path / "a.log", text)
    assert started["time"].isoformat() == "2026-03-02T10:00:01+00:00"
    assert (solicit["source_ip"], solicit["host_name"]) == ("2001:db8::7", "pc1")


def test_questions_without_a_line_of_names(tmp_path: Path) -> None:
    events = _events(
        tmp_path / "a.csv",
        '"2026-03-02 10:00:01","Alice (alice@example.org)","192.0.2.7","203.0.113.4","Allowed","1 (A)","NOERROR","www.example.org.","News"\n'
        '"2026-03-02 10:00:02","Bob (bob@example.org)","192.0.2.8","203.0.113.4","Blocked","28 (AAAA)","NXDOMAIN","bad.example.org.","Malware"\n',
    )
    assert [(e["user_name"], e["source_ip"], e.get("destination_ip"), e["event_outcome"]) for e in events] == [
        ("alice@example.org", "192.0.2.7", None, "success"),
        ("bob@example.org", "192.0.2.8", None, "failure"),
    ]
    assert [(e["dns_question_name"], e["dns_question_type"], e["dns_response_code"]) for e in events] == [
        ("www.example.org", "A", "NOERROR"),
        ("bad.example.org", "AAAA", "NXDOMAIN"),
    ]


def test_the_last_of_three_addresses_is_the_destination(tmp_path: Path) -> None:
    line = '"Mar  2 10:00:0{0}","192.0.2.{0}","203.0.113.4","198.51.100.9","text/html","BLOCKED"\n'
    events = _events(tmp_path / "a.csv", line.format(1) + line.format(2))
    assert [(e["source_ip"], e["destination_ip"], e["event_outcome"]) for e in events] == [
        ("192.0.2.1", "198.51.100.9", "failure"),
        ("192.0.2.2", "198.51.100.9", "failure"),
    ]
    assert [event["time"].isoformat()[4:19] for event in events] == ["-03-02T10:00:01", "-03-02T10:00:02"]


def test_a_month_in_full_tells_the_time(tmp_path: Path) -> None:
    (event,) = _events(tmp_path / "a.log", "<101> March 02 10:00:01 mdm1 Details User: alice from 192.0.2.7\n")
    assert event["time"].isoformat()[4:19] == "-03-02T10:00:01"
