"""Fields of a Zeek log, as text columns → event columns: which field is which, for every log type.

Specification: https://docs.zeek.org/en/master/script-reference/log-files.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._columns import constant, epoch_times, extra_map, iso_times, numbers
from socml.formats._reader import judge, truth_table
from socml.recipes import Truth
from socml.tables import EVENT, TEXTS

# Published labels of the Stratosphere and IoT-23 files; "Background" says neither.
LABELS = Truth(malicious=["malicious"], benign=["benign"])
TRUTH_FIELDS = ("label", "detailedlabel", "detailed-label")

_EVERY_LOG = {
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
    "radius": Log(
        3002, "authentication", "radius_login", {"username": "user_name"}, "result", frozenset({"success"})
    ),
    "ftp": Log(4008, "network", "ftp_command", {"user": "user_name"}, protocol="ftp"),
    "rdp": Log(4005, "network", "rdp_connection", {}, protocol="rdp"),
    "smb_files": Log(4006, "file", "smb_file", {"name": "file_path"}, protocol="smb"),
    "smb_mapping": Log(4006, "file", "smb_mapping", {"path": "file_path"}, protocol="smb"),
    "smtp": Log(4009, "email", "email", {"user_agent": "user_agent_original"}, protocol="smtp"),
    "dhcp": Log(4004, "network", "dhcp", {"host_name": "host_name", "duration": "duration_s"}, protocol="dhcp"),
    "ntp": Log(4013, "network", "ntp", {}, protocol="ntp"),
    "sip": Log(
        *_NETWORK, "sip_request", {"uri": "url_original", "user_agent": "user_agent_original"}, protocol="sip"
    ),
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
_ALSO = {
    "notice": {"src": "source_ip", "dst": "destination_ip", "p": "destination_port"},
    "dhcp": {
        "client_addr": "source_ip",
        "server_addr": "destination_ip",
        "assigned_ip": "source_ip",
        "assigned_addr": "source_ip",
    },
    "files": {"tx_hosts": "source_ip", "rx_hosts": "destination_ip"},
}
_HASHES = ("sha256", "sha1", "md5")

# Fields that only one type of log has: for JSON, which need not name its type.
_SIGNATURES = (
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


def log_type(names: set[str], file_name: str) -> str:
    """Return the type of a log that does not say it, by its fields, else by its file's name.

    Examples
    --------
    >>> log_type({"ts", "conn_state"}, "x.log"), log_type({"ts"}, "stats.log.gz")
    ('conn', 'stats')
    """
    for path, signature in _SIGNATURES:
        if signature <= names:
            return path
    return file_name.split(".")[0].lower()


def zeek_columns(
    path: str, fields: Mapping[str, pa.Array], *, separator: str = ",", empty: str = "(empty)"
) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """Return the event columns of a block, and the rows that do not fit with the reason.

    Parameters
    ----------
    path : Zeek's name of the log: conn, dns, …
    fields : text columns by Zeek's field name; null is unset
    separator : between the members of a set or vector
    empty : how an empty set or string is written; it is not missing
    """
    log = LOGS.get(path) or _other_log(path, fields)
    rows = len(next(iter(fields.values())))
    fields = {name: _emptied(values, empty) for name, values in fields.items()}
    columns: dict[str, pa.Array] = {}
    bad: dict[int, str] = {}
    used = set()
    for name, column in {**_EVERY_LOG, **log.columns}.items():
        if name in fields and column not in columns:
            columns[column] = _typed(fields[name], name, column, separator, bad)
            used.add(name)
    for name, column in _ALSO.get(path, {}).items():
        if name in fields:
            first = pc.replace_substring_regex(fields[name], pattern=",.*", replacement="")
            values = _typed(first, name, column, separator, bad)
            columns[column] = pc.coalesce(columns[column], values) if column in columns else values
    hashes = [pc.binary_join_element_wise(h, fields[h], ":") for h in _HASHES if h in fields]
    if hashes:
        columns["file_hash"] = pc.coalesce(*hashes)
    columns |= _constants(log, columns, rows)
    if log.outcome in fields:
        columns["event_outcome"] = _outcome(fields[log.outcome], log)
    left = {name: values for name, values in fields.items() if name not in used and name not in TRUTH_FIELDS}
    columns["extra"] = extra_map(left, rows)
    return columns, bad


def zeek_truth(fields: Mapping[str, pa.Array], declared: Truth | None) -> pa.Table | None:
    """Return the ground truth in a labelled log, None if it has no label column."""
    rules = declared if declared and declared.column else LABELS
    column = rules.column or "label"
    if column not in fields:
        return None
    family = next((fields[f] for f in (rules.family_column, *TRUTH_FIELDS[1:]) if f in fields), None)
    labels = fields[column].to_pylist()
    if rules is LABELS:
        labels = [label.strip().lower() if label else None for label in labels]
    families = [None] * len(labels) if family is None else family.to_pylist()
    return truth_table(
        [judge(label, rules) for label in labels],
        [None if f in (None, "", "-", "(empty)") else f.strip() for f in families],
        rules.techniques,
    )


def _other_log(path: str, fields: Mapping[str, pa.Array]) -> Log:
    return Log(*_NETWORK, path) if "id.orig_h" in fields else Log(None, None, path)


def _emptied(values: pa.Array, empty: str) -> pa.Array:
    is_empty = pc.equal(values, empty)
    return pc.if_else(is_empty, "", values) if pc.any(is_empty).as_py() else values


def _typed(values: pa.Array, name: str, column: str, separator: str, bad: dict[int, str]) -> pa.Array:
    to = EVENT[column].type
    if column == "time":
        typed, wrong = epoch_times(values)
        if wrong and "T" in (values[wrong[0]].as_py() or ""):
            typed, wrong = iso_times(values)
        kind = "a time in seconds since 1970"
    elif to == TEXTS:
        members = pc.split_pattern(values, separator)
        if not pc.any(pc.equal(values, "")).as_py():
            return members
        return pa.array([[] if m == [""] else m for m in members.to_pylist()], TEXTS)
    elif pa.types.is_string(to):
        return pc.utf8_lower(values) if column in ("network_transport", "network_protocol") else values
    else:
        typed, wrong = numbers(values, to)
        kind = "a number"
    if column.endswith("_port"):
        outside = ~np.asarray(pc.less_equal(typed, 65535).fill_null(True))
        wrong = sorted({*wrong, *np.flatnonzero(outside).tolist()})
        kind = "a port"
    for row in wrong:
        bad.setdefault(row, f"{name} is {_shown(values[row].as_py())}, not {kind}")
    return typed


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "…")


def _constants(log: Log, columns: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    fixed: dict[str, object] = {
        "class_uid": log.class_uid,
        "event_category": log.category,
        "event_action": log.action,
        "network_protocol": log.protocol,
    }
    return {
        name: constant(value, rows, EVENT[name].type)
        for name, value in fixed.items()
        if value is not None and name not in columns
    }


def _outcome(values: pa.Array, log: Log) -> pa.Array:
    won = pc.is_in(values, value_set=pa.array(sorted(log.success), pa.string()))
    lost = (
        pc.invert(won)
        if log.failure is None
        else pc.is_in(values, value_set=pa.array(sorted(log.failure), pa.string()))
    )
    said = pc.if_else(won, "success", pc.if_else(lost, "failure", "unknown"))
    return pc.if_else(values.is_valid(), said, pa.scalar(None, pa.string()))
