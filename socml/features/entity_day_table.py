"""The tables of several feature sets → one row an entity and day, all their columns side by side.

A feature set that has no events in a dataset gives no columns that say anything; `absent` names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features.daily_tables import DailyTables
from socml.project import FeatureRecipe


@dataclass(frozen=True)
class Column:
    """A column of the list, with what its feature set declares of it."""

    name: str
    feature_set: str
    role: str  # source, destination, host or account
    family: str
    floor: float  # a value below it says nothing
    weight: float  # of the family beside others
    is_new: bool  # counts what was never seen before
    about: str
    about_fr: str
    shown_with: str  # column of the feature set that names what the value is about; empty if none
    usual: float = 0.0  # value that one entity in ten reaches in an ordinary network; 0 if nobody said


@dataclass(frozen=True)
class EntityDay:
    """What the feature sets say of one day: row i is `role[i]`, `entity[i]`; `values` has shape (rows, columns)."""

    day: date
    role: NDArray[np.object_]
    entity: NDArray[np.object_]
    values: NDArray[np.float64]


def columns_of(recipes: Sequence[FeatureRecipe]) -> tuple[Column, ...]:
    """Return the columns of some feature sets, in their order."""
    return tuple(
        Column(
            name=name,
            feature_set=recipe.name,
            role=recipe.role,
            family=recipe.family,
            floor=0.0 if name in recipe.new else recipe.floor,
            weight=recipe.weight,
            is_new=name in recipe.new,
            about=about,
            about_fr=recipe.columns_fr.get(name, about),
            shown_with=recipe.shown_with.get(name, ""),
            usual=recipe.usual.get(name, 0.0),
        )
        for recipe in recipes
        for name, about in recipe.columns.items()
    )


def entity_days(tables: DailyTables) -> Iterator[EntityDay]:
    """Yield each day's rows, the first day first."""
    for day in tables.days:
        yield entity_day(tables, day)


def entity_day(tables: DailyTables, day: date) -> EntityDay:
    """Return the rows of one day, sorted by role and entity; what a set does not say of an entity is 0."""
    parts = [(tables.read(recipe, day).to_pandas(), list(recipe.columns)) for recipe in tables.recipes]
    return side_by_side(day, parts)


def side_by_side(day: date, parts: Sequence[tuple[pd.DataFrame, list[str]]]) -> EntityDay:
    """Return the rows of several tables as one, sorted by role and entity.

    Parameters
    ----------
    parts : tables with role and entity, each with the names of its columns of values
    """
    keys = pd.concat([part[["role", "entity"]] for part, _ in parts]).drop_duplicates()
    keys = keys.sort_values(["role", "entity"], kind="stable", ignore_index=True)
    index = pd.MultiIndex.from_frame(keys)
    values = np.zeros((len(keys), sum(len(names) for _, names in parts)))
    at = 0
    for part, names in parts:
        rows = index.get_indexer(pd.MultiIndex.from_frame(part[["role", "entity"]]))
        numbers = np.nan_to_num(part[names].to_numpy(np.float64), nan=0.0)
        np.maximum.at(values[:, at : at + len(names)], rows, np.maximum(numbers, 0.0))
        at += len(names)
    return EntityDay(day, keys["role"].to_numpy(object), keys["entity"].to_numpy(object), values)


def absent_sets(tables: DailyTables) -> list[str]:
    """Return the feature sets that say nothing of any day: the dataset has no events for them."""
    return [recipe.name for recipe in tables.recipes if not any(len(tables.read(recipe, day)) for day in tables.days)]
