"""Logs whose columns, fields and words are French, German, Spanish, Italian, Portuguese or Dutch."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from builders import make_project

from socml.formats._facts import facts_of
from socml.formats._field_names import _table, plain_name
from socml.formats._guess import guessed_row
from socml.formats._other_languages import unaccented
from socml.formats._times import Clock
from socml.formats._values import column_value, outcome_of, severity_of
from socml.ingestion import ingest
from socml.project import open_events

FIREWALLS = {
    "fr": (
        "Date;Heure;Adresse source;Port source;Adresse destination;Port destination;Protocole;Action;Utilisateur;Octets envoyés",
        "30/11/2026;08:15:02;10.1.4.22;51514;203.0.113.9;443;TCP;Autorisé;mdupont;1 204",
        "30/11/2026;08:15:09;10.1.4.31;49822;198.51.100.7;22;TCP;Refusé;jmartin;0",
    ),
    "de": (
        "Datum;Uhrzeit;Quell-IP;Quellport;Ziel-IP;Zielport;Protokoll;Aktion;Benutzer;Gesendete Bytes",
        "30.11.2026;08:15:02;10.1.4.22;51514;203.0.113.9;443;TCP;erlaubt;mdupont;1204",
        "30.11.2026;08:15:09;10.1.4.31;49822;198.51.100.7;22;TCP;blockiert;jmartin;0",
    ),
    "es": (
        "Fecha;Hora;Dirección de origen;Puerto de origen;Dirección de destino;Puerto de destino;Protocolo;Acción;Usuario;Bytes enviados",
        "30/11/2026;08:15:02;10.1.4.22;51514;203.0.113.9;443;TCP;Permitido;mdupont;1204",
        "30/11/2026;08:15:09;10.1.4.31;49822;198.51.100.7;22;TCP;Denegado;jmartin;0",
    ),
    "it": (
        "Data;Ora;Indirizzo sorgente;Porta sorgente;Indirizzo destinazione;Porta destinazione;Protocollo;Azione;Utente;Byte inviati",
        "30/11/2026;08:15:02;10.1.4.22;51514;203.0.113.9;443;TCP;Consentito;mdupont;1204",
        "30/11/2026;08:15:09;10.1.4.31;49822;198.51.100.7;22;TCP;Bloccato;jmartin;0",
    ),
    "pt": (
        "Data;Hora;Endereço de origem;Porta de origem;Endereço de destino;Porta de destino;Protocolo;Ação;Utilizador;Bytes enviados",
        "30/11/2026;08:15:02;10.1.4.22;51514;203.0.113.9;443;TCP;Permitido;mdupont;1204",
        "30/11/2026;08:15:09;10.1.4.31;49822;198.51.100.7;22;TCP;Negado;jmartin;0",
    ),
}
WANTED = {
    "source_ip": ["10.1.4.22", "10.1.4.31"],
    "source_port": [51514, 49822],
    "destination_ip": ["203.0.113.9", "198.51.100.7"],
    "destination_port": [443, 22],
    "network_transport": ["tcp", "tcp"],
    "user_name": ["mdupont", "jmartin"],
    "event_outcome": ["success", "failure"],
    "source_bytes": [1204, 0],
}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("language", FIREWALLS)
def test_a_firewall_s_table_gives_the_same_events_in_every_language(tmp_path, language, encoding):
    project = make_project(tmp_path / "lab")
    path = tmp_path / f"{language}.csv"
    path.write_bytes(("\n".join(FIREWALLS[language]) + "\n").encode(encoding))
    ingest(path, dataset=language, project=project, final=True)
    events = open_events(project, language).to_table().to_pandas().sort_values("time")
    assert {name: events[name].tolist() for name in WANTED} == WANTED
    assert [str(time)[:19] for time in events["time"]] == ["2026-11-30 08:15:02", "2026-11-30 08:15:09"]


def test_fields_of_json_and_their_values_are_told_by_any_of_the_languages():
    row, taken = guessed_row(
        json.loads(
            '{"horodatage":"2026-11-29T08:15:02Z","ip_source":"10.1.4.22","gravité":"élevée","résultat":"échec"}'
        ),
        Clock(None, None, None),
    )
    assert row["source_ip"] == "10.1.4.22"
    assert (row["event_severity"], row["event_outcome"]) == (70, "failure")
    assert taken["time"] == "horodatage"


def test_an_english_name_comes_before_one_of_another_language():
    row, taken = guessed_row(
        {"timestamp": "2026-11-29T08:15:02Z", "data": "2020-01-01T00:00:00Z"}, Clock(None, None, None)
    )
    assert taken["time"] == "timestamp"
    assert row["time"] == datetime(2026, 11, 29, 8, 15, 2, tzinfo=UTC)


def test_a_date_alone_takes_the_time_of_day_that_stands_beside_it_whatever_it_is_called():
    clock = Clock(None, None, None)
    row, _ = guessed_row({"date": "2026-11-29", "kellonaika": "08:15:02"}, clock)
    assert row["time"].hour == 8
    assert guessed_row({"date": "2026-11-29", "duree": "08:15:02"}, clock)[0]["time"].hour == 0
    assert guessed_row({"date": "2026-11-29", "a": "08:15:02", "b": "09:00:00"}, clock)[0]["time"].hour == 0, "which?"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Réussite", "success"), ("Succès de l'audit", "success"), ("Échec de l'audit", "failure"), ("non autorisé", "failure"),
        ("Erfolgreich", "success"), ("Fehlgeschlagen", "failure"), ("nicht zugelassen", "failure"), ("erfolglos", "failure"),
        ("éxito", "success"), ("inicio fallido", "failure"), ("denegado", "failure"), ("riuscito", "success"),
        ("non consentito", "failure"), ("sucesso", "success"), ("falhou", "failure"), ("não autorizado", "failure"),
        ("toegestaan", "success"), ("geweigerd", "failure"), ("connexion", None), ("Anmeldung", None), ("negative", None),
    ],
)  # fmt: skip
def test_words_for_how_it_ended(text, outcome):
    assert outcome_of(text) == outcome


LOGONS = [
    ("Échec de connexion pour l'utilisateur jmartin depuis 10.1.4.31", "jmartin", "10.1.4.31", "failure"),
    ("Connexion réussie de l'utilisateur mdupont depuis 10.1.4.31", "mdupont", "10.1.4.31", "success"),
    ("Session ouverte pour mdupont (10.1.4.31)", "mdupont", "10.1.4.31", "success"),
    ("Der Benutzer mueller hat sich von 10.1.4.31 angemeldet", "mueller", "10.1.4.31", "success"),
    ("Anmeldung fehlgeschlagen für Benutzer schmidt von 10.1.4.31", "schmidt", "10.1.4.31", "failure"),
    ("Inicio de sesión fallido para el usuario gomez desde 10.1.4.31", "gomez", "10.1.4.31", "failure"),
    ("Accesso negato all'utente rossi da 10.1.4.31", "rossi", "10.1.4.31", "failure"),
    ("Falha de autenticação do utilizador silva a partir de 10.1.4.31", "silva", "10.1.4.31", "failure"),
    ("Aanmelden mislukt voor gebruiker jansen vanaf 10.1.4.31", "jansen", "10.1.4.31", "failure"),
]


@pytest.mark.parametrize(("message", "user", "ip", "outcome"), LOGONS)
def test_a_logon_in_words(message, user, ip, outcome):
    row = facts_of(message)
    assert (row["user_name"], row["source_ip"], row["event_outcome"], row["class_uid"]) == (user, ip, outcome, 3002)


def test_a_refused_connection_is_no_logon_and_has_two_ends():
    row = facts_of("Connexion refusée vers 203.0.113.9:443 depuis 10.1.4.31")
    assert (row["source_ip"], row["destination_ip"], row["event_outcome"]) == ("10.1.4.31", "203.0.113.9", "failure")
    assert "class_uid" not in row
    assert "class_uid" not in facts_of("Accès refusé à /etc/shadow pour l'utilisateur jmartin")


def test_a_text_without_accents_is_as_long_as_before():
    for text in ("Échec", "e\u0301", "ﬁn ½ ß Å 漢字 é", "\u0301"):
        assert len(unaccented(text)) == len(text)


def test_words_for_how_bad_it_is():
    assert [severity_of(word) for word in ("Critique", "élevé", "hoch", "crítico", "avviso", "waarschuwing", "bof")] == [
        80, 70, 70, 80, 40, 40, None,
    ]  # fmt: skip


def test_digits_in_groups_are_a_number_and_other_digits_are_not():
    clock = Clock(None, None, None)
    texts = ("1 204", "12\u202f345\u202f678", "1'204", "1 20", "1204 55", "12")
    assert [column_value("source_bytes", text, "octetsenvoyes", clock) for text in texts] == [
        1204, 12345678, 1204, None, None, 12,
    ]  # fmt: skip


def test_every_name_of_the_tables_is_written_as_it_is_compared():
    for column, names in _table().items():
        assert [plain_name(name) for name in names] == list(names), column
