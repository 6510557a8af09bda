"""socml.project.project: where recipes are read and results are written."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from socml.project.errors import ConfigurationError, Notice
from socml.project.project import STARTER_SETTINGS, find_project, init_project, starter_root

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("SOCML_PROJECT", "SOCML_WORKSPACE", "MLFLOW_TRACKING_URI", "SOCML_LABELS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_nearest_parent_with_a_marker_is_the_project(tmp_path):
    (tmp_path / "socml.toml").write_text("")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_project(inner).root == tmp_path


def test_the_environment_comes_before_the_parent_folders(tmp_path, monkeypatch):
    lab = tmp_path / "lab"
    init_project(lab)
    monkeypatch.setenv("SOCML_PROJECT", str(lab))
    assert find_project().root == lab


def test_an_environment_that_names_no_project_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SOCML_PROJECT", str(tmp_path))
    with pytest.raises(ConfigurationError, match="socml init"):
        find_project()


def test_without_any_project_the_starter_is_read_and_nothing_is_written_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    project = find_project("/")
    assert project.root == starter_root()
    assert project.workspace == tmp_path / "socml" / "workspace"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("workspce = 'w'", "Did you mean 'workspace'"),
        ("[engine]\nmemory = '1GB'", "Did you mean 'memory_limit'"),
        ("[engine]\nthreads = 'two'", "threads must be int"),
        ("language = 'de'", "Known: en, fr"),
        ("language = ", "socml.toml"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_the_fix(tmp_path, settings, message):
    (tmp_path / "socml.toml").write_text(settings)
    with pytest.raises(ConfigurationError, match=message):
        find_project(tmp_path)


def test_init_copies_the_starter_once_and_never_overwrites(tmp_path):
    written = init_project(tmp_path / "lab")
    changed = tmp_path / "lab" / "experiments" / "first-look.toml"
    changed.write_text("mine")
    assert {"datasets", "features", "models", "experiments"} <= {p.parent.name for p in written}
    assert init_project(tmp_path / "lab") == []
    assert changed.read_text() == "mine"


def test_the_settings_of_a_new_project_are_those_of_the_repository():
    assert (REPOSITORY / "socml.toml").read_text() == STARTER_SETTINGS


def test_a_workspace_elsewhere_can_be_named_by_the_environment(tmp_path, monkeypatch):
    (tmp_path / "socml.toml").write_text("")
    monkeypatch.setenv("SOCML_WORKSPACE", str(tmp_path / "elsewhere"))
    assert find_project(tmp_path).workspace == tmp_path / "elsewhere"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
def test_settings_that_another_user_put_into_a_folder_above_are_told_once(tmp_path):
    work = tmp_path / "shared" / "work"
    work.mkdir(parents=True)
    marker = work.parent / "socml.toml"
    marker.write_text("")
    os.chown(marker, 65534, 65534)
    with pytest.warns(Notice, match="belongs to another user"):
        assert find_project(work).root == work.parent
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        find_project(work)


@pytest.mark.parametrize(("mode", "told"), [(0o666, True), (0o664, False), (0o644, False)])
def test_settings_that_everybody_may_write_are_told(mode, told, tmp_path):
    (tmp_path / "socml.toml").write_text("")
    (tmp_path / "socml.toml").chmod(mode)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", Notice)
        find_project(tmp_path)
    assert ["Everybody may write it" in str(one.message) for one in seen] == [True] * told


def test_a_new_project_writes_through_no_link_that_was_there(tmp_path):
    root, elsewhere = tmp_path / "lab", tmp_path / "elsewhere"
    (root / "models").mkdir(parents=True)
    recipe = next((starter_root() / "models").glob("*.toml")).name
    for place in ("socml.toml", ".gitignore", f"models/{recipe}"):
        (root / place).symlink_to(elsewhere)
    init_project(root)
    assert not elsewhere.exists()
