"""The header lines of a message → text and mailboxes, the same on every Python.

The standard library's own reading of headers changes from release to release (since 2024 it refuses lists of addresses
that it took before), takes quadratic time for long ones and overflows the stack for nested comments. So only the
splitting into lines and parts is left to it. Time is linear in a header's length.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

__all__ = ["Mailbox", "decode_words", "decoded", "first_mailbox", "header_text", "header_texts", "mailboxes"]

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([BQbq])\?([^?]{0,4000})\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_NOT_OF_MAIL = {
    "punycode",
    "idna",
    "unicode_escape",
    "raw_unicode_escape",
    "undefined",
}  # slow, or no set of characters
_OUTSIDE = re.compile(
    r"""
      "(?P<quoted>(?:[^"\\]|\\.)*)(?P<closed>"?)
    | <(?P<angle>[^<>,;]*)>?
    | (?P<literal>\[[^\]\s,;<]*\]?)
    | (?P<special>[,;:()])
    | (?P<plain>[^"<\[,;:()\s]+)
    | (?P<blank>\s+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"[^()\\]+|\\.|[()\\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Mailbox(NamedTuple):
    """Whom an address header names; either may be empty."""

    name: str
    address: str


def header_texts(message: Message, name: str) -> list[str]:
    """Return each header `name`, on one line, its bytes read as UTF-8; encoded words are as they came."""
    found = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    return [" ".join(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split()) for text in found]


def header_text(message: Message, name: str) -> str:
    """Return the first header `name` with its encoded words decoded; empty if there is none."""
    return decode_words(next(iter(header_texts(message, name)), ""))


def decoded(data: bytes, charset: str) -> str:
    """Return `data` as text; as Latin-1 where `charset` is none of text. Never fails."""
    try:
        known = codecs.lookup(charset.partition("*")[0]).name
        return data.decode("latin-1" if known in _NOT_OF_MAIL else known, "replace")
    except (LookupError, ValueError):
        return data.decode("latin-1")


def decode_words(text: str) -> str:
    """Return a header's text with its encoded words (RFC 2047) decoded; blanks between two of them go.

    Examples
    --------
    >>> decode_words("=?utf-8?q?Ann=C3?= =?utf-8?q?=A9_M?= x =?utf-8?b?w6k=?=")
    'Anné M x é'
    """
    made: list[str] = []
    waiting: list[bytes] = []
    charset, end = "", 0  # a character may be cut between two words: their bytes are joined first
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        if end == 0 or between.strip() or word[1].lower() != charset:
            made += [decoded(b"".join(waiting), charset), between if end == 0 or between.strip() else ""]
            waiting, charset = [], word[1].lower()
        waiting.append(_word_bytes(word[2], word[3]))
        end = word.end()
    return "".join([*made, decoded(b"".join(waiting), charset), text[end:]])


def mailboxes(text: str) -> list[Mailbox]:
    """Return whom an address header names, in its order. Groups are opened; what names nobody is left out.

    Nothing is refused: of a quotation or a comment that does not end, its mark is taken for a letter.

    Examples
    --------
    >>> [m.address for m in mailboxes('"Doe, J" <a@x.org>, friends: b@x.org, c@x.org;, root')]
    ['a@x.org', 'b@x.org', 'c@x.org', 'root']
    >>> mailboxes("=?utf-8?q?Doe=2C?= <a@x.org>, b@x.org (Bob)")
    [Mailbox(name='Doe,', address='a@x.org'), Mailbox(name='Bob', address='b@x.org')]
    """
    found = _mailboxes(text)
    if found is None:
        found = _mailboxes(text.translate({ord(mark): " " for mark in '"()'})) or []
    return found


def first_mailbox(texts: list[str]) -> Mailbox:
    """Return the first that has an address with a host, else the first, else one that is empty."""
    found = [one for text in texts for one in mailboxes(text)]
    return next((one for one in found if "@" in one.address), found[0] if found else Mailbox("", ""))


def _mailboxes(text: str) -> list[Mailbox] | None:
    """Return the mailboxes; None if a quotation or a comment does not end."""
    found: list[Mailbox] = []
    one = _Entry()
    for kind, piece in _tokens(text):
        if kind == "open":
            return None
        if kind == "special" and piece in ",;":
            found += one.mailbox()
            one = _Entry()
        elif kind == "special" and piece == ":":
            one = _Entry()  # what came was the name of a group
        else:
            one.take(kind, piece)
    return found + one.mailbox()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while token := _OUTSIDE.match(text, at):  # every character fits one of its branches
        kind, at = str(token.lastgroup), token.end()
        if kind == "closed":
            yield ("quoted", _ESCAPED.sub(r"\1", token["quoted"])) if token["closed"] else ("open", "")
        elif token["special"] == "(":
            end = _comment_end(text, at)
            yield ("comment", _ESCAPED.sub(r"\1", text[at : end - 1])) if end else ("open", "")
            at = end or len(text)
        else:
            yield kind, token[kind]


def _comment_end(text: str, at: int) -> int:
    """Return where the comment that began before `at` has ended; 0 if it does not."""
    depth = 1
    while depth and (token := _COMMENT.match(text, at)):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        at = token.end()
    return 0 if depth else at


class _Entry:
    """What stands between two commas."""

    def __init__(self) -> None:
        self.words: list[list[str]] = [[]]
        self.comments: list[str] = []
        self.angle: str | None = None

    def take(self, kind: str, token: str) -> None:
        """Take the next piece."""
        if kind == "angle":
            self.angle = token.strip()
        elif kind == "comment":
            self.comments.append(token)
        elif kind == "blank":
            self.words.append([])
        elif self.angle is None:
            self.words[-1].append(token)

    def mailbox(self) -> list[Mailbox]:
        """Return the mailbox, in a list that is empty if nobody is named."""
        words = [word for parts in self.words if (word := "".join(parts))]
        address = self.angle
        if address is None:
            bare = words and (len(words) == 1 or "@" in words[-1])
            address = words.pop() if bare else ""
        name = decode_words(" ".join(words or self.comments))
        address = address.rpartition(":")[2] if address.startswith("@") else address  # an old route before it
        return [Mailbox(name.strip(), address)] if name.strip() or address else []


def _word_bytes(kind: str, text: str) -> bytes:
    data = text.encode("utf-8")
    if kind in "Qq":
        return _HEX.sub(lambda found: binascii.unhexlify(found[1]), data.replace(b"_", b" "))
    data = _NO_BASE64.sub(b"", data)
    data = data[: len(data) - (len(data) % 4 == 1)]  # a lone last letter holds no byte
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
