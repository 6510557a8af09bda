"""Event lines that an OSSIM (AlienVault) agent sends to its server → events.

`event key="value" …`; username, password, filename, log, domain, mail, os, cpu, memory, video, service, software, ip,
login, inventory fields and userdata1 to 9 are base64. What does not decode is kept as it is. `date` is seconds in UTC;
`fdate` is local, in `tzone` hours, and only kept. `None` and `0.0.0.0` stand for nothing. `plugin_id` is a number of the
server's own table; the few names known here are public ones. `priority` (0 to 5) and `reliability` (0 to 10) stay in
`extra`; a risk, where the server computed one, is 0 to 10.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import epoch

__all__ = ["OssimEvent"]

_PAIR = re.compile(r'\s*([\w-]+)="([^"]*)"')
_ENCODED = {"username", "password", "filename", "log", "domain", "mail", "os", "cpu", "memory", "video", "service",
            "software", "ip", "login", *(f"userdata{n}" for n in range(1, 10))}  # fmt: skip
_PLUGINS = {"1001": "snort", "1501": "apache", "1505": "directive", "4003": "sshd", "4004": "pam_unix", "4005": "sudo"}
_CATEGORY = {
    "snort": (2004, "intrusion_detection"),
    "directive": (2004, "intrusion_detection"),
    "apache": (4002, "web"),
    "sshd": (3002, "authentication"),
    "pam_unix": (3002, "authentication"),
    "ossec": (2004, "intrusion_detection"),
}
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "observer_name": ("device", "sensor"),
    "user_name": "username",
    "message": "log",
    "file_path": "filename",
    "source_port": "src_port",
    "destination_port": "dst_port",
    "host_name": ("hostname", "host"),
}


class OssimEvent:
    """Event lines of the OSSIM and USM agents."""

    name = "ossim-event"
    about = "OSSIM (AlienVault) agent event lines; base64 fields are decoded"
    specification = (
        "https://cybersecurity.att.com/documentation/usm-appliance/plugin-management/developing-new-plugins.htm"
    )
    examples = (
        'event type="detector" date="1709208416" device="192.0.2.1" interface="eth0" plugin_id="4003" plugin_sid="1" '
        'src_ip="192.0.2.7" src_port="5000" dst_ip="192.0.2.1" dst_port="22" username="cm9vdA==" tzone="0.0"',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of lines that begin with `event type=` and name a plugin."""
        lines = head_lines(head, 20)
        fit = sum(line.startswith(b"event ") and b' plugin_id="' in line for line in lines)
        return 0.97 * fit / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(line_records(source), _event)


def _event(line: bytes) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace").strip()
    if not text.startswith("event "):
        if text.split(" ", 1)[0] in ("connect", "session-append-plugin", "ping", "pong", "ok"):
            raise Skip("agent protocol")
        raise ValueError("the line does not begin with event")
    found: dict[str, object] = {}
    at = len("event")
    while pair := _PAIR.match(text, at):
        found[pair[1]] = _decoded(pair[2]) if pair[1] in _ENCODED else pair[2]
        at = pair.end()
    if text[at:].strip():
        raise ValueError(f"not a key and a value in quotes: {text[at:].strip()[:40]!r}")
    fields = Fields({name: value for name, value in found.items() if value not in ("None", "0.0.0.0", "")})  # noqa: S104
    stamp = fields.take("date")
    plugin = _plugin(str(fields.peek("plugin_id")))
    row: dict[str, object] = {"time": None if stamp is None else epoch(stamp)}
    row["class_uid"], row["event_category"] = _CATEGORY.get(plugin or "", (None, None))
    for column, name in (("source_ip", "src_ip"), ("destination_ip", "dst_ip")):
        row[column] = address(fields.peek(name))
        if row[column]:
            fields.take(name)
    row |= fields.columns(_COLUMNS)
    protocol = fields.text("protocol")
    row["network_transport"] = protocol.lower() if protocol else None
    row["rule_id"] = f"{found.get('plugin_id')}:{found.get('plugin_sid')}"
    row["event_action"] = plugin
    risk = str(fields.peek("risk", "ossim_risk_a") or "")
    if risk.isdecimal() and int(risk) <= 10:
        row["event_severity"] = int(risk) * 10
    row["extra"] = fields.rest()
    return row


def _decoded(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode("utf-8", "backslashreplace")
    except (binascii.Error, ValueError):
        return value


def _plugin(number: str) -> str | None:
    if number.isdecimal() and 7001 <= int(number) <= 7999:
        return "ossec"
    return _PLUGINS.get(number)
