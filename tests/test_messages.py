"""What daemons write, declared with its cases: each message becomes these columns, in linear time."""

from __future__ import annotations

from typing import Any

import pytest

from socml.formats._messages import KINDS, declarations
from socml.formats.host._syslog_messages import read_message
from tests.regex_runs import runs_away

CASES = [
    pytest.param(declared.programs[0], text, expected, id=f"{declared.name}: {text[:40]}")
    for declared in declarations()
    for text, expected in declared.cases
]


@pytest.mark.parametrize(("program", "text", "expected"), CASES)
def test_a_message_becomes_these_columns(program: str, text: str, expected: dict[str, Any]) -> None:
    columns, _ = read_message(program, text)
    assert {name: columns.get(name) for name in expected} == expected


@pytest.mark.parametrize("declared", declarations(), ids=lambda declared: declared.name)
def test_patterns_take_linear_time_and_every_one_has_a_case(declared: Any) -> None:
    assert declared.about
    assert declared.specification
    for template in declared.templates:
        assert template.kind in KINDS.values()
        assert runs_away(template.pattern, is_search=False, is_line=True) == "", template.pattern.pattern
        assert any(template.pattern.match(text) for text, _ in declared.cases), template.pattern.pattern
