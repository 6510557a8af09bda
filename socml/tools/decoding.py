"""An encoded text → what it hides, layer by layer: links of mail filters, Base64, percent signs, Cisco's type 7.

Nothing that is decoded is run or opened. What unpacks is bounded: at most `MOST_BYTES`, at most `MOST_LAYERS` deep.

References
----------
Proofpoint, «URL Defense: Decoding URLs», and its Python decoder: v1 percent signs, v2 - and _, v3 runs of *.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

MOST_BYTES = 1 << 20
MOST_LAYERS = 10
_PRINTABLE_SHARE = 0.85
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_CISCO7 = re.compile(r"(?:[01][0-9])(?:[0-9A-Fa-f]{2}){1,64}")
_CISCO_LINE = re.compile(r"(?:password|key|secret)\s+7\s+([0-9A-Fa-f]{4,})")
_CISCO_KEY = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87"
_V3 = re.compile(r"/v3/__(?P<url>.+?)__;(?P<bytes>[\w=-]*)!")
_RUN = re.compile(r"\*(?:\*(.))?")
_RUN_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # A is 2
# host (or its end) → the parameter that holds the real address
_WRAPPERS = {
    "safelinks.protection.outlook.com": "url",
    "safelinks.protection.office365.us": "url",
    "safelinks.protection.outlook.cn": "url",
    "linkprotect.cudasvc.com": "a",
    "google.com": "q",
    "l.facebook.com": "u",
    "slack-redir.net": "url",
    "steamcommunity.com": "url",
}
_ONLY_AT = {"google.com": "/url", "steamcommunity.com": "/linkfilter/"}


@dataclass(frozen=True)
class Step:
    """One layer that was taken off: what it was, and the text below."""

    kind: str
    text: str


def decode(text: str) -> list[Step]:
    """Return the layers of a text, the outermost first; none if it is not encoded in a way that is known.

    Examples
    --------
    >>> decode("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2Fa&data=x")
    [Step(kind='safelinks', text='https://evil.example/a')]
    >>> [step.text for step in decode("aHR0cHM6Ly91cmxkZWZlbnNlLmNvbS92My9fX2h0dHBzOi9ldmlsLmV4YW1wbGVfXzshIQ==")]
    ['https://urldefense.com/v3/__https:/evil.example__;!!', 'https://evil.example']
    >>> decode("just words")
    []
    """
    steps: list[Step] = []
    current = text.strip()
    seen = {current}
    while len(steps) < MOST_LAYERS:
        step = _next(current)
        if step is None or step.text in seen:
            break
        steps.append(step)
        seen.add(step.text)
        current = step.text.strip()
    return steps


def decode_link(url: str) -> Step | None:
    """Return the address that a mail filter or redirector wrapped, None if it wraps none.

    Examples
    --------
    >>> decode_link("https://urldefense.proofpoint.com/v2/url?u=http-3A__evil.example_a&d=x")
    Step(kind='proofpoint v2', text='http://evil.example/a')
    """
    try:
        parts = urlsplit(html.unescape(url))
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if host in ("urldefense.proofpoint.com", "urldefense.com", "urldefense.us") or host.endswith(".urldefense.com"):
        return _proofpoint(html.unescape(url), parts.path, parts.query)
    for end, name in _WRAPPERS.items():
        if (host == end or host.endswith(f".{end}")) and parts.path.startswith(_ONLY_AT.get(end, "")):
            found = parse_qs(parts.query).get(name, [""])[0]
            kind = "safelinks" if end.startswith("safelinks") else f"link by {end}"
            return Step(kind, found) if found.startswith(("http://", "https://", "ftp://")) else None
    return None


def decode_base64(text: str) -> Step | None:
    """Return what is below Base64, common or of URLs, in UTF-8 or (PowerShell's) UTF-16; gzip and deflate are unpacked.

    Examples
    --------
    >>> decode_base64("dwBoAG8AYQBtAGkA")
    Step(kind='base64, utf-16', text='whoami')
    """
    packed = "".join(text.split())
    if not _BASE64.fullmatch(packed) or len(packed.rstrip("=")) % 4 == 1:
        return None
    try:
        data = base64.b64decode(
            packed.replace("-", "+").replace("_", "/").rstrip("=") + "==="[: -len(packed.rstrip("=")) % 4]
        )
    except (binascii.Error, ValueError):
        return None
    unpacked = _inflated(data)
    found = _as_text(unpacked if unpacked is not None else data)
    if found is None:
        return None
    words, how = found
    return Step(f"base64{', packed' if unpacked is not None else ''}{how}", words)


def cisco7(written: str) -> str:
    """Return the password that Cisco's type 7 hides, which is not encryption.

    Raises
    ------
    ValueError
        If it is not of that form.

    Examples
    --------
    >>> cisco7("02050D480809")
    'cisco'
    """
    if not _CISCO7.fullmatch(written) or int(written[:2]) >= len(_CISCO_KEY):
        raise ValueError("type 7 is two digits, 00 to 15, and pairs of hexadecimal digits")
    start = int(written[:2])
    data = bytes.fromhex(written[2:])
    clear = bytes(c ^ _CISCO_KEY[(start + i) % len(_CISCO_KEY)] for i, c in enumerate(data))
    return clear.decode("ascii", "backslashreplace")


def _next(text: str) -> Step | None:
    candidates: tuple[Callable[[str], Step | None], ...] = (
        decode_link,
        _cisco,
        decode_base64,
        _hexadecimal,
        _percent,
        _entities,
    )
    return next((step for find in candidates if (step := find(text)) is not None), None)


def _proofpoint(url: str, path: str, query: str) -> Step | None:
    if path.startswith("/v3/"):
        return _proofpoint_v3(url)
    wrapped = re.search(r"(?:^|&)u=([^&]*)", query)
    if wrapped is None:
        return None
    if path.startswith("/v1/"):
        return Step("proofpoint v1", unquote(wrapped[1]))
    if path.startswith("/v2/"):
        return Step("proofpoint v2", unquote(wrapped[1].replace("-", "%").replace("_", "/")))
    return None


def _proofpoint_v3(url: str) -> Step | None:
    found = _V3.search(url)
    if found is None:
        return None
    packed = found["bytes"].rstrip("=")
    try:
        characters = iter(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode())
    except (binascii.Error, ValueError):
        return None

    def replaced(run: re.Match[str]) -> str:
        length = _RUN_LENGTHS.find(run[1]) + 2 if run[1] else 1
        return "".join(next(characters, "") for _ in range(length))

    wrapped = re.sub(r"^([a-z0-9+.-]+:/)(?=[^/])", r"\1/", unquote(found["url"]), flags=re.IGNORECASE)
    return Step("proofpoint v3", _RUN.sub(replaced, wrapped))


def _cisco(text: str) -> Step | None:
    line = _CISCO_LINE.search(text)
    written = line[1] if line else text
    try:
        clear = cisco7(written)
    except ValueError:
        return None
    return Step("cisco type 7", clear) if clear.isprintable() and clear.isascii() else None


def _hexadecimal(text: str) -> Step | None:
    packed = re.sub(r"\\x|0x|[\s,]", "", text)
    if len(packed) < 8 or len(packed) % 2 or not re.fullmatch(r"[0-9a-fA-F]+", packed):
        return None
    found = _as_text(bytes.fromhex(packed))
    return Step(f"hexadecimal{found[1]}", found[0]) if found else None


def _percent(text: str) -> Step | None:
    return Step("percent", unquote(text, errors="backslashreplace")) if re.search(r"%[0-9a-fA-F]{2}", text) else None


def _entities(text: str) -> Step | None:
    clear = html.unescape(text)
    return Step("html", clear) if clear != text else None


def _inflated(data: bytes) -> bytes | None:
    for bits in (31, 15, -15) if data[:2] == b"\x1f\x8b" else (15, -15):
        unpack = zlib.decompressobj(wbits=bits)
        try:
            found = unpack.decompress(data, MOST_BYTES)
        except zlib.error:
            continue
        if found and (unpack.eof or unpack.unconsumed_tail):
            return found
    return None


def _as_text(data: bytes) -> tuple[str, str] | None:
    """Return the bytes as text and how they were read; None if they are no text."""
    if len(data) >= 4 and len(data) % 2 == 0 and data[1::2].count(0) > 0.8 * len(data) / 2:
        try:
            return data.decode("utf-16-le"), ", utf-16"
        except UnicodeDecodeError:
            return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    shown = sum(c.isprintable() or c in "\r\n\t" for c in text)
    return (text, "") if text and shown >= _PRINTABLE_SHARE * len(text) else None
