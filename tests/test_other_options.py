"""Logs of known tools with other options, and of tools that stand in others' records: the first events, by what they must tell."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from socml.ingestion import peek

TIME = "2026-03-02T10:00:00"
LOGON_FAILED = (
    "An account failed to log on.\r\n\r\nSubject:\r\n\tAccount Name:\t\t-\r\n\r\nAccount For Which Logon Failed:\r\n\tAccount Name:\t\tbob\r\n"
    "\r\nNetwork Information:\r\n\tSource Network Address:\t192.0.2.7\r\n\tSource Port:\t\t4022\r\n"
)
BOB = {"user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "failure"}


def _lines(*objects: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in objects)


# what is strange about it → the file, and what its first event must be
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "an event_type and a timestamp are not Suricata's alone": (
        _lines({"event_type": "login", "timestamp": f"{TIME}Z", "client_ip": "192.0.2.7", "initiated_by": {"username": "bob"}, "success": False}),
        {"time": TIME, "event_action": "login", **BOB},
    ),
    "a Windows event by its description only": (
        _lines({"Id": 4625, "LogName": "Security", "ProviderName": "x", "MachineName": "dc1", "TimeCreated": "/Date(1772445600123)/", "Message": LOGON_FAILED}),
        {"time": TIME, "host_name": "dc1", **BOB},
    ),
    "a Windows event as Format-List shows it": (
        "\nTimeCreated  : 3/2/2026 10:00:00 AM\nProviderName : Microsoft-Windows-Security-Auditing\nId           : 4625\nMachineName  : dc1\n"
        "Message      : An account failed to log on.\n\n               Account For Which Logon Failed:\n               \tAccount Name:\t\tbob\n\n"
        "               Network Information:\n               \tSource Network Address:\t192.0.2.7\n",
        {"time": TIME, "host_name": "dc1", **BOB},
    ),
    "a Windows event of Snare, its description in one line": (
        "<13>Mar  2 10:00:00 dc1\tMSWinEventLog\t1\tSecurity\t7\tMon Mar 02 10:00:00 2026\t4625\tMicrosoft-Windows-Security-Auditing\tN/A\tN/A\t"
        "Failure Audit\tdc1\tLogon\t\tAn account failed to log on.    Subject:   Account Name:  -    Account For Which Logon Failed:   Account Name:  bob"
        "    Network Information:   Source Network Address: 192.0.2.7   Source Port:  4022\t9\n",
        {"time": TIME, "host_name": "dc1", "source_port": 4022, **BOB},
    ),
    "a Windows event of Velociraptor": (
        _lines({"System": {"EventID": {"Value": 4625}, "TimeCreated": {"SystemTime": 1772445600.25}, "Channel": "Security", "Computer": "dc1"},
                "EventData": {"TargetUserName": "bob", "IpAddress": "192.0.2.7"}}),
        {"time": TIME, "host_name": "dc1", **BOB},
    ),
    "a Windows event of Wazuh": (
        _lines({"timestamp": "2026-03-02T11:00:00.456+0100", "rule": {"level": 5, "id": "60122", "groups": []}, "agent": {"name": "ws1"}, "decoder": {},
                "data": {"win": {"system": {"eventID": "4625", "channel": "Security"}, "eventdata": {"targetUserName": "bob", "ipAddress": "192.0.2.7"}}}}),
        {"time": TIME, "host_name": "ws1", **BOB},
    ),
    "numbered objects, as evtx_dump writes them": (
        'Record 1\n{\n "Event": {"System": {"EventID": 4625, "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T10:00:00Z"}}, "Channel": "Security"},\n'
        ' "EventData": {"TargetUserName": "bob", "IpAddress": "192.0.2.7"}}\n}\nRecord 2\n{\n "Event": {"System": {"EventID": 1, "Channel": "x"}}\n}\n',
        {"time": TIME, **BOB},
    ),
    "Defender's connections go from here": (
        "Timestamp,DeviceName,ActionType,RemoteIP,RemotePort,LocalIP,LocalPort,InitiatingProcessFileName,InitiatingProcessAccountName\n"
        '"Mar 2, 2026 10:00:00 AM",pc2,ConnectionFailed,203.0.113.9,443,198.51.100.8,50123,a.exe,bob\n',
        {"time": TIME, "source_ip": "198.51.100.8", "destination_ip": "203.0.113.9", "destination_port": 443, "process_name": "a.exe", "user_name": "bob"},
    ),
    "a finding in an event bus's envelope": (
        _lines({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "time": "2026-03-02T10:05:00Z",
                "detail": {"accountId": "1", "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 5, "createdAt": f"{TIME}Z", "resource": {},
                           "service": {"action": {"networkConnectionAction": {"remoteIpDetails": {"ipAddressV4": "192.0.2.7"}}}}}}),
        {"time": TIME, "source_ip": "192.0.2.7", "rule_name": "UnauthorizedAccess:EC2/SSHBruteForce"},
    ),
    "a collector's event that is an object": (
        _lines({"sourcetype": "x", "event": {"datetime": "2026-03-02 10:00:00", "ClientIP": "192.0.2.7", "user": "bob", "requestmethod": "GET", "action": "Blocked"}}),
        {"time": TIME, "http_request_method": "GET", **BOB},
    ),
    "an Azure service's own caller": (
        _lines({"time": f"{TIME}Z", "category": "SQLSecurityAuditEvents", "operationName": "AuditEvent", "resourceId": "/S",
                "properties": {"action_name": "LOGIN FAILED", "succeeded": "false", "client_ip": "192.0.2.7", "server_principal_name": "bob"}}),
        {"time": TIME, **BOB},
    ),
    "an object with a list of its own": (
        _lines({"transaction": {"client_ip": "192.0.2.7", "time_stamp": f"{TIME}Z", "request": {"method": "GET", "uri": "/x"},
                                "messages": [{"message": "a"}, {"message": "b"}]}}),
        {"time": TIME, "source_ip": "192.0.2.7", "url_original": "/x"},
    ),
    "an envelope of JSON:API": (
        _lines({"data": [{"id": "1", "type": "events", "attributes": {"time": f"{TIME}Z", "action": "login_failed", "actor": {"name": "B", "email": "bob"}}}]}),
        {"time": TIME, "event_action": "login_failed", "user_name": "bob"},
    ),
    "a flow of one direction, by short names": (
        "sIP|dIP|sPort|dPort|pro|packets|bytes|flags|sTime|sen|\n192.0.2.7|198.51.100.1|4022|22|6|6|444|FS PA|2026/03/02T10:00:00.123|S0|\n",
        {"time": TIME, "source_ip": "192.0.2.7", "destination_ip": "198.51.100.1", "network_transport": "tcp", "source_packets": 6, "source_bytes": 444},
    ),
    "the bytes of a request are not the source's": (
        _lines({"timestamp": "1772445600.1", "client": "192.0.2.7", "dst": "198.51.100.1", "method": "GET", "uri": "/", "bytes": 39}),
        {"time": TIME, "source_bytes": None},
    ),
    "a table whose rows tell a level": (
        "timestamp,severity,event_type,outcome.result,actor.alternate_id,client.ip_address\n2026-03-02T10:00:00Z,WARN,start,FAILURE,bob,192.0.2.7\n2026-03-02T10:00:09Z,INFO,start,SUCCESS,bob,192.0.2.7\n",
        {"time": TIME, "event_severity": 40, **BOB},
    ),
    "names above columns of blanks": (
        "   StartTime            Flgs  Proto   SrcAddr  Sport  Dir  DstAddr  Dport\n2026-03-02 10:00:00.1  e   tcp   192.0.2.7.4022    ->    198.51.100.1.22  FIN\n"
        "2026-03-02 10:00:01.1  e   tcp   192.0.2.7.4023    ->    198.51.100.1.22  FIN\n",
        {"time": TIME, "source_ip": "192.0.2.7", "source_port": 4022, "destination_ip": "198.51.100.1", "destination_port": 22},
    ),
    "names before the comments": (
        "DateTime,RequestId,Method,ClientIpAddress,AuthenticatedUser\n#Fields: DateTime,RequestId,Method,ClientIpAddress,AuthenticatedUser\n"
        "2026-03-02T10:00:00Z,r,GET,192.0.2.7,bob\n",
        {"time": TIME, "user_name": "bob", "source_ip": "192.0.2.7"},
    ),
    "a second clock with its zone": (
        "<181>Mar  2 11:00:00 ise1 CISE_Failed_Attempts 00012 1 0 2026-03-02 11:00:00.123 +01:00 00018 5400 NOTICE Failed-Attempt: Authentication failed, UserName=bob\n",
        {"time": TIME, "host_name": "ise1", "user_name": "bob"},
    ),
    "a zone of a device without a number": (
        "Mar  2 11:00:00.123 CET: %SEC-6-IPACCESSLOGP: list 101 denied tcp 192.0.2.7(4022) -> 198.51.100.1(23), 1 packet\n"
        "*Mar  2 11:00:01.123 CET: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (192.0.2.7)\n",
        {"time": TIME, "event_severity": 10, "source_port": 4022, "destination_port": 23, "event_outcome": "failure"},
    ),
    "a level in a device's tag": (
        "2026 Mar  2 10:00:00 nx1 %AUTHPRIV-3-SYSTEM_MSG: Authentication failed for user bob from 192.0.2.7\n",
        {"time": TIME, "event_severity": 60, **BOB},
    ),
    "an outbound connection's beginner stands behind": (
        "Mar  2 2026 10:00:00 fw : %ASA-6-302015: Built outbound UDP connection 5 for out:203.0.113.5/53 (203.0.113.5/53) to in:192.0.2.7/5000 (198.51.100.1/5000)\n",
        {"source_ip": "192.0.2.7", "source_port": 5000, "destination_ip": "203.0.113.5", "destination_port": 53},
    ),
    "brackets and an equals sign in structured data": (
        '<134>1 2026-03-02T10:00:00Z cp1 CheckPoint 1 - [action:"Drop"; tag:"a & b[c={x};d=e\\]"; dst:"198.51.100.1"; s_port:"4022"; src:"192.0.2.7"]\n',
        {"time": TIME, "source_ip": "192.0.2.7", "source_port": 4022, "event_outcome": "failure"},
    ),
    "pairs of names with blanks": (
        r"<44>1 2026-03-02T10:00:00Z sysloghost CylancePROTECT - - - [] Event Type: Threat, Event Name: quarantined, Device Name: pc6, IP Address: (192.0.2.7), "
        "File Name: bad.exe, Status: Quarantined\n",
        {"time": TIME, "host_name": "pc6", "source_ip": "192.0.2.7"},
    ),
    "XML in syslog": (
        '<29>1 2026-03-02T10:00:00Z epo EPOEvents - EventFwd - <?xml version="1.0"?><EPOevent><MachineInfo><UserName>bob</UserName></MachineInfo>'
        "<Event><ThreatName>EICAR</ThreatName></Event></EPOevent>\n",
        {"time": TIME, "user_name": "bob", "threat_name": "EICAR"},
    ),
    "AppArmor through the kernel's log": (
        'Mar  2 10:00:00 u1 kernel: [ 12.5] audit: type=1400 audit(1772445600.123:99): apparmor="DENIED" operation="open" name="/etc/shadow" pid=10 comm="x"\n',
        {"time": TIME, "host_name": "u1", "file_path": "/etc/shadow", "event_outcome": "failure"},
    ),
    "a month as a number in an access log": (
        '192.0.2.7 - root@pam [02/03/2026:11:00:00 +0100] "POST /api2/json/access/ticket HTTP/1.1" 401 -\n',
        {"time": TIME, "user_name": "root@pam", "http_response_status_code": 401, "event_outcome": "failure"},
    ),
    "two addresses and two ports side by side": (
        "2026-03-02T10:00:00Z 5 eni-0a 192.0.2.7 198.51.100.1 4040 22 6 1 40 REJECT OK\n",
        {"source_ip": "192.0.2.7", "source_port": 4040, "destination_ip": "198.51.100.1", "destination_port": 22, "event_outcome": "failure"},
    ),
    "a trace that is a file's name": (
        'I0302 10:00:00.123456       1 trace.go:236] "Update" client:192.0.2.7\n',
        {"event_severity": 10, "source_ip": "192.0.2.7"},
    ),
    "a place in braces before the level": (
        "[2026-03-02 10:00:00,123] {auth.py:42} WARNING - Failed login for user=bob ip=192.0.2.7\n",
        {"time": TIME, "event_severity": 40, **BOB},
    ),
    "Ruby's letter before the time": (
        "I, [2026-03-02T10:00:00.2 #99]  INFO -- : [a] Completed 401 Unauthorized in 10ms\n",
        {"time": TIME, "http_response_status_code": 401, "event_outcome": "failure"},
    ),
    "a dictionary of Python's": (
        "2026-03-02T10:00:00+0000 [stdout#info] AUTH FAILED {'status': 1, 'user': 'bob', 'reason': 'local auth failed'} cli='192.0.2.7'\n",
        {"time": TIME, **BOB},
    ),
    "GELF by short names": (
        _lines({"version": "1.1", "host": "fw1", "short_message": "DROP", "timestamp": 1772445600, "_src": "192.0.2.7", "_dst": "198.51.100.1", "_dpt": 22}),
        {"time": TIME, "host_name": "fw1", "source_ip": "192.0.2.7", "destination_ip": "198.51.100.1", "destination_port": 22},
    ),
    "IIS' times without a day": (
        "#Date: 2026-03-02 10:00:00\n#Fields: time c-ip cs-method cs-uri-stem sc-status\n10:00:00 192.0.2.7 GET /x 404\n",
        {"time": TIME, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "a query of CoreDNS": (
        '2026-03-02T10:00:00.123Z [INFO] 192.0.2.7:5000 - 1 "A IN example.com. udp 30 false 512" NXDOMAIN qr,rd,ra 100 0.001s\n',
        {"time": TIME, "event_severity": 10, "source_ip": "192.0.2.7", "dns_question_name": "example.com", "dns_response_code": "NXDOMAIN"},
    ),
    "a table of flows is numbers for the most part": (
        "flow_start,src_ip,src_port,dst_ip,dst_port,proto,octets,packets\n2026-03-02 10:00:00.123,192.0.2.7,4022,198.51.100.1,22,6,5000,20\n"
        "2026-03-02 10:00:01.123,192.0.2.7,5000,198.51.100.1,53,17,70,1\n",
        {"time": TIME, "source_port": 4022, "destination_port": 22, "network_transport": "tcp", "source_bytes": 5000, "source_packets": 20},
    ),
    "a port that stands with the same address elsewhere": (
        _lines({"start_time": f"{TIME}Z", "x_forwarded_for": "192.0.2.7", "downstream_remote_address": "192.0.2.7:4022", "method": "GET", "path": "/"}),
        {"time": TIME, "source_ip": "192.0.2.7", "source_port": 4022},
    ),
    "a comma in the time is no table's": (
        "Mon, 02 Mar 2026 10:00:00 GMT - 192.0.2.7 - LOGIN_FAILED - wrong password\nMon, 02 Mar 2026 10:00:05 GMT - 192.0.2.7 - LOGIN_OK\n",
        {"time": TIME, "source_ip": "192.0.2.7", "event_outcome": "failure"},
    ),
    "an account behind which stands its address": (
        "2026-03-02T10:00:00.123Z [abc] [DENIED LOGIN] for bob/192.0.2.7.\n",
        {"time": TIME, **BOB},
    ),
    "a time of day in brackets": (
        "[10:00:00] Running Rootkit Hunter on lx6\n[10:00:01] Warning: Suspicious file types found in /dev:\n",
        {"time": None, "message": "Running Rootkit Hunter on lx6"},
    ),
    "how often, in CEF": (
        "CEF:0|Trend Micro|Deep Security Agent|20|1|Test|5|src=192.0.2.7 cpt=4022 proto=6 cnt=2 rt=1772445600000\n",
        {"time": TIME, "event_count": 2, "source_port": 4022, "network_transport": "tcp"},
    ),
    "a duration in the unit that its name says, or by start and end": (
        "start_time,end_time,src_ip,dst_ip,dst_port,duration\n2026-03-02 10:00:00,2026-03-02 10:00:30,192.0.2.7,198.51.100.9,443,30000\n",
        {"time": TIME, "duration_s": 30.0},
    ),
    "a bare duration of a flow is seconds, of a request it may be anything": (
        _lines({"ts": f"{TIME}Z", "src_ip": "192.0.2.7", "dst_ip": "198.51.100.9", "duration": 1.5}),
        {"duration_s": 1.5},
    ),
    "a duration of a request with its unit": (
        _lines({"ts": f"{TIME}Z", "client_ip": "192.0.2.7", "method": "GET", "path": "/a", "duration": "12.5ms", "elapsed": 7}),
        {"duration_s": 0.0125},
    ),
    "numbers grouped by commas, and how many a row stands for": (
        'time,src_ip,dst_ip,bytes_sent,count\n2026-03-02T10:00:00Z,192.0.2.7,198.51.100.9,"56,789,012",15\n',
        {"source_bytes": 56789012, "event_count": 15},
    ),
    "a yes of a database": (
        "ts,user,ip,success\n2026-03-02 10:00:00,bob,192.0.2.7,f\n2026-03-02 10:00:01,ann,192.0.2.8,t\n",
        {"time": TIME, **BOB},
    ),
    "days since 1900": (
        "Date,User,IP,Status\n46083.4166666667,bob,192.0.2.7,Denied\n46084.5,ann,192.0.2.8,Allowed\n",
        {"time": TIME, **BOB},
    ),
    "Oracle's time, with points": (
        '"EVENT_TIMESTAMP","DBUSERNAME","ACTION_NAME"\n"02-MAR-26 10.00.00.123456 AM","BOB","LOGON"\n"02-MAR-26 10.00.01.123456 AM","ANN","X"\n',
        {"time": TIME, "user_name": "BOB"},
    ),
    "a table with a time of day only, and both ends in one cell": (
        '"Time of Day","Process Name","PID","Operation","Path","Result"\n"4:12:05.1234567 PM","x.exe","612","TCP Connect","pc7:5051 -> 198.51.100.9:443","SUCCESS"\n',
        {"time": None, "process_name": "x.exe", "process_pid": 612, "destination_ip": "198.51.100.9", "destination_port": 443, "event_outcome": "success"},
    ),
    "the local end of a connection that went out": (
        _lines({"time": f"{TIME}Z", "local_ip": "192.0.2.7", "local_port": 5000, "remote_ip": "198.51.100.9", "remote_port": 443, "direction": "outbound"}),
        {"source_ip": "192.0.2.7", "source_port": 5000, "destination_ip": "198.51.100.9", "destination_port": 443},
    ),
    "names of IPFIX": (
        _lines({"flowStartMilliseconds": f"{TIME}.123", "sourceIPv4Address": "192.0.2.7", "destinationIPv4Address": "198.51.100.9", "octetTotalCount": 9}),
        {"time": TIME, "source_ip": "192.0.2.7", "destination_ip": "198.51.100.9", "source_bytes": 9},
    ),
    "what comes into NetFlow's exporter is the source's": (
        _lines({"FIRST_SWITCHED": 1772445600, "IPV4_SRC_ADDR": "192.0.2.7", "IPV4_DST_ADDR": "198.51.100.9", "IN_BYTES": 70, "OUT_BYTES": 140}),
        {"time": TIME, "source_bytes": 70, "destination_bytes": 140},
    ),
    "a packet of tshark -T json": (
        '[{"_index": "packets-2026-03-02", "_source": {"layers": {"frame": {"frame.time_epoch": "1772445600.1"}, "ip": {"ip.src": "192.0.2.7"}, "udp": {"udp.dstport": "53"}}}}]',
        {"time": TIME, "source_ip": "192.0.2.7", "destination_port": 53},
    ),
    "a Windows event in French": (
        "Nom du journal : Security\nSource : Microsoft-Windows-Security-Auditing\nDate : 02/03/2026 10:00:00\nID de l’événement : 4625\nOrdinateur : dc1\n"
        "Description :\nÉchec d’ouverture de session.\n\nCompte pour lequel l’ouverture de session a échoué :\n\tNom du compte :\t\tbob\n\n"
        "Informations sur le réseau :\n\tAdresse du réseau source :\t192.0.2.7\n\nNom du journal : System\nDate : 13/03/2026 10:00:00\nID de l’événement : 1\n",
        {"time": TIME, "host_name": "dc1", **BOB},
    ),
    "a Kerberos ticket's status": (
        _lines({"event_id": 4768, "timestamp": f"{TIME}Z", "computer": "dc1", "channel": "Security",
                "event_data": {"TargetUserName": "bob", "IpAddress": "::ffff:192.0.2.7", "Status": "0x6"}}),
        {"time": TIME, "host_name": "dc1", **BOB},
    ),
    "a Windows event that is not known, by its names": (
        _lines({"TimeCreated": f"{TIME}Z", "EventID": 1203, "ProviderName": "AD FS Auditing", "Computer": "fs1", "AuditResult": "Failure", "UserId": "bob",
                "IpAddress": "192.0.2.7"}),
        {"time": TIME, **BOB},
    ),
    "remote desktop's parameters": (
        _lines({"EventID": 1149, "Channel": "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", "Computer": "ts1",
                "TimeCreated": f"{TIME}Z", "UserData": {"EventXML": {"Param1": "bob", "Param2": "CORP", "Param3": "192.0.2.7"}}}),
        {"time": TIME, "user_name": "bob", "source_ip": "192.0.2.7", "event_outcome": "success", "class_uid": 3002},
    ),
    "a level behind a thread in the same brackets, without a date": (
        "[10:00:00] [Server thread/WARN]: bob[/192.0.2.7:5000] logged in with entity id 1\n[10:00:01] [Server thread/INFO]: x\n",
        {"event_severity": 40, "user_name": "bob", "source_ip": "192.0.2.7", "process_name": "Server thread"},
    ),
    "a letter for the level, behind a place": (
        "2026/03/02 10:00:00 ...s/auth/auth.go:53:SignInPost() [W] Failed authentication attempt for bob from 192.0.2.7:4022: no\n",
        {"time": TIME, "event_severity": 40, **BOB},
    ),
    "Redis' process and sign, klog's process": (
        "1234:M 02 Mar 2026 10:00:00.123 # Possible attack from 192.0.2.7:4022 aborted.\n",
        {"time": TIME, "process_pid": 1234, "event_severity": 40, "source_ip": "192.0.2.7"},
    ),
    "PostgreSQL's peer before the level": (
        '2026-03-02 10:00:00.123 UTC [5501] bob@shop 192.0.2.7(5099) FATAL:  password authentication failed for user "bob"\n',
        {"time": TIME, "process_pid": 5501, "event_severity": 90, **BOB},
    ),
    "a service's name before its record": (
        'web-1  | 192.0.2.7 - bob [02/Mar/2026:10:00:00 +0000] "GET /c HTTP/1.1" 404 10\ndb-1   | 2026-03-02 10:00:01 UTC [5] LOG:  x\n',
        {"process_name": "web-1", "http_response_status_code": 404, **BOB},
    ),
    "a record of JSON behind a key": (
        _lines({"@timestamp": f"{TIME}Z", "message": "Invalid user bob from 192.0.2.7 port 4022", "host": {"name": "web3"}}).replace("{", "key1\t{", 1),
        {"time": TIME, "host_name": "web3", **BOB},
    ),
    "a name that ends with at": (
        _lines({"seen_at": f"{TIME}Z", "expires_at": "2030-01-01T00:00:00Z", "client_ip": "192.0.2.7"}),
        {"time": TIME, "source_ip": "192.0.2.7"},
    ),
    "a logon that was checked": (
        "Log Name:      Security\nSource:        x\nDate:          14/03/2026 10:00:00\nEvent ID:      4776\nComputer:      dc1\nDescription:\n"
        "The computer attempted to validate the credentials for an account.\n\nLogon Account:\tbob\nError Code:\t0xC000006A\n",
        {"user_name": "bob", "event_outcome": "failure"},
    ),
    "who opens another's session": (
        "Mar  2 10:00:00 h1 sudo[5]: pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1000)\n",
        {"acting_user_name": "bob", "target_user_name": "root"},
    ),
    "whose address a header names, and its own time": (
        '<140>Mar  2 11:00:00 fb1 80A1B2C3D4E5F (2026-03-02T10:00:00) firewall: msg_id="3000-0148" Deny 0-External Firebox 40 tcp 20 243 192.0.2.7 198.51.100.9 5100 59 offset 5\n',
        {"time": TIME, "network_transport": "tcp", "source_port": 5100, "event_outcome": "failure"},
    ),
    "a host behind the sequence number": (
        "<190>4512: wlc1: Mar 02 2026 10:00:00.111 UTC: %DOT1X-5-FAIL: Authentication failed for client (aabb) username: bob from 192.0.2.7\n",
        {"time": TIME, "host_name": "wlc1", **BOB},
    ),
}  # fmt: skip


@pytest.mark.parametrize("strange", list(CASES))
def test_other_options_tell_what_they_hold(strange: str, tmp_path: Path) -> None:
    text, expected = CASES[strange]
    path = tmp_path / "some.log"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_780_000_000, 1_780_000_000))  # May 2026, for stamps without a year
    peeked = peek(path)
    assert not peeked.problem
    event = peeked.events[0]
    seen = {name: event.get(name) for name in expected}
    if seen.get("time") is not None:
        seen["time"] = event["time"].isoformat()[:19]
    assert seen == expected


def test_the_findings_of_an_inspector_are_no_vulnerability_scan(tmp_path: Path) -> None:
    path = tmp_path / "inspector.json"
    path.write_text(
        '{"severity":"HIGH","title":"CVE-2026-1 - curl","firstObservedAt":"2026-03-02T10:00:00Z","awsAccountId":"1"}\n'
    )
    assert peek(path).format != "patrowl"
