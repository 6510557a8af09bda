"""What a value of the daily list is about: five names at most, and whether there are others."""

from __future__ import annotations

from pathlib import Path

import pytest
from daily_events import built, flow, project_in, rows, store

from socml.project import words
from socml.review import names_in_words

AGO, NOW = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"


@pytest.mark.parametrize(
    ("reached", "english", "french"),
    [
        (4, "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4", "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4"),
        (5, "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 and 1 more", "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 et 1 autre"),
        (9, "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 and others", "10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 et d’autres"),
    ],
)
def test_a_list_that_was_cut_says_so_and_never_how_many_it_does_not_know(
    tmp_path: Path, reached: int, english: str, french: str
) -> None:
    project = project_in(tmp_path)
    store(
        project,
        [flow(AGO, "10.0.0.1", "10.0.0.2"), *(flow(NOW, "10.0.0.1", f"10.0.1.{i + 1}") for i in range(reached))],
    )
    names = rows(built(project, "daily-edge"), "2026-03-02").loc["10.0.0.1", "newly_reached"]
    said = [names_in_words(names, words(language), longest=45) for language in ("en", "fr")]
    assert said == [english, french]


def test_a_text_with_commas_is_one_name() -> None:
    text = "user=<*>, from=<*>, a, b, c, d, e, f"
    assert names_in_words(text, words("en"), longest=60) == text
