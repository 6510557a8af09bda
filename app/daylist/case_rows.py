"""A row of the daily list → the row of a case, with the sentence that stands beside it on Today, in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daylist.desk import kept_today
from socml.jobs import row_in_words
from socml.project import LANGUAGES, words
from socml.respond import CaseRow

if TYPE_CHECKING:
    from frame import Visit


def case_row(visit: Visit, row_id: str) -> CaseRow | None:
    """Return the row as a case keeps it; None if the list has none of that id."""
    today = kept_today(visit.project, visit.dataset)
    day = today.day_of_row(visit.store, row_id)
    if day is None:
        return None
    row = next((r for r in today.of(visit.store, str(day), shown=1_000).rows if r.row_id == row_id), None)
    if row is None:
        return None
    families = tuple(reason.reason.family for reason in row.reasons)
    lines = {language: row_in_words(row, words(language)) for language in LANGUAGES}
    return CaseRow(row_id, str(day), row.entity, row.role, lines[visit.say.language], families, lines)
