"""The tables of several feature sets → one row an entity and day, all their columns side by side.

A feature set that has no events in a dataset gives no columns that say anything; `absent` names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
    return side_by_side(day, [(tables.read(recipe, day), list(recipe.columns)) for recipe in tables.recipes])


def side_by_side(day: date, parts: Sequence[tuple[pa.Table, list[str]]]) -> EntityDay:
    """Return the rows of several tables as one, sorted by role and entity.

    Parameters
    ----------
    parts : tables with role and entity, each with the names of its columns of values
    """
    role, entity = (
        pa.chunked_array([chunk for part, _ in parts for chunk in part[name].cast(pa.string()).chunks], pa.string())
        for name in ("role", "entity")
    )
    keys = pc.binary_join_element_wise(role, entity, "\0").combine_chunks().dictionary_encode()
    order = pc.sort_indices(keys.dictionary).to_numpy()
    place, of_row = np.argsort(order), keys.indices.to_numpy()
    first = np.empty(len(order), np.int64)
    first[of_row[::-1]] = np.arange(len(of_row))[::-1]  # where each role and entity stands first
    values = np.zeros((len(order), sum(len(names) for _, names in parts)))
    at = start = 0
    for part, names in parts:
        rows = place[of_row[start : start + len(part)]]
        for c, name in enumerate(names, at):
            numbers = pc.cast(part[name], pa.float64(), safe=False).to_numpy()
            np.maximum.at(values[:, c], rows, np.nan_to_num(np.maximum(numbers, 0.0), nan=0.0))
        at, start = at + len(names), start + len(part)
    roles, entities = (names.take(first[order]).to_numpy(zero_copy_only=False) for names in (role, entity))
    return EntityDay(day, roles, entities, values)


def absent_sets(tables: DailyTables) -> list[str]:
    """Return the feature sets that say nothing of any day: the dataset has no events for them."""
    return [recipe.name for recipe in tables.recipes if not any(tables.count(recipe, day) for day in tables.days)]
