"""Logs as tools write them, which another blind lot showed: each tells what it says of who, where and how, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.ingestion import peek

_ACCESS = (
    '192.0.2.7 - ann [02/Mar/2026:10:00:01 +0000] {} "GET / HTTP/1.1" 401 12 "-" "curl/8.1" rt=0.1 ua="192.0.2.5:80"\n'
)
_RSPAMD = (
    "2026-03-02 10:00:01 #7(normal) <a1>; task; rspamd_task_write_log: id: <m@x.example>, qid: <4Z>, ip: 192.0.2.7, "
    "from: <a@x.example>, (default: {}: [1.20/15.00] [R_SPF_ALLOW(-0.20){{}}])\n"
)
# what is told → a file, and what columns of its last event must be
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "a host between time and request": (
        _ACCESS.format("shop.example.org:8443"),
        {"source_ip": "192.0.2.7", "user_name": "ann", "host_name": "shop.example.org", "destination_port": 8443},
    ),
    "a number between time and request": (
        _ACCESS.format("0.005"),
        {"source_ip": "192.0.2.7", "user_name": "ann", "host_name": None, "destination_port": None},
    ),
    "ready to accept": (
        "7:M 02 Mar 2026 10:00:01.123 * Ready to accept connections\n",
        {"event_outcome": None},
    ),
    "all addresses are nobody's": (
        "2026-03-02 10:00:01.1234|INFO|Shop.Web|Started on http://0.0.0.0:5000|\n",
        {"source_ip": None, "destination_ip": None, "destination_port": None},
    ),
    "the host behind a time of NetScaler": (
        "<134> 03/02/2026:10:00:01 GMT ns1 0-PPE-0 : default SSLVPN LOGIN 12 0 : User ann - Client_ip 192.0.2.7\n",
        {"host_name": "ns1", "user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "a time cut short": ('{"tstamp":1772445601,"cli_ip":"192.0.2.7"}\n', {"time": "2026-03-02 10:00:01+00:00"}),
    "ports by number": (
        '{"time":"2026-03-02T10:00:01Z","src.ip.address":"192.0.2.7","src.port.number":4022,"dst.ip.address":"192.0.2.5","dst.port.number":22}\n',
        {"source_port": 4022, "destination_port": 22},
    ),
    "ends cut short": (
        '{"time":"2026-03-02T10:00:01Z","Laddr.IP":"192.0.2.5","Laddr.Port":50022,"Raddr.IP":"192.0.2.7","Raddr.Port":443}\n',
        {"source_ip": "192.0.2.5", "source_port": 50022, "destination_ip": "192.0.2.7", "destination_port": 443},
    ),
    "mail that is let through": (_RSPAMD.format("F (no action)"), {"source_ip": "192.0.2.7", "event_outcome": None}),
    "mail that is not": (_RSPAMD.format("T (reject)"), {"source_ip": "192.0.2.7", "event_outcome": "failure"}),
    "whose tunnel": (
        "2026-03-02 10:00:01 ann/192.0.2.7:4022 MULTI: Learn: 10.8.0.6 -> ann/192.0.2.7:4022\n",
        {"user_name": "ann", "source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": None},
    ),
    "a port of a proxy's request": (
        "#Fields: date time c-ip cs-method cs-uri-port sc-status\n2026-03-02 10:00:01 192.0.2.7 GET 8080 200\n",
        {"destination_port": 8080},
    ),
    "a zone of hours": (
        "2026-03-02 10:00:01+01 mac-7 softwareupdated[333]: removing\n",
        {"time": "2026-03-02 09:00:01+00:00", "host_name": "mac-7", "process_name": "softwareupdated"},
    ),
    "what happened before why": (
        '2026-03-02T10:00:01.123Z\tERROR\tdb/db.go:10\tquery of ann failed\t{"error": "timeout"}\n',
        {"message": 'db/db.go:10\tquery of ann failed\t{"error": "timeout"}'},
    ),
    "a level within a record": (
        '{"time":"2026-03-02T10:00:01Z","stream":"stderr","log":"2026/03/02 10:00:01 [error] 7#7: *1 no such file, client: 192.0.2.7"}\n',
        {"event_severity": 60, "source_ip": "192.0.2.7"},
    ),
    "an event's number is no status": (
        '{"time":"2026-03-02T10:00:01Z","event_id":"403","user":"ann"}\n',
        {"event_outcome": None},
    ),
    "an action's number is no status": (
        '{"time":"2026-03-02T10:00:01Z","action":100,"user":"ann","returncode":"1017"}\n',
        {"event_outcome": "failure"},
    ),
    "all is well": (
        '{"time":"2026-03-02T10:00:01Z","user":"ann","returncode":0}\n',
        {"event_outcome": "success"},
    ),
    "an audit of a database": (
        "event_time,action_id,succeeded,server_principal_name,client_ip,server_instance_name\n"
        "2026-03-02 10:00:01.1234567,LGIF,0,ann,192.0.2.7,SQL01\n",
        {"event_action": "LGIF", "host_name": "SQL01", "event_outcome": "failure"},
    ),
    "a client in a comment": (
        '{"time":"2026-03-02T10:00:01Z","user":"ann","Comment_Text":"Client address: (ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.7)(PORT=4022))"}\n',
        {"source_ip": "192.0.2.7", "source_port": 4022},
    ),
    "nobody yet": (
        "2026-03-02 10:00:01.123 UTC [7] [unknown]@[unknown] 192.0.2.7(4022) LOG:  connection received: host=192.0.2.7 port=4022\n",
        {"user_name": None, "source_ip": "192.0.2.7", "source_port": 4022},
    ),
    "a port right behind the client": (
        '{"time":"2026-03-02T10:00:01Z","source":"/192.0.2.7","port":40022,"user":"ann"}\n',
        {"source_ip": "192.0.2.7", "source_port": 40022, "destination_port": None},
    ),
    "a service right behind the client": (
        '{"time":"2026-03-02T10:00:01Z","source":"192.0.2.7","port":22,"user":"ann"}\n',
        {"source_ip": "192.0.2.7", "source_port": None, "destination_port": 22},
    ),
    "a day of MikroTik's": (
        "mar/02 10:00:01 system,error,critical login failure for user ann from 192.0.2.7 via ssh\n"
        "mar/02/2026 10:00:02 system,error,critical login failure for user bob from 192.0.2.7 via ssh\n",
        {"time": "2026-03-02 10:00:02+00:00", "user_name": "bob", "event_outcome": "failure"},
    ),
    "addresses and ports of a device at either end": (
        '{"time":"2026-03-02T10:00:01Z","srcDevice_ip":"192.0.2.7","srcDevice_port":4022,"dst_asset_ip":"192.0.2.5","dst_asset_port":22}\n',
        {"source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": "192.0.2.5", "destination_port": 22},
    ),
    "a translated address is not the destination's": (
        '{"time":"2026-03-02T10:00:01Z","src_ip":"192.0.2.7","dst_nat_ip":"192.0.2.5"}\n',
        {"source_ip": "192.0.2.7", "destination_ip": None},
    ),
    "from and to": (
        '{"time":"2026-03-02T10:00:01Z","from":{"address":"192.0.2.7","port":4022},"to":{"address":"192.0.2.5","port":22},"res":"fail"}\n',
        {
            "source_ip": "192.0.2.7",
            "source_port": 4022,
            "destination_ip": "192.0.2.5",
            "destination_port": 22,
            "event_outcome": "failure",
        },
    ),
    "attributes of a request": (
        '{"time":"2026-03-02T10:00:01Z","severityText":"WARN","attributes":{"net.peer.ip":"192.0.2.7","net.host.ip":"192.0.2.5","net.host.port":443,"enduser.id":"ann"}}\n',
        {
            "source_ip": "192.0.2.7",
            "destination_ip": "192.0.2.5",
            "destination_port": 443,
            "user_name": "ann",
            "event_severity": 40,
        },
    ),
    "ports in a list": (
        '{"time":"2026-03-02T10:00:01Z","src_ip":"192.0.2.7","dst_ips":["192.0.2.5"],"dst_ports":[443]}\n',
        {"destination_ip": "192.0.2.5", "destination_port": 443},
    ),
    "a status that is a level": (
        '{"time":"2026-03-02T10:00:01Z","user":"ann","status":"critical"}\n',
        {"event_severity": 80},
    ),
    "a status that is none": (
        '{"time":"2026-03-02T10:00:01Z","user":"ann","status":"high"}\n',
        {"event_severity": None},
    ),
    "a code of a status": (
        '{"time":"2026-03-02T10:00:01Z","user":"ann","Status":{"ErrorCode":50126}}\n',
        {"event_outcome": "failure"},
    ),
    "nobody among blanks": (
        '192.0.2.7 -  -  [02/Mar/2026:10:00:01 +0000] "GET / HTTP/1.1" 403 12\n',
        {"user_name": None, "source_ip": "192.0.2.7"},
    ),
    "who became whom, of AIX": (
        "Mar 02 2026 10:00:01 aix1 su: from ann to root at /dev/pts/0\n",
        {"user_name": "ann", "target_user_name": "root", "event_outcome": "success"},
    ),
    "one blank before the host": (
        "<129>2026-03-02 10:00:01.123 +0000 waf1 WF ALER SQL_INJECTION 192.0.2.7 DENY\n",
        {"host_name": "waf1", "source_ip": "192.0.2.7"},
    ),
    "an event that no rule took": (
        '{"timestamp":"2026-03-02T10:00:01.000+0000","agent":{"id":"1","name":"pc1"},"decoder":{"name":"sshd"},"location":"/var/log/auth.log",'
        '"full_log":"Mar  2 10:00:01 pc1 sshd[1]: Failed password for ann from 192.0.2.7 port 4022 ssh2"}\n',
        {
            "user_name": "ann",
            "source_ip": "192.0.2.7",
            "event_outcome": "failure",
            "event_severity": None,
            "rule_id": None,
        },
    ),
    "an event of Windows that no rule took": (
        '{"timestamp":"2026-03-02T10:00:01.000+0000","agent":{"id":"1","name":"pc1"},"decoder":{"name":"windows_eventchannel"},"location":"EventChannel",'
        '"data":{"win":{"system":{"eventID":"4625","channel":"Security"},"eventdata":{"targetUserName":"ann","ipAddress":"192.0.2.7"}}}}\n',
        {"user_name": "ann", "event_action": "logon", "event_category": "authentication", "event_outcome": "failure"},
    ),
    "an address in brackets is no component": (
        "2026-03-02 10:00:01 INFO [192.0.2.7] ann logged in\n",
        {"source_ip": "192.0.2.7", "user_name": "ann", "process_name": None},
    ),
    "a field is no component": (
        "2026-03-02 10:00:01 INFO user: ann, result: denied, ip: 192.0.2.7\n",
        {"user_name": "ann", "source_ip": "192.0.2.7", "process_name": None, "event_outcome": "failure"},
    ),
    "whoever came, at the start": (
        "2026-03-02 10:00:01 INFO ann@192.0.2.7: authentication succeeded\n",
        {"user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "logins for somebody": (
        "2026-03-02 10:00:01 WARN Too many failed logins for ann; account locked\n",
        {"user_name": "ann", "event_outcome": "failure"},
    ),
    "authenticated by a directory": (
        "2026-03-02 10:00:01 INFO ann authenticated via LDAP from host 192.0.2.7\n",
        {"user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "a client is nobody's name": (
        "2026-03-02 10:00:01 INFO Client authenticated via TLS from 192.0.2.7\n",
        {"user_name": None, "source_ip": "192.0.2.7"},
    ),
    "who tried": (
        "2026-03-02 10:00:01 WARN Permission denied: ann tried to open the vault\n",
        {"user_name": "ann", "event_outcome": "failure"},
    ),
    "behind a dash": (
        "2026-03-02 10:00:01 INFO Login OK - ann (192.0.2.7)\n",
        {"user_name": "ann", "event_outcome": "success"},
    ),
    "an account of a domain": (
        "2026-03-02 10:00:01 ERROR could not authenticate EXAMPLE\\ann against the directory\n",
        {"user_name": "EXAMPLE\\ann", "event_outcome": "failure"},
    ),
    "a ticket of the web that expired": (
        "2026-03-02 10:00:01 WARN JWT expired for the client 192.0.2.7\n",
        {"event_outcome": "failure"},
    ),
    "a login in an audit": (
        "Mar 2, 2026 10:00:01 AM login ann from 192.0.2.7\n",
        {"user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "all addresses of a server that was asked": (
        "2026/03/02 10:00:01 [crit] 7#7: *24 SSL_do_handshake() failed, client: 192.0.2.7, server: 0.0.0.0:443\n",
        {"source_ip": "192.0.2.7", "destination_ip": None, "destination_port": 443},
    ),
    "ports behind a slash": (
        "[2026/03/02 10:00:01] mod=syn|cli=192.0.2.7/40022|srv=192.0.2.5/443|subj=cli|os=Linux 3.11 and newer\n",
        {"source_ip": "192.0.2.7", "source_port": 40022, "destination_ip": "192.0.2.5", "destination_port": 443},
    ),
    "a layer's number of a port": (
        '{"time":"2026-03-02T10:00:01Z","flow.client.ip.addr":"192.0.2.7","flow.client.l4.port.id":4022,"flow.server.ip.addr":"192.0.2.5","flow.server.l4.port.id":22}\n',
        {"source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": "192.0.2.5", "destination_port": 22},
    ),
    "a time by its unit": (
        '{"event_time_usec":1772445601000000,"user":"ann"}\n',
        {"time": "2026-03-02 10:00:01+00:00"},
    ),
    "a duration by its unit is no time": (
        '{"response_time_usec":1772445601000000,"user":"ann","ip":"192.0.2.7"}\n',
        {"time": "None"},
    ),
    "labels with tabs": (
        "time:02/Mar/2026:10:00:01 +0000\thost:192.0.2.7\tuser:ann\tmethod:GET\turi:/x\tstatus:403\tua:curl\n",
        {"time": "2026-03-02 10:00:01+00:00", "source_ip": "192.0.2.7", "user_name": "ann", "event_outcome": "failure"},
    ),
    "names beside values": (
        '{"time":"2026-03-02T10:00:01Z","fields":[{"name":"user","value":"ann"},{"name":"src_ip","value":"192.0.2.7"},{"name":"result","value":"failed"}]}\n',
        {"user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "an object as text": (
        '{"time":"2026-03-02T10:00:01Z","event":"{\\"user\\":\\"ann\\",\\"ip\\":\\"192.0.2.7\\",\\"action\\":\\"login\\"}"}\n',
        {"user_name": "ann", "source_ip": "192.0.2.7", "event_action": "login"},
    ),
    "a message by its length": (
        "98 <38>1 2026-03-02T10:00:01Z web1 sshd 12 - - Failed password for ann from 192.0.2.7 port 4022 ssh2\n",
        {"time": "2026-03-02 10:00:01+00:00", "host_name": "web1", "user_name": "ann", "source_port": 4022},
    ),
    "a dictionary of Python's": (
        "{'time': '2026-03-02T10:00:01Z', 'user': 'ann', 'ip': '192.0.2.7', 'msg': \"it's no \\\\ 'True'\", 'ok': False}\n",
        {"time": "2026-03-02 10:00:01+00:00", "user_name": "ann", "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a request is no session": (
        '192.0.2.7 ann 2026-03-02T10:00:01+00:00 "GET /x HTTP/1.1" 403 12\n',
        {"source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a port behind IPv6": (
        "2026-03-02 10:00:01 WARN login failed for ann from [2001:db8::7]:40022\n",
        {"source_ip": "2001:db8::7", "source_port": 40022},
    ),
    "what a firewall did is no host": (
        "2026-03-02 10:00:01 DENY TCP 192.0.2.7:40022 -> 192.0.2.5:443 (policy 7)\n",
        {"host_name": None, "source_ip": "192.0.2.7", "destination_port": 443, "event_outcome": "failure"},
    ),
    "a host that was not reached": (
        "[02.03.2026 10:00:01] <01> Error    Failed to connect to host 192.0.2.5: Access is denied\n",
        {"source_ip": None, "destination_ip": "192.0.2.5", "event_outcome": "failure", "event_severity": 60},
    ),
    "a level filled up at the left": (
        "   info 2026-03-02 10:00:01.123       gsvc   1234   5678   12      any_socket - Logged in from 192.0.2.7:40022 on relay\n"
        "warning 2026-03-02 10:00:02.123       gsvc   1234   5678   12      any_socket - Lost 192.0.2.7\n"
        "   info 2026-03-02 10:00:03.123       gsvc   1234   5678   12      any_socket - Logged in from 192.0.2.8:40023 on relay\n",
        {
            "time": "2026-03-02 10:00:03.123000+00:00",
            "source_ip": "192.0.2.8",
            "source_port": 40023,
            "event_severity": 10,
        },
    ),
    "a level behind a session": (
        "Mar 02 2026 10:00:01 ftp1 pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [ann]\n",
        {"event_severity": 40, "user_name": "ann"},
    ),
    "ends of a connection, cut short": (
        "[2026-03-02 10:00:01] FW: CONN: prio=1 connipproto=TCP connsrcip=192.0.2.7 connsrcport=40022 conndestip=192.0.2.5 conndestport=443\n",
        {"source_ip": "192.0.2.7", "source_port": 40022, "destination_ip": "192.0.2.5", "destination_port": 443},
    ),
    "an address that a name does not resolve to": (
        "Mar 02 2026 10:00:01 mx1 postfix/smtpd[7]: warning: hostname a.example does not resolve to address 192.0.2.7: Name or service not known\n",
        {"source_ip": "192.0.2.7", "destination_ip": None},
    ),
    "ends by who is at them": (
        '{"time":"2026-03-02T10:00:01Z","src_host_ip":"192.0.2.7","src_host_port":40022,"victim_ip":"192.0.2.5","victim_port":443,"acct_name":"ann"}\n',
        {
            "source_ip": "192.0.2.7",
            "source_port": 40022,
            "destination_ip": "192.0.2.5",
            "destination_port": 443,
            "user_name": "ann",
        },
    ),
    "who called, and how it went": (
        '{"requestTime":"2026-03-02T10:00:01Z","callerIp":"192.0.2.7","callerName":"ann","apiName":"DeleteUser","apiResult":"AccessDenied"}\n',
        {"source_ip": "192.0.2.7", "user_name": "ann", "event_action": "DeleteUser", "event_outcome": "failure"},
    ),
    "who performed": (
        '{"occurredOn":"2026-03-02T10:00:01Z","performer":"ann","performer_ip":"192.0.2.7","event_key":"user.delete"}\n',
        {
            "time": "2026-03-02 10:00:01+00:00",
            "source_ip": "192.0.2.7",
            "user_name": "ann",
            "event_action": "user.delete",
        },
    ),
    "a port that is called as its address": (
        '{"time":"2026-03-02T10:00:01Z","c_ip":"192.0.2.7","s_ip":"192.0.2.5","s_port":443}\n',
        {"source_port": None, "destination_ip": "192.0.2.5", "destination_port": 443},
    ),
    "the source's port of a firewall": (
        '{"time":"2026-03-02T10:00:01Z","src":"192.0.2.7","s_port":"40022","dst":"192.0.2.5","service":"443"}\n',
        {"source_port": 40022, "destination_port": 443},
    ),
    "numbers of ports": (
        '{"time":"2026-03-02T10:00:01Z","clientIpAddr":"192.0.2.7","clientPortNum":40022,"serverIpAddr":"192.0.2.5","serverPortNum":443}\n',
        {"source_port": 40022, "destination_port": 443},
    ),
    "an effect": (
        '{"time":"2026-03-02T10:00:01Z","accountUpn":"ann@example.org","decision":{"effect":"deny"}}\n',
        {"user_name": "ann@example.org", "event_outcome": "failure"},
    ),
    "whether it went well": (
        '{"time":"2026-03-02T10:00:01Z","auth":{"user":"ann","ok":false}}\n',
        {"user_name": "ann", "event_outcome": "failure"},
    ),
    "a day and its time behind a dot": (
        "2026-03-02.10:00:01\t12\tssh\tuser=ann\tresult=denied\tfrom=192.0.2.7\n",
        {"time": "2026-03-02 10:00:01+00:00", "user_name": "ann", "source_ip": "192.0.2.7"},
    ),
    "lists of who and whom": (
        '{"alarmTime":"2026-03-02T10:00:01Z","offenderIpList":["192.0.2.7"],"receiving_port":443,"targetIps":["192.0.2.5"],"infected_host":"pc1"}\n',
        {"source_ip": "192.0.2.7", "destination_ip": "192.0.2.5", "destination_port": 443, "host_name": "pc1"},
    ),
    "codes in words": (
        '{"eventDate":"2026-03-02","eventTime":"10:00:01","loginId":"ann","actionCode":"LOGIN","statusCode":"FAIL","SourceHost":"192.0.2.7"}\n',
        {
            "time": "2026-03-02 10:00:01+00:00",
            "user_name": "ann",
            "event_action": "LOGIN",
            "event_outcome": "failure",
            "source_ip": "192.0.2.7",
        },
    ),
    "an access": (
        '{"time":"2026-03-02T10:00:01Z","RequestorName":"ann","door":"D1","access":"denied"}\n',
        {"user_name": "ann", "event_outcome": "failure"},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_tells_what_it_says(tmp_path: Path, name: str) -> None:
    text, columns = FILES[name]
    path = tmp_path / "tool.log"
    path.write_text(text, encoding="utf-8")
    event = peek(path).events[-1]
    told = {column: event.get(column) for column in columns}
    assert told | {"time": str(told.get("time"))} == {"time": "None", **columns}


def test_messages_of_a_journal_without_their_times(tmp_path: Path) -> None:
    path = tmp_path / "cat.log"
    lines = [f"Failed password for user{number} from 192.0.2.7 port {4022 + number} ssh2" for number in range(3)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = peek(path)
    assert [event.get("user_name") for event in found.events] == ["user0", "user1", "user2"]
    assert all(event.get("time") is None for event in found.events)
    assert any("no date" in str(said) for said in found.to_dict()["assumptions"])
