"""Files, every shipped feature set and a model on Spark beside this machine's DuckDB: the same events, tables and scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from daily_events import project_in
from log_folders import lines_of, project_at, stored_in, write
from spark_lab import DAYS, store_lab

from socml.features import build_daily, build_feature_file, daily_folder
from socml.features.build import row_truth_path
from socml.ingestion import ingest_files, spark_reading
from socml.ingestion.file_reading import Outcome
from socml.models import fit, score_run
from socml.project import (
    LEAVES,
    ConfigurationError,
    FeatureRecipe,
    Project,
    RecipeError,
    events_folder,
    load_feature_recipe,
    read_table,
    recipe_names,
    run_folder,
    spark_session,
    starter_root,
)
from socml.project.leaves import load_leaves

SHIPPED = Project(root=starter_root(), workspace=Path("unused"))
RECIPES = [load_feature_recipe(name, SHIPPED) for name in recipe_names("features", SHIPPED)]
WINDOWED = [recipe.name for recipe in RECIPES if not recipe.period and "*" not in recipe.columns]
DAILY = [recipe.name for recipe in RECIPES if recipe.period]
MASTER = "local[2]"
# Small tables: no code is generated for them, and nothing is divided.
QUICK = """\
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.adaptive.enabled false
spark.sql.shuffle.partitions 1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    """The same events for DuckDB and for Spark."""
    pytest.importorskip("pyspark", reason="the extra spark is not installed: make spark")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed: make spark")
    conf = tmp_path_factory.mktemp("conf")
    (conf / "spark-defaults.conf").write_text(QUICK, encoding="utf-8")
    here = store_lab(project_in(tmp_path_factory.mktemp("duckdb")))
    there = on_spark(store_lab(project_in(tmp_path_factory.mktemp("spark"))))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_CONF_DIR", str(conf))
        yield here, there
        spark_session(MASTER).stop()


def on_spark(project: Project) -> Project:
    return replace(project, engine="spark", master=MASTER, memory_limit="1GB")


def assert_same(one: Path, other: Path) -> None:
    """Keys, texts and nulls equal, numbers to 1e-9."""
    left, right = pq.read_table(one), pq.read_table(other)
    assert right.schema.equals(left.schema)
    assert len(left) == len(right)
    for name in left.column_names:
        a, b = left[name].combine_chunks(), right[name].combine_chunks()
        if pa.types.is_floating(a.type):
            assert a.is_null().equals(b.is_null()), name
            np.testing.assert_allclose(
                b.drop_null().to_numpy(), a.drop_null().to_numpy(), rtol=1e-9, atol=1e-9, err_msg=name
            )
        else:
            assert a.equals(b), name


@pytest.mark.parametrize("name", WINDOWED)
def test_a_shipped_feature_set_and_its_truth_are_the_same_on_both_engines(
    name: str, labs: tuple[Project, Project]
) -> None:
    one, other = (build_feature_file(name, "office", project=project) for project in labs)
    assert_same(one, other)
    assert_same(row_truth_path(one), row_truth_path(other))
    assert pq.read_metadata(one).num_rows > 0 or name == "block-sequences"


def test_every_daily_set_and_what_it_remembers_are_the_same_if_spark_makes_the_second_day(
    labs: tuple[Project, Project], tmp_path: Path
) -> None:
    here, there = labs[0], project_in(tmp_path)
    build_daily(DAILY, "office", project=here)
    build_daily(DAILY, "office", project=store_lab(there, DAYS[:1]))
    assert build_daily(DAILY, "office", project=on_spark(store_lab(there))).built == 1
    first, second = daily_folder(here, "office"), daily_folder(there, "office")
    tables = sorted(path.relative_to(first) for path in first.rglob("*.parquet"))
    assert tables == sorted(path.relative_to(second) for path in second.rglob("*.parquet"))
    assert {table.parts[1] for table in tables if table.parts[0] == "features"} == set(DAILY)
    for table in tables:
        assert_same(first / table, second / table)
    said = [name for name in DAILY if len(pq.read_table(first / "features" / name / f"{DAYS[1]}.parquet"))]
    assert len(said) > len(DAILY) - 4  # the lab has something for nearly every set


