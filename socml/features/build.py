"""events → features: one SELECT a feature set, run on DuckDB in bounded memory, into Parquet.

A feature table has one row an entity and window (or an event), one column a feature, and `row_id`. The
recipe's hash, the events' snapshot and the meaning of every column travel in the file's metadata.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.features.event_templates import event_templates
from socml.features.first_seen import parquet_sql
from socml.features.row_sql import columns_sql, events_sql, rows_sql, truth_sql
from socml.features.spark_features import has_values, selected_schema, spark_events, spark_rows, spark_truth
from socml.project import (
    EVENT,
    TIME,
    DataError,
    FeatureRecipe,
    Notice,
    Project,
    RecipeError,
    TableMetadata,
    audit,
    check_columns,
    checked_select,
    did_you_mean,
    event_files,
    event_table,
    events_snapshot,
    features_path,
    find_project,
    load_feature_recipe,
    open_events,
    open_table,
    parquet_writer,
    quoted,
    read_metadata,
    read_table,
    replacing,
    row_encoding,
    sealed_connection,
    select_batches,
    stream,
    truth_path,
    write_table,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow.dataset as ds

_KEYS = ("row_id", "time", "entity")
# Event columns that a table's columns are renamed to and that still are features of the row.
_MEASURES = (
    "duration_s source_bytes destination_bytes source_packets destination_packets network_transport "
    "network_protocol connection_state http_request_method http_response_status_code"
).split()


def build_features(
    feature_set: str | FeatureRecipe, events: str | pd.DataFrame | pa.Table, *, project: Project | None = None
) -> pd.DataFrame:
    """Build a feature set over a dataset, or over events in memory, and return the feature table.

    Parameters
    ----------
    feature_set : name of a recipe in `features/`, or a recipe
    events : name of an ingested dataset (the result is kept in the workspace), or an event table

    Returns
    -------
    DataFrame, index `row_id`; columns `time`, `entity`, the entity's columns, then the features.
    `attrs["socml"]` says what each means.

    Raises
    ------
    UnknownName, RecipeError, DataError
    """
    project = project or find_project()
    recipe = load_feature_recipe(feature_set, project) if isinstance(feature_set, str) else feature_set
    if isinstance(events, str):
        build_feature_file(recipe, events, project=project)
        return load_features(events, recipe.name, project=project)
    table = events if isinstance(events, pa.Table) else event_table(events)
    with _connection(recipe, {"stored_events": table}, table.schema, project) as connection:
        schema = _output_schema(recipe, connection)
        rows = pa.Table.from_batches(list(_rows(recipe, connection, schema, project.time_limit_s)), schema)
    return frame_of(rows, _metadata(recipe, schema, dataset="", snapshot=""))


def build_feature_file(feature_set: str | FeatureRecipe, dataset: str, *, project: Project | None = None) -> Path:
    """Build a feature set over an ingested dataset and return the Parquet file, with ground truth beside it.

    A file that was built from the same recipe and the same events is left as it is. One that is damaged is built
    again, with a `Notice`.
    """
    project = project or find_project()
    recipe = load_feature_recipe(feature_set, project) if isinstance(feature_set, str) else feature_set
    path = features_path(project, dataset, recipe.name)
    snapshot = events_snapshot(project, dataset)
    if path.is_file() and _is_current(path, recipe, snapshot, truth_path(project, dataset)):
        return path
    audited = {"dataset": dataset, "feature_set": recipe.name, "engine": project.engine}
    if project.engine == "spark":
        _build_on_spark(recipe, dataset, snapshot, path, project)
        audit(project, "features built", **audited)
        return path
    stored = open_events(project, dataset)
    truth = truth_path(project, dataset)
    known = [truth] if truth.is_file() else []
    for file in known:
        open_table(file).close()  # damage is told by name
    files = event_files(project, dataset)
    with _connection(recipe, {"stored_events": stored}, stored.schema, project, files=files, truth=known) as connection:
        schema = _output_schema(recipe, connection)
        metadata = _metadata(recipe, schema, dataset=dataset, snapshot=snapshot)
        _write(path, schema, _rows(recipe, connection, schema, project.time_limit_s), metadata)
        if known:
            _write_truth(path, recipe, connection, project.time_limit_s)
    audit(project, "features built", **audited)
    return path


def load_features(dataset: str, feature_set: str, *, project: Project | None = None) -> pd.DataFrame:
    """Return a feature table that was built before, as `build_features` returns it.

    Raises
    ------
    DataError
        If it was not built.
    """
    path = features_path(project or find_project(), dataset, feature_set)
    if not path.is_file():
        raise DataError(f"{feature_set} was not built for {dataset}. Run: socml features {feature_set} {dataset}")
    metadata = read_metadata(path)
    if "features" not in metadata:
        raise DataError(f"{path} is not a feature table. Build one: socml features FEATURE_SET {dataset}")
    return frame_of(read_table(path), metadata)


def load_row_truth(dataset: str, feature_set: str, *, project: Project | None = None) -> pd.DataFrame:
    """Return the ground truth of each feature row: index `row_id`; malicious, family, technique.

    A row is malicious if any of its events is, benign if all that is known of it is benign, else null.
    Empty where the dataset has no ground truth.
    """
    path = row_truth_path(features_path(project or find_project(), dataset, feature_set))
    if not path.is_file():
        schema = pa.schema([("row_id", pa.string()), ("malicious", pa.bool_()), ("family", pa.string())])
        return _by_row(schema.empty_table())
    return _by_row(read_table(path))


def row_truth_path(features: Path) -> Path:
    """Return where the ground truth of a feature table's rows lies."""
    return features.with_suffix(".truth.parquet")


