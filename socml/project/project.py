"""A place on disk → the project: where recipes are read and where results are written.

Recipes are looked for in `SOCML_PROJECT`, then in the nearest parent folder with a `socml.toml`, then in
the copy inside the package. The repository, a user's project and the wheel have one shape.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tomllib
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from socml.project.addresses import checked_own, is_public, spelt_address
from socml.project.engines import memory_bytes
from socml.project.errors import ConfigurationError, Notice, did_you_mean
from socml.project.hand_files import text_by_hand
from socml.project.private import private_folder
from socml.project.registry import open_components

MARKER = "socml.toml"
RECIPE_FOLDERS = ("datasets", "features", "models", "experiments")
STARTER_FOLDERS = (*RECIPE_FOLDERS, "notebooks")
LANGUAGES = ("en", "fr")
ENGINES = ("duckdb", "spark")
LOOKUP_SERVICES = ("abuseipdb", "greynoise", "otx", "urlhaus", "virustotal")

_LEAST_MEMORY = 1_000_000  # bytes

NIGHT_SECTIONS = ("nightly", "checks", "sources", "sinks")  # read by `night_settings`

_KNOWN: dict[str, dict[str, type]] = {
    "": {"workspace": str, "language": str},
    "engine": {"name": str, "master": str, "memory_limit": str, "threads": int, "time_limit_s": int},
    "tracking": {"uri": str},
    "labels": {"url": str},
    "lookups": {},  # a list and a section a service: see `_lookups`
    **{name: {} for name in NIGHT_SECTIONS},
}
_LOOKUP = {"key_variable": str, "address": str, "private_address": bool}
# Services' keys are lower case or mixed, so that none passes for a variable in capitals.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class LookupService:
    """A service that may be asked about indicators. The key is not here: `key_variable` is where it is read when asking."""

    name: str
    key_variable: str
    address: str = ""  # base URL of a proxy; empty: the service's own
    private_address: bool = False  # the proxy may be on this machine, or in an inner network


@dataclass(frozen=True)
class Project:
    """Where things are. Paths are absolute; folders of the workspace are made when first written to."""

    root: Path
    workspace: Path
    language: str = "en"
    memory_limit: str = "4GB"
    threads: int = 0
    time_limit_s: int = 3600  # of one recipe's SELECT over one dataset
    engine: str = "duckdb"  # what features, scores and the daily list are computed by; or "spark"
    master: str = "local[*]"  # of Spark
    tracking_uri: str = ""
    labels_url: str = ""
    lookups: tuple[LookupService, ...] = ()
    never_looked_up: tuple[str, ...] = ()  # networks, and domains with all names below them
    settings: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def recipes(self, kind: str) -> Path:
        """Return the folder that holds the recipes of `kind` (`datasets`, `features`, …)."""
        return self.root / kind

    def rows_in_memory(self, bytes_a_row: int) -> int:
        """Return how many rows `memory_limit` has room for, one at least.

        Examples
        --------
        >>> Project(Path("lab"), Path("lab/workspace"), memory_limit="1GB").rows_in_memory(400)
        2500000
        """
        return max(memory_bytes(self.memory_limit) // bytes_a_row, 1)

    def folder(self, *parts: str) -> Path:
        """Return a folder of the workspace, made if it is not there, for its owner alone."""
        return private_folder(self.workspace.joinpath(*parts))


def find_project(start: str | Path | None = None) -> Project:
    """Return the project that `start` (default: the working folder) belongs to.

    Raises
    ------
    ConfigurationError
        If `SOCML_PROJECT` names no project, or `socml.toml` does not parse.
    """
    root = project_root(start)
    return _starter_project() if root is None else read_project(root)


def project_root(start: str | Path | None = None) -> Path | None:
    """Return the folder of the project that `start` belongs to, without reading it; None if that comes with socml.

    Raises
    ------
    ConfigurationError
        If `SOCML_PROJECT` names no project.
    """
    named = os.environ.get("SOCML_PROJECT")
    if named and start is None:
        root = Path(named).expanduser().resolve()
        if not (root / MARKER).is_file():
            raise ConfigurationError(f"SOCML_PROJECT is {root}, but there is no {MARKER} there. Run: socml init {root}")
        return root
    here = Path(start or Path.cwd()).expanduser().resolve()
    return next((folder for folder in (here, *here.parents) if (folder / MARKER).is_file()), None)


def read_project(root: Path) -> Project:
    """Return the project whose `socml.toml` lies in `root`; an unknown key is an error.

    It is the opened project from now on: its components (`detectors/x.py`, …) are found, and no other project's.
    """
    path = root / MARKER
    _tell_whose(path)
    try:
        settings = tomllib.loads(text_by_hand(path))
    except RecursionError:
        raise ConfigurationError(f"{path}: it is nested too deep.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    flat = _checked(settings, path)
    workspace = Path(os.environ.get("SOCML_WORKSPACE") or str(flat.get("workspace") or "workspace")).expanduser()
    language = str(flat.get("language") or "en")
    if language not in LANGUAGES:
        raise ConfigurationError(f"{path}: language is {language!r}. Known: {', '.join(LANGUAGES)}.")
    engine, time_limit_s = _engine(flat, path)
    lookups, never = _lookups(flat.get("lookups"), path)
    open_components(root)
    return Project(
        root=root,
        workspace=workspace if workspace.is_absolute() else root / workspace,
        language=language,
        memory_limit=str(flat.get("engine.memory_limit") or "4GB"),
        threads=int(str(flat.get("engine.threads") or 0)),
        time_limit_s=time_limit_s,
        engine=engine,
        master=str(flat.get("engine.master") or Project.master),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or str(flat.get("tracking.uri") or ""),
        labels_url=os.environ.get("SOCML_LABELS_URL") or str(flat.get("labels.url") or ""),
        lookups=lookups,
        never_looked_up=never,
        settings=settings,
    )


@cache
def _tell_whose(path: Path) -> None:
    """Say once that others write a project's settings: a file in a folder above is found, too, whoever put it there."""
    with suppress(OSError):
        found = path.stat()
        is_theirs = found.st_uid not in {os.geteuid(), 0}
        if is_theirs or found.st_mode & stat.S_IWOTH:
            who = "It belongs to another user" if is_theirs else "Everybody may write it"
            warnings.warn(
                f"{path}: {who}. It says where data, labels and models are kept and sent: trust whoever writes it, or "
                "work elsewhere.",
                Notice,
                stacklevel=4,
            )


