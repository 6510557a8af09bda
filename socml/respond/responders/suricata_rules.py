"""A case → Suricata rules for its public addresses and a dataset of its domains.

https://docs.suricata.io/en/latest/rules/ · No text of a log is in a rule: only addresses, checked names and the case's id.
"""

from __future__ import annotations

import base64
import zlib

from socml.project import ConfigurationError
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["SuricataRules"]

FIRST_SID = 9_100_000  # of the range kept for local rules; `first_sid` in [suricata-rules] moves it
_OF_A_CASE = 2


class SuricataRules(FileResponder):
    """Write alerts, never drops, for traffic with the case's addresses and for look-ups of its domains."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return rules and dataset; check them with suricata -T -S."""
        found, sid = observables(case, settings), _sid(case, settings)
        name = f"socml{zlib.crc32(case.id.encode()):08x}"
        date, rules, files = f"{case.opened:%Y_%m_%d}", [], {}
        about = f"metadata:socml_case {name}, created_at {date};"
        if found.blockable:
            addresses = ",".join(str(one) for one in found.blockable)
            rules.append(
                f'alert ip [{addresses}] any <> $HOME_NET any (msg:"socml case {name}: address"; '
                f"classtype:bad-unknown; sid:{sid}; rev:1; {about})"
            )
        if found.blockable_domains:
            rules.append(
                f'alert dns any any -> any any (msg:"socml case {name}: domain"; dns.query; '
                f"dataset:isset,{name},type string,load {name}.lst; classtype:trojan-activity; sid:{sid + 1}; rev:1; {about})"
            )
            encoded = [base64.b64encode(one.encode()).decode() for one in found.blockable_domains]
            files[f"{name}.lst"] = "\n".join(encoded) + "\n"
        files[f"{name}.rules"] = "\n".join(rules) + "\n" if rules else ""
        return Draft("file", files=files, held=found.held, undo="removed")


def _sid(case: Case, settings: RespondSettings) -> int:
    given = settings.targets["suricata-rules"].option("first_sid") if "suricata-rules" in settings.targets else ""
    try:
        first = int(given or FIRST_SID)
    except ValueError:
        raise ConfigurationError("respond.toml: [suricata-rules]: first_sid is a number.") from None
    number = int(case.id[1:]) if case.id[1:].isdigit() else zlib.crc32(case.id.encode()) % 100_000
    return first + _OF_A_CASE * number
