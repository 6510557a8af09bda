"""Whatever is wrong with a recipe or a section of socml.toml, one sentence names where, the key, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

import socml
from socml.project import NightSettings, RecipeError, Search, SinkSettings, SourceSettings, Validation
from socml.project.declared import ALLOWED, READER_SETS, Declared, checked
from socml.project.errors import ConfigurationError
from socml.project.night_sections import CheckSettings
from socml.project.periods import Period
from socml.project.project import Project
from socml.project.recipe_sections import Download, Queue, Stream, Sweep, Training, Truth
from socml.project.recipes import KINDS, TableShape, parse_recipe

SECTIONS = [NightSettings, CheckSettings, SourceSettings, Validation, Search, Training, Queue, Sweep, Stream, Truth]
WRONG = (1, -1, 1e30, "x", "", True, float("inf"), [1], [[1]], {"a": 1}, 99**99)


def faults(kind: type[Declared]):
    """Yield what each field says of each wrong value, with both."""
    whole = {"features": "flow", "question": "?", "paths": ["a"]}
    for name in set(kind.model_fields) - READER_SETS:
        for value in WRONG:
            given = {key: one for key, one in whole.items() if key in kind.model_fields} | {name: value}
            try:
                checked(kind, given, "here.toml", error=RecipeError)
            except RecipeError as error:
                yield name, value, str(error)


@pytest.mark.parametrize(
    "kind", [*KINDS.values(), *SECTIONS, Download, TableShape, Period], ids=lambda kind: kind.__name__
)
def test_a_wrong_value_is_told_in_one_sentence(kind: type[Declared]) -> None:
    said = list(faults(kind))
    assert said
    for name, _value, sentence in said:
        assert sentence.startswith("here.toml")
        assert sentence.endswith((".", "?"))
        assert "\n" not in sentence
        assert {"features": "feature", "from_": "from"}.get(name, name) in sentence or "has no" in sentence
        assert not any(word in sentence for word in ("Input", "valid ", "pydantic", "instance of", "Value error"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mode = "bach"', "models/m.toml: mode is 'bach'; it must be 'batch', 'online', 'supervised' or 'daily'."),
        ("steps = [1]", "models/m.toml: steps[0] is 1; it must be text or a section."),
        ("[validation]\nfolds = 1", "models/m.toml: validation.folds is 1; it must be at least 2."),
        ("[validation]\ncut_off = [1]", "validation.cut_off is [1]; it must be a moment such as 2026-03-02T14:30."),
        ("[validation]\nalert_share = 1979-05-27", "validation.alert_share is 1979-05-27; it must be a number."),
        ("[validation]\nalert_share = inf", "models/m.toml: validation.alert_share is inf; it must be below 1."),
        ("seed = 1.5", "models/m.toml: seed is 1.5; it must be a whole number."),
        ("training = 3", "models/m.toml: training is 3; it must be a section."),
        ("[period]\nfro = 3", "models/m.toml has an unknown key 'period.fro'. Did you mean 'from'?"),
        ("[search]\nfactor = 2", "models/m.toml has no 'search.parameters', which it must give."),
    ],
)
def test_what_is_allowed_is_said_as_a_person_would(text: str, said: str) -> None:
    with pytest.raises(RecipeError) as raised:
        parse_recipe(socml.ModelRecipe, f'features = "flow"\n{text}\n', path=Path("models/m.toml"))
    assert said in str(raised.value)


@pytest.mark.parametrize("key", ["str", "list[str]", "a[b", "{x}"])
def test_an_unknown_key_is_named_however_it_is_called(key: str) -> None:
    with pytest.raises(RecipeError) as caught:
        checked(NightSettings, {key: 1}, "here.toml", error=RecipeError)
    assert str(caught.value).startswith(f"here.toml has an unknown key {key!r}.")


def test_a_key_in_a_list_of_sections_is_named() -> None:
    with pytest.raises(RecipeError, match=r"download\[0\]\.url is 1; it must be text"):
        checked(KINDS["datasets"], {"download": [{"url": 1}]}, "here", error=RecipeError)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: socml.ModelRecipe(features="flow", seed="x"), "ModelRecipe: seed is 'x'; it must be a whole number."),
        (lambda: socml.ModelRecipe(detector="pca"), "ModelRecipe has no 'features', which it must give."),
        (lambda: Validation(test_share=2), "Validation: test_share is 2; it must be below 1."),
        (lambda: socml.ModelRecipe(features="f", validation={"fold": 2}), "unknown key 'fold'. Did you mean 'folds'?"),
        (lambda: Period.of("yesterday"), "'yesterday' is neither a day nor a moment"),
    ],
)
def test_what_is_made_in_python_says_it_too(make, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make()
    assert said in str(raised.value)


def test_a_sink_does_not_repeat_what_may_be_a_secret(tmp_path: Path) -> None:
    from socml.jobs.outbox import make_sink

    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    with pytest.raises(ConfigurationError, match=r"\[sinks.pager\]: timeout_s must be a number\.$"):
        make_sink(SinkSettings("pager", "webhook", {"url": "https://a.example", "timeout_s": "hunter2"}), project)


def test_every_way_to_say_what_is_allowed_can_be_filled_in() -> None:
    for form in ALLOWED.values():
        form.format(gt=1, ge=1, lt=1, le=1, expected="a", min_length=1, pattern="a")
