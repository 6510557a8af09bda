"""What a recipe knows of its publisher's files → warnings: columns that leak, and files that hold other records than stated."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch

from socml.project import DatasetRecipe

__all__ = ["warnings_of_recipe"]


def warnings_of_recipe(recipe: DatasetRecipe, file_name: str, events: int, columns: Iterable[str]) -> list[str]:
    """Return what is to be said of a file that was read, once each.

    Examples
    --------
    >>> recipe = DatasetRecipe(expected_rows={"*training*": 175341, "*testing*": 82332}, leaks=["id"])
    >>> warnings_of_recipe(recipe, "UNSW_NB15_training-set.csv", 82332, ["dur"])
    ['It holds 82,332 records, which are those of *testing*: the names of the partitions are swapped.']
    >>> warnings_of_recipe(recipe, "UNSW_NB15_testing-set.csv", 82332, ["id"])
    ["Column 'id' gives the label away, by what is known of this dataset. Drop it: table.drop."]
    """
    name = file_name.lower()
    warnings = [
        f"Column {column!r} gives the label away, by what is known of this dataset. Drop it: table.drop."
        for column in recipe.leaks
        if column in set(columns)
    ]
    stated = next((rows for pattern, rows in recipe.expected_rows.items() if fnmatch(name, pattern.lower())), None)
    if stated is None or events == stated:
        return warnings
    other = next((pattern for pattern, rows in recipe.expected_rows.items() if rows == events), "")
    if other:
        warnings.append(
            f"It holds {events:,} records, which are those of {other}: the names of the partitions are swapped."
        )
    else:
        warnings.append(f"It holds {events:,} records; the publisher states {stated:,}.")
    return warnings
