"""A line of bytes → its text: UTF-8, or what Windows and Western systems wrote before it, where that leaves no doubt.

Bytes that are neither stay as escapes (`\\xff`), so that what an attacker sent is seen as it came. Blind to other code pages.
"""

from __future__ import annotations

import re

from socml.formats._reader import HEAD, Assumption, Source
from socml.formats._times import Clock

__all__ = ["NOTE", "from_old", "head_in_utf8", "head_of", "text_of_line"]

_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøùúûüßœÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜŒ".encode("cp1252"))
_SIGNS = frozenset("«»°€§’‘“”–…²µ\xa0".encode("cp1252"))
_RUN = re.compile(rb"[\x80-\xff]+")
_LONGEST_RUN = 2  # of letters beyond ASCII in a word: créée
_AROUND = b" \t\r\n\"'(),;:"  # what may stand around a word
NOTE = Assumption("encoding", "Lines that are not UTF-8 were read as cp1252.")


def text_of_line(line: bytes, clock: Clock) -> str:
    """Return the text of a line, and say among the clock's warnings if it was read as cp1252.

    Examples
    --------
    >>> clock = Clock(None, None, None)
    >>> text_of_line("Échec à 8 h".encode("cp1252"), clock), text_of_line(b"GET /\\xff\\xfe\\x90", clock)
    ('Échec à 8 h', 'GET /\\\\xff\\\\xfe\\\\x90')
    """
    old = from_old(line)
    if old is None:
        return line.decode("utf-8", "backslashreplace")
    if NOTE not in clock.warnings:
        clock.warnings.append(NOTE)
    return old.decode()


def from_old(record: bytes) -> bytes | None:
    """Return as UTF-8 what can only be words in cp1252; None if it is UTF-8 already, or other bytes are among them.

    Examples
    --------
    >>> from_old(b"\\xc9chec") == "Échec".encode(), from_old("Échec".encode()), from_old(b"GET /\\xff\\xfe\\x90")
    (True, None, None)
    """
    if record.isascii() or b"\0" in record:
        return None
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        is_words = all(_is_of_words(run, record) for run in _RUN.finditer(record))
        return record.decode("cp1252").encode() if is_words else None
    return None


def head_of(source: Source) -> bytes:
    """Return the first bytes of a file, unpacked, as `head_in_utf8` does."""
    pieces: list[bytes] = []
    size = 0
    for chunk in source.chunks():
        pieces.append(chunk)
        size += len(chunk)
        if size >= HEAD:
            break
    return head_in_utf8(b"".join(pieces))


def head_in_utf8(head: bytes) -> bytes:
    """Return a file's head with the lines that are cp1252 in UTF-8; as it is, if some line is neither, or it is no text.

    Examples
    --------
    >>> head_in_utf8(b"caf\\xc3\\xa9\\ncaf\\xe9\\n").decode(), head_in_utf8(b"caf\\xe9\\n\\xff\\xfe\\n")
    ('café\\ncafé\\n', b'caf\\xe9\\n\\xff\\xfe\\n')
    """
    if head.isascii() or b"\0" in head:
        return head
    *lines, rest = (from_old(line) or line for line in head.split(b"\n"))
    try:
        b"\n".join(lines).decode("utf-8")
    except UnicodeDecodeError:
        return head
    return b"\n".join([*lines, rest])


def _is_of_words(run: re.Match[bytes], line: bytes) -> bool:
    """Return whether bytes beyond ASCII are letters at others, as in words, or one by itself (à), or signs."""
    if len(run[0]) > _LONGEST_RUN or not all(byte in _LETTERS or byte in _SIGNS for byte in run[0]):
        return False
    before, after = line[run.start() - 1 : run.start()] if run.start() else b"", line[run.end() : run.end() + 1]
    is_at_letters = before.isalpha() or after.isalpha()
    is_alone = len(run[0]) == 1 and not before.strip(_AROUND) and not after.strip(_AROUND)
    return is_at_letters or is_alone or all(byte in _SIGNS for byte in run[0])