def _engine(flat: Mapping[str, object], path: Path) -> tuple[str, int]:
    """Return the engine's name, and the seconds that a recipe's SQL may take."""
    engine = str(flat.get("engine.name") or Project.engine)
    if engine not in ENGINES:
        raise ConfigurationError(
            f"{path}: [engine]: name is {engine!r}.{did_you_mean(engine, ENGINES)} Known: {', '.join(ENGINES)}."
        )
    time_limit_s = int(str(flat.get("engine.time_limit_s", Project.time_limit_s)))
    threads = int(str(flat.get("engine.threads") or 0))
    if threads < 0:
        raise ConfigurationError(
            f"{path}: [engine]: threads is {threads}; it is at least 0: as many as the machine has cores."
        )
    limit = str(flat.get("engine.memory_limit") or Project.memory_limit)
    if memory_bytes(limit) < _LEAST_MEMORY:
        raise ConfigurationError(f"{path}: [engine]: memory_limit is {limit!r}; it is at least 1 MB.")
    if time_limit_s < 1:
        raise ConfigurationError(f"{path}: [engine]: time_limit_s is {time_limit_s}; it is at least 1 second.")
    return engine, time_limit_s


def starter_root() -> Path:
    """Return the folder of the recipes that come with socml: in the wheel, or the checkout itself."""
    package = Path(__file__).resolve().parents[1]
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
            if not os.path.lexists(copy):  # a link that leads nowhere is there: nothing is written through it
                shutil.copyfile(path, copy)
                written.append(copy)
    for name, text in {MARKER: STARTER_SETTINGS, ".gitignore": "workspace/\n"}.items():
        if not os.path.lexists(root / name):
            (root / name).write_text(text, encoding="utf-8")
            written.append(root / name)
    return written


