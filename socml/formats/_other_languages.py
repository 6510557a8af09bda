"""How logs say in French, German, Spanish, Italian, Portuguese and Dutch what `_values` and `_facts` know in English.

Words are compared without accents. Names of fields are in `_field_names_translated.toml`. Every pattern takes linear time.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "DESTINATION",
    "FAILURE",
    "HINT",
    "LEVELS",
    "LOGON",
    "LOGON_OF_SOMEBODY",
    "NO_USER",
    "SUCCESS",
    "USERS",
    "USERS_OF_OUTCOMES",
    "unaccented",
]

FAILURE = re.compile(
    r"(?i)\b(?:echec|echou|refus|non (?:autoris|autoriz|accept|admis|valid|permis|permess|consentit|reussi)|rejet|bloqu|interdit|errone|verrouill|"
    r"fehl(?:er\b|geschlagen|schlag)|verweigert|abgelehnt|blockiert|gesperrt|ungultig|verboten|falsch|erfolglos|"
    r"nicht (?:erlaubt|zugelassen|erfolg|autorisiert|gestattet)|fallid|fallo\b|fallit|fracas|deneg|rechaz|invalid|incorrect|prohib|"
    r"negad|negat[oa]\b|rifiutat|bloccat|vietat|errat[oa]\b|falh|recusad|proibid|nao (?:autoriz|permit)|"
    r"mislukt|geweigerd|geblokkeerd|ongeldig|geen\b)"
)
SUCCESS = re.compile(
    r"(?i)\b(?:reussi|succes\b|autoris|autoriz|permis\b|accord[ee]|session ouverte|erfolg|erlaubt|zugelassen|akzeptiert|gewahrt|genehmigt|angemeldet|"
    r"exito|acepta|concedid|permitid|iniciada|riuscit|consentit|accettat|permess|sucess|aceit|gelukt|geslaagd|toegestaan|aangemeld)"
)
LOGON = re.compile(
    r"(?i)(?:ouverture de session|session ouverte|authentifi|mot de passe|s'est connect|anmeld|angemeldet|kennwort|passwort|inici\w{1,3} (?:de )?sesi|"
    r"sesion iniciada|contrasena|autentic|sessao iniciada|\bsenha\b|aanmeld|wachtwoord)"
)
LOGON_OF_SOMEBODY = re.compile(
    r"(?i)\b(?:connexion|conexion|accesso|acces|zugriff|acceso|acesso|toegang)\b"
)  # of nobody: of a network, or to a file
_NAME = r"(?P<name>[^\s'\"\[\]<>(){},;=|«»]{1,128})"
_UNKNOWN = r"(?:inconnue? |invalide |desconocido |sconosciuto |desconhecido |onbekende? )?"
USERS = (
    re.compile(
        rf"(?i)\b(?:nom d'utilisateur|utilisateur|benutzername|benutzer|anwender|konto|usuario|cuenta|utente|utilizador|gebruiker)"
        rf"(?:=| ?: ?| ){_UNKNOWN}['\"\[<(«]{{0,2}} ?{_NAME}"
    ),
    re.compile(rf"(?i)\b(?:compte|conta)(?:=| ?: | ['\"«] ?){_NAME}"),
)
USERS_OF_OUTCOMES = (
    re.compile(
        rf"(?i)\b(?:pour|fur|für|para|per|voor|de|von|di) (?:le compte |el usuario |o utilizador )?['\"«]? ?{_NAME} ?['\"»]? "
        r"(?:depuis|a partir|von|aus|desde|dal?|via|vanaf|\()"
    ),
    re.compile(rf"(?i)\b{_NAME} (?:s'est connecte|hat sich angemeldet|ha iniciado sesi|si e connesso|iniciou sess)"),
)
NO_USER = frozenset(
    "de du des la le les l d un une pour par depuis dans est pas non inconnu inconnue invalide avec sur au aux et ou der die das den dem ein eine von fur für "
    "ist nicht unbekannt wurde hat mit auf und oder el los las una por para desde en es no con del al desconocido il lo gli di da dal per con sconosciuto e "
    "o a os as um uma em do da desconhecido het een van voor op niet met onbekend session sesion sessao acces accesso acceso connexion admin-".split()
)
DESTINATION = frozenset(
    "vers nach zu hacia verso para naar cible ziel destino destinazione doel serveur servidor".split()
)
LEVELS = {
    "faible": 30, "moyen": 50, "moyenne": 50, "eleve": 70, "elevee": 70, "haute": 70, "critique": 80, "avertissement": 40, "erreur": 60, "alerte": 90,
    "niedrig": 30, "mittel": 50, "hoch": 70, "kritisch": 80, "warnung": 40, "fehler": 60, "bajo": 30, "baja": 30, "medio": 50, "media": 50, "alto": 70, "alta": 70,
    "critico": 80, "critica": 80, "advertencia": 40, "basso": 30, "bassa": 30, "avviso": 40, "errore": 60, "baixo": 30, "baixa": 30, "aviso": 40,
    "laag": 30, "gemiddeld": 50, "hoog": 70, "kritiek": 80, "waarschuwing": 40, "fout": 60,
}  # fmt: skip
"""Words for how bad something is, on the scale of `_values.LEVELS`."""
# What a message in one of these languages holds that tells anything, accents and all: read by Python and by RE2
HINT = (
    r"utilis|utiliz|utent|compte|benutz|anwender|konto|usuari|cuenta|conta |gebruik|[eé]chec|[eé]chou|r[eé]uss|succ[eè]s|autori|interdit|rejet|erlaubt|"
    r"zugelass|verweiger|abgelehn|gesperr|ung[uü]ltig|fehl|falsch|erfolg|gemelde|anmeld|perm[ie]|deneg|rechaz|prohib|proib|[eé]xit|fallid|fallit|fallo|"
    r"negad|negat|riusc|rifiut|consent|vietat|bloc|bloq|falh|recus|aceit|suces|gelukt|mislukt|weiger|toegest|session|sesi|sess[aã]o|connect|"
    r"mot de passe|kennwort|contrase|senha"
)


def unaccented(text: str) -> str:
    """Return a text without the accents of its letters, as long as before.

    Examples
    --------
    >>> unaccented("Échec"), unaccented("größe"), unaccented("plain")
    ('Echec', 'große', 'plain')
    """
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    parts = unicodedata.normalize("NFD", character)
    return parts[0] if len(parts) > 1 and all(map(unicodedata.combining, parts[1:])) else character
