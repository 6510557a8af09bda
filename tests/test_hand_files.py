"""What people make with an editor is read as the editor saved it: settings, recipes, maps of formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.project import ConfigurationError, RecipeError, init_project, load_dataset_recipe, read_project
from socml.respond import read_settings

SAVED = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]  # Unix; Notepad, its "Unicode", its "ANSI"
HALF = "é".encode() + b"\xe9"


@pytest.mark.parametrize("encoding", SAVED)
def test_settings_and_recipes_are_read_as_an_editor_saved_them(encoding: str, tmp_path: Path) -> None:
    init_project(tmp_path)
    for name, text in {
        "socml.toml": "# réglages\n",
        "datasets/shop.toml": 'about = "journaux de la boutique à Besançon"\n',
        "respond.toml": '# bloqués jamais\nallow = ["example.org"]\n',
    }.items():
        (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode(encoding))
    project = read_project(tmp_path)
    assert load_dataset_recipe("shop", project).about == "journaux de la boutique à Besançon"
    assert "example.org" in read_settings(project).allow


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    init_project(tmp_path)
    project = read_project(tmp_path)
    (tmp_path / "datasets" / "shop.toml").write_bytes(b"# " + HALF)
    with pytest.raises(RecipeError, match=r"shop\.toml"):
        load_dataset_recipe("shop", project)
    (tmp_path / "socml.toml").write_bytes(b"# " + HALF)
    with pytest.raises(ConfigurationError, match=r"socml\.toml"):
        read_project(tmp_path)
