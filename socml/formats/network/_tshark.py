"""The fields of one packet, by tshark's names → event columns."""

from __future__ import annotations

from socml.formats._fields import Fields, whole
from socml.formats._json import text_of
from socml.formats._protocols import transport
from socml.formats._times import epoch

__all__ = ["packet_event"]

_TEXTS = {
    "source_ip": ("ip.src", "ipv6.src"),
    "destination_ip": ("ip.dst", "ipv6.dst"),
    "dns_question_name": ("dns.qry.name",),
    "http_request_method": ("http.request.method", "http2.headers.method"),
    "url_original": ("http.request.full_uri", "http.request.uri", "http2.headers.path"),
    "user_agent_original": ("http.user_agent",),
    "tls_client_server_name": ("tls.handshake.extensions_server_name", "ssl.handshake.extensions_server_name"),
    "tls_client_ja3": ("tls.handshake.ja3",),
    "network_community_id": ("communityid",),
}
_NUMBERS = {
    "source_port": ("tcp.srcport", "udp.srcport", "sctp.srcport"),
    "destination_port": ("tcp.dstport", "udp.dstport", "sctp.dstport"),
    "http_response_status_code": ("http.response.code",),
}


def packet_event(found: dict[str, object], stamp: object) -> dict[str, object]:
    """Return the event columns of one packet. Fields that occur more than once are lists: the first counts.

    Parameters
    ----------
    found : tshark's dotted names → values
    stamp : ms since 1970 of the Elasticsearch output; used where there is no `frame.time_epoch`

    Examples
    --------
    >>> row = packet_event({"frame.time_epoch": "1709208416.250000000", "ip.src": "10.0.0.1", "ip.proto": "6"}, None)
    >>> row["time"].isoformat(), row["source_ip"], row["network_transport"]
    ('2024-02-29T12:06:56.250000+00:00', '10.0.0.1', 'tcp')
    """
    fields = Fields(found)
    when = _first(fields.take("frame.time_epoch"))
    row: dict[str, object] = {
        "time": epoch(when if when is not None else stamp) if when is not None or stamp is not None else None,
        "event_category": "network",
        "event_action": "packet",
    }
    for column, names in _TEXTS.items():
        value = _first(fields.peek(*names))
        if value is not None:
            row[column] = text_of(value)
            if not isinstance(fields.peek(*names), list):
                fields.take(*names)
    for column, names in _NUMBERS.items():
        value = _first(fields.peek(*names))
        if value is not None:
            row[column] = whole(value, names[0], 65535)
            fields.take(*names)
    row |= _protocols(fields)
    row["source_packets"] = 1
    payload = _first(fields.peek("tcp.len"))
    if payload is not None:
        row["source_bytes"] = whole(payload, "tcp.len")
    row["extra"] = fields.rest()
    return row


def _protocols(fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {}
    protocol = _first(fields.peek("ip.proto", "ipv6.nxt"))
    if protocol is not None:
        row["network_transport"] = transport(whole(protocol, "ip.proto", 255))
    protocols = text_of(fields.peek("frame.protocols"))
    if protocols and ":data" not in protocols[-6:]:
        row["network_protocol"] = protocols.rsplit(":", 1)[-1]
    return row


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value
