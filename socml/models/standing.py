"""Versions of a model → which one scores (champion), which one is beside it (shadow), which one did before (previous).

Aliases of the registry. Nothing here promotes by itself: a person does, and can take it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socml.models.versions import CHAMPION, load_model, open_registry, registry_error, resolve_alias
from socml.project import ConfigurationError, Project, UnknownName

if TYPE_CHECKING:
    from mlflow import MlflowClient

SHADOW, PREVIOUS = "shadow", "previous"


@dataclass(frozen=True)
class Standing:
    """The numbers of a model's versions by what they are; empty where there is none."""

    model: str
    champion: str
    shadow: str
    previous: str


def standing_of(name: str, project: Project) -> Standing:
    """Return which versions of a model stand where.

    Raises
    ------
    UnknownName
        If the model was never fitted.
    """
    aliases = _aliases(open_registry(project, name), name)
    return Standing(name, *(aliases.get(alias, "") for alias in (CHAMPION, SHADOW, PREVIOUS)))


def set_shadow(name: str, version: str, project: Project) -> Standing:
    """Have a version score beside the champion."""
    _set(name, {SHADOW: version}, project)
    return standing_of(name, project)


def promote(name: str, version: str = SHADOW, *, project: Project) -> Standing:
    """Make a version the champion, once it was loaded in full; the champion so far becomes `previous`.

    Raises
    ------
    UnknownName, ModelError
        If there is no such version, or its files cannot be trusted.
    ConfigurationError
        If it is the champion already.
    """
    number = version if version.isdigit() else resolve_alias(name, version, project)
    load_model(name, number, project=project)
    before = standing_of(name, project)
    if number == before.champion:
        raise ConfigurationError(f"{name}/{number} is the champion already.")
    _set(name, {PREVIOUS: before.champion, CHAMPION: number}, project)
    if before.shadow == number:
        _remove(name, SHADOW, project)
    return standing_of(name, project)


def rollback(name: str, *, project: Project) -> Standing:
    """Make the version that was the champion before the champion again; once more takes that back.

    Raises
    ------
    ConfigurationError
        If none was.
    """
    before = standing_of(name, project)
    if not before.previous:
        raise ConfigurationError(f"No version of {name} was the champion before {before.champion or 'any'}.")
    return promote(name, before.previous, project=project)


def _aliases(client: MlflowClient, name: str) -> dict[str, str]:
    from mlflow.exceptions import MlflowException

    try:
        found = {model.name: model.aliases for model in client.search_registered_models()}
    except MlflowException as error:
        raise registry_error(error) from error
    if name not in found:
        raise UnknownName("fitted model", name, found)
    return {alias: str(number) for alias, number in found[name].items()}


def _set(name: str, aliases: dict[str, str], project: Project) -> None:
    from mlflow.exceptions import MlflowException

    client = open_registry(project, name)
    try:
        for alias, number in aliases.items():
            if number:
                client.set_registered_model_alias(name, alias, number)
    except MlflowException as error:
        raise registry_error(error) from error


def _remove(name: str, alias: str, project: Project) -> None:
    from mlflow.exceptions import MlflowException

    try:
        open_registry(project, name).delete_registered_model_alias(name, alias)
    except MlflowException as error:
        raise registry_error(error) from error