def test_files_that_spark_reads_give_the_dataset_that_one_process_gives(
    labs: tuple[Project, Project], logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_reading, "AT_ONCE", 5)
    here, there = project_at(tmp_path / "duckdb"), on_spark(project_at(tmp_path / "spark"))
    said: list[list[str]] = [[], []]
    for files in ({}, {"auth.log": lines_of(9, 4), "auth.log.0": lines_of(10, 3)}):
        for name, text in files.items():
            write(logs, name, text)
        for words, project in zip(said, (here, there), strict=True):
            words.append(str(ingest_files([logs], dataset="some", project=project, workers=1, final=True)))
    assert "NOT READ" in said[0][0]
    assert said[1] == said[0]
    assert stored_in(there) == stored_in(here)


def test_a_workspace_that_a_machine_does_not_see_is_told_of(
    labs: tuple[Project, Project], logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = on_spark(project_at(tmp_path / "spark"))
    elsewhere = spark_reading.SparkReading._check_seen

    def gone(reading: spark_reading.SparkReading, outcome: Outcome | None) -> None:
        for rows in outcome.shipped.rows.values() if outcome and outcome.shipped else ():
            rows.drop()
        elsewhere(reading, outcome)

    monkeypatch.setattr(spark_reading.SparkReading, "_check_seen", gone)
    with pytest.raises(ConfigurationError, match="every machine of the cluster sees it under the same path"):
        ingest_files([logs], dataset="some", project=there, final=True)
    assert not events_folder(there, "some").exists() or not any(events_folder(there, "some").glob("*.parquet"))


@pytest.mark.parametrize("room", [1_000_000, 50])
def test_scores_and_leaves_are_the_same_bit_for_bit(
    room: int, labs: tuple[Project, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = labs
    monkeypatch.setattr(Project, "rows_in_memory", lambda *_: room)
    features = build_feature_file("source-5min", "office", project=here)
    version = fit("source-forest", read_table(features).to_pandas(), project=here)
    runs = [score_run(version, features, project=project) for project in labs]
    folders = [run_folder(project, run["run_id"]) for project, run in zip(labs, runs, strict=True)]
    assert (folders[0] / LEAVES).read_bytes() == (folders[1] / LEAVES).read_bytes()
    one, other = (pq.read_table(folder / "scores.parquet") for folder in folders)
    assert one.equals(other)
    assert [load_leaves(folder / LEAVES).shape[1] for folder in folders] == [min(room, len(one))] * 2
    assert len(one) > 50


def test_a_function_that_differs_stops_the_build_with_its_name_and_what_to_write(labs: tuple[Project, Project]) -> None:
    _, there = labs
    recipe = load_feature_recipe("source-5min", there)
    sql = recipe.sql.replace("max(duration_s)", "approx_quantile(duration_s, 0.9)")
    with pytest.raises(RecipeError, match=r"source-5min\.sql: approx_quantile .*median"):
        build_feature_file(_with_sql(recipe, sql), "office", project=there)


def test_an_error_of_spark_is_one_sentence_with_the_recipe(labs: tuple[Project, Project]) -> None:
    _, there = labs
    recipe = load_feature_recipe("source-5min", there)
    with pytest.raises(RecipeError, match=r"source-5min\.sql, on Spark: .*no_such_column") as caught:
        build_feature_file(
            _with_sql(recipe, recipe.sql.replace("duration_s", "no_such_column")), "office", project=there
        )
    assert "\n" not in str(caught.value)
    assert "JVM" not in str(caught.value)


def _with_sql(recipe: FeatureRecipe, sql: str) -> FeatureRecipe:
    return recipe.model_copy(update={"sql": sql})
