"""One line of a web server's access log → event columns: the careful way, for lines that are not plain.

Also the oracle of the fast way: on a plain line both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import cast

from socml.formats._addresses import address
from socml.formats._fields import whole
from socml.formats._reader import Parsed
from socml.formats._records import Skip, batches
from socml.formats._times import MONTHS, Clock, why_no_time

__all__ = ["access_event", "access_time", "outcome", "parse_lines"]

_HEAD = rb"(?:(?P<vhost>[^\s:\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5}) )?(?P<host>\S+) (?P<ident>\S+) (?P<user>.*?) "
_TIME = rb'\[(?P<time>[^\]]{1,40})\] (?:(?P<between>[^\s"]{1,255}) )?'
_NUMBERS = rb'" (?P<status>\d{3}|-) (?P<size>\d{1,18}|-)'
_QUOTED = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'  # possessive: no way back into it
_STRICT = re.compile(
    _HEAD
    + _TIME
    + rb'"(?P<request>'
    + _QUOTED
    + rb")"
    + _NUMBERS
    + rb'(?: "(?P<referer>'
    + _QUOTED
    + rb')" "(?P<agent>'
    rb"" + _QUOTED + rb')")?(?: (?P<rest>.+))?',
    re.DOTALL,
)
# A quote inside a field that was not escaped, as old nginx and hand-made formats write: of several places where the
# request may end it ends at the last, the referer at the first
_LOOSE_HEAD = re.compile(_HEAD + _TIME + b'"', re.DOTALL)
_LOOSE = re.compile(rb"(?P<request>.*)" + _NUMBERS + b"(?P<rest>(?: .+)?)", re.DOTALL)
_LOOSE_COMBINED = re.compile(rb"(?P<request>.*)" + _NUMBERS + b' "(?P<referer>.*)', re.DOTALL)
_STAMP = re.compile(
    r"(\d\d)/([A-Z][a-z]{2}|0[1-9]|1[0-2])/(\d{4}):(\d\d):(\d\d):(\d\d)(\.\d{1,6})?(?: ([+-])(\d\d)(\d\d))?"
)
_REQUEST = re.compile(r"([A-Za-z_-]+) (.*) HTTP/([\d.]+)", re.DOTALL)
_OLD_REQUEST = re.compile(r"([A-Z]+) (\S+)")  # HTTP/0.9 sends no version
_FORWARDED = re.compile(r'"(?P<addresses>[0-9A-Fa-f.:, ]{3,400})"(?: (?P<rest>.{1,1000}))?', re.DOTALL)
_NOBODY = ("", '""', "-")
_SERVED = re.compile(r"(?P<host>(?=[^:]{0,255}[A-Za-z])[\w-]{1,63}(?:\.[\w-]{1,63}){1,20})(?::(?P<port>\d{1,5}))?")
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def access_event(line: bytes, clock: Clock) -> dict[str, object]:
    """Return the event columns of one line.

    Raises
    ------
    ValueError
        If the line has neither the common nor the combined layout, or its time is none.
    Skip
        If it is a comment.

    Examples
    --------
    >>> line = b'web:80 ::1 - - [29/Feb/2024:13:06:56 +0100] "GET /a\\\\"b HTTP/1.1" 404 - "-" "curl"'
    >>> event = access_event(line, Clock(None, None, None))
    >>> event["url_original"], event["event_outcome"], event["host_name"], event["source_ip"]
    ('/a"b', 'failure', 'web', '::1')
    """
    if line.startswith(b"#"):
        raise Skip("comment")
    found = _fields(line)
    texts = {name: _text(value) for name, value in found.items()}
    request = texts.pop("request")
    _set_right(texts)
    _name_served(texts)
    _name_forwarded(texts)
    row: dict[str, object] = {
        "time": access_time(texts.pop("time") or "", clock),
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "network_transport": "tcp",
        "network_protocol": "http",
        "host_name": texts.pop("vhost"),
        "user_name": None if (texts["user"] or "").strip() in _NOBODY else texts["user"],
        "user_agent_original": texts.pop("agent"),
    }
    for column, field in (
        ("http_response_status_code", "status"),
        ("destination_bytes", "size"),
        ("destination_port", "port"),
    ):
        number = texts.pop(field)
        row[column] = None if number is None else whole(number, field, 65535 if field == "port" else 2**63 - 1)
    row["event_outcome"] = outcome(cast("int | None", row["http_response_status_code"]))
    row["source_ip"] = address(texts["host"])
    del texts["user"]
    if row["source_ip"]:
        del texts["host"]
    row |= _of_request(request or "", texts)
    row["extra"] = {_EXTRA_NAMES.get(name, name): text for name, text in texts.items() if text is not None}
    return row


def _of_request(request: str, texts: dict[str, str | None]) -> dict[str, object]:
    """Return method and URL, and put the version beside the other texts; what is no request is a message."""
    if parts := _REQUEST.fullmatch(request):
        method, url, texts["http_version"] = parts.groups()
    elif old := _OLD_REQUEST.fullmatch(request):
        method, url = old.groups()
    else:
        return {"message": request or None}
    return {"http_request_method": method, "url_original": url}


def parse_lines(numbered: Iterable[tuple[int, bytes]], clock: Clock) -> Iterator[Parsed]:
    """Yield what some lines hold, read one by one."""
    return batches(
        numbered, lambda line: access_event(line, clock), warnings=clock.warnings, is_certain=lambda: clock.is_certain
    )


def _name_forwarded(texts: dict[str, str | None]) -> None:
    """Name the addresses that stand in quotes behind the agent: whom proxies say they asked for. The peer stays the source."""
    found = _FORWARDED.fullmatch(texts.get("rest") or "")
    if found and all(address(one.strip()) for one in found["addresses"].split(",")):
        texts["forwarded_for"], texts["rest"] = found["addresses"], found["rest"]


def _name_served(texts: dict[str, str | None]) -> None:
    """Take the host that stands between the time and the request, where a server's own layout has it, and its port."""
    found = _SERVED.fullmatch(texts.get("between") or "") if texts["vhost"] is None else None
    if found:
        texts["vhost"], texts["port"], texts["between"] = found["host"], found["port"], None


