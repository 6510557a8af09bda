"""A supervised model's recipe and a dataset → what it is taught with: ground truth of the rows, or analysts' labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from socml.models.version import ModelVersion
    from socml.project import ModelRecipe, Project


def teaching_labels(recipe: ModelRecipe, dataset: str, *, project: Project) -> pd.DataFrame | None:
    """Return the current labels of a dataset if the recipe's model learns from analysts, else None."""
    if recipe.mode != "supervised" or recipe.training.labels != "analysts":
        return None
    from socml.labels import read_labels

    return read_labels(dataset=dataset, project=project)


def has_seen_truth(version: ModelVersion, dataset: str) -> bool:
    """Say whether the truth of this dataset taught the model: then metrics against it would flatter."""
    about = version.metadata
    return about.get("taught_by") == "truth" and about.get("dataset") == dataset
