"""A place on disk → the project: where recipes are read and where results are written.

Recipes are looked for in `SOCML_PROJECT`, then in the nearest parent folder with a `socml.toml`, then in
the copy inside the package. The repository, a user's project and the wheel have one shape.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from socml.errors import ConfigurationError, did_you_mean

MARKER = "socml.toml"
RECIPE_FOLDERS = ("datasets", "features", "models", "experiments")
STARTER_FOLDERS = (*RECIPE_FOLDERS, "notebooks")
LANGUAGES = ("en", "fr")

_KNOWN: dict[str, dict[str, type]] = {
    "": {"workspace": str, "language": str},
    "engine": {"memory_limit": str, "threads": int},
    "tracking": {"uri": str},
    "labels": {"url": str},
}


@dataclass(frozen=True)
class Project:
    """Where things are. Paths are absolute; folders of the workspace are made when first written to."""

    root: Path
    workspace: Path
    language: str = "en"
    memory_limit: str = "4GB"
    threads: int = 0
    tracking_uri: str = ""
    labels_url: str = ""
    settings: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def recipes(self, kind: str) -> Path:
        """Return the folder that holds the recipes of `kind` (`datasets`, `features`, …)."""
        return self.root / kind

    def folder(self, *parts: str) -> Path:
        """Return a folder of the workspace, made if it is not there."""
        path = self.workspace.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


def find_project(start: str | Path | None = None) -> Project:
    """Return the project that `start` (default: the working folder) belongs to.

    Raises
    ------
    ConfigurationError
        If `SOCML_PROJECT` names no project, or `socml.toml` does not parse.
    """
    named = os.environ.get("SOCML_PROJECT")
    if named and start is None:
        root = Path(named).expanduser().resolve()
        if not (root / MARKER).is_file():
            raise ConfigurationError(f"SOCML_PROJECT is {root}, but there is no {MARKER} there. Run: socml init {root}")
        return read_project(root)
    here = Path(start or Path.cwd()).expanduser().resolve()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_file():
            return read_project(folder)
    return _starter_project()


def read_project(root: Path) -> Project:
    """Return the project whose `socml.toml` lies in `root`; an unknown key is an error."""
    path = root / MARKER
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    flat = _checked(settings, path)
    workspace = Path(os.environ.get("SOCML_WORKSPACE") or str(flat.get("workspace") or "workspace")).expanduser()
    language = str(flat.get("language") or "en")
    if language not in LANGUAGES:
        raise ConfigurationError(f"{path}: language is {language!r}. Known: {', '.join(LANGUAGES)}.")
    return Project(
        root=root,
        workspace=workspace if workspace.is_absolute() else root / workspace,
        language=language,
        memory_limit=str(flat.get("engine.memory_limit") or "4GB"),
        threads=int(str(flat.get("engine.threads") or 0)),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or str(flat.get("tracking.uri") or ""),
        labels_url=os.environ.get("SOCML_LABELS_URL") or str(flat.get("labels.url") or ""),
        settings=settings,
    )


def starter_root() -> Path:
    """Return the folder of the recipes that come with socml: in the wheel, or the checkout itself."""
    package = Path(__file__).resolve().parent
    inside = package / "_starter"
    return inside if inside.is_dir() else package.parent


def init_project(target: str | Path) -> list[Path]:
    """Copy the starter into `target` and return the files written.

    A file that is already there is left as it is: running it twice loses nothing.
    """
    root = Path(target).expanduser().resolve()
    if root.exists() and not root.is_dir():
        raise ConfigurationError(f"{root} is a file, not a folder.")
    written: list[Path] = []
    for folder in STARTER_FOLDERS:
        source = starter_root() / folder
        (root / folder).mkdir(parents=True, exist_ok=True)
        for path in sorted(p for p in source.glob("*") if p.is_file() and p.suffix != ".py"):
            copy = root / folder / path.name
            if not copy.exists():
                shutil.copyfile(path, copy)
                written.append(copy)
    for name, text in {MARKER: STARTER_SETTINGS, ".gitignore": "workspace/\n"}.items():
        if not (root / name).exists():
            (root / name).write_text(text, encoding="utf-8")
            written.append(root / name)
    return written


STARTER_SETTINGS = """\
# A socml project: this folder holds the recipes, `workspace` what came out of them.
workspace = "workspace"
language = "en"            # "en" or "fr": words in the terminal and the app's first language

[engine]
memory_limit = "4GB"       # what DuckDB may hold before it spills to disk
threads = 0                # 0: as many as the machine has cores

[tracking]
uri = ""                   # empty: SQLite in the workspace; else any MLflow tracking server

[labels]
url = ""                   # empty: SQLite in the workspace; else an SQLAlchemy address
"""


def _starter_project() -> Project:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    workspace = os.environ.get("SOCML_WORKSPACE") or data / "socml" / "workspace"
    return Project(
        root=starter_root(),
        workspace=Path(workspace).expanduser().resolve(),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI", ""),
        labels_url=os.environ.get("SOCML_LABELS_URL", ""),
    )


def _checked(settings: dict[str, object], path: Path) -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and key in _KNOWN:
            for inner, inner_value in value.items():
                _check_key(inner, inner_value, _KNOWN[key], f"{path}: [{key}]")
                flat[f"{key}.{inner}"] = inner_value
        else:
            known = {**_KNOWN[""], **{section: dict for section in _KNOWN if section}}
            _check_key(key, value, known, str(path))
            flat[key] = value
    return flat


def _check_key(key: str, value: object, known: dict[str, type], where: str) -> None:
    if key not in known:
        raise ConfigurationError(f"{where} has an unknown key {key!r}.{did_you_mean(key, known)}")
    if not isinstance(value, known[key]) or isinstance(value, bool):
        raise ConfigurationError(f"{where}: {key} must be {known[key].__name__}, and is {value!r}.")
