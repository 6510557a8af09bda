"""Which field of which Zeek log is which event column.

Specification: https://docs.zeek.org/en/master/script-reference/log-files.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERY_LOG = {
    "ts": "time",
    "id.orig_h": "source_ip",
    "id.orig_p": "source_port",
    "id.resp_h": "destination_ip",
    "id.resp_p": "destination_port",
    "proto": "network_transport",
    "community_id": "network_community_id",
}


@dataclass(frozen=True)
class Log:
    """One type of Zeek log: its OCSF class, category, action, and which of its fields have a column."""

    class_uid: int | None
    category: str | None
    action: str
    columns: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""  # the field that tells success from failure
    success: frozenset[str] = frozenset()
    failure: frozenset[str] | None = None  # None: any other value
    protocol: str | None = None


# 4001 is kept for connections alone, so that `class_uid = 4001` is the flow table; a TLS handshake or an oddity
# inside a connection has no class of its own in OCSF.
_NETWORK = (None, "network")
LOGS: dict[str, Log] = {
    "conn": Log(
        4001,
        "network",
        "connection",
        {
            "service": "network_protocol",
            "duration": "duration_s",
            "orig_bytes": "source_bytes",
            "resp_bytes": "destination_bytes",
            "orig_pkts": "source_packets",
            "resp_pkts": "destination_packets",
            "conn_state": "connection_state",
        },
        "conn_state",
        # an answer was seen | refused or never answered; OTH says neither
        frozenset({"SF", "S1", "S2", "S3", "RSTO", "RSTR"}),
        frozenset({"S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR"}),
    ),
    "dns": Log(
        4003,
        "network",
        "dns_query",
        {
            "query": "dns_question_name",
            "qtype_name": "dns_question_type",
            "rcode_name": "dns_response_code",
            "answers": "dns_answers",
            "rtt": "duration_s",
        },
        "rcode_name",
        frozenset({"NOERROR"}),
        protocol="dns",
    ),
    "http": Log(
        4002,
        "web",
        "http_request",
        {
            "method": "http_request_method",
            "uri": "url_original",
            "status_code": "http_response_status_code",
            "user_agent": "user_agent_original",
            "username": "user_name",
        },
        "status_code",
        frozenset(str(code) for code in range(100, 400)),
        protocol="http",
    ),
    "ssl": Log(
        *_NETWORK,
        "tls_handshake",
        {"version": "tls_version", "server_name": "tls_client_server_name", "ja3": "tls_client_ja3"},
        "established",
        frozenset({"T"}),
        protocol="ssl",
    ),
    "ssh": Log(3002, "authentication", "ssh_login", {}, "auth_success", frozenset({"T"}), protocol="ssh"),
    "kerberos": Log(
        3002, "authentication", "kerberos_ticket", {"client": "user_name"}, "success", frozenset({"T"}), protocol="krb"
    ),
    "ntlm": Log(3002, "authentication", "ntlm_login", {"username": "user_name"}, "success", frozenset({"T"})),
    "radius": Log(3002, "authentication", "radius_login", {"username": "user_name"}, "result", frozenset({"success"})),
    "ftp": Log(4008, "network", "ftp_command", {"user": "user_name"}, protocol="ftp"),
    "rdp": Log(4005, "network", "rdp_connection", {}, protocol="rdp"),
    "smb_files": Log(4006, "file", "smb_file", {"name": "file_path"}, protocol="smb"),
    "smb_mapping": Log(4006, "file", "smb_mapping", {"path": "file_path"}, protocol="smb"),
    "smtp": Log(4009, "email", "email", {"user_agent": "user_agent_original"}, protocol="smtp"),
    "dhcp": Log(4004, "network", "dhcp", {"host_name": "host_name", "duration": "duration_s"}, protocol="dhcp"),
    "ntp": Log(4013, "network", "ntp", {}, protocol="ntp"),
    "sip": Log(*_NETWORK, "sip_request", {"uri": "url_original", "user_agent": "user_agent_original"}, protocol="sip"),
    "tunnel": Log(*_NETWORK, "tunnel", {}),
    "files": Log(1001, "file", "file_transfer", {"filename": "file_path", "duration": "duration_s"}),
    "notice": Log(2004, "intrusion_detection", "alert", {"note": "rule_name", "msg": "message"}),
    "weird": Log(*_NETWORK, "weird", {"name": "rule_name", "addl": "message"}),
    "syslog": Log(None, "host", "syslog", {"message": "message"}, protocol="syslog"),
    "software": Log(5020, "host", "software", {"host": "source_ip"}),
    "known_hosts": Log(None, "host", "known_host", {"host": "source_ip"}),
    "known_services": Log(
        None,
        "host",
        "known_service",
        {"host": "source_ip", "port_num": "source_port", "port_proto": "network_transport"},
    ),
}

# A second field that says the same as a column, where the first is absent. It stays in `extra` as well.
ALSO = {
    "notice": {"src": "source_ip", "dst": "destination_ip", "p": "destination_port"},
    "dhcp": {
        "client_addr": "source_ip",
        "server_addr": "destination_ip",
        "assigned_ip": "source_ip",
        "assigned_addr": "source_ip",
    },
    "files": {"tx_hosts": "source_ip", "rx_hosts": "destination_ip"},
}

# Fields that only one type of log has: for JSON, which need not name its type.
SIGNATURES = (
    ("conn", {"conn_state"}),
    ("dns", {"qtype_name"}),
    ("dns", {"query", "rejected"}),
    ("http", {"trans_depth", "method"}),
    ("http", {"trans_depth", "status_code"}),
    ("ssl", {"cipher", "established"}),
    ("ssl", {"established", "resumed"}),
    ("files", {"fuid", "seen_bytes"}),
    ("notice", {"note", "actions"}),
    ("weird", {"name", "notice"}),
    ("kerberos", {"request_type", "client"}),
    ("ssh", {"auth_attempts"}),
    ("x509", {"certificate.serial"}),
)
