"""Columns without names → what they are, told by their values: for logs that a proxy or a firewall writes as bare columns.

Only what its values leave no doubt of is named: a time, addresses (the source's stands first) with the ports behind them, a
method, a URL, a request, a status, a level, what was decided, a question of the DNS, an account with its domain, or bare ones if one
that every system has (root) is among them. A column whose cells all name it (`User: bob`) has that name. Of three addresses side
by side the middle one is what the source's is seen as outside. Blind to other users, hosts and counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from socml.formats._addresses import address_and_port
from socml.formats._field_names import guess
from socml.formats._protocols import TRANSPORTS
from socml.formats._stamps import time_of
from socml.formats._times import Clock
from socml.formats._values import LEVELS, RCODES, outcome_of

__all__ = ["told_names"]

_SAMPLE = 100  # rows
_SENTENCE = 3  # words of a cell that is a message, on the average
_TIME = re.compile(
    r".{0,5}\d{1,4}[-/. ](?:\d{1,2}|[A-Z][a-z]{2})[-/. ]\d{1,4}.{0,40}|1\d{9}(?:\.\d{1,9})?|1\d{12}|(?:19|20)\d{12}|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d.{0,20}"
)
_CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?")
_DATE = re.compile(r"\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_METHOD = re.compile(r"GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND")
_STATUS = re.compile(r"[1-5]\d\d")
_ANSWER = re.compile(r"^[1-5]\d\d (?=[A-Z])")  # before its words, as of SIP: `401 Unauthorized`
_REQUEST = re.compile(r"\"?(?:" + _METHOD.pattern + r") [^\s\"]{1,4000} HTTP/[\d.]{1,3}\"?")
_URL = re.compile(r"(?:/|https?://)\S{0,4000}")
_AGENT = re.compile(r"[A-Za-z][\w.-]{1,40}/\d.{0,2000}")
_PORT = re.compile(r"\d{1,5}")
_LABEL = re.compile(r"[A-Za-z][A-Za-z _-]{1,30}")
_LEAST_LABELS = 3
_NAMED = re.compile(r"(?P<name>[^\W\d_][\w -]{0,39}): (?= {0,4}\S)")
_BARE_ACCOUNT = re.compile(r"[A-Za-z_][\w.$-]{0,63}")
_ACCOUNTS = frozenset("root admin administrator administrateur anonymous guest nobody postgres sa".split())
_QUESTION = re.compile(r"(?:[\w*-]{1,63}\.){1,20}(?:[A-Za-z][\w-]{1,62}\.?)?")
_QUESTION_TYPE = re.compile(r"\d{1,5} \([A-Z][A-Z0-9]{0,9}\)|A|AAAA|CNAME|MX|NS|PTR|SOA|SRV|TXT|HTTPS|SVCB")
_CLOCK_OF_SAMPLE = Clock(None, 2000, None)


def told_names(cells: Mapping[str, pa.Array]) -> dict[str, str]:
    """Return a name for each column whose values tell it; with a colon, what stands before each of them.

    Examples
    --------
    >>> told_names({"column_1": pa.array(["2026-03-02T10:00:00Z"]), "column_2": pa.array(["192.0.2.1"]), "column_3": pa.array(["7"])})
    {'column_1': 'timestamp', 'column_2': 'source_ip'}
    >>> told_names({"column_1": pa.array(["User: bob", "User: ann"]), "column_2": pa.array(["root", "bob"])})
    {'column_2': 'user_name', 'column_1': 'User:'}
    """
    samples = {
        name: [text for text in values.slice(0, _SAMPLE).to_pylist() if text is not None]
        for name, values in cells.items()
    }
    names = _labelled(samples)
    free = {kind: fits for kind, fits in _KINDS.items() if kind not in names.values()}
    told = {kind for kind in (*_OF_WEB, *_OF_DNS) if any(t and all(map(free[kind], t)) for t in samples.values())}
    is_web, is_dns = not told.isdisjoint(_OF_WEB), told >= set(_OF_DNS)
    for name, texts in samples.items():
        if name in names:
            continue
        kind = next((kind for kind, fits in free.items() if texts and all(map(fits, texts))), None)
        if (kind in ("status_code", "url", "user_agent") and not is_web) or (kind in _OF_DNS and not is_dns):
            kind = None
        if kind is not None:
            names[name] = kind
            del free[kind]
    _name_last(list(cells), samples, names, is_dns=is_dns)
    _name_ports(list(cells), samples, names)
    if "user_name" not in names.values():
        bare = next((name for name, texts in samples.items() if name not in names and _are_accounts(texts)), "")
        names |= {bare: "user_name"} if bare else {}
    if text := _prose(samples, names):
        names[text] = "message"
    names |= {name: front for name, texts in samples.items() if name not in names and (front := _front(texts))}
    if "date" in names.values() and "time" not in names.values():
        names = {name: "timestamp" if kind == "date" else kind for name, kind in names.items()}
    return names


def _labelled(samples: Mapping[str, list[str]]) -> dict[str, str]:
    """Return names for columns that the column before each tells, the same in all rows: `user,bob,ip,192.0.2.7`.

    Examples
    --------
    >>> _labelled({str(n): [name] * 2 for n, name in enumerate(("time", "2026-03-02", "user", "bob", "ip", "192.0.2.7"))})
    {'1': 'time', '3': 'user', '5': 'ip'}
    """
    columns = list(samples.items())
    first = next((at for at, (_, texts) in enumerate(columns) if _label(texts)), len(columns))
    labels = [_label(texts) for _, texts in columns[first::2]]
    told = {name: label for label, (name, _) in zip(labels, columns[first + 1 :: 2], strict=False)}
    are_alternate = all(labels) and not any(_label(texts) for _, texts in columns[first + 1 :: 2])
    return told if are_alternate and len(set(labels)) == len(told) >= _LEAST_LABELS else {}


def _label(texts: Sequence[str]) -> str:
    """Return the known name that all cells of a column are; nothing if they are none."""
    is_one = len(texts) > 1 and len(set(texts)) == 1 and _LABEL.fullmatch(texts[0]) is not None
    return texts[0] if is_one and guess((texts[0],)).columns else ""


def _are_accounts(texts: Sequence[str]) -> bool:
    """Return whether words are accounts: one that every system has is among them, and all may be."""
    return any(text.lower() in _ACCOUNTS for text in texts) and all(map(_BARE_ACCOUNT.fullmatch, texts))


def _front(texts: Sequence[str]) -> str:
    """Return the name that all of some cells begin with, and its colon; empty if they have none in common."""
    found = _NAMED.match(texts[0]) if texts else None
    front = f"{found['name']}:" if found else ""
    return front if front and all(text.startswith(front) for text in texts) else ""


def _name_last(
    columns: Sequence[str], samples: Mapping[str, list[str]], names: dict[str, str], *, is_dns: bool
) -> None:
    """Let the last of three addresses side by side be the destination's; a question of the DNS, beside its client's two, has none."""
    at = {kind: columns.index(name) for name, kind in names.items()}
    place = at.get("destination_ip")
    if place is None or place != at["source_ip"] + 1:
        return
    after = columns[place + 1] if place + 1 < len(columns) else ""
    is_third = after not in names and bool(samples.get(after)) and all(map(_is_address, samples[after]))
    if is_third or is_dns:
        del names[columns[place]]
    if is_third:
        names[after] = "destination_ip"


def _name_ports(columns: Sequence[str], samples: Mapping[str, list[str]], names: dict[str, str]) -> None:
    """Name the columns of ports: each behind its address, or both behind both."""
    at = {kind: columns.index(name) for name, kind in names.items()}
    source, destination = at.get("source_ip"), at.get("destination_ip")
    if source is None or destination is None:
        return
    gap = 1 if destination == source + 2 else 2 if destination == source + 1 else 0
    for place, kind in ((source + gap, "source_port"), (destination + gap, "destination_port")):
        if gap and place < len(columns) and columns[place] not in names and all(map(_is_port, samples[columns[place]])):
            names[columns[place]] = kind


def _prose(samples: Mapping[str, list[str]], names: Mapping[str, str]) -> str:
    """Return the column of the most words, where they are sentences; empty if none is."""
    words = {
        name: sum(len(text.split()) for text in texts) / len(texts)
        for name, texts in samples.items()
        if texts and name not in names
    }
    longest = max(words, key=lambda name: words[name], default="")
    return longest if words.get(longest, 0) >= _SENTENCE else ""


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text) or _DATE.fullmatch(text):
        return False
    try:
        return time_of(text, _CLOCK_OF_SAMPLE) is not None
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    return address_and_port(text.partition(",")[0])[0] is not None  # perhaps with the proxies that it came by


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) <= 65535


def _fits(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_OF_WEB = ("method", "request")
_OF_DNS = ("qname", "qtype", "rcode")
_KINDS: dict[str, Callable[[str], bool]] = {
    "timestamp": _is_time,
    "date": _fits(_DATE),
    "time": _fits(_CLOCK),
    "source_ip": _is_address,
    "destination_ip": _is_address,
    "user_name": _fits(
        re.compile(
            r"[A-Za-z][\w.-]{0,31}\\[\w.$-]{1,64}|(?:[^()@]{1,80} \()?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}\)?"
        )
    ),
    "rcode": lambda text: text.upper() in RCODES,
    "qtype": _fits(_QUESTION_TYPE),
    "qname": _fits(_QUESTION),
    "method": _fits(_METHOD),
    "request": _fits(_REQUEST),
    "url": _fits(_URL),
    "status_code": _fits(_STATUS),
    "transport": lambda text: text.lower() in TRANSPORTS.values(),
    "level": lambda text: text.lower() in LEVELS,
    "action": lambda text: (
        _ANSWER.sub("", text).replace(" ", "").replace("_", "").isalpha()
        and text.count(" ") < _SENTENCE
        and outcome_of(text) is not None
    ),
    "user_agent": _fits(_AGENT),
}
