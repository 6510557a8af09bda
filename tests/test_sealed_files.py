"""socml.project.engines: of files, a sealed connection reads those it was told of, and no other."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socml.project import RecipeError, sealed_connection, select_batches


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    told, secret = tmp_path / "it's told.parquet", tmp_path / "secret.parquet"
    for number, path in enumerate((told, secret)):
        pq.write_table(pa.table({"n": [number]}), path)
    return told, secret


def read(sql: str, told: Path) -> list[dict[str, object]]:
    with sealed_connection({}, readable=[told]) as connection:
        return list(select_batches(connection, sql, where="recipe.sql").read_all().to_pylist())


def quoted_path(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def test_a_file_that_was_told_of_is_read(files: tuple[Path, Path]) -> None:
    told, _ = files
    assert read(f"select n from read_parquet({quoted_path(told)})", told) == [{"n": 0}]


@pytest.mark.parametrize("function", ["read_parquet", "read_text", "read_csv", "glob"])
def test_another_file_is_not(files: tuple[Path, Path], function: str) -> None:
    told, secret = files
    with pytest.raises(RecipeError):
        assert read(f"select * from {function}({quoted_path(secret)})", told) == []


@pytest.mark.parametrize(
    "sql", ["copy (select 1) to {told}", "set allowed_paths = [{secret}]", "attach {secret} as other"]
)
def test_nothing_but_a_select_is_run(files: tuple[Path, Path], sql: str) -> None:
    told, secret = files
    with pytest.raises(RecipeError):
        read(sql.format(told=quoted_path(told), secret=quoted_path(secret)), told)
    assert pq.read_table(told).num_rows == 1
