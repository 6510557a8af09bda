"""A `[[when]]` of a map of a format → the columns of the events that it holds of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from socml.formats._json import text_of
from socml.project import RecipeError

__all__ = ["When", "compiled", "when_of"]


@dataclass(frozen=True)
class When:
    """Columns of the events in which one of the fields begins like the pattern."""

    fields: tuple[str, ...]
    pattern: re.Pattern[str]
    columns: dict[str, object]

    def holds(self, found: Mapping[str, object]) -> bool:
        """Say whether the columns are those of an event with these fields."""
        return any(self.pattern.match(text_of(found[name]) or "") for name in self.fields if name in found)


def when_of(given: Mapping[str, object], path: Path) -> When:
    """Return what a `[[when]]` says; RecipeError if it lacks something."""
    if "field" not in given or "pattern" not in given:
        raise RecipeError(f"{path}: a [[when]] has a `field` and a `pattern`, and the columns that follow from them.")
    fields = given["field"]
    columns = {name: value for name, value in given.items() if name not in ("field", "pattern")}
    names = (fields,) if isinstance(fields, str) else tuple(cast("list[str]", fields))
    return When(names, compiled(path, "pattern", str(given["pattern"])), columns)


def compiled(path: Path, key: str, pattern: str) -> re.Pattern[str]:
    """Return a pattern of a map; RecipeError if it is none."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise RecipeError(f"{path}: `{key}` is no regular expression: {error}.") from None
