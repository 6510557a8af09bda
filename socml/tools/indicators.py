"""A text, whole or defanged → its indicators: addresses, names, URLs, hashes, vulnerabilities, techniques.

Names are told by their form, for no list of the internet's endings is at hand: a file's name with an ending that is a
country's too (`run.sh`, `notes.md`) is not taken for a host unless it stands in a URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from socml.tools.defanging import refang

_LONGEST = 4 << 20  # characters that are looked at
_URL = re.compile(r"\b(?:https?|ftps?)://[^\s<>\"'`\\^{|}]+", re.IGNORECASE)
_TAIL = ".,;:!?)]}>*"
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\w.]*\w)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3})(?:/\d{1,3})?(?![\w:])"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,10}[a-zA-Z]{2,24}(?![\w-])")
_DOMAIN = re.compile(
    r"(?<![\w@./\\-])(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.){1,10}(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})(?![\w@-]|\.\w)",
    re.IGNORECASE,
)
_HASH = re.compile(r"(?<![\w])(?:[0-9a-fA-F]{128}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})(?!\w)")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,7}\b", re.IGNORECASE)
_TECHNIQUE = re.compile(r"\bT1\d{3}(?:\.\d{3})?\b")
_UNC = re.compile(r"(?<!\\)\\\\[\w.-]{1,255}\\[^\s\"'<>|*?:]{1,255}")
_REGISTRY = re.compile(r"\b(?:HKLM|HKCU|HKCR|HKU|HKEY_[A-Z_]+)\\[^\s\"'<>|*?]{2,255}")
# endings of files that are endings of hosts too, or look like one
_FILES = set(
    "exe dll sys bat cmd ps1 vbs js jse hta lnk msi scr doc docx docm xls xlsx xlsm ppt pptx pdf rtf txt log csv tsv json "
    "xml yml yaml toml ini conf cfg html htm php asp aspx jsp py sh rb pl go rs java jar class war cpp md zip rar gz bz2 xz "
    "tar iso img vhd png jpg jpeg gif svg ico bmp mp3 mp4 avi mov eml msg pcap pcapng evtx evt dat bin tmp bak old lock db "
    "sqlite so dylib apk ipa deb rpm service socket timer local internal localdomain lan".split()
)
_HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


@dataclass(frozen=True, order=True)
class Indicator:
    """One indicator: url, domain, ipv4, ipv6, network, email, md5, sha1, sha256, sha512, cve, technique, unc, registry."""

    kind: str
    value: str


def find_indicators(text: str) -> list[Indicator]:
    """Return the indicators of a text, each once, in the order of their kinds and values.

    Examples
    --------
    >>> [i.value for i in find_indicators("hxxp://evil[.]example/run.sh from 999.1.1.1 or 192.0.2.7, CVE-2021-44228")]
    ['CVE-2021-44228', 'evil.example', '192.0.2.7', 'http://evil.example/run.sh']
    """
    found: set[Indicator] = set()
    clear = refang(text[:_LONGEST])
    for find in (_urls, _addresses, _mails, _names, _simple):
        found.update(find(clear))
    return sorted(found)


def _urls(text: str) -> Iterator[Indicator]:
    for match in _URL.finditer(text):
        url = match.group().rstrip(_TAIL)
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            continue
        yield Indicator("url", url)
        yield from _host(host)


def _host(host: str) -> Iterator[Indicator]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _DOMAIN.fullmatch(host):
            yield Indicator("domain", host.lower())
    else:
        yield _of_address(address)


def _of_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Indicator:
    plain = getattr(address, "ipv4_mapped", None) or address
    return Indicator(f"ipv{plain.version}", str(plain))


def _addresses(text: str) -> Iterator[Indicator]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            written = match.group()
            try:
                if "/" in written:
                    yield Indicator("network", str(ipaddress.ip_network(written, strict=False)))
                    continue
                address = ipaddress.ip_address(written)
            except ValueError:
                continue
            if not address.is_unspecified:
                yield _of_address(address)


def _mails(text: str) -> Iterator[Indicator]:
    for match in _EMAIL.finditer(text):
        address = match.group().lower()
        yield Indicator("email", address)
        yield Indicator("domain", address.rpartition("@")[2])


def _names(text: str) -> Iterator[Indicator]:
    without_urls = _URL.sub(" ", text)
    for match in _DOMAIN.finditer(without_urls):
        name = match.group().lower().rstrip(".")
        if name.rpartition(".")[2] not in _FILES and not name.replace(".", "").isdigit():
            yield Indicator("domain", name)


def _simple(text: str) -> Iterator[Indicator]:
    plain: tuple[tuple[re.Pattern[str], Callable[[str], Indicator]], ...] = (
        (_HASH, lambda value: Indicator(_HASHES[len(value)], value.lower())),
        (_CVE, lambda value: Indicator("cve", value.upper())),
        (_TECHNIQUE, lambda value: Indicator("technique", value)),
        (_UNC, lambda value: Indicator("unc", value.rstrip(_TAIL))),
        (_REGISTRY, lambda value: Indicator("registry", value.rstrip(_TAIL))),
    )
    for pattern, made in plain:
        for match in pattern.finditer(text):
            yield made(match.group())
