"""A line of bytes → its text: UTF-8, or what systems wrote before it, where that leaves no doubt.

That is cp1252 (Western), the code pages of Cyrillic, or Shift-JIS and EUC-JP, told by a statistic over the letters that
the bytes would be. Bytes that are none stay as escapes (`\\xff`), so that what an attacker sent is seen as it came. Blind to other
code pages, and to Cyrillic lines of a few short words.
"""

from __future__ import annotations

import re

from socml.formats._reader import HEAD, Assumption, Source
from socml.formats._times import Clock

__all__ = ["from_old", "head_in_utf8", "head_of", "note_of", "old_encoding", "text_of_line"]

_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøùúûüßœÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜŒ".encode("cp1252"))
_SIGNS = frozenset("«»°€§’‘“”–…²µ\xa0".encode("cp1252"))
_RUN = re.compile(rb"[\x80-\xff]+")
_LONGEST_RUN = 2  # of letters beyond ASCII in a word: créée
_AROUND = b" \t\r\n\"'(),;:"  # what may stand around a word
_LOOKED_AT = 1 << 16  # characters of a line
_CYRILLIC_PAGES = ("cp1251", "koi8-r", "cp866")
_CYRILLIC = re.compile("[Ѐ-ӿ]+")
_CASED = re.compile("[а-яѐ-џґ]+|[А-ЯЀ-Џ][а-яѐ-џґ]*|[А-ЯЀ-Џ]+")  # as words are written
_COMMON = frozenset("оеаинтсрвл")  # two thirds of the letters of a text; of one read in the wrong page, much less
_LEAST_COMMON, _LEAST_LETTERS, _LEAST_WORD = 0.45, 6, 3
_LATIN = re.compile("[A-Za-z]")
_MOST_MIXED = 0.1  # of the words, that letters of ASCII stand beside: in Western text all do
_SIGNS_BESIDE = frozenset("«»№—–…‘’“”„•·°§©\xa0\u2116")
_JAPANESE_PAGES = ("cp932", "euc-jp")
_KANA = re.compile("[ぁ-んァ-ヺー]")
_OF_JAPANESE = re.compile("[\u3000-\u303fぁ-ヿ\u4e00-\u9fff\uff01-\uff5e]")
_LEAST_KANA, _LEAST_KANA_SHARE = 3, 0.2


def text_of_line(line: bytes, clock: Clock) -> str:
    """Return the text of a line, and say among the clock's warnings if it was read as cp1252.

    Examples
    --------
    >>> clock = Clock(None, None, None)
    >>> text_of_line("Échec à 8 h".encode("cp1252"), clock), text_of_line(b"GET /\\xff\\xfe\\x90", clock)
    ('Échec à 8 h', 'GET /\\\\xff\\\\xfe\\\\x90')
    """
    encoding = old_encoding(line)
    if not encoding:
        return line.decode("utf-8", "backslashreplace")
    if note_of(encoding) not in clock.warnings:
        clock.warnings.append(note_of(encoding))
    return line.decode(encoding)


def note_of(encoding: str) -> Assumption:
    """Return what is said of a file with lines in an encoding of before UTF-8."""
    return Assumption("encoding", f"Lines that are not UTF-8 were read as {encoding}.")


def from_old(record: bytes) -> bytes | None:
    """Return as UTF-8 what can only be words in an encoding of before; None if it is UTF-8 already, or other bytes are among them.

    Examples
    --------
    >>> from_old(b"\\xc9chec") == "Échec".encode(), from_old("Échec".encode()), from_old(b"GET /\\xff\\xfe\\x90")
    (True, None, None)
    """
    encoding = old_encoding(record)
    return record.decode(encoding).encode() if encoding else None


def old_encoding(record: bytes) -> str:
    """Return the encoding of before UTF-8 that some bytes can only be words in; empty if they are UTF-8, or no such words.

    Examples
    --------
    >>> [old_encoding(text.encode(page)) for text, page in (("Échec à 8 h", "cp1252"), ("Échec", "utf-8"), ("Ошибка входа", "cp1251"))]
    ['cp1252', '', 'cp1251']
    >>> old_encoding("ログインに失敗しました".encode("cp932")), old_encoding(b"GET /\\xff\\xfe\\x90")
    ('cp932', '')
    """
    if record.isascii() or b"\0" in record:
        return ""
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        if all(_is_of_words(run, record) for run in _RUN.finditer(record)):
            return "cp1252"
        shares = {page: _share_of_cyrillic(record, page) for page in _CYRILLIC_PAGES}
        shares |= {page: _share_of_kana(record, page) for page in _JAPANESE_PAGES}
        likeliest = max(shares, key=lambda page: shares[page])
        return likeliest if shares[likeliest] else ""
    return ""


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


def _share_of_cyrillic(record: bytes, page: str) -> float:
    """Return how many of the letters are common ones, 0 to 1, if bytes are words in a code page of Cyrillic; else 0."""
    try:
        text = record.decode(page)[:_LOOKED_AT]
    except UnicodeDecodeError:
        return 0.0
    words = list(_CYRILLIC.finditer(text))
    letters = "".join(word[0] for word in words).lower()
    mixed = sum(_LATIN.search(text[max(word.start() - 1, 0) : word.end() + 1]) is not None for word in words)
    is_text = (
        len(letters) >= _LEAST_LETTERS
        and max(map(len, (word[0] for word in words))) >= _LEAST_WORD
        and mixed <= _MOST_MIXED * len(words)
        and all(_CASED.fullmatch(word[0]) for word in words)
        and all(char.isascii() or char in _SIGNS_BESIDE for char in _CYRILLIC.sub("", text))
    )
    share = sum(letter in _COMMON for letter in letters) / len(letters) if is_text else 0.0
    return share if share >= _LEAST_COMMON else 0.0


def _share_of_kana(record: bytes, page: str) -> float:
    """Return how many of the signs are kana, 0 to 1, if bytes are Japanese in a code page; else 0."""
    try:
        signs = [char for char in record.decode(page)[:_LOOKED_AT] if not char.isascii()]
    except UnicodeDecodeError:
        return 0.0
    kana = sum(_KANA.match(char) is not None for char in signs)
    share = kana / len(signs) if kana >= _LEAST_KANA and all(map(_OF_JAPANESE.match, signs)) else 0.0
    return share if share >= _LEAST_KANA_SHARE else 0.0


def _is_of_words(run: re.Match[bytes], line: bytes) -> bool:
    """Return whether bytes beyond ASCII are letters at others, as in words, or one by itself (à), or signs."""
    if len(run[0]) > _LONGEST_RUN or not all(byte in _LETTERS or byte in _SIGNS for byte in run[0]):
        return False
    before, after = line[run.start() - 1 : run.start()] if run.start() else b"", line[run.end() : run.end() + 1]
    is_at_letters = before.isalpha() or after.isalpha()
    is_alone = len(run[0]) == 1 and not before.strip(_AROUND) and not after.strip(_AROUND)
    return is_at_letters or is_alone or all(byte in _SIGNS for byte in run[0])
