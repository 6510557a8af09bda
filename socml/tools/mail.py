"""An e-mail as it came (.eml) → what an analyst looks at first, and what is odd about it. Nothing is opened or asked.

Blind to whether a link is malicious, and to what attachments do: they are hashed, not opened.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from email.message import Message
from html.parser import HTMLParser
from typing import cast
from urllib.parse import urlsplit

from socml.formats import decoded, first_mailbox, header_text, header_texts, mail_events, mail_message, mailboxes
from socml.project import DataError, Sentence
from socml.tools.decoding import decode_link

_DOUBLE = re.compile(
    r"\.[a-z0-9]{2,4}\s*\.(?:exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|hta|lnk|ps1|jar|iso|img)$", re.I
)
_RUNS = re.compile(r"\.(?:exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|hta|lnk|ps1|jar|iso|img|docm|xlsm|one)$", re.I)
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_BAD_RESULTS = {"fail", "softfail", "permerror", "temperror"}
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,24}", re.IGNORECASE)


@dataclass(frozen=True)
class MailTriage:
    """What a message shows. `findings` are (key of the sentence, values), the words are in the catalogue under `tools.mail`."""

    subject: str
    sender: str
    sender_name: str
    to: list[str]
    date: str
    hops: list[str]
    results: dict[str, str]  # spf, dkim, dmarc → what the receiving server noted
    links: list[dict[str, str]]  # url, and what a mail filter wrapped in it
    attachments: list[dict[str, str]]
    findings: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return asdict(self)


def triage_mail(data: bytes) -> MailTriage:
    """Return what a message shows.

    Raises
    ------
    DataError
        If it is no message.

    Examples
    --------
    >>> mail = b"From: \\"Bank\\" <a@evil.example>\\nReply-To: b@other.example\\nSubject: Pay\\n\\nhttp://evil.example/x"
    >>> found = triage_mail(mail)
    >>> found.sender, [key for key, _ in found.findings]
    ('a@evil.example', ['reply_to'])
    """
    rows = [row for _, row in mail_events(data) if isinstance(row, dict)]
    if not rows:
        raise DataError(Sentence("error.tools.no_mail"))
    try:
        message = mail_message(data)
    except ValueError as error:
        raise DataError(Sentence("error.tools.bad_mail", why=error)) from None
    links = [{"url": str(row["url_original"])} for row in rows if row["event_action"] == "email_url"]
    for link in links:
        if step := decode_link(link["url"]):
            link |= {"wrapped_by": step.kind, "leads_to": step.text}
    attachments = [_attachment(row) for row in rows if row["event_action"] == "email_attachment"]
    sender = first_mailbox(header_texts(message, "From"))
    found = MailTriage(
        subject=header_text(message, "Subject"),
        sender=sender.address,
        sender_name=sender.name,
        to=[to.address for part in ("To", "Cc") for line in header_texts(message, part)
            for to in mailboxes(line) if to.address],
        date=header_text(message, "Date"),
        hops=header_texts(message, "Received"),
        results=_results(message),
        links=links,
        attachments=attachments,
    )  # fmt: skip
    found.findings.extend([*_of_sender(message, found), *_of_links(message, links), *_of_attachments(attachments)])
    return found


def _attachment(row: dict[str, object]) -> dict[str, str]:
    more = cast("dict[str, str]", row["extra"])
    return {
        "name": str(row.get("file_path") or ""),
        "sha256": str(row["file_hash"]).removeprefix("sha256:"),
        "md5": more["md5"],
        "type": more["content_type"],
        "bytes": more["size"],
    }


def _results(message: Message) -> dict[str, str]:
    noted = " ".join(header_text(message, name) for name in ("Authentication-Results", "ARC-Authentication-Results"))
    results = {kind.lower(): value.lower() for kind, value in reversed(_RESULT.findall(noted))}
    spf = header_text(message, "Received-SPF").split(" ", 1)[0].lower()
    return results | ({"spf": spf} if spf and "spf" not in results else {})


def _of_sender(message: Message, found: MailTriage) -> list[tuple[str, dict[str, str]]]:
    notes: list[tuple[str, dict[str, str]]] = []
    for header, key in (("Reply-To", "reply_to"), ("Return-Path", "return_path")):
        other = first_mailbox(header_texts(message, header)).address
        if other and _domain(other) != _domain(found.sender):
            notes.append((key, {"other": other, "sender": found.sender}))
    inside = next((one.address for one in mailboxes(found.sender_name) if "@" in one.address), "")
    if inside and inside.lower() != found.sender.lower():
        notes.append(("name_is_address", {"name": found.sender_name, "sender": found.sender}))
    if "xn--" in _domain(found.sender) or not _domain(found.sender).isascii():
        notes.append(("foreign_letters", {"host": _domain(found.sender)}))
    failed = [f"{kind}={value}" for kind, value in found.results.items() if value in _BAD_RESULTS]
    if failed:
        notes.append(("not_authentic", {"results": ", ".join(failed)}))
    return notes


def _of_links(message: Message, links: list[dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    notes: list[tuple[str, dict[str, str]]] = []
    for shown, target in _anchors(message):
        named = _HOST.search(shown)
        host = _host(target)
        if named and host and not (host == named.group().lower() or host.endswith(f".{named.group().lower()}")):
            notes.append(("link_lies", {"shown": shown[:200], "target": target[:500]}))
    for link in links:
        host = _host(link.get("leads_to", link["url"]))
        if "xn--" in host or not host.isascii():
            notes.append(("foreign_letters", {"host": host}))
        if re.fullmatch(r"[\d.]+|\[?[0-9a-f:]+\]?", host) and host:
            notes.append(("bare_address", {"url": link["url"][:500]}))
    return list({str(finding): finding for finding in notes}.values())


def _of_attachments(attachments: list[dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    notes: list[tuple[str, dict[str, str]]] = []
    for one in attachments:
        if _DOUBLE.search(one["name"]) or "\u202e" in one["name"]:
            notes.append(("double_ending", {"name": one["name"]}))
        elif _RUNS.search(one["name"]):
            notes.append(("it_runs", {"name": one["name"]}))
    return notes


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._target = ""
        self._shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where a link leads."""
        if tag == "a":
            self._target, self._shown = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        """Remember what a link shows."""
        if self._target:
            self._shown.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Take the link."""
        if tag == "a" and self._target:
            self.found.append((" ".join("".join(self._shown).split()), self._target))
            self._target = ""


def _anchors(message: Message) -> list[tuple[str, str]]:
    anchors = _Anchors()
    for part in message.walk():
        if part.get_content_type() == "text/html":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                anchors.feed(decoded(content[: 4 << 20], "utf-8"))
    return anchors.found[:10_000]


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower().strip("> ")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
