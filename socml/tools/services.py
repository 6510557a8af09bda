"""An indicator and a service's name → what to ask it; its answer → a verdict, with the service's own score.

One table, a line a service. The verdicts are ours, made from the services' figures by the rules beside the numbers below;
"unknown" is the verdict on what a service has nothing about, for silence is no praise.

Blind to when a service last looked, and to names that are a domain below an unusual public ending: OTX keeps domains and
host names apart, and which of the two a name is, is told by its form.

References
----------
AbuseIPDB APIv2, https://docs.abuseipdb.com/#check-endpoint
GreyNoise Community API, https://docs.greynoise.io/reference/getcommunityip
OTX DirectConnect API, https://otx.alienvault.com/assets/static/external_api.html
URLhaus API, https://urlhaus-api.abuse.ch/
VirusTotal API v3, https://docs.virustotal.com/reference/overview
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from socml.tools.indicators import Indicator

VERDICTS = ("malicious", "suspicious", "harmless", "unknown")
DAYS = 90  # of reports that AbuseIPDB counts
MALICIOUS_CONFIDENCE, SUSPICIOUS_CONFIDENCE = 75, 25  # AbuseIPDB's, of 100
MALICIOUS_ENGINES = 3  # of VirusTotal; one or two of its many may err
_LONGEST = 120  # characters of one fact
_SECOND_LEVEL = {"ac", "co", "com", "edu", "gob", "gouv", "gov", "mil", "net", "ne", "or", "org"}  # of co.uk, com.au …
_Facts = dict[str, str]


@dataclass(frozen=True)
class Reading:
    """What an answer says. `about` is the key of a sentence under `tools.online.about`, `facts` are its values."""

    verdict: str
    score: str  # in the service's own terms
    about: str
    facts: _Facts = field(default_factory=dict)
    link: str = ""  # a page for people

    @classmethod
    def of_nothing(cls, link: str) -> Reading:
        """Return the reading of an answer that the service has nothing."""
        return cls("unknown", "", "not_known", {}, link)


@dataclass(frozen=True)
class Service:
    """How a service is asked. In a path, {value} is the indicator, {id} VirusTotal's id of a URL, {level} OTX's kind of name."""

    title: str
    address: str
    header: str  # that holds the key
    paths: Mapping[str, str]  # kind of indicator → path below the address
    read: Callable[[Indicator, dict[str, object]], Reading | None]  # None: the answer has another form
    link: Callable[[Indicator], str]
    fields: Mapping[str, str] = field(default_factory=dict)  # kind → field of a form, where the indicator is posted
    silent: bool = False  # HTTP 404 means: nothing is known


def request_of(service: Service, one: Indicator, address: str = "") -> tuple[str, bytes | None]:
    """Return the URL that asks about an indicator, and the body to post, None for a GET.

    Examples
    --------
    >>> request_of(SERVICES["virustotal"], Indicator("url", "http://evil.example/a"))[0]
    'https://www.virustotal.com/api/v3/urls/aHR0cDovL2V2aWwuZXhhbXBsZS9h'
    >>> request_of(SERVICES["urlhaus"], Indicator("domain", "evil.example"))
    ('https://urlhaus-api.abuse.ch/v1/host/', b'host=evil.example')
    """
    path = service.paths[one.kind].format(value=_quoted(one.value), id=_url_id(one.value), level=_level(one))
    posted = service.fields.get(one.kind)
    body = urlencode({posted: one.value}, errors="replace").encode() if posted else None
    return (address or service.address) + path, body


def _abuseipdb(one: Indicator, answer: dict[str, object]) -> Reading | None:
    data = _at(answer, "data")
    confidence = _number(_at(data, "abuseConfidenceScore"))
    if confidence is None:
        return None
    if _at(data, "isWhitelisted") is True:
        verdict = "harmless"
    elif confidence >= MALICIOUS_CONFIDENCE:
        verdict = "malicious"
    else:
        verdict = "suspicious" if confidence >= SUSPICIOUS_CONFIDENCE else "unknown"
    facts = {"reports": _fact(data, "totalReports"), "people": _fact(data, "numDistinctUsers"), "days": str(DAYS)}
    facts |= {"country": _fact(data, "countryCode"), "owner": _fact(data, "isp")}
    return Reading(verdict, f"{confidence}/100", "abuseipdb", facts, SERVICES["abuseipdb"].link(one))


def _greynoise(one: Indicator, answer: dict[str, object]) -> Reading | None:
    classification, link = _at(answer, "classification"), SERVICES["greynoise"].link(one)
    if not isinstance(classification, str):
        return None
    common = _at(answer, "riot") is True
    verdict = (
        "harmless"
        if common or classification == "benign"
        else classification
        if classification in VERDICTS
        else "unknown"
    )
    about = "greynoise_common" if common else "greynoise_scans" if _at(answer, "noise") is True else "greynoise"
    facts = {"owner": _fact(answer, "name"), "seen": _fact(answer, "last_seen")}
    return Reading(verdict, _short(classification), about, facts, link)


def _otx(one: Indicator, answer: dict[str, object]) -> Reading | None:
    pulses = _number(_at(answer, "pulse_info", "count"))
    if pulses is None:
        return None
    link, known_good = SERVICES["otx"].link(one), _at(answer, "validation")
    if isinstance(known_good, list) and known_good:
        facts = {"pulses": str(pulses), "lists": _names(known_good, "name")}
        return Reading("harmless", str(pulses), "otx_known_good", facts, link)
    # A pulse may name an innocent beside the guilty, so that no number of them makes it malicious.
    facts = {"pulses": str(pulses), "names": _names(_at(answer, "pulse_info", "pulses"), "name")}
    return Reading("suspicious" if pulses else "unknown", str(pulses), "otx", facts, link)


def _urlhaus(one: Indicator, answer: dict[str, object]) -> Reading | None:
    status, link = _at(answer, "query_status"), SERVICES["urlhaus"].link(one)
    if status in ("no_results", "invalid_url", "invalid_host"):
        return Reading.of_nothing(link)
    if status != "ok":
        return None
    reference = _at(answer, "urlhaus_reference")
    if isinstance(reference, str) and re.fullmatch(r"https://urlhaus\.abuse\.ch/[\w./:-]{1,300}", reference, re.ASCII):
        link = reference
    if one.kind == "url":
        tags = _at(answer, "tags")
        facts = {"threat": _fact(answer, "threat"), "added": _fact(answer, "date_added"), "tags": _names(tags)}
        return Reading("malicious", _fact(answer, "url_status"), "urlhaus_url", facts, link)
    urls = _at(answer, "urls")
    online = sum(_at(url, "url_status") == "online" for url in urls) if isinstance(urls, list) else 0
    # Spamhaus marks hosts of others' files, such as GitHub, that are abused: the host is not the evil.
    abused = str(_at(answer, "blacklists", "spamhaus_dbl")).startswith("abused_legit")
    facts = {"urls": _fact(answer, "url_count"), "online": str(online), "seen": _fact(answer, "firstseen")}
    verdict = "malicious" if online and not abused else "suspicious"
    return Reading(verdict, facts["urls"], "urlhaus_host", facts, link)


def _virustotal(one: Indicator, answer: dict[str, object]) -> Reading | None:
    found = _at(answer, "data", "attributes", "last_analysis_stats")
    if not isinstance(found, dict):
        return None
    engines = {name: _number(found.get(name)) or 0 for name in (*VERDICTS[:3], "undetected")}
    if engines["malicious"] >= MALICIOUS_ENGINES:
        verdict = "malicious"
    elif engines["malicious"] or engines["suspicious"]:
        verdict = "suspicious"
    else:
        verdict = "harmless" if engines["harmless"] else "unknown"  # "undetected" is an engine without an opinion
    score = f"{engines['malicious']}/{sum(engines.values())}"
    facts = {name: str(n) for name, n in engines.items()}
    link, name = SERVICES["virustotal"].link(one), _at(answer, "data", "id")
    if one.kind == "url" and isinstance(name, str) and re.fullmatch("[0-9a-f]{64}", name):
        link = f"https://www.virustotal.com/gui/url/{name}"
    return Reading(verdict, score, "virustotal", facts, link)


def _virustotal_link(one: Indicator) -> str:
    place = {"ipv4": "ip-address", "ipv6": "ip-address", "domain": "domain", "url": "search"}.get(one.kind, "file")
    # The page takes a URL that is quoted twice, for its slashes would be taken for its own.
    return f"https://www.virustotal.com/gui/{place}/{quote(_quoted(one.value), safe='') if one.kind == 'url' else _quoted(one.value)}"


def _otx_link(one: Indicator) -> str:
    place = {"ipv4": "ip", "ipv6": "ip", "domain": _level(one)}.get(one.kind, "file")
    return f"https://otx.alienvault.com/indicator/{place}/{_quoted(one.value)}"


def _urlhaus_link(one: Indicator) -> str:
    if one.kind == "url":
        return f"https://urlhaus.abuse.ch/browse.php?search={_quoted(one.value)}"
    return f"https://urlhaus.abuse.ch/host/{_quoted(one.value)}/"


_HASHES = ("md5", "sha1", "sha256")
_CHECK = f"/check?ipAddress={{value}}&maxAgeInDays={DAYS}"
SERVICES: dict[str, Service] = {
    "abuseipdb": Service(
        "AbuseIPDB", "https://api.abuseipdb.com/api/v2", "Key", {"ipv4": _CHECK, "ipv6": _CHECK}, _abuseipdb,
        lambda one: f"https://www.abuseipdb.com/check/{_quoted(one.value)}",
    ),
    "greynoise": Service(
        "GreyNoise", "https://api.greynoise.io", "key", {"ipv4": "/v3/community/{value}"}, _greynoise,
        lambda one: f"https://viz.greynoise.io/ip/{_quoted(one.value)}", silent=True,
    ),
    "otx": Service(
        "OTX", "https://otx.alienvault.com/api/v1", "X-OTX-API-KEY",
        {"ipv4": "/indicators/IPv4/{value}/general", "ipv6": "/indicators/IPv6/{value}/general",
         "domain": "/indicators/{level}/{value}/general", **dict.fromkeys(_HASHES, "/indicators/file/{value}/general")},
        _otx, _otx_link, silent=True,
    ),
    "urlhaus": Service(
        "URLhaus", "https://urlhaus-api.abuse.ch/v1", "Auth-Key",
        {"ipv4": "/host/", "domain": "/host/", "url": "/url/"}, _urlhaus, _urlhaus_link,
        fields={"ipv4": "host", "domain": "host", "url": "url"},
    ),
    "virustotal": Service(
        "VirusTotal", "https://www.virustotal.com/api/v3", "x-apikey",
        {"ipv4": "/ip_addresses/{value}", "ipv6": "/ip_addresses/{value}", "domain": "/domains/{value}",
         "url": "/urls/{id}", **dict.fromkeys(_HASHES, "/files/{value}")},
        _virustotal, _virustotal_link, silent=True,
    ),
}  # fmt: skip


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _url_id(url: str) -> str:
    return base64.urlsafe_b64encode(url.encode("utf-8", "replace")).decode().rstrip("=")


def _level(one: Indicator) -> str:
    labels = one.value.split(".")
    below = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return "hostname" if len(labels) > below else "domain"


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _number(value: object) -> int | None:
    """Return a count, which some services write as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000_000 else None


def _short(value: object) -> str:
    text = str(value).encode("utf-8", "replace").decode()  # half a pair of UTF-16 has no place in a file
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _fact(data: object, key: str) -> str:
    value = _at(data, key)
    return _short(value) if isinstance(value, str | int) and str(value).strip() else "–"


def _names(given: object, key: str = "") -> str:
    """Return the first names of a list, of texts or of records with a name."""
    found = [_at(one, key) if key else one for one in given] if isinstance(given, list) else []
    return _short(", ".join(one for one in found[:3] if isinstance(one, str))) or "–"
