"""Tables → the lines of Zeek's conn.log, dns.log, http.log and ssl.log, as tab-separated values.

References
----------
Zeek 4 and 5's default fields: https://docs.zeek.org/en/master/script-reference/log-files.html
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socml.simulator.traffic import Columns, random_ids

_ID = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p"
_ID_TYPES = "time string addr port addr port"
_FIELDS = {
    "conn": (
        f"{_ID} proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history "
        "orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents",
        f"{_ID_TYPES} enum string interval count count string bool bool count string count count count count "
        "set[string]",
    ),
    "dns": (
        f"{_ID} proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers "
        "TTLs rejected",
        f"{_ID_TYPES} enum count interval string count string count string count string bool bool bool bool count "
        "vector[string] vector[interval] bool",
    ),
    "http": (
        f"{_ID} trans_depth method host uri referrer version user_agent origin request_body_len response_body_len "
        "status_code status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames "
        "orig_mime_types resp_fuids resp_filenames resp_mime_types",
        f"{_ID_TYPES} count string string string string string string string count count count string count string "
        "set[enum] string string set[string] vector[string] vector[string] vector[string] vector[string] "
        "vector[string] vector[string]",
    ),
    "ssl": (
        f"{_ID} version cipher curve server_name resumed last_alert next_protocol established cert_chain_fuids "
        "client_cert_chain_fuids subject issuer client_subject client_issuer validation_status ja3",
        f"{_ID_TYPES} string string string string bool string string bool vector[string] vector[string] string string "
        "string string string string",
    ),
}
LOGS = tuple(_FIELDS)
_KINDS = {"A": 1, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "HTTPS": 65}
_CODES = {"NOERROR": "0", "NXDOMAIN": "3", "-": "-"}
_STATUS = {200: "OK", 302: "Found", 304: "Not Modified", 404: "Not Found", 503: "Service Unavailable"}


def header(log: str, opened: str) -> list[str]:
    """Return the lines above the records; `opened` as in 2026-03-02-00-00-00."""
    names, types = (text.split() for text in _FIELDS[log])
    return [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{log}",
        f"#open\t{opened}",
        "\t".join(["#fields", *names]),
        "\t".join(["#types", *types]),
    ]


def lines(log: str, table: Columns, rng: np.random.Generator) -> list[str]:
    """Return one line a record of `log` (conn, dns, http or ssl)."""
    of = {"conn": _conn, "dns": _dns, "http": _http, "ssl": _ssl}[log]
    n = len(table["time_us"])
    start = [
        _times(table["time_us"]),
        table["uid"].tolist(),
        table["source"].tolist(),
        _counts(table["source_port"]),
        table["destination"].tolist(),
        _counts(table["port"]),
    ]
    columns = [c if isinstance(c, list) else [c] * n for c in [*start, *of(table, rng)]]
    return list(map("\t".join, zip(*columns, strict=True)))


def _conn(table: Columns, rng: np.random.Generator) -> list[object]:
    return [
        table["transport"].tolist(),
        table["service"].tolist(),
        _times(table["duration_us"]),
        _counts(table["source_bytes"]),
        _counts(table["destination_bytes"]),
        table["state"].tolist(),
        _local(table["source"]),
        _local(table["destination"]),
        "0",
        table["history"].tolist(),
        _counts(table["source_packets"]),
        _counts(table["source_ip_bytes"]),
        _counts(table["destination_packets"]),
        _counts(table["destination_ip_bytes"]),
        "-",
    ]


def _dns(table: Columns, rng: np.random.Generator) -> list[object]:
    answered = table["answers"] != "-"
    rcode = table["rcode"].tolist()
    return [
        table["transport"].tolist(),
        _counts(table["trans_id"]),
        _times(table["rtt_us"]),
        table["query"].tolist(),
        "1",
        "C_INTERNET",
        [str(_KINDS[k]) for k in table["kind"].tolist()],
        table["kind"].tolist(),
        [_CODES[c] for c in rcode],
        rcode,
        "F",
        "F",
        "T",
        _flags(table["rcode"] != "-"),
        "0",
        table["answers"].tolist(),
        np.where(answered, np.char.add(table["ttl"].astype(str), ".000000"), "-").tolist(),
        "F",
    ]


def _http(table: Columns, rng: np.random.Generator) -> list[object]:
    n = len(table["time_us"])
    status, full = table["status"].tolist(), table["response_bytes"] > 0
    sent = table["request_bytes"] > 0
    return [
        "1",
        table["method"].tolist(),
        table["host"].tolist(),
        table["uri"].tolist(),
        "-",
        "1.1",
        table["agent"].tolist(),
        "-",
        _counts(table["request_bytes"]),
        _counts(table["response_bytes"]),
        [str(s) for s in status],
        [_STATUS[s] for s in status],
        "-",
        "-",
        "(empty)",
        "-",
        "-",
        "-",
        np.where(sent, random_ids(rng, "F", n), "-").tolist(),
        "-",
        np.where(sent, "application/x-www-form-urlencoded", "-").tolist(),
        np.where(full, random_ids(rng, "F", n), "-").tolist(),
        "-",
        np.where(full, table["mime"], "-").tolist(),
    ]


def _ssl(table: Columns, rng: np.random.Generator) -> list[object]:
    n = len(table["time_us"])
    # A certificate travels in the clear only in TLS 1.2, and not when a session is taken up again.
    shown = (table["version"] == "TLSv12") & ~table["resumed"] & table["established"]
    subject = np.char.add("CN=", table["server_name"].astype(str))
    return [
        table["version"].tolist(),
        table["cipher"].tolist(),
        "x25519",
        table["server_name"].tolist(),
        _flags(table["resumed"]),
        "-",
        np.where(rng.random(n) < 0.6, "h2", "-").tolist(),
        _flags(table["established"]),
        np.where(shown, random_ids(rng, "F", n), "-").tolist(),
        np.where(shown, "(empty)", "-").tolist(),
        np.where(shown, subject, "-").tolist(),
        np.where(shown, "CN=Example Issuing CA 3,O=Example Trust", "-").tolist(),
        "-",
        "-",
        np.where(shown, "ok", "-").tolist(),
        table["ja3"].tolist(),
    ]


def _times(microseconds: NDArray[np.int64]) -> list[str]:
    return ["-" if t < 0 else f"{t // 1_000_000}.{t % 1_000_000:06d}" for t in microseconds.tolist()]


def _counts(values: NDArray[np.int64]) -> list[str]:
    return ["-" if v < 0 else str(v) for v in values.tolist()]


def _flags(values: NDArray[np.bool_]) -> list[str]:
    return [str(flag) for flag in np.where(values, "T", "F")]


def _local(addresses: NDArray[np.str_]) -> list[str]:
    return _flags(np.char.startswith(addresses, "10."))
