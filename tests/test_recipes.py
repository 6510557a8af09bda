"""socml.project.recipes: strict parsing; every shipped recipe parses."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.project.errors import RecipeError, UnknownName
from socml.project.project import Project
from socml.project.recipes import (
    KINDS,
    DatasetRecipe,
    ExperimentRecipe,
    FeatureRecipe,
    ModelRecipe,
    load_experiment_recipe,
    load_feature_recipe,
    parse_recipe,
    recipe_names,
)

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = Project(root=REPOSITORY, workspace=REPOSITORY / "workspace")

FEATURES = """\
-- entity = "source_ip"
-- window = "5 minutes"
-- blind_to = "much"
-- [columns]
-- flows = "connections"
select source_ip, window_start, count(*) as flows from events group by all
"""


def test_a_feature_recipe_is_a_commented_header_and_a_select():
    recipe = parse_recipe(FeatureRecipe, FEATURES, path=Path("features/source.sql"))
    assert recipe.entity == ["source_ip"]
    assert recipe.window_seconds == 300
    assert recipe.name == "source"
    assert recipe.sql.startswith("select source_ip")


def test_the_hash_of_a_recipe_changes_with_its_text_and_only_with_it():
    one = parse_recipe(FeatureRecipe, FEATURES, path=Path("a.sql"))
    same = parse_recipe(FeatureRecipe, FEATURES, path=Path("b.sql"))
    other = parse_recipe(FeatureRecipe, FEATURES + " ", path=Path("a.sql"))
    assert one.hash == same.hash != other.hash


@pytest.mark.parametrize(
    ("kind", "text", "path", "message"),
    [
        (ModelRecipe, "detectr = 'x'\nfeatures = 'f'", "m.toml", "unknown key 'detectr'. Did you mean 'detector'"),
        (ModelRecipe, "detector = 'x'", "m.toml", "no 'features'"),
        (ModelRecipe, "detector = 3\nfeatures = 'f'", "m.toml", "detector is 3"),
        (ModelRecipe, "name = 'x'", "m.toml", "'name' is taken from the file"),
        (ExperimentRecipe, "question='q'\ndataset='d'\nmodel='m'\n[queue]\nbudgt=3", "e.toml", "Did you mean 'budget'"),
        (DatasetRecipe, "[table]\nheadr = true", "d.toml", "Did you mean 'header'"),
        (DatasetRecipe, "max_bad_share = 2", "d.toml", "max_bad_share is 2"),
        (DatasetRecipe, "[truth", "d.toml", "d.toml"),
        (FeatureRecipe, FEATURES.replace("5 minutes", "5 min"), "f.sql", "second, minute, hour or day"),
        (FeatureRecipe, FEATURES.replace('-- entity = "source_ip"\n', ""), "f.sql", "whom is a row about"),
        (FeatureRecipe, FEATURES.split("select", maxsplit=1)[0], "f.sql", "no SELECT"),
        (FeatureRecipe, FEATURES.replace("-- blind_to", "-- blnd_to"), "f.sql", "Did you mean 'blind_to'"),
    ],
)
def test_a_recipe_that_does_not_fit_names_file_key_and_fix(kind, text, path, message):
    with pytest.raises(RecipeError, match=message) as caught:
        parse_recipe(kind, text, path=Path(path))
    assert path in str(caught.value)


def test_a_misspelt_recipe_names_the_nearest():
    with pytest.raises(UnknownName, match="no experiment called 'fist-look'. Did you mean 'first-look'"):
        load_experiment_recipe("fist-look", PROJECT)


@pytest.mark.parametrize("name", ["../secrets", "first-look/..", "a b", "", "First-Look"])
def test_a_recipe_name_cannot_leave_its_folder(name):
    with pytest.raises(UnknownName):
        load_feature_recipe(name, PROJECT)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_shipped_recipe_parses(kind):
    names = recipe_names(kind, PROJECT)
    assert names, f"{kind}/ has no recipe"
    for name in names:
        path = PROJECT.recipes(kind) / f"{name}{'.sql' if kind == 'features' else '.toml'}"
        assert parse_recipe(KINDS[kind], path.read_text(encoding="utf-8"), path=path).name == name


@pytest.mark.parametrize("name", recipe_names("features", PROJECT))
def test_every_shipped_feature_is_described_in_both_languages(name):
    recipe = load_feature_recipe(name, PROJECT)
    if "*" not in recipe.columns:
        assert set(recipe.columns) == set(recipe.columns_fr)
    assert recipe.blind_to
