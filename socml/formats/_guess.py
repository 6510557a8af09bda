"""The flat fields of a record of a tool that nobody knows → event columns, by what tools usually call things.

The table of names is `_field_names.toml`, in other languages `_field_names_translated.toml`. A field is looked at down to `DEEPEST` levels of nesting; what is deeper, and
all that no column takes, is kept in `extra`. Blind to what a tool calls otherwise, and to the scale of a bare number.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from socml.formats._addresses import address_and_port
from socml.formats._json import text_of
from socml.formats._other_languages import LOGON as LOGON_ELSEWHERE
from socml.formats._other_languages import unaccented
from socml.formats._times import Clock
from socml.formats._values import LEVELS, column_value, outcome_of

__all__ = ["DEEPEST", "Guess", "fields_of_columns", "flat_fields", "guessed_row", "plain_name"]

DEEPEST = 6
_MOST_NAMES = 2000  # of one record; the others are kept, and not looked at
_NAMES_FILES = tuple(Path(__file__).with_name(f"_field_names{which}.toml") for which in ("", "_translated"))
_KEPT = ("event_severity", "event_outcome")  # the tool's own word for it is kept as well
_SHARED = ("event_outcome", "network_protocol", "url_original", "message")  # may read what another column took
_WHOLE = 4  # the least length of the last part of a path that is a name by itself
_DATE_ALONE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/ ][A-Za-z]{3}[-/ ]\d{2,4}"
)
_CLOCK_ALONE = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?")
_DURATION = re.compile("dur|elapsed|uptime|dauer|temps|laps|session|total")
# Words of a name, some of them cut short; the last one or two of them may be a name by themselves, if no word before says
# that it is of something else
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WHOLE_WORDS = {
    "req": "request", "res": "response", "resp": "response", "rsp": "response", "cli": "client", "svr": "server", "srv": "server", "addr": "address",
    "src": "source", "dst": "destination", "dest": "destination", "usr": "user", "msg": "message", "evt": "event", "sev": "severity", "sec": "", "utc": "",
}  # fmt: skip
_LAST_WORDS = frozenset(
    {
        "action",
        "severity",
        "user",
        "timestamp",
        "datetime",
        "time",
        "username",
        "hostname",
        "useragent",
        "status",
        "method",
    }
)
_OF_OTHERS = frozenset(
    "upstream backend proxy nat post previous prev old new parent expiry expire expires expiration birth target response process end last next "
    "max min total not valid before after until initiating local server host agent observer node listener".split()
)
_NEUTRAL = frozenset("log event evt audit".split())  # before a name that means the same without them
_ENVELOPE = "attributes"  # of JSON:API, which puts all fields of a record under it
_OF_ITSELF = frozenset("host agent observer node local listener beat".split())  # whose own address is no peer's
_SIGNED = {"@t": "timestamp", "@m": "message", "@mt": "message", "@l": "level"}  # of Serilog's compact form
_BARE_VOLUMES = frozenset({"bytes", "octets", "packets", "pkts"})
_REQUEST_NAMES = frozenset({"request", "requestline", "httprequest", "req", "requestfirstline", "httprequestline"})
_REQUEST = re.compile(r"(?P<method>[A-Z]{3,10}) (?P<url>[^ \"]{1,4000})(?: HTTP/[\d.]{1,3})?")
_OFFSET = re.compile(r"[+-]\d\d:?\d\d")
_LOGON = ("login", "logon", "signin", "authenticat", "password", "session.start", "mfa", "log-in", "sign-in")


def plain_name(name: str) -> str:
    """Return a field's name without capitals, signs and accents.

    Examples
    --------
    >>> plain_name("srcIp"), plain_name("id.orig_h"), plain_name("@timestamp"), plain_name("Octets envoyés")
    ('srcip', 'idorigh', 'timestamp', 'octetsenvoyes')
    """
    return "".join(character for character in unaccented(name.lower()) if character.isalnum())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in _NAMES_FILES]
    return {column: tuple(dict.fromkeys(n for table in tables for n in table.get(column, ()))) for column in tables[0]}


def flat_fields(found: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of nested objects under dotted names; of a list of objects, the first under `name.0`.

    Examples
    --------
    >>> flat_fields({"a": {"b": 1}, "list": [{"c": 2}, {"c": 3}], "texts": ["x"]})
    {'a.b': 1, 'list.0.c': 2, 'list.1.c': 3, 'texts': ['x']}
    """
    flat: dict[str, object] = {}
    _flatten(found, "", 1, flat)
    return flat


