"""A case → a report in Markdown."""

from __future__ import annotations

from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import markdown
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["MarkdownReport"]


class MarkdownReport(FileResponder):
    """Write a report that a person reads: what was seen, entities, notes, time line; addresses are defanged."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the report."""
        return Draft(
            "file",
            files={f"{case.id}.md": markdown(case, observables(case, settings), settings.language)},
            undo="removed",
        )
