"""A project → what is in order and what is not, each with what to do; and what can be made anew is.

check_up(project)          →  list of Finding
repair(findings)           →  what was done, and what could not be
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from socml.jobs.health_finding import Finding, looked_at
from socml.jobs.health_labels import labels
from socml.jobs.health_machine import installation, leftovers, place, space, times
from socml.jobs.health_models import registry
from socml.jobs.health_tables import events, features, runs
from socml.project import (
    Project,
    SocmlError,
    as_socml_error,
    load_dataset_recipe,
    load_experiment_recipe,
    load_feature_recipe,
    load_model_recipe,
    recipe_names,
)

_ONLY_A_PERSON = "cannot be repaired from here"


def check_up(project: Project) -> list[Finding]:
    """Look at everything that a project stands on. Nothing is changed, and one problem hides no other."""
    looks = {
        "workspace": place,
        "space left": space,
        "recipes": _recipes,
        "label store": labels,
        "datasets with events": events,
        "features": features,
        "scoring runs": runs,
        "model registry": registry,
        "leftovers": leftovers,
        "times": times,
    }
    found = looked_at("installation", installation)
    for what, look in looks.items():
        found += looked_at(what, partial(look, project))
    return found


def repair(findings: Iterable[Finding]) -> list[str]:
    """Make anew what can be, in the order of the line, and return a sentence for each; also for what cannot be."""
    repaired = []
    for finding in findings:
        if finding.repair is None:
            if not finding.ok:
                repaired.append(f"{finding.what}: {_ONLY_A_PERSON}. {finding.remedy}")
            continue
        try:
            repaired.append(f"{finding.what}: {finding.repair()}")
        except Exception as error:
            why = as_socml_error(error)
            if why is None:
                raise
            repaired.append(f"{finding.what}: could not be repaired. {why}")
    return repaired


def _recipes(project: Project) -> Iterator[Finding]:
    loaders = {
        "datasets": load_dataset_recipe,
        "features": load_feature_recipe,
        "models": load_model_recipe,
        "experiments": load_experiment_recipe,
    }
    for kind, load in loaders.items():
        names = recipe_names(kind, project)
        broken = []
        for name in names:
            try:
                load(name, project)
            except SocmlError as error:
                broken.append(str(error))
        text = "; ".join(broken) or str(len(names))
        yield Finding(f"{kind} recipes", text, ok=not broken, remedy="Mend the recipe." if broken else "")
