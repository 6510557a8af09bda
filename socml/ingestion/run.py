"""What the files of one ingest share, and what a format's records are like where a file may be cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from socml.formats import Format, ReadOptions
from socml.ingestion.matching import Match
from socml.ingestion.truth import TruthBeside
from socml.project import DatasetRecipe

__all__ = ["FileJob", "Run", "begins_document", "options_of", "spans_lines"]

_DOCUMENT = re.compile(rb"\s*(?:\[\s*[\[{\"\]]|<[?!A-Za-z])")  # and not `[2026-03-02 …] text`
_OBJECT = re.compile(rb"\s*\{")


@dataclass(frozen=True)
class Run:
    """What the files of one ingest share.

    Attributes
    ----------
    asked : the format to read all as; "auto": each as it was read before, or as its content tells
    retry : files with records in quarantine are read again, in the format that their content tells now
    files : all of the command
    """

    dataset: str
    recipe: DatasetRecipe
    truth: TruthBeside | None
    now: datetime
    read_as: str
    asked: str = "auto"
    retry: bool = False
    files: tuple[Path, ...] = ()

    def options(self, column_types: Mapping[str, pa.DataType]) -> ReadOptions:
        """Return what the readers need to know of the recipe and of the dataset so far."""
        return replace(options_of(self.recipe), column_types=column_types, beside=self.files)


@dataclass(frozen=True)
class FileJob:
    """A file to be read: `segment_id` is what it is or becomes, `bad_lines` those of it that are in quarantine."""

    match: Match
    segment_id: str
    bad_lines: frozenset[int] = frozenset()

    def afresh(self) -> FileJob:
        """Return the same job for another process: what this one has read of the file stays here."""
        file = replace(self.match.file, source=self.match.file.source.afresh())
        return replace(self, match=replace(self.match, file=file))


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
