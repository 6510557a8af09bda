"""What the files of one ingest share, and what a format's records are like where a file may be cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from socml.formats import Format, ReadOptions
from socml.ingestion.matching import InputFile
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.staging import Staging
from socml.ingestion.truth import TruthBeside
from socml.project import DatasetRecipe

__all__ = ["Run", "begins_document", "options_of", "spans_lines"]

_DOCUMENT = re.compile(rb"\s*(\[|<[?!A-Za-z])")
_OBJECT = re.compile(rb"\s*\{")


@dataclass
class Run:
    """What the files of one ingest share."""

    stage: Staging
    recipe: DatasetRecipe
    truth: TruthBeside | None
    now: datetime
    read_as: str
    column_types: OwnColumns
    bad_lines: Callable[[str], frozenset[int]]  # segment → lines in quarantine
    report: Callable[[InputFile, int], None]  # a file, and how many events it has so far
    files: tuple[Path, ...] = ()  # all of the command
    labels: dict[bool | None, int] = field(default_factory=dict)

    def options(self) -> ReadOptions:
        """Return what the readers need to know of the recipe and of the dataset so far."""
        return replace(options_of(self.recipe), column_types=self.column_types, beside=self.files)


def options_of(recipe: DatasetRecipe) -> ReadOptions:
    """Return what a recipe says about reading."""
    return ReadOptions(
        time_zone=recipe.time_zone,
        zone_is_given="time_zone" in recipe.model_fields_set,
        year=recipe.year,
        time_format=recipe.time_format,
        table=recipe.table,
        truth=recipe.truth,
    )


def spans_lines(reader: Format) -> bool:
    """Return whether a record may be more than a line, so that what follows it may change it."""
    return not getattr(reader, "one_a_line", True) or getattr(reader, "may_span_lines", False)


def begins_document(head: bytes, reader: Format) -> bool:
    """Return whether a file is binary or one document, and not lines, of which the last may be cut."""
    one_a_line = getattr(reader, "one_a_line", True)
    return b"\0" in head or bool(_DOCUMENT.match(head)) or (not one_a_line and bool(_OBJECT.match(head)))
