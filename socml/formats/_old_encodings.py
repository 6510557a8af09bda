"""A line of bytes → its text: UTF-8, or what Windows and Western systems wrote before it, where that leaves no doubt.

Bytes that are neither stay as escapes (`\\xff`), so that what an attacker sent is seen as it came. Blind to other code pages.
"""

from __future__ import annotations

import re

from socml.formats._reader import Assumption
from socml.formats._times import Clock

__all__ = ["text_of_line"]

_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøùúûüßœÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜŒ".encode("cp1252"))
_SIGNS = frozenset("«»°€§’‘“”–…²µ\xa0".encode("cp1252"))
_RUN = re.compile(rb"[\x80-\xff]+")
_LONGEST_RUN = 2  # of letters beyond ASCII in a word: créée
_AROUND = b" \t\r\n\"'(),;:"  # what may stand around a word
_NOTE = Assumption("encoding", "Lines that are not UTF-8 were read as cp1252.")


def text_of_line(line: bytes, clock: Clock) -> str:
    """Return the text of a line, and say among the clock's warnings if it was read as cp1252.

    Examples
    --------
    >>> clock = Clock(None, None, None)
    >>> text_of_line("Échec à 8 h".encode("cp1252"), clock), text_of_line(b"GET /\\xff\\xfe\\x90", clock)
    ('Échec à 8 h', 'GET /\\\\xff\\\\xfe\\\\x90')
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        if not all(_is_of_words(run, line) for run in _RUN.finditer(line)):
            return line.decode("utf-8", "backslashreplace")
    if _NOTE not in clock.warnings:
        clock.warnings.append(_NOTE)
    return line.decode("cp1252")


def _is_of_words(run: re.Match[bytes], line: bytes) -> bool:
    """Return whether bytes beyond ASCII are letters at others, as in words, or one by itself (à), or signs."""
    if len(run[0]) > _LONGEST_RUN or not all(byte in _LETTERS or byte in _SIGNS for byte in run[0]):
        return False
    before, after = line[run.start() - 1 : run.start()] if run.start() else b"", line[run.end() : run.end() + 1]
    is_at_letters = before.isalpha() or after.isalpha()
    is_alone = len(run[0]) == 1 and not before.strip(_AROUND) and not after.strip(_AROUND)
    return is_at_letters or is_alone or all(byte in _SIGNS for byte in run[0])
