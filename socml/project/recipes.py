"""A TOML or SQL file → a recipe, parsed strictly: an unknown key is an error that names the nearest.

Recipes hold declarations and nothing else. Their names are their file names without the ending.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field

from socml.project.declared import Declared, checked
from socml.project.errors import RecipeError, UnknownName
from socml.project.hand_files import text_by_hand
from socml.project.periods import Period
from socml.project.recipe_sections import (
    DailyList,
    Download,
    FeatureSets,
    Queue,
    Search,
    Stream,
    Sweep,
    Training,
    Validation,
)
from socml.project.recipe_sections import Truth as Truth  # noqa: PLC0414  readers import it from here
from socml.project.registry import open_components

if TYPE_CHECKING:
    from socml.project.project import Project

SUFFIX = {"datasets": ".toml", "features": ".sql", "models": ".toml", "experiments": ".toml"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WINDOW = re.compile(r"([1-9][0-9]*) (second|minute|hour|day)s?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class Recipe(Declared):
    """What every recipe has. `path` and `hash` are set by the reader."""

    about: str = ""
    name: str = Field(default="", exclude=True)
    path: Path = Field(default=Path(), exclude=True)
    hash: str = Field(default="", exclude=True)

    @property
    def where(self) -> str:
        """What errors call it by: its file; one that was made by hand by its name."""
        if self.path != Path():
            return str(self.path)
        kind = "model" if isinstance(self, ModelRecipe) else "recipe"
        return f"The {kind} {self.name!r}" if self.name else f"The {kind}"


class TableShape(Declared):
    """How to read a table of columns (CSV, Parquet, NPZ) that is not a log format of its own."""

    header: bool = True
    columns: list[str] = []  # names, for a file without a header
    types: dict[str, Literal["number", "integer", "category", "text", "time"]] = {}
    rename: dict[str, str] = {}  # column of the file → event column
    drop: list[str] = []  # identifiers and leaks: kept in `raw`, never a column
    delimiter: str = ""  # empty: sniffed
    decimal: Literal[".", ","] = "."
    encoding: str = ""  # empty: UTF-8, with cp1252 when that fails
    missing: list[str] = ["", "NA", "N/A", "NaN", "nan", "null", "-"]


class DatasetRecipe(Recipe):
    """Files that yield events, and perhaps ground truth."""

    format: str = "auto"
    paths: list[str] = []  # files, folders or patterns, relative to the project; the command line may give others
    origin: str = ""
    licence: str = ""
    terms: str = ""  # address of the publisher's page, where the terms stand
    download: list[Download] = []  # what `socml fetch` gets
    by_hand: str = ""  # how to get it where there is no address: a form, a mail
    flaws: list[str] = []
    leaks: list[str] = []  # columns that give the label away; reported when they are read
    expected_rows: dict[str, int] = {}  # pattern of file names → records the publisher states; reported if they differ
    time_zone: str = "UTC"
    year: int | None = None  # of the first record, for formats whose times have no year
    time_format: str = ""
    bad_rows: Literal["quarantine", "stop"] = "quarantine"
    max_bad_share: float = Field(default=0.05, ge=0, le=1)
    table: TableShape | None = None
    truth: Truth | None = None
    stream: Stream = Stream()
    simulate: dict[str, Any] | None = None  # parameters of the simulator that makes the files


class FeatureRecipe(DailyList, Recipe):
    """A feature set: one SELECT over `events`, and what each of its columns means."""

    entity: list[str] = []  # whom a row is about: event columns
    window: str = ""  # "5 minutes"; empty: one row an event
    blind_to: str
    columns: dict[str, str]  # column → what it means, with its unit; "*" allows the dataset's own columns
    columns_fr: dict[str, str] = {}  # the same in French
    fill: dict[str, float] = {}  # value that stands for "none", so that the words can say it
    sql: str

    @property
    def window_seconds(self) -> int:
        """Length of the window in seconds, 0 if there is one row an event."""
        return window_seconds(self.window) if self.window else 0

    @property
    def sql_hash(self) -> str:
        """Hash of what the values depend on: the SELECT, the entity and the window, not the words about them."""
        content = "\0".join((self.sql, *self.entity, str(self.window_seconds)))
        return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


class ModelRecipe(FeatureSets, Recipe):
    """A detector, its parameters and its feature set."""

    mode: Literal["batch", "online", "supervised", "daily"] = "batch"  # the detector's folder, and how it learns
    # A component, or the import path of an estimator of River, scikit-learn or PyOD: "river.anomaly.LocalOutlierFactor".
    detector: str = "ensemble"  # the one that ranks best over many tables: docs/decisions/009
    steps: list[
        str | dict[str, object]
    ] = []  # before a detector that is an import path: paths, or {path = …, parameters}
    features: str
    seed: int = 0
    parameters: dict[str, Any] = {}  # of the detector
    preparation: dict[str, Any] = {}  # of the step before it: how columns become numbers
    training: Training = Training()  # supervised: what teaches it
    period: Period = Period()  # fitted on rows of that time only, known to be clean for one
    validation: Validation | None = None
    search: Search | None = None


class ExperimentRecipe(Recipe):
    """One question, the dataset and the model that would answer it, or a sweep over many."""

    question: str
    dataset: str = ""
    model: str = ""
    seeds: list[int] = [0]
    queue: Queue = Queue()
    sweep: Sweep | None = None
    validation: Validation | None = None  # of a sweep: how every cell is judged


KINDS: dict[str, type[Recipe]] = {
    "datasets": DatasetRecipe,
    "features": FeatureRecipe,
    "models": ModelRecipe,
    "experiments": ExperimentRecipe,
}
R = TypeVar("R", bound=Recipe)


def recipe_names(kind: str, project: Project) -> list[str]:
    """Return the names of the project's recipes of `kind`, sorted."""
    return sorted(p.stem for p in project.recipes(kind).glob(f"*{SUFFIX[kind]}") if _NAME.fullmatch(p.stem))


