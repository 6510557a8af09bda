"""A case → an nftables file that drops its public addresses for a while, and the file that takes it back.

https://wiki.nftables.org/wiki-nftables/index.php/Sets · A malformed address would be resolved as a host's name by nft, so
each is written by Python's `ipaddress`.
"""

from __future__ import annotations

import zlib

from socml.project import ConfigurationError
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["Nftables"]

HOURS = 24


class Nftables(FileResponder):
    """Write a table of its own, so that loading and removing it touches no other rule; each block ends by itself."""

    blocks = True

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the table and its removal; check it with nft -c -f."""
        found, hours = observables(case, settings), _hours(settings)
        table = f"socml_{zlib.crc32(case.id.encode()):08x}"
        name = f"{case.id}.nft"
        undo = f"{case.id}.undo.nft"
        if not found.blockable:
            return Draft("file", files={name: ""}, held=found.held)
        lines = [f"table inet {table} {{"]
        for version in (4, 6):
            these = [f"{one} timeout {hours}h" for one in found.blockable if one.version == version]
            elements = [f"        elements = {{ {', '.join(these)} }}"] if these else []
            lines += [
                f"    set blocked{version} {{",
                f"        type ipv{version}_addr",
                "        flags timeout",
                *elements,
                "    }",
            ]
        lines += [
            "    chain incoming {",
            "        type filter hook input priority -10; policy accept;",
            "        ip saddr @blocked4 counter drop",
            "        ip6 saddr @blocked6 counter drop",
            "    }",
            "}",
        ]
        files = {name: "\n".join(lines) + "\n", undo: f"delete table inet {table}\n"}
        return Draft(f"table {table}", files=files, held=found.held, undo="file_beside")


def _hours(settings: RespondSettings) -> int:
    given = settings.targets["nftables"].option("hours") if "nftables" in settings.targets else ""
    try:
        hours = int(given or HOURS)
    except ValueError:
        hours = 0
    if not 1 <= hours <= 24 * 90:
        raise ConfigurationError("respond.toml: [nftables]: hours is a number from 1 to 2160.")
    return hours
