"""The rows of a table that are Windows events → event columns, as every other reader of Windows events fills them.

So the event viewer saves them (with a column of descriptions that has no name), `Get-WinEvent` and `Get-EventLog` through `Export-Csv`,
EvtxECmd and LogParser. Columns are known by their names, in six languages; data under the names of the event's XML are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from socml.formats._field_names import plain_name
from socml.formats._other_languages import unaccented
from socml.formats._times import Clock
from socml.formats._windows import windows_event
from socml.formats._windows_description import LEVELS, in_english

__all__ = ["is_in_other_language", "windows_names", "windows_row"]

_NAMES = {
    "EventID": "eventid eventcode eventnumber id iddelevenement ereignisid ereigniskennung iddelevento iddeevento idevento iddoevento identificacaodoevento gebeurtenisid",
    "Channel": "channel logname log eventlog journal nomdujournal protokoll protokollname registro nomederegistro nomedolog nomelog logboek",
    "ProviderName": "providername provider source sourcename eventsource fournisseur quelle origen origine origem fonte bron",
    "Computer": "computer computername machinename hostname ordinateur nomordinateur equipo computador rechner",
    "Level": "level leveldisplayname entrytype eventtypename niveau type ebene stufe nivel livello",
    "Keywords": "keywords keyword keywordsdisplaynames motscles schlusselworter palabrasclave parolechiave palavraschave trefwoorden",
    "Message": "message description beschreibung descripcion descrizione descricao beschrijving",
}  # fmt: skip
_KNOWN = {name: own for own, names in _NAMES.items() for name in names.split()}
_OF_WINDOWS = re.compile(
    r"(?i)Microsoft-Windows-|Security$|System$|Application$|Sysmon|Windows PowerShell|Service Control Manager|EventLog$|MSSQL"
)
_OF_EVENTS = frozenset({"providername", "provider", "channel", "logname"})  # that hardly another table has
_DATA = ("EventData.", "UserData.", "Event.EventData.")
_TIMES = frozenset(
    {"time", "timecreated", "timegenerated", "timewritten", "systemtime", "utctime", "eventtime", "timestamp"}
)
_AUDITS = {  # what keywords and types of entries say of an audit, without accents
    "AUDIT_FAILURE": re.compile(
        r"audit fail|failureaudit|echec de l.audit|uberwachung(?:sfehler| gescheitert)|error de auditoria|controllo non riuscito|falha (?:de|da|na) auditoria"
    ),
    "AUDIT_SUCCESS": re.compile(
        r"audit succ|successaudit|succes de l.audit|uberwachung erfolgreich|auditoria correcta|controllo riuscito|(?:sucesso|exito) (?:de|da|na) auditoria"
    ),
}
_SHARE = 0.8  # of the first rows


def windows_names(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return field → its name in an event's XML, for the first rows of a table; nothing if they are no Windows events.

    Examples
    --------
    >>> windows_names([{"Event ID": "4624", "Source": "Microsoft-Windows-Security-Auditing", "x": "An account …"}])
    {'Event ID': 'EventID', 'Source': 'ProviderName'}
    >>> windows_names([{"Event ID": "4624", "Source": "Office"}])
    {}
    """
    named: dict[str, str] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        own = _KNOWN.get(plain_name(name))
        if own is not None and own not in named.values():
            named[name] = own
    fields = {own: name for name, own in named.items()}
    number, sources = fields.get("EventID"), [fields[own] for own in ("Channel", "ProviderName") if own in fields]
    if number is not None and plain_name(number) == "id":  # of which every other table has one
        sources = [name for name in sources if plain_name(name) in _OF_EVENTS]
    if number is None or not sources:
        return {}
    known = sum(
        str(row.get(number, "")).isdecimal() and any(_OF_WINDOWS.match(str(row.get(name) or "")) for name in sources)
        for row in rows
    )
    return named if known >= _SHARE * len(rows) else {}


def is_in_other_language(texts: Iterable[object]) -> bool:
    """Return whether descriptions of events are in a language that is known, other than English."""
    return any(isinstance(text, str) and in_english(text) != text for text in texts)


def windows_row(row: Mapping[str, object], named: Mapping[str, str], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row that is a Windows event, without its time; an empty row if it is none."""
    found: dict[str, object] = {}
    for name, value in row.items():
        own = named.get(name) or next((name[len(front) :] for front in _DATA if name.startswith(front)), name)
        if value is not None and plain_name(own) not in _TIMES:
            found.setdefault(own.removeprefix("Data."), value)
    level = str(found.get("Level", ""))
    words = unaccented(f"{found.get('Keywords', '')} {level}".lower())
    found["Level"] = LEVELS.get(level, level)
    found |= next(({"EventType": one} for one, says in _AUDITS.items() if says.search(words)), {})
    try:
        event = windows_event(found, clock)
    except ValueError:
        return {}
    if event["class_uid"] is None:
        event.pop("event_category")
    return {name: value for name, value in event.items() if value is not None and name not in ("time", "extra")}
