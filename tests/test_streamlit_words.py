"""What Streamlit says in English alone: word for word as it does, and said in every other language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socml.project import LANGUAGES, words

_GAP = re.compile(r"\{\w+\}")
PREFIX = "app.streamlit."
KEYS = [key for key in words("en").catalogue if key.startswith(PREFIX)]


@pytest.mark.parametrize("key", KEYS)
def test_streamlit_still_says_it(key: str) -> None:
    streamlit = pytest.importorskip("streamlit")
    scripts = Path(streamlit.__file__).parent / "static" / "static" / "js"
    said = max(_GAP.split(words("en").catalogue[key]), key=len).strip().removeprefix("MB ").removesuffix(",")
    assert any(said in path.read_text(encoding="utf-8") for path in scripts.glob("*.js")), said


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_phrase_keeps_what_it_is_about(language: str) -> None:
    for key in KEYS:
        assert _GAP.findall(words(language).catalogue[key]) == _GAP.findall(words("en").catalogue[key]), key
