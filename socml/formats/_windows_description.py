"""The description of a Windows event, as the event viewer shows it → its fields, under the names of the event's XML.

Its lines are `Name: value`. A name stands under a heading (`Subject:`), which tells whose it is. Names may be English,
French, German, Spanish or Italian; blind to other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LEVELS", "PAIR", "described", "in_english", "lines_of"]

PAIR = re.compile(r"[ \t]{0,40}(?P<name>[A-Za-z][\w /-]{0,60})(?::(?:[ \t]|$)|=)[ \t]{0,60}(?P<value>[^\r]{0,32000})")
_OF_DESCRIPTION = {
    "Source Network Address": "IpAddress", "Client Address": "IpAddress", "Source Address": "SourceAddress", "Destination Address": "DestAddress",
    "Source Port": "IpPort", "Client Port": "IpPort", "Destination Port": "DestPort", "New Process Name": "NewProcessName",
    "Process Name": "ProcessName", "Caller Process Name": "ProcessName", "Application Name": "Application", "Process Command Line": "CommandLine",
    "Creator Process Name": "ParentProcessName", "New Process ID": "NewProcessId", "Process ID": "ProcessId", "Object Name": "ObjectName",
    "Object Type": "ObjectType", "Share Name": "ShareName", "Relative Target Name": "RelativeTargetName", "Logon Type": "LogonType",
    "Workstation Name": "WorkstationName", "Logon Account": "TargetUserName", "Service File Name": "ServiceFileName",
}  # fmt: skip
_TRANSLATED = {
    "Nom du journal": "Log Name", "ID de l'événement": "Event ID", "Niveau": "Level", "Mots clés": "Keywords", "Ordinateur": "Computer",
    "Sujet": "Subject", "Objet": "Subject", "Nom du compte": "Account Name", "Domaine du compte": "Account Domain", "ID de sécurité": "Security ID",
    "ID d'ouverture de session": "Logon ID", "Compte pour lequel l'ouverture de session a échoué": "Account For Which Logon Failed",
    "Nouvelle ouverture de session": "New Logon", "Adresse du réseau source": "Source Network Address", "Adresse du client": "Client Address",
    "Port source": "Source Port", "Nom de la station de travail": "Workstation Name", "Type d'ouverture de session": "Logon Type",
    "Nom du nouveau processus": "New Process Name", "Nom du processus": "Process Name", "Ligne de commande du processus": "Process Command Line",
    "Protokollname": "Log Name", "Quelle": "Source", "Datum": "Date", "Ereignis-ID": "Event ID", "Ebene": "Level", "Schlüsselwörter": "Keywords",
    "Antragsteller": "Subject", "Kontoname": "Account Name", "Kontodomäne": "Account Domain", "Sicherheits-ID": "Security ID", "Anmelde-ID": "Logon ID",
    "Konto, für das die Anmeldung fehlgeschlagen ist": "Account For Which Logon Failed", "Neue Anmeldung": "New Logon", "Anmeldetyp": "Logon Type",
    "Quellnetzwerkadresse": "Source Network Address", "Clientadresse": "Client Address", "Quellport": "Source Port", "Arbeitsstationsname": "Workstation Name",
    "Neuer Prozessname": "New Process Name", "Prozessname": "Process Name", "Prozessbefehlszeile": "Process Command Line", "Beschreibung": "Description",
    "Nombre de registro": "Log Name", "Origen": "Source", "Fecha": "Date", "Id. del evento": "Event ID", "Nivel": "Level", "Palabras clave": "Keywords",
    "Equipo": "Computer", "Descripción": "Description", "Sujeto": "Subject", "Firmante": "Subject", "Asunto": "Subject", "Nombre de cuenta": "Account Name",
    "Dominio de cuenta": "Account Domain", "Id. de seguridad": "Security ID", "Id. de inicio de sesión": "Logon ID", "Nuevo inicio de sesión": "New Logon",
    "Cuenta con error de inicio de sesión": "Account For Which Logon Failed", "Tipo de inicio de sesión": "Logon Type", "Puerto de origen": "Source Port",
    "Dirección de red de origen": "Source Network Address", "Dirección de cliente": "Client Address", "Nombre de estación de trabajo": "Workstation Name",
    "Nombre del nuevo proceso": "New Process Name", "Nombre de proceso": "Process Name", "Línea de comandos de proceso": "Process Command Line",
    "Nome registro": "Log Name", "Origine": "Source", "Data": "Date", "ID evento": "Event ID", "Livello": "Level", "Parole chiave": "Keywords",
    "Descrizione": "Description", "Soggetto": "Subject", "Nome account": "Account Name", "Dominio account": "Account Domain", "ID sicurezza": "Security ID",
    "ID accesso": "Logon ID", "Nuovo accesso": "New Logon", "Account il cui accesso non è riuscito": "Account For Which Logon Failed", "Tipo di accesso": "Logon Type",
    "Indirizzo di rete di origine": "Source Network Address", "Porta di origine": "Source Port", "Nome workstation": "Workstation Name", "Nome processo": "Process Name",
}  # fmt: skip
LEVELS = {
    "Critical": "1", "Error": "2", "Warning": "3", "Information": "4", "Verbose": "5", "Info": "4", "Critique": "1", "Erreur": "2", "Avertissement": "3",
    "Kritisch": "1", "Fehler": "2", "Warnung": "3", "Informationen": "4", "Informations": "4",
    "Crítico": "1", "Advertencia": "3", "Información": "4", "Critico": "1", "Errore": "2", "Avviso": "3", "Informazioni": "4",
}  # fmt: skip
_ALSO_ENGLISH = frozenset({"Data"})  # names that are translated only beside others
_ASCII_NAMES = re.compile("Nom du|Protokollname|Kontoname|Sujet|Nombre de|Soggetto|Nome (?:account|registro)")
_OTHER_NAME = re.compile(
    r"^(?P<before>[ \t]{0,40})(?P<name>[^\W\d][^:\n]{1,60}?)[ \u00a0]?:(?=[ \t\r]|$)", re.MULTILINE
)
_OF_ACCOUNTS = {
    "Account Name": "UserName",
    "Account Domain": "DomainName",
    "Security ID": "UserSid",
    "Logon ID": "LogonId",
}
# A description in one line, as Snare sends it: blanks stand for line ends, and two of them before a value
_HEADS = "|".join(
    ("Subject", "Creator Subject", "Target Subject", "New Logon", "Account For Which Logon Failed", "Account Whose Credentials Were Used",
     "Target Account", "New Account", "Target Server", "Member", "Group", "Network Information", "Process Information", "Failure Information",
     "Logon Information", "Detailed Authentication Information", "Account Information", "Service Information", "Object", "Application Information")
)  # fmt: skip
_NAMES = "|".join(
    map(
        re.escape,
        sorted(
            {*_OF_DESCRIPTION, *_OF_ACCOUNTS, "Failure Reason", "Status", "Sub Status", "Logon Process"},
            key=len,
            reverse=True,
        ),
    )
)
_IN_ONE_LINE = re.compile(rf" {{2,}}(?:(?=(?:{_HEADS}): )|(?=(?:{_NAMES}):(?: |$)))")


def in_english(text: str) -> str:
    """Return a text whose lines begin with the English names of what they tell.

    Examples
    --------
    >>> in_english("Sujet :\\n\\tNom du compte :\\tann\\nx : y")
    'Subject:\\n\\tAccount Name:\\tann\\nx : y'
    """
    if text.isascii() and not _ASCII_NAMES.search(text):
        return text
    known = {_name(found) for found in _OTHER_NAME.finditer(text)} & _TRANSLATED.keys()
    return text if known <= _ALSO_ENGLISH else _OTHER_NAME.sub(_translated, text)


def _name(found: re.Match[str]) -> str:
    return found["name"].replace("’", "'")


def _translated(found: re.Match[str]) -> str:
    name = _TRANSLATED.get(_name(found))
    return f"{found['before']}{name}:" if name else found[0]


def lines_of(text: str) -> list[str]:
    """Return a description's lines, also of one whose line ends were turned into blanks.

    Examples
    --------
    >>> lines_of("Failed.    Subject:   Account Name:  -    New Logon:   Account Name:  bob")
    ['Failed.', 'Subject:', 'Account Name:  -', 'New Logon:', 'Account Name:  bob']
    """
    if "\n" in text:
        return [line.rstrip("\r") for line in in_english(text).split("\n")]
    return [line.strip() for line in _IN_ONE_LINE.split(text)]


def described(lines: Iterable[str]) -> dict[str, object]:
    """Return the fields of a description's lines; whose account one is about tells the heading above it."""
    found: dict[str, object] = {}
    heading = ""
    for line in lines:
        pair = PAIR.match(line)
        if pair is None:
            continue
        name, value = pair["name"].strip(), pair["value"].strip()
        if not value and name not in _OF_DESCRIPTION and name not in _OF_ACCOUNTS:
            heading = name
        elif value not in ("", "-") and name in _OF_ACCOUNTS:
            side = "Subject" if heading in ("Subject", "Creator Subject") else "Target"
            found.setdefault(side + _OF_ACCOUNTS[name], value)
        elif value not in ("", "-"):
            found.setdefault(_OF_DESCRIPTION.get(name, name), value)
    return found