STARTER_SETTINGS = """\
# A socml project: this folder holds the recipes, `workspace` what came out of them.
workspace = "workspace"
language = "en"            # "en" or "fr": the terminal, reports, and the app for browsers that prefer neither

[engine]
name = "duckdb"            # or "spark", for more machines than one: pip install 'socml[spark]', and Java 17
master = "local[*]"        # of Spark: "spark://host:7077", "yarn", "k8s://…"
memory_limit = "4GB"       # what DuckDB may hold before it spills to disk, and rows a model may take
threads = 0                # 0: as many as the machine has cores
time_limit_s = 3600        # seconds that one feature set may take over one dataset

[tracking]
uri = ""                   # empty: SQLite in the workspace; else any MLflow tracking server

[labels]
url = ""                   # empty: SQLite in the workspace; else an SQLAlchemy address

# [sources.office]                # what `socml nightly` reads; deploy/socml.toml and docs/operate.md have all that a night knows
# paths = ["/var/log/zeek"]
#
# [nightly]
# alerts_a_day = 20
#
# [lookups]                       # online services: nobody is asked unless a section names one
# never = ["example.org"]         # your own domains and networks: these are never sent out
# [lookups.virustotal]            # or abuseipdb, greynoise, otx, urlhaus
# key_variable = "VT_KEY"         # the environment variable that holds the key, never the key itself
# address = "https://10.0.0.5/vt" # of a proxy of your own; one that is not public needs private_address = true
"""


def _starter_project() -> Project:
    open_components(None)
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
        if key in {"lookups", *NIGHT_SECTIONS}:
            flat[key] = value
        elif isinstance(value, dict) and key in _KNOWN:
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


def _lookups(given: object, path: Path) -> tuple[tuple[LookupService, ...], tuple[str, ...]]:
    """Return the services that may be asked, and what is never sent. No message repeats a value: it may be a key."""
    if given is None:
        return (), ()
    where = f"{path}: [lookups]"
    if not isinstance(given, dict):
        raise ConfigurationError(f"{where} must be a section.")
    services: list[LookupService] = []
    for name, section in given.items():
        if name == "never":
            continue
        if name not in LOOKUP_SERVICES:
            raise ConfigurationError(
                f"{where} has an unknown key {name!r}.{did_you_mean(name, [*LOOKUP_SERVICES, 'never'])}"
            )
        if not isinstance(section, dict):
            raise ConfigurationError(f"{where}: {name} must be a section of its own, [lookups.{name}].")
        services.append(_lookup_service(name, section, f"{path}: [lookups.{name}]"))
    return tuple(services), checked_own(given.get("never", []), f"{where}: never")


def _lookup_service(name: str, section: dict[str, object], where: str) -> LookupService:
    of_variable = (
        'write key_variable = "NAME_OF_A_VARIABLE", in capitals, and put the key into that environment variable'
    )
    for key, value in section.items():
        if key.lower().replace("-", "_") in ("key", "api_key", "apikey", "auth_key", "token", "secret", "password"):
            raise ConfigurationError(f"{where} must not hold a key, for this file is committed: {of_variable}.")
        if key not in _LOOKUP:
            raise ConfigurationError(f"{where} has an unknown key {key!r}.{did_you_mean(key, _LOOKUP)}")
        if not isinstance(value, _LOOKUP[key]):
            raise ConfigurationError(f"{where}: {key} must be {_LOOKUP[key].__name__}.")
    variable, address = str(section.get("key_variable", "")), str(section.get("address", ""))
    if not _VARIABLE.fullmatch(variable):
        raise ConfigurationError(
            f"{where}: key_variable does not name a variable. A key must not stand here: {of_variable}."
        )
    is_private = bool(section.get("private_address", False))
    if address:
        _check_address(address, where, is_private)
    return LookupService(name, variable, address.rstrip("/"), is_private)


def _check_address(address: str, where: str, private_is_meant: bool) -> None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{where}: address is no URL.") from None
    if parts.username is not None or parts.query or parts.fragment or not address.isprintable() or " " in address:
        raise ConfigurationError(f"{where}: address is a base URL, without user, password, ? and #.")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ConfigurationError(f"{where}: address must begin with https:// (http:// only for this machine).")
    literal = spelt_address(host)
    if not private_is_meant and (is_loopback(host) or (literal is not None and not is_public(literal))):
        raise ConfigurationError(
            f"{where}: address is private or of this machine. If that is meant, add private_address = true."
        )


def is_loopback(host: str) -> bool:
    """Return whether a host of a URL is this machine, also as an IPv4 address in one of IPv6."""
    address = spelt_address(host)
    plain = getattr(address, "ipv4_mapped", None) or address
    return host == "localhost" if plain is None else bool(plain.is_loopback)
