"""Windows events that somebody saved as a table: the event viewer, PowerShell, EvtxECmd; and which number of a date is the day."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from socml.ingestion import peek

LOGON = """An account was successfully logged on.

Subject:
\tAccount Name:\t\tSRV1$

New Logon:
\tAccount Name:\t\talice
\tAccount Domain:\t\tCORP

Network Information:
\tSource Network Address:\t192.0.2.7
\tSource Port:\t\t51515
"""
OUVERTURE = """L’ouverture de session d’un compte s’est correctement déroulée.

Sujet\u00a0:
\tNom du compte\u00a0:\t\tSRV1$

Nouvelle ouverture de session\u00a0:
\tNom du compte\u00a0:\t\talice

Informations sur le réseau\u00a0:
\tAdresse du réseau source\u00a0:\t192.0.2.7
\tPort source\u00a0:\t\t51515
"""
AUDIT = "Microsoft-Windows-Security-Auditing"
PAYLOAD = (
    '"{""EventData"":{""Data"":[{""@Name"":""SubjectUserName"",""#text"":""SRV1$""},{""@Name"":""TargetUserName"",""#text"":""alice""},'
    '{""@Name"":""IpAddress"",""#text"":""192.0.2.7""},{""@Name"":""IpPort"",""#text"":""51515""}]}}"'
)
SAVED = {
    "viewer": f'Level,Date and Time,Source,Event ID,Task Category\nInformation,5/1/2026 10:00:00 AM,{AUDIT},4624,Logon,"{LOGON}"\n',
    "visionneuse": f"Niveau,Date et heure,Source,ID de l’événement,Catégorie de la tâche\n"
    f'Information,01/05/2026 10:00:00,{AUDIT},4624,Logon,"{OUVERTURE}"\n',
    "export-csv": '#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n"Message","Id","ProviderName","LogName","MachineName","TimeCreated"\n'
    f'"{LOGON}","4624","{AUDIT}","Security","DC1","5/1/2026 10:00:00 AM"\n',
    "export-csv on French Windows": '"Message";"Id";"ProviderName";"LogName";"MachineName";"TimeCreated"\n'
    f'"{OUVERTURE}";"4624";"{AUDIT}";"Security";"DC1";"01/05/2026 10:00:00"\n',
    "get-eventlog": '"EventID","MachineName","EntryType","Message","Source","TimeGenerated"\n'
    f'"4624","DC1","SuccessAudit","{LOGON}","{AUDIT}","5/1/2026 10:00:00 AM"\n',
    "evtxecmd": "RecordNumber,TimeCreated,EventId,Level,Provider,Channel,Computer,UserName,Keywords,Payload\n"
    f"1,2026-05-01 10:00:00.0000000,4624,LogAlways,{AUDIT},Security,DC1,,Audit success,{PAYLOAD}\n",
}


def events(path: Path, text: str) -> list[dict[str, object]]:
    path.write_text(text, encoding="utf-8")
    found = peek(path, limit=9)
    assert found.format == "table"
    return [{name: value for name, value in event.items() if value is not None} for event in found.to_dict()["events"]]


@pytest.mark.parametrize("how", SAVED)
def test_a_saved_logon_is_a_logon(how: str, tmp_path: Path) -> None:
    header, _, rows = SAVED[how].partition("\n")
    names, _, more = rows.partition("\n") if how == "export-csv" else ("", "", rows)
    text = "\n".join(part for part in (header, names) if part) + "\n" + 3 * more
    for event in events(tmp_path / "a.csv", text):
        wanted = {
            "time": datetime(2026, 5, 1, 10, tzinfo=UTC), "event_action": "logon", "event_outcome": "success", "event_category": "authentication",
            "class_uid": 3002, "user_name": "alice", "acting_user_name": "SRV1$", "source_ip": "192.0.2.7", "source_port": 51515,
        }  # fmt: skip
        assert {name: event.get(name) for name in wanted} == wanted


def test_what_an_audit_says_in_words_is_its_outcome(tmp_path: Path) -> None:
    keywords = {
        "Audit Failure": "failure",
        "Échec de l’audit": "failure",
        "FailureAudit": "failure",
        "Controllo non riuscito": "failure",
        "Falha de Auditoria": "failure",
        "Audit Success": "success",
        "Controllo riuscito": "success",
        "Sucesso da Auditoria": "success",
    }
    rows = "".join(
        f'{word},5/{n + 1}/2026 10:00:00 AM,{AUDIT},4673,Use,"A service was called."\n'
        for n, word in enumerate(keywords)
    )
    found = events(tmp_path / "a.csv", f"Keywords,Date and Time,Source,Event ID,Task Category\n{rows}")
    error = f'Fehler,01.05.2026 10:00:00,{AUDIT},4673,Use,"A service was called."\n'  # a level, and no outcome
    assert (
        "event_outcome"
        not in events(tmp_path / "b.csv", f"Ebene,Datum und Uhrzeit,Quelle,Ereignis-ID,Aufgabenkategorie\n{3 * error}")[
            0
        ]
    )
    assert [event.get("event_outcome") for event in found] == list(keywords.values())


@pytest.mark.parametrize(
    "rows",
    [
        "Information,5/1/2026 10:00:00 AM,Office,4624,none,hello\n",  # another program counts likewise
        f"Information,5/1/2026 10:00:00 AM,{AUDIT},n/a,none,hello\n",
    ],
)
def test_events_of_other_programs_are_no_logons(rows: str, tmp_path: Path) -> None:
    for event in events(tmp_path / "a.csv", f"Level,Date and Time,Source,Event ID,Task Category,Message\n{3 * rows}"):
        assert event.get("event_action") != "logon"
        assert event.get("class_uid") != 3002


@pytest.mark.parametrize(
    ("names", "dates", "written", "first"),
    [
        ("date,user,action", ("03/04/2026", "04/04/2026"), None, "2026-04-03"),  # two days, or a month
        ("date,user,action", ("04/03/2026", "04/04/2026"), None, "2026-04-03"),
        ("date,user,action", ("03/04/2026", "03/04/2026"), None, "2026-03-04"),  # nothing shows it
        ("date,utilisateur,adresse source", ("03/04/2026", "03/04/2026"), None, "2026-04-03"),
        ("date,utilisateur,adresse source", ("01/01/2026", "01/02/2026", "01/03/2026"), None, "2026-01-01"),
        ("date,user,action", ("03/04/2026", "03/04/2026"), datetime(2026, 4, 3, 23, tzinfo=UTC), "2026-04-03"),
        ("date,user,action", ("03/04/2026", "03/04/2026"), datetime(2026, 3, 4, 23, tzinfo=UTC), "2026-03-04"),
        ("date,user,action", ("03/04/2026", "03/04/2026"), datetime(2026, 9, 1, tzinfo=UTC), "2026-03-04"),
        ("date,utilisateur,adresse source", ("03/25/2026", "03/04/2026"), None, "2026-03-25"),  # what is sure comes first
    ],
)  # fmt: skip
def test_the_order_of_a_date_is_told_by_language_writing_and_nearness(
    names: str, dates: tuple[str, ...], written: datetime | None, first: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(names + "\n" + "".join(f"{date} 10:00,bob,198.51.100.1\n" for date in dates), encoding="utf-8")
    at = (written or datetime(2028, 1, 1, tzinfo=UTC)).timestamp()
    os.utime(path, (at, at))
    found = peek(path)
    assert str(found.to_dict()["events"][0]["time"])[:10] == first
    is_sure = any(int(part) > 12 for date in dates for part in date.split("/")[:2])
    assert any("Dates such as" in str(one["text"]) for one in found.to_dict()["assumptions"]) is not is_sure


def test_a_table_that_numbers_its_rows_is_none_of_windows(tmp_path: Path) -> None:
    tickets = "".join(f"462{n},2026-05-01 10:00:0{n},incident,System,bob,Slow\n" for n in range(3))
    for event in events(tmp_path / "a.csv", f"id,created_at,type,source,user,description\n{tickets}"):
        assert (event["event_action"], event["user_name"]) == ("incident", "bob")
    logons = 3 * f"4624,5/1/2026 10:00:00 AM,{AUDIT},An account was successfully logged on.\n"
    for event in events(tmp_path / "b.csv", f"Id,TimeCreated,ProviderName,Message\n{logons}"):
        assert event["event_action"] == "logon"


def test_one_name_that_is_english_too_makes_no_event_italian(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    event = "Log Name: Security\nSource: {}\nDate: 3/{}/2026 10:00:00 AM\nEvent ID: 4625\nDescription:\nAn account failed to log on.\n{}\n"
    more = "Subject:\n\tAccount Name:\t\tJürgen\n\tData:\t\tx\n"
    path.write_text("\n".join(event.format(AUDIT, day, more) for day in (2, 4)), encoding="utf-8")
    os.utime(path, (0, 0))
    assert [str(event["time"])[:10] for event in peek(path).events] == ["2026-03-02", "2026-03-04"]


def test_one_event_of_a_spanish_viewer_is_read(tmp_path: Path) -> None:
    title = "Nivel,Fecha y hora,Origen,Id. del evento,Categoría de la tarea"
    (event,) = events(
        tmp_path / "a.csv", f'{title}\nInformación,02/03/2026 10:00:00,{AUDIT},4624,Logon,"Se inició sesión."\n'
    )
    assert (str(event["time"])[:10], event["event_action"]) == ("2026-03-02", "logon")
