"""A file that a person made with an editor or a spreadsheet → its text, its rows: in the encoding, and with the separator, of that program."""

from __future__ import annotations

import csv
import io
from pathlib import Path

__all__ = ["rows_by_hand", "text_by_hand"]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def text_by_hand(path: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 if its first bytes say so, or Windows-1252 if nothing in it is UTF-8.

    Raises
    ------
    UnicodeDecodeError
        If some of it is UTF-8 and the rest is not: a damaged file.
    """
    data = path.read_bytes()
    if data.startswith(_UTF16):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not data.decode("utf-8", "ignore").isascii():
            raise
        return data.decode("cp1252", "backslashreplace")


def rows_by_hand(path: Path) -> csv.DictReader[str]:
    """Return the rows of a table by the names in its first line; a comma, semicolon or tab parts them, whichever is there.

    Raises
    ------
    UnicodeDecodeError
        As `text_by_hand` does.
    csv.Error
        For a quote that is not closed, once that row is reached.
    """
    text = text_by_hand(path)
    names = text.splitlines()[0] if text.strip() else ""
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=names.count), strict=True)