def _build_on_spark(recipe: FeatureRecipe, dataset: str, snapshot: str, path: Path, project: Project) -> None:
    stored = open_events(project, dataset)
    truth = truth_path(project, dataset)
    views = _views(recipe, stored.schema)
    with spark_events(recipe, stored, views, project=project, truth=truth if truth.is_file() else None) as connection:
        given = selected_schema(recipe, connection)
        schema = _table_schema(recipe, given, lambda name: has_values(name, connection))
        metadata = _metadata(recipe, schema, dataset=dataset, snapshot=snapshot)
        batches = spark_rows(recipe, _value_columns(schema), connection)
        _write(path, schema, (_as_rows(batch, schema) for batch in batches), metadata)
        if truth.is_file():
            write_table(row_truth_path(path), spark_truth(recipe, connection))


@contextmanager
def _connection(
    recipe: FeatureRecipe,
    tables: dict[str, pa.Table | ds.Dataset],
    schema: pa.Schema,
    project: Project,
    *,
    files: Sequence[Path] = (),
    truth: Sequence[Path] = (),
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a sealed connection with what a recipe may read: `events`, `table_columns` and `event_templates`.

    Parameters
    ----------
    files, truth : where the stored events and their ground truth lie, if on disk: DuckDB reads them itself, and of them
        only what the recipe asks for
    """
    if "event_templates" in recipe.sql:
        tables = {**tables, "event_templates": event_templates(tables["stored_events"])}
    views = _views(recipe, schema)

    def prepare(connection: duckdb.DuckDBPyConnection) -> None:
        for name, paths in {"stored_events": files, "truth": truth}.items():
            if paths:
                connection.execute(f"create temp view {name} as select * from {parquet_sql(paths)}")  # noqa: S608

    if files:
        tables = {name: table for name, table in tables.items() if name != "stored_events"}
    memory, threads = project.memory_limit, project.threads
    readable = [*files, *truth]
    with sealed_connection(
        tables, prepare=prepare, readable=readable, memory_limit=memory, threads=threads
    ) as connection:
        for name, sql in views.items():
            connection.sql(sql).create_view(name)
        yield connection


def _views(recipe: FeatureRecipe, schema: pa.Schema) -> dict[str, str]:
    """Return the views over `stored_events`, which has this schema, that a recipe may read, as SQL."""
    own = [name for name in schema.names if name not in EVENT]
    check_columns(own)
    return {"events": events_sql(recipe), "table_columns": columns_sql(("event_id", "time", *own, *_MEASURES))}


def _table_schema(
    recipe: FeatureRecipe,
    given: pa.Schema,
    has_values: Callable[[str], bool],
    is_beyond: Callable[[str], bool] = lambda _: False,
) -> pa.Schema:
    """Check what a SELECT gives against what the recipe declares; return the feature table's schema.

    Parameters
    ----------
    given : what the SELECT gives
    has_values : says of an event column whether any event has a value there
    is_beyond : says of a column of whole numbers whether float64 does not hold some of them
    """
    where = str(recipe.path)
    keys = [*recipe.entity, "window_start"] if recipe.window else ["event_id", "time", *recipe.entity]
    for key in keys:
        if key not in given.names:
            raise RecipeError(f"{where}: the SELECT does not give {key!r}.{did_you_mean(key, given.names)}")
    features = [name for name in given.names if name not in keys]
    if "*" in recipe.columns:
        features = [name for name in features if name not in _MEASURES or has_values(name)]
        given = _own_columns(given, features, is_beyond)
        features = [name for name in features if name in given.names]
    else:
        _check_declared(recipe, features)
    fields = [("row_id", pa.string()), ("time", TIME), ("entity", pa.string())]
    fields += [(name, pa.string()) for name in recipe.entity]
    return pa.schema([*fields, *((name, _feature_type(given.field(name), where)) for name in features)])


def _output_schema(recipe: FeatureRecipe, connection: duckdb.DuckDBPyConnection) -> pa.Schema:
    where = str(recipe.path)
    selected = checked_select(connection, recipe.sql, where=where)
    given = stream(connection, selected.limit(0), where=where).schema

    def has_values(name: str) -> bool:
        present = connection.table("stored_events").filter(f"{quoted(name)} is not null")
        return bool(present.limit(1).fetchall())

    def is_beyond(name: str) -> bool:
        events = connection.table("stored_events")
        far = f"abs({quoted(name)}::hugeint) > {2**53}"
        return name in events.columns and bool(events.filter(far).limit(1).fetchall())

    return _table_schema(recipe, given, has_values, is_beyond)


def _own_columns(given: pa.Schema, features: list[str], is_beyond: Callable[[str], bool]) -> pa.Schema:
    """Return what a dataset's own columns are as features: times are none, and names written in digits are texts."""
    for name in features:
        kind = given.field(name).type
        if pa.types.is_temporal(kind):
            warnings.warn(f"The column {name!r} is a time, and no feature.", Notice, stacklevel=5)
            given = given.remove(given.get_field_index(name))
        elif pa.types.is_integer(kind) and is_beyond(name):
            warnings.warn(
                f"The column {name!r} is taken as text: it holds whole numbers beyond 2^53, which no float64 holds exactly.",
                Notice,
                stacklevel=5,
            )
            given = given.set(given.get_field_index(name), pa.field(name, pa.string()))
    return given


def _check_declared(recipe: FeatureRecipe, features: list[str]) -> None:
    for name in features:
        if name not in recipe.columns:
            near = did_you_mean(name, recipe.columns)
            raise RecipeError(f"{recipe.where}: column {name!r} has no meaning in [columns].{near}")
    for name in recipe.columns:
        if name not in features:
            raise RecipeError(f"{recipe.where}: [columns] names {name!r}, which the SELECT does not give.")


def _feature_type(field: pa.Field, where: str) -> pa.DataType:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.string()
    numbers = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if any(is_number(kind) for is_number in numbers):
        return pa.float64()
    raise RecipeError(f"{where}: column {field.name!r} is {kind}; a feature is a number, a truth value or a category.")


def _rows(
    recipe: FeatureRecipe, connection: duckdb.DuckDBPyConnection, schema: pa.Schema, limit_s: float
) -> Iterator[pa.RecordBatch]:
    where = str(recipe.path)
    checked_select(connection, recipe.sql, where=where)
    sql = rows_sql(recipe, _value_columns(schema))
    for batch in select_batches(connection, sql, where=where, limit_s=limit_s):
        yield _as_rows(batch, schema)


def _value_columns(schema: pa.Schema) -> list[str]:
    """Return the columns of a feature table beside its keys."""
    return [name for name in schema.names if name not in _KEYS]


def _as_rows(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of what a SELECT gives with the types of the feature table."""
    columns = [batch.column(field.name).cast(field.type, safe=False) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _metadata(recipe: FeatureRecipe, schema: pa.Schema, *, dataset: str, snapshot: str) -> TableMetadata:
    features = [name for name in schema.names if name not in {*_KEYS, *recipe.entity}]
    return {
        "feature_set": recipe.name,
        "recipe_hash": recipe.hash,
        "sql_hash": recipe.sql_hash,
        "events_snapshot": snapshot,
        "dataset": dataset,
        "entity": list(recipe.entity),
        "window_seconds": recipe.window_seconds,
        "features": features,
        "columns": {name: recipe.columns.get(name, name) for name in features},
        "columns_fr": {name: recipe.columns_fr.get(name, recipe.columns.get(name, name)) for name in features},
        "fill": recipe.fill,
    }


def _write(path: Path, schema: pa.Schema, rows: Iterator[pa.RecordBatch], metadata: TableMetadata) -> None:
    schema = schema.with_metadata({b"socml": json.dumps(metadata).encode()})
    with replacing(path) as temporary, parquet_writer(temporary, schema, **row_encoding(schema)) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _write_truth(path: Path, recipe: FeatureRecipe, connection: duckdb.DuckDBPyConnection, limit_s: float) -> None:
    """Write which rows of a feature table hold a malicious event, and of which family most."""
    rows = select_batches(connection, truth_sql(recipe), where=str(recipe.path), limit_s=limit_s)
    with (
        replacing(row_truth_path(path)) as temporary,
        parquet_writer(temporary, rows.schema, compression="zstd", compression_level=1) as writer,
    ):
        for batch in rows:
            writer.write_batch(batch)


def _is_current(path: Path, recipe: FeatureRecipe, snapshot: str, truth: Path) -> bool:
    rows = row_truth_path(path)
    try:
        metadata = read_metadata(path)
        if rows.is_file():
            open_table(rows).close()
    except DataError as error:
        warnings.warn(f"It is built again: {error}", Notice, stacklevel=3)
        return False
    made_of = (metadata.get("recipe_hash"), metadata.get("sql_hash"), metadata.get("events_snapshot"))
    if made_of != (recipe.hash, recipe.sql_hash, snapshot):  # a recipe that was changed in memory has its file's hash
        return False
    return not truth.is_file() or (rows.is_file() and rows.stat().st_mtime_ns >= truth.stat().st_mtime_ns)


def frame_of(table: pa.Table, metadata: TableMetadata) -> pd.DataFrame:
    """Return rows of a feature file as `build_features` does."""
    frame = _by_row(table)
    frame.attrs["socml"] = metadata
    return frame


def _by_row(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.set_index("row_id")
