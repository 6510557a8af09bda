"""How logs say in French, German, Spanish, Italian, Portuguese and Dutch what `_values` and `_facts` know in English.

How something ended and how bad it is, also in Polish, the languages of the North, Czech, Turkish, Russian, Japanese, Chinese and Korean.
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
    "LEVELS_OF_CELLS",
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
    r"fehl(?:er\b|geschlagen|schlag)|verworfen|verweigert|abgelehnt|blockiert|gesperrt|ungultig|verboten|falsch|erfolglos|"
    r"nicht (?:erlaubt|zugelassen|erfolg|autorisiert|gestattet)|fallid|fallo\b|fallit|fracas|deneg|rechaz|invalid|incorrect|prohib|"
    r"negad|negat[oa]\b|rifiutat|bloccat|vietat|errat[oa]\b|falh|recusad|proibid|nao (?:autoriz|permit)|"
    r"mislukt|geweigerd|geblokkeerd|ongeldig|geen\b|niepowod|nieudan|nie powiodl|odmow|odrzuc|zablokow|bledn|misslyck|nekad|avvis|feilet|mislykk|mislyk|"
    r"nektet|blokkert|blokeret|epaonnist|estett|hylat|kielle|neuspes|selhal|zamitn|odepren|basarisiz|reddedil|engellen|неудач|ошибк|отказ|отклон|запрещ|"
    r"заблокир|не выполнен|не удалось|неверн)|失敗|拒否|遮断|ブロック|エラー|失败|拒绝|拒絕|阻止|阻断|封鎖|错误|錯誤|실패|거부|차단|오류"
)
SUCCESS = re.compile(
    r"(?i)\b(?:reussi|succes\b|autoris|autoriz|permis\b|accepte|accord[ee]|session ouverte|erfolg|erlaubt|zugelassen|akzeptiert|gewahrt|genehmigt|angemeldet|"
    r"exito|acepta|concedid|permitid|iniciada|riuscit|consentit|concess[oa]\b|accettat|permess|sucess|aceit|gelukt|geslaagd|toegestaan|verleend|aangemeld|correct[oa]\b|"
    r"sukces|powodzenie\b|powiodl|zezwol|dozwolon|przyznan|zalogowano|lyckad|lyckades|godkan|tillat|vellykket|tillatt|tilladt|godkjent|onnistu|sallit|hyvaksy|"
    r"uspes|uspech|povolen|basarili|izin ver|успе[шх]|разреш|выполнен)|成功|許可|允许|允許|通过|성공|허용"
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
        rf"(?i)\b(?:nom d'utilisateur|utilisateur|benutzername|benutzers?|anwenders?|konto|usuario|cuenta|utente|utilizador|gebruiker)"
        rf"(?:=| ?: ?| ){_UNKNOWN}['\"\[<(«]{{0,2}} ?{_NAME}"
    ),
    re.compile(  # these are also verbs, or begin a sentence of nobody
        rf"(?i)\b(?:użytkownik|uživatel|användare|bruger|bruker)(?:=| ?: ?| (?=\S{{1,128}} (?:z|från|fra) [^\W\d_]{{0,12}} ?(?:\d{{1,3}}\.){{3}}\d)){_NAME}"
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
LEVELS_OF_CELLS = {
    "niski": 30, "sredni": 50, "wysoki": 70, "krytyczny": 80, "ostrzezenie": 40, "blad": 60, "lag": 30, "medel": 50, "hog": 70, "varning": 40, "fel": 60,
    "lav": 30, "middels": 50, "hoy": 70, "advarsel": 40, "feil": 60, "nizka": 30, "vysoka": 70, "dusuk": 30, "orta": 50, "yuksek": 70, "kritik": 80, "uyari": 40, "hata": 60,
    "низкий": 30, "средний": 50, "высокий": 70, "критический": 80, "предупреждение": 40, "ошибка": 60, "сведения": 10, "情報": 10, "警告": 40, "エラー": 60, "重大": 80,
    "低": 30, "中": 50, "高": 70, "信息": 10, "错误": 60, "严重": 80, "정보": 10, "경고": 40, "오류": 60, "심각": 80,
}  # fmt: skip
"""More of them, which in a text would be taken for other words."""
# What a message in one of these languages holds that tells anything, accents and all: read by Python and by RE2
HINT = (
    r"u[zż]ytkownik|u[zž]ivatel|anv[aä]ndare|bru[gk]er|utilis|utiliz|utent|compte|benutz|anwender|konto|usuari|cuenta|conta |gebruik|[eé]chec|[eé]chou|r[eé]uss|succ[eè]s|autori|interdit|rejet|erlaubt|"
    r"zugelass|verweiger|abgelehn|gesperr|ung[uü]ltig|fehl|falsch|erfolg|gemelde|anmeld|perm[ie]|deneg|rechaz|prohib|proib|[eé]xit|fallid|fallit|fallo|"
    r"negad|negat|riusc|rifiut|consent|vietat|bloc|bloq|falh|recus|aceit|suces|gelukt|mislukt|weiger|toegest|session|sesi|sess[aã]o|connect|"
    r"mot de passe|kennwort|contrase|senha"
)


_STROKES = {
    "ł": "l",
    "Ł": "L",
    "ø": "o",
    "Ø": "O",
    "ı": "i",
    "đ": "d",
    "Đ": "D",
}  # letters whose stroke is no accent to Unicode


def unaccented(text: str) -> str:
    """Return a text without the accents of its Latin letters, as long as before.

    Examples
    --------
    >>> unaccented("Échec"), unaccented("größe"), unaccented("plain")
    ('Echec', 'große', 'plain')
    """
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _STROKES:
        return _STROKES[character]
    parts = unicodedata.normalize("NFD", character)
    return parts[0] if parts[0].isascii() and all(map(unicodedata.combining, parts[1:])) else character
