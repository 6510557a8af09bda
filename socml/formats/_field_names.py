"""What the fields of a record are called → the columns that each may fill, by what tools usually call things.

The table of names is `_field_names.toml`, in other languages `_field_names_translated.toml`. A field is looked at down to `DEEPEST` levels of nesting.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from socml.formats._other_languages import unaccented
from socml.formats._remembered import LONGEST

__all__ = ["DEEPEST", "Guess", "flat_fields", "guess", "is_translated", "plain_name"]

DEEPEST = 6
_MOST_NAMES = 2000  # of one record; the others are kept, and not looked at
_KEPT_CHARACTERS = 10_000  # of the names of one record; what is guessed of more is not kept for the next
_NAMES_FILES = tuple(Path(__file__).with_name(f"_field_names{which}.toml") for which in ("", "_translated"))
_WHOLE = 4  # the least length of the last part of a path that is a name by itself
_SHORT = frozenset(
    "ip ts tm who src dst spt dpt url uri pid sha md5 cmd exe msg ok res".split()
)  # that are names though they are shorter
# Words of a name, some of them cut short; the last one or two of them may be a name by themselves, if no word before says
# that it is of something else
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ACCENTED_WORD = re.compile(r"[^\W\d_]+")
_WHOLE_WORDS = {
    "req": "request", "res": "response", "resp": "response", "rsp": "response", "cli": "client", "svr": "server", "srv": "server", "sv": "server", "cl": "client", "nm": "name", "prt": "port", "addr": "address",
    "src": "source", "dst": "destination", "dest": "destination", "acct": "account", "num": "number", "raddr": "remoteaddress", "laddr": "localaddress", "usr": "user", "msg": "message", "evt": "event", "sev": "severity", "sec": "", "utc": "",
}  # fmt: skip
_LAST_WORDS = frozenset(
    "action severity user timestamp datetime time ts username hostname useragent status method description message result outcome verdict decision moment upn client".split()
)
_OF_OTHERS = frozenset(
    "upstream backend proxy nat post previous prev old new parent expiry expire expires expiration birth target response process end last next "
    "max min total not valid before after until initiating local server host agent observer node listener".split()
)
# A time with what it is of, in other languages: `Hora de finalización`, `Heure de fin`, `Erstellungszeit`
_TIMES_ELSEWHERE = re.compile(
    r"(?:heures?|date|horodatage|hora|fecha|ora|orario|datum|zeit(?:punkt|stempel)?|uhrzeit|tijd(?:stip)?|tidspunkt|dato)"
    r" (?:et heure |y hora |e ora |und uhrzeit )?(?:de|du|d|des|del|dell|della|di|da|do|der|die|des|van|for)\b"
    r"|data (?:e (?:ora|hora) )?(?:di|da|do|de|della|del|dell)\b|(?:czas|cas|время|дата)\b|.{0,30}(?:zeitpunkt|zeitstempel|tidspunkt|tijdstip|zamani|tarihi|aika|时间|時間|日時|時刻|시간|일시)$"
)
# What lies in the past or the future of an event: a birth, the end of a licence
_OF_NO_EVENT = re.compile(
    "birth|expir|naissance|nacimiento|nascita|nascimento|geburt|geboorte|caducidad|vencimiento|vencimento|scadenza|ablauf|verval"
)
# The first word of a name in a language that says of what it is behind: `Résultat de l'authentification`
_HEADS = frozenset(
    "resultat resultado risultato esito ergebnis statut status estado stato gravite gravedad gravita gravidade severite severidad accion azione acao "
    "debut inicio inizio beginn".split()
)
# A first or last word that adds nothing: `Nom du poste`, `Compte utilisateur`, `Utilisateur connecté`
_NAMING = frozenset("nom nombre nome naam compte cuenta conta".split())
_QUALIFYING = frozenset(
    "connecte connectee concerne concernee affecte affectee effectue effectuee conectado conectada afectado afectada realizada "
    "connesso connessa interessato interessata eseguita conectado afetado afetada publique publica pubblico pubblica "
    "angemeldeter angemeldete betroffener betroffene betroffenes offentliche".split()
)
_SMALL = frozenset("de du d des del dell della di da do dos das der die le la l les el van het".split())
_UNITS = frozenset(
    "usecs usec msecs msec millis micros nanos millisecond milliseconds microseconds nanoseconds".split()
)
_SIDES = ("source", "destination")
# Whose address and port a name tells that begins so
_SIDES_OF = {
    **dict.fromkeys(
        "source client caller calling actor requester requestor requesting connecting performer initiator initiating originator originating attacker offender intruder "
        "customer visitor subscriber guest sender".split(),
        "source",
    ),
    **dict.fromkeys(
        "destination server victim target receiving responder responding answering callee called".split(), "destination"
    ),
}
_ENDS_OF_SIDES = {"ip": "ip", "ips": "ip", "address": "ip", "addresses": "ip", "port": "port"}
_NO_ENDS = frozenset(
    "translated xlate xlated mapped nat proxy upstream backend post previous prev old new next parent original geo mac subnet zone".split()
)
_NEUTRAL = frozenset("log event evt audit".split())  # before a name that means the same without them
_ENVELOPE = "attributes"  # of JSON:API, which puts all fields of a record under it
_OF_ITSELF = frozenset("host agent observer node local listener beat".split())  # whose own address is no peer's
# Names that say what happened only of a record itself, or within what says that it is of the event: not a container's name
_WEAK_ACTIONS = frozenset("name type kind category subtype task op".split())
_OF_EVENTS = re.compile(
    r"^api$|event|action|activit|operation|audit|alert|type|kind|categor|verb|task|data|detail|propert|payload|record|log|message|msg|body|fields|columns|result|info|request|params|finding|threat|detect|signature|rule"
)
_OBJECTS = frozenset("resource object target targets affected changes destination".split())  # whom something is done to
_OF_OTHER_STATUS = re.compile(r"(?i)smtp|grpc|exit")
_NOT_PROCESSES = frozenset("parent model policy project product".split())  # whose `pid` is a number of something else
_BESIDE = frozenset("decorations annotations labels tags metadata".split())  # what is kept beside a record: asked last
_NAMED_VALUES = (
    ("@Name", "#text"),
    ("name", "value"),
    ("Name", "Value"),
    ("key", "value"),
    ("Key", "Value"),
    ("k", "v"),
)
# What MongoDB, DynamoDB, Avro and OpenTelemetry wrap a value in
_TYPES = frozenset(
    "$date $numberLong $numberInt $numberDouble S N BOOL string long int boolean double stringValue intValue boolValue doubleValue".split()
)
_UNIT = re.compile(r"(?<=\w)\s{1,3}[\[(][^\[\]()]{1,20}[\])]$")
_SIGNED = {"@t": "timestamp", "@m": "message", "@mt": "message", "@l": "level"}  # of Serilog's compact form
_REQUEST_NAMES = frozenset({"request", "requestline", "httprequest", "req", "requestfirstline", "httprequestline"})


def plain_name(name: str) -> str:
    """Return a field's name without capitals, signs and accents.

    Examples
    --------
    >>> plain_name("srcIp"), plain_name("id.orig_h"), plain_name("@timestamp"), plain_name("Octets envoyés")
    ('srcip', 'idorigh', 'timestamp', 'octetsenvoyes')
    """
    return "".join(character for character in unaccented(name.lower()) if character.isalnum())


def is_translated(names: Iterable[str]) -> bool:
    """Return whether fields are named in another language than English: two of their names at least are known in it alone.

    Examples
    --------
    >>> is_translated(["Niveau", "Date et heure", "Source"]), is_translated(["Level", "Date and Time", "Source"])
    (True, False)
    """
    return len(_translated_alone() & {plain_name(name) for name in names if len(name) <= LONGEST}) > 1


@cache
def _translated_alone() -> frozenset[str]:
    english, translated = (
        {name for several in tomllib.loads(path.read_text(encoding="utf-8")).values() for name in several}
        for path in _NAMES_FILES
    )
    return frozenset(translated - english)


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
            if named := _named_values(value):
                flat |= {f"{prefix}{name}.{own}": text for own, text in named.items()}
                continue
            for number, one in enumerate(value[:20]):
                _flatten(one, f"{prefix}{name}.{number}.", depth + 1, flat)
            if len(value) > 20:
                flat[f"{prefix}{name}"] = value[20:]
        else:
            flat[prefix + name] = value


def _named_values(objects: list[dict[str, object]]) -> dict[str, object]:
    """Return name → value where each object is of those two, as converters write XML's <Data Name="x">y</Data>; nothing else.

    Examples
    --------
    >>> _named_values([{"name": "user", "value": "bob"}]), _named_values([{"name": "user", "id": 7}])
    ({'user': 'bob'}, {})
    """
    for name, value in _NAMED_VALUES:
        if all(one.keys() == {name, value} and isinstance(one[name], str) for one in objects):
            named = {str(one[name]): one[value] for one in objects}
            return named if len(named) == len(objects) else {}
    return {}


@dataclass(frozen=True)
class Guess:
    """Which fields of a record may fill which columns, the likeliest first: (field, its plain name)."""

    columns: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    requests: tuple[str, ...] = ()  # fields that may hold a request as a client wrote it


def guess(names: tuple[str, ...]) -> Guess:
    """Return which of these fields may fill which columns."""
    return _kept_guess(names) if sum(map(len, names)) <= _KEPT_CHARACTERS else _guess(names)


def _guess(names: tuple[str, ...]) -> Guess:
    looked_at = [name for name in names[:_MOST_NAMES] if len(name) <= LONGEST]
    by_end: dict[str, list[tuple[int, str]]] = {}
    for name in looked_at:
        for end, skipped in _ends(name):
            by_end.setdefault(end, []).append((skipped, name))
    columns: dict[str, tuple[tuple[str, str], ...]] = {}
    for column, known in _table().items():
        found: dict[str, tuple[int, int, str]] = {}
        for rank, name in enumerate(known):
            for skipped, own in by_end.get(name, ()):
                if skipped == 1 and len(name) < _WHOLE and name not in _SHORT:
                    continue
                if skipped and (_is_of_other_end(column, own) or _is_of_a_part(column, own, name)):
                    continue
                far = 3 if name == "accountname" and "accountid" in by_end else skipped  # perhaps a customer's
                outermost = own.partition(".")[0].lower()
                far += 2 * (outermost in _BESIDE or (column == "user_name" and outermost in _OBJECTS))
                found[own] = min(found.get(own, (1000, 0, "")), (rank + 100 * far, rank, name))
        ordered = sorted(found.items(), key=lambda item: item[1])
        if ordered:
            columns[column] = tuple((own, name) for own, (_, _, name) in ordered)
    return Guess(columns, tuple(name for name in looked_at if plain_name(name) in _REQUEST_NAMES))


_kept_guess = lru_cache(maxsize=2048)(_guess)


@lru_cache(maxsize=8192)
def _is_of_other_end(column: str, name: str) -> bool:
    """Return whether a field's name says that it is of the other end of a connection than the column.

    Examples
    --------
    >>> _is_of_other_end("source_ip", "destination.public_ip"), _is_of_other_end("source_ip", "_source.client.ip")
    (True, False)
    """
    of = column.partition("_")[0]
    words = (_WHOLE_WORDS.get(word.lower(), word.lower()) for word in _WORD.findall(name))
    sides = [word for word in words if word in _SIDES]
    return of in _SIDES and bool(sides) and sides[-1] != of


@lru_cache(maxsize=8192)
def _is_of_a_part(column: str, name: str, end: str) -> bool:
    """Return whether a field's path says that its last name is of a part of the record, not of what happened.

    Examples
    --------
    >>> [_is_of_a_part("event_action", name, "name") for name in ("process.pod.name", "eventType.name")]
    [True, False]
    >>> _is_of_a_part("process_pid", "model.then.pid", "pid"), _is_of_a_part("process_pid", "process.pid", "pid")
    (True, False)
    """
    path = [part.lower() for part in name.split(".")[:-1] if not part.isdecimal()]
    if column == "event_action":
        return end in _WEAK_ACTIONS and bool(path) and _OF_EVENTS.search(path[-1]) is None
    if column == "http_response_status_code":
        return _OF_OTHER_STATUS.search(name) is not None
    return column == "process_pid" and not _NOT_PROCESSES.isdisjoint(path)


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
    parts = _parts_of(name)
    bare = _UNIT.sub("", name)
    given = set[str]()
    for skipped in range(len(parts)):
        end = plain_name("".join(parts[skipped:]))
        of_itself = skipped and end in ("ip", "address", "addr", "port") and parts[skipped - 1].lower() in _OF_ITSELF
        given.add(end)
        if end and not of_itself:
            yield end, min(skipped, 1)
    words = [_WHOLE_WORDS.get(word.lower(), word.lower()) for word in _WORD.findall(parts[-1])] if parts else []
    path = [_WHOLE_WORDS.get(part.lower(), plain_name(part)) for part in parts[:-1]]
    whole = "".join(words)
    for end, skipped in ((f"{''.join(path[at:])}{whole}", min(at, 1)) for at in range(len(parts) or 1)):
        if end and end not in given:
            given.add(end)
            yield end, skipped
    for end in (plain_name(bare) if bare != name else "", _sided(" ".join(parts))):  # `src port [tcp]`; `srcDevice_ip`
        if end and end not in given:
            given.add(end)
            yield end, 1
    for end in (*_last_words(words), *_elsewhere(words, parts[-1] if parts else "")):
        if end not in given:
            yield end, 2


def _parts_of(name: str) -> list[str]:
    """Return the names that a path leads through, without numbers, and what the value or the record is wrapped in."""
    parts = [part for part in name.replace("/", ".").split(".") if part and not part.isdecimal()]
    while len(parts) > 1 and parts[-1] in _TYPES:
        parts.pop()
    return [part for part in parts if part != _ENVELOPE] if _ENVELOPE in parts[:-1] else parts


def _sided(name: str) -> str:
    """Return `sourceip` and the like for a name that begins with an end of a connection, ends with its address or port, and is of no other's.

    Examples
    --------
    >>> [_sided(name) for name in ("srcDevice_ip", "flow server l4 port id", "client_v4", "source nat ip", "device source ip")]
    ['sourceip', 'destinationport', 'sourceip', '', '']
    """
    words = [_WHOLE_WORDS.get(word.lower(), word.lower()) for word in _WORD.findall(name)]
    words = words[words[:1] == ["flow"] :]
    words = words[:-1] if words[-2:-1] in (["port"], ["ip"]) and words[-1] in ("id", "number", "no", "list") else words
    words = [*words[:-2], "ip"] if words[-2:] in (["v", "4"], ["v", "6"]) else words
    side, last = (_SIDES_OF.get(words[0]), _ENDS_OF_SIDES.get(words[-1])) if words else (None, None)
    is_plain = side and last and _NO_ENDS.isdisjoint(words)
    return f"{side}{last}" if is_plain else ""


def _elsewhere(words: list[str], name: str) -> list[str]:
    """Return what a name in another language is without its small words, and that it is of a time; or by its unit: `creationTimestampUsecs`.

    Examples
    --------
    >>> _elsewhere([], "Hora de finalización"), _elsewhere([], "Erkennungszeitpunkt"), _elsewhere([], "Indirizzo di origine")
    (['horafinalizacion', 'time'], ['time'], ['indirizzoorigine'])
    """
    has_unit = (
        len(words) > 1
        and words[-1] in _UNITS
        and (words[-2] in ("timestamp", "date") or words[-3:-1] in (["event", "time"], ["start", "time"]))
    )
    plain = " ".join(_ACCENTED_WORD.findall(unaccented(name).lower()))
    parts = plain.split() if " " in name else []
    bare = [word for word in parts if word not in _SMALL]
    without = ["".join(bare)] if len(bare) < len(parts) else []
    without += bare[:1] if without and bare[:1] == parts[:1] and bare[0] in _HEADS else []
    has_head = len(bare) > 1 and (bare[0] in _NAMING or (bare[0] == "name" and bool(without)))
    kept = [word for word in bare if word not in _QUALIFYING]
    without += ["".join(bare[1:])] if has_head else []
    without += ["".join(kept)] if 0 < len(kept) < len(bare) else []
    is_time = has_unit or (_TIMES_ELSEWHERE.match(plain) and not _OF_NO_EVENT.search(plain))
    return [*without, "time"] if is_time else without


def _last_words(words: list[str]) -> Iterator[str]:
    """Yield the ends of a name of several words that are names by themselves, if no word before says that it is of another."""
    if len(words) == 2 and words[0] in _NEUTRAL and words[1] not in ("name", "type", "id", "source"):
        yield words[1]
    if len(words) > 1 and words[0] in ("date", "time", "datetime", "timestamp"):
        if not any(map(_OF_NO_EVENT.match, words)):
            yield "time"  # as in "Date Accessed"
    elif len(words) > 1 and words[-1] in ("at", "on") and words[-2] not in _OF_OTHERS:
        yield "time"  # as in `seen_at`
    for skipped in range(1, len(words)):
        end = "".join(words[skipped:])
        if words[skipped - 1] in _OF_OTHERS and end not in ("hostname", "computername"):
            return
        if len(words) - skipped > 1 or end in _LAST_WORDS:
            yield end
