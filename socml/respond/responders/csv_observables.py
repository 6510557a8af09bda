"""A case → a table of its addresses, domains and hosts that any spreadsheet or firewall reads."""

from __future__ import annotations

import csv
import io

from socml.project import spreadsheet_text, visible_line
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["CsvObservables"]


class CsvObservables(FileResponder):
    """Write kind, value and case a line; no value is taken for a formula."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the table."""
        found = observables(case, settings)
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "value", "may_be_blocked", "case"])
        blockable = {str(one) for one in found.blockable} | set(found.blockable_domains)
        rows = [("ip", str(one)) for one in found.addresses]
        rows += [("domain", one) for one in found.domains] + [("host", one) for one in found.hosts]
        writer.writerows(
            [kind, spreadsheet_text(visible_line(v)), "yes" if v in blockable else "no", case.id] for kind, v in rows
        )
        return Draft("file", files={f"{case.id}.csv": file.getvalue()}, undo="removed")
