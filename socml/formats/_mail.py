"""One e-mail message → events: the message, its attachments with their hashes, its URLs. What cuckoomx does at a mail
server, offline and with the standard library alone.

cuckoomx (2012) left `=3D` in URLs undecoded and only logged them; here bodies are decoded before they are looked at, and
links in HTML are unescaped. Attachments are hashed and not opened: an archive is one file.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from socml.formats._addresses import address

__all__ = ["mail_events"]

_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'\\^`{|}]+", re.IGNORECASE)
_TAIL = ".,;:!?)]"
_RECEIVED_FROM = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]")
_PARTS_LIMIT = 1000
_URL_LIMIT = 10_000
_EXTRA = ("Message-ID", "Reply-To", "Return-Path", "X-Mailer", "Authentication-Results", "Received-SPF", "Content-Type")


def mail_events(data: bytes) -> Iterator[tuple[bytes, dict[str, Any] | Exception]]:
    """Yield (the bytes of the part, its event columns) for the message, each attachment and each URL.

    Of the message: `user_name` is the first sender, `source_ip` the address that the last `Received` line of the path
    names first, `message` the subject. Of an attachment: `file_path` its name, `file_hash` its SHA-256, MD5 and SHA-1 in
    `extra`. URLs are in the order of the text, each once.

    Examples
    --------
    >>> mail = b"From: a@x.example\\nSubject: hi\\nDate: Thu, 29 Feb 2024 13:06:56 +0100\\n\\nsee http://b.example/c?d=1."
    >>> [(row["event_action"], row.get("url_original")) for _, row in mail_events(mail)]
    [('email', None), ('email_url', 'http://b.example/c?d=1')]
    """
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        yield data, ValueError("no header of a message")
        return
    try:
        row = _message(message)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        yield data, ValueError(f"the header does not read: {error}")
        return
    yield data, row
    shared = {name: row[name] for name in ("time", "user_name", "source_ip")} | {"class_uid": None}
    shared["extra"] = {"message_id": row["extra"].get("Message-ID")}
    yield from _parts(message, shared)


def _message(message: EmailMessage) -> dict[str, Any]:
    sender = getaddresses([str(message.get("From", ""))])
    to = getaddresses([str(message.get(name, "")) for name in ("To", "Cc", "Bcc")])
    received = [str(line) for line in message.get_all("Received", [])]
    hops = [ip for line in reversed(received) for ip in map(address, _RECEIVED_FROM.findall(line)) if ip]
    return {
        "time": _date(message),
        "class_uid": 4009,
        "event_category": "email",
        "event_action": "email",
        "user_name": sender[0][1] if sender and sender[0][1] else None,
        "source_ip": hops[0] if hops else None,
        "message": str(message.get("Subject", "")) or None,
        "extra": {name: str(message[name]) for name in _EXTRA if message.get(name)}
        | {"to": ", ".join(a for _, a in to if a) or None, "sender_name": sender[0][0] or None if sender else None},
    }


def _date(message: EmailMessage) -> datetime | None:
    text = message.get("Date")
    if not text:
        return None
    try:
        when = parsedate_to_datetime(str(text))
    except (ValueError, TypeError, ArithmeticError):
        return None  # kept in `raw`; spam has no proper dates
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _parts(message: EmailMessage, shared: dict[str, Any]) -> Iterator[tuple[bytes, dict[str, Any] | Exception]]:
    seen: dict[str, None] = {}
    for number, part in enumerate(message.walk()):
        if number >= _PARTS_LIMIT:
            yield b"parts", ValueError(f"more than {_PARTS_LIMIT} parts: the rest is not looked at")
            break
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        name = _file_name(part)
        if name or part.get_content_disposition() == "attachment":
            yield _attachment(name, part.get_content_type(), content, shared)
        elif part.get_content_maintype() == "text":
            for url in _urls(part, content):
                seen.setdefault(url)
    for url in list(seen)[:_URL_LIMIT]:
        row = {**shared, "event_category": "email", "event_action": "email_url", "url_original": url}
        yield b"url " + url.encode("utf-8", "backslashreplace"), row


def _attachment(
    name: str | None, kind: str, content: bytes, shared: dict[str, Any]
) -> tuple[bytes, dict[str, Any] | Exception]:
    digests = {n: hashlib.new(n, content, usedforsecurity=False).hexdigest() for n in ("sha256", "sha1", "md5")}
    row = {
        **shared,
        "class_uid": 1001,
        "event_category": "file",
        "event_action": "email_attachment",
        "file_path": name,
        "file_hash": f"sha256:{digests['sha256']}",
        "extra": {**shared["extra"], "sha1": digests["sha1"], "md5": digests["md5"], "content_type": kind,
                  "size": str(len(content))},
    }  # fmt: skip
    return f"attachment {name} {kind} {digests['sha256']}".encode("utf-8", "backslashreplace"), row


def _file_name(part: Any) -> str | None:
    try:
        return part.get_filename()
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
        return "unreadable name"


def _urls(part: Any, content: bytes) -> Iterator[str]:
    charset = part.get_content_charset() or "utf-8"
    try:
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):  # no such set of characters, or none of text
        text = content.decode("latin-1")
    if part.get_content_subtype() == "html":
        text = html.unescape(text)
    for found in _URL.findall(text):
        yield found.rstrip(_TAIL)
