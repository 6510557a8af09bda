"""What recipes say for the daily list → checked values: of a feature set its family, role and memory; of a model its sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from socml.project.declared import Declared


class DailyList(Declared):
    """What a feature set says of itself when it is a part of the daily list: one row an entity and day.

    Its SELECT reads the views of `socml.features.meanings`, and for each key of `first_seen` the views `KEY` (the key's
    columns, first_day, began) and `KEY_sources` (all its columns but the last, day, sources so far).
    """

    period: Literal["", "1 day"] = ""  # empty: not of the daily list
    family: str = ""  # kind of behaviour that the columns tell of; of a family only the largest column counts
    role: Literal["", "source", "destination", "host", "account"] = ""  # in which the entity stands in the row
    outside: bool = False  # whether entities outside the organisation count; else only those inside
    floor: float = Field(default=0, ge=0)  # a value below it says nothing; not for columns of `new`
    weight: float = Field(default=1, gt=0, le=1)  # of the family beside others
    first_seen: dict[str, list[str]] = {}  # key → columns of `meanings`; the last is who has used what the others name
    new: list[str] = []  # columns that count what was never seen before: own history says nothing about them
    usual: dict[str, float] = {}  # column → value that one entity in ten reaches, for the days without enough peers
    shown_with: dict[str, str] = {}  # column → column of the SELECT that names what it is about


class FeatureSets(Declared):
    """The feature sets that a model reads: `features = "one"`, or `features = ["several", …]` for the daily list."""

    feature_sets: list[str] = []  # what `features` names, where it is a list

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, declared: object) -> object:
        if not isinstance(declared, dict):
            return declared
        if isinstance(declared.get("features"), list):
            return {**declared, "features": "", "feature_sets": declared["features"]}
        return declared