def _flatten(found: Mapping[str, object], prefix: str, depth: int, flat: dict[str, object]) -> None:
    for name, value in found.items():
        if isinstance(value, dict) and value and depth < DEEPEST:
            _flatten(value, f"{prefix}{name}.", depth + 1, flat)
        elif isinstance(value, list) and value and depth < DEEPEST and all(isinstance(v, dict) for v in value):
            for number, one in enumerate(value[:20]):
                _flatten(one, f"{prefix}{name}.{number}.", depth + 1, flat)
            if len(value) > 20:
                flat[f"{prefix}{name}"] = value[20:]
        else:
            flat[prefix + name] = value


@dataclass(frozen=True)
class Guess:
    """Which fields of a record may fill which columns, the likeliest first: (field, its plain name)."""

    columns: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    requests: tuple[str, ...] = ()  # fields that may hold a request as a client wrote it


@lru_cache(maxsize=2048)
def guess(names: tuple[str, ...]) -> Guess:
    """Return which of these fields may fill which columns."""
    by_end: dict[str, list[tuple[int, str]]] = {}
    for name in names[:_MOST_NAMES]:
        for end, skipped in _ends(name):
            by_end.setdefault(end, []).append((skipped, name))
    columns: dict[str, tuple[tuple[str, str], ...]] = {}
    for column, known in _table().items():
        found: dict[str, tuple[int, int, str]] = {}
        for rank, name in enumerate(known):
            for skipped, own in by_end.get(name, ()):
                if (
                    skipped == 1
                    and len(name) < _WHOLE
                    and name not in ("ip", "src", "dst", "url", "uri", "pid", "sha", "md5", "cmd", "exe", "msg")
                ):
                    continue
                found[own] = min(found.get(own, (1000, 0, "")), (rank + 100 * skipped, rank, name))
        ordered = sorted(found.items(), key=lambda item: item[1])
        if ordered:
            columns[column] = tuple((own, name) for own, (_, _, name) in ordered)
    return Guess(columns, tuple(name for name in names[:_MOST_NAMES] if plain_name(name) in _REQUEST_NAMES))


@lru_cache(maxsize=8192)
def _ends(name: str) -> tuple[tuple[str, int], ...]:
    """Return what a field may be known by: its path and the ends of that, then its words and the ends of those.

    With each, how far it is from the whole name: 0, 1 for the end of a path, 2 for the end of a name.

    Examples
    --------
    >>> list(_ends("req.cliIP"))
    [('reqcliip', 0), ('cliip', 1), ('requestclientip', 0), ('clientip', 1)]
    >>> [end for end, _ in _ends("upstream_remote_address")], [end for end, _ in _ends("downstream_remote_address")]
    (['upstreamremoteaddress'], ['downstreamremoteaddress', 'remoteaddress'])
    """
    return tuple(_each_end(name))


def _each_end(name: str) -> Iterator[tuple[str, int]]:
    if name in _SIGNED:
        yield _SIGNED[name], 0
    parts = [part for part in name.replace("/", ".").split(".") if part and not part.isdigit()]
    if len(parts) > 1 and _ENVELOPE in parts[:-1]:
        parts = [part for part in parts if part != _ENVELOPE]
    given = set[str]()
    for skipped in range(len(parts)):
        end = plain_name("".join(parts[skipped:]))
        of_itself = skipped and end in ("ip", "address", "addr", "port") and parts[skipped - 1].lower() in _OF_ITSELF
        given.add(end)
        if end and not of_itself:
            yield end, min(skipped, 1)
    words = [_WHOLE_WORDS.get(word.lower(), word.lower()) for word in _WORD.findall(parts[-1])] if parts else []
    path = "".join(_WHOLE_WORDS.get(part.lower(), plain_name(part)) for part in parts[:-1])
    whole = "".join(words)
    for end, skipped in ((path + whole, 0), (whole, min(len(parts) - 1, 1))):
        if end and end not in given:
            given.add(end)
            yield end, skipped
    for end in _last_words(words):
        if end not in given:
            yield end, 2


def _last_words(words: list[str]) -> Iterator[str]:
    """Yield the ends of a name of several words that are names by themselves, if no word before says that it is of another."""
    if len(words) == 2 and words[0] in _NEUTRAL and words[1] not in ("name", "type", "id", "source"):
        yield words[1]
    if len(words) > 1 and words[0] in ("date", "time", "datetime", "timestamp"):
        yield "time"  # as in "Date Accessed"
    for skipped in range(1, len(words)):
        end = "".join(words[skipped:])
        if words[skipped - 1] in _OF_OTHERS and end not in ("hostname", "computername"):
            return
        if len(words) - skipped > 1 or end in _LAST_WORDS:
            yield end


