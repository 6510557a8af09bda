"""A case → commands for fail2ban-client that ban its public addresses, and the commands that take the bans back."""

from __future__ import annotations

import re

from socml.project import ConfigurationError
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["Fail2Ban"]

_JAIL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,25}")


class Fail2Ban(FileResponder):
    """Write what an administrator runs with `sh`; the app runs nothing and needs no rights of root."""

    blocks = True

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the bans and their undoing; addresses are written by Python, never copied from a log."""
        found = observables(case, settings)
        jail = settings.targets["fail2ban"].option("jail", "sshd") if "fail2ban" in settings.targets else "sshd"
        if not _JAIL.fullmatch(jail):
            raise ConfigurationError("respond.toml: [fail2ban]: jail is a name of letters, digits, - and _.")
        files = {
            f"{case.id}.{name}.sh": "".join(f"fail2ban-client set {jail} {verb} {one}\n" for one in found.blockable)
            for name, verb in (("fail2ban-ban", "banip"), ("fail2ban-unban", "unbanip"))
        }
        return Draft(f"jail {jail}", files=files, held=found.held, undo="file_beside")
