"""Months as French, German, Spanish, Italian, Portuguese, Dutch, Polish, Czech and Nordic dates name them → their numbers, and a pattern of the names."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MONTH_NAMES", "month_number"]

_NAMES = (
    "janvier janv januar jänner enero ene gennaio gen janeiro januari stycznia ledna jan",
    "février févr fév februar febrero febbraio fevereiro fev februari lutego února feb",
    "mars märz mär mrz marzo março maart mrt marca března marts mar",
    "avril avr abril abr aprile april kwietnia dubna apr",
    "mai mayo may maggio mag maio mei maja května maj",
    "juin juni junio giugno giu junho czerwca června jun",
    "juillet juil juli julio luglio lug julho lipca července jul",
    "août august agosto ago augustus augusti sierpnia srpna aug",
    "septembre sept septiembre settembre set setembro september września září sep",
    "octobre oktober okt octubre ottobre ott outubro out października října oct",
    "novembre noviembre novembro november listopada listopadu nov",
    "décembre déc dezember dez diciembre dic dicembre dezembro december grudnia prosince dec",
)


def _bare(name: str) -> str:
    """Return a name in small letters, without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(c))


_NUMBERS = {_bare(name): number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_WRITTEN = {form for names in _NAMES for name in names.split() for form in (name, _bare(name))}
MONTH_NAMES = f"(?i:{'|'.join(map(re.escape, sorted(_WRITTEN, key=lambda name: (-len(name), name))))})"


def month_number(name: str) -> int | None:
    """Return the number of a month by its name; None if it is none.

    Examples
    --------
    >>> [month_number(name) for name in ("Déc", "märz", "agosto", "Oct", "moon")]
    [12, 3, 8, 10, None]
    """
    return _NUMBERS.get(_bare(name))
