"""Text with addresses ↔ the same text that nothing turns into a link: hxxp://example[.]com."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"\b(h)(tt|xx)(ps?)(?=://)", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"\b(ftp)(s?)(?=://)", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?![\w.]*\w)")
_HOST = re.compile(r"(?<![\w/.-])((?:[\w-]{1,63}\.){1,10}(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59}))(?![\w-])", re.IGNORECASE)
_AFTER_SCHEME = re.compile(r"(://)([^\s/?#]+)")
_DOTS = re.compile(r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?|\\\.(?=\w)|(?<=\w)\s(?:dot)\s(?=\w)", re.IGNORECASE)
_ATS = re.compile(r"\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", re.IGNORECASE)
_COLONS = re.compile(r"\[(:)\]|\[(://)\]")
_FANGED_SCHEME = re.compile(r"\bh(?:xx|\*\*|__|XX)p(s?)(?=\s?(?::|\[:))", re.IGNORECASE)
_FANGED_FTP = re.compile(r"\b(?:fxp|f\*p)(s?)(?=://)", re.IGNORECASE)


def defang(text: str) -> str:
    """Return the text with its addresses broken, so that no program makes links of them.

    Examples
    --------
    >>> defang("see https://evil.example/a.php?x=1 and 10.0.0.1, mail bob@evil.example")
    'see hxxps://evil[.]example/a.php?x=1 and 10[.]0[.]0[.]1, mail bob[@]evil[.]example'
    >>> defang(defang("http://evil.example"))
    'hxxp://evil[.]example'
    """
    text = _SCHEME.sub(lambda found: f"{found[1]}xx{found[3]}", text)
    text = _OTHER_SCHEME.sub(lambda found: f"fxp{found[2]}", text)
    text = _AFTER_SCHEME.sub(lambda found: found[1] + _break(found[2]), text)
    text = re.sub(r"(?<=[\w.+-])@(?=[\w-]+(?:\.|\[))", "[@]", text)
    text = _IPV4.sub(lambda found: _break(found[1]), text)
    return _HOST.sub(lambda found: _break(found[1]), text)


def refang(text: str) -> str:
    """Return the text with the addresses whole again, whatever way they were broken.

    Examples
    --------
    >>> refang("hxxps://evil[.]example, 10(.)0[dot]0[.]1, bob[at]evil{.}example, hXXp[:]//a.example")
    'https://evil.example, 10.0.0.1, bob@evil.example, http://a.example'
    """
    text = _FANGED_SCHEME.sub(lambda found: f"http{found[1].lower()}", text)
    text = _FANGED_FTP.sub(lambda found: f"ftp{found[1]}", text)
    text = _COLONS.sub(lambda found: found[1] or found[2], text)
    return _DOTS.sub(".", _ATS.sub("@", text))


def _break(host: str) -> str:
    return re.sub(r"(?<!\[)\.(?!\])", "[.]", host)