def guessed_row(found: Mapping[str, object], clock: Clock) -> tuple[dict[str, object], dict[str, str]]:
    """Return the columns of a record, with what is left as `extra`; and the field that each column was taken from.

    Examples
    --------
    >>> row, taken = guessed_row({"ts": "2026-03-02T10:00:00Z", "srcIp": "192.0.2.1", "lvl": "eror", "n": 1}, Clock(None, None, None))
    >>> row["source_ip"], row["event_severity"], row["extra"], taken
    ('192.0.2.1', 60, {'lvl': 'eror', 'n': '1'}, {'time': 'ts', 'source_ip': 'srcIp', 'event_severity': 'lvl'})
    """
    row: dict[str, object] = {}
    taken: dict[str, str] = {}
    used: set[str] = set()
    for column, candidates in guess(tuple(found)).columns.items():
        if column == "time" and (joined := _date_and_clock(found, candidates, clock)):
            row["time"], taken["time"], clock_name = joined
            used |= {taken["time"], clock_name}
            continue
        for name, plain in candidates if column != "event_severity" else _default_last(candidates, found):
            if name in used and column not in _SHARED:
                continue
            value: object = _zoned_time(found, name, clock) if column == "time" else None
            value = value or column_value(column, found[name], plain, clock)
            if value is not None:
                row[column], taken[column] = value, name
                if column not in _SHARED or column == "message":
                    used.add(name)
                break
    _ports(row, taken, found)
    _volume(row, taken, used)
    _agree(row, taken, used)
    _request_line(row, found)
    if "event_outcome" not in row and (outcome := _outcome_of_kinds(found)):
        row["event_outcome"] = outcome
    row |= {name: value for name, value in _meaning(row).items() if value is not None}
    left = [name for name in found if name not in used or _is_kept(name, taken)]
    row["extra"] = {name: text for name in left if (text := text_of(found[name])) not in (None, "")}
    return row, taken


