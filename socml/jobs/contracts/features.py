"""A feature set's name → its promises: it builds over a few events, each column has a meaning, ids are one a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.features import build_features
from socml.project import Project, event_table, load_feature_recipe

if TYPE_CHECKING:
    import pandas as pd

EVENTS = 120


def checked_features(project: Project) -> Sequence[Callable[[str], None]]:
    """Return the promises of a project's feature sets; each takes the name of one."""

    def parses(name: str) -> None:
        """Its comment is a declaration: about, entity, window, blind_to and the meaning of every column."""
        recipe = load_feature_recipe(name, project)
        assert recipe.about, "it has no about"
        assert recipe.blind_to, "it has no blind_to"

    def built(name: str, events: pa.Table) -> pd.DataFrame | None:
        recipe = load_feature_recipe(name, project)
        return None if recipe.period else build_features(recipe, events, project=project)  # the daily list has views

    def builds(name: str) -> None:
        """Its SELECT runs over events, gives the entity and window_start, and only numbers, truth values and texts."""
        built(name, _events())

    def has_a_row_an_entity_and_window(name: str) -> None:
        """Each row has an id of its own."""
        table = built(name, _events())
        twice = 0 if table is None else int(table.index.duplicated().sum())
        assert not twice, f"{twice} rows have the id of another: group by the entity and window_start"

    def builds_over_no_events(name: str) -> None:
        """Without a fitting event it gives an empty table, not an error."""
        built(name, _events().slice(0, 0))

    return (parses, builds, has_a_row_an_entity_and_window, builds_over_no_events)


def _events() -> pa.Table:
    """Return a few made-up connections, logons and requests of a morning."""
    import pandas as pd

    start = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    rows = [
        {
            "event_id": f"e{i:04}",
            "time": start + timedelta(seconds=37 * i),
            "class_uid": (4001, 3002, 4002)[i % 3],
            "source_ip": f"10.0.0.{i % 7 + 1}",
            "destination_ip": f"203.0.113.{i % 11 + 1}",
            "destination_port": (443, 53, 22)[i % 3],
            "source_bytes": 100 * i,
            "destination_bytes": 50 * i,
            "duration_s": 0.1 * (i % 9),
            "user_name": f"user-{i % 4}",
            "raw": f"line {i}",
            "source_file": "made-up.log",
            "source_line": i + 1,
        }
        for i in range(EVENTS)
    ]
    return event_table(pd.DataFrame(rows))
