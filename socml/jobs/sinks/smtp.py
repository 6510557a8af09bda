"""Alerts → one e-mail a batch, in plain text.

The Message-ID is made of the batch's id, so that a mail that is sent twice can be told to be one.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Collection, Sequence
from contextlib import suppress
from email.message import EmailMessage
from typing import ClassVar, Literal

from pydantic import Field

from socml.jobs.alerts import Alert
from socml.jobs.sinks._sink import ANSWERS, Sink, Undelivered, secret_of
from socml.project import first_line, visible_line, within, words

__all__ = ["Smtp"]


class Smtp(Sink):
    """Send by SMTP.

    Parameters
    ----------
    security : starttls, tls or none; a password is never sent without one of the first two
    user, password_variable : to log on with, if the server asks
    """

    batch: ClassVar[int] = 500

    host: str
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    user: str = ""
    password_variable: str = ""
    language: Literal["en", "fr"] = "en"
    ca_file: str = ""

    def send(self, alerts: Sequence[Alert], batch_id: str) -> str:
        """Deliver some alerts; say whose address the server did not take, if it took another's."""
        password = secret_of(self.password_variable)
        try:
            message = self._message(alerts, batch_id)
            without = within(self.timeout_s * ANSWERS, lambda _: self._exchanged(message, password))
        except smtplib.SMTPDataError as error:  # of this mail: a filter that takes no such text, or it is too long
            refused = range(len(alerts)) if error.smtp_code >= 500 else ()
            raise Undelivered(visible_line(first_line(error)), refused=tuple(refused)) from None
        except (OSError, ValueError, smtplib.SMTPException) as error:
            raise Undelivered(visible_line(first_line(error))) from None
        return f"the server does not take {', '.join(sorted(without))}" if without else ""

    def _exchanged(self, message: EmailMessage, password: str) -> Collection[str]:
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        server = self._connection(context)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if password and self.security != "none":
                server.login(self.user, password)
            return server.send_message(message)
        finally:
            with suppress(OSError):  # what was taken is taken, however the server says goodbye
                server.quit()
            server.close()

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)

    def _message(self, alerts: Sequence[Alert], batch_id: str) -> EmailMessage:
        say = words(self.language)
        message = EmailMessage()
        message["Subject"] = say("alert.mail.subject", n=len(alerts), dataset=alerts[0].dataset, day=alerts[-1].day)
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Message-ID"] = f"<{batch_id}@socml.invalid>"
        lines: list[str] = []
        for alert in alerts:
            lines.append(f"{alert.day}  {visible_line(alert.whom(self.language))}, {alert.family}, {alert.score:.2f}")
            lines += [f"    {r.text_fr if self.language == 'fr' else r.text}" for r in alert.reasons]
            lines += [f"    {alert.link}"] if alert.link else []
            lines.append("")
        message.set_content("\n".join(lines))
        return message
