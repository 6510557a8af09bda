"""A case → an e-mail with the report in it, by SMTP. Headers are made by Python's `email`, which refuses line ends in them."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import urlsplit

from socml.project import ConfigurationError, DataError, Project, TryLater, visible_line
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import markdown
from socml.respond.responder import Draft
from socml.respond.sending import WAIT_S
from socml.respond.settings import RespondSettings, Target

__all__ = ["MailMessage"]

_NAME = "mail-message"


class MailMessage:
    """Send the report as plain text to the addresses of `to`. smtps:// from the start, smtp:// then STARTTLS if offered."""

    sends = True
    blocks = False

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the message as it will be sent."""
        target = settings.target(_NAME)
        message = _message(case, settings, target)
        return Draft(f"{target.url} {message['To']}", body=message.as_string())

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Send it, and return its Message-ID."""
        target = settings.target(_NAME)
        message = _message(case, settings, target)
        parts = urlsplit(target.url)
        tls = ssl.create_default_context()
        try:
            if parts.scheme == "smtps":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    parts.hostname or "", parts.port or 465, timeout=WAIT_S, context=tls
                )
            else:
                server = smtplib.SMTP(parts.hostname or "", parts.port or 25, timeout=WAIT_S)
            with server:
                if parts.scheme == "smtp" and server.has_extn("starttls"):
                    server.starttls(context=tls)
                if target.option("user"):
                    server.login(target.option("user"), target.key())
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused:
            raise DataError("The mail server takes none of the addresses of [mail-message] to.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise TryLater(f"The mail server does not take it: {visible_line(error)[:200]}") from None
        return str(message["Message-ID"])

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Say that a mail cannot be called back."""
        raise DataError("A mail that was sent cannot be called back.")

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return nothing: a mail says nothing back."""
        return ""


def _message(case: Case, settings: RespondSettings, target: Target) -> EmailMessage:
    sender, to = target.option("sender"), target.option("to")
    if not sender or not to:
        raise ConfigurationError("respond.toml: [mail-message] needs sender and to.")
    message = EmailMessage()
    try:
        message["Subject"] = visible_line(f"[socml] TLP:{case.tlp.upper()} {case.id}: {case.title}")
        message["From"] = sender
        message["To"] = to
        message["Message-ID"] = f"<socml-{case.id}-{case.opened:%Y%m%d%H%M%S}@socml.invalid>"
    except ValueError:
        raise ConfigurationError("respond.toml: [mail-message]: sender and to are addresses on one line.") from None
    message.set_content(markdown(case, observables(case, settings)))
    return message