def _default_last(candidates: Sequence[tuple[str, str]], found: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the fields that may tell how bad something is; one that is called DEFAULT, which says nothing, after the others."""
    return sorted(candidates, key=lambda one: found[one[0]] == "DEFAULT")


def _date_and_clock(
    found: Mapping[str, object], candidates: Sequence[tuple[str, str]], clock: Clock
) -> tuple[datetime, str, str] | None:
    """Return the time that two fields say together, one the date and one the clock, with their names; None if none do."""
    texts = [(name, str(found[name])) for name, _ in candidates if isinstance(found[name], str)]
    date = next((one for one in texts if _DATE_ALONE.fullmatch(one[1])), None)
    if date is None:
        return None
    clock_time = next((one for one in texts if _CLOCK_ALONE.fullmatch(one[1])), None) or _only_clock(found)
    if clock_time is None:
        return None
    text = f"{date[1]} {clock_time[1]}{_zone(found)}"
    when = column_value("time", text, "time", clock)
    return (when, date[0], clock_time[0]) if isinstance(when, datetime) else None


def _zone(found: Mapping[str, object]) -> str:
    """Return the offset that a record's own field gives, as firewalls do; empty if none does."""
    zone = next((str(found[name]) for name in ("tz", "timezone", "zone") if name in found), "")
    return zone if _OFFSET.fullmatch(zone) else ""


def _zoned_time(found: Mapping[str, object], name: str, clock: Clock) -> datetime | None:
    """Return the time of a field that names no zone where another field does; None if the record is not so."""
    text, zone = found[name], _zone(found)
    if not zone or not isinstance(text, str) or ":" not in text:
        return None
    when = column_value("time", f"{text}{zone}", "time", clock)
    return when if isinstance(when, datetime) else None


def _only_clock(found: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the one field that reads as a time of day, whatever it is called; a midnight would be invented otherwise."""
    clocks = [
        (name, value)
        for name, value in found.items()
        if isinstance(value, str) and _CLOCK_ALONE.fullmatch(value) and not _DURATION.search(plain_name(name))
    ]
    return clocks[0] if len(clocks) == 1 else None


def _is_kept(name: str, taken: Mapping[str, str]) -> bool:
    return any(taken.get(column) == name for column in _KEPT) and not any(
        own == name and column not in _KEPT for column, own in taken.items()
    )


def _ports(row: dict[str, object], taken: Mapping[str, str], found: Mapping[str, object]) -> None:
    """Take ports that stand behind addresses."""
    for side in ("source", "destination"):
        ip = taken.get(f"{side}_ip")
        if ip and f"{side}_port" not in row:
            names = [ip, *(name for name, _ in guess(tuple(found)).columns[f"{side}_ip"])]
            ends = (address_and_port(text_of(found[name])) for name in names if isinstance(found[name], str))
            port = next((port for address, port in ends if port is not None and address == row[f"{side}_ip"]), None)
            if port is not None:
                row[f"{side}_port"] = port


def _volume(row: dict[str, object], taken: dict[str, str], used: set[str]) -> None:
    """Keep what is only called bytes or packets where a flow of one direction counts it: of a request, or of both, it is not the source's."""
    for column in ("source_bytes", "source_packets"):
        name = taken.get(column, "")
        is_bare = plain_name(name) in _BARE_VOLUMES
        if is_bare and ("destination_ip" not in row or "http_request_method" in row or "destination_bytes" in row):
            row.pop(column)
            used.discard(taken.pop(column))


def _request_line(row: dict[str, object], found: Mapping[str, object]) -> None:
    """Take method and URL of a request that a field holds as the client wrote it: `GET /x HTTP/1.1`."""
    if "http_request_method" in row:
        return
    for name in guess(tuple(found)).requests:
        value = found[name]
        if isinstance(value, str) and (line := _REQUEST.fullmatch(value)):
            row["http_request_method"] = line["method"]
            row.setdefault("url_original", line["url"])
            return


def _outcome_of_kinds(found: Mapping[str, object]) -> str | None:
    """Return the outcome that a record's kinds tell, whichever of them is its action."""
    for name, _ in guess(tuple(found)).columns.get("event_action", ()):
        value = found[name]
        if isinstance(value, str) and len(value) <= 100 and (outcome := _outcome_of_kind(value)):
            return outcome
    return None


@lru_cache(maxsize=4096)
def _outcome_of_kind(word: str) -> str | None:
    return None if word.lower() in LEVELS else outcome_of(word)


def _agree(row: dict[str, object], taken: dict[str, str], used: set[str]) -> None:
    """Let go of what another column has already, and of paths and URLs that are not both."""
    if row.get("url_original") is not None and taken["url_original"] in (taken.get("file_path"), taken.get("message")):
        is_web = "http_request_method" in row or "http_response_status_code" in row or "://" in str(row["url_original"])
        loser = "file_path" if is_web and taken.get("file_path") == taken["url_original"] else "url_original"
        row.pop(loser, None)
        taken.pop(loser, None)
    elif "url_original" in row:
        used.add(taken["url_original"])
    if taken.get("network_protocol") == taken.get("network_transport"):
        row.pop("network_protocol", None)
        taken.pop("network_protocol", None)
    elif "network_protocol" in taken:
        used.add(taken["network_protocol"])
    if row.get("message") is not None and taken["message"] in [
        o for c, o in taken.items() if c not in ("message", *_KEPT)
    ]:
        row.pop("message")
        taken.pop("message")
    if row.get("target_user_name") is not None and row.get("user_name") is None:
        row["user_name"] = row["target_user_name"]


def _meaning(row: Mapping[str, object]) -> dict[str, object]:
    """Return what follows from a record's columns: its outcome by its status or words, and its kind."""
    more: dict[str, object] = {}
    words = " ".join(str(row.get(name) or "") for name in ("event_action", "message"))[:400].lower()
    outcome = row.get("event_outcome")
    if outcome is None:
        outcome = _outcome_of_words(row)
        more["event_outcome"] = outcome
    is_logon = (any(word in words for word in _LOGON) or LOGON_ELSEWHERE.search(unaccented(words))) and not any(
        word in words for word in ("logging", "logout", "log out")
    )
    if is_logon and (row.get("user_name") or row.get("source_ip")):
        more |= {"class_uid": 3002, "event_category": "authentication"}
    elif row.get("http_request_method") and (row.get("url_original") or row.get("http_response_status_code")):
        more |= {"class_uid": 4002, "event_category": "web"}
    elif row.get("dns_question_name") and (row.get("dns_question_type") or row.get("dns_response_code")):
        more |= {"class_uid": 4003, "event_category": "network"}
    elif row.get("process_command_line") and row.get("process_name"):
        more |= {"class_uid": 1007, "event_category": "process"}
    elif row.get("rule_name") or row.get("threat_name"):
        more |= {"class_uid": 2004, "event_category": "intrusion_detection"}
    elif row.get("source_ip") and row.get("destination_ip"):
        more |= {"class_uid": 4001, "event_category": "network"}
    else:
        more["event_category"] = "host"
    return more


def _outcome_of_words(row: Mapping[str, object]) -> str | None:
    for name in ("http_response_status_code", "event_action", "message"):
        if row.get(name) is not None and (outcome := outcome_of(row[name])):
            return outcome
    return None


def fields_of_columns(records: Sequence[Mapping[str, object]], clock: Clock) -> dict[str, list[str]]:
    """Return for each column the fields that filled it in some records, the most frequent first."""
    counts: dict[str, dict[str, int]] = {}
    for record in records:
        for column, name in guessed_row(record, clock)[1].items():
            of_column = counts.setdefault(column, {})
            of_column[name] = of_column.get(name, 0) + 1
    return {column: sorted(names, key=lambda name: -names[name]) for column, names in counts.items()}
