"""Text written by an attacker → the same text, harmless on a terminal, in a page and in a spreadsheet.

Log text is evidence: nothing is removed, what would act is made visible.
"""

from __future__ import annotations

import html
import re
import unicodedata

# C0 and C1 controls (but tab and newline), and everything Unicode calls a format character:
# bidirectional marks, zero-width characters, tags, soft hyphens, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FORMULA_STARTS = "=+-@\N{MINUS SIGN}"
# What begins a cell within a text, where a semicolon or a tab parts them: our quotes then end no cell and no line.
# A run of such signs is one match, whatever follows it, and is looked at once: a text of nothing else takes no longer.
_CELL = re.compile(r'[;\t\n][\s"]*+')
_MARKED_CELL = re.compile(r"""([;\t\n][\s"]*+)'?""")


def visible(text: object) -> str:
    """Return `text` with every control, bidirectional and zero-width character written out.

    Examples
    --------
    >>> visible("a\\x1b[31mb")
    'a␛[31mb'
    >>> visible("user\\u202efdp.exe")
    'user⟨U+202E⟩fdp.exe'
    >>> visible("été 10 €")
    'été 10 €'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(c) for c in text)


def visible_line(text: object) -> str:
    """Like `visible`, on one line: newlines and tabs are written out too.

    Examples
    --------
    >>> visible_line("one\\ntwo")
    'one␊two'
    """
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def html_text(text: object) -> str:
    """Return `text` fit to stand between HTML tags or in a quoted attribute: shown, never run.

    Examples
    --------
    >>> html_text("<img src=x onerror=alert(1)>")
    '&lt;img src=x onerror=alert(1)&gt;'
    """
    return html.escape(visible(text), quote=True)


def spreadsheet_text(text: object) -> str:
    """Return `text` that no spreadsheet takes for a formula, whatever parts its cells (a leading apostrophe is added).

    Examples
    --------
    >>> spreadsheet_text("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> spreadsheet_text("\N{FULLWIDTH EQUALS SIGN}1+1"), spreadsheet_text(" =1+1")  # some take these for = too
    ("'＝1+1", "' =1+1")
    >>> spreadsheet_text("10.0.0.1"), spreadsheet_text("a;=1+1")  # Excel parts cells by semicolons in much of Europe
    ('10.0.0.1', "a;'=1+1")
    """
    text = visible(text)
    inert = _CELL.sub(lambda cell: f"{cell[0]}'" if _begins_formula(cell) else cell[0], text)
    return "'" + inert if text[:1] in {"\t", "\n"} or _is_start(text.lstrip()[:1]) else inert


def from_spreadsheet(text: str) -> str:
    """Return what `spreadsheet_text` made inert as it was; any other text as it is.

    Examples
    --------
    >>> from_spreadsheet("'=1;'+2"), from_spreadsheet("'tis;'so")
    ('=1;+2', "'tis;'so")
    """
    bare = _MARKED_CELL.sub(lambda cell: cell[1] if _begins_formula(cell) else cell[0], text)
    return next((one for one in (bare.removeprefix("'"), bare) if spreadsheet_text(one) == text), text)


def _begins_formula(cell: re.Match[str]) -> bool:
    return _is_start(cell.string[cell.end() : cell.end() + 1])


def _is_start(character: str) -> bool:
    first = unicodedata.normalize("NFKC", character)
    return bool(first) and first in _FORMULA_STARTS


def _written_out(character: str) -> str:
    if character in "\n\t":
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if _CONTROL.match(character) or unicodedata.category(character) in {"Cf", "Zl", "Zp", "Cs", "Co"}:
        return f"⟨U+{code:04X}⟩"
    return character
