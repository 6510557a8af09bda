"""What can go wrong → one tree of errors, each with what is wrong, where, what was seen, what to do.

The command line prints the message alone and exits with the error's `exit_code`. Anything else that
escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SocmlError(Exception):
    """Any error that socml raises on purpose. Raised with a `Sentence`, `error_text` tells it in every language."""

    exit_code = 1


class ConfigurationError(SocmlError):
    """A project, recipe or option that cannot be used as it stands."""

    exit_code = 2


class RecipeError(ConfigurationError):
    """A recipe that does not parse or breaks its own declaration."""


class UnknownName(ConfigurationError):
    """A recipe, component or column that does not exist; names the nearest that does.

    Examples
    --------
    >>> print(UnknownName("experiment", "fist-look", ["first-look"]))
    There is no experiment called 'fist-look'. Did you mean 'first-look'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"There is no {kind} called {name!r}.{did_you_mean(name, self.known)}")

    @property
    def nearest(self) -> str:
        """The known name that is most like it; empty if none is."""
        return next(iter(get_close_matches(self.name, self.known, n=1, cutoff=0.5)), "")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, list[str]]]:
        """Return what a copy in another process is made of."""
        return type(self), (self.kind, self.name, self.known)


class DataError(SocmlError):
    """Input that does not hold what the step needs."""

    exit_code = 3


class FormatError(DataError):
    """A file that is not, or is no longer, in the format it is read as."""


class ContractError(DataError):
    """A table that breaks its contract in `socml.project.tables`."""


class ModelError(SocmlError):
    """A model that cannot be fitted, saved, loaded or trusted."""

    exit_code = 4


class TryLater(SocmlError):
    """Something is busy or away; the same command will work later."""

    exit_code = 75


class Notice(UserWarning):
    """Something that a user should know, and that did not stop the step: a damaged file was made anew, for one."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps after a misspelt name, with a leading blank.

    Examples
    --------
    >>> did_you_mean("entitty", ["entity", "window"])
    " Did you mean 'entity'?"
    >>> did_you_mean("x", [])
    ''
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]!r}?"
    if known:
        listed = ", ".join(repr(k) for k in known[:12])
        return f" Known: {listed}{', …' if len(known) > 12 else ''}."
    return ""
