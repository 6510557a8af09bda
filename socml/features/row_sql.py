"""A feature recipe → SQL over `stored_events`, for either engine: the views it reads, its rows with their keys, their truth.

It is DuckDB's dialect; on Spark it is translated as the recipe is.
"""

from __future__ import annotations

from collections.abc import Iterable

from socml.project import FeatureRecipe, quoted, quoted_text


def events_sql(recipe: FeatureRecipe) -> str:
    """Return SQL for the view `events`: with `window_start`, and of a set of windows only what has a time."""
    window = recipe.window_seconds * 1_000_000
    if not window:
        return "select *, time as window_start from stored_events"
    # aligned to the epoch, so to UTC; the double modulo floors times before 1970 too
    start = f"make_timestamptz(epoch_us(time) - ((epoch_us(time) % {window}) + {window}) % {window})"
    return f"select *, {start} as window_start from stored_events where time is not null"  # noqa: S608


def columns_sql(names: Iterable[str]) -> str:
    """Return SQL for the view `table_columns`: these columns of the events."""
    return f"select {', '.join(map(quoted, names))} from stored_events"  # noqa: S608


def rows_sql(recipe: FeatureRecipe, columns: Iterable[str]) -> str:
    """Return SQL for the rows of a feature table: row_id, time, entity, then these columns, in the table's order."""
    listed = "".join(f", {quoted(name)}" for name in columns)
    known = " and ".join(f"{quoted(name)} is not null" for name in recipe.entity) if recipe.window else "true"
    return f"select {_keys(recipe)}{listed} from ({recipe.sql}\n) as given where {known} order by time, row_id"  # noqa: S608


def truth_sql(recipe: FeatureRecipe) -> str:
    """Return SQL for the ground truth of a feature table's rows: row_id, malicious, family, technique, by row_id.

    The family of a row of windows is the one that most of its malicious events have, the first in the alphabet of several.
    """
    if not recipe.window:
        return "select event_id as row_id, malicious, family, technique from truth order by row_id"

    def most(column: str) -> str:
        counted = (
            f"select row_id, {column}, count(*) as n from known where malicious and {column} is not null group by all"  # noqa: S608
        )
        return f"select row_id, list({column} order by n desc, {column})[1] as most from ({counted}) group by row_id"  # noqa: S608

    each = ", ".join(["window_start", *map(quoted, recipe.entity)])
    return f"""
        with known as (
            select {_window_row_id(recipe)} as row_id, malicious, family, technique
            from (select event_id, {each} from events) as placed join truth using (event_id)
        ), families as ({most("family")}), techniques as ({most("technique")})
        select row_id, bool_or(malicious) as malicious, coalesce(any_value(families.most), min(family)) as family,
               any_value(techniques.most) as technique
        from known left join families using (row_id) left join techniques using (row_id)
        group by row_id order by row_id"""  # noqa: S608


def _keys(recipe: FeatureRecipe) -> str:
    """Return SQL for row_id, time and entity, which every feature table starts with."""
    parts = [quoted(name) for name in recipe.entity]
    shown = f"concat_ws(' · ', {', '.join(parts)})" if parts else "cast(null as varchar)"
    if not recipe.window:
        return f"event_id as row_id, time, {shown} as entity"
    return f"{_window_row_id(recipe)} as row_id, window_start as time, {shown} as entity"


def _window_row_id(recipe: FeatureRecipe) -> str:
    """Return SQL for the id of a row: a hash of feature set, window and the entity's parts, each with its length."""
    texts = [f"cast({quoted(name)} as varchar)" for name in recipe.entity]  # an entity may be a number: a port
    parts = ", ".join(f"length({text}), ':', {text}" for text in texts)
    start = quoted_text(f"{recipe.name}/{recipe.window_seconds}/")
    return f"substr(sha256(concat({start}, epoch_us(window_start), '/', {parts})), 1, 32)"
