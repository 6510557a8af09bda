"""GELF as it goes over the wire → messages: datagrams (zlib, gzip, plain, in chunks) and streams cut by NUL bytes.

Also what a listener needs: `Assembler` for datagrams, `split_stream` for a TCP connection.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from socml.formats._addresses import address
from socml.formats._fields import Fields
from socml.formats._guess import guessed_row
from socml.formats._inner import filled_from_inner
from socml.formats._json import flatten, loads_exactly, text_of
from socml.formats._syslog_header import SEVERITY
from socml.formats._times import Clock, epoch

__all__ = ["CHUNK_MAGIC", "Assembler", "gelf_event", "graylog_columns", "split_stream", "unpack"]

CHUNK_MAGIC = b"\x1e\x0f"
CHUNK_LIMIT = 128
MESSAGE_LIMIT = 16 << 20  # bytes unpacked
_WAITING = 1000  # messages whose chunks are awaited at a time
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "message": ("short_message", "message"),
    "host_name": ("host", "source"),
    "user_name": ("user_name", "user", "username"),
    "source_port": ("source_port", "src_port"),
    "destination_port": ("destination_port", "dst_port"),
    "network_transport": "network_transport",
    "network_protocol": ("network_protocol", "application_protocol"),
    "source_bytes": "source_bytes_sent",
    "destination_bytes": "destination_bytes_sent",
    "http_request_method": "http_request_method",
    "url_original": ("http_url", "http_uri", "request_uri"),
    "http_response_status_code": ("http_response_code", "http_status"),
    "user_agent_original": "http_user_agent",
    "dns_question_name": "query_request",
    "process_name": ("process_name", "app", "application_name"),
    "process_pid": ("process_id", "pid"),
    "process_command_line": "process_command_line",
    "file_path": "file_path",
    "rule_id": "alert_signature_id",
    "rule_name": "alert_signature",
    "event_action": ("event_action", "action"),
}
_NOT_GUESSED = frozenset(
    "time message host_name network_protocol file_path event_severity event_category class_uid event_action extra".split()
)
_ADDRESSES = {
    "source_ip": ("source_ip", "src_ip", "srcip", "client_ip"),
    "destination_ip": ("destination_ip", "dst_ip", "dstip", "dest_ip"),
}


class Assembler:
    """Puts the chunks of GELF datagrams together. The oldest message that waits is given up when too many do.

    Examples
    --------
    >>> assembler = Assembler()
    >>> assembler.add(b"\\x1e\\x0f" + b"8bytesid" + b"\\x01\\x02" + b"}")
    >>> assembler.add(b"\\x1e\\x0f" + b"8bytesid" + b"\\x00\\x02" + b"{")
    b'{}'
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, dict[int, bytes]] = OrderedDict()
        self.dropped = 0

    def add(self, datagram: bytes) -> bytes | None:
        """Return the message that a datagram completes, unpacked; None if chunks are still to come.

        Raises
        ------
        ValueError
            In words, if it is no GELF.
        """
        if not datagram.startswith(CHUNK_MAGIC):
            return unpack(datagram)
        if len(datagram) < 12:
            raise ValueError("a chunk of less than 12 bytes")
        name, number, count = datagram[2:10], datagram[10], datagram[11]
        if not number < count <= CHUNK_LIMIT:
            raise ValueError(f"chunk {number + 1} of {count}: at most {CHUNK_LIMIT} are allowed")
        parts = self._waiting.setdefault(name, {})
        parts[number] = datagram[12:]
        if len(parts) == count:
            del self._waiting[name]
            return unpack(b"".join(parts[i] for i in range(count)))
        while len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
            self.dropped += 1
        return None


def unpack(datagram: bytes) -> bytes:
    """Return a datagram's JSON: it is zlib, gzip or plain, by its first bytes. Raises ValueError if it is damaged."""
    if datagram[:2] not in (b"\x1f\x8b",) and datagram[:1] != b"\x78":
        return datagram.rstrip(b"\0")
    unpacking = zlib.decompressobj(wbits=47)
    try:
        message = unpacking.decompress(datagram, MESSAGE_LIMIT)
    except zlib.error as error:
        raise ValueError(f"the datagram does not unpack: {error}") from None
    if not unpacking.eof:
        over = len(message) >= MESSAGE_LIMIT
        raise ValueError("a message over the limit" if over else "the datagram ends too early")
    return message


def split_stream(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole messages of a TCP stream, and what is left of it: messages end with a NUL byte.

    Examples
    --------
    >>> split_stream(b'{"a":1}\\0{"b":2}\\0{"c"')
    ([b'{"a":1}', b'{"b":2}'], b'{"c"')
    """
    *messages, rest = data.split(b"\0")
    return [message for message in messages if message.strip()], rest


def gelf_event(message: bytes) -> dict[str, object]:
    """Return the event columns of one GELF message. Raises ValueError, in words, if it is none.

    Examples
    --------
    >>> event = gelf_event(b'{"version":"1.1","host":"web01","short_message":"x","timestamp":1.5,"level":3,"_user":"ann"}')
    >>> event["event_severity"], event["user_name"], event["time"].isoformat()
    (60, 'ann', '1970-01-01T00:00:01.500000+00:00')
    """
    found = loads_exactly(message)
    if "short_message" not in found and "message" not in found:
        raise ValueError("no short_message")
    named = {name[1:] if name.startswith("_") and name[1:] not in found else name: v for name, v in found.items()}
    stamp = named.pop("timestamp", None)
    row = graylog_columns(flatten(named))
    row["time"] = None if stamp is None else epoch(stamp)
    return row


def graylog_columns(flat: dict[str, object]) -> dict[str, object]:
    """Return the event columns of a message's fields, by the names of Graylog's schema; `time` is not among them."""
    fields = Fields(flat)
    row: dict[str, object] = {}
    for column, names in _ADDRESSES.items():
        name = next((n for n in names if address(text_of(fields.peek(n)))), None)
        if name:
            row[column] = address(text_of(fields.take(name)))
    row |= fields.columns(_COLUMNS)
    level = text_of(fields.peek("level"))
    if level is not None and level.isdecimal() and int(level) < 8:
        row["event_severity"] = SEVERITY[int(level)]
    told, _ = guessed_row(flat, Clock(None, None, None))  # what Graylog's schema calls otherwise
    row |= {name: value for name, value in told.items() if name not in row and name not in _NOT_GUESSED}
    row["event_category"] = "network" if row.get("source_ip") and row.get("destination_ip") else "host"
    row["extra"] = fields.rest()
    return filled_from_inner(row, row.get("message"), Clock(None, None, None))
