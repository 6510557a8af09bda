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
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from socml.formats._addresses import address
from socml.formats._mail_headers import decode_words, decoded, first_mailbox, header_text, header_texts, mailboxes

if TYPE_CHECKING:
    from socml.formats._json import extra_of

__all__ = ["mail_events", "mail_message"]

_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'\\^`{|}]+", re.IGNORECASE)
_TAIL = ".,;:!?)]"
_RECEIVED_FROM = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]")
_PARTS_LIMIT = 1000
_URL_LIMIT = 10_000
_PARAMETERS_LIMIT = 4096  # bytes of a Content-Type or Content-Disposition; older Pythons read them in quadratic time
_EXTRA = ("Message-ID", "Reply-To", "Return-Path", "X-Mailer", "Authentication-Results", "Received-SPF", "Content-Type")


def mail_events(data: bytes) -> Iterator[tuple[bytes, dict[str, object] | Exception]]:
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
    header = BytesHeaderParser().parsebytes(data)
    if not header.keys():
        yield data, ValueError("no header of a message")
        return
    row = _message(header)
    yield data, row
    shared = {name: row[name] for name in ("time", "user_name", "source_ip")} | {"class_uid": None}
    shared["extra"] = {"message_id": extra_of(row).get("Message-ID")}
    try:
        message = mail_message(data)
    except ValueError as error:
        yield b"parts", error
        return
    yield from _parts(message, shared)


def mail_message(data: bytes) -> Message:
    """Return the message with its parts; its headers are to be read with `_mail_headers`.

    Raises
    ------
    ValueError
        If parts lie within parts some hundred times.
    """
    try:
        return message_from_bytes(data)
    except RecursionError:
        raise ValueError("its parts are nested too deeply: they are not looked at") from None


def _message(header: Message) -> dict[str, object]:
    sender = first_mailbox(header_texts(header, "From"))
    to = [one for name in ("To", "Cc", "Bcc") for line in header_texts(header, name) for one in mailboxes(line)]
    received = reversed(header_texts(header, "Received"))
    hops = (ip for line in received for ip in map(address, _RECEIVED_FROM.findall(line)) if ip)
    return {
        "time": _date(header),
        "class_uid": 4009,
        "event_category": "email",
        "event_action": "email",
        "user_name": sender.address or None,
        "source_ip": next(hops, None),
        "message": header_text(header, "Subject") or None,
        "extra": {name: text for name in _EXTRA if (text := header_text(header, name))}
        | {"to": ", ".join(one.address for one in to if one.address) or None,
           "sender_name": sender.name or None},
    }  # fmt: skip


def _date(header: Message) -> datetime | None:
    text = header_text(header, "Date")
    if not text:
        return None
    try:
        when = parsedate_to_datetime(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, TypeError, ArithmeticError):
        return None  # kept in `raw`; spam has no proper dates


def _parts(message: Message, shared: dict[str, object]) -> Iterator[tuple[bytes, dict[str, object] | Exception]]:
    seen: dict[str, None] = {}
    for number, part in enumerate(message.walk()):
        if number >= _PARTS_LIMIT:
            yield b"parts", ValueError(f"more than {_PARTS_LIMIT} parts: the rest is not looked at")
            break
        if part.is_multipart():
            continue
        _shorten_parameters(part)
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
    name: str | None, kind: str, content: bytes, shared: dict[str, object]
) -> tuple[bytes, dict[str, object] | Exception]:
    digests = {n: hashlib.new(n, content, usedforsecurity=False).hexdigest() for n in ("sha256", "sha1", "md5")}
    row = {
        **shared,
        "class_uid": 1001,
        "event_category": "file",
        "event_action": "email_attachment",
        "file_path": name,
        "file_hash": f"sha256:{digests['sha256']}",
        "extra": {**extra_of(shared), "sha1": digests["sha1"], "md5": digests["md5"], "content_type": kind,
                  "size": str(len(content))},
    }  # fmt: skip
    return f"attachment {name} {kind} {digests['sha256']}".encode("utf-8", "backslashreplace"), row


def _shorten_parameters(part: Message) -> None:
    for name in ("Content-Type", "Content-Disposition"):
        text = next(iter(header_texts(part, name)), "")
        if len(text) > _PARAMETERS_LIMIT:
            part.replace_header(name, text[:_PARAMETERS_LIMIT])


def _file_name(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
        return "unreadable name"
    return None if name is None else decode_words(name)


def _urls(part: Message, content: bytes) -> Iterator[str]:
    text = decoded(content, part.get_content_charset() or "utf-8")
    if part.get_content_subtype() == "html":
        text = html.unescape(text)
    for found in _URL.findall(text):
        yield found.rstrip(_TAIL)
