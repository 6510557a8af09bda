"""Alerts → Graylog, as GELF 1.1 over UDP, TCP, TLS or HTTP.

https://go2docs.graylog.org/current/getting_in_log_data/gelf.html
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence

from pydantic import field_validator

from socml.jobs.alerts import Alert
from socml.jobs.sinks._http import post
from socml.jobs.sinks._sink import Sink, Undelivered
from socml.jobs.sinks._socket import SCHEMES, checked_address, send_datagrams, send_stream

__all__ = ["Gelf"]

CHUNK = 1420  # bytes of a datagram beside its header
MOST_CHUNKS = 128
_MAGIC = b"\x1e\x0f"


class Gelf(Sink):
    """Send a message an alert. Over UDP nobody says whether it arrived.

    Parameters
    ----------
    address : udp://host:12201, tcp://…, tls://…, or http(s)://host:port/gelf
    host : what the messages say they come from
    """

    address: str
    host: str = "socml"
    ca_file: str = ""

    _checked = field_validator("address")(lambda address: checked_address(address, (*SCHEMES, "http", "https")))

    def send(self, alerts: Sequence[Alert], batch_id: str) -> None:
        """Deliver some alerts."""
        messages = [json.dumps(self._message(alert), ensure_ascii=False).encode() for alert in alerts]
        scheme = self.address.split(":", maxsplit=1)[0]
        if scheme == "udp":
            send_datagrams(self.address, [_chunks(zlib.compress(message)) for message in messages])
        elif scheme in SCHEMES:
            framed = [message + b"\0" for message in messages]
            send_stream(self.address, framed, timeout_s=self.timeout_s, ca_file=self.ca_file)
        else:
            self._post([alert.key for alert in alerts], messages)

    def _post(self, keys: Sequence[str], messages: Sequence[bytes]) -> None:
        """Send each message by itself: Graylog takes one at a time. One that is refused keeps back no other."""
        refused: dict[int, str] = {}
        for i, (key, message) in enumerate(zip(keys, messages, strict=True)):
            headers = {"Content-Type": "application/json", "Idempotency-Key": key}
            try:
                post(self.address, message, headers, timeout_s=self.timeout_s, ca_file=self.ca_file)
            except Undelivered as error:
                if not error.refused:
                    raise
                refused[i] = str(error)
        if refused:
            raise Undelivered(next(iter(refused.values())), refused=tuple(refused))

    def _message(self, alert: Alert) -> dict[str, object]:
        plain = {f"_{name}": value for name, value in alert.to_dict().items() if isinstance(value, str | int | float)}
        return {
            "version": "1.1",
            "host": self.host,
            "short_message": alert.headline(),
            "full_message": "\n".join(reason.text for reason in alert.reasons),
            "timestamp": alert.seconds,
            "level": 4,
            "_key": alert.key,
            **plain,
        }


def _chunks(message: bytes) -> list[bytes]:
    """Return the datagrams of a message; none of one that would need more than 128, as GELF allows no more."""
    if len(message) <= CHUNK:
        return [message]
    parts = [message[at : at + CHUNK] for at in range(0, len(message), CHUNK)]
    if len(parts) > MOST_CHUNKS:
        return []
    name = hashlib.blake2b(message, digest_size=8).digest()
    return [_MAGIC + name + bytes([i, len(parts)]) + part for i, part in enumerate(parts)]