def _set_right(texts: dict[str, str | None]) -> None:
    """Put the words before the time in their places, where a virtual host or the addresses of proxies stand among them."""
    words = [texts["host"] or "-", texts["ident"] or "-", *(texts["user"] or "-").split(" ")]
    if len(words) < 4 or address(words[0]) is not None:
        return
    last = next(
        (at for at, word in enumerate(words) if not word.endswith(",")), 0
    )  # of the addresses, which commas separate
    if 0 < last <= len(words) - 3 and address(words[0][:-1]):
        texts["forwarded_for"] = " ".join(words[1 : last + 1])
        words = [words[0][:-1], *words[last + 1 :]]
    elif address(words[1]) is not None:
        texts["vhost"] = words.pop(0)
    else:
        return
    texts["host"], texts["ident"], texts["user"] = (
        None if word == "-" else word for word in (words[0].rstrip(","), words[1], " ".join(words[2:]))
    )


_EXTRA_NAMES = {"host": "source_name"}


def outcome(status: int | None) -> str | None:
    """Return success or failure by an HTTP status."""
    return None if status is None else "success" if status < 400 else "failure"


def _fields(line: bytes) -> dict[str, bytes | None]:
    text = line[1:-1] if line.startswith(b'"') and line.endswith(b'"') else line  # quotes around the whole line
    found = _STRICT.fullmatch(text)
    fields = found.groupdict() if found else _loose_fields(text)
    if fields is None:
        raise ValueError("neither the common nor the combined layout of an access log")
    return fields


def _loose_fields(text: bytes) -> dict[str, bytes | None] | None:
    """Return the fields of a line with quotes in its fields; None if it has another layout.

    Examples
    --------
    >>> line = b'::1 - - [29/Feb/2024:13:06:56 +0100] "GET /a"b HTTP/1.1" 404 - "x"y" "say "hi""'
    >>> [(_loose_fields(line) or {})[name] for name in ("request", "referer", "agent")]
    [b'GET /a"b HTTP/1.1', b'x"y', b'say "hi"']
    """
    head = _LOOSE_HEAD.match(text)
    found = _LOOSE.fullmatch(text, head.end()) if head else None
    if head is None or found is None:
        return None
    last = text.rfind(b'"')
    if found.start("rest") > last:
        return {**head.groupdict(), **found.groupdict(), "rest": found["rest"][1:], "referer": None, "agent": None}
    after, between = text[last + 1 :], text.rfind(b'" "', 0, last)
    combined = _LOOSE_COMBINED.fullmatch(text, head.end(), between) if between > head.end() else None
    if combined is None or (after and not (after.startswith(b" ") and len(after) > 1)):
        return None
    referer, _, agent = text[combined.start("referer") : last].partition(b'" "')
    return {**head.groupdict(), **combined.groupdict(), "referer": referer, "agent": agent, "rest": after[1:]}


def _text(value: bytes | None) -> str | None:
    if value is None or value in (b"-", b""):
        return None
    if b"\\" in value:
        value = _ESCAPE.sub(_unescaped, value)
    return value.decode("utf-8", "backslashreplace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    escape = found[1]
    if len(escape) == 3:
        return bytes([int(escape[1:], 16)])
    if escape in b'"\\':
        return escape
    return _ESCAPED.get(escape, found[0])


def access_time(stamp: str, clock: Clock) -> datetime:
    """Return the time of a stamp such as 29/Feb/2024:13:06:56 +0100. Raises ValueError, in words, if it is none."""
    found = _STAMP.fullmatch(stamp)
    month = (
        (int(found[2]) if found[2].isdecimal() else MONTHS.get(found[2])) if found else None
    )  # Proxmox writes a number
    if not found or month is None:
        raise ValueError(f"{stamp[:60]!r} is not a time such as 29/Feb/2024:13:06:56 +0100")
    micros = int(float(found[7] or 0) * 1_000_000)
    numbers = [int(found[i]) for i in (3, 1, 4, 5, 6)]
    try:
        if numbers[0] < 1970 or numbers[0] >= 2100:
            raise ValueError("the year is not from 1970 to 2099")
        local = datetime(numbers[0], month, numbers[1], numbers[2], numbers[3], min(numbers[4], 59), micros)
        if not found[8]:
            return clock.in_zone(local)
        ahead = timedelta(hours=int(found[9]), minutes=int(found[10]))
        if int(found[10]) > 59:
            raise ValueError("a zone has 60 minutes an hour")
        return local.replace(tzinfo=timezone(ahead if found[8] == "+" else -ahead)).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"{stamp[:60]!r} is not a time: {why_no_time(error)}") from None
