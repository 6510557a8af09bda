"""A case → an e-mail with the report in it, by SMTP. Headers are made by Python's `email`, which refuses line ends in them."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Collection
from contextlib import suppress
from email.message import EmailMessage
from urllib.parse import urlsplit

from socml.project import ConfigurationError, DataError, Project, Sentence, TryLater, is_loopback, visible_line, within
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import markdown
from socml.respond.responder import Draft
from socml.respond.senders import MOST_S, WAIT_S, MayHaveLeft
from socml.respond.settings import RespondSettings, Target

__all__ = ["MailMessage"]

_NAME = "mail-message"


class MailMessage:
    """Send the report as plain text to the addresses of `to`. smtps:// from the start, smtp:// then STARTTLS if offered."""

    sends = True
    blocks = False
    undo_key = ""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the message as it will be sent."""
        target = settings.target(_NAME)
        message = _message(case, settings, target)
        return Draft(f"{target.url} {message['To']}", body=message.as_string())

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Send it, and return its Message-ID."""
        target = settings.target(_NAME)
        message = _message(case, settings, target)
        key = target.key() if target.option("user") else ""
        try:
            without = within(MOST_S, lambda _: _exchanged(message, target, key))
        except smtplib.SMTPRecipientsRefused:
            raise DataError(Sentence("error.mail.nobody")) from None
        except (smtplib.SMTPServerDisconnected, TimeoutError, ConnectionResetError, BrokenPipeError) as error:
            raise MayHaveLeft(Sentence("error.mail.unanswered", why=visible_line(error)[:200])) from None
        except (OSError, ValueError) as error:
            raise TryLater(Sentence("error.mail.refused", why=visible_line(error)[:200])) from None
        missed = f"; not taken: {', '.join(sorted(without))}" if without else ""
        return f"{message['Message-ID']}{visible_line(missed)}"

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Say that a mail cannot be called back."""
        raise DataError(Sentence("error.mail.left"))

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return nothing: a mail says nothing back."""
        return ""


def _exchanged(message: EmailMessage, target: Target, key: str) -> Collection[str]:
    """Send a message, with the key if there is one, and return the addresses that the server does not take."""
    parts, tls = urlsplit(target.url), ssl.create_default_context()
    host = parts.hostname or ""
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=WAIT_S, context=tls)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=WAIT_S)
    try:
        server.ehlo_or_helo_if_needed()  # before it, no extension is known
        is_private = parts.scheme == "smtps" or is_loopback(host)
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
            is_private = True
        if key and not is_private:
            raise DataError(Sentence("error.mail.open"))
        if key:
            server.login(target.option("user"), key)
        return server.send_message(message)
    finally:
        with suppress(OSError):  # what was taken is taken, however the server says goodbye
            server.quit()
        server.close()


def _message(case: Case, settings: RespondSettings, target: Target) -> EmailMessage:
    sender, to = target.option("sender"), target.option("to")
    if not sender or not to:
        raise ConfigurationError(Sentence("error.mail.addresses"))
    message = EmailMessage()
    try:
        message["Subject"] = visible_line(f"[socml] TLP:{case.tlp.upper()} {case.id}: {case.title}")
        message["From"] = sender
        message["To"] = to
        message["Message-ID"] = f"<socml-{case.id}-{case.opened:%Y%m%d%H%M%S}@socml.invalid>"
    except ValueError:
        raise ConfigurationError("respond.toml: [mail-message]: sender and to are addresses on one line.") from None
    message.set_content(markdown(case, observables(case, settings), settings.language))
    return message
