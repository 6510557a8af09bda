"""A key and a language → words. One TOML file a language; `en.toml` is complete, the others are tested to be.

words("fr")("queue.title", n=3)
"""

from __future__ import annotations

import tomllib
from functools import cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

from socml.project.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping


def languages() -> list[str]:
    """Return the languages there are.

    Examples
    --------
    >>> languages()
    ['en', 'fr']
    """
    return sorted(p.stem for p in (Path(__file__).parent / "languages").glob("*.toml"))


class Words:
    """The catalogue of one language. Call it with a dotted key and the values that the sentence holds.

    A key that ends in `.one` and `.other` is chosen by the value `n`; in French 0 is singular.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.catalogue = _catalogue(language)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the sentence of `key`.

        Raises
        ------
        UnknownName
            If the catalogue has no such key: a missing translation is a bug, not a blank.
        """
        found = self.catalogue.get(key)
        n = values.get("n")
        if found is None and isinstance(n, Real):
            single = abs(float(n)) < 2 if self.language == "fr" else n == 1
            found = self.catalogue.get(f"{key}.{'one' if single else 'other'}")
        if found is None:
            raise UnknownName(f"sentence in {self.language}", key, self.catalogue)
        return found.format(**values) if values else found

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number as it is written in the language: 1,234.5 in English, 1 234,5 in French.

        Examples
        --------
        >>> words("en").number(1234.5, 1), words("fr").number(1234.5, 1)
        ('1,234.5', '1\\u202f234,5')
        """
        text = f"{value:,.{digits}f}"
        if self.language == "fr":
            return text.replace(",", "\u202f").replace(".", ",")
        return text


class Sentence(str):
    """A sentence of the catalogue in English, which every other language can say: what an error is raised with.

    Examples
    --------
    >>> told = Sentence("error.case.technique", technique="T12")
    >>> told
    "'T12' is no ATT&CK technique; write T1046 or T1021.004."
    >>> told.said(words("fr")).replace("\\xa0", " ")
    '« T12 » n’est pas une technique ATT&CK ; écrivez T1046 ou T1021.004.'
    """

    key: str
    values: dict[str, object]

    def __new__(cls, key: str, /, **values: object) -> Sentence:
        """Return the sentence of `key` with its values: a number as the language writes it, but for `n`, which counts."""
        made = super().__new__(cls, _said(words("en"), key, values))
        made.key, made.values = key, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Return what a copy in another process is made of."""
        return (self.key,), self.values

    def said(self, say: Words) -> str:
        """Return the sentence as a language says it."""
        return _said(say, self.key, self.values)


def error_text(error: Exception, say: Words) -> str:
    """Return what is wrong as the language says it; in English, where nobody wrote it in another.

    What kind of name an unknown one is stands beside it on a page.
    """
    if isinstance(error, UnknownName) and say.language != "en":
        near = error.nearest
        return say("error.unknown_near", name=error.name, near=near) if near else say("error.unknown", name=error.name)
    first = error.args[0] if error.args else ""
    return first.said(say) if isinstance(first, Sentence) else str(error)


def _said(say: Words, key: str, values: Mapping[str, object]) -> str:
    shown = {name: say.number(v) if isinstance(v, int) and name != "n" else v for name, v in values.items()}
    return say(key, **shown)


@cache
def words(language: str) -> Words:
    """Return the catalogue of `language`.

    Raises
    ------
    UnknownName
        If there is no such language.
    """
    return Words(language)


@cache
def _catalogue(language: str) -> dict[str, str]:
    if language not in languages():
        raise UnknownName("language", language, languages())
    text = (Path(__file__).parent / "languages" / f"{language}.toml").read_text(encoding="utf-8")
    flat: dict[str, str] = {}
    _flatten(tomllib.loads(text), "", flat)
    return flat


def _flatten(tree: Mapping[str, object], prefix: str, flat: dict[str, str]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{key}.", flat)
        else:
            flat[prefix + key] = str(value)
