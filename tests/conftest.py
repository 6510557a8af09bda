"""What several test modules need: the datasets beside the project, and a project of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from socml.project.project import Project, starter_root

# The fixtures that several test modules use stand beside what they hand out.
pytest_plugins = ["app_pages", "damage_lab", "label_writers", "log_folders", "lookup_server"]

ROOT = Path(__file__).resolve().parent.parent

# A machine that is slow or stands still for a while fails no test. One commit passes or fails alike wherever it is
# tested; `make properties` looks for what these examples do not show.
settings.register_profile("fresh", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("fresh"), derandomize=True)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with what takes long first, so that at the end no worker waits for another that has one of them."""
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


def shared_folder() -> Path:
    """Return where the datasets beside the project lie, whether or not they are there."""
    return Path(os.environ.get("SOCML_SHARED") or ROOT.parent / "shared")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project."""
    folder = shared_folder()
    if not (folder / "datasets").is_dir():
        pytest.skip(f"no datasets at {folder}: set SOCML_SHARED to the folder that holds them")
    return folder


@pytest.fixture(scope="session", autouse=True)
def home_of_no_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test outside a project neither reads nor writes what whoever runs it has made with socml."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        yield


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    """The shipped recipes with an empty workspace."""
    return Project(root=starter_root(), workspace=tmp_path / "workspace")


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A feature table of planted outliers, a forest and a baseline fitted on it: `data`, `forest`, `baseline`."""
    from fitted import BASELINE, FOREST, planted

    from socml.models.fitting import fit

    data = planted(tmp_path_factory.mktemp("fitted"))
    forest, baseline = (fit(r, data.features, project=data.project, truth=data.truth) for r in (FOREST, BASELINE))
    return {"data": data, "forest": forest, "baseline": baseline}


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A PostgreSQL of the tests' own; `new_database()` returns the address of an empty database."""
    from postgresql import Cluster, programs

    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: make postgresql")
    started = Cluster(found)
    yield started
    started.stop()
