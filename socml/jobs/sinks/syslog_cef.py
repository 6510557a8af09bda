"""Alerts → syslog, as ArcSight's Common Event Format.

https://www.rfc-editor.org/rfc/rfc5424 (header), https://www.rfc-editor.org/rfc/rfc6587 (octet counting over TCP and TLS)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version

from pydantic import Field, field_validator

from socml.jobs.alerts import Alert
from socml.jobs.sinks._sink import Sink
from socml.jobs.sinks._socket import checked_address, send_datagrams, send_stream
from socml.project import visible_line

__all__ = ["SyslogCef"]

_WARNING = 4
_UNFIT = re.compile(r"[^!-~]")  # of a host in the header


class SyslogCef(Sink):
    """Send a message an alert. Over UDP nobody says whether it arrived.

    Parameters
    ----------
    address : udp://host:514, tcp://host:601 or tls://host:6514
    facility : 0 to 23; 16 is local0
    """

    address: str
    facility: int = Field(16, ge=0, le=23)
    host: str = "socml"
    ca_file: str = ""

    _checked = field_validator("address")(checked_address)

    def send(self, alerts: Sequence[Alert], batch_id: str) -> None:
        """Deliver some alerts."""
        messages = [self._message(alert).encode() for alert in alerts]
        if self.address.startswith("udp:"):
            send_datagrams(self.address, [[message] for message in messages])
        else:
            framed = [b"%d %s" % (len(message), message) for message in messages]
            send_stream(self.address, framed, timeout_s=self.timeout_s, ca_file=self.ca_file)

    def _message(self, alert: Alert) -> str:
        header = f"<{self.facility * 8 + _WARNING}>1 {alert.day}T00:00:00Z {_UNFIT.sub('_', self.host) or '-'} socml - alert -"
        return f"{header} {_cef(alert)}"


def _cef(alert: Alert) -> str:
    fields = {
        "externalId": alert.key,
        "rt": int(alert.seconds * 1000),
        "cat": alert.family,
        "shost" if alert.role.startswith(("host", "account")) else "src": alert.entity,
        "cs1Label": "role",
        "cs1": alert.role,
        "cs2Label": "dataset",
        "cs2": alert.dataset,
        "cs3Label": "model",
        "cs3": alert.model_version,
        "cs4Label": "status",
        "cs4": alert.status,
        "cs5Label": "firstDay",
        "cs5": alert.first_day,
        "cfp1Label": "anomalyScore",
        "cfp1": f"{alert.score:.4f}",
        "msg": " ".join(reason.text for reason in alert.reasons),
        "request": alert.link,
    }
    extension = " ".join(f"{name}={_value(value)}" for name, value in fields.items() if value != "")
    head = "|".join(map(_header, ("socml", "socml", version("socml"), alert.family, f"Anomaly: {alert.family}")))
    return f"CEF:0|{head}|{alert.severity}|{extension}"


def _header(text: str) -> str:
    return visible_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: object) -> str:
    return visible_line(str(value)).replace("\\", "\\\\").replace("=", "\\=")