def load_dataset_recipe(name: str, project: Project) -> DatasetRecipe:
    """Return the recipe `datasets/<name>.toml`."""
    return _load("datasets", name, project, DatasetRecipe)


def load_feature_recipe(name: str, project: Project) -> FeatureRecipe:
    """Return the recipe `features/<name>.sql`."""
    return _load("features", name, project, FeatureRecipe)


def load_model_recipe(name: str, project: Project) -> ModelRecipe:
    """Return the recipe `models/<name>.toml`."""
    return _load("models", name, project, ModelRecipe)


def load_experiment_recipe(name: str, project: Project) -> ExperimentRecipe:
    """Return the recipe `experiments/<name>.toml`."""
    return _load("experiments", name, project, ExperimentRecipe)


def parse_recipe(kind: type[R], text: str, *, path: Path) -> R:
    """Return the recipe that `text` declares; `path` gives its name and stands in errors.

    Raises
    ------
    RecipeError
        Naming the file, the key, what was seen and the nearest known key.

    Examples
    --------
    >>> parse_recipe(ModelRecipe, 'detectr = "robust-z"', path=Path("models/m.toml"))
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: models/m.toml has an unknown key 'detectr'. Did you mean 'detector'?
    """
    declared = _sql_header(text, path) if path.suffix == ".sql" else _toml(text, path)
    for own in ("name", "path", "hash"):
        if own in declared:
            raise RecipeError(f"{path}: {own!r} is taken from the file and cannot be declared.")
    if kind is FeatureRecipe and isinstance(declared.get("entity"), str):
        declared["entity"] = [declared["entity"]]
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    given = {**declared, "name": path.stem, "path": path, "hash": digest}
    recipe = checked(kind, given, str(path), error=RecipeError)
    if isinstance(recipe, FeatureRecipe):
        _check_features(recipe)
    elif isinstance(recipe, ModelRecipe) and "training" in declared and recipe.mode != "supervised":
        raise RecipeError(f'{path} has [training], which is for mode = "supervised"; its mode is {recipe.mode!r}.')
    elif isinstance(recipe, ExperimentRecipe):
        _check_experiment(recipe, declared)
    return recipe


def window_seconds(window: str) -> int:
    """Return the seconds in a window such as "5 minutes".

    Examples
    --------
    >>> window_seconds("5 minutes"), window_seconds("1 hour")
    (300, 3600)
    """
    match = _WINDOW.fullmatch(window)
    if not match:
        raise RecipeError(f'window is {window!r}; write a number and second, minute, hour or day: "5 minutes".')
    return int(match[1]) * _SECONDS[match[2]]


def _load(kind: str, name: str, project: Project, model: type[R]) -> R:
    path = project.recipes(kind) / f"{name}{SUFFIX[kind]}"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise UnknownName(
            kind.removesuffix("s") if kind != "features" else "feature set", name, recipe_names(kind, project)
        )
    try:
        text = text_by_hand(path)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is not UTF-8: {error}") from error
    if (project.root / "socml.toml").is_file():
        open_components(project.root)  # what the recipe names is this project's
    return parse_recipe(model, text, path=path)


def _toml(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: {error if isinstance(error, ValueError) else 'it is nested too deep.'}") from error


def _sql_header(text: str, path: Path) -> dict[str, object]:
    lines = text.splitlines()
    header = []
    for line in lines:
        if not line.startswith("--"):
            break
        header.append(line[2:].removeprefix(" "))
    declared = _toml("\n".join(header), path)
    if "sql" in declared:
        raise RecipeError(f"{path}: 'sql' is what stands below the comment and cannot be declared.")
    return {**declared, "sql": "\n".join(lines[len(header) :]).strip()}


def _check_features(recipe: FeatureRecipe) -> None:
    where = str(recipe.path)
    if not recipe.sql:
        raise RecipeError(f"{where} has no SELECT below its comment.")
    if recipe.window and not recipe.entity:
        raise RecipeError(f"{where} has a window but no entity: whom is a row about?")
    if recipe.window:
        try:
            window_seconds(recipe.window)
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from None


def _check_experiment(recipe: ExperimentRecipe, declared: dict[str, object]) -> None:
    for key in ("dataset", "model"):
        if recipe.sweep is None and not declared.get(key):
            raise RecipeError(f"{recipe.path} has no {key!r}, which a recipe of this kind must give.")
        if recipe.sweep is not None and key in declared:
            raise RecipeError(
                f"{recipe.path} has {key!r} and [sweep]; a sweep lists them: {key}s = [{declared[key]!r}]."
            )
