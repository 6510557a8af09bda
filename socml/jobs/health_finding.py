"""One thing that the doctor looked at: what was found, and if it is a problem, what to do and whether socml can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from socml.project import SocmlError, as_socml_error, first_line


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found.

    Attributes
    ----------
    what, found : the two columns that are shown
    ok : whether it is as it should be
    remedy : what to do, a sentence; empty where all is well
    repair : makes it anew or takes it away, and says what it did; None where only a person can
    """

    what: str
    found: str
    ok: bool = True
    remedy: str = ""
    repair: Callable[[], str] | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, object]:
        """Return it fit for JSON."""
        return {
            "what": self.what,
            "found": self.found,
            "ok": self.ok,
            "remedy": self.remedy,
            "repairable": self.repair is not None,
        }


def looked_at(what: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a look found; where it met an error, that is the finding: the doctor never stops halfway."""
    try:
        return list(look())
    except Exception as error:
        failure = as_socml_error(error) or SocmlError(f"{type(error).__name__}: {first_line(error)}.")
        return [Finding(what, str(failure), ok=False, remedy="Do as the message says, then look again: socml doctor")]
