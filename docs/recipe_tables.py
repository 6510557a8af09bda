"""Recipe folders → the table in each folder's README. Run `make readmes` after adding a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from socml.project import (
    Project,
    load_dataset_recipe,
    load_experiment_recipe,
    load_feature_recipe,
    load_model_recipe,
    recipe_names,
)

ROOT = Path(__file__).resolve().parents[1]

INTRODUCTIONS = {
    "datasets": "A dataset: how its files are read, where they come from, on which terms, and where ground truth stands.",
    "features": "A feature set: one `SELECT` over `events`; the comment on top says what each column means.",
    "models": "A model: a detector, its parameters and its feature set.",
    "experiments": "An experiment: one question, the dataset and the model that would answer it.",
}
COLUMNS: dict[str, dict[str, Any]] = {
    "datasets": {"format": lambda r: r.format, "licence": lambda r: r.licence or "our own", "about": lambda r: r.about},
    "features": {
        "one row": lambda r: (
            " × ".join([" and ".join(r.entity), r.window or r.period]) if r.window or r.period else "an event"
        ),
        "about": lambda r: r.about,
        "blind to": lambda r: r.blind_to,
    },
    "models": {
        "detector": lambda r: r.detector,
        "features": lambda r: r.features or ", ".join(r.feature_sets),
        "about": lambda r: r.about,
    },
    "experiments": {
        "question": lambda r: r.question,
        "dataset": lambda r: r.dataset or ", ".join(r.sweep.datasets),
        "model": lambda r: r.model or ", ".join(r.sweep.models),
    },
}
LOADERS: dict[str, Any] = {
    "datasets": load_dataset_recipe,
    "features": load_feature_recipe,
    "models": load_model_recipe,
    "experiments": load_experiment_recipe,
}


def readme(kind: str) -> str:
    """Return the README of a recipe folder."""
    project = Project(root=ROOT, workspace=ROOT / "workspace")
    columns = COLUMNS[kind]
    lines = [
        f"# {kind}",
        "",
        INTRODUCTIONS[kind],
        "To add one, add one file; this table is made by `make readmes`.",
        "",
    ]
    lines += [f"| {kind.removesuffix('s')} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in recipe_names(kind, project):
        recipe = LOADERS[kind](name, project)
        cells = " | ".join(str(read(recipe)).replace("|", "\\|").replace("\n", " ") for read in columns.values())
        lines.append(f"| `{name}` | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for folder in INTRODUCTIONS:
        (ROOT / folder / "README.md").write_text(readme(folder), encoding="utf-8")
