"""A file that a person made with an editor or a spreadsheet → its text, its rows: in the encoding, and with the separator, of that program."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATOR = re.compile(r"[\"']?sep=(.)[\"']?\r?\n", re.IGNORECASE)  # over the names, as Excel writes it


def text_by_hand(path: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 if its first bytes say so, or Windows-1252 if nothing in it is UTF-8.

    Raises
    ------
    UnicodeDecodeError
        If some of it is UTF-8 and the rest is not: a damaged file.
    """
    return decoded_by_hand(path.read_bytes())


def decoded_by_hand(data: bytes) -> str:
    """Return the text that the bytes of such a file are.

    Raises
    ------
    UnicodeDecodeError
        As `text_by_hand` does.

    Examples
    --------
    >>> decoded_by_hand("é".encode("cp1252")), decoded_by_hand("é".encode("utf-16"))
    ('é', 'é')
    """
    if data.startswith(_UTF16):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not data.decode("utf-8", "ignore").isascii():
            raise
        return data.decode("cp1252", "backslashreplace")


def dialect_by_hand(text: str) -> tuple[str, str]:
    """Return a table without a line that only says what parts its cells, and what does: a comma, semicolon or tab.

    Examples
    --------
    >>> dialect_by_hand("a;b,c;d\\n"), dialect_by_hand("sep=|\\na|b\\n")
    (('a;b,c;d\\n', ';'), ('a|b\\n', '|'))
    """
    if declared := _SEPARATOR.match(text):
        return text[declared.end() :], declared[1]
    names = next((line for line in text.splitlines() if line.strip()), "")
    return text, max(",;\t", key=names.count)


def rows_by_hand(path: Path) -> csv.DictReader[str]:
    """Return the rows of a table by the names in its first line; a comma, semicolon or tab parts them, whichever is there.

    Raises
    ------
    UnicodeDecodeError
        As `text_by_hand` does.
    csv.Error
        For a quote that is not closed, once that row is reached.
    """
    text, delimiter = dialect_by_hand(text_by_hand(path))
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
